"""Search (Suche) over cases and documents."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import MAXYEAR, MINYEAR, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.contrib.postgres.search import SearchQueryField, SearchRank
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet, Value
from django.db.models.expressions import OrderBy
from django.db.models.functions import Cast, Coalesce, Left
from django.utils.translation import gettext_lazy as _

from verbund.modules.records.models import CaseState, DocumentKind, DocumentVersion, File, SearchEntry
from verbund.modules.records.policies import Permission, visible_branches, visible_entries
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy.clock import LEGAL_ZONE

from .marking import Marker, Segments
from .pages import date_key, read_instant_key
from .tsquery import Matching, Vectors, matching

RANKED: Final = 200  # so many hits are put in order of relevance; more come the newest first
MANY: Final = 30_000  # estimated hits, from which on the newest are looked for one by one
READ: Final = 4_000  # characters of a document in which the hit to be shown is looked for


_SHOWN: Final = (
    *("kind", "case_id", "document_id", "happened_at"),
    *("case__reference", "case__party", "case__unit", "case__state", "case__title"),
    *("document__number", "document__kind", "document__title"),
)


class SearchNote(StrEnum):
    """SearchNote (Hinweis der Suche): why there is no list."""

    EMPTY = "empty"
    ONLY_WITHOUT = "only_without"
    TOO_COMMON = "too_common"

    @property
    def message(self) -> str:
        return str(_NOTES[self])


_NOTES: Final = {
    SearchNote.EMPTY: _("Enter a word, a name or a reference."),
    SearchNote.ONLY_WITHOUT: _(
        "Name at least one word that is to be found; the others can then be left out with a minus."
    ),
    SearchNote.TOO_COMMON: _("These words stand in nearly every document. Add a word that says more."),
}


@dataclass(frozen=True, slots=True)
class SearchFilters:
    """SearchFilters (Eingrenzung der Suche). An empty value does not narrow."""

    year: int | None = None
    unit: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class SearchHit:
    """SearchHit (Treffer): a case or a document; `title` and `excerpt` are segments (text, whether it is a hit)."""

    kind: str
    case_id: UUID
    document_id: UUID | None
    reference: str
    document_number: int | None
    document_kind: str
    party: str
    unit: str
    state: str
    at: datetime
    title: Segments
    case_title: str
    excerpt: Segments

    @property
    def state_label(self) -> str:
        return str(CaseState(self.state).label)

    @property
    def is_open(self) -> bool:
        return self.state == CaseState.OPEN

    @property
    def document_kind_label(self) -> str:
        return str(DocumentKind(self.document_kind).label) if self.document_kind else ""


@dataclass(frozen=True, slots=True)
class SearchPage:
    """SearchPage (Trefferseite). `ranked`: in order of relevance; else the newest first, because there are many."""

    rows: tuple[SearchHit, ...]
    next: str | None
    ranked: bool = True
    note: SearchNote | None = field(default=None)


def search(
    actor: Actor, text: str, after: str | None = None, limit: int = 50, *, filters: SearchFilters | None = None
) -> SearchPage:
    """A page of what the actor may find: see `tsquery` for what can be typed.

    Up to `RANKED` hits come in order of relevance (title, reference and party before text before parts of words),
    more the newest first. What the actor may not see takes no part, not even in the decision between the two.

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.READ_CASE)
    query = matching(text)
    if query.text is None:
        return SearchPage((), None, note=SearchNote(query.note))
    if not visible_branches(actor, case="case_id"):
        return SearchPage((), None)
    limit = max(1, min(limit, RANKED))
    found = visible_entries(actor).filter(Vectors(query.text)).filter(_narrowed(filters or SearchFilters()))
    with steered(found) as order:
        return _page(found.order_by(*order), query, after, limit)


def _page(found: "QuerySet[SearchEntry]", query: Matching, after: str | None, limit: int) -> SearchPage:
    key = read_instant_key(after)
    if key is None:
        newest = list(found.values_list("id", "happened_at")[: RANKED + 1])
        if len(newest) <= RANKED:
            return _ranked([entry_id for entry_id, _at in newest], query, _offset(after), limit)
    else:
        # The first condition is one for the index: without it every page would be looked for from the newest on.
        older = Q(happened_at__lte=key[0]) & (Q(happened_at__lt=key[0]) | Q(id__lt=key[1]))
        newest = list(found.filter(older).values_list("id", "happened_at")[: limit + 1])
    shown = newest[:limit]
    following = date_key(shown[-1][1], shown[-1][0]) if len(newest) > limit else None
    return SearchPage(_hits([entry_id for entry_id, _at in shown], query), following, ranked=False)


