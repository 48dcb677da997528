"""Reports out of the journal: trial balance, result, cash and balance statements. Amounts are integer cents.

Every report adds two parts in one statement, so that it sees one instant: the folded monthly totals, and the lines of
the vouchers that are not folded yet. With `as_of`, the month of that day is read from the journal itself.
"""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import MAXYEAR, date, timedelta
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from django.db.models import Case, IntegerField, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Cast, Least

from verbund.modules.budget import policies
from verbund.modules.budget.models import (
    Account,
    AccountKind,
    AccountRole,
    AccountTotal,
    BudgetLine,
    CashSection,
    FiscalYear,
    Product,
    UnfoldedVoucher,
    VoucherKind,
    VoucherLine,
)
from verbund.modules.budget.policies import Permission
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import NotFound
from verbund.platform.tenancy.kept import KeptQuery, KeptRows, given


class YearNotFound(NotFound):
    """There is no such ledger or fiscal year for this actor."""


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account in a report; `balance` is debit - credit, in cents."""

    account_id: UUID
    code: str
    name: str
    kind: str
    opening: int
    debit: int
    credit: int

    @property
    def balance(self) -> int:
        return self.opening + self.debit - self.credit


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """Trial balance (Summen- und Saldenliste); `total` is zero whenever the books are right (J9)."""

    ledger: str
    year: int
    as_of: date | None
    rows: tuple[AccountRow, ...]

    @property
    def opening(self) -> int:
        return sum(row.opening for row in self.rows)

    @property
    def debit(self) -> int:
        return sum(row.debit for row in self.rows)

    @property
    def credit(self) -> int:
        return sum(row.credit for row in self.rows)

    @property
    def total(self) -> int:
        return sum(row.balance for row in self.rows)


@dataclass(frozen=True, slots=True)
class StatementRow:
    """A row of a statement: actual and planned cents of one account, positive in the account's own sense."""

    account_id: UUID
    code: str
    name: str
    cents: int
    planned: int


@dataclass(frozen=True, slots=True)
class ResultStatement:
    """Result statement (Ergebnisrechnung)."""

    revenue: tuple[StatementRow, ...]
    expense: tuple[StatementRow, ...]
    by_product: tuple[tuple[str, str, int], ...]

    @property
    def total_revenue(self) -> int:
        return sum(row.cents for row in self.revenue)

    @property
    def total_expense(self) -> int:
        return sum(row.cents for row in self.expense)

    @property
    def annual_result(self) -> int:
        return self.total_revenue - self.total_expense


@dataclass(frozen=True, slots=True)
class CashSectionRows:
    """A section of the cash statement: receipts, payments and their balance."""

    section: str
    receipts: tuple[StatementRow, ...]
    payments: tuple[StatementRow, ...]

    @property
    def total_receipts(self) -> int:
        return sum(row.cents for row in self.receipts)

    @property
    def total_payments(self) -> int:
        return sum(row.cents for row in self.payments)

    @property
    def balance(self) -> int:
        return self.total_receipts - self.total_payments


@dataclass(frozen=True, slots=True)
class CashStatement:
    """Cash statement (Finanzrechnung); read only from lines with a finance account (J6)."""

    operating: CashSectionRows
    investment: CashSectionRows
    financing: CashSectionRows
    transit: CashSectionRows
    scheduled_repayment: int
    opening_liquid_funds: int
    closing_liquid_funds: int

    @property
    def sections(self) -> tuple[CashSectionRows, ...]:
        return (self.operating, self.investment, self.financing, self.transit)

    @property
    def change_of_liquid_funds(self) -> int:
        return sum(section.balance for section in self.sections)

    @property
    def operating_balance_after_repayment(self) -> int:
        """The balance Mecklenburg-Vorpommern asks for: running balance after scheduled repayment (B1)."""
        return self.operating.balance - self.scheduled_repayment


@dataclass(frozen=True, slots=True)
class BalanceSheet:
    """Balance sheet (Bilanz); the annual result is part of equity. Both totals are the same when the books are right
    (AC1).
    """

    assets: tuple[StatementRow, ...]
    equity: tuple[StatementRow, ...]
    special_items: tuple[StatementRow, ...]
    provisions: tuple[StatementRow, ...]
    liabilities: tuple[StatementRow, ...]
    annual_result: int

    @property
    def total_assets(self) -> int:
        return sum(row.cents for row in self.assets)

    @property
    def total_equity(self) -> int:
        return sum(row.cents for row in self.equity) + self.annual_result

    @property
    def total_liabilities(self) -> int:
        groups = (self.special_items, self.provisions, self.liabilities)
        return self.total_equity + sum(row.cents for group in groups for row in group)


