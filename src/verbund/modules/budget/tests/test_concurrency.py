"""Races with real threads and real commits: numbers, reservations, reversals, the same matter twice, crashes and
rollbacks.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.races import at_once

from verbund.modules.budget import queries, services
from verbund.modules.budget.models import Binding, CircleBalance, Claim, LineBalance, SeriesCounter, Voucher, canonical
from verbund.modules.budget.services import Demand, Line
from verbund.platform.tenancy import acting_for

from .factories import NOW, SYSTEM, Town, make_town, paid, raise_claim

race = partial(at_once, body="alpha", threads=6)


@pytest.fixture
def town(real_database: str, alpha: Any) -> Town:
    return make_town()


def transfer(town: Town, cents: int = 100, series: str = "BU") -> services.VoucherRef:
    day = date(2026, 6, 1)
    return services.post_voucher(
        SYSTEM,
        ledger=town.ledger,
        year=2026,
        series=series,
        posting_date=day,
        document_date=day,
        text="Wettlauf",
        lines=[Line("0710", "12600", debit=cents), Line("2010", "12600", credit=cents)],
        now=NOW,
    )


class CrashError(Exception):
    """Something goes wrong after the posting, inside the transaction."""


def chain_is_whole() -> bool:
    with connection.cursor() as cursor:
        parts = []
        for statement in (canonical.VOUCHERS_SQL, canonical.LINES_SQL, canonical.COUNTERS_SQL):
            cursor.execute(statement)
            parts.append(cursor.fetchall())
    return list(canonical.broken_chains(*parts)) == []


def test_numbers_have_no_gaps_after_crashes_and_rollbacks(town: Town) -> None:
    """Property 7 (J3): 60 postings by six threads, a third of them rolled back after the number was given."""
    draw = random.Random(7)

    def job(crash: bool, series: str) -> Callable[[], Any]:
        def run() -> services.VoucherRef:
            with transaction.atomic():
                ref = transfer(town, series=series)
                if crash:
                    raise CrashError
            return ref

        return run

    plans = [(draw.random() < 0.34, draw.choice(["BU", "UM"])) for _ in range(60)]
    results = race([job(*plan) for plan in plans])
    posted = [r for r in results if isinstance(r, services.VoucherRef)]
    assert Counter(type(r).__name__ for r in results) == Counter(
        VoucherRef=sum(not c for c, _s in plans), CrashError=sum(c for c, _s in plans)
    )
    for series in ("BU", "UM"):
        numbers = sorted(Voucher.objects.filter(series=series).values_list("no", flat=True))
        assert numbers == list(range(1, len(numbers) + 1))
        assert SeriesCounter.objects.get(series=series).last_no == len(numbers)
    assert len({r.label for r in posted}) == len(posted) == Voucher.objects.exclude(series="EB").count()
    assert chain_is_whole()
    assert queries.reconcile_totals(SYSTEM, town.ledger, 2026) == []


def test_folding_beside_postings_loses_nothing(town: Town) -> None:
    jobs: list[Callable[[], Any]] = [lambda: transfer(town) for _ in range(24)]
    for place in (3, 9, 15, 21):
        jobs.insert(place, lambda: services.fold_totals(SYSTEM, batch=5))
    results = race(jobs)
    assert not [r for r in results if isinstance(r, Exception)]
    assert queries.reconcile_totals(SYSTEM, town.ledger, 2026) == []
    services.fold_totals(SYSTEM)
    trial = queries.trial_balance(SYSTEM, town.ledger, 2026)
    assert {r.code: r.balance for r in trial.rows}["0710"] == 2400


def test_concurrent_reservations_never_exceed_the_limit(town: Town) -> None:
    """Property 5 (E3): random requests on two circles and four lines; what is accepted fits, row by row."""
    draw = random.Random(5)
    for code, kind, account in (("EH-C", "EH", "5233"), ("FH-C", "FH", "7233")):
        services.form_circle(
            SYSTEM,
            ledger=town.ledger,
            year=2026,
            code=code,
            budget_kind=kind,
            lines=[("54100", account), ("12600", account)],
            now=NOW,
        )
    requests = []
    for _ in range(48):
        cents, product = draw.randrange(1, 120_000), draw.choice(["54100", "12600"])
        accounts = draw.choice([["5233"], ["7233"], ["5233", "7233"], ["7233", "5233"]])
        requests.append([Demand(product, account, cents) for account in accounts])

    def job(number: int) -> Callable[[], Any]:
        return lambda: services.reserve(
            SYSTEM,
            ledger=town.ledger,
            year=2026,
            demands=requests[number],
            text="Wettlauf",
            idempotency_key=f"r{number}",
            now=NOW,
        )

    results = race([job(n) for n in range(len(requests))])
    accepted = [n for n, r in enumerate(results) if not isinstance(r, Exception)]
    assert {type(r).__name__ for r in results if isinstance(r, Exception)} == {"NotEnoughFunds"}
    taken: Counter[str] = Counter()
    for number in accepted:
        for demand in requests[number]:
            taken[demand.account] += demand.cents
    for balance in CircleBalance.objects.select_related("circle"):
        account = "5233" if balance.circle.code == "EH-C" else "7233"
        assert balance.open == taken[account] <= balance.authorisation == 1_700_000
    assert Binding.objects.count() == len(accepted)
    assert queries.reconcile_funds(SYSTEM, town.ledger, 2026) == []
    # Nothing was refused that would still fit: the smallest refused request does not fit now.
    for number, result in enumerate(results):
        if isinstance(result, services.NotEnoughFunds):
            with pytest.raises(services.NotEnoughFunds):
                job(number)()


def test_requests_that_fit_together_are_all_accepted(town: Town) -> None:
    demands = [Demand("12600", "5233", 20_000), Demand("12600", "7233", 20_000)]

    def job(number: int) -> Callable[[], Any]:
        return lambda: services.reserve(
            SYSTEM, ledger=town.ledger, year=2026, demands=demands, text="x", idempotency_key=f"k{number}", now=NOW
        )

    results = race([job(n) for n in range(10)])
    assert not [r for r in results if isinstance(r, Exception)]
    with pytest.raises(services.NotEnoughFunds):
        services.reserve(
            SYSTEM,
            ledger=town.ledger,
            year=2026,
            demands=[Demand("12600", "5233", 1)],
            text="x",
            idempotency_key="more",
            now=NOW,
        )


def test_the_same_key_at_once_binds_once(town: Town) -> None:
    """Property 6."""
    demands = [Demand("54100", "5233", 10_000)]

    def job() -> Any:
        return services.reserve(
            SYSTEM, ledger=town.ledger, year=2026, demands=demands, text="x", idempotency_key="same", now=NOW
        )

    results = race([job] * 6)
    assert len({str(r) for r in results}) == 1
    assert LineBalance.objects.get(line__account__code="5233", line__product__code="54100").open == 10_000


def test_the_same_matter_at_once_raises_one_claim(town: Town) -> None:
    """Property 6, for claims; the number of the loser goes back."""
    results = race([lambda: raise_claim(town, 3070, origin="o:1")] * 6)
    assert len({r.id for r in results}) == 1
    assert Claim.objects.count() == Voucher.objects.filter(series="SO").count() == 1
    raise_claim(town, 3070)
    assert sorted(Voucher.objects.filter(series="SO").values_list("no", flat=True)) == [1, 2]


def test_two_reversals_at_once_reverse_once(town: Town) -> None:
    """The race that other ledgers lost: both pass the check, both mirror, and every trial balance still agrees."""
    for _round in range(5):
        ref = transfer(town, 700)
        results = race(
            [lambda ref=ref: services.reverse_voucher(SYSTEM, voucher_id=ref.id, reason="Irrtum", now=NOW)] * 4  # type: ignore[misc]
        )
        names = Counter(type(r).__name__ for r in results)
        assert names == Counter(VoucherRef=1, AlreadyReversed=3)
    trial = queries.trial_balance(SYSTEM, town.ledger, 2026)
    assert {r.code: r.balance for r in trial.rows}["0710"] == 0


def test_cancelling_and_paying_at_once_end_in_one_truth(town: Town) -> None:
    for number in range(4):
        ref = raise_claim(town, 1000)
        opening = 100_000 + 1000 * number
        results = race(
            [
                lambda ref=ref: services.cancel_claim(SYSTEM, claim_id=ref.id, reason="x", now=NOW),  # type: ignore[misc]
                lambda ref=ref, opening=opening, number=number: paid(  # type: ignore[misc]
                    town, opening, (1000, {"text": ref.payment_reference}), statement_id=f"S{number}"
                ),
            ]
        )
        view = queries.claim(SYSTEM, ref.id)
        report = results[1]
        assert isinstance(report, services.StatementReport)
        if isinstance(results[0], Exception):
            assert isinstance(results[0], services.ClaimNotCancellable)
            assert (view.state, report.entries[0].state) == ("settled", "matched")
        else:
            assert (view.state, report.entries[0].state) == ("cancelled", "suspense")
        assert view.open_cents == 0
        assert queries.reconcile_items(SYSTEM, town.ledger) == []


def test_the_same_statement_at_once_is_booked_once(town: Town) -> None:
    """Property 16 under concurrency."""
    ref = raise_claim(town, 3070)
    results = race([lambda: paid(town, 100_000, (3070, {"text": ref.payment_reference}))] * 4)
    assert sorted(len(r.booked) for r in results) == [0, 0, 0, 1]
    assert Voucher.objects.filter(series="BK").count() == 1


def test_closing_a_period_waits_for_postings_under_way(town: Town) -> None:
    posted, locked = threading.Event(), threading.Event()
    outcome: list[str] = []

    def poster() -> None:
        try:
            with acting_for("alpha"), transaction.atomic():
                transfer(town)
                posted.set()
                locked.wait(0.5)
                outcome.append("posted")
        finally:
            connection.close()

    def closer() -> None:
        try:
            with acting_for("alpha"):
                posted.wait(5)
                services.lock_period(SYSTEM, ledger=town.ledger, year=2026, through=date(2026, 6, 30), now=NOW)
                outcome.append("locked")
                locked.set()
        finally:
            connection.close()

    threads = [threading.Thread(target=poster), threading.Thread(target=closer)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcome == ["posted", "locked"]
    with pytest.raises(services.PeriodClosed):
        transfer(town)


@given(st.lists(st.integers(1, 400_000), min_size=1, max_size=12))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_serial_reservations_accept_exactly_what_fits(alpha: Any, amounts: list[int]) -> None:
    """Property 5, serial: greedy acceptance on one line of 200,000 cents."""
    with transaction.atomic():
        town = make_town()
        left = 200_000
        for number, cents in enumerate(amounts):
            demand = [Demand("12600", "5233", cents)]
            refusal = None
            try:
                services.reserve(
                    SYSTEM,
                    ledger=town.ledger,
                    year=2026,
                    demands=demand,
                    text="x",
                    idempotency_key=str(number),
                    now=NOW,
                )
            except services.NotEnoughFunds as error:
                refusal = (error.binding, error.available)
            accepted = cents <= left
            assert refusal == (None if accepted else ("12600.5233", left))
            left -= cents if accepted else 0
        transaction.set_rollback(True)
