"""Reads of cases, files and timelines."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet, Subquery

from verbund.modules.records.models import (
    Case,
    CaseState,
    EntryKind,
    FilePlanPosition,
    MetadataField,
    SearchEntry,
    TimelineEntry,
    TimelineKind,
)
from verbund.modules.records.models.search import kind_mark, person_mark, unit_mark
from verbund.modules.records.policies import (
    Permission,
    visible_branches,
    visible_cases,
    visible_entries,
    visible_marks,
)
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import NotFound
from verbund.platform.tenancy.kept import KeptQuery, KeptRows, given

from .newest import NEWEST_FIRST, Rows, newest
from .pages import Page, date_key, read_date_key, read_instant_key
from .seen import reader_of, seen_case
from .sentences import sentence
from .tsquery import Found, matching, one_of

LARGEST_PAGE = 200
_TONES = {"letter_delivered": "success", "closed": "success", "sealed": "warning"}


class CaseNotFound(NotFound):
    """There is no such case for this actor."""


@dataclass(frozen=True, slots=True)
class CaseRow:
    """CaseRow (Zeile der Vorgangsliste)."""

    id: UUID
    reference: str
    title: str
    party: str
    unit: str
    state: str
    is_sealed: bool
    assigned_to: UUID | None
    assigned_name: str
    opened_at: datetime
    promised_on: date | None
    closed_at: datetime | None
    retention_until: date | None

    @property
    def state_label(self) -> str:
        return str(CaseState(self.state).label)

    @property
    def is_open(self) -> bool:
        return self.state == CaseState.OPEN


@dataclass(frozen=True, slots=True)
class CaseView:
    """CaseView (Vorgang) with what stands around it."""

    id: UUID
    reference: str
    file_id: UUID
    file_reference: str
    file_title: str
    position_code: str
    position_title: str
    retention_years: int | None
    metadata_fields: tuple[MetadataField, ...]
    title: str
    origin: str
    unit: str
    party: str
    state: str
    state_label: str
    is_open: bool
    is_sealed: bool
    assigned_to: UUID | None
    assigned_name: str
    opened_at: datetime
    promised_on: date | None
    closed_at: datetime | None
    retention_until: date | None
    metadata: dict[str, Any]
    documents: int
    revision: int


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """TimelineRow (Verlaufszeile): `values` fills the sentence that the kind stands for; `text` is a note's own."""

    id: UUID
    at: datetime
    kind: str
    actor_name: str
    text: str
    values: dict[str, str]
    visible_to_party: bool

    @property
    def kind_label(self) -> str:
        return str(TimelineKind(self.kind).label)

    @property
    def title(self) -> str:
        """What happened, as a sentence."""
        return sentence(self.kind, self.values)

    @property
    def by(self) -> str:
        """Who did it; "" for what the house did by itself: the name of a job tells people nothing."""
        return "" if self.actor_name.startswith("verbund.") else self.actor_name

    @property
    def tone(self) -> str:
        return _TONES.get(self.kind, "")


@dataclass(frozen=True, slots=True)
class CaseFilters:
    """CaseFilters (Filter der Vorgangsliste). An empty value does not filter.

    `deadline_before`: only open cases whose promised day lies before it; the list is then ordered by that day, the
    nearest first.
    """

    state: str = ""
    unit: str = ""
    position: str = ""
    mine: bool = False
    deadline_before: date | None = None
    text: str = ""
    file_id: UUID | None = field(default=None)


_ROW = tuple(CaseRow.__dataclass_fields__)


def case(actor: Actor, case_id: UUID, *, origin: str | None = None) -> CaseView:
    """One case. A citizen or guest names the `origin` of the process through which they come.

    Raises:
        CaseNotFound, policy.Denied
    """
    policy.require(actor, Permission.READ_CASE)
    found = seen_case(actor, case_id, origin)
    if found is None:
        raise CaseNotFound(case_id)
    return view_of(found)


