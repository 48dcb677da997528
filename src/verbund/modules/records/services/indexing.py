"""Keeping the search index: every entry is written in the transaction that files what it finds."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from django.contrib.postgres.search import SearchVectorField
from django.db.models import Field, Func, TextField, Value

from verbund.modules.records.models import Case, Document, EntryKind, SearchEntry
from verbund.modules.records.queries.words import canonical, compound_terms
from verbund.platform.tenancy import local_date, new_id

if TYPE_CHECKING:
    _AnyField = Field[Any, Any]
else:
    _AnyField = Field

INDEXED: Final = 400_000  # characters of a text; PostgreSQL's own limit is a megabyte of different words


class _Vector(Func):
    """The search vector of a text for each weight, and of the terms of its compounds."""

    output_field = SearchVectorField()
    template = (
        "(setweight(to_tsvector('pg_catalog.german', {0}), 'A') "
        "|| setweight(to_tsvector('pg_catalog.german', {1}), 'C')"
        " || setweight(to_tsvector('pg_catalog.german', {2}), 'B') || array_to_tsvector({3}))"
    )

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> Any:  # type: ignore[override]
        pieces, params = [], []
        for number, source in enumerate(self.get_source_expressions()):
            sql, values = compiler.compile(source)
            pieces.append(f"{sql}::{'text[]' if number == 3 else 'text'}")
            params += values
        return self.template.format(*pieces), params


def vector(*, head: str, context: str, body: str, references: list[str]) -> Func:
    """The vector: `head` weighs most (A), then `body` (B), `context` (C), and last the parts of compounds."""
    texts = [canonical(_clean(t)) for t in (head, context, body[:INDEXED])]
    terms = compound_terms("\n".join(texts))
    terms += [f"#{r.lower()}" for r in references if r]
    return _Vector(
        *(Value(t, output_field=TextField()) for t in texts),
        Value(list(dict.fromkeys(terms)), output_field=_TextArray()),
    )


class _TextArray(_AnyField):
    """A list of strings as one parameter; `ArrayField` would check each of some thousand values."""

    def get_prep_value(self, value: Any) -> Any:
        return value

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return value


def _clean(text: str) -> str:
    return text.replace("\x00", " ")


def case_entry(case: Case, *, file_reference: str) -> SearchEntry:
    """The entry of a new case, not yet written."""
    return _entry(case, None, EntryKind.CASE, case.opened_at, _case_vector(case, file_reference))


def document_entry(case: Case, document: Document, *, text: str, filename: str, at: datetime) -> SearchEntry:
    """The entry of a new document, not yet written."""
    return _entry(case, document, EntryKind.DOCUMENT, at, _document_vector(case, document, text, filename))


def index_document(case: Case, document: Document, *, text: str, filename: str, at: datetime) -> None:
    """Write the entry of a new document; it is found from the commit on."""
    SearchEntry.objects.bulk_create([document_entry(case, document, text=text, filename=filename, at=at)])


def reindex_document(case: Case, document: Document, *, text: str, filename: str, at: datetime) -> None:
    """Replace what is found of a document by its new version."""
    SearchEntry.objects.filter(document=document).update(
        happened_at=at, vector=_document_vector(case, document, text, filename)
    )


def move_entries(case: Case) -> None:
    """Repeat on the entries what decides who may find them, after it has changed on the case."""
    SearchEntry.objects.filter(case=case).update(unit=case.unit, is_sealed=case.is_sealed, assigned_to=case.assigned_to)


def _entry(case: Case, document: Document | None, kind: EntryKind, at: datetime, vector: Func) -> SearchEntry:
    return SearchEntry(
        id=new_id(),
        kind=kind,
        case=case,
        document=document,
        unit=case.unit,
        is_sealed=case.is_sealed,
        assigned_to=case.assigned_to,
        year=local_date(at).year,
        happened_at=at,
        vector=vector,
    )


def _case_vector(case: Case, file_reference: str) -> Func:
    return vector(
        head=f"{case.title}\n{case.party}",
        context=_values(case.metadata),
        body="",
        references=[case.reference, file_reference],
    )


def _document_vector(case: Case, document: Document, text: str, filename: str) -> Func:
    return vector(
        head=document.title,
        context=f"{case.title}\n{case.party}\n{filename}\n{_values(document.metadata)}",
        body=text,
        references=[case.reference],
    )


def _values(metadata: Mapping[str, Any]) -> str:
    return "\n".join(str(v) for v in metadata.values() if isinstance(v, str | int | float))
