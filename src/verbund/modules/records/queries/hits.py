"""Search (Suche) over cases and documents."""

from dataclasses import dataclass, field
from datetime import MAXYEAR, MINYEAR, datetime
from enum import StrEnum
from functools import cache, lru_cache, partial
from typing import Final
from uuid import UUID

from django.contrib.postgres.search import SearchQueryField, SearchRank
from django.db.models import F, Q, Value
from django.db.models.functions import Cast, Left
from django.utils.translation import gettext_lazy as _

from verbund.modules.records.models import CaseState, DocumentKind, DocumentVersion, File, SearchEntry
from verbund.modules.records.models.search import kind_mark, unit_mark
from verbund.modules.records.policies import Permission, visible_entries, visible_marks
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy.clock import LEGAL_ZONE
from verbund.platform.tenancy.kept import Among, KeptRows, given
from verbund.platform.tenancy.prepared import prepared_statements

from .marking import Marker, Segments
from .newest import NEWEST_FIRST, Rows, newest
from .pages import date_key, read_instant_key
from .seen import reader_of
from .tsquery import Found, Matching, matching, one_of

RANKED: Final = 200  # so many hits are put in order of relevance; more come the newest first
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
    limit, narrowed = max(1, min(limit, RANKED)), filters or SearchFilters()
    key = read_instant_key(after)
    since, until = _span(narrowed)
    rows = newest(
        partial(_asked, reader_of(actor), narrowed, key),
        query.text,
        wanted=RANKED + 1,
        first=since,
        last=min(filter(None, (until, key[0]))) if key else until,
    )
    if key is None and len(rows) <= RANKED:
        return _ranked([entry_id for (entry_id,) in rows], query, _offset(after), limit)
    shown = [entry_id for (entry_id,) in rows[:limit]]
    hits = _hits(shown, query)
    return SearchPage(hits, date_key(hits[-1].at, shown[-1]) if len(rows) > limit else None, ranked=False)


def _asked(reader: Actor, filters: SearchFilters, key: tuple[datetime, UUID] | None, words: str, days: str) -> Rows:
    found = _found(reader, filters, later=key is not None, on_days=bool(days))
    at, ident = key or (None, None)
    return found.all(query=words, days=days, at=at, id=ident)


@lru_cache(maxsize=512)
def _found(reader: Actor, filters: SearchFilters, *, later: bool, on_days: bool) -> KeptRows:
    """The ids of the entries with the words, the newest first; those after (`at`, `id`) if it is a `later` page. Kept
    for each reader and filter: to put it together takes longer than to send it.
    """
    found = visible_entries(reader).filter(_narrowed(filters))
    if on_days:  # first, so that the index leaps to them before it looks at anything else
        found = found.filter(Found(given("days")))
    found = found.filter(Found(given("query")))
    for group in (visible_marks(reader), *_marks(filters)):
        found = found.filter(Found(one_of(group))) if group else found
    if later:
        at, ident = given("at"), given("id")
        found = found.filter(Q(happened_at__lte=at) & (Q(happened_at__lt=at) | Q(id__lt=ident)))
    return KeptRows(found.order_by(*NEWEST_FIRST).values_list("id")[: RANKED + 1])


def _ranked(ids: list[UUID], query: Matching, start: int, limit: int) -> SearchPage:
    if not ids:
        return SearchPage((), None)
    if len(ids) > 1:
        ids = [entry_id for (entry_id,) in _by_rank().all(ids=ids, query=query.text)]
    following = f"r{start + limit}" if len(ids) > start + limit else None
    return SearchPage(_hits(ids[start : start + limit], query), following)


@cache
def _by_rank() -> KeptRows:
    rank = SearchRank(F("vector"), Cast(given("query"), SearchQueryField()), normalization=Value(1))
    ranked = SearchEntry.objects.filter(Among("pk", "ids")).annotate(rank=rank)
    return KeptRows(ranked.order_by("-rank", "-happened_at", "-id").values_list("id"))


@cache
def _entries() -> KeptRows:
    """The entries with these ids, which `visible_entries` has just given, as they are shown."""
    return KeptRows(SearchEntry.objects.filter(Among("pk", "ids")).values_list("id", *_SHOWN))


@cache
def _beginnings() -> KeptRows:
    """What the documents begin with, in their newest version."""
    current = DocumentVersion.objects.filter(Among("document", "documents"), number=F("document__versions"))
    return KeptRows(current.annotate(beginning=Left("text", READ)).values_list("document_id", "beginning"))


def _offset(after: str | None) -> int:
    digits = (after or "")[1:]
    return min(int(digits), RANKED) if (after or "").startswith("r") and digits.isdecimal() and len(digits) < 5 else 0


def _narrowed(filters: SearchFilters) -> Q:
    narrowed = Q()
    if filters.year is not None:
        narrowed &= Q(year=filters.year)
    if filters.unit:
        narrowed &= Q(unit=filters.unit)
    if filters.kind:
        narrowed &= Q(kind=filters.kind)
    return narrowed


def _marks(filters: SearchFilters) -> list[list[str]]:
    """The same, as the index knows it; the year is asked for by its days."""
    unit, kind = filters.unit and [unit_mark(filters.unit)], filters.kind and [kind_mark(filters.kind)]
    return [group for group in (unit, kind) if group]


def _span(filters: SearchFilters) -> tuple[datetime | None, datetime | None]:
    """From when to when the entries of the year happened."""
    if filters.year is None or not MINYEAR < filters.year < MAXYEAR:
        return None, None
    return datetime(filters.year, 1, 1, tzinfo=LEGAL_ZONE), datetime(filters.year + 1, 1, 1, tzinfo=LEGAL_ZONE)


def _hits(ids: list[UUID], query: Matching) -> tuple[SearchHit, ...]:
    """What is shown of the entries, in the given order: one query for the entries, one for the documents'
    beginnings.
    """
    with prepared_statements():
        rows = {row[0]: row[1:] for row in _entries().all(ids=ids)}
        shown = [row[2] for row in rows.values() if row[2] is not None]
        beginnings: dict[UUID, str] = dict(_beginnings().all(documents=shown)) if shown else {}
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
