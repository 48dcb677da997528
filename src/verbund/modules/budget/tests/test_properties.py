"""Properties of random histories: trial balance, order, reversal, EH against FH, the statements' agreement."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from verbund.modules.budget import queries, services
from verbund.modules.budget.models import LineBalance, OpenItem, Voucher
from verbund.modules.budget.services import Line, NewItem, Posting, VoucherKind

from .factories import NOW, SYSTEM, Town, make_town

RELAXED = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))


@contextmanager
def undone() -> Iterator[None]:
    """An example's own transaction, rolled back at its end; the deferred checks are made before."""
    with transaction.atomic():
        yield
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        transaction.set_rollback(True)


@dataclass(frozen=True)
class Step:
    """One thing that happens in a year: an amount, a day, and what kind of thing."""

    what: str
    cents: int
    day: date
    product: str


STEPS = st.lists(
    st.builds(
        Step,
        what=st.sampled_from(["revenue", "receipt", "invoice", "payment", "depreciation", "grant", "cash", "back"]),
        cents=st.integers(1, 10_000_000),
        day=st.dates(date(2026, 1, 1), date(2026, 12, 31)),
        product=st.sampled_from(["12301", "54100", "12600"]),
    ),
    min_size=1,
    max_size=14,
)


class History:
    """Turns steps into valid vouchers; receipts and payments go to items that are open."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.receivable: list[NewItem] = []
        self.payable: list[NewItem] = []

    def posting(self, step: Step) -> Posting | None:
        lines = getattr(self, step.what)(step.cents, step.product)
        if lines is None:
            return None
        return Posting(2026, "BU", step.day, step.day, step.what, lines, VoucherKind.TRANSFER)

    def revenue(self, cents: int, product: str) -> list[Line]:
        item = NewItem("Forderung", product=product, finance_account="6311")
        self.receivable.append(item)
        return [Line("1710", product, debit=cents, new_item=item), Line("4311", product, credit=cents)]

    def receipt(self, cents: int, product: str) -> list[Line] | None:
        if not self.receivable:
            return None
        item = self.receivable[cents % len(self.receivable)]
        return [
            Line("1810", product, debit=cents, finance_account="6311"),
            Line("1710", product, credit=cents, open_item=item.id),
        ]

    def invoice(self, cents: int, product: str) -> list[Line]:
        item = NewItem("Rechnung", product=product, finance_account="7233")
        self.payable.append(item)
        return [Line("5233", product, debit=cents), Line("3510", product, credit=cents, new_item=item)]

    def payment(self, cents: int, product: str) -> list[Line] | None:
        if not self.payable:
            return None
        item = self.payable[cents % len(self.payable)]
        return [
            Line("3510", product, debit=cents, open_item=item.id),
            Line("1810", product, credit=cents, finance_account="7233"),
        ]

    def depreciation(self, cents: int, product: str) -> list[Line]:
        return [Line("5310", product, debit=cents), Line("0710", product, credit=cents)]

    def grant(self, cents: int, product: str) -> list[Line]:
        return [Line("1810", product, debit=cents, finance_account="6814"), Line("2310", product, credit=cents)]

    def cash(self, cents: int, product: str) -> list[Line]:
        return [Line("1810", product, debit=cents, finance_account="6311"), Line("4311", product, credit=cents)]

    def back(self, cents: int, product: str) -> list[Line]:
        return [
            Line("4311", product, debit=cents),
            Line("1810", product, credit=cents, finance_account="6311", deduction=True),
        ]


def play(town: Town, steps: list[Step]) -> list[services.VoucherRef]:
    history = History(town)
    refs = []
    for step in steps:
        posting = history.posting(step)
        if posting is not None:
            refs += services.post_vouchers(SYSTEM, ledger=town.ledger, postings=[posting], now=NOW)
    return refs


def balances(town: Town) -> dict[str, int]:
    return {r.code: r.balance for r in queries.trial_balance(SYSTEM, town.ledger, 2026).rows if r.balance}


def funds() -> dict[str, tuple[int, int]]:
    rows = LineBalance.objects.select_related("line__product", "line__account")
    return {f"{b.line.product.code}.{b.line.account.code}": (b.consumed, b.open) for b in rows if b.consumed or b.open}


@pytest.fixture
def town(alpha: Any) -> Town:
    return make_town()


@given(STEPS)
@RELAXED
def test_the_trial_balance_is_zero_after_every_voucher(town: Town, steps: list[Step]) -> None:
    """Properties 1 and 2 (J1, J9): at any prefix, and as of any day."""
    with undone():
        history = History(town)
        for step in steps:
            posting = history.posting(step)
            if posting is None:
                continue
            services.post_vouchers(SYSTEM, ledger=town.ledger, postings=[posting], now=NOW)
            assert queries.trial_balance(SYSTEM, town.ledger, 2026).total == 0
            as_of = queries.trial_balance(SYSTEM, town.ledger, 2026, as_of=step.day)
            assert (as_of.total, as_of.debit - as_of.credit) == (0, 0)


@given(STEPS, st.randoms(use_true_random=False))
@RELAXED
def test_the_order_of_posting_does_not_matter(town: Town, steps: list[Step], draw: random.Random) -> None:
    """Property 3 (J10): balances, budget figures and open items are the same for any order."""
    free = [s for s in steps if s.what not in ("receipt", "payment")]
    mixed = list(free)
    draw.shuffle(mixed)
    seen = []
    for order in (free, mixed):
        with undone():
            play(town, order)
            items = sorted(OpenItem.objects.values_list("account__code", "open_cents"))
            seen.append((balances(town), funds(), items))
    assert seen[0] == seen[1]


@given(STEPS)
@RELAXED
def test_reversing_everything_restores_everything(town: Town, steps: list[Step]) -> None:
    """Property 4 (J4, E): the last first, all balances, open items and budget figures are as before."""
    with undone():
        before = (balances(town), funds(), queries.cash_statement(SYSTEM, town.ledger, 2026).change_of_liquid_funds)
        history = History(town)
        refs = []
        for step in steps:
            posting = history.posting(step)
            # An item that is paid too much cannot be built back step by step; the services refuse that elsewhere.
            if posting is None or step.what in ("receipt", "payment"):
                continue
            refs += services.post_vouchers(SYSTEM, ledger=town.ledger, postings=[posting], now=NOW)
        for ref in reversed(refs):
            services.reverse_voucher(SYSTEM, voucher_id=ref.id, reason="Probe", now=NOW)
        after = (balances(town), funds(), queries.cash_statement(SYSTEM, town.ledger, 2026).change_of_liquid_funds)
        assert after == before
        assert set(OpenItem.objects.values_list("open_cents", flat=True)) <= {0}
        assert queries.reconcile_funds(SYSTEM, town.ledger, 2026) == []


def test_reversing_invoice_and_payment_restores_commitment_and_line(town: Town) -> None:
    """Property 4 with a commitment (E2): every stage moves the money on, nothing is held twice, all comes back."""
    demands = [services.Demand("54100", "5233", 50_000), services.Demand("54100", "7233", 50_000)]
    binding = services.commit(
        SYSTEM, ledger=town.ledger, year=2026, demands=demands, text="Auftrag", idempotency_key="b", now=NOW
    )
    assert funds() == {"54100.5233": (0, 50_000), "54100.7233": (0, 50_000)}
    item = NewItem("Rechnung", product="54100", finance_account="7233")
    day = date(2026, 6, 1)

    def post(lines: list[Line], bound: Any = None) -> services.VoucherRef:
        posting = Posting(2026, "BU", day, day, "x", lines, VoucherKind.INVOICE, bound)
        return services.post_vouchers(SYSTEM, ledger=town.ledger, postings=[posting], now=NOW)[0]

    invoice = post([Line("5233", "54100", debit=30_000), Line("3510", "54100", credit=30_000, new_item=item)], binding)
    assert funds() == {"54100.5233": (30_000, 20_000), "54100.7233": (0, 50_000)}
    payment = post(
        [
            Line("3510", "54100", debit=30_000, open_item=item.id),
            Line("1810", "54100", credit=30_000, finance_account="7233"),
        ]
    )
    assert funds() == {"54100.5233": (30_000, 20_000), "54100.7233": (30_000, 20_000)}
    with pytest.raises(services.NotReversible):
        services.reverse_voucher(SYSTEM, voucher_id=invoice.id, reason="x", now=NOW)
    services.reverse_voucher(SYSTEM, voucher_id=payment.id, reason="x", now=NOW)
    services.reverse_voucher(SYSTEM, voucher_id=invoice.id, reason="x", now=NOW)
    assert funds() == {"54100.5233": (0, 50_000), "54100.7233": (0, 50_000)}
    services.release(SYSTEM, binding_id=binding, now=NOW)
    services.release(SYSTEM, binding_id=binding, now=NOW)
    assert funds() == {}
    assert queries.reconcile_funds(SYSTEM, town.ledger, 2026) == []


@given(STEPS)
@RELAXED
def test_result_and_cash_differ_by_what_the_journal_explains(town: Town, steps: list[Step]) -> None:
    """Properties 10 and 11 (B2, B4, AC1-AC3): EH - FH is accruals, non-cash items and investment, nothing else."""
    with undone():
        start = queries.balance_sheet(SYSTEM, town.ledger, 2026)
        play(town, steps)
        result = queries.result_statement(SYSTEM, town.ledger, 2026)
        cash = queries.cash_statement(SYSTEM, town.ledger, 2026)
        sheet = queries.balance_sheet(SYSTEM, town.ledger, 2026)
        now = {r.code: r.cents for r in (*sheet.assets, *sheet.liabilities, *sheet.special_items)}
        was = {r.code: r.cents for r in (*start.assets, *start.liabilities, *start.special_items)}
        change = {code: now.get(code, 0) - was.get(code, 0) for code in ("0710", "1710", "3510", "2310")}
        assert sheet.total_assets == sheet.total_liabilities
        assert sheet.annual_result == result.annual_result
        assert (
            cash.opening_liquid_funds + cash.change_of_liquid_funds == cash.closing_liquid_funds == now.get("1810", 0)
        )
        accruals = change["1710"] - change["3510"]
        assert result.annual_result - cash.operating.balance == accruals + change["0710"]
        assert cash.investment.balance == change["2310"]
        assert queries.reconcile_items(SYSTEM, town.ledger) == []
        assert queries.reconcile_funds(SYSTEM, town.ledger, 2026) == []
        assert sum(cents for _c, _n, cents in result.by_product) == result.annual_result


def test_histories_do_reach_the_books(town: Town) -> None:
    """The properties above speak of real vouchers, not of empty ones."""
    steps = [Step(w, 100 + n, date(2026, 5, 1), "54100") for n, w in enumerate(["invoice", "payment", "cash", "back"])]
    assert len(play(town, steps)) == 4
    assert Voucher.objects.filter(series="BU").count() == 4
    assert balances(town)["5233"] == 100


@given(STEPS, STEPS)
@RELAXED
def test_a_year_opens_with_the_closing_of_the_year_before(town: Town, steps: list[Step], more: list[Step]) -> None:
    """Property 12, first half (J11): opening(y+1) = closing(y) for the balance sheet, 0 for revenue and expense."""
    with undone():
        services.open_year(SYSTEM, ledger=town.ledger, year=2027, now=NOW)
        play(town, steps)
        closed = queries.balance_sheet(SYSTEM, town.ledger, 2026)
        opened = queries.trial_balance(SYSTEM, town.ledger, 2027)
        wanted = {r.code: r.cents for r in closed.assets if r.cents}
        for rows in (closed.equity, closed.special_items, closed.provisions, closed.liabilities):
            wanted |= {r.code: -r.cents for r in rows if r.cents}
        if closed.annual_result:
            wanted["2030"] = -closed.annual_result
        assert {r.code: r.opening for r in opened.rows if r.opening} == wanted
        assert (opened.debit, opened.credit, opened.total) == (0, 0, 0)
        play(town, [Step(s.what, s.cents, s.day, s.product) for s in more])
        cash = queries.cash_statement(SYSTEM, town.ledger, 2027)
        before = queries.cash_statement(SYSTEM, town.ledger, 2026)
        assert cash.opening_liquid_funds == before.closing_liquid_funds
