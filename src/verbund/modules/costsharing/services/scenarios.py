"""What-if (Modellrechnung): what joining would cost a body, before its basic resolution."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from verbund.modules.costsharing import policies
from verbund.modules.costsharing.models import KeyKind, RunKind, Scenario
from verbund.modules.costsharing.models.days import Span, year_span
from verbund.modules.costsharing.models.inputs import PartyInput, QuantityInput, RunInputs, ServiceInput, frozen
from verbund.modules.costsharing.models.reckoning import Finding, ReckonedLine, reckon
from verbund.modules.costsharing.models.sharing import KeyPart
from verbund.modules.costsharing.models.taxes import TREATMENTS, tax_sums
from verbund.modules.costsharing.policies import Permission
from verbund.modules.costsharing.queries import gather
from verbund.modules.costsharing.queries.findings import in_words
from verbund.platform import audit
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Invalid

from .once import write_once

CANDIDATE: Final = "~candidate"  # sorts behind every slug, and is none


class ScenarioRefused(Invalid):
    """The scenario cannot be reckoned; nothing was kept."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Demand (Bedarf): how much of a service the body would use, and what the service then costs more a year."""

    service_code: str
    quantity: Decimal
    extra_cents: int = 0


@transaction.atomic
def reckon_scenario(
    actor: Actor,
    *,
    name: str,
    year: int,
    joins_on: date,
    kind: str,
    demands: Sequence[Demand],
    now: datetime,
    key_values: Mapping[str, Decimal] | None = None,
    alone_cents: int = 0,
    once_cents: int = 0,
    member_id: UUID | None = None,
    idempotency_key: UUID | None = None,
) -> UUID:
    """Reckon what a body would pay if it joined on a day of a year, by the prices, keys and members of that year.

    `alone_cents` is what the body pays a year today, `once_cents` what the change costs once. Tax that the body could
    not deduct counts as cost. Inputs and result are kept as they are now. The same `idempotency_key` again keeps
    nothing new.

    Raises:
        policy.Denied, ScenarioRefused (per field; prices or tax reviews that are missing for the services chosen).
    """
    policies.require(actor, Permission.PROPOSE)
    values = {k: Decimal(v) for k, v in (key_values or {}).items()}
    _refuse(name, year, joins_on, demands, values, alone_cents, once_cents)
    whole = year_span(year)
    base, before = gather(actor, kind=RunKind.ADVANCE, span=whole)
    chosen = {demand.service_code: demand for demand in demands}
    known = {service.code for service in base.services}
    if unknown := sorted(set(chosen) - known):
        raise ScenarioRefused(
            {"demands": _("Nobody uses %(codes)s yet, so there is no price for it.") % {"codes": ", ".join(unknown)}}
        )
    joined = _with(base, chosen, values, kind, Span(joins_on, whole.last), name)
    settled = _with(base, chosen, values, kind, whole, name)
    first, full, now_ = reckon(joined), reckon(settled), reckon(base)
    _refuse_findings(sorted({*before, *first.findings, *full.findings}), chosen, base)
    result = _result(first.lines, full.lines, now_.lines, alone_cents, once_cents, joined)
    inputs, digest = frozen(joined)
    row, new = write_once(
        Scenario,
        idempotency_key,
        name=name.strip(),
        member_id=member_id,
        year=year,
        joins_on=joins_on,
        inputs=inputs,
        inputs_sha256=digest,
        result=result,
        made_at=now,
        made_by=actor.name,
    )
    if new:
        audit.record(
            actor,
            "costsharing.scenario.reckoned",
            "costsharing.scenario",
            row,
            after={"name": name.strip(), "full_year": result["full_year_cents"], "inputs": digest},
        )
    return row


