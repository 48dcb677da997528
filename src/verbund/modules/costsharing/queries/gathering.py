"""Gathering what a charge run reckons with: agreements, prices, measures, treatments, keys, costs as plain values."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from fractions import Fraction
from uuid import UUID

from django.db.models import F, Q, Sum, Window
from django.db.models.functions import RowNumber

from verbund.modules.costsharing.models import (
    AllocationKey,
    ChargeLine,
    ChargeRule,
    ChargeRun,
    Component,
    CostItem,
    Invoice,
    KeyKind,
    KeyValue,
    LegalBasis,
    Measure,
    RunKind,
    Tariff,
    TaxTreatment,
)
from verbund.modules.costsharing.models.days import Span, days_of_year, merged, year_span
from verbund.modules.costsharing.models.inputs import (
    ItemInput,
    LevyInput,
    PartyInput,
    PriceInput,
    QuantityInput,
    RunInputs,
    ServiceInput,
)
from verbund.modules.costsharing.models.reckoning import Finding
from verbund.modules.costsharing.models.sharing import KeyPart, part_of_year
from verbund.modules.costsharing.models.taxes import tax_group
from verbund.modules.costsharing.policies import Permission, require
from verbund.modules.membership import queries as membership
from verbund.platform.identity.actor import Actor

from .agreed import FAR, carrier_days, chargeable_days
from .costs import CostSheet, cost_sheet
from .members import BillableService, Party, catalogue, parties, room

_MEMORY = timedelta(days=400)  # how far back a figure is looked for that is carried forward
_PRICED = {"tariff": Component.QUANTITY, "base_amount": Component.BASE}


def gather(actor: Actor, *, kind: str, span: Span, for_run: UUID | None = None) -> tuple[RunInputs, list[Finding]]:
    """What a run over `span` (days of one year) reckons with, and what stands in its way before any reckoning.

    `for_run` is a run that has been proposed: what it charges counts as not charged yet.

    Raises:
        policy.Denied
    """
    require(actor, Permission.PROPOSE)
    whole = year_span(span.first.year)
    people = parties(actor)
    names = {party.id: party.code for party in people}
    offered = _offered(actor, span)
    carriers = carrier_days(actor, span)
    used, limits = chargeable_days(actor, span, carriers)
    rules = {rule.service_code: rule for rule in ChargeRule.objects.select_related("key")}
    items = _items(span, names, for_run)
    everybodys = {c for c, rule in rules.items() if rule.bearers == ChargeRule.Bearers.CARRIERS and rule.key_id}
    codes = sorted({*used, *everybodys, *(item.service for item in items)})
    sheet = cost_sheet(actor, span.first.year, planned=kind == RunKind.ADVANCE)
    quantities, prices, treatments = _quantities(names, span), _prices(offered), _treatments()
    keys = _Keys(actor, names, span)
    advances = _advances(whole) if kind == RunKind.SETTLEMENT else {}
    findings: list[Finding] = []
    services = []
    for code in codes:
        rule, facts = rules.get(code), offered.get(code)
        if rule is None:
            findings.append(Finding("error", "no_rule", code))
            continue
        if not treatments.get(code):
            findings.append(Finding("error", "no_treatment", code))
        days = {names[m]: tuple(merged(spans)) for m, spans in used.get(code, {}).items() if m in names}
        present = (
            {names[m]: tuple(merged(spans)) for m, spans in carriers.items() if m in names}
            if rule.bearers == ChargeRule.Bearers.CARRIERS
            else days
        )
        levy = None
        if rule.key is not None:
            levy = LevyInput(_levied(rule, sheet, kind, span), rule.key.code, keys.parts(rule.key), present)
            if rule.legal_basis == LegalBasis.CONTRACT and {part.kind for part in levy.parts} == {"inhabitants"}:
                findings.append(Finding("warning", "inhabitants_alone", code))
        own = prices.get(code, ())
        needed = _PRICED.get(facts.price_basis) if facts else None
        if needed and all(price.component != needed for price in own):
            findings.append(Finding("error", "no_price", code, detail=span.first.isoformat()))
        services.append(
            ServiceInput(
                code=code,
                name=facts.name if facts else code,
                unit=facts.unit if facts else "flat",
                legal_basis=rule.legal_basis,
                treatments=treatments.get(code, {}),
                prices=own,
                levy=levy,
                used=days,
                quantities=quantities.get(code, {}),
                limits={names[m]: limit for (service, m), limit in limits.items() if service == code and m in names},
                settled_by=rule.settled_by,
                pool_cents=sheet.net_of(code) if kind == RunKind.SETTLEMENT else None,
                advances=advances.get(code, {}),
            )
        )
    findings += _strangers(items, used, names)
    if sheet.problem and any(service.levy or service.settled_by != "none" for service in services):
        findings.append(Finding("error", "overhead_stuck", detail=sheet.problem))
    inputs = RunInputs(
        kind,
        span,
        tuple(PartyInput(p.code, str(p.id), p.name, p.kind) for p in people if _has_part(p, services, items)),
        tuple(services),
        tuple(items),
    )
    return inputs, findings


def _has_part(party: Party, services: Iterable[ServiceInput], items: Iterable[ItemInput]) -> bool:
    return any(
        party.code in s.used or party.code in s.advances or (s.levy is not None and party.code in s.levy.present)
        for s in services
    ) or any(item.party == party.code for item in items)


def _offered(actor: Actor, span: Span) -> dict[str, BillableService]:
    """The catalogue of the first and the last day; the later version of a service counts."""
    return {s.code: s for day in (span.first, span.last) for s in catalogue(actor, day)}


def _levied(rule: ChargeRule, sheet: CostSheet, kind: str, span: Span) -> int:
    """What the key shares: in an advance the part of the planned cost that falls on these days."""
    if not rule.levied or kind != RunKind.ADVANCE:
        return 0
    whole = year_span(span.first.year)
    before = (span.first - whole.first).days
    year = max(sheet.net_of(rule.service_code) or 0, 0)
    return part_of_year(year, before, before + span.days, days_of_year(span.first.year))


def _prices(offered: Mapping[str, BillableService]) -> dict[str, tuple[PriceInput, ...]]:
    steps: dict[tuple[str, str, str], dict[date, Fraction]] = {}
    for tariff in Tariff.objects.order_by("id"):  # of one day the newest counts
        key = (tariff.service_code, tariff.component, tariff.charging)
        steps.setdefault(key, {})[tariff.valid_from] = Fraction(tariff.euros) * 100
    found: dict[str, tuple[PriceInput, ...]] = {}
    for (code, component, charging), by_day in sorted(steps.items()):
        unit = offered[code].unit if code in offered else "flat"
        price = PriceInput(component, charging, unit, tuple(sorted(by_day.items())))
        found[code] = (*found.get(code, ()), price)
    return found


def _treatments() -> dict[str, dict[str, tuple[tuple[date, str], ...]]]:
    steps: dict[str, dict[str, dict[date, str]]] = {}
    for row in TaxTreatment.objects.order_by("id"):
        steps.setdefault(row.service_code, {}).setdefault(row.recipient_kind, {})[row.valid_from] = row.treatment
    return {
        code: {kind: tuple(sorted(by_day.items())) for kind, by_day in kinds.items()} for code, kinds in steps.items()
    }


def newest_measures(rows: Q) -> Iterable[tuple[UUID, str, date, date, object, str]]:
    """(member, service, first day, last day, quantity, source) of the measures that count among those of `rows`."""
    place = Window(
        RowNumber(),
        partition_by=[F("member_id"), F("service_code"), F("period_start"), F("period_end")],
        order_by=F("id").desc(),
    )
    newest = Measure.objects.filter(rows).annotate(place=place).filter(place=1)
    return newest.order_by("member_id", "service_code", "period_start").values_list(
        "member_id", "service_code", "period_start", "period_end", "quantity", "source"
    )


def _quantities(names: Mapping[UUID, str], span: Span) -> dict[str, dict[str, tuple[QuantityInput, ...]]]:
    found: dict[str, dict[str, list[QuantityInput]]] = {}
    rows = Q(period_end__gte=span.first - _MEMORY, period_start__lte=span.last)
    for member, service, first, last, quantity, source in newest_measures(rows):
        if member in names:
            figure = QuantityInput(Span(first, last), Fraction(str(quantity)), source)
            found.setdefault(service, {}).setdefault(names[member], []).append(figure)
    return {
        service: {code: tuple(_relevant(figures, span)) for code, figures in own.items()}
        for service, own in found.items()
    }


def _relevant(figures: list[QuantityInput], span: Span) -> list[QuantityInput]:
    """Those of the run's days, and of the earlier ones the last."""
    inside = [figure for figure in figures if figure.span.within(span)]
    earlier = [figure for figure in figures if figure.span.last < span.first]
    return [*earlier[-1:], *inside]


