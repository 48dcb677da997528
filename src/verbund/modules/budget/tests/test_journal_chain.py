"""The journal afterwards: reversals, the chain that betrays a changed byte, and totals that are the journal."""

from datetime import date
from typing import Any

import pytest

from verbund.modules.budget import queries, services
from verbund.modules.budget.models import AccountTotal, UnfoldedVoucher, Voucher, canonical
from verbund.modules.budget.services import Line

from .factories import NOW, SYSTEM, Town, make_town, raise_claim
from .journal import chain, check_now, transfer


@pytest.fixture
def town(alpha: Any) -> Town:
    return make_town()


def test_a_reversal_mirrors_every_line_and_happens_once(town: Town) -> None:
    ref = transfer(town, 700)
    reversal = services.reverse_voucher(SYSTEM, voucher_id=ref.id, reason="Falsches Konto", now=NOW)
    view = queries.voucher(SYSTEM, reversal.id)
    assert [(n.account, n.debit, n.credit) for n in view.lines] == [("0710", 0, 700), ("2010", 700, 0)]
    assert view.reverses is not None
    assert view.reverses.id == ref.id
    with pytest.raises(services.AlreadyReversed):
        services.reverse_voucher(SYSTEM, voucher_id=ref.id, reason="Noch einmal", now=NOW)
    with pytest.raises(services.NotReversible):
        services.reverse_voucher(SYSTEM, voucher_id=reversal.id, reason="Zurück", now=NOW)


def test_a_claims_voucher_is_not_reversed_while_money_is_booked_on_it(town: Town) -> None:
    from .factories import paid

    ref = raise_claim(town, 3070)
    paid(town, 100_000, (70, {"text": ref.payment_reference}))
    with pytest.raises(services.NotReversible):
        services.reverse_voucher(SYSTEM, voucher_id=ref.voucher_id, reason="weg", now=NOW)
    assert queries.claim(SYSTEM, ref.id).open_cents == 3000


def test_reversing_a_payment_reopens_the_claim(town: Town, hearing: list[Any]) -> None:
    from .factories import paid

    ref = raise_claim(town, 3070)
    paid(town, 100_000, (3070, {"text": ref.payment_reference}))
    payment = Voucher.objects.get(series="BK")
    services.reverse_voucher(SYSTEM, voucher_id=payment.id, reason="Falsch zugeordnet", now=NOW)
    view = queries.claim(SYSTEM, ref.id)
    assert (view.state, view.open_cents) == ("open", 3070)
    assert type(hearing[-1]).__name__ == "ClaimReopened"
    check_now()


def test_the_chain_of_postgresql_and_that_of_python_are_the_same(town: Town) -> None:
    transfer(town, text="Umlaute äöüß „Łódź“ 5:abc,~, 😀 \\ \" '")
    transfer(town, series="XX")
    ref = raise_claim(town)
    services.cancel_claim(SYSTEM, claim_id=ref.id, reason="x", now=NOW)
    assert Voucher.objects.count() == 5
    assert chain() == []


TAMPERS = {
    "text": ("UPDATE budget_voucher SET text = 'Buchunh' WHERE no = 2 AND series = 'BU'", 2, "hash"),
    "amount": (
        "UPDATE budget_voucherline SET debit = debit + 1 WHERE debit > 0 AND voucher_id ="
        " (SELECT id FROM budget_voucher WHERE no = 3 AND series = 'BU')",
        3,
        "hash",
    ),
    "account": (
        "UPDATE budget_voucherline SET account_id = (SELECT id FROM budget_account WHERE code = '0810') WHERE debit > 0"
        " AND voucher_id = (SELECT id FROM budget_voucher WHERE no = 1 AND series = 'BU')",
        1,
        "hash",
    ),
    "own hash": (
        "UPDATE budget_voucher SET hash = set_byte(hash, 0, get_byte(hash, 0) # 1) WHERE no = 2 AND series = 'BU'",
        2,
        "hash",
    ),
    "previous hash": (
        "UPDATE budget_voucher SET hash_prev = set_byte(hash_prev, 5, get_byte(hash_prev, 5) # 1)"
        " WHERE no = 4 AND series = 'BU'",
        4,
        "predecessor",
    ),
    "who": ("UPDATE budget_voucher SET posted_by = 'niemand' WHERE no = 4 AND series = 'BU'", 4, "hash"),
    "when": (
        "UPDATE budget_voucher SET posted_at = posted_at + interval '1 microsecond' WHERE no = 4 AND series = 'BU'",
        4,
        "hash",
    ),
    "line deleted": (
        "DELETE FROM budget_voucherline WHERE position = 2 AND voucher_id ="
        " (SELECT id FROM budget_voucher WHERE no = 2 AND series = 'BU')",
        2,
        "lines",
    ),
    "voucher deleted": ("DELETE FROM budget_voucher WHERE no = 2 AND series = 'BU'", 2, "gap"),
    "last voucher deleted": ("DELETE FROM budget_voucher WHERE no = 4 AND series = 'BU'", 4, "end"),
    "number range set back": ("UPDATE budget_seriescounter SET last_no = 3 WHERE series = 'BU'", 5, "end"),
}