def _refuse(
    name: str,
    year: int,
    joins_on: date,
    demands: Sequence[Demand],
    values: Mapping[str, Decimal],
    alone_cents: int,
    once_cents: int,
) -> None:
    errors: dict[str, str] = {}
    if not name.strip() or len(name) > 200:
        errors["name"] = _("Name the body, with at most 200 characters.")
    if joins_on.year != year:
        errors["joins_on"] = _("The day of joining lies in the year that is reckoned.")
    if not demands or len({d.service_code for d in demands}) != len(demands):
        errors["demands"] = _("Choose at least one service, and each only once.")
    elif any(not 0 <= d.quantity < 10**9 or abs(d.extra_cents) > 10**13 for d in demands):
        errors["demands"] = _("Give quantities of zero or more.")
    if any(kind not in KeyKind.values or not 0 <= value < 10**9 for kind, value in values.items()):
        errors["key_values"] = _("Give a number of zero or more.")
    if not 0 <= alone_cents <= 10**13 or not 0 <= once_cents <= 10**13:
        errors["alone_cents"] = _("Give amounts of zero or more.")
    if errors:
        raise ScenarioRefused(errors)


def _refuse_findings(findings: Sequence[Finding], chosen: Mapping[str, Demand], base: RunInputs) -> None:
    names = {s.code: s.name for s in base.services} | {p.code: p.name for p in base.parties}
    wrong = [
        in_words(finding, names).text
        for finding in findings
        if finding.severity == "error" and finding.service in chosen and finding.party in ("", CANDIDATE)
    ]
    if wrong:
        raise ScenarioRefused({"demands": "\n".join(dict.fromkeys(wrong))})


def _with(
    base: RunInputs, chosen: Mapping[str, Demand], values: Mapping[str, Decimal], kind: str, days: Span, name: str
) -> RunInputs:
    """The run's inputs with one body more."""
    services = []
    for service in base.services:
        demand = chosen.get(service.code)
        changes: dict[str, Any] = {}
        if demand is not None:
            figure = QuantityInput(base.span, Fraction(demand.quantity), "scenario")
            changes["used"] = {**service.used, CANDIDATE: (days,)}
            changes["quantities"] = {**service.quantities, CANDIDATE: (figure,)}
        if service.levy is not None and (demand is not None or _everybodys(service)):
            extra = demand.extra_cents if demand is not None and service.levy.cents else 0
            changes["levy"] = dataclasses.replace(
                service.levy,
                cents=service.levy.cents + extra,
                present={**service.levy.present, CANDIDATE: (days,)},
                parts=tuple(_joined(part, values) for part in service.levy.parts),
            )
        services.append(dataclasses.replace(service, **changes))
    party = PartyInput(CANDIDATE, "00000000-0000-0000-0000-000000000000", name.strip(), kind)
    return dataclasses.replace(base, parties=(*base.parties, party), services=tuple(services), items=())


def _everybodys(service: ServiceInput) -> bool:
    """Whether all carriers bear it, users or not."""
    return service.levy is not None and dict(service.levy.present) != dict(service.used)


def _joined(part: KeyPart, values: Mapping[str, Decimal]) -> KeyPart:
    own = Fraction(1) if part.kind == KeyKind.EQUAL else Fraction(values.get(part.kind, Decimal(0)))
    return dataclasses.replace(part, values={**part.values, CANDIDATE: own})


def _result(
    first: list[ReckonedLine],
    full: list[ReckonedLine],
    before: list[ReckonedLine],
    alone_cents: int,
    once_cents: int,
    inputs: RunInputs,
) -> dict[str, Any]:
    names = {service.code: service.name for service in inputs.services}

    def own(lines: list[ReckonedLine]) -> list[ReckonedLine]:
        return [line for line in lines if line.party == CANDIDATE]

    def gross(lines: list[ReckonedLine]) -> int:
        return sum(t.net_cents + t.tax_cents for t in tax_sums((line.treatment, line.cents) for line in own(lines)))

    def others(lines: list[ReckonedLine]) -> int:
        return sum(line.cents for line in lines if line.party != CANDIDATE and not line.item)

    together = gross(full)
    return {
        "lines": [
            {
                "service": line.service,
                "name": names[line.service],
                "component": line.component,
                "cents": line.cents,
                "rate": TREATMENTS[line.treatment].rate,
            }
            for line in own(full)
        ],
        "first_year_cents": gross(first),
        "full_year_cents": together,
        "tax_cents": together - sum(line.cents for line in own(full)),
        "alone_cents": alone_cents,
        "once_cents": once_cents,
        "saves_cents": alone_cents - together,
        "others_before_cents": others(before),
        "others_after_cents": others(full),
    }