def _items(span: Span, names: Mapping[UUID, str], for_run: UUID | None) -> list[ItemInput]:
    """Costs of these days that no other run has charged yet."""
    charged = ChargeLine.objects.filter(item__isnull=False).exclude(run__state=ChargeRun.State.DISCARDED)
    if for_run is not None:
        charged = charged.exclude(run_id=for_run)
    rows = CostItem.objects.filter(performed_on__range=(span.first, span.last)).exclude(id__in=charged.values("item"))
    return [
        ItemInput(
            str(row.id),
            names[row.member_id],
            row.service_code,
            row.kind,
            row.text,
            row.performed_on,
            row.cents,
            row.subsidy_cents,
            row.grant,
        )
        for row in rows.order_by("performed_on", "id")
        if row.member_id in names
    ]


def _strangers(
    items: Iterable[ItemInput], used: Mapping[str, Mapping[UUID, list[Span]]], names: Mapping[UUID, str]
) -> list[Finding]:
    """Costs on days on which the member has not agreed the service: nothing is charged before (M2)."""
    agreed = {(code, names[m]): spans for code, own in used.items() for m, spans in own.items() if m in names}
    return [
        Finding("error", "not_agreed", item.service, item.party, item.performed_on.isoformat())
        for item in items
        if not any(s.first <= item.performed_on <= s.last for s in agreed.get((item.service, item.party), []))
    ]


