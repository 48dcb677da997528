"""Reads: the deadlines ahead, the map of the alliance over time, and a year of it."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final
from uuid import UUID

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.models import (
    AccessionState,
    Action,
    AuthorityNotice,
    LeavingAction,
    LeavingState,
    ProcedureAct,
    ShareCapital,
    TakeOverTask,
    TaskTransfer,
    TermOfOffice,
    overlapping,
)
from verbund.modules.membership.policies import (
    Permission,
    visible_accessions,
    visible_agreements,
    visible_carrier_periods,
    visible_leavings,
    visible_members,
    visible_take_over_tasks,
)
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy.kept import KeptRows, given

from .carriers import recorded

AHEAD: Final = timedelta(days=366)
# Days that bring something to an end by themselves: once they have passed nobody is late.
_ENDS: Final = frozenset({"clearance", "exit", "term", "agreement"})


@dataclass(frozen=True, slots=True)
class Deadline:
    """Deadline (Frist): a day on which something ends or is due.

    `kind` is clearance | effect | task | take_over | exit | term | agreement; `key` names the deadline for good.
    """

    day: date
    kind: str
    title: str
    who: str
    legal_basis: str
    member_id: UUID
    accession_id: UUID | None
    key: str

    @property
    def ends_by_itself(self) -> bool:
        """Whether the day brings something to an end, instead of waiting for somebody to act."""
        return self.kind in _ENDS


def deadlines_ahead(actor: Actor, *, today: date) -> list[Deadline]:
    """What is overdue and still open, and what is due within a year; the most urgent first.

    Raises:
        policy.Denied
    """
    found = deadlines(actor, start=today - AHEAD, end=today + AHEAD)
    return [deadline for deadline in found if deadline.day >= today or not deadline.ends_by_itself]


def deadlines(actor: Actor, *, start: date, end: date) -> list[Deadline]:
    """What is due from `start` to `end`, both included, in the order of the days.

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.READ_ACCESSIONS)
    reader = reader_of(actor)
    found = [
        made(*row)
        for kind, made in (
            ("clearance", _clearance),
            ("effect", _effect),
            ("task", _task),
            ("take_over", _take_over),
            ("exit", _exit),
            ("term", _term),
            ("agreement", _agreement),
        )
        for row in _due(reader, kind).all(start=start, end=end)
    ]
    return sorted(found, key=lambda d: (d.day, d.title, d.key))


def reader_of(actor: Actor) -> Actor:
    """The actor by what decides what it sees of the members: what queries are kept for."""
    return Actor(actor.kind, actor.id, "", actor.body, roles=actor.roles, units=actor.units)


@lru_cache(maxsize=256)
def _due(reader: Actor, kind: str) -> KeptRows:
    """What of a kind is due between two days; kept, for to put seven of them together takes longer than to ask them."""
    days = given("start"), given("end")
    open_ones = visible_accessions(reader).exclude(state__in=[AccessionState.WITHDRAWN, AccessionState.ABANDONED])
    if kind == "clearance":
        waiting = open_ones.filter(state=AccessionState.DOCUMENTS_COMPLETE)
        notices = AuthorityNotice.objects.filter(accession__in=waiting, period_ends_on__range=days)
        facts = ("accession__member__name", "accession__authority__name", "accession__member_id", "accession_id")
        return KeptRows(notices.values_list("period_ends_on", *facts, "id"), one_plan=True)
    if kind == "effect":
        planned = open_ones.filter(planned_effect_on__range=days, effective_on__isnull=True)
        return KeptRows(planned.values_list("planned_effect_on", "member__name", "member_id", "id"), one_plan=True)
    if kind == "task":
        tasks = TaskTransfer.objects.filter(accession__in=open_ones, planned_on__range=days, transferred_on=None)
        facts = ("accession__member__name", "task__name", "accession__member_id", "accession_id")
        return KeptRows(tasks.values_list("planned_on", *facts, "id"), one_plan=True)
    if kind == "take_over":
        steps = visible_take_over_tasks(reader).filter(due_on__range=days, done_on=None)
        return KeptRows(
            steps.values_list("due_on", "member__name", "kind", "title", "responsible", "member_id", "id"),
            one_plan=True,
        )
    if kind == "exit":
        leaving = visible_leavings(reader).filter(state=LeavingState.NOTICE_GIVEN, exit_on__range=days)
        return KeptRows(leaving.values_list("exit_on", "member__name", "member_id", "id"), one_plan=True)
    if kind == "term":
        terms = TermOfOffice.objects.filter(valid_until__range=days, organ__member__in=visible_members(reader))
        facts = ("organ__member__name", "person_name", "function", "organ__member_id")
        return KeptRows(terms.values_list("valid_until", *facts, "id"), one_plan=True)
    agreed = visible_agreements(reader).filter(valid_until__range=days)
    return KeptRows(
        agreed.values_list("valid_until", "member__name", "service__code", "member_id", "id"), one_plan=True
    )


