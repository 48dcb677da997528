"""The laws of sharing cost, by their number: L1 to L10, VAT1 to VAT4, M8 and M2; without any table."""

import json
from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verbund.modules.costsharing.models import overhead, sharing, taxes
from verbund.modules.costsharing.models.days import Span, cut, days_of_year, missing, year_span
from verbund.modules.costsharing.models.inputs import (
    ItemInput,
    LevyInput,
    PartyInput,
    PriceInput,
    QuantityInput,
    RunInputs,
    ServiceInput,
    frozen,
)
from verbund.modules.costsharing.models.reckoning import reckon
from verbund.modules.costsharing.models.sharing import KeyPart, by_days, fit, share

QUICK = settings(max_examples=60, deadline=None)
SLOW = settings(max_examples=12, deadline=None)
CODES = ["AMT-A", "STADT-B", "KREIS-C", "STADT-D", "AMT-E", "STADT-F"]
CENTS = st.integers(-10_000_000_00, 10_000_000_00)
WEIGHTS = st.dictionaries(st.sampled_from(CODES), st.integers(0, 100_000), min_size=1).filter(
    lambda found: any(found.values())
)
YEARS = st.integers(2023, 2028)


def days_in(year: int) -> st.SearchStrategy[date]:
    return st.dates(date(year, 1, 1), date(year, 12, 31))


# --- sharing


@QUICK
@given(CENTS, WEIGHTS)
def test_l1_shares_sum_to_the_pool_exactly(total: int, weights: dict[str, int]) -> None:
    shares = share(total, weights)
    assert sum(shares.values()) == total
    base = sum(weights.values())
    for code, cents in shares.items():  # the quota rule
        assert abs(Fraction(total * weights[code], base) - cents) < 1


@QUICK
@given(CENTS, WEIGHTS, st.randoms(use_true_random=False))
def test_l2_shares_do_not_depend_on_the_order_of_members(total: int, weights: dict[str, int], rng: object) -> None:
    order = list(weights)
    rng.shuffle(order)  # type: ignore[attr-defined]
    assert share(total, {code: weights[code] for code in order}) == share(total, weights)


@QUICK
@given(CENTS, WEIGHTS, st.sampled_from(CODES), st.integers(1, 5000))
def test_l3_no_key_no_share_and_a_higher_key_never_a_lower_quota(
    total: int, weights: dict[str, int], code: str, more: int
) -> None:
    shares = share(total, weights)
    assert all(shares[c] == 0 for c, weight in weights.items() if weight == 0)
    before = Fraction(weights.get(code, 0), sum(weights.values()))
    raised = {**weights, code: weights.get(code, 0) + more}
    assert Fraction(raised[code], sum(raised.values())) >= before
    # Rounding may take back less than a cent of what the quota gained, never more.
    assert abs(share(total, raised)[code]) >= abs(shares.get(code, 0)) - 1


def test_ties_go_to_the_lower_member_code() -> None:
    assert share(100, {"C": 1, "B": 1, "A": 1}) == {"A": 34, "B": 33, "C": 33}
    assert share(-100, {"C": 1, "B": 1, "A": 1}) == {"A": -34, "B": -33, "C": -33}


def test_nothing_to_share_by_is_refused() -> None:
    with pytest.raises(sharing.NoWeight):
        share(1, {"A": 0})
    with pytest.raises(ValueError, match="below zero"):
        share(1, {"A": -1, "B": 2})
    assert share(0, {"A": 0}) == {"A": 0}


def test_the_worked_example_of_the_alliance(shared_dir: Path) -> None:
    example = json.loads((shared_dir / "examples" / "budget" / "example1.json").read_text())["alliance"]
    case = example["cost_allocation"]
    shares = share(int(case["total"].replace(".", "")), case["keys"])
    assert {code: f"{cents // 100}.{cents % 100:02d}" for code, cents in shares.items()} == case["expected"]


def test_l10_amt_stralendorf_2022() -> None:
    assert sharing.own_share(158_188_60, 149_694_00) == 8_494_60


@QUICK
@given(st.integers(0, 10**10), st.integers(0, 10**10))
def test_l10_subsidy_and_own_share_are_the_charge(charge: int, subsidy: int) -> None:
    if subsidy > charge:
        with pytest.raises(ValueError, match="subsidy"):
            sharing.own_share(charge, subsidy)
    else:
        assert subsidy + sharing.own_share(charge, subsidy) == charge