def _advances(whole: Span) -> dict[str, dict[str, dict[str, int]]]:
    """What was issued in advance for the year, without invoices that were taken back."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    gone = set(
        Invoice.objects.filter(takes_back=True, run__year=whole.first.year).values_list(
            "run_id", "member_id", "tax_group"
        )
    )
    lines = ChargeLine.objects.filter(
        run__kind=RunKind.ADVANCE,
        run__state=ChargeRun.State.ISSUED,
        run__year=whole.first.year,
        component__in=(Component.BASE, Component.QUANTITY, Component.LEVY),
    )
    sums = lines.values_list("run_id", "member_id", "member_code", "service_code", "treatment").annotate(n=Sum("cents"))
    for run, member, code, service, treatment, cents in sums:
        if (run, member, tax_group(treatment)) not in gone:
            own = found.setdefault(service, {}).setdefault(code, {})
            own[treatment] = own.get(treatment, 0) + cents
    return found


class _Keys:
    """The values of keys, each kind looked up once."""

    def __init__(self, actor: Actor, names: Mapping[UUID, str], span: Span) -> None:
        self.actor, self.names, self.span = actor, names, span
        self.known: dict[str, dict[str, int | Fraction]] = {}

    def parts(self, key: AllocationKey) -> tuple[KeyPart, ...]:
        """The parts of a key with everybody's value."""
        return tuple(
            KeyPart(part.kind, Fraction(part.weight), self._values(part.kind)) for part in key.parts.order_by("kind")
        )

    def _values(self, kind: str) -> dict[str, int | Fraction]:
        if kind not in self.known:
            found = {m: value for m, value in self._raw(kind).items() if m in self.names}
            self.known[kind] = {self.names[m]: value for m, value in found.items()}
        return self.known[kind]

    def _raw(self, kind: str) -> Mapping[UUID, int | Fraction]:
        year = self.span.first.year
        if kind == KeyKind.EQUAL:
            return dict.fromkeys(self.names, 1)
        if kind == KeyKind.INHABITANTS:  # the statistical office's figure of 30 June of the year before, or older
            return dict(membership.inhabitants(room(self.actor), reference_date=date(year - 1, 6, 30)))
        if kind == KeyKind.CAPITAL:
            periods = membership.carriers_between(room(self.actor), start=self.span.first, end=self.span.last)
            ordered = sorted(periods, key=lambda period: period.valid_until or FAR)
            return {period.member_id: period.share_cents for period in ordered}
        if kind == KeyKind.TURNOVER:
            lines = ChargeLine.objects.filter(run__state=ChargeRun.State.ISSUED, run__year=year - 1)
            sums = lines.values_list("member_id").annotate(n=Sum("cents"))
            return {member: max(cents, 0) for member, cents in sums}
        values = KeyValue.objects.filter(kind=kind, reference_date__lte=date(year, 1, 1))
        newest = values.order_by("reference_date", "id").values_list("member_id", "value")
        return {member: Fraction(value) for member, value in newest}