def _clearance(day: date, name: str, authority: str | None, member: UUID, accession: UUID, key: UUID) -> Deadline:
    title = gettext("%(name)s: the authority's period ends") % {"name": name}
    who = authority or gettext("Supervisory authority")
    return Deadline(day, "clearance", title, who, "§ 77 Abs. 1 KV M-V", member, accession, f"n{key}")


def _effect(day: date, name: str, member: UUID, accession: UUID) -> Deadline:
    title = gettext("%(name)s: planned effect of the accession") % {"name": name}
    who = gettext("Management of the alliance")
    return Deadline(day, "effect", title, who, "§ 167b Abs. 1 KV M-V", member, accession, f"e{accession}")


def _task(day: date, name: str, task: str, member: UUID, accession: UUID, key: UUID) -> Deadline:
    title = gettext("%(name)s: transfer of “%(task)s” planned") % {"name": name, "task": task}
    who = gettext("%(name)s and the alliance") % {"name": name}
    return Deadline(day, "task", title, who, "§ 167b Abs. 1 KV M-V", member, accession, f"p{key}")


def _take_over(day: date, name: str, kind: str, own: str, responsible: str, member: UUID, key: UUID) -> Deadline:
    title = gettext("%(name)s: %(task)s") % {"name": name, "task": own or TakeOverTask.Kind(kind).label}
    who = responsible or gettext("Management of the alliance")
    return Deadline(day, "take_over", title, who, "", member, None, f"o{key}")


def _exit(day: date, name: str, member: UUID, key: UUID) -> Deadline:
    title = gettext("%(name)s: last day as a carrier") % {"name": name}
    return Deadline(day, "exit", title, name, "", member, None, f"l{key}")


def _term(day: date, name: str, person: str, function: str, member: UUID, key: UUID) -> Deadline:
    title = gettext("%(name)s: term of %(person)s (%(function)s) ends") % {
        "name": name,
        "person": person,
        "function": function,
    }
    return Deadline(day, "term", title, name, "", member, None, f"t{key}")


def _agreement(day: date, name: str, service: str, member: UUID, key: UUID) -> Deadline:
    title = gettext("%(name)s: agreement on %(service)s ends") % {"name": name, "service": service}
    return Deadline(day, "agreement", title, name, "", member, None, f"a{key}")


@dataclass(frozen=True, slots=True)
class MapPeriod:
    """MapPeriod (Abschnitt): a stretch of time with its share and seats."""

    valid_from: date
    valid_until: date | None
    share_cents: int
    seats: int
    note: str
    date_known: bool


@dataclass(frozen=True, slots=True)
class MapTask:
    """MapTask (übergegangene Aufgabe)."""

    name: str
    scope: str
    on: date
    date_known: bool


