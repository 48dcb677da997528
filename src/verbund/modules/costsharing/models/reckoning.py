"""A whole charge run, from plain inputs to lines to the cent. Knows no tables; the same inputs give the same lines.

Rounding: what one member pays for one component of one service is reckoned exactly over all its days, rounded once
(half up), and only then laid on the lines (one per price and tax treatment), so that cutting a year at price changes
never costs a cent.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from .days import Span, cut, days_of_year, merged, missing
from .inputs import PartyInput, PriceInput, QuantityInput, RunInputs, ServiceInput
from .sharing import NoWeight, by_days, fit, fit_rounded, share
from .taxes import split_by_treatment


@dataclass(frozen=True, slots=True)
class ReckonedLine:
    """One line. `quantity` is in units and years for a stock (83 workplaces on 184 of 365 days are 41.84), `price` in
    cents per unit; both None where the amount does not come from a price."""

    party: str
    service: str
    component: str  # base, quantity, levy, settlement, project, pass_through
    span: Span
    treatment: str
    cents: int
    quantity: Fraction | None = None
    price: Fraction | None = None
    subsidy_cents: int = 0
    text: str = ""
    item: str = ""
    final_cents: int | None = None  # of a settlement: the share before advances
    advance_cents: int | None = None
    made_of: tuple[tuple[Fraction, int, int], ...] = ()  # of a price: quantity, days, days of the year or count
    charging: str = ""  # stock, flow


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Finding (Prüfhinweis): something to look at. With an `error` a run cannot be proposed."""

    severity: str  # error, warning, note
    code: str
    service: str = ""
    party: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Reckoned:
    """The lines in the order of members and services, and what was found on the way."""

    lines: list[ReckonedLine]
    findings: list[Finding]


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Days on which neither price nor treatment change; None where there is none yet. Those with the same price and
    treatment have the same `number`."""

    span: Span
    amount: Fraction | None
    treatment: str | None
    number: int


@dataclass(slots=True)
class _Sum:
    """The days of a member at one price and treatment."""

    amount: Fraction
    treatment: str
    first: date
    last: date
    parts: dict[tuple[Fraction, int], int]  # (quantity, of how many days) -> days

    def quantity(self) -> Fraction:
        """Units, of a stock units and years; exact."""
        first, *others = (
            Fraction(units.numerator * days, units.denominator * of) for (units, of), days in self.parts.items()
        )
        return sum(others, first)

    def made_of(self) -> tuple[tuple[Fraction, int, int], ...]:
        """Quantity, days, of how many days."""
        return tuple((quantity, days, of) for (quantity, of), days in self.parts.items())


def reckon(inputs: RunInputs) -> Reckoned:
    """All lines of a run."""
    parties = {party.code: party for party in inputs.parties}
    lines: list[ReckonedLine] = []
    findings: set[Finding] = set()
    for service in inputs.services:
        if inputs.kind == "settlement":
            lines += _settled(service, inputs.span, parties, findings)
        else:
            lines += _priced(service, inputs.span, parties, findings)
            lines += _levied(service, inputs.span, parties, findings)
    lines += _items(inputs, parties, findings)
    order = {party.code: (party.name, party.code) for party in inputs.parties}
    lines.sort(key=lambda line: (order[line.party], line.service, line.component, line.span, line.text))
    return Reckoned(lines, sorted(findings))


def _priced(
    service: ServiceInput, over: Span, parties: Mapping[str, PartyInput], findings: set[Finding]
) -> Iterable[ReckonedLine]:
    for price, code, sums in _sums(service, over, parties, findings, settling=False):
        units = [part.quantity() for part in sums]
        cents = fit_rounded({str(n): part.amount * units[n] for n, part in enumerate(sums)})
        for n, part in enumerate(sums):
            yield ReckonedLine(
                code,
                service.code,
                price.component,
                Span(part.first, part.last),
                part.treatment,
                cents[str(n)],
                units[n],
                part.amount,
                made_of=part.made_of(),
                charging=price.charging,
            )


def _sums(
    service: ServiceInput, over: Span, parties: Mapping[str, PartyInput], findings: set[Finding], *, settling: bool
) -> Iterable[tuple[PriceInput, str, list[_Sum]]]:
    """What each member's days cost by each price: cut where price, quantity or treatment change, then put together
    again by price and treatment (L6, VAT4)."""
    courses: dict[tuple[int, str], list[_Stretch]] = {}  # the same for all bodies of a kind
    for code, spans in service.used.items():
        party = parties[code]
        days = [inside for span in spans if (inside := span.within(over))]
        for number, price in enumerate(service.prices):
            course = courses.get((number, party.kind))
            if course is None:
                course = courses[number, party.kind] = _course(price, service.treatment_steps(party.kind), over)
            quantities = _quantities(service, price, party, days, findings, settling=settling)
            yield price, code, _summed(service, course, quantities, findings)


def _course(price: PriceInput, treatments: Sequence[tuple[date, str]], over: Span) -> list[_Stretch]:
    """The days of `over` in stretches of one price and one treatment."""
    changes = [day for day, _price in price.steps]
    numbers: dict[tuple[Fraction | None, str | None], int] = {}
    course = []
    for piece, treatment in split_by_treatment(over, treatments):
        for bit in cut(piece, changes):
            amount = _price_on(price.steps, bit.first)
            course.append(_Stretch(bit, amount, treatment, numbers.setdefault((amount, treatment), len(numbers))))
    return course


def _summed(
    service: ServiceInput,
    course: Iterable[_Stretch],
    quantities: Iterable[tuple[Span, Fraction, int]],
    findings: set[Finding],
) -> list[_Sum]:
    """In the order of the days."""
    found: dict[int, _Sum] = {}
    for part, quantity, share_of in quantities:
        for stretch in course:
            bit = part.within(stretch.span)
            if bit is None:
                continue
            if stretch.treatment is None:
                findings.add(Finding("error", "no_treatment", service.code))
                continue
            if stretch.amount is None:
                findings.add(Finding("error", "no_price", service.code, detail=bit.first.isoformat()))
                continue
            there = found.get(stretch.number)
            if there is None:
                there = found[stretch.number] = _Sum(stretch.amount, stretch.treatment, bit.first, bit.last, {})
            else:
                there.first, there.last = min(there.first, bit.first), max(there.last, bit.last)
            there.parts[quantity, share_of] = there.parts.get((quantity, share_of), 0) + bit.days
    return list(found.values())


def _quantities(
    service: ServiceInput,
    price: PriceInput,
    party: PartyInput,
    days: Sequence[Span],
    findings: set[Finding],
    *,
    settling: bool,
) -> Iterable[tuple[Span, Fraction, int]]:
    """(days, quantity, what the days are a part of): a stock and a base amount are parts of the year, a flow is part of
    the days it was counted on."""
    if price.component == "base":
        for span in days:
            yield span, Fraction(1), days_of_year(span.first.year)
        return
    measured = service.quantities.get(party.code, ())
    limit = service.limits.get(party.code)
    covered = []
    for quantity in measured:
        for span in days:
            inside = quantity.span.within(span)
            if inside is None:
                continue
            covered.append(inside)
            if limit is not None and quantity.quantity > limit:
                findings.add(Finding("warning", "over_limit", service.code, party.code))
            whole = quantity.span.days if price.charging == "flow" else days_of_year(inside.first.year)
            yield inside, quantity.quantity, whole
    for gap in missing(merged(days), covered):
        last_known = _last_before(measured, gap.first)
        if price.charging == "flow":
            findings.add(Finding("warning" if settling else "note", "not_counted_yet", service.code, party.code))
        elif settling or last_known is None:
            findings.add(Finding("error", "no_measure", service.code, party.code, gap.first.isoformat()))
        else:
            findings.add(Finding("note", "carried_forward", service.code, party.code))
            yield gap, last_known.quantity, days_of_year(gap.first.year)


def _last_before(measured: Iterable[QuantityInput], day: date) -> QuantityInput | None:
    return max((m for m in measured if m.span.last < day), key=lambda m: m.span.last, default=None)


def _price_on(steps: Iterable[tuple[date, Fraction]], day: date) -> Fraction | None:
    return max(((first, price) for first, price in steps if first <= day), default=(day, None))[1]


def _levied(
    service: ServiceInput, over: Span, parties: Mapping[str, PartyInput], findings: set[Finding]
) -> Iterable[ReckonedLine]:
    levy = service.levy
    if levy is None or not levy.cents:
        return
    try:
        daily = by_days(levy.cents, over, levy.parts, levy.present)
    except NoWeight as error:
        findings.add(Finding("error", "no_key_values", service.code, detail=str(error)))
        return
    if daily.unborne:
        findings.add(Finding("error", "nobody_bears", service.code, detail=daily.unborne[0].first.isoformat()))
        return
    for code, cents in fit(levy.cents, daily.exact).items():
        days = [inside for span in levy.present[code] if (inside := span.within(over))]
        for span, treatment, part in _by_treatment(service, parties[code], days, cents, findings):
            yield ReckonedLine(code, service.code, "levy", span, treatment, part)


def _by_treatment(
    service: ServiceInput, party: PartyInput, days: Sequence[Span], cents: int, findings: set[Finding]
) -> Iterable[tuple[Span, str, int]]:
    """An amount laid on the treatments of its days by their number."""
    if not cents:
        return
    lengths: dict[str, int] = {}
    spans: dict[str, Span] = {}
    for span in days:
        for piece, treatment in split_by_treatment(span, service.treatment_steps(party.kind)):
            if treatment is None:
                findings.add(Finding("error", "no_treatment", service.code))
                return
            lengths[treatment] = lengths.get(treatment, 0) + piece.days
            known = spans.get(treatment, piece)
            spans[treatment] = Span(min(known.first, piece.first), max(known.last, piece.last))
    for treatment, part in share(cents, lengths).items():
        yield spans[treatment], treatment, part


def _settled(
    service: ServiceInput, year: Span, parties: Mapping[str, PartyInput], findings: set[Finding]
) -> Iterable[ReckonedLine]:
    """Actual cost less other income, shared by use or by key, less the advances (L4, L5)."""
    if service.settled_by == "none":
        return
    if service.pool_cents is None:
        findings.add(Finding("error", "no_actual_cost", service.code))
        return
    final = _final(service, year, parties, findings)
    if final is None:
        return
    for code in sorted({*final, *service.advances}):
        paid, owed = service.advances.get(code, {}), final.get(code, {})
        for treatment in sorted({*owed, *paid}):
            due, advance = owed.get(treatment, 0), paid.get(treatment, 0)
            if due or advance:
                span = _span_of(service, code, year)
                yield ReckonedLine(
                    code,
                    service.code,
                    "settlement",
                    span,
                    treatment,
                    due - advance,
                    final_cents=due,
                    advance_cents=advance,
                )


def _span_of(service: ServiceInput, code: str, year: Span) -> Span:
    spans = list(service.used.get(code, ())) + list(service.levy.present.get(code, ()) if service.levy else ())
    inside = [part for span in spans if (part := span.within(year))]
    return Span(min(s.first for s in inside), max(s.last for s in inside)) if inside else year


def _final(
    service: ServiceInput, year: Span, parties: Mapping[str, PartyInput], findings: set[Finding]
) -> dict[str, dict[str, int]] | None:
    """The final shares by member and treatment; they sum to the pool."""
    pool = service.pool_cents or 0
    if service.settled_by == "key":
        if service.levy is None:
            findings.add(Finding("error", "no_key_values", service.code))
            return None
        try:
            daily = by_days(pool, year, service.levy.parts, service.levy.present)
        except NoWeight as error:
            findings.add(Finding("error", "no_key_values", service.code, detail=str(error)))
            return None
        if daily.unborne:
            findings.add(Finding("error", "nobody_bears", service.code, detail=daily.unborne[0].first.isoformat()))
            return None
        found: dict[str, dict[str, int]] = {}
        for code, cents in fit(pool, daily.exact).items():
            days = [inside for span in service.levy.present[code] if (inside := span.within(year))]
            parts = _by_treatment(service, parties[code], days, cents, findings)
            found[code] = {treatment: part for _span, treatment, part in parts}
        return found
    weights: dict[str, dict[str, Fraction]] = {code: {} for code in service.used}
    for _price, code, sums in _sums(service, year, parties, findings, settling=True):
        own = weights[code]
        for part in sums:
            own[part.treatment] = own.get(part.treatment, Fraction(0)) + part.amount * part.quantity()
    try:
        shares = share(pool, {code: sum(own.values(), Fraction(0)) for code, own in weights.items()})
    except NoWeight:
        findings.add(Finding("error", "nobody_bears", service.code))
        return None
    return {code: share(cents, weights[code]) if cents else {} for code, cents in shares.items()}


def _items(inputs: RunInputs, parties: Mapping[str, PartyInput], findings: set[Finding]) -> Iterable[ReckonedLine]:
    services = {service.code: service for service in inputs.services}
    for item in inputs.items:
        service = services.get(item.service)
        steps = service.treatment_steps(parties[item.party].kind) if service else ()
        day = Span(item.performed_on, item.performed_on)
        treatment = split_by_treatment(day, steps)[0][1]
        if treatment is None:
            findings.add(Finding("error", "no_treatment", item.service))
            continue
        yield ReckonedLine(
            item.party,
            item.service,
            item.kind,
            day,
            treatment,
            item.cents,
            subsidy_cents=item.subsidy_cents,
            text=item.text,
            item=item.id,
        )
