"""What a posting names, and where it is looked up: lines, drafts, and the books they are read against.

A named place for raw SQL: making the five queries of a posting out of querysets, anew for every voucher, cost more
than all the rest of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model

from verbund.modules.budget.models import (
    Account,
    BudgetKind,
    BudgetLine,
    FiscalYear,
    Ledger,
    LineBalance,
    OpenItem,
    Product,
    VoucherKind,
)
from verbund.platform.tenancy import NotFound, new_id

_Row = TypeVar("_Row", bound=Model)


class LedgerNotFound(NotFound):
    """There is no such ledger or year for this actor."""


@dataclass(frozen=True, slots=True)
class NewItem:
    """An open item that a line creates: `finance_account` is the class 6 or 7 account its payment will carry."""

    text: str
    party: UUID | None = None
    due_on: date | None = None
    payment_reference: str | None = None
    product: str | None = None
    finance_account: str | None = None
    id: UUID = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class Line:
    """A line to be posted: codes of account, product and finance account; cents on exactly one side.

    A line on a control account names the open item it moves, or the one it creates.
    """

    account: str
    product: str | None = None
    debit: int = 0
    credit: int = 0
    finance_account: str | None = None
    deduction: bool = False
    open_item: UUID | None = None
    new_item: NewItem | None = None
    project: str = ""
    cost_center: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A voucher to be posted."""

    year: int
    series: str
    posting_date: date
    document_date: date
    kind: VoucherKind
    text: str
    lines: Sequence[Line]
    binding: UUID | None = None
    reverses: UUID | None = None
    funds: Sequence["Effect"] | None = None
    id: UUID = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class Effect:
    """What a voucher does to one budget line, in cents."""

    line: UUID
    circle: UUID | None
    consumed: int = 0
    open: int = 0
    binding: UUID | None = None
    used: int = 0


@dataclass(frozen=True, slots=True)
class VoucherRef:
    """A posted voucher: `label` is its number for people, `hash` hexadecimal."""

    id: UUID
    label: str
    hash: str


@dataclass(slots=True)
class Books:
    """What the drafts of one call name, read once."""

    ledger: Ledger
    years: dict[int, FiscalYear]
    accounts: dict[str, Account]
    products: dict[str, Product]
    items: dict[UUID, OpenItem]


def _rows(model: type[_Row], condition: str, *values: Any) -> list[_Row]:
    return list(model._default_manager.raw(_select(model) + condition, list(values)))


@cache
def _select(model: type[Model]) -> str:
    # By name: a migration may add a column while the connection lives, and a kept plan must not change its result.
    columns = ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)
    return f'SELECT {columns} FROM "{model._meta.db_table}" WHERE '  # noqa: S608 - names of our own models


def find_ledger(code: str) -> Ledger:
    """The ledger with this code; `LedgerNotFound` otherwise."""
    found = _rows(Ledger, "code = %s", code)
    if not found:
        raise LedgerNotFound(code)
    return found[0]


def find_year(ledger: Ledger, year: int) -> FiscalYear:
    """The fiscal year of a ledger; `LedgerNotFound` otherwise."""
    found = FiscalYear.objects.filter(ledger=ledger, year=year).first()
    if found is None:
        raise LedgerNotFound(f"{ledger.code} {year}")
    return found


def read_books(ledger: Ledger, drafts: Sequence[Draft]) -> Books:
    """Accounts, products, years and open items that the drafts name: one query for each kind."""
    account_codes: set[str] = set()
    product_codes: set[str] = set()
    item_ids: set[UUID] = set()
    for draft in drafts:
        for line in draft.lines:
            account_codes.add(line.account)
            account_codes.update(
                c for c in (line.finance_account, line.new_item and line.new_item.finance_account) if c
            )
            product_codes.update(c for c in (line.product, line.new_item and line.new_item.product) if c)
            if line.open_item:
                item_ids.add(line.open_item)
    return Books(
        ledger=ledger,
        years={
            y.year: y
            for y in _rows(
                FiscalYear, "ledger_id = %s AND year = ANY(%s::int[])", ledger.id, sorted({d.year for d in drafts})
            )
        },
        accounts={
            a.code: a
            for a in _rows(Account, "ledger_id = %s AND code = ANY(%s::text[])", ledger.id, sorted(account_codes))
        },
        products={
            p.code: p
            for p in _rows(Product, "ledger_id = %s AND code = ANY(%s::text[])", ledger.id, sorted(product_codes))
        }
        if product_codes
        else {},
        items={i.id: i for i in OpenItem.objects.filter(ledger=ledger, id__in=item_ids).select_related("finance_line")}
        if item_ids
        else {},
    )


# --- budget lines
# -----------------------------------------------------------------------------------------------------------------
def budget_lines(books: Books, wanted: set[tuple[int, str, str]]) -> dict[tuple[int, str, str], BudgetLine]:
    """Budget lines for (year, product, account); a line nobody planned comes into being with an appropriation of zero
    (U3).
    """
    if not wanted:
        return {}
    years = {books.years[y].id: y for y, _p, _a in wanted}
    products = {books.products[p].id: p for _y, p, _a in wanted}
    accounts = {books.accounts[a].id: a for _y, _p, a in wanted}
    rows = _rows(
        BudgetLine,
        "fiscal_year_id = ANY(%s::uuid[]) AND product_id = ANY(%s::uuid[]) AND account_id = ANY(%s::uuid[])",
        list(years),
        list(products),
        list(accounts),
    )
    found = {(years[line.fiscal_year_id], products[line.product_id], accounts[line.account_id]): line for line in rows}
    for key in sorted(wanted - set(found)):
        found[key] = ensure_line(books.years[key[0]], books.products[key[1]], books.accounts[key[2]])
    return found


def ensure_line(year: FiscalYear, product: Product, account: Account) -> BudgetLine:
    """The budget line of product and account, made with its zero balance row if it is missing; safe under
    concurrency.
    """
    kind = BudgetKind.FINANCE if account.account_class in "67" else BudgetKind.RESULT
    line, created = BudgetLine.objects.get_or_create(
        fiscal_year=year, product=product, account=account, defaults={"id": new_id(), "budget_kind": kind}
    )
    if created:
        LineBalance.objects.create(line=line)
    return line