@dataclass(frozen=True, slots=True)
class MapRow:
    """MapRow (Zeile der Trägerkarte): what a member carries since when, and which tasks have passed."""

    member_id: UUID
    name: str
    periods: tuple[MapPeriod, ...]
    tasks: tuple[MapTask, ...]

    @property
    def since(self) -> date:
        """Its first day as a carrier."""
        return self.periods[0].valid_from

    @property
    def until(self) -> date | None:
        """Its last day, None while it carries."""
        return self.periods[-1].valid_until


def carrier_map(actor: Actor, *, known_at: datetime | None = None) -> list[MapRow]:
    """Who carries what since when, the oldest carrier first, as known now or at `known_at`. Two statements.

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.READ_ACCESSIONS)
    moment = {} if known_at is None else {"known_at": known_at}
    is_past = known_at is not None
    tasks: dict[UUID, list[MapTask]] = defaultdict(list)
    for member_id, name, scope, on, known in _passed(is_past).all(**moment):
        tasks[member_id].append(MapTask(name, scope, on, known))
    found: dict[UUID, tuple[str, list[MapPeriod]]] = {}
    for member_id, name, since, until, cents, seats, note, known in _carried(reader_of(actor), is_past).all(**moment):
        found.setdefault(member_id, (name, []))[1].append(MapPeriod(since, until, cents, seats, note, known))
    return [MapRow(m, name, tuple(periods), tuple(tasks[m])) for m, (name, periods) in found.items()]


@lru_cache(maxsize=2)
def _passed(is_past: bool) -> KeptRows:
    passed = TaskTransfer.objects.filter(transferred_on__isnull=False)
    if is_past:
        passed = passed.filter(recorded_at__lte=given("known_at"))
    facts = ("accession__member_id", "task__name", "scope", "transferred_on", "date_known")
    return KeptRows(passed.order_by("transferred_on", "task__name").values_list(*facts), one_plan=True)


@lru_cache(maxsize=256)
def _carried(reader: Actor, is_past: bool) -> KeptRows:
    rows = visible_carrier_periods(reader).filter(recorded(given("known_at") if is_past else None))
    facts = ("member_id", "member__name", "valid_from", "valid_until", "share_cents", "seats", "note", "date_known")
    return KeptRows(rows.order_by("valid_from", "member__name").values_list(*facts), one_plan=True)


@dataclass(frozen=True, slots=True)
class YearEvent:
    """YearEvent (Ereignis des Jahres)."""

    on: date
    date_known: bool
    label: str
    name: str
    note: str


@dataclass(frozen=True, slots=True)
class YearView:
    """YearView (Jahresübersicht): a year of the alliance for its board.

    Carriers and capital on the first and the last day; who joined and left; what happened; what is due.
    """

    year: int
    carriers_before: int
    carriers_after: int
    capital_before: int
    capital_after: int
    joined: tuple[tuple[date, str], ...]
    left: tuple[tuple[date, str], ...]
    events: tuple[YearEvent, ...]
    due: tuple[Deadline, ...]
    open_accessions: int


# The acts that the year tells of, in words for what has happened; those of an act are for what is to be done.
_MILESTONES: Final[dict[Action, str | Promise]] = {
    Action.OPEN_INQUIRY: _("Inquiry received"),
    Action.RECORD_BASIC_RESOLUTION: _("Basic resolution passed"),
    Action.SIGN: _("Contract signed"),
    Action.GIVE_NOTICE: _("Notice given to the supervisory authority"),
    Action.DECLARE_NO_OBJECTION: _("No breach declared by the supervisory authority"),
    Action.ESTABLISH_CLEARANCE: _("The authority's period has ended without an objection"),
    Action.RAISE_OBJECTION: _("Breach asserted by the supervisory authority"),
    Action.TAKE_EFFECT: _("Accession took effect"),
    Action.TRANSFER_TASK: _("Task transferred"),
    Action.WITHDRAW: _("Inquiry withdrawn"),
    Action.ABANDON: _("Accession abandoned"),
}
_LEAVING: Final[dict[LeavingAction, str | Promise]] = {
    LeavingAction.GIVE_LEAVE_NOTICE: _("Notice to leave given"),
    LeavingAction.LEAVE: _("Leaving completed"),
}


def year_view(actor: Actor, year: int) -> YearView:
    """A year of the alliance.

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.READ_ACCESSIONS)
    first, last = date(year, 1, 1), date(year, 12, 31)
    reader, days = reader_of(actor), {"first": first, "last": last}
    rows = _carrying(reader).all(**days, eve=date(year - 1, 12, 31))
    begins: dict[UUID, date] = {}
    ends: dict[UUID, date | None] = {}
    names: dict[UUID, str] = {}
    for member_id, name, since, until in rows:
        names[member_id] = name
        begins[member_id] = min(since, begins.get(member_id, since))
        ends[member_id] = until
    totals = _capital().all(**days)
    before = [cents for since, _until, cents in totals if since < first]
    after = [cents for _since, until, cents in totals if until is None or until >= last]
    return YearView(
        year=year,
        carriers_before=sum(1 for m in begins if begins[m] < first and (ends[m] or last) >= first),
        carriers_after=sum(1 for m in begins if ends[m] is None or (ends[m] or last) >= last),
        capital_before=before[0] if before else 0,
        capital_after=after[-1] if after else 0,
        joined=tuple(sorted((d, names[m]) for m, d in begins.items() if first <= d <= last)),
        left=tuple(sorted((d, names[m]) for m, d in ends.items() if d is not None and first <= d <= last)),
        events=_events(reader, first, last),
        due=tuple(deadlines(actor, start=first, end=last)),
        open_accessions=len(_open_at(reader).all(last=last)),
    )


