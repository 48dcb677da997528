"""Charge runs (Abrechnungsläufe): proposed, checked and released by other people. The reckoning itself is
`models/reckoning.py`; what it reckons with is gathered by `queries/gathering.py` and kept with the run.
"""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from verbund.modules.costsharing import policies
from verbund.modules.costsharing.models import ChargeLine, ChargeRun, RunKind
from verbund.modules.costsharing.models.days import Span, year_span
from verbund.modules.costsharing.models.inputs import RunInputs, frozen
from verbund.modules.costsharing.models.reckoning import Finding, ReckonedLine, reckon
from verbund.modules.costsharing.policies import Permission
from verbund.modules.costsharing.queries import gather
from verbund.modules.costsharing.queries.findings import in_words
from verbund.platform import audit
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, Invalid, NotFound, local_date, new_id, rows

_COLUMNS = (
    *("run_id", "member_id", "member_code", "service_code", "component", "period_start", "period_end"),
    *("quantity", "price_euros", "treatment", "cents", "subsidy_cents", "final_cents", "advance_cents"),
    *("text", "item", "made_of", "charging"),
)


class RunNotFound(NotFound):
    """There is no such run for this actor."""


class RunRefused(Invalid):
    """The run cannot be proposed; nothing was written. `reasons` are all of them."""

    def __init__(self, reasons: list[str]) -> None:
        self.reasons = reasons
        super().__init__({"": "\n".join(reasons)})


class RunConflict(Conflict):
    """Somebody else was quicker, the step does not follow on the run's state, or it needs another person."""


@dataclass(frozen=True, slots=True)
class RunRef:
    """A run that was proposed."""

    id: UUID
    lines: int
    total_cents: int
    findings: int


@transaction.atomic
def propose_run(actor: Actor, *, kind: str, period_start: date, period_end: date, now: datetime) -> RunRef:
    """Propose a run (Vorschlag): gather, reckon, write the lines with a copy of all values.

    An advance is over days of one year that no other advance has; a settlement is over a whole year that has ended.

    Raises:
        policy.Denied, RunRefused (all reasons at once: services without rule, tax review, tariff, quantity, …),
        RunConflict (there is a run for these days).
    """
    policies.require(actor, Permission.PROPOSE)
    span = Span(period_start, period_end)
    _refuse_days(kind, span, local_date(now))
    others = ChargeRun.objects.select_for_update().exclude(state=ChargeRun.State.DISCARDED).filter(kind=kind)
    crossing = others.filter(period_start__lte=period_end, period_end__gte=period_start).first()
    if crossing is not None:
        raise RunConflict(
            _("There is a run for %(start)s to %(end)s already. Discard it first.")
            % {
                "start": crossing.period_start.strftime("%d.%m.%Y"),
                "end": crossing.period_end.strftime("%d.%m.%Y"),
            }
        )
    inputs, before = gather(actor, kind=kind, span=span)
    done = reckon(inputs)
    findings = sorted({*before, *done.findings})
    names = {p.code: p.name for p in inputs.parties} | {s.code: s.name for s in inputs.services}
    errors = [in_words(finding, names).text for finding in findings if finding.severity == "error"]
    if errors:
        raise RunRefused(list(dict.fromkeys(errors)))
    if not done.lines:
        raise RunRefused([_("There is nothing to charge in these days.")])
    run = _write(actor, inputs, done.lines, findings, now)
    audit.record(
        actor,
        "costsharing.run.proposed",
        "costsharing.run",
        run.id,
        after={
            "kind": kind,
            "period": f"{period_start}/{period_end}",
            "lines": len(done.lines),
            "cents": run.total_cents,
            "inputs": run.inputs_sha256,
        },
    )
    return RunRef(run.id, len(done.lines), run.total_cents, len(findings))


def _refuse_days(kind: str, span: Span, today: date) -> None:
    reasons = []
    if kind not in RunKind.values:
        reasons.append(_("Choose an advance or a settlement."))
    if span.last < span.first or span.first.year != span.last.year:
        reasons.append(_("The days of a run lie in one year, and the last is not before the first."))
    elif kind == RunKind.SETTLEMENT and span != year_span(span.first.year):
        reasons.append(_("A settlement is over a whole year."))
    elif kind == RunKind.SETTLEMENT and span.last >= today:
        reasons.append(_("The year has not ended yet."))
    if reasons:
        raise RunRefused(reasons)


def _write(
    actor: Actor, inputs: RunInputs, lines: list[ReckonedLine], findings: list[Finding], now: datetime
) -> ChargeRun:
    values, digest = frozen(inputs)
    try:
        with transaction.atomic():
            run = ChargeRun.objects.create(
                id=new_id(),
                year=inputs.span.first.year,
                kind=inputs.kind,
                period_start=inputs.span.first,
                period_end=inputs.span.last,
                inputs=values,
                inputs_sha256=digest,
                findings=[asdict(finding) for finding in findings],
                total_cents=sum(line.cents for line in lines),
                proposed_at=now,
                proposed_by=actor.id,
                proposed_by_name=actor.name,
            )
    except IntegrityError:
        raise RunConflict(_("Somebody else has just proposed a run for these days. Look at it.")) from None
    members = {party.code: UUID(party.member_id) for party in inputs.parties}
    rows.copy(ChargeLine, _COLUMNS, (_row(run.id, line, members[line.party]) for line in lines))
    return run


