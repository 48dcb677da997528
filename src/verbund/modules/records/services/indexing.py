"""Keeping the search index: every entry is written in the transaction that files what it finds.

A named place for raw SQL: the vector is made by PostgreSQL of several texts, which an update of Django's cannot say.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypedDict

from django.db import connection

from verbund.modules.records.models import Case, Document, EntryKind, SearchEntry
from verbund.modules.records.models.search import VECTOR
from verbund.modules.records.queries.words import canonical, compound_terms
from verbund.platform.tenancy import local_date, new_id, rows

INDEXED: Final = 400_000  # characters of a text; PostgreSQL's own limit is a megabyte of different words
_REINDEX: Final = (
    f"UPDATE records_searchentry SET happened_at = %s, vector = {VECTOR.format(value='w.words')}"  # noqa: S608
    " FROM (SELECT %s::jsonb AS words) w WHERE document_id = %s"
)


class SearchWords(TypedDict):
    """SearchWords (Suchwörter): the texts a vector is made of, and the terms of their compounds, apart by a space."""

    head: str
    context: str
    body: str
    terms: str


def words(*, head: str, context: str, body: str, references: list[str]) -> SearchWords:
    """What the vector is made of: `head` weighs most (A), then `body` (B), `context` (C), and last the parts of
    compounds.
    """
    head, context, body = (canonical(t.replace("\x00", " ")) for t in (head, context, body[:INDEXED]))
    terms = compound_terms(f"{head}\n{context}\n{body}")
    terms += [f"#{r.lower()}" for r in references if r]
    return SearchWords(head=head, context=context, body=body, terms=" ".join(dict.fromkeys(terms)))


def case_entry(case: Case, *, file_reference: str) -> SearchEntry:
    """The entry of a new case, not yet written."""
    return _entry(case, None, EntryKind.CASE, case.opened_at, _case_words(case, file_reference))


def document_entry(case: Case, document: Document, *, text: str, filename: str, at: datetime) -> SearchEntry:
    """The entry of a new document, not yet written."""
    return _entry(case, document, EntryKind.DOCUMENT, at, _document_words(case, document, text, filename))


def reindex_document(case: Case, document: Document, *, text: str, filename: str, at: datetime) -> None:
    """Replace what is found of a document by its new version."""
    found_by = json.dumps(_document_words(case, document, text, filename), ensure_ascii=False)
    with connection.cursor() as cursor:
        cursor.execute(_REINDEX, [at, found_by, document.id])


def move_entries(case: Case) -> None:
    """Repeat on the entries what decides who may find them, after it has changed on the case."""
    SearchEntry.objects.filter(case=case).update(unit=case.unit, is_sealed=case.is_sealed, assigned_to=case.assigned_to)


def _entry(case: Case, document: Document | None, kind: EntryKind, at: datetime, found_by: SearchWords) -> SearchEntry:
    return rows.new(
        SearchEntry,
        id=new_id(),
        kind=kind,
        case_id=case.id,
        document_id=None if document is None else document.id,
        unit=case.unit,
        is_sealed=case.is_sealed,
        assigned_to=case.assigned_to,
        year=local_date(at).year,
        happened_at=at,
        vector=found_by,
    )


def _case_words(case: Case, file_reference: str) -> SearchWords:
    return words(
        head=f"{case.title}\n{case.party}",
        context=_values(case.metadata),
        body="",
        references=[case.reference, file_reference],
    )


def _document_words(case: Case, document: Document, text: str, filename: str) -> SearchWords:
    return words(
        head=document.title,
        context=f"{case.title}\n{case.party}\n{filename}\n{_values(document.metadata)}",
        body=text,
        references=[case.reference],
    )


def _values(metadata: Mapping[str, Any]) -> str:
    return "\n".join(str(v) for v in metadata.values() if isinstance(v, str | int | float))