# --- days


@SLOW
@given(YEARS, st.data())
def test_l7_and_m8_everybody_bears_the_days_on_which_they_are_there(year: int, data: st.DataObject) -> None:
    whole = year_span(year)
    joined = {code: data.draw(days_in(year)) for code in CODES[1:]}
    present = {CODES[0]: [whole]} | {code: [Span(day, whole.last)] for code, day in joined.items()}
    values = {code: data.draw(st.integers(1, 9999)) for code in CODES}
    total = data.draw(st.integers(0, 10**9))
    daily = by_days(total, whole, [KeyPart("workplaces", Fraction(1), values)], present)
    assert sum(daily.exact.values()) == total
    assert daily.unborne == []
    # day by day, the slow way
    slow = dict.fromkeys(CODES, Fraction(0))
    for number in range(whole.days):
        day = whole.first + timedelta(days=number)
        there = [code for code, spans in present.items() if any(s.first <= day <= s.last for s in spans)]
        base = sum(values[code] for code in there)
        for code in there:
            slow[code] += Fraction(total * values[code], whole.days * base)
    assert daily.exact == slow
    assert sum(fit(total, daily.exact).values()) == total


def test_m8_a_leaver_bears_until_the_last_day_and_the_others_the_rest() -> None:
    year = year_span(2025)
    part = KeyPart("equal", Fraction(1), {"A": 1, "B": 1})
    shares = by_days(365_00, year, [part], {"A": [year], "B": [Span(year.first, date(2025, 1, 31))]})
    assert shares.exact == {"A": Fraction(365_00 - 15_50), "B": Fraction(15_50)}


def test_days_that_nobody_bears_are_named() -> None:
    year = year_span(2025)
    part = KeyPart("equal", Fraction(1), {"A": 1})
    daily = by_days(365_00, year, [part], {"A": [Span(date(2025, 2, 1), date(2025, 11, 30))]})
    assert daily.unborne == [
        Span(date(2025, 1, 1), date(2025, 1, 31)),
        Span(date(2025, 12, 1), date(2025, 12, 31)),
    ]


@QUICK
@given(CENTS, YEARS, st.data())
def test_the_stretches_of_a_year_sum_to_the_year(total: int, year: int, data: st.DataObject) -> None:
    pieces = cut(year_span(year), data.draw(st.lists(days_in(year), max_size=8)))
    whole, done, parts = days_of_year(year), 0, []
    for piece in pieces:
        parts.append(sharing.part_of_year(total, done, done + piece.days, whole))
        done += piece.days
    assert done == whole
    assert sum(parts) == total


@QUICK
@given(YEARS, st.data())
def test_what_is_missing_and_what_is_covered_are_the_whole(year: int, data: st.DataObject) -> None:
    whole = year_span(year)
    ends = data.draw(st.lists(st.tuples(days_in(year), days_in(year)), max_size=5))
    spans = [Span(min(pair), max(pair)) for pair in ends]
    gaps = missing([whole], spans)
    covered = {whole.first + timedelta(days=n) for n in range(whole.days)}
    covered = {day for day in covered if any(s.first <= day <= s.last for s in spans)}
    assert sum(gap.days for gap in gaps) == whole.days - len(covered)
    assert not any(gap.first <= day <= gap.last for gap in gaps for day in covered)


# --- overhead


@QUICK
@given(
    st.lists(st.integers(0, 10**8), min_size=6, max_size=6),
    st.lists(st.integers(0, 50), min_size=15, max_size=15),
)
def test_l9_step_down_keeps_the_total_and_ends(cents: list[int], numbers: list[int]) -> None:
    order, final = ["BUILDING", "NETWORK", "STAFF"], ["CORE", "SCHOOL", "PAYROLL"]
    centres = order + final
    weights, numbers_left = {}, iter(numbers)
    for place, centre in enumerate(order):
        weights[centre] = {other: next(numbers_left, 0) for other in centres[place + 1 :]}
        weights[centre]["CORE"] += 1
    done = overhead.step_down(dict(zip(centres, cents)), order, weights)
    assert sum(done.final.values()) == sum(cents)
    assert set(done.final) <= set(final)
    assert [step.centre for step in done.steps] == order
    assert all(sum(step.given.values()) == step.cents for step in done.steps)