@lru_cache(maxsize=256)
def _carrying(reader: Actor) -> KeptRows:
    wanted = overlapping(given("first"), given("last")) | Q(valid_until=given("eve"))
    rows = visible_carrier_periods(reader).filter(wanted, recorded(None)).order_by("valid_from", "member__name")
    return KeptRows(rows.values_list("member_id", "member__name", "valid_from", "valid_until"), one_plan=True)


@lru_cache(maxsize=1)
def _capital() -> KeptRows:
    rows = ShareCapital.objects.filter(overlapping(given("first"), given("last")), recorded(None))
    return KeptRows(rows.order_by("valid_from").values_list("valid_from", "valid_until", "total_cents"), one_plan=True)


@lru_cache(maxsize=256)
def _open_at(reader: Actor) -> KeptRows:
    last = given("last")
    rows = visible_accessions(reader).filter(Q(ended_on__isnull=True) | Q(ended_on__gt=last), opened_on__lte=last)
    return KeptRows(rows.values_list("id"), one_plan=True)


@lru_cache(maxsize=256)
def _acts(reader: Actor) -> KeptRows:
    seen = Q(accession__in=visible_accessions(reader), action__in=list(_MILESTONES)) | Q(
        leaving__in=visible_leavings(reader), action__in=list(_LEAVING)
    )
    acts = ProcedureAct.objects.filter(seen, on__range=(given("first"), given("last")))
    facts = ("on", "date_known", "action", "accession__member__name", "leaving__member__name", "note", "details")
    return KeptRows(acts.order_by("on", "recorded_at", "number").values_list(*facts), one_plan=True)


def _events(reader: Actor, first: date, last: date) -> tuple[YearEvent, ...]:
    labels = {act.value: str(words) for act, words in (*_MILESTONES.items(), *_LEAVING.items())}
    return tuple(
        YearEvent(
            on,
            known,
            f"{labels[action]}: {details['name']}" if "name" in details else labels[action],
            joining or leaving,
            note,
        )
        for on, known, action, joining, leaving, note, details in _acts(reader).all(first=first, last=last)
    )
