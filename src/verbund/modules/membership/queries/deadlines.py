"""Reads: the deadlines ahead, the map of the alliance over time, and a year of it."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from verbund.modules.membership.models import (
    Accession,
    AccessionState,
    Action,
    AuthorityNotice,
    LeavingAction,
    LeavingState,
    ProcedureAct,
    ShareCapital,
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
)
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor

from .carriers import recorded


@dataclass(frozen=True, slots=True)
class Deadline:
    """Deadline (Frist): a day on which something ends or is due.

    `kind` is clearance | effect | task | exit | term | agreement; `key` names the deadline for good.
    """

    day: date
    kind: str
    title: str
    who: str
    legal_basis: str
    member_id: UUID
    accession_id: UUID | None
    key: str


def deadlines(actor: Actor, *, start: date, end: date) -> list[Deadline]:
    """What is due from `start` to `end`, both included, in the order of the days.

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.READ_ACCESSIONS)
    open_ones = visible_accessions(actor).exclude(state__in=[AccessionState.WITHDRAWN, AccessionState.ABANDONED])
    found = [
        *_clearances(open_ones, start, end),
        *_effects(open_ones, start, end),
        *_transfers(open_ones, start, end),
    ]
    for leaving in (
        visible_leavings(actor)
        .filter(state=LeavingState.NOTICE_GIVEN, exit_on__gte=start, exit_on__lte=end)
        .select_related("member")
    ):
        title = gettext("%(name)s: last day as a carrier") % {"name": leaving.member.name}
        found.append(
            Deadline(leaving.exit_on, "exit", title, leaving.member.name, "", leaving.member_id, None, f"l{leaving.id}")
        )
    terms = TermOfOffice.objects.filter(valid_until__gte=start, valid_until__lte=end)
    for term in terms.filter(organ__member__in=visible_members(actor)).select_related("organ__member"):
        member = term.organ.member
        title = gettext("%(name)s: term of %(person)s (%(function)s) ends") % {
            "name": member.name,
            "person": term.person_name,
            "function": term.function,
        }
        if term.valid_until:
            found.append(Deadline(term.valid_until, "term", title, member.name, "", member.id, None, f"t{term.id}"))
    agreed = visible_agreements(actor).filter(valid_until__gte=start, valid_until__lte=end)
    for agreement in agreed.select_related("member", "service"):
        title = gettext("%(name)s: agreement on %(service)s ends") % {
            "name": agreement.member.name,
            "service": agreement.service.code,
        }
        if agreement.valid_until:
            found.append(
                Deadline(
                    agreement.valid_until,
                    "agreement",
                    title,
                    agreement.member.name,
                    "",
                    agreement.member_id,
                    None,
                    f"a{agreement.id}",
                )
            )
    return sorted(found, key=lambda d: (d.day, d.title, d.key))


def _clearances(rows: QuerySet[Accession], start: date, end: date) -> list[Deadline]:
    notices = AuthorityNotice.objects.filter(
        accession__in=rows.filter(state=AccessionState.DOCUMENTS_COMPLETE),
        period_ends_on__gte=start,
        period_ends_on__lte=end,
    ).select_related("accession__member", "accession__authority")
    return [
        Deadline(
            n.period_ends_on,
            "clearance",
            gettext("%(name)s: the authority's period ends") % {"name": n.accession.member.name},
            n.accession.authority.name if n.accession.authority else gettext("Supervisory authority"),
            "§ 77 Abs. 1 KV M-V",
            n.accession.member_id,
            n.accession_id,
            f"n{n.id}",
        )
        for n in notices
        if n.period_ends_on
    ]


def _effects(rows: QuerySet[Accession], start: date, end: date) -> list[Deadline]:
    planned = rows.filter(
        planned_effect_on__gte=start, planned_effect_on__lte=end, effective_on__isnull=True
    ).select_related("member")
    return [
        Deadline(
            a.planned_effect_on,
            "effect",
            gettext("%(name)s: planned effect of the accession") % {"name": a.member.name},
            gettext("Management of the alliance"),
            "§ 167b Abs. 1 KV M-V",
            a.member_id,
            a.id,
            f"e{a.id}",
        )
        for a in planned
        if a.planned_effect_on
    ]


