"""Ledgers, years, accounts, the journal and its vouchers; budget status of lines and circles."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Q, Subquery, Sum

from verbund.modules.budget import policies
from verbund.modules.budget.models import (
    Account,
    BudgetLine,
    CircleBalance,
    FiscalYear,
    FundsEvent,
    Ledger,
    LineBalance,
    OpenItem,
    Product,
    Voucher,
    VoucherLine,
)
from verbund.modules.budget.models.canonical import label
from verbund.modules.budget.policies import Permission
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import NotFound

from .reports import facts, find_visible_year


class VoucherNotFound(NotFound):
    """There is no such voucher for this actor."""


class AccountNotFound(NotFound):
    """There is no such account or ledger for this actor."""


@dataclass(frozen=True, slots=True)
class LedgerRow:
    id: UUID
    code: str
    number: int
    name: str
    years: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AccountFacts:
    id: UUID
    code: str
    name: str
    kind: str
    kind_label: str
    role_label: str
    liquid: bool
    finance_account: str
    closed_from: date | None


@dataclass(frozen=True, slots=True)
class LineChoice:
    """A revenue line that a claim can be raised on, for the configuration of a service."""

    ledger: str
    product: str
    product_name: str
    account: str
    account_name: str
    year: int


@dataclass(frozen=True, slots=True)
class VoucherRow:
    id: UUID
    label: str
    posting_date: date
    kind: str
    kind_label: str
    text: str
    cents: int
    posted_by: str

    @property
    def posted_by_name(self) -> str:
        """Who posted, without the id that the journal keeps."""
        return self.posted_by.rsplit(" (", 1)[0]


@dataclass(frozen=True, slots=True)
class VoucherLineRow:
    position: int
    account: str
    account_id: UUID
    account_name: str
    product: str
    debit: int
    credit: int
    finance_account: str
    deduction: bool
    open_item: UUID | None
    claim: UUID | None


@dataclass(frozen=True, slots=True)
class VoucherView:
    """A voucher with its lines and its place in the hash chain; hashes are hexadecimal."""

    id: UUID
    ledger: str
    year: int
    label: str
    series: str
    no: int
    posting_date: date
    document_date: date
    kind: str
    kind_label: str
    text: str
    cents: int
    posted_at: datetime
    posted_by: str
    hash: str
    hash_prev: str
    reverses: VoucherRow | None
    reversed_by: VoucherRow | None
    lines: tuple[VoucherLineRow, ...]


@dataclass(frozen=True, slots=True)
class JournalPage:
    """A page of the journal, newest first; `after` fetches the next one, None at the end."""

    rows: tuple[VoucherRow, ...]
    after: UUID | None


@dataclass(frozen=True, slots=True)
class AccountMovement:
    voucher: VoucherRow
    position: int
    product: str
    debit: int
    credit: int


@dataclass(frozen=True, slots=True)
class AccountPage:
    account: AccountFacts
    rows: tuple[AccountMovement, ...]
    after: tuple[UUID, int] | None


@dataclass(frozen=True, slots=True)
class LineStatus:
    """Budget status of a line (HÜL), in cents; for revenue and receipts `consumed` is what has come in."""

    line_id: UUID
    product: str
    product_name: str
    account: str
    account_name: str
    account_id: UUID
    budget_kind: str
    circle: str
    appropriation: int
    authorisation: int
    consumed: int
    open: int

    @property
    def available(self) -> int:
        return self.authorisation - self.consumed - self.open

    @property
    def line(self) -> str:
        return f"{self.product}.{self.account}"

    @property
    def spends(self) -> bool:
        return self.account[0] in "57"


def ledgers(actor: Actor) -> list[LedgerRow]:
    """The ledgers the actor may see, with their years."""
    return [
        LedgerRow(row.id, row.code, row.number, row.name, tuple(sorted(y.year for y in row.years.all())))
        for row in policies.visible_ledgers(actor).prefetch_related("years").order_by("number")
    ]


def accounts(actor: Actor, ledger: str) -> list[AccountFacts]:
    """The chart of a ledger by code. Raises: policy.Denied."""
    policy.require(actor, Permission.SEE)
    rows = Account.objects.filter(ledger__in=policies.visible_ledgers(actor), ledger__code=ledger)
    return [_account(row) for row in rows.select_related("finance_account").order_by("code")]


def products(actor: Actor, ledger: str) -> list[tuple[str, str, str]]:
    """Products as (code, name, sub-budget). Raises: policy.Denied."""
    policy.require(actor, Permission.SEE)
    rows = Product.objects.filter(ledger__in=policies.visible_ledgers(actor), ledger__code=ledger)
    return [(p.code, p.name, p.sub_budget.code) for p in rows.select_related("sub_budget").order_by("code")]


def revenue_lines(actor: Actor, year: int) -> list[LineChoice]:
    """Revenue lines of all ledgers on which a claim can be raised in `year`."""
    rows = BudgetLine.objects.filter(
        fiscal_year__year=year,
        fiscal_year__ledger__in=policies.visible_ledgers(actor),
        account__code__startswith="4",
        account__finance_account__isnull=False,
    ).select_related("fiscal_year__ledger", "product", "account")
    return [
        LineChoice(r.fiscal_year.ledger.code, r.product.code, r.product.name, r.account.code, r.account.name, year)
        for r in rows.order_by("fiscal_year__ledger__number", "product__code", "account__code")
    ]


def _account(row: Account) -> AccountFacts:
    return AccountFacts(
        row.id,
        row.code,
        row.name,
        row.kind,
        row.get_kind_display(),
        row.get_role_display() if row.role else "",
        row.liquid,
        row.finance_account.code if row.finance_account else "",
        row.closed_from,
    )


def voucher_row(row: Voucher, ledger: str, year: int) -> VoucherRow:
    return VoucherRow(
        row.id,
        label(ledger, year, row.series, row.no),
        row.posting_date,
        row.kind,
        row.get_kind_display(),
        row.text,
        row.total_cents,
        row.posted_by,
    )


def journal(
    actor: Actor,
    ledger: str,
    *,
    year: int | None = None,
    series: str = "",
    kind: str = "",
    text: str = "",
    day_from: date | None = None,
    day_to: date | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> JournalPage:
    """Vouchers of a ledger, newest first, keyset-paged. Raises: policy.Denied."""
    policy.require(actor, Permission.SEE)
    # Values, and no joins, are what the journal is walked back by, instead of being sorted.
    books = Ledger.objects.filter(code=ledger).values("pk")
    rows = policies.visible_vouchers(actor).filter(ledger=Subquery(books)).select_related("fiscal_year", "ledger")
    if year is not None:
        years = FiscalYear.objects.filter(ledger__code=ledger, year=year).values("pk")
        rows = rows.filter(fiscal_year=Subquery(years))
    if series:
        rows = rows.filter(series=series)
    if kind:
        rows = rows.filter(kind=kind)
    if text:
        rows = rows.filter(text__icontains=text)
    if day_from:
        rows = rows.filter(posting_date__gte=day_from)
    if day_to:
        rows = rows.filter(posting_date__lte=day_to)
    if after:
        rows = rows.filter(id__lt=after)
    found = list(rows.order_by("-id")[: limit + 1])
    page = tuple(voucher_row(row, row.ledger.code, row.fiscal_year.year) for row in found[:limit])
    return JournalPage(page, page[-1].id if len(found) > limit else None)


def voucher(actor: Actor, voucher_id: UUID) -> VoucherView:
    """A voucher with its lines. Raises: policy.Denied, VoucherNotFound."""
    policy.require(actor, Permission.SEE)
    row = (
        policies.visible_vouchers(actor)
        .filter(id=voucher_id)
        .select_related("ledger", "fiscal_year", "reverses")
        .first()
    )
    if row is None:
        raise VoucherNotFound(str(voucher_id))
    ledger, year = row.ledger.code, row.fiscal_year.year
    opposite = Voucher.objects.filter(reverses=row).first()
    lines = (
        VoucherLine.objects.filter(voucher=row)
        .select_related("account", "product", "finance_account", "open_item__claim")
        .order_by("position")
    )
    return VoucherView(
        id=row.id,
        ledger=ledger,
        year=year,
        label=label(ledger, year, row.series, row.no),
        series=row.series,
        no=row.no,
        posting_date=row.posting_date,
        document_date=row.document_date,
        kind=row.kind,
        kind_label=row.get_kind_display(),
        text=row.text,
        cents=row.total_cents,
        posted_at=row.posted_at,
        posted_by=row.posted_by,
        hash=bytes(row.hash).hex(),
        hash_prev=bytes(row.hash_prev).hex(),
        reverses=voucher_row(row.reverses, ledger, year) if row.reverses else None,
        reversed_by=voucher_row(opposite, ledger, year) if opposite else None,
        lines=tuple(_line(n) for n in lines),
    )


def _line(row: VoucherLine) -> VoucherLineRow:
    item = row.open_item
    claim = getattr(item, "claim", None) if item is not None else None
    return VoucherLineRow(
        row.position,
        row.account.code,
        row.account_id,
        row.account.name,
        row.product.code if row.product else "",
        row.debit,
        row.credit,
        row.finance_account.code if row.finance_account else "",
        row.deduction,
        row.open_item_id,
        claim.id if claim else None,
    )


def account_movements(
    actor: Actor,
    ledger: str,
    code: str,
    *,
    year: int | None = None,
    product: str = "",
    after: tuple[UUID, int] | None = None,
    limit: int = 50,
) -> AccountPage:
    """Lines on an account, or with it as finance account, newest first, keyset-paged. Raises: policy.Denied,
    AccountNotFound.
    """
    policy.require(actor, Permission.SEE)
    account = (
        Account.objects.filter(ledger__in=policies.visible_ledgers(actor), ledger__code=ledger, code=code)
        .select_related("finance_account")
        .first()
    )
    if account is None:
        raise AccountNotFound(f"{ledger} {code}")
    finance = account.account_class in "67"
    rows = (
        VoucherLine.objects.filter(finance_account=account) if finance else VoucherLine.objects.filter(account=account)
    )
    if year is not None:
        rows = rows.filter(voucher__fiscal_year__year=year)
    if product:
        rows = rows.filter(product__code=product)
    if after:
        rows = rows.filter(Q(voucher_id__lt=after[0]) | Q(voucher_id=after[0], position__gt=after[1]))
    found = list(
        rows.select_related("voucher__fiscal_year", "product").order_by("-voucher_id", "position")[: limit + 1]
    )
    page = tuple(
        AccountMovement(
            voucher_row(n.voucher, ledger, n.voucher.fiscal_year.year),
            n.position,
            n.product.code if n.product else "",
            n.debit,
            n.credit,
        )
        for n in found[:limit]
    )
    rest = (page[-1].voucher.id, page[-1].position) if len(found) > limit else None
    return AccountPage(_account(account), page, rest)


def budget_status(actor: Actor, ledger: str, year: int) -> list[LineStatus]:
    """Budget status of every line of a year: three queries. Raises: policy.Denied, YearNotFound."""
    found = find_visible_year(actor, ledger, year)
    came: dict[tuple[UUID, UUID | None], int] = {}
    for (account, product, finance), fact in facts(found).items():
        came[(account, product)] = came.get((account, product), 0) - fact.debit + fact.credit - fact.opening
        if finance is not None:
            came[(finance, product)] = came.get((finance, product), 0) + fact.debit - fact.credit
    rows = (
        BudgetLine.objects.filter(fiscal_year=found)
        .select_related("product", "account", "circle", "balance")
        .order_by("product__code", "account__code")
    )
    status = []
    for row in rows:
        spends = row.account.account_class in "57"
        status.append(
            LineStatus(
                row.id,
                row.product.code,
                row.product.name,
                row.account.code,
                row.account.name,
                row.account_id,
                row.budget_kind,
                row.circle.code if row.circle else "",
                row.appropriation,
                row.balance.authorisation,
                row.balance.consumed if spends else came.get((row.account_id, row.product_id), 0),
                row.balance.open,
            )
        )
    return status


def circles_available(actor: Actor, ledger: str, year: int) -> dict[str, int]:
    """What each cover circle has left, in cents (K2). Raises: policy.Denied, YearNotFound."""
    found = find_visible_year(actor, ledger, year)
    rows = CircleBalance.objects.filter(circle__fiscal_year=found).select_related("circle").order_by("circle__code")
    return {row.circle.code: row.available for row in rows}


def reconcile_funds(actor: Actor, ledger: str, year: int) -> list[str]:
    """Balance rows that differ from the sum of their events, circles that differ from their lines; empty when all is
    well.
    """
    found = find_visible_year(actor, ledger, year)
    events = {
        line: (int(a), int(c), int(o))
        for line, a, c, o in FundsEvent.objects.filter(line__fiscal_year=found)
        .values_list("line_id")
        .annotate(a=Sum("authorisation"), c=Sum("consumed"), o=Sum("open"))
    }
    wrong = []
    for row in LineBalance.objects.filter(line__fiscal_year=found).select_related("line__product", "line__account"):
        if (row.authorisation, row.consumed, row.open) != events.get(row.line_id, (0, 0, 0)):
            wrong.append(f"{row.line.product.code}.{row.line.account.code}")
    for circle in CircleBalance.objects.filter(circle__fiscal_year=found).select_related("circle"):
        sums = LineBalance.objects.filter(line__circle=circle.circle_id).aggregate(
            a=Sum("authorisation"), c=Sum("consumed"), o=Sum("open")
        )
        if (circle.authorisation, circle.consumed, circle.open) != (sums["a"], sums["c"], sums["o"]):
            wrong.append(circle.circle.code)
    return wrong


def reconcile_items(actor: Actor, ledger: str) -> list[tuple[str, int, int]]:
    """O1: control accounts whose open items do not add up to the journal: (account, items, journal); empty when all
    is well.
    """
    policy.require(actor, Permission.SEE)
    control = Account.objects.filter(
        ledger__in=policies.visible_ledgers(actor),
        ledger__code=ledger,
        role__in=["receivable", "payable", "suspense_in", "suspense_out"],
    )
    items = dict(OpenItem.objects.filter(account__in=control).values_list("account_id").annotate(c=Sum("open_cents")))
    books = {
        account: int(debit) - int(credit)
        for account, debit, credit in VoucherLine.objects.filter(account__in=control)
        .exclude(voucher__kind="carry_forward")
        .values_list("account_id")
        .annotate(d=Sum("debit"), c=Sum("credit"))
    }
    return [
        (a.code, int(items.get(a.id, 0)), books.get(a.id, 0))
        for a in control.order_by("code")
        if int(items.get(a.id, 0)) != books.get(a.id, 0)
    ]
