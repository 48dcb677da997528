"""What the pages list: plans, prices, measures, invoices, scenarios."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from verbund.modules.costsharing.models import (
    AllocationKey,
    BillingSettings,
    BusinessPlan,
    ChargeRule,
    CostItem,
    Invoice,
    KeyKind,
    LegalBasis,
    Measure,
    Scenario,
    Tariff,
    TaxTreatment,
)
from verbund.modules.costsharing.policies import (
    Permission,
    in_alliance,
    visible_invoices,
    visible_items,
    visible_measures,
    visible_plans,
    visible_scenarios,
)
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import NotFound


class PlanUnknown(NotFound):
    """There is no such plan for this actor."""


class ScenarioUnknown(NotFound):
    """There is no such scenario for this actor."""


class InvoiceUnknown(NotFound):
    """There is no such invoice for this actor."""


@dataclass(frozen=True, slots=True)
class InvoiceOriginal:
    """InvoiceOriginal (ausgestellte Fassung): a file of an invoice as it left, by its hash, and what it is called."""

    sha256: str
    filename: str


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan with its rows and sums in cents."""

    plan: BusinessPlan
    parts: dict[str, list[Any]]
    sums: dict[str, int]
    posts: list[Any]
    fte: Decimal
    investments: list[Any]


def plans(actor: Actor) -> list[BusinessPlan]:
    """The plans, the newest first."""
    return list(visible_plans(actor).defer("figures", "report").order_by("-year", "-number"))


def plan(actor: Actor, plan_id: UUID) -> PlanView:
    """One plan. Raises PlanUnknown."""
    row = visible_plans(actor).filter(id=plan_id).first()
    if row is None:
        raise PlanUnknown(str(plan_id))
    parts: dict[str, list[Any]] = {"revenue": [], "expense": [], "inflow": [], "outflow": []}
    for line in row.lines.select_related("centre").order_by("position"):
        parts[line.part].append(line)
    posts = list(row.posts.select_related("centre").order_by("title", "id"))
    return PlanView(
        row,
        parts,
        {part: sum(line.cents for line in lines) for part, lines in parts.items()},
        posts,
        sum((post.fte for post in posts), Decimal(0)),
        list(row.investments.order_by("text", "id")),
    )


@dataclass(frozen=True, slots=True)
class MeasureRow:
    """A measure that counts, and how many older figures stand behind it."""

    id: int
    member_id: UUID
    service_code: str
    period_start: date
    period_end: date
    quantity: Decimal
    source: str
    source_label: str
    reason: str
    recorded_at: datetime
    recorded_by: str
    older: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True)
class MeasurePage:
    """One page of measures; `after` leads to the next."""

    rows: list[MeasureRow]
    after: str


def measures(
    actor: Actor, *, member_id: UUID | None = None, service_code: str = "", after: str = "", limit: int = 50
) -> MeasurePage:
    """The measures that count, the one recorded last first, each with its history."""
    found = visible_measures(actor)
    if member_id:
        found = found.filter(member_id=member_id)
    if service_code:
        found = found.filter(service_code=service_code)
    if after.isascii() and after.isdigit() and len(after) < 19:
        found = found.filter(id__lt=int(after))
    rows: list[MeasureRow] = []
    newest = list(found.order_by("-id")[: limit + 1])
    more, newest = len(newest) > limit, newest[:limit]
    same = Measure.objects.filter(
        member_id__in={m.member_id for m in newest}, period_start__in={m.period_start for m in newest}
    )
    history: dict[tuple[Any, ...], list[Measure]] = {}
    for row in same.order_by("-id"):
        history.setdefault((row.member_id, row.service_code, row.period_start, row.period_end), []).append(row)
    for m in newest:
        own = history[m.member_id, m.service_code, m.period_start, m.period_end]
        if own[0].id != m.id:
            continue
        rows.append(
            MeasureRow(
                m.id,
                m.member_id,
                m.service_code,
                m.period_start,
                m.period_end,
                m.quantity,
                m.source,
                str(m.get_source_display()),
                m.reason,
                m.recorded_at,
                m.recorded_by,
                tuple(old.quantity for old in own[1:]),
            )
        )
    return MeasurePage(rows, str(newest[-1].id) if more else "")


