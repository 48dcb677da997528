"""Costs of services: planned or actual, after overhead was handed down (L9)."""

from dataclasses import dataclass

from django.db.models import Sum

from verbund.modules.costsharing.models import (
    BusinessPlan,
    CentreCost,
    CostCentre,
    OverheadWeight,
    PlanLine,
    PlanPart,
)
from verbund.modules.costsharing.models.overhead import Step, WrongOrder, step_down
from verbund.modules.costsharing.models.sharing import NoWeight
from verbund.modules.costsharing.policies import Permission, in_alliance, visible_plans
from verbund.platform.identity.actor import Actor


@dataclass(frozen=True, slots=True)
class CentreRow:
    """Cost of one centre, in cents: its own, what it took over from overhead, other income, and what is left to
    share."""

    code: str
    name: str
    service_code: str
    step: int | None
    own_cents: int
    taken_cents: int
    income_cents: int

    @property
    def net_cents(self) -> int:
        """Cost less other income."""
        return self.own_cents + self.taken_cents - self.income_cents


@dataclass(frozen=True, slots=True)
class CostSheet:
    """CostSheet (Betriebsabrechnungsbogen): the centres, the steps of handing down, and why it could not be done."""

    year: int
    planned: bool
    rows: list[CentreRow]
    steps: list[Step]
    problem: str  # "", the code of a centre that hands to nobody, or the pair that goes the wrong way

    @property
    def total_cents(self) -> int:
        """Own cost of all centres."""
        return sum(row.own_cents for row in self.rows)

    def net_of(self, service_code: str) -> int | None:
        """What is to be shared for a service; None without a centre for it."""
        return next((row.net_cents for row in self.rows if row.service_code == service_code), None)


def current_plan(actor: Actor, year: int) -> BusinessPlan | None:
    """The plan in force: the newest resolved one of the year."""
    plans = visible_plans(actor).filter(year=year, state=BusinessPlan.State.RESOLVED)
    return plans.order_by("-number").first()


def cost_sheet(actor: Actor, year: int, *, planned: bool) -> CostSheet:
    """The costs of a year by centre, from the plan in force or as they really were; empty for who may not see them."""
    if not in_alliance(actor, Permission.SEE):
        return CostSheet(year, planned, [], [], "")
    centres = list(CostCentre.objects.order_by("step", "code"))
    own: dict[str, int] = {}
    income: dict[str, int] = {}
    if planned:
        plan = current_plan(actor, year)
        lines = PlanLine.objects.filter(plan=plan, centre__isnull=False) if plan else PlanLine.objects.none()
        for code, part, cents in lines.values_list("centre__code", "part").annotate(cents=Sum("cents")):
            if part in (PlanPart.EXPENSE, PlanPart.REVENUE):
                target = own if part == PlanPart.EXPENSE else income
                target[code] = target.get(code, 0) + cents
    else:
        costs = CentreCost.objects.filter(year=year).values_list("centre__code", "is_income")
        for code, is_income, cents in costs.annotate(cents=Sum("cents")):
            (income if is_income else own)[code] = cents
    # Other income of overhead lessens what is handed down.
    overhead = [centre.code for centre in centres if centre.step is not None]
    start = {c.code: own.get(c.code, 0) - (income.get(c.code, 0) if c.step is not None else 0) for c in centres}
    weights: dict[str, dict[str, int]] = {}
    for weight in OverheadWeight.objects.filter(year=year).select_related("giver", "receiver"):
        weights.setdefault(weight.giver.code, {})[weight.receiver.code] = int(weight.weight * 1000)
    steps, final, problem = [], dict(start), ""
    try:
        done = step_down(start, overhead, weights)
        steps, final = done.steps, done.final
    except NoWeight:
        stuck = [code for code in overhead if not any(weights.get(code, {}).values())]
        problem = next((code for code in stuck if start[code]), stuck[0])
    except WrongOrder as error:
        problem = str(error)
    rows = [
        CentreRow(
            c.code,
            c.name,
            c.service_code,
            c.step,
            own.get(c.code, 0),
            final.get(c.code, 0) - start[c.code] if c.step is None else 0,
            income.get(c.code, 0),
        )
        for c in centres
    ]
    return CostSheet(year, planned, rows, steps, problem)