@pytest.mark.parametrize("weights", [{"B": {"A": 1}}, {"A": {"A": 1}}, {"X": {"A": 1}}])
def test_l9_a_circle_is_refused(weights: dict[str, dict[str, int]]) -> None:
    with pytest.raises(overhead.WrongOrder):
        overhead.step_down({"A": 100, "B": 100, "X": 5}, ["A", "B"], weights)


def test_overhead_that_nobody_takes_is_refused() -> None:
    with pytest.raises(sharing.NoWeight):
        overhead.step_down({"A": 100}, ["A"], {})


# --- tax


@QUICK
@given(st.lists(st.tuples(st.sampled_from(sorted(taxes.TREATMENTS)), st.integers(-(10**7), 10**7)), max_size=12))
def test_vat1_and_vat2_tax_is_on_the_sum_and_nowhere_else(lines: list[tuple[str, int]]) -> None:
    for tax in taxes.tax_sums(lines):
        assert tax.net_cents == sum(cents for code, cents in lines if code == tax.treatment)
        if taxes.TREATMENTS[tax.treatment].rate == 0:
            assert tax.tax_cents == 0
        else:
            assert abs(Fraction(tax.net_cents * tax.rate, 100) - tax.tax_cents) <= Fraction(1, 2)


def test_vat1_on_the_sum_not_on_each_line() -> None:
    assert taxes.tax_sums([("taxable_19", 3)] * 3) == [taxes.TaxSum("taxable_19", 19, 9, 2)]  # by line it were 3


def test_a_treatment_that_nobody_reviewed_is_not_assumed() -> None:
    with pytest.raises(KeyError):
        taxes.tax_sums([("", 100)])


@QUICK
@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9))
def test_vat3_input_tax_for_taxable_outputs_only(tax: int, taxable: int, other: int) -> None:
    yes, no = taxes.deductible_input_tax(tax, taxable=taxable, other=other)
    assert yes + no == tax
    if taxable == 0:
        assert yes == 0
    elif other == 0:
        assert no == 0
    else:
        assert abs(Fraction(tax * taxable, taxable + other) - yes) < 1


def test_vat4_the_switch_of_2027_splits_by_the_day_of_performance() -> None:
    steps = [(date(2020, 1, 1), "bga_old_law"), (date(2027, 1, 1), "taxable_19")]
    span = Span(date(2026, 12, 1), date(2027, 1, 31))
    assert taxes.split_by_treatment(span, steps) == [
        (Span(date(2026, 12, 1), date(2026, 12, 31)), "bga_old_law"),
        (Span(date(2027, 1, 1), date(2027, 1, 31)), "taxable_19"),
    ]
    assert taxes.split_by_treatment(Span(date(2019, 12, 31), date(2020, 1, 1)), steps)[0] == (
        Span(date(2019, 12, 31), date(2019, 12, 31)),
        None,
    )


# --- a whole run

OLD, NEW = "not_taxable_2b3_2", "taxable_19"


def party(code: str) -> PartyInput:
    return PartyInput(code, f"id-{code}", code.title(), "town")


def workplaces(
    year: int,
    *,
    used: Mapping[str, tuple[Span, ...]],
    quantity: int = 83,
    prices: tuple[tuple[date, Fraction], ...] = ((date(2020, 1, 1), Fraction(120_00)),),
    treatments: tuple[tuple[date, str], ...] = ((date(2020, 1, 1), OLD),),
    **more: object,
) -> ServiceInput:
    return ServiceInput(
        code="CORE",
        name="Kern-IT",
        unit="workplace",
        legal_basis="contract",
        treatments={"": treatments},
        prices=(PriceInput("quantity", "stock", "workplace", prices),),
        used=used,
        quantities={code: (QuantityInput(year_span(year), Fraction(quantity), "entered"),) for code in used},
        **more,  # type: ignore[arg-type]
    )