@contextmanager
def steered(found: "QuerySet[SearchEntry]") -> "Iterator[tuple[str | OrderBy, ...]]":
    """Keep PostgreSQL from reading every vector: by the index of words, or, if there are `MANY` hits, from the
    newest backwards.

    Its planner counts a comparison with a vector as cheap and forgets that it has to be unpacked; so it would read
    whole tables where the index answers in milliseconds. The settings hold for this search only. Yields the order:
    newest first.
    """
    with transaction.atomic():
        _set("enable_seqscan", "off")
        plan: list[dict[str, Any]] = json.loads(found.order_by().explain(format="json"))
        walk = plan[0]["Plan"]["Plan Rows"] > MANY
        if walk:
            _set("enable_bitmapscan", "off")
        # An order by an expression cannot be read from the index of dates.
        yield ("-happened_at", "-id") if walk else (Coalesce("happened_at", "happened_at").desc(), "-id")
        _set("enable_seqscan", "on")
        if walk:
            _set("enable_bitmapscan", "on")


def _set(name: str, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [name, value])


def _ranked(ids: list[UUID], query: Matching, start: int, limit: int) -> SearchPage:
    if not ids:
        return SearchPage((), None)
    if len(ids) > 1:
        rank = SearchRank(F("vector"), Cast(Value(query.text), SearchQueryField()), normalization=Value(1))
        ids = list(
            _entries(ids).annotate(rank=rank).order_by("-rank", "-happened_at", "-id").values_list("id", flat=True)
        )
    following = f"r{start + limit}" if len(ids) > start + limit else None
    return SearchPage(_hits(ids[start : start + limit], query), following)


def _entries(ids: list[UUID]) -> "QuerySet[SearchEntry]":
    """The entries with these ids, which `visible_entries` has just given."""
    return SearchEntry.objects.filter(pk__in=ids)


def _offset(after: str | None) -> int:
    digits = (after or "")[1:]
    return min(int(digits), RANKED) if (after or "").startswith("r") and digits.isdecimal() and len(digits) < 5 else 0


def _narrowed(filters: SearchFilters) -> Q:
    narrowed = Q()
    if filters.year is not None:
        narrowed &= Q(year=filters.year)
        if MINYEAR < filters.year < MAXYEAR:  # the same as days, by which the walk from the newest finds the year
            first, next_first = (datetime(year, 1, 1, tzinfo=LEGAL_ZONE) for year in (filters.year, filters.year + 1))
            narrowed &= Q(happened_at__gte=first, happened_at__lt=next_first)
    if filters.unit:
        narrowed &= Q(unit=filters.unit)
    if filters.kind:
        narrowed &= Q(kind=filters.kind)
    return narrowed


def _hits(ids: list[UUID], query: Matching) -> tuple[SearchHit, ...]:
    """What is shown of the entries, in the given order: one query for the entries, one for the documents'
    beginnings.
    """
    rows = {row[0]: row[1:] for row in _entries(ids).values_list("id", *_SHOWN)}
    shown = [row[2] for row in rows.values() if row[2] is not None]
    beginnings: dict[UUID, str] = {}
    if shown:
        current = DocumentVersion.objects.filter(document__in=shown, number=F("document__versions"))
        beginnings = dict(current.annotate(beginning=Left("text", READ)).values_list("document_id", "beginning"))
    marker = Marker(query.marks, query.prefixes)
    hits = []
    for entry_id in ids:
        kind, case_id, document_id, at, reference, party, unit, state, case_title, number, sort, title = rows[entry_id]
        hits.append(
            SearchHit(
                kind=kind,
                case_id=case_id,
                document_id=document_id,
                reference=reference,
                document_number=number,
                document_kind=sort or "",
                party=party,
                unit=unit,
                state=state,
                at=at,
                title=marker.segments(case_title if document_id is None else title),
                case_title=case_title,
                excerpt=marker.excerpt(beginnings.get(document_id, "")) if document_id else (),
            )
        )
    return tuple(hits)


def years(actor: Actor) -> list[int]:
    """The years to which a search may be narrowed, the latest first: those in which the body opened cases."""
    policy.require(actor, Permission.READ_CASE)
    opened = File.objects.filter(year__isnull=False).order_by("-year").values_list("year", flat=True).distinct()
    return [year for year in opened if year is not None]