@pytest.mark.parametrize("what", TAMPERS)
def test_a_changed_byte_is_found_and_the_first_broken_voucher_named(
    real_database: str, alpha: Any, owner_connection: Any, what: str
) -> None:
    """Property 9 (J7): somebody with all rights, triggers switched off."""
    town = make_town()
    for _n in range(4):
        transfer(town)
    assert chain() == []
    statement, no, reason = TAMPERS[what]
    owner_connection.execute("SET search_path = alpha, public")
    for table in ("budget_voucher", "budget_voucherline"):
        owner_connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    if statement.startswith("DELETE FROM budget_voucher "):
        where = statement.removeprefix("DELETE FROM budget_voucher WHERE ")
        for table in ("budget_voucherline", "budget_unfoldedvoucher"):
            owner_connection.execute(
                f"DELETE FROM {table} WHERE voucher_id IN (SELECT id FROM budget_voucher WHERE {where})"
            )
    owner_connection.execute(statement)
    assert chain() == [canonical.Broken("ALPHA", 2026, "BU", no, reason)]


def test_totals_and_unfolded_vouchers_are_the_journal_at_every_moment(town: Town) -> None:
    transfer(town, 100)
    for folded in (3, 0):
        before = queries.trial_balance(SYSTEM, town.ledger, 2026)
        assert services.fold_totals(SYSTEM, batch=2) >= 0
        assert queries.trial_balance(SYSTEM, town.ledger, 2026) == before
        assert queries.reconcile_totals(SYSTEM, town.ledger, 2026) == []
        transfer(town, 50 + folded)
    assert UnfoldedVoucher.objects.count() == 1
    assert AccountTotal.objects.filter(month=0).count() == 2
    trial = queries.trial_balance(SYSTEM, town.ledger, 2026)
    assert {r.code: r.balance for r in trial.rows}["0710"] == 203


def test_the_trial_balance_as_of_a_day_counts_only_what_was_posted_by_then(town: Town) -> None:
    for day, cents in (
        (date(2026, 3, 1), 1),
        (date(2026, 3, 31), 20),
        (date(2026, 4, 1), 300),
        (date(2026, 5, 5), 4000),
    ):
        transfer(town, cents, day=day)
    wanted = {
        date(2026, 1, 1): 0,
        date(2026, 2, 28): 0,
        date(2026, 3, 1): 1,
        date(2026, 3, 30): 1,
        date(2026, 3, 31): 21,
        date(2026, 4, 30): 321,
        date(2026, 12, 31): 4321,
        date(2025, 6, 30): 0,
        date(2025, 12, 31): 0,
        date(2027, 1, 1): 4321,
        date(2027, 2, 28): 4321,
    }
    for _round in range(2):
        for day, cents in wanted.items():
            trial = queries.trial_balance(SYSTEM, town.ledger, 2026, as_of=day)
            assert trial.total == 0
            assert {r.code: r.balance for r in trial.rows}.get("0710", 0) == cents, day
            assert {r.code: r.balance for r in trial.rows}["1810"] == 100_000
        services.fold_totals(SYSTEM)


def test_a_batch_is_posted_whole_or_not_at_all(town: Town) -> None:
    def posting(cents: int) -> services.Posting:
        day = date(2026, 6, 1)
        lines = [Line("0710", debit=cents), Line("2010", credit=100)]
        return services.Posting(2026, "BU", day, day, "Sammel", lines)

    with pytest.raises(services.VoucherRefused):
        services.post_vouchers(SYSTEM, ledger=town.ledger, postings=[posting(100), posting(99)], now=NOW)
    assert Voucher.objects.filter(series="BU").count() == 0
    refs = services.post_vouchers(SYSTEM, ledger=town.ledger, postings=[posting(100)] * 50, now=NOW)
    assert [r.label[-6:] for r in refs] == [f"{n:06d}" for n in range(1, 51)]
    assert chain() == []