@dataclass(slots=True)
class _Fact:
    opening: int = 0
    debit: int = 0
    credit: int = 0


Key = tuple[UUID, UUID | None, UUID | None]

_OPENING: Final = Q(voucher__kind__in=[VoucherKind.OPENING, VoucherKind.CARRY_FORWARD])
_UNFOLDED: Final = Q(voucher__in=UnfoldedVoucher.objects.values("voucher_id"))
_ACCOUNTS: Final = KeptQuery(lambda: Account.objects.filter(ledger=given("ledger")).order_by("code"))


def find_visible_year(actor: Actor, ledger: str, year: int) -> FiscalYear:
    """The year, if the actor may see the books. Raises: policy.Denied, YearNotFound."""
    policy.require(actor, Permission.SEE)
    found = policies.visible_years(actor).filter(ledger__code=ledger, year=year).select_related("ledger").first()
    if found is None:
        raise YearNotFound(f"{ledger} {year}")
    return found


def facts(year: FiscalYear, as_of: date | None = None, *, by_account: bool = False) -> dict[Key, _Fact]:
    """Debit and credit by account, product and finance account (or by account alone), opening apart.

    While a year has no opening of its own, the closing of the year before stands in for it (J11): several years can
    be open side by side, and the opening of the later one is right at every moment.
    """
    rows, opened = _own_facts(year, as_of, by_account=by_account)
    if opened:
        return rows
    before = FiscalYear.objects.filter(ledger=year.ledger_id, year__lt=year.year).order_by("-year").first()
    if before is None:
        return rows
    for account, cents in _closing(before).items():
        rows.setdefault((account, None, None), _Fact()).opening += cents
    return rows


def _closing(year: FiscalYear) -> dict[UUID, int]:
    """Closing balances of the balance-sheet accounts; the result goes to the account that carries it."""
    accounts = _accounts(year)
    sums: dict[UUID, int] = defaultdict(int)
    result = 0
    for (account, _product, _finance), fact in facts(year, by_account=True).items():
        change = fact.opening + fact.debit - fact.credit
        if accounts[account].kind in (AccountKind.REVENUE, AccountKind.EXPENSE):
            result += change
        else:
            sums[account] += change
    equity = [a for a in accounts.values() if a.kind == AccountKind.EQUITY]
    carrier = next((a for a in equity if a.role == AccountRole.RESULT_CARRIED), equity[0] if equity else None)
    if result and carrier is not None:
        sums[carrier.id] += result
    return {account: cents for account, cents in sums.items() if cents}


def _own_facts(
    year: FiscalYear, as_of: date | None = None, *, by_account: bool = False
) -> tuple[dict[Key, _Fact], bool]:
    """What the year's own vouchers say, at one instant, and whether one of them is an opening."""
    rows: dict[Key, _Fact] = defaultdict(_Fact)
    opened = False
    for account, *others, at, debit, credit in _rows(year, as_of, by_account):
        fact = rows[(account, None, None) if by_account else (account, others[0], others[1])]
        if at == 0:
            opened = True
            fact.opening += int(debit) - int(credit)
        else:
            fact.debit += int(debit)
            fact.credit += int(credit)
    return dict(rows), opened


def _rows(year: FiscalYear, as_of: date | None, by_account: bool) -> Iterable[tuple[Any, ...]]:
    """Account (product, finance account), 0 for an opening else 1, debit, credit: summed up where the rows are."""
    if as_of is None:
        return _of_whole_year(by_account).all(year=year.id)
    months, since, until = _whole_months(year, as_of)
    this_month = Q(voucher__posting_date__gte=since, voucher__posting_date__lte=until) & ~_OPENING
    earlier = (Q(voucher__posting_date__lt=since) | _OPENING) & _UNFOLDED
    read = earlier if since > until else this_month | earlier
    return _summed(year, by_account, Q(month__lte=months), read).iterator()