def _row(run_id: UUID, line: ReckonedLine, member_id: UUID) -> tuple[object, ...]:
    """A line in the order of `_COLUMNS`."""
    return (
        run_id,
        member_id,
        line.party,
        line.service,
        line.component,
        line.span.first,
        line.span.last,
        None if line.quantity is None else _decimal(line.quantity),
        None if line.price is None else _decimal(line.price / 100),
        line.treatment,
        line.cents,
        line.subsidy_cents,
        line.final_cents,
        line.advance_cents,
        line.text,
        UUID(line.item) if line.item else None,
        [[str(_decimal(quantity).normalize()), days, of] for quantity, days, of in line.made_of],
        line.charging,
    )


def _decimal(value: Fraction) -> Decimal:
    """Six places, for showing; the exact figure follows from the copy of the inputs."""
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal("1e-6"))


def _locked(actor: Actor, run_id: UUID) -> ChargeRun:
    run = policies.visible_runs(actor).select_for_update().filter(id=run_id).defer("inputs").first()
    if run is None:
        raise RunNotFound(str(run_id))
    return run


@transaction.atomic
def check_run(actor: Actor, *, run_id: UUID, now: datetime) -> None:
    """Check a proposed run (Prüfung): another person than the one who proposed it.

    Raises:
        policy.Denied, RunNotFound, RunConflict.
    """
    policies.require(actor, Permission.CHECK)
    run = _locked(actor, run_id)
    if run.state != ChargeRun.State.PROPOSED:
        raise RunConflict(_("The run is not waiting to be checked. Look at its new state."))
    if not policies.is_another_person(actor, run.proposed_by):
        raise RunConflict(_("Somebody else than the one who proposed the run has to check it."))
    run.state, run.checked_at, run.checked_by, run.checked_by_name = (
        ChargeRun.State.CHECKED,
        now,
        actor.id,
        actor.name,
    )
    run.save(update_fields=["state", "checked_at", "checked_by", "checked_by_name"])
    audit.record(actor, "costsharing.run.checked", "costsharing.run", run.id, after={"inputs": run.inputs_sha256})


@transaction.atomic
def release_run(actor: Actor, *, run_id: UUID, now: datetime) -> None:
    """Release a checked run (Freigabe): from here on its figures are fixed (L8).

    Of two people who release it at the same moment one does, the other is told. A run whose figures are no longer what
    stands in the books is not released.

    Raises:
        policy.Denied, RunNotFound, RunConflict.
    """
    policies.require(actor, Permission.RELEASE)
    run = _locked(actor, run_id)
    if run.state == ChargeRun.State.RELEASED:
        raise RunConflict(_("%(name)s has released the run already.") % {"name": run.released_by_name})
    if run.state != ChargeRun.State.CHECKED:
        raise RunConflict(_("The run is not waiting for its release. Look at its new state."))
    if not policies.is_another_person(actor, run.proposed_by):
        raise RunConflict(_("Somebody else than the one who proposed the run has to release it."))
    span = Span(run.period_start, run.period_end)
    inputs, _before = gather(actor, kind=run.kind, span=span, for_run=run.id)
    if frozen(inputs)[1] != run.inputs_sha256:
        raise RunConflict(_("Figures have changed since the run was proposed. Discard it and propose it anew."))
    run.state, run.released_at, run.released_by, run.released_by_name = (
        ChargeRun.State.RELEASED,
        now,
        actor.id,
        actor.name,
    )
    run.save(update_fields=["state", "released_at", "released_by", "released_by_name"])
    audit.record(actor, "costsharing.run.released", "costsharing.run", run.id, after={"inputs": run.inputs_sha256})


@transaction.atomic
def discard_run(actor: Actor, *, run_id: UUID, reason: str, now: datetime) -> None:
    """Discard a run (Verwerfen) that is not released; its lines stay readable.

    Raises:
        policy.Denied, RunNotFound, RunRefused (no reason), RunConflict.
    """
    policies.require(actor, Permission.PROPOSE)
    run = _locked(actor, run_id)
    if not reason.strip() or len(reason) > 300:
        raise RunRefused([_("Say in at most 300 characters why.")])
    if run.state not in (ChargeRun.State.PROPOSED, ChargeRun.State.CHECKED):
        raise RunConflict(_("A run that is released or discarded stays as it is."))
    before = run.state
    run.state, run.reason = ChargeRun.State.DISCARDED, reason.strip()
    run.save(update_fields=["state", "reason"])
    audit.record(
        actor,
        "costsharing.run.discarded",
        "costsharing.run",
        run.id,
        before={"state": before},
        after={"reason": reason.strip()},
    )
