"""Claims: raised once per matter, only on planned revenue, never by the treasury; cancelled by a mirror."""

import random
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verbund.modules.budget import queries, services
from verbund.modules.budget.models import Claim, OpenItem, PartyAccount, Voucher, references
from verbund.platform.identity import policy
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import Conflict

from .factories import NOW, SYSTEM, Town, make_town, raise_claim


@pytest.fixture
def town(alpha: Any) -> Town:
    return make_town()


def test_a_claim_is_a_voucher_an_open_item_and_a_reference(town: Town, hearing: list[Any]) -> None:
    ref = raise_claim(town, 3070, origin="citizenservices.application:1")
    view = queries.voucher(SYSTEM, ref.voucher_id)
    assert [(n.account, n.product, n.debit, n.credit) for n in view.lines] == [
        ("1710", "12301", 3070, 0),
        ("4311", "12301", 0, 3070),
    ]
    assert ref.voucher_label == view.label == "ALPHA-2026-SO-000001"
    assert references.is_valid(ref.payment_reference)
    item = OpenItem.objects.get(claim=ref.id)
    assert (item.open_cents, item.payment_reference, item.due_on) == (3070, ref.payment_reference, date(2026, 12, 20))
    assert [type(e).__name__ for e in hearing] == ["ClaimRaised"]
    [view2] = queries.claims_by_origin(SYSTEM, "citizenservices.application:1")
    assert (view2.id, view2.debtor, view2.open_cents, view2.origin) == (
        ref.id,
        "Frieda Fuchs",
        3070,
        "citizenservices.application:1",
    )


def test_the_same_matter_raises_once(town: Town) -> None:
    one = raise_claim(town, 3070, origin="o:1")
    assert raise_claim(town, 3070, origin="o:1") == one
    assert Voucher.objects.filter(series="SO").count() == 1
    assert PartyAccount.objects.count() == 1
    with pytest.raises(Conflict):
        raise_claim(town, 3071, origin="o:1")
    assert raise_claim(town, 3070) != raise_claim(town, 3070)


@pytest.mark.parametrize(
    "change",
    [
        {"account": "4321"},
        {"account": "5233", "product": "54100"},
        {"account": "6311"},
        {"product": "99999"},
        {"cents": 0},
        {"cents": -1},
        {"text": " "},
        {"debtor": services.Party("")},
    ],
)
def test_what_cannot_be_claimed_is_refused_and_nothing_is_written(town: Town, change: dict[str, Any]) -> None:
    values = {
        "ledger": town.ledger,
        "product": "12301",
        "account": "4311",
        "cents": 100,
        "debtor": services.Party("X"),
        "due_on": date(2026, 12, 1),
        "text": "t",
        "origin": "",
        "now": NOW,
    }
    with pytest.raises(services.ClaimRefused):
        services.raise_claim(SYSTEM, **{**values, **change})
    assert (Claim.objects.count(), OpenItem.objects.count(), PartyAccount.objects.count()) == (0, 0, 0)


@pytest.mark.parametrize(
    ("roles", "may"),
    [
        ({Role.CLERK}, True),
        ({Role.HEAD_OF_UNIT}, True),
        ({Role.BUDGET_OFFICER}, True),
        ({Role.TREASURY_CLERK}, False),
        ({Role.TREASURER}, False),
        ({Role.CLERK, Role.TREASURY_CLERK}, False),
        ({Role.BUDGET_OFFICER, Role.TREASURER}, False),
        ({Role.AUDITOR}, False),
        ({Role.REGISTRY}, False),
        ({Role.BODY_ADMIN}, False),
        ({Role.OPERATOR}, False),
        (set(), False),
    ],
)
def test_nobody_with_a_treasury_role_orders(town: Town, staff: Any, roles: set[Role], may: bool) -> None:
    """A2."""
    if may:
        assert raise_claim(town, actor=staff(*roles)).cents == 3070
    else:
        with pytest.raises(policy.Denied):
            raise_claim(town, actor=staff(*roles))
    assert Claim.objects.count() == may


def test_an_actor_of_another_body_is_refused(town: Town, staff: Any) -> None:
    with pytest.raises(policy.Denied):
        raise_claim(town, actor=staff(Role.CLERK, body="beta"))
    assert Claim.objects.count() == 0


def test_cancelling_mirrors_the_claim_and_happens_once(town: Town, staff: Any, hearing: list[Any]) -> None:
    ref = raise_claim(town, 3070)
    for role in (Role.CLERK, Role.TREASURER, Role.AUDITOR):
        with pytest.raises(policy.Denied):
            services.cancel_claim(staff(role), claim_id=ref.id, reason="x", now=NOW)
    assert OpenItem.objects.get().open_cents == 3070
    services.cancel_claim(staff(Role.HEAD_OF_UNIT), claim_id=ref.id, reason="Zu Unrecht erhoben", now=NOW)
    view = queries.claim(SYSTEM, ref.id)
    assert (view.state, view.open_cents, view.paid_cents) == ("cancelled", 0, 0)
    assert queries.result_statement(SYSTEM, town.ledger, 2026).total_revenue == 0
    assert [type(e).__name__ for e in hearing] == ["ClaimRaised", "ClaimCancelled"]
    with pytest.raises(services.ClaimNotCancellable):
        services.cancel_claim(SYSTEM, claim_id=ref.id, reason="x", now=NOW)


def test_a_claim_with_money_on_it_is_not_cancelled(town: Town) -> None:
    from .factories import paid

    ref = raise_claim(town, 3070)
    paid(town, 100_000, (1, {"text": ref.payment_reference}))
    with pytest.raises(services.ClaimNotCancellable):
        services.cancel_claim(SYSTEM, claim_id=ref.id, reason="x", now=NOW)
    assert queries.claim(SYSTEM, ref.id).state == "open"


@given(st.integers(1, 99), st.integers(0, 10**10 - 1), st.integers(0, 13), st.integers(1, 9))
def test_every_wrong_digit_and_every_swap_is_found(ledger: int, serial: int, place: int, step: int) -> None:
    good = references.make(ledger, lambda _n: serial)
    assert len(good) == 14
    assert references.is_valid(good)
    wrong = good[:place] + str((int(good[place]) + step) % 10) + good[place + 1 :]
    assert not references.is_valid(wrong)
    if place < 13 and good[place] != good[place + 1]:
        assert not references.is_valid(good[:place] + good[place + 1] + good[place] + good[place + 2 :])


@given(st.integers(1, 99), st.integers(0, 10**10 - 1), st.randoms(use_true_random=False))
def test_a_reference_survives_any_grouping(ledger: int, serial: int, draw: random.Random) -> None:
    good = references.make(ledger, lambda _n: serial)
    written = "".join(c + draw.choice(["", "", " ", "\n", ".", "-", " / "]) for c in good)
    assert good in references.found_in(f"Zahlung {written} vielen Dank")
