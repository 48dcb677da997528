"""What a member sees of its cost: by service, unit and year, beside the others' unit cost, which never names them."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from statistics import median_low
from uuid import UUID

from django.db.models import Q, Sum

from verbund.modules.costsharing.models import ChargeLine, ChargeRun, Component, RunKind
from verbund.modules.costsharing.models.sharing import half_up
from verbund.modules.costsharing.policies import Permission, in_alliance, visible_lines
from verbund.platform.identity.actor import Actor

from .members import Party, catalogue, names_shown, parties

FEWEST = 3  # with fewer others their figures would tell whose they are


@dataclass(frozen=True, slots=True)
class OwnService:
    """A service's cost of one year in cents: own, per unit and year, and the middle of at least three others."""

    code: str
    name: str
    unit: str
    cents: int
    quantity: Fraction | None
    unit_cents: int | None
    others_low: int | None
    others_middle: int | None
    others_high: int | None
    others: int
    named: list[tuple[str, int]]

    @property
    def quantity_shown(self) -> float | None:
        """The quantity for people, with one place."""
        return None if self.quantity is None else float(round(self.quantity, 1))


@dataclass(frozen=True, slots=True)
class OwnYear:
    """A year of a member: what it was billed, net, and what of it was a subsidy passed on."""

    year: int
    cents: int
    subsidy_cents: int
    services: list[OwnService]


def own_years(actor: Actor, member_code: str) -> list[int]:
    """The years with issued charges of a member the actor may see, the newest first."""
    lines = visible_lines(actor).filter(member_code=member_code, run__state=ChargeRun.State.ISSUED)
    return sorted(set(lines.values_list("run__year", flat=True)), reverse=True)


def own_totals(actor: Actor, member_code: str) -> list[tuple[int, int]]:
    """(year, cents net) of a member, the oldest first: the chart."""
    lines = visible_lines(actor).filter(member_code=member_code, run__state=ChargeRun.State.ISSUED)
    return sorted(lines.values_list("run__year").annotate(n=Sum("cents")))


def own_year(actor: Actor, member_code: str, year: int) -> OwnYear:
    """One year of a member. Empty for a member the actor may not see."""
    mine = visible_lines(actor).filter(member_code=member_code, run__year=year, run__state=ChargeRun.State.ISSUED)
    totals = dict(mine.values_list("service_code").annotate(n=Sum("cents")).order_by("service_code"))
    subsidy = mine.aggregate(n=Sum("subsidy_cents"))["n"] or 0
    units = _unit_cost(year) if totals else {}
    shown = {party.code: party.name for party in _named(actor)}
    facts = {service.code: service for service in catalogue(actor, date(year, 12, 31))}
    services = []
    for code, cents in totals.items():
        own = units.get(code, {}).get(member_code)
        others = sorted(value for member, (_q, value) in units.get(code, {}).items() if member != member_code)
        enough = len(others) >= FEWEST
        services.append(
            OwnService(
                code,
                facts[code].name if code in facts else code,
                facts[code].unit if code in facts else "",
                cents,
                own[0] if own else None,
                own[1] if own else None,
                others[0] if enough else None,
                median_low(others) if enough else None,
                others[-1] if enough else None,
                len(others),
                sorted(
                    (shown[member], value)
                    for member, (_q, value) in units.get(code, {}).items()
                    if member != member_code and member in shown
                ),
            )
        )
    return OwnYear(year, sum(totals.values()), subsidy, services)


def _named(actor: Actor) -> list[Party]:
    """Members who agreed to be named beside their unit cost; whoever sees a cost may know them."""
    if not in_alliance(actor, Permission.SEE) and not in_alliance(actor, Permission.SEE_OWN):
        return []
    agreed: frozenset[UUID] = names_shown(actor)
    return [party for party in parties(Actor.system(actor.body, "cost sharing")) if party.id in agreed]


def _unit_cost(year: int) -> dict[str, dict[str, tuple[Fraction, int]]]:
    """Per service and member: units and years used, and what one cost in cents, settlement included.

    These are everybody's figures; they leave this file only as one's own, as a range of several others, or by consent.
    """
    lines = ChargeLine.objects.filter(run__year=year, run__state=ChargeRun.State.ISSUED).exclude(
        component__in=(Component.PROJECT, Component.PASS_THROUGH)
    )
    rows = lines.values_list("service_code", "member_code").annotate(
        cents=Sum("cents"),
        units=Sum("quantity", filter=Q(component=Component.QUANTITY, run__kind=RunKind.ADVANCE)),
    )
    found: dict[str, dict[str, tuple[Fraction, int]]] = {}
    for service, member, cents, units in rows:
        if units:
            quantity = Fraction(units)
            found.setdefault(service, {})[member] = (quantity, half_up(cents / quantity))
    return found
