"""Charge runs as their pages show them: who pays what, and for one member how each amount came about."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Sum

from verbund.modules.costsharing.models import ChargeLine, ChargeRun, Invoice
from verbund.modules.costsharing.models.inputs import PartyInput
from verbund.modules.costsharing.models.reckoning import Finding
from verbund.modules.costsharing.policies import visible_invoices, visible_lines, visible_runs
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import NotFound

from .findings import FindingRow, in_words
from .wording import levy_way, way_of


class RunUnknown(NotFound):
    """There is no such run for this actor, or the member has no part in it."""


@dataclass(frozen=True, slots=True)
class RunMember:
    """What a member pays in a run, and what it paid in the run before it of the same kind."""

    code: str
    name: str
    lines: int
    cents: int
    before_cents: int | None

    @property
    def change_cents(self) -> int | None:
        """The difference to the run before."""
        return None if self.before_cents is None else self.cents - self.before_cents


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as its page shows it; the lines of each member have a page of their own."""

    run: ChargeRun
    members: list[RunMember]
    findings: list[FindingRow]
    before: ChargeRun | None
    invoices: list[Invoice]


@dataclass(frozen=True, slots=True)
class RunLine:
    """A line of a run, the name of its service, and how its amount came about in words; empty where nothing is
    known."""

    line: ChargeLine
    service: str
    way: str


@dataclass(frozen=True, slots=True)
class MemberLines:
    """What a member pays in a run, line by line."""

    run: ChargeRun
    code: str
    name: str
    cents: int
    lines: list[RunLine]


def runs(actor: Actor, *, limit: int = 100) -> list[ChargeRun]:
    """Charge runs, the newest first, without their copies of inputs."""
    return list(visible_runs(actor).defer("inputs").order_by("-period_start", "-proposed_at")[:limit])


def run_head(actor: Actor, run_id: UUID) -> ChargeRun:
    """A run without its copy of inputs. Raises RunUnknown."""
    row = visible_runs(actor).defer("inputs").filter(id=run_id).first()
    if row is None:
        raise RunUnknown(str(run_id))
    return row


def run(actor: Actor, run_id: UUID) -> RunView:
    """One run by member, with what was found and the difference to the run before. Raises RunUnknown."""
    row = visible_runs(actor).filter(id=run_id).first()
    if row is None:
        raise RunUnknown(str(run_id))
    people = {p["code"]: PartyInput(**p) for p in row.inputs["parties"]}
    others = visible_runs(actor).filter(kind=row.kind, period_end__lt=row.period_start)
    before = others.exclude(state=ChargeRun.State.DISCARDED).defer("inputs").order_by("-period_end").first()
    owed, paid = _by_member(actor, row), _by_member(actor, before) if before else {}
    members = [
        RunMember(code, people[code].name, *owed.get(code, (0, 0)), paid.get(code, (0, 0))[1] if before else None)
        for code in sorted(set(owed) | (set(paid) & set(people)), key=lambda code: (people[code].name, code))
    ]
    names = {s["code"]: s["name"] for s in row.inputs["services"]} | {code: p.name for code, p in people.items()}
    findings = [in_words(Finding(**finding), names) for finding in row.findings]
    invoices = list(visible_invoices(actor).filter(run=row).order_by("number"))
    return RunView(row, members, findings, before, invoices)


def _by_member(actor: Actor, run: ChargeRun) -> dict[str, tuple[int, int]]:
    """How many lines, and how many cents."""
    sums = visible_lines(actor).filter(run=run).values_list("member_code").annotate(n=Count("id"), cents=Sum("cents"))
    return {code: (lines, cents) for code, lines, cents in sums}


def run_lines(actor: Actor, run_id: UUID, member_code: str) -> MemberLines:
    """One member's lines of a run, each with the way of its amount. Raises RunUnknown."""
    row = visible_runs(actor).filter(id=run_id).first()
    name = next((p["name"] for p in row.inputs["parties"] if p["code"] == member_code), None) if row else None
    if row is None or name is None:
        raise RunUnknown(f"{run_id} {member_code}")
    services: dict[str, dict[str, Any]] = {s["code"]: s for s in row.inputs["services"]}
    lines = visible_lines(actor).filter(run=row, member_code=member_code)
    shown = []
    for line in lines.order_by("service_code", "component", "period_start", "id"):
        service = services.get(line.service_code, {})
        way = way_of(line, service.get("unit", "")) or levy_way(line, service.get("levy"))
        shown.append(RunLine(line, service.get("name", ""), way))
    return MemberLines(row, member_code, name, sum(each.line.cents for each in shown), shown)