def view_of(found: Case) -> CaseView:
    """The case as it is shown; whether it may be was asked before."""
    return CaseView(
        id=found.id,
        reference=found.reference,
        file_id=found.file_id,
        file_reference=found.file.reference,
        file_title=found.file.title,
        position_code=found.position.code,
        position_title=found.position.title,
        retention_years=found.position.retention_years,
        metadata_fields=tuple(found.position.metadata_fields),
        title=found.title,
        origin=found.origin,
        unit=found.unit,
        party=found.party,
        state=found.state,
        state_label=str(CaseState(found.state).label),
        is_open=found.is_open,
        is_sealed=found.is_sealed,
        assigned_to=found.assigned_to,
        assigned_name=found.assigned_name,
        opened_at=found.opened_at,
        promised_on=found.promised_on,
        closed_at=found.closed_at,
        retention_until=found.retention_until,
        metadata=found.metadata,
        documents=found.documents,
        revision=found.revision,
    )


def cases(
    actor: Actor, *, filters: CaseFilters | None = None, after: str | None = None, limit: int = 50
) -> Page[CaseRow]:
    """A page of the actor's cases, the newest first (by deadline: the nearest first); one query.

    `after` is the `next` of the page before. Each part of what the actor may see is read from its own index, so that
    the time does not grow with the number of cases.

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.READ_CASE)
    limit = max(1, min(limit, LARGEST_PAGE))
    filters = filters or CaseFilters()
    by_deadline = filters.deadline_before is not None
    if filters.text.strip() and not by_deadline:
        return _cases_with_words(actor, filters, after, limit)
    key = read_date_key(after) if by_deadline else read_instant_key(after)
    compose = _list_query.__wrapped__ if filters.text else _list_query  # what somebody types is asked once
    asked = compose(reader_of(actor), filters, key is not None, limit)
    if asked is None:
        return Page((), None)
    chosen = asked.all(at=key[0], id=key[1]) if key else asked.all()
    rows = [CaseRow(*values) for values in chosen]
    following = None
    if len(rows) > limit:
        last = rows[limit - 1]
        following = date_key(last.promised_on if by_deadline and last.promised_on else last.opened_at, last.id)
    return Page(tuple(rows[:limit]), following)


def _cases_with_words(actor: Actor, filters: CaseFilters, after: str | None, limit: int) -> Page[CaseRow]:
    """A page of the cases in whose own entry the words stand: found as the search finds them, so that no list is walked
    to its end for a word that hardly any case has. The key is one of the search.
    """
    query = matching(filters.text)
    if query.text is None:
        return Page((), None)
    key = read_instant_key(after)
    reader, narrowed = reader_of(actor), replace(filters, text="")

    def found(words: str, days: str) -> Rows:
        asked = _found(reader, narrowed, limit, is_later=key is not None, on_days=bool(days))
        at, ident = key or (None, None)
        return asked.all(query=words, days=days, at=at, id=ident)

    rows = newest(found, query.text, wanted=limit + 1, last=key[0] if key else None)
    following = date_key(*rows[limit - 1][:2]) if len(rows) > limit else None
    return Page(tuple(CaseRow(*row[2:]) for row in rows[:limit]), following)


@lru_cache(maxsize=512)
def _found(reader: Actor, filters: CaseFilters, limit: int, *, is_later: bool, on_days: bool) -> KeptRows:
    """`limit` cases and one more, in whose own entry the words are that come with the question; those after (`at`,
    `id`) if it is a later page.
    """
    found = visible_entries(reader).filter(kind=EntryKind.CASE)
    if on_days:  # first, so that the index leaps to them before it looks at anything else
        found = found.filter(Found(given("days")))
    found = found.filter(Found(given("query")))
    people = [person_mark(reader.id)] if filters.mine and reader.id else []
    units = [unit_mark(filters.unit)] if filters.unit else []
    for marks in (visible_marks(reader), [kind_mark(EntryKind.CASE)], people, units):
        found = found.filter(Found(one_of(marks))) if marks else found
    if filters.unit:
        found = found.filter(unit=filters.unit)
    if filters.mine:
        found = found.filter(assigned_to=reader.id)
    if filters.state:
        found = found.filter(case__state=filters.state)
    if filters.position:
        found = found.filter(case__position__code=filters.position)
    if filters.file_id is not None:
        found = found.filter(case__file=filters.file_id)
    if is_later:
        at, ident = given("at"), given("id")
        found = found.filter(Q(happened_at__lte=at) & (Q(happened_at__lt=at) | Q(id__lt=ident)))
    rows = found.order_by(*NEWEST_FIRST).values_list("happened_at", "id", *(f"case__{n}" for n in _ROW))
    return KeptRows(rows[: limit + 1])


@lru_cache(maxsize=512)
def _list_query(actor: Actor, filters: CaseFilters, is_later: bool, limit: int) -> KeptRows | None:
    """The query of a page: `limit` rows and one more, those after (`at`, `id`) if it is a later page.

    Kept for each actor with its roles and units: to put it together takes longer than to answer it.
    """
    narrowed = _filtered(actor, filters)
    if narrowed is None:
        return None
    by_deadline = filters.deadline_before is not None
    order = ("promised_on", "id") if by_deadline else ("-opened_at", "-id")
    at, ident = given("at"), given("id")
    since = Q()
    if is_later and by_deadline:
        since = Q(promised_on__gte=at) & (Q(promised_on__gt=at) | Q(promised_on=at, id__gt=ident))
    elif is_later:
        since = Q(opened_at__lte=at) & (Q(opened_at__lt=at) | Q(opened_at=at, id__lt=ident))
    parts = [
        narrowed.filter(branch & since).order_by(*order).values_list(*_ROW)[: limit + 1]
        for branch in visible_branches(actor, unit=filters.unit)
    ]
    if not parts:
        return None
    whole = parts[0] if len(parts) == 1 else parts[0].union(*parts[1:], all=True).order_by(*order)[: limit + 1]
    return KeptRows(whole, one_plan=filters == CaseFilters(unit=filters.unit))


def cases_by_origin(actor: Actor, origin: str) -> list[CaseRow]:
    """The cases that a process opened under `origin`, the oldest first."""
    policy.require(actor, Permission.READ_CASE)
    if not origin:
        return []
    found = visible_cases(actor, origin).order_by("opened_at", "id").values_list(*_ROW)
    return [CaseRow(*values) for values in found]


def cases_csv_rows(actor: Actor, *, filters: CaseFilters | None = None, most: int = 10_000) -> Iterator[CaseRow]:
    """The rows of a list for its export, page by page; at most `most`."""
    after, given = None, 0
    while given < most:
        page = cases(actor, filters=filters, after=after, limit=min(LARGEST_PAGE, most - given))
        yield from page.rows
        given += len(page.rows)
        after = page.next
        if after is None:
            return


def timeline(actor: Actor, case_id: UUID, *, origin: str | None = None) -> list[TimelineRow]:
    """The timeline of a case, the newest first; for citizens and guests only what is meant for the party.

    Raises:
        CaseNotFound, policy.Denied
    """
    policy.require(actor, Permission.READ_CASE)
    if seen_case(actor, case_id, origin) is None:
        raise CaseNotFound(case_id)
    return timeline_of(actor, case_id)


def timeline_of(actor: Actor, case_id: UUID) -> list[TimelineRow]:
    """The timeline of a case that the actor sees."""
    sees_all = actor.is_staff or actor.is_system
    return [
        TimelineRow(
            id=e.id,
            at=e.at,
            kind=e.kind,
            actor_name=e.actor_name,
            text=e.text,
            values=e.values,
            visible_to_party=e.visible_to_party,
        )
        for e in _TIMELINE.all(case=case_id)
        if sees_all or e.visible_to_party
    ]


_TIMELINE: Final = KeptQuery(lambda: TimelineEntry.objects.filter(case=given("case")).order_by("-at", "-id"))


def _filtered(actor: Actor, filters: CaseFilters) -> "QuerySet[Case] | None":
    narrowed = Case.objects.all()
    if filters.state:
        narrowed = narrowed.filter(state=filters.state)
    if filters.position:
        # A value, and no join, is what the index of positions can begin with.
        chosen = FilePlanPosition.objects.filter(code=filters.position).values("pk")
        narrowed = narrowed.filter(position=Subquery(chosen))
    if filters.mine:
        narrowed = narrowed.filter(assigned_to=actor.id)
    if filters.file_id is not None:
        narrowed = narrowed.filter(file_id=filters.file_id)
    if filters.deadline_before is not None:
        narrowed = narrowed.filter(state=CaseState.OPEN, promised_on__lt=filters.deadline_before)
    if filters.text.strip():
        query = matching(filters.text)
        if query.text is None:
            return None
        marked = Found(one_of([kind_mark(EntryKind.CASE)]))
        hits = SearchEntry.objects.filter(Found(query.text)).filter(marked).filter(kind=EntryKind.CASE)
        narrowed = narrowed.filter(pk__in=hits.values("case_id"))
    return narrowed