@dataclass(frozen=True, slots=True)
class Prices:
    """Everything that decides prices, for one page."""

    tariffs: list[Tariff]
    rules: list[ChargeRule]
    treatments: list[TaxTreatment]
    keys: list[AllocationKey]
    settings: BillingSettings | None
    doubtful: frozenset[UUID]  # rules by contract whose key counts inhabitants alone


def prices(actor: Actor) -> Prices:
    """Tariffs, rules, tax reviews and keys; empty for who may not see them."""
    if not in_alliance(actor, Permission.SEE):
        return Prices([], [], [], [], None, frozenset())
    newest: dict[tuple[str, str, date], Tariff] = {}
    for tariff in Tariff.objects.order_by("id"):
        newest[tariff.service_code, tariff.component, tariff.valid_from] = tariff
    reviewed: dict[tuple[str, str, date], TaxTreatment] = {}
    for row in TaxTreatment.objects.order_by("id"):
        reviewed[row.service_code, row.recipient_kind, row.valid_from] = row
    rules = list(ChargeRule.objects.select_related("key").prefetch_related("key__parts").order_by("service_code"))
    return Prices(
        sorted(newest.values(), key=lambda t: (t.service_code, t.component, -t.valid_from.toordinal())),
        rules,
        sorted(reviewed.values(), key=lambda t: (t.service_code, t.recipient_kind, -t.valid_from.toordinal())),
        list(AllocationKey.objects.prefetch_related("parts").order_by("code")),
        BillingSettings.objects.filter(id=1).first(),
        frozenset(
            rule.id
            for rule in rules
            if rule.key is not None
            and rule.legal_basis == LegalBasis.CONTRACT
            and {part.kind for part in rule.key.parts.all()} == {KeyKind.INHABITANTS.value}
        ),
    )


def cost_items(actor: Actor, *, limit: int = 50) -> list[CostItem]:
    """Projects and passed-on costs, the newest first."""
    return list(visible_items(actor).order_by("-performed_on", "-id")[:limit])


@dataclass(frozen=True, slots=True)
class InvoicePage:
    """One page of invoices, the newest first; `after` leads to the next."""

    rows: Sequence[Invoice]
    after: str


def invoices(actor: Actor, *, after: str = "", limit: int = 50) -> InvoicePage:
    """Invoices and credit notes the actor may see."""
    found = visible_invoices(actor).defer("document")
    if after:
        found = found.filter(number__lt=after)
    rows = list(found.order_by("-number")[: limit + 1])
    return InvoicePage(rows[:limit], rows[limit - 1].number if len(rows) > limit else "")


def invoice(actor: Actor, invoice_id: UUID) -> Invoice:
    """One invoice with its document. Raises InvoiceUnknown."""
    row = visible_invoices(actor).filter(id=invoice_id).select_related("preceding").first()
    if row is None:
        raise InvoiceUnknown(str(invoice_id))
    return row


def invoice_original(actor: Actor, invoice_id: UUID, part: str) -> InvoiceOriginal:
    """The XRechnung (`xml`) or the PDF with its twin inside (`pdf`), byte for byte as issued.

    Raises:
        InvoiceUnknown: also for a part there is not.
    """
    row = visible_invoices(actor).defer("document").filter(id=invoice_id).first()
    sha256 = {"xml": row.xml_sha256, "pdf": row.pdf_sha256}.get(part) if row else ""
    if row is None or not sha256:
        raise InvoiceUnknown(str(invoice_id))
    return InvoiceOriginal(sha256, f"{row.number}.{part}")


def scenarios(actor: Actor, *, limit: int = 100) -> list[Scenario]:
    """Scenarios, the newest first."""
    return list(visible_scenarios(actor).defer("inputs").order_by("-made_at")[:limit])


def scenario(actor: Actor, scenario_id: UUID) -> Scenario:
    """One scenario. Raises ScenarioUnknown."""
    row = visible_scenarios(actor).filter(id=scenario_id).first()
    if row is None:
        raise ScenarioUnknown(str(scenario_id))
    return row