@QUICK
@given(YEARS, st.data())
def test_l6_a_price_change_applies_from_its_date(year: int, data: st.DataObject) -> None:
    change = data.draw(days_in(year))
    old, new = data.draw(st.integers(0, 500_00)), data.draw(st.integers(0, 500_00))
    quantity = data.draw(st.integers(0, 4000))
    whole = year_span(year)
    service = workplaces(
        year,
        used={"A": (whole,)},
        quantity=quantity,
        prices=((date(2020, 1, 1), Fraction(old)), (change, Fraction(new))),
    )
    done = reckon(RunInputs("advance", whole, (party("A"),), (service,)))
    before = (change - whole.first).days
    exact = Fraction(quantity * (old * before + new * (whole.days - before)), whole.days)
    assert sum(line.cents for line in done.lines) == sharing.half_up(exact)
    assert done.findings == []
    assert sum((line.quantity or 0 for line in done.lines), Fraction(0)) == quantity
    made = [sum((q * days / of for q, days, of in line.made_of), Fraction(0)) for line in done.lines]
    assert made == [line.quantity for line in done.lines]  # what is told of a line is what was reckoned


@QUICK
@given(YEARS, st.data())
def test_l7_a_joiner_pays_from_the_first_day_a_leaver_to_the_last(year: int, data: st.DataObject) -> None:
    one, two = data.draw(days_in(year)), data.draw(days_in(year))
    stay = Span(min(one, two), max(one, two))
    done = reckon(RunInputs("advance", year_span(year), (party("A"),), (workplaces(year, used={"A": (stay,)}),)))
    assert sum(line.cents for line in done.lines) == sharing.half_up(
        Fraction(83 * 120_00 * stay.days, days_of_year(year))
    )
    assert all(stay.first <= line.span.first and line.span.last <= stay.last for line in done.lines)


@QUICK
@given(YEARS, st.data())
def test_l4_and_l5_a_settled_year_is_neither_profit_nor_loss(year: int, data: st.DataObject) -> None:
    whole = year_span(year)
    used = {code: (Span(data.draw(days_in(year)), whole.last),) for code in CODES[1:4]} | {CODES[0]: (whole,)}
    pool = data.draw(st.integers(0, 10**9))
    advances = {code: {OLD: data.draw(st.integers(0, 10**8))} for code in [*CODES[:3], CODES[5]]}
    switch = data.draw(days_in(year))
    service = workplaces(
        year,
        used=used,
        treatments=((date(2020, 1, 1), OLD), (switch, NEW)),
        settled_by="use",
        pool_cents=pool,
        advances=advances,
    )
    parties = tuple(party(code) for code in CODES)
    done = reckon(RunInputs("settlement", whole, parties, (service,)))
    assert done.findings == []
    paid = sum(cents for own in advances.values() for cents in own.values())
    assert sum(line.final_cents or 0 for line in done.lines) == pool  # L4
    assert sum(line.cents for line in done.lines) == pool - paid  # L5
    for line in done.lines:
        assert line.cents == (line.final_cents or 0) - (line.advance_cents or 0)


@QUICK
@given(YEARS, st.data())
def test_l1_a_levy_by_a_mixed_key_sums_to_its_amount(year: int, data: st.DataObject) -> None:
    whole = year_span(year)
    parts = tuple(
        KeyPart(kind, Fraction(weight), {code: data.draw(st.integers(1, 90_000)) for code in CODES})
        for kind, weight in (("inhabitants", 30), ("workplaces", 70))
    )
    present = {CODES[0]: (whole,)} | {code: (Span(data.draw(days_in(year)), whole.last),) for code in CODES[1:]}
    total = data.draw(st.integers(1, 10**9))
    service = ServiceInput(
        "ADMIN", "Umlage", "flat", "levy", {"": ((date(2020, 1, 1), OLD),)}, levy=LevyInput(total, "K", parts, present)
    )
    done = reckon(RunInputs("advance", whole, tuple(party(code) for code in CODES), (service,)))
    assert sum(line.cents for line in done.lines) == total
    shuffled = RunInputs("advance", whole, tuple(party(code) for code in reversed(CODES)), (service,))
    assert sorted(reckon(shuffled).lines, key=str) == sorted(done.lines, key=str)  # L2