@lru_cache(maxsize=2)
def _of_whole_year(by_account: bool) -> KeptRows:
    return KeptRows(_summed(given("year"), by_account, Q(), _UNFOLDED))


def _summed(year: FiscalYear | Value, by_account: bool, totals: Q, lines: Q) -> "QuerySet[Any, tuple[Any, ...]]":
    """Those of the year's totals and lines, in one statement."""
    names = ("account_id",) if by_account else ("account_id", "product_id", "finance_account_id")
    sums = {"d": Sum("debit"), "c": Sum("credit")}
    folded: QuerySet[Any, Any] = AccountTotal.objects.filter(totals, fiscal_year=year)
    folded = folded.annotate(at=Least(Cast("month", IntegerField()), Value(1))).values_list(*names, "at")
    read: QuerySet[Any, Any] = VoucherLine.objects.filter(lines, voucher__fiscal_year=year)
    side = Case(When(_OPENING, then=Value(0)), default=Value(1), output_field=IntegerField())
    read = read.annotate(at=side).values_list(*names, "at")
    both: QuerySet[Any, tuple[Any, ...]] = folded.annotate(**sums).union(read.annotate(**sums), all=True)
    return both


def _whole_months(year: FiscalYear, as_of: date) -> tuple[int, date, date]:
    """Up to which month the totals say everything, and from when until when the journal itself is read.

    At the end of a month, for which reports are mostly made, nothing but totals and what is not folded yet.
    """
    if as_of.year != year.year:
        return (0, date(year.year, 1, 1), date.min) if as_of.year < year.year else (12, date.max, date.max)
    if as_of.day == monthrange(as_of.year, as_of.month)[1]:
        return as_of.month, _first_after(as_of), as_of
    return as_of.month - 1, as_of.replace(day=1), as_of


def _first_after(month_end: date) -> date:
    return date.max if month_end.year == MAXYEAR and month_end.month == 12 else month_end + timedelta(days=1)


def _accounts(year: FiscalYear) -> dict[UUID, Account]:
    return {account.id: account for account in _ACCOUNTS.all(ledger=year.ledger_id)}


def trial_balance(actor: Actor, ledger: str, year: int, as_of: date | None = None) -> TrialBalance:
    """Trial balance of a year, or up to a day of it. Raises: policy.Denied, YearNotFound."""
    found = find_visible_year(actor, ledger, year)
    accounts = _accounts(found)
    sums: dict[UUID, _Fact] = defaultdict(_Fact)
    for (account, _product, _finance), fact in facts(found, as_of, by_account=True).items():
        sums[account].opening += fact.opening
        sums[account].debit += fact.debit
        sums[account].credit += fact.credit
    rows = tuple(
        AccountRow(a.id, a.code, a.name, a.kind, sums[a.id].opening, sums[a.id].debit, sums[a.id].credit)
        for a in accounts.values()
        if a.id in sums
    )
    return TrialBalance(ledger, year, as_of, rows)


def _planned(year: FiscalYear) -> dict[UUID, int]:
    rows = BudgetLine.objects.filter(fiscal_year=year).values_list("account").annotate(cents=Sum("appropriation"))
    return {account: int(cents) for account, cents in rows}


def _statement_rows(
    accounts: dict[UUID, Account], kind: str, sums: dict[UUID, int], planned: dict[UUID, int], sign: int
) -> tuple[StatementRow, ...]:
    return tuple(
        StatementRow(a.id, a.code, a.name, sign * sums.get(a.id, 0), planned.get(a.id, 0))
        for a in accounts.values()
        if a.kind == kind and (sums.get(a.id) or planned.get(a.id))
    )


def result_statement(actor: Actor, ledger: str, year: int, as_of: date | None = None) -> ResultStatement:
    """Result statement, with the plan beside it. Raises: policy.Denied, YearNotFound."""
    found = find_visible_year(actor, ledger, year)
    accounts = _accounts(found)
    sums: dict[UUID, int] = defaultdict(int)
    products: dict[UUID | None, int] = defaultdict(int)
    for (account, product, _finance), fact in facts(found, as_of).items():
        if accounts[account].kind in (AccountKind.REVENUE, AccountKind.EXPENSE):
            change = fact.opening + fact.debit - fact.credit
            sums[account] += change
            products[product] -= change
    planned = _planned(found)
    names = {p.id: (p.code, p.name) for p in Product.objects.filter(ledger=found.ledger_id)}
    return ResultStatement(
        revenue=_statement_rows(accounts, AccountKind.REVENUE, sums, planned, -1),
        expense=_statement_rows(accounts, AccountKind.EXPENSE, sums, planned, 1),
        by_product=tuple(sorted((*(names.get(p, ("", "")) if p else ("", "")), cents) for p, cents in products.items()))
        if products
        else (),
    )


