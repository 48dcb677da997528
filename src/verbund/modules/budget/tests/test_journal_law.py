"""The law of the journal (J1-J9), asked of PostgreSQL itself: as the body's role, behind the services' backs."""

from datetime import date
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from verbund.modules.budget import queries, services
from verbund.modules.budget.models import Account, FiscalYear, FundsEvent, SeriesCounter, Voucher, VoucherLine
from verbund.modules.budget.services import Line, NewItem
from verbund.platform.identity import policy
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import new_id

from .factories import NOW, SYSTEM, Town, make_town
from .journal import check_now, post, transfer


@pytest.fixture
def town(alpha: Any) -> Town:
    return make_town()


def test_a_voucher_is_numbered_per_year_and_series_and_chained(town: Town) -> None:
    one, two, other = transfer(town), transfer(town), transfer(town, series="XX")
    assert (one.label, two.label, other.label) == (
        "ALPHA-2026-BU-000001",
        "ALPHA-2026-BU-000002",
        "ALPHA-2026-XX-000001",
    )
    assert queries.voucher(SYSTEM, two.id).hash_prev == one.hash
    assert queries.voucher(SYSTEM, other.id).hash_prev == "00" * 32
    check_now()


@pytest.mark.parametrize("table", ["budget_voucher", "budget_voucherline", "budget_fundsevent"])
def test_the_bodys_role_may_neither_change_nor_delete_nor_truncate(town: Town, table: str) -> None:
    """Property 8 (J2), first wall: the privilege."""
    transfer(town)
    column = {"budget_voucher": "text = 'x'", "budget_voucherline": "debit = 1", "budget_fundsevent": "open = 1"}[table]
    for statement in (f"UPDATE {table} SET {column}", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        with (
            pytest.raises(DatabaseError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


def test_even_the_owner_is_refused_by_the_triggers(real_database: str, alpha: Any, owner_connection: Any) -> None:
    """Property 8 (J2), second wall: the trigger."""
    transfer(make_town())
    owner_connection.execute("SET search_path = alpha, public")
    for statement in (
        "UPDATE budget_voucher SET text = 'x'",
        "DELETE FROM budget_voucherline",
        "TRUNCATE budget_voucher CASCADE",
        "UPDATE budget_fundsevent SET open = 1",
    ):
        with pytest.raises(psycopg.Error, match="append-only"):
            owner_connection.execute(statement)


def by_hand(number: int, *rows: tuple[str, int, int, dict[str, Any]]) -> None:
    """A voucher and its lines straight into the tables, checked as at commit."""
    with transaction.atomic():
        lines_of(insert(no=number), *rows)
        check_now()


def insert(**changes: Any) -> Voucher:
    year = FiscalYear.objects.get(year=2026)
    counter = SeriesCounter.objects.filter(series="BU").first()
    values = {
        "id": new_id(),
        "ledger": year.ledger,
        "fiscal_year": year,
        "series": "BU",
        "no": (counter.last_no if counter else 0) + 1,
        "posting_date": date(2026, 5, 1),
        "document_date": date(2026, 5, 1),
        "kind": "transfer",
        "text": "von Hand",
        "line_count": 2,
        "total_cents": 100,
        "posted_at": NOW,
        "posted_by": "x",
        "hash_prev": bytes(32),
        "hash": bytes(32),
    }
    return Voucher.objects.create(**{**values, **changes})


def lines_of(voucher: Voucher, *rows: tuple[str, int, int, dict[str, Any]]) -> None:
    accounts = {a.code: a for a in Account.objects.all()}
    for position, (code, debit, credit, more) in enumerate(rows, 1):
        VoucherLine.objects.create(
            voucher=voucher, position=position, account=accounts[code], debit=debit, credit=credit, **more
        )


def test_the_database_refuses_a_voucher_that_does_not_balance(town: Town) -> None:
    """Property 1 (J1): behind the services, too."""
    SeriesCounter.objects.create(fiscal_year=FiscalYear.objects.get(), series="BU", last_no=1, last_hash=bytes(32))
    wrong: list[list[tuple[str, int, int, dict[str, Any]]]] = [
        [("0710", 100, 0, {}), ("2010", 0, 99, {})],
        [("0710", 100, 0, {})],
        [("0710", 100, 0, {}), ("2010", 0, 60, {}), ("2010", 0, 40, {})],
    ]
    for rows in wrong:
        with pytest.raises(DatabaseError, match="does not balance"):
            by_hand(1, *rows)
    by_hand(1, ("0710", 100, 0, {}), ("2010", 0, 100, {}))


@pytest.mark.parametrize(("debit", "credit"), [(5, 5), (0, 0), (-5, 0), (0, -5)])
def test_a_line_has_exactly_one_side_above_zero(town: Town, debit: int, credit: int) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        lines_of(insert(), ("0710", debit, credit, {}))


def test_a_posted_voucher_takes_no_more_lines_even_balanced_ones(town: Town) -> None:
    ref = transfer(town)
    check_now()
    accounts = {a.code: a for a in Account.objects.all()}

    def add_lines() -> None:
        with transaction.atomic():
            VoucherLine.objects.create(voucher_id=ref.id, position=3, account=accounts["0710"], debit=1)
            VoucherLine.objects.create(voucher_id=ref.id, position=4, account=accounts["2010"], credit=1)
            check_now()

    with pytest.raises(DatabaseError, match="takes no more lines"):
        add_lines()


def test_no_line_stands_before_the_first(town: Town) -> None:
    """Lines stand at 1 to `line_count`: a place below the first one would be room for one line more."""
    ref = transfer(town)
    check_now()
    account = Account.objects.get(code="0710")

    def add_line() -> None:
        with transaction.atomic():
            VoucherLine.objects.create(voucher_id=ref.id, position=0, account=account, debit=1)
            check_now()

    with pytest.raises(DatabaseError, match="takes no more lines"):
        add_line()


def test_a_number_can_be_neither_skipped_nor_taken_twice(town: Town) -> None:
    transfer(town)
    with pytest.raises(DatabaseError, match="number range"):
        by_hand(3, ("0710", 100, 0, {}), ("2010", 0, 100, {}))
    with pytest.raises(IntegrityError):
        by_hand(1, ("0710", 100, 0, {}), ("2010", 0, 100, {}))


def test_the_database_knows_the_rule_of_finance_accounts(town: Town) -> None:
    """J6: class 6 on the debit of liquid accounts, class 7 on the credit, swapped for deductions, nowhere else."""
    codes = {a.code: a for a in Account.objects.all()}
    SeriesCounter.objects.create(fiscal_year=FiscalYear.objects.get(), series="BU", last_no=1, last_hash=bytes(32))
    wrong: list[list[tuple[str, int, int, dict[str, Any]]]] = [
        [("1810", 100, 0, {}), ("2010", 0, 100, {})],
        [("1810", 100, 0, {"finance_account": codes["7233"]}), ("2010", 0, 100, {})],
        [("1810", 0, 100, {"finance_account": codes["6311"]}), ("2010", 100, 0, {})],
        [("1810", 0, 100, {"finance_account": codes["7233"], "deduction": True}), ("2010", 100, 0, {})],
        [("0710", 100, 0, {"finance_account": codes["6311"]}), ("2010", 0, 100, {})],
    ]
    for rows in wrong:
        with pytest.raises(DatabaseError, match="finance accounts"):
            by_hand(1, *rows)
    right: list[list[tuple[str, int, int, dict[str, Any]]]] = [
        [("1810", 100, 0, {"finance_account": codes["6311"]}), ("2010", 0, 100, {})],
        [("1810", 0, 100, {"finance_account": codes["6311"], "deduction": True}), ("2010", 100, 0, {})],
    ]
    for number, rows in enumerate(right, 1):
        SeriesCounter.objects.update(last_no=number)
        by_hand(number, *rows)


def test_a_control_account_needs_an_open_item_even_in_the_database(town: Town) -> None:
    SeriesCounter.objects.create(fiscal_year=FiscalYear.objects.get(), series="BU", last_no=1, last_hash=bytes(32))
    with pytest.raises(DatabaseError, match="open item"):
        by_hand(1, ("1710", 100, 0, {}), ("2010", 0, 100, {}))


def test_the_services_say_what_is_wrong_with_each_line(town: Town) -> None:
    before = Voucher.objects.count()
    with pytest.raises(services.VoucherRefused) as refusal:
        post(
            town,
            Line("9999", debit=100),
            Line("1710", debit=1),
            Line("1810", debit=1),
            Line("6311", debit=1),
            Line("0710", "00000", debit=1),
            Line("2010", credit=100, debit=1),
            Line("0710", debit=1, finance_account="6311"),
            Line("0710", debit=1, new_item=NewItem("x")),
        )
    assert set(refusal.value.errors) == {"lines", *(f"line {n}" for n in range(1, 9))}
    assert Voucher.objects.count() == before


@pytest.mark.parametrize("day", [date(2026, 3, 31), date(2026, 1, 1)])
def test_nothing_is_posted_into_a_closed_period(town: Town, day: date) -> None:
    """Property 20 (J5, AC7)."""
    services.lock_period(SYSTEM, ledger=town.ledger, year=2026, through=date(2026, 3, 31), now=NOW)
    with pytest.raises(services.PeriodClosed):
        transfer(town, day=day)
    transfer(town, day=date(2026, 4, 1))
    with pytest.raises(services.PeriodRefused):
        services.lock_period(SYSTEM, ledger=town.ledger, year=2026, through=date(2026, 2, 28), now=NOW)


def test_the_database_refuses_a_closed_period_that_the_service_did_not_see(town: Town) -> None:
    from verbund.modules.budget.models import Ledger, VoucherKind
    from verbund.modules.budget.services.books import Draft, read_books
    from verbund.modules.budget.services.posting import post as post_drafts

    ledger = Ledger.objects.get(code=town.ledger)
    day = date(2026, 2, 1)
    draft = Draft(2026, "BU", day, day, VoucherKind.TRANSFER, "x", (Line("0710", debit=1), Line("2010", credit=1)))
    books = read_books(ledger.code, [draft])
    FiscalYear.objects.update(locked_through=date(2026, 3, 31))
    with pytest.raises(services.PeriodClosed):
        post_drafts(SYSTEM, ledger=ledger, drafts=[draft], now=NOW, books=books)


def test_a_year_that_was_not_opened_takes_nothing(town: Town) -> None:
    with pytest.raises(services.LedgerNotFound):
        transfer(town, day=date(2027, 1, 1))


def test_a_posted_account_keeps_its_class_for_ever(town: Town) -> None:
    """C3."""
    transfer(town)
    with pytest.raises(DatabaseError, match="re-classed"), transaction.atomic():
        Account.objects.filter(code="0710").update(liquid=True)
    with pytest.raises(DatabaseError, match="never change"), transaction.atomic():
        Account.objects.filter(code="0710").update(code="0711")
    Account.objects.filter(code="0810").update(kind="asset", name="Neu")

    def delete() -> None:
        with transaction.atomic():
            Account.objects.filter(code="0710").delete()
            check_now()

    with pytest.raises(IntegrityError):
        delete()


def test_a_closed_account_takes_no_new_postings_but_a_reversal(town: Town) -> None:
    ref = transfer(town)
    check_now()
    Account.objects.filter(code="0710").update(closed_from=date(2026, 11, 1))
    with pytest.raises(services.VoucherRefused):
        transfer(town)
    services.reverse_voucher(SYSTEM, voucher_id=ref.id, reason="Irrtum", now=NOW)
    check_now()


@pytest.mark.parametrize("role", [Role.CLERK, Role.AUDITOR, Role.HEAD_OF_UNIT, Role.BODY_ADMIN, Role.OPERATOR])
def test_who_may_not_post_changes_nothing(town: Town, staff: Any, role: Role) -> None:
    before = (Voucher.objects.count(), FundsEvent.objects.count())
    ref = transfer(town)
    with pytest.raises(policy.Denied):
        transfer(town, actor=staff(role))
    with pytest.raises(policy.Denied):
        services.reverse_voucher(staff(role), voucher_id=ref.id, reason="x", now=NOW)
    assert (Voucher.objects.count(), FundsEvent.objects.count()) == (before[0] + 1, before[1])


def test_separation_of_money_and_reason(town: Town, staff: Any) -> None:
    """The budget office touches no bank account, the treasury no revenue and no expense."""
    money = (Line("1810", debit=100, finance_account="6990"), Line("2010", credit=100))
    reason = (Line("0810", debit=100), Line("4421", "54100", credit=100))
    with pytest.raises(policy.Denied):
        post(town, *money, actor=staff(Role.BUDGET_OFFICER))
    with pytest.raises(policy.Denied):
        post(town, *reason, actor=staff(Role.TREASURER))
    with pytest.raises(policy.Denied):
        post(town, *reason, actor=staff(Role.TREASURER, Role.BUDGET_OFFICER))
    assert Voucher.objects.filter(series="BU").count() == 0
    post(town, *money, actor=staff(Role.TREASURER))
    post(town, *reason, actor=staff(Role.BUDGET_OFFICER))


def test_an_unknown_voucher_does_not_exist(town: Town) -> None:
    with pytest.raises(queries.VoucherNotFound):
        queries.voucher(SYSTEM, UUID(int=1))
    with pytest.raises(services.VoucherNotFound):
        services.reverse_voucher(SYSTEM, voucher_id=UUID(int=1), reason="x", now=NOW)