def test_vat4_a_year_across_the_switch_has_a_line_for_each_treatment() -> None:
    whole = year_span(2026)
    service = workplaces(2026, used={"A": (whole,)}, treatments=((date(2020, 1, 1), OLD), (date(2026, 7, 1), NEW)))
    lines = reckon(RunInputs("advance", whole, (party("A"),), (service,))).lines
    assert [(line.treatment, line.span, line.cents) for line in lines] == [
        (OLD, Span(date(2026, 1, 1), date(2026, 6, 30)), 493_907),
        (NEW, Span(date(2026, 7, 1), date(2026, 12, 31)), 502_093),
    ]
    assert sum(line.cents for line in lines) == 83 * 120_00


def test_a_flow_is_part_of_the_days_it_was_counted_on() -> None:
    month = Span(date(2026, 3, 1), date(2026, 3, 31))
    service = ServiceInput(
        "HELP",
        "Hilfe",
        "ticket",
        "contract",
        {"": ((date(2020, 1, 1), OLD),)},
        prices=(
            PriceInput(
                "quantity",
                "flow",
                "ticket",
                ((date(2020, 1, 1), Fraction(10_00)), (date(2026, 3, 11), Fraction(20_00))),
            ),
        ),
        used={"A": (month,)},
        quantities={"A": (QuantityInput(month, Fraction(31), "metered"),)},
    )
    done = reckon(RunInputs("advance", year_span(2026), (party("A"),), (service,)))
    assert [(line.quantity, line.price, line.cents) for line in done.lines] == [
        (Fraction(10), Fraction(10_00), 100_00),
        (Fraction(21), Fraction(20_00), 420_00),
    ]


def test_days_without_a_figure_are_carried_forward_in_advance_and_refused_in_a_settlement() -> None:
    whole = year_span(2026)
    service = ServiceInput(
        "CORE",
        "Kern-IT",
        "workplace",
        "contract",
        {"": ((date(2020, 1, 1), OLD),)},
        prices=(PriceInput("quantity", "stock", "workplace", ((date(2020, 1, 1), Fraction(365_00)),)),),
        used={"A": (whole,)},
        quantities={"A": (QuantityInput(Span(date(2025, 12, 1), date(2026, 1, 31)), Fraction(2), "metered"),)},
        settled_by="use",
        pool_cents=100,
    )
    ahead = reckon(RunInputs("advance", whole, (party("A"),), (service,)))
    assert sum(line.cents for line in ahead.lines) == 730_00
    assert [(f.severity, f.code) for f in ahead.findings] == [("note", "carried_forward")]
    back = reckon(RunInputs("settlement", whole, (party("A"),), (service,)))
    assert [(f.severity, f.code, f.detail) for f in back.findings] == [("error", "no_measure", "2026-02-01")]


def test_without_price_or_treatment_the_service_is_named() -> None:
    whole = year_span(2026)
    used = {"A": (whole,)}
    unreviewed = workplaces(2026, used=used, treatments=())
    unpriced = workplaces(2026, used=used, prices=((date(2026, 2, 1), Fraction(1)),))
    for service, code in ((unreviewed, "no_treatment"), (unpriced, "no_price")):
        done = reckon(RunInputs("advance", whole, (party("A"),), (service,)))
        assert [(f.severity, f.code, f.service) for f in done.findings] == [("error", code, "CORE")]


def test_l10_a_project_keeps_its_subsidy() -> None:
    whole = year_span(2022)
    service = ServiceInput("SCHOOL", "Schul-IT", "flat", "contract", {"": ((date(2020, 1, 1), OLD),)})
    item = ItemInput("1", "A", "SCHOOL", "project", "DigitalPakt", date(2022, 5, 3), 158_188_60, 149_694_00, "")
    (line,) = reckon(RunInputs("advance", whole, (party("A"),), (service,), (item,))).lines
    assert (line.cents, line.subsidy_cents, line.cents - line.subsidy_cents) == (158_188_60, 149_694_00, 8_494_60)


def test_l8_the_frozen_copy_tells_every_value() -> None:
    whole = year_span(2026)
    first = RunInputs("advance", whole, (party("A"),), (workplaces(2026, used={"A": (whole,)}),))
    other = RunInputs("advance", whole, (party("A"),), (workplaces(2026, used={"A": (whole,)}, quantity=84),))
    values, digest = frozen(first)
    assert values["services"][0]["quantities"]["A"][0] == {
        "span": ["2026-01-01", "2026-12-31"],
        "quantity": "83",
        "source": "entered",
    }
    assert digest == frozen(first)[1] != frozen(other)[1]