def cash_statement(actor: Actor, ledger: str, year: int, as_of: date | None = None) -> CashStatement:
    """Cash statement, with the plan beside it. Raises: policy.Denied, YearNotFound."""
    found = find_visible_year(actor, ledger, year)
    accounts = _accounts(found)
    sums: dict[UUID, int] = defaultdict(int)
    opening = closing = 0
    for (account, _product, finance), fact in facts(found, as_of).items():
        if accounts[account].liquid:
            opening += fact.opening
            closing += fact.opening + fact.debit - fact.credit
        if finance is not None:
            sums[finance] += fact.debit - fact.credit
    planned = _planned(found)
    sections = {
        section: CashSectionRows(
            section,
            _statement_rows(_of(accounts, section), AccountKind.RECEIPT, sums, planned, 1),
            _statement_rows(_of(accounts, section), AccountKind.PAYMENT, sums, planned, -1),
        )
        for section in (CashSection.OPERATING, CashSection.INVESTMENT, CashSection.FINANCING, CashSection.TRANSIT)
    }
    repayment = -sum(sums.get(a.id, 0) for a in accounts.values() if a.scheduled_repayment)
    return CashStatement(
        operating=sections[CashSection.OPERATING],
        investment=sections[CashSection.INVESTMENT],
        financing=sections[CashSection.FINANCING],
        transit=sections[CashSection.TRANSIT],
        scheduled_repayment=repayment,
        opening_liquid_funds=opening,
        closing_liquid_funds=closing,
    )


def _of(accounts: dict[UUID, Account], section: str) -> dict[UUID, Account]:
    return {key: a for key, a in accounts.items() if a.section == section}


def balance_sheet(actor: Actor, ledger: str, year: int, as_of: date | None = None) -> BalanceSheet:
    """Balance sheet with the running annual result. Raises: policy.Denied, YearNotFound."""
    found = find_visible_year(actor, ledger, year)
    accounts = _accounts(found)
    sums: dict[UUID, int] = defaultdict(int)
    result = 0
    for (account, _product, _finance), fact in facts(found, as_of, by_account=True).items():
        change = fact.opening + fact.debit - fact.credit
        if accounts[account].kind in (AccountKind.REVENUE, AccountKind.EXPENSE):
            result -= change
        else:
            sums[account] += change
    none: dict[UUID, int] = {}
    return BalanceSheet(
        assets=_statement_rows(accounts, AccountKind.ASSET, sums, none, 1),
        equity=_statement_rows(accounts, AccountKind.EQUITY, sums, none, -1),
        special_items=_statement_rows(accounts, AccountKind.SPECIAL_ITEM, sums, none, -1),
        provisions=_statement_rows(accounts, AccountKind.PROVISION, sums, none, -1),
        liabilities=_statement_rows(accounts, AccountKind.LIABILITY, sums, none, -1),
        annual_result=result,
    )


def reconcile_totals(actor: Actor, ledger: str, year: int) -> list[tuple[Key, int, int]]:
    """Where totals plus unfolded lines differ from a plain sum over the journal: (key, reported, journal); empty when
    all is well.
    """
    found = find_visible_year(actor, ledger, year)
    reported = {key: f.opening + f.debit - f.credit for key, f in _own_facts(found)[0].items()}
    journal = {
        (account, product, finance): int(debit) - int(credit)
        for account, product, finance, debit, credit in VoucherLine.objects.filter(voucher__fiscal_year=found)
        .values_list("account_id", "product_id", "finance_account_id")
        .annotate(d=Sum("debit"), c=Sum("credit"))
    }
    return [
        (key, reported.get(key, 0), journal.get(key, 0))
        for key in {*reported, *journal}
        if reported.get(key, 0) != journal.get(key, 0)
    ]
