"""What a posting names, and where it is looked up: lines, drafts, and the books they are read against.

A named place for raw SQL: making the queries of a posting out of querysets, anew for every voucher, cost more than all
the rest of it; the function `budget_named` (migration 0004) reads them all.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection
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
    """What the drafts of one call name, read once; `lines` are the budget lines there are for them, by (year, product,
    account).
    """

    ledger: Ledger
    years: dict[int, FiscalYear]
    accounts: dict[str, Account]
    products: dict[str, Product]
    items: dict[UUID, OpenItem]
    lines: dict[tuple[int, str, str], BudgetLine]


def _row(model: type[_Row], values: Mapping[str, Any]) -> _Row:
    fields = _fields(model)
    return model.from_db(
        DEFAULT_DB_ALIAS, [name for name, _column, _read in fields], [read(values[c]) for _name, c, read in fields]
    )


@cache
def _fields(model: type[Model]) -> list[tuple[str, str, Callable[[Any], Any]]]:
    # A foreign key is read as what it points to is: its own `to_python` would look the target up anew every time.
    return [
        (field.attname, str(field.column), getattr(field, "target_field", field).to_python)
        for field in model._meta.concrete_fields
    ]


def find_ledger(code: str) -> Ledger:
    """The ledger with this code; `LedgerNotFound` otherwise."""
    found = Ledger.objects.filter(code=code).first()
    if found is None:
        raise LedgerNotFound(code)
    return found


def find_year(ledger: Ledger, year: int) -> FiscalYear:
    """The fiscal year of a ledger; `LedgerNotFound` otherwise."""
    found = FiscalYear.objects.filter(ledger=ledger, year=year).first()
    if found is None:
        raise LedgerNotFound(f"{ledger.code} {year}")
    return found


def read_books(ledger: str, drafts: Sequence[Draft]) -> Books:
    """Ledger (by its code), accounts, products, years, budget lines and open items that the drafts name.

    Raises: LedgerNotFound.
    """
    years: set[int] = set()
    account_codes: set[str] = set()
    product_codes: set[str] = set()
    item_ids: set[UUID] = set()
    for draft in drafts:
        years.add(draft.year)
        for line in draft.lines:
            account_codes.add(line.account)
            new = line.new_item
            account_codes.update(c for c in (line.finance_account, new and new.finance_account) if c)
            product_codes.update(c for c in (line.product, new and new.product) if c)
            if line.open_item:
                item_ids.add(line.open_item)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT r_ledger, r_years, r_accounts, r_products, r_lines"
            " FROM budget_named(%s, %s::int[], %s::text[], %s::text[])",
            [ledger, sorted(years), sorted(account_codes), sorted(product_codes)],
        )
        found = cursor.fetchone()
    if found is None:
        raise LedgerNotFound(ledger)
    own, *others = found
    by_id: dict[Any, Any] = {}

    def rows(model: type[_Row], values: list[dict[str, Any]] | None) -> list[_Row]:
        read = [_row(model, v) for v in values or ()]
        by_id.update((row.pk, row) for row in read)
        return read

    the_years, accounts, products, lines = (
        rows(FiscalYear, others[0]),
        rows(Account, others[1]),
        rows(Product, others[2]),
        rows(BudgetLine, others[3]),
    )
    return Books(
        ledger=_row(Ledger, own),
        years={y.year: y for y in the_years},
        accounts={a.code: a for a in accounts},
        products={p.code: p for p in products},
        items={
            i.id: i
            for i in OpenItem.objects.filter(id__in=item_ids, ledger__code=ledger).select_related("finance_line")
        }
        if item_ids
        else {},
        lines={(by_id[b.fiscal_year_id].year, by_id[b.product_id].code, by_id[b.account_id].code): b for b in lines},
    )


# --- budget lines
# -----------------------------------------------------------------------------------------------------------------
def budget_lines(books: Books, wanted: set[tuple[int, str, str]]) -> dict[tuple[int, str, str], BudgetLine]:
    """Budget lines for (year, product, account); a line nobody planned comes into being with an appropriation of zero
    (U3).
    """
    for year, product, account in sorted(wanted - set(books.lines)):
        books.lines[year, product, account] = ensure_line(
            books.years[year], books.products[product], books.accounts[account]
        )
    return {key: books.lines[key] for key in wanted}


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
