"""Charts and products from CSV: every error with its line number, nothing half imported; setting up is the budget
office's.
"""

from typing import Any

import pytest

from verbund.modules.budget import queries, services
from verbund.modules.budget.models import Account, Ledger, Product, SubBudget
from verbund.platform.identity import policy
from verbund.platform.identity.roles import Role

from .factories import DATA, NOW, SYSTEM, make_town

HEAD = "code;name;kind;role;liquid;finance_account;section;scheduled_repayment"


@pytest.fixture
def ledger(alpha: Any) -> str:
    services.open_ledger(SYSTEM, code="L1", name="Stadt", now=NOW)
    return "L1"


def test_the_sample_chart_pairs_every_cash_effective_account(ledger: str) -> None:
    """C1, C2, P1."""
    text = (DATA / "accounts.csv").read_text(encoding="utf-8")
    report = services.import_chart(SYSTEM, ledger=ledger, csv_text=text, now=NOW)
    assert (report.created, report.updated, report.unchanged) == (len(text.splitlines()) - 1, 0, 0)
    again = services.import_chart(SYSTEM, ledger=ledger, csv_text="\ufeff" + text.replace("\n", "\r\n"), now=NOW)
    assert (again.created, again.updated, again.unchanged) == (0, 0, report.created)
    pairs = Account.objects.filter(cash_effective=True).values_list("code", "finance_account__code")
    assert len(pairs) > 25
    assert all((one[0], other[0]) in {("4", "6"), ("5", "7")} and one[1:] == other[1:] for one, other in pairs)
    assert set(Account.objects.filter(code__regex="^[45]", cash_effective=False).values_list("code", flat=True)) == {
        "4161",
        "5310",
    }
    products = (DATA / "products.csv").read_text(encoding="utf-8")
    services.import_products(SYSTEM, ledger=ledger, csv_text=products, now=NOW)
    assert (Product.objects.count(), SubBudget.objects.count()) == (len(products.splitlines()) - 1, 5)


def test_all_errors_are_named_at_once_and_nothing_is_imported(ledger: str) -> None:
    rows = [
        HEAD,
        "4311;Gebühren;revenue;;;6311;;",  # the partner is missing
        "43x1;Gebühren;revenue;;;;;",
        "5233;Unterhaltung;revenue;;;;;",  # kind against class
        "6321;Einzahlung;receipt;;;;;",  # no section
        "0710;;asset;;vielleicht;;;",
        "1810;Bank;asset",
        "4312;Gebühren;revenue;;;7777;;",
        "7777;Auszahlung;payment;;;;operating;",
        "7777;Auszahlung;payment;;;;operating;",
        "1710;Forderung;asset;payable;;;;",
    ]
    with pytest.raises(services.ChartRefused) as refusal:
        services.import_chart(SYSTEM, ledger=ledger, csv_text="\n".join(rows), now=NOW)
    numbers = sorted(int("".join(c for c in key if c.isdigit())) for key in refusal.value.errors)
    assert numbers == [2, 3, 4, 5, 6, 7, 8, 10, 11]
    assert Account.objects.count() == 0


@pytest.mark.parametrize("text", ["", "a;b\n1;2", HEAD + '\n"4311;x', "\x00", HEAD + "\n" + "9" * 300 + ";;;;;;;"])
def test_a_table_of_another_shape_is_refused(ledger: str, text: str) -> None:
    with pytest.raises(services.ChartRefused):
        services.import_chart(SYSTEM, ledger=ledger, csv_text=text, now=NOW)


def test_a_used_account_cannot_be_re_classed_by_a_table(alpha: Any) -> None:
    make_town(code="L2")
    rows = [HEAD, "1810;Bank;asset;;;;;", "0812;Neu;asset;;;;;"]
    with pytest.raises(services.ChartRefused):
        services.import_chart(SYSTEM, ledger="L2", csv_text="\n".join(rows), now=NOW)
    assert Account.objects.get(code="1810").liquid
    assert not Account.objects.filter(code="0812").exists()


def test_two_ledgers_of_one_body_stand_side_by_side(alpha: Any) -> None:
    one = make_town(code="L1")
    other = make_town(code="L2", iban="DE89370400440532013000", opening_cents=5)
    assert [(r.code, r.number, r.years) for r in queries.ledgers(SYSTEM)] == [("L1", 1, (2026,)), ("L2", 2, (2026,))]
    assert queries.trial_balance(SYSTEM, one.ledger, 2026).debit == 0
    assert {r.code: r.opening for r in queries.trial_balance(SYSTEM, other.ledger, 2026).rows}["1810"] == 5


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cents": -1}, "cents"),
        ({"product": "1"}, "product"),
        ({"account": "1810"}, "account"),
        ({"account": "9"}, "account"),
    ],
)
def test_an_appropriation_that_makes_no_sense_is_refused(alpha: Any, change: dict[str, Any], field: str) -> None:
    town = make_town()
    values = {"ledger": town.ledger, "year": 2026, "product": "12301", "account": "4311", "cents": 1, "now": NOW}
    with pytest.raises(services.SetUpRefused) as refusal:
        services.set_appropriation(SYSTEM, **{**values, **change})
    assert set(refusal.value.errors) == {field}
    assert {s.line: s.appropriation for s in queries.budget_status(SYSTEM, town.ledger, 2026)}[
        "12301.4311"
    ] == 5_000_000


@pytest.mark.parametrize("role", [Role.CLERK, Role.TREASURER, Role.AUDITOR, Role.BODY_ADMIN, Role.HEAD_OF_UNIT])
def test_only_the_budget_office_sets_up(alpha: Any, staff: Any, role: Role) -> None:
    with pytest.raises(policy.Denied):
        services.open_ledger(staff(role), code="X", name="X", now=NOW)
    assert not Ledger.objects.exists()
    make_town(code="L1")
    for attempt in (
        lambda: services.import_chart(staff(role), ledger="L1", csv_text=HEAD, now=NOW),
        lambda: services.open_year(staff(role), ledger="L1", year=2027, now=NOW),
        lambda: services.set_appropriation(
            staff(role), ledger="L1", year=2026, product="12301", account="4311", cents=1, now=NOW
        ),
        lambda: services.open_bank_account(
            staff(role), ledger="L1", account="1820", iban="DE89370400440532013000", name="x", opening_cents=0, now=NOW
        ),
    ):
        with pytest.raises(policy.Denied):
            attempt()


def test_the_budget_office_sets_up(alpha: Any, staff: Any) -> None:
    officer = staff(Role.BUDGET_OFFICER)
    town = make_town(officer, opening_cents=0)
    assert queries.trial_balance(officer, town.ledger, 2026).rows == ()


@pytest.mark.parametrize(
    "role", [Role.CLERK, Role.REGISTRY, Role.BODY_ADMIN, Role.OPERATOR, Role.DATA_PROTECTION_OFFICER]
)
def test_who_may_not_see_the_books_sees_none(alpha: Any, staff: Any, role: Role) -> None:
    town = make_town()
    actor = staff(role)
    for ask in (
        lambda: queries.journal(actor, town.ledger),
        lambda: queries.trial_balance(actor, town.ledger, 2026),
        lambda: queries.balance_sheet(actor, town.ledger, 2026),
        lambda: queries.open_items(actor, town.ledger, today=NOW.date()),
        lambda: queries.waiting_entries(actor, town.ledger),
        lambda: queries.budget_status(actor, town.ledger, 2026),
        lambda: queries.accounts(actor, town.ledger),
    ):
        with pytest.raises(policy.Denied):
            ask()