def _transfers(rows: QuerySet[Accession], start: date, end: date) -> list[Deadline]:
    planned = TaskTransfer.objects.filter(
        accession__in=rows, planned_on__gte=start, planned_on__lte=end, transferred_on__isnull=True
    ).select_related("accession__member", "task")
    return [
        Deadline(
            t.planned_on,
            "task",
            gettext("%(name)s: transfer of “%(task)s” planned")
            % {"name": t.accession.member.name, "task": t.task.name},
            gettext("%(name)s and the alliance") % {"name": t.accession.member.name},
            "§ 167b Abs. 1 KV M-V",
            t.accession.member_id,
            t.accession_id,
            f"p{t.id}",
        )
        for t in planned
        if t.planned_on
    ]


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
    tasks: dict[UUID, list[MapTask]] = defaultdict(list)
    passed = TaskTransfer.objects.filter(transferred_on__isnull=False)
    if known_at is not None:
        passed = passed.filter(recorded_at__lte=known_at)
    columns = ("accession__member_id", "task__name", "scope", "transferred_on", "date_known")
    for member_id, name, scope, on, known in passed.order_by("transferred_on", "task__name").values_list(*columns):
        tasks[member_id].append(MapTask(name, scope, on, known))
    found: dict[UUID, tuple[str, list[MapPeriod]]] = {}
    rows = visible_carrier_periods(actor).filter(recorded(known_at)).order_by("valid_from", "member__name")
    facts = ("member_id", "member__name", "valid_from", "valid_until", "share_cents", "seats", "note", "date_known")
    for member_id, name, since, until, cents, seats, note, known in rows.values_list(*facts):
        found.setdefault(member_id, (name, []))[1].append(MapPeriod(since, until, cents, seats, note, known))
    return [MapRow(m, name, tuple(periods), tuple(tasks[m])) for m, (name, periods) in found.items()]


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


_MILESTONES = (
    Action.OPEN_INQUIRY,
    Action.RECORD_BASIC_RESOLUTION,
    Action.SIGN,
    Action.GIVE_NOTICE,
    Action.DECLARE_NO_OBJECTION,
    Action.ESTABLISH_CLEARANCE,
    Action.RAISE_OBJECTION,
    Action.TAKE_EFFECT,
    Action.TRANSFER_TASK,
    Action.WITHDRAW,
    Action.ABANDON,
)
_LEAVING = (LeavingAction.GIVE_LEAVE_NOTICE, LeavingAction.LEAVE)


def year_view(actor: Actor, year: int) -> YearView:
    """A year of the alliance.

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.READ_ACCESSIONS)
    first, last = date(year, 1, 1), date(year, 12, 31)
    rows: list[tuple[UUID, str, date, date | None]] = list(
        visible_carrier_periods(actor)
        .filter(overlapping(first, last) | Q(valid_until=date(year - 1, 12, 31)), recorded(None))
        .order_by("valid_from", "member__name")
        .values_list("member_id", "member__name", "valid_from", "valid_until")
    )
    begins: dict[UUID, date] = {}
    ends: dict[UUID, date | None] = {}
    names: dict[UUID, str] = {}
    for member_id, name, since, until in rows:
        names[member_id] = name
        begins[member_id] = min(since, begins.get(member_id, since))
        ends[member_id] = until
    totals = {row.valid_from: row for row in ShareCapital.objects.filter(overlapping(first, last), recorded_until=None)}
    before = [r for r in totals.values() if r.valid_from < first]
    after = [r for r in totals.values() if r.valid_until is None or r.valid_until >= last]
    return YearView(
        year=year,
        carriers_before=sum(1 for m in begins if begins[m] < first and (ends[m] or last) >= first),
        carriers_after=sum(1 for m in begins if ends[m] is None or (ends[m] or last) >= last),
        capital_before=before[0].total_cents if before else 0,
        capital_after=after[-1].total_cents if after else 0,
        joined=tuple(sorted((d, names[m]) for m, d in begins.items() if first <= d <= last)),
        left=tuple(sorted((d, names[m]) for m, d in ends.items() if d is not None and first <= d <= last)),
        events=_events(actor, first, last),
        due=tuple(deadlines(actor, start=first, end=last)),
        open_accessions=visible_accessions(actor)
        .filter(opened_on__lte=last)
        .filter(Q(ended_on__isnull=True) | Q(ended_on__gt=last))
        .count(),
    )


def _events(actor: Actor, first: date, last: date) -> tuple[YearEvent, ...]:
    seen = Q(accession__in=visible_accessions(actor), action__in=_MILESTONES) | Q(
        leaving__in=visible_leavings(actor), action__in=_LEAVING
    )
    rows = (
        ProcedureAct.objects.filter(seen, on__gte=first, on__lte=last)
        .order_by("on", "recorded_at", "number")
        .values_list(
            "on", "date_known", "action", "accession__member__name", "leaving__member__name", "note", "details"
        )
    )
    labels = {**{a.value: a.label for a in Action}, **{a.value: a.label for a in LeavingAction}}
    return tuple(
        YearEvent(
            on,
            known,
            f"{labels[action]}: {details['name']}" if "name" in details else str(labels[action]),
            joining or leaving,
            note,
        )
        for on, known, action, joining, leaving, note, details in rows
    )
