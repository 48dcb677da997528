"""Posting: every way into the journal goes through `_post`, which calls the database function `budget_post` once.

A named place for raw SQL: `budget_post` (migration 0002) gives numbers, hashes and balances under its locks.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from verbund.modules.budget.events import ClaimReopened, ClaimSettled
from verbund.modules.budget.models import (
    Account,
    AccountKind,
    BindingLine,
    BudgetKind,
    BudgetLine,
    Claim,
    FiscalYear,
    Ledger,
    LineBalance,
    OpenItem,
    Product,
    VoucherKind,
)
from verbund.modules.budget.models.canonical import label
from verbund.platform import events
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, Invalid, NotFound, new_id


class LedgerNotFound(NotFound):
    """There is no such ledger or year for this actor."""


class VoucherRefused(Invalid):
    """The voucher breaks a rule of the journal; nothing was written."""


class PeriodClosed(Conflict):
    """The year or the period of the posting date is closed (J5)."""


class AlreadyReversed(Conflict):
    """Somebody has reversed the voucher already (J4)."""


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
        years={y.year: y for y in FiscalYear.objects.filter(ledger=ledger, year__in={d.year for d in drafts})},
        accounts={a.code: a for a in Account.objects.filter(ledger=ledger, code__in=account_codes)},
        products={p.code: p for p in Product.objects.filter(ledger=ledger, code__in=product_codes)}
        if product_codes
        else {},
        items={i.id: i for i in OpenItem.objects.filter(ledger=ledger, id__in=item_ids).select_related("finance_line")}
        if item_ids
        else {},
    )


def post(
    actor: Actor, *, ledger: Ledger, drafts: Sequence[Draft], now: datetime, books: Books | None = None
) -> list[VoucherRef]:
    """Post the drafts in one call, in the order given; the caller has asked the policy and writes the audit entry.

    Raises:
        VoucherRefused: a rule of the journal is broken. PeriodClosed, AlreadyReversed.
    """
    books = books or read_books(ledger, drafts)
    for draft in drafts:
        _check(books, draft)
    _open_items(books, drafts, now)
    effects = _effects(books, drafts)
    numbers = _call(_vouchers_json(actor, books, drafts, now), _funds_json(effects, now))
    touched = {line.open_item for draft in drafts for line in draft.lines if line.open_item}
    if touched:
        _tell_claims(actor, touched, drafts[-1])
    refs = []
    for draft in drafts:
        no, digest = numbers[draft.id]
        refs.append(VoucherRef(draft.id, label(ledger.code, draft.year, draft.series, no), digest))
    return refs


def mirrored(line: Line) -> Line:
    """The line with its sides swapped; money goes back as a deduction from the same finance account."""
    return replace(
        line,
        debit=line.credit,
        credit=line.debit,
        deduction=bool(line.finance_account) and not line.deduction,
        new_item=None,
    )


# --- rules, said kindly; PostgreSQL holds them too
# --------------------------------------------------------------------------------
def _check(books: Books, draft: Draft) -> None:
    errors: dict[str, str] = {}
    year = books.years.get(draft.year)
    if year is None:
        raise LedgerNotFound(f"{books.ledger.code} {draft.year}")
    if not year.takes(draft.posting_date):
        raise PeriodClosed(
            _("%(day)s is not in an open period of the fiscal year %(year)s. Choose a day in an open period.")
            % {"day": draft.posting_date.strftime("%d.%m.%Y"), "year": draft.year}
        )
    if not draft.series.isascii() or not draft.series.isalnum() or not 1 <= len(draft.series) <= 8:
        errors["series"] = _("The series is 1 to 8 letters or digits.")
    if not draft.text.strip() or len(draft.text) > 300:
        errors["text"] = _("A voucher needs a text of at most 300 characters.")
    if len(draft.lines) < 2:
        errors["lines"] = _("A voucher needs at least two lines.")
    debit = sum(line.debit for line in draft.lines)
    credit = sum(line.credit for line in draft.lines)
    if debit != credit:
        errors["lines"] = _("Debit and credit differ by %(cents)d cents.") % {"cents": abs(debit - credit)}
    for position, line in enumerate(draft.lines, 1):
        message = _fault_of_line(books, draft, line)
        if message:
            errors[f"line {position}"] = message
    if errors:
        raise VoucherRefused(errors)


def _fault_of_line(books: Books, draft: Draft, line: Line) -> str:
    if (line.debit > 0) == (line.credit > 0) or line.debit < 0 or line.credit < 0:
        return _("Exactly one side of a line is above zero.")
    account = books.accounts.get(line.account)
    if account is None:
        return _("There is no account %(code)s in this ledger.") % {"code": line.account}
    if line.product is not None and line.product not in books.products:
        return _("There is no product %(code)s in this ledger.") % {"code": line.product}
    if account.kind in (AccountKind.RECEIPT, AccountKind.PAYMENT):
        return _("%(code)s is a finance account: name it on the line of the bank account instead.") % {
            "code": line.account
        }
    if not account.open_on(draft.posting_date) and draft.kind != VoucherKind.REVERSAL:
        return _("The account %(code)s is closed for new postings.") % {"code": line.account}
    if account.is_control and line.open_item is None and line.new_item is None:
        return _("%(code)s is a control account: the line must name an open item.") % {"code": line.account}
    if line.open_item is not None:
        item = books.items.get(line.open_item)
        if item is None or item.account_id != account.id:
            return _("The open item does not belong to the account %(code)s.") % {"code": line.account}
    if line.new_item is not None and not account.is_control:
        return _("%(code)s is not a control account and keeps no open items.") % {"code": line.account}
    return _fault_of_finance(books, draft, line, account)


def _fault_of_finance(books: Books, draft: Draft, line: Line, account: Account) -> str:
    exempt = draft.kind in (VoucherKind.OPENING, VoucherKind.CLOSING, VoucherKind.CARRY_FORWARD)
    if not account.liquid or exempt:
        return _("Only lines of bank and cash accounts carry a finance account.") if line.finance_account else ""
    if line.finance_account is None:
        return _("A line of a bank or cash account needs a finance account.")
    finance = books.accounts.get(line.finance_account)
    wanted = AccountKind.RECEIPT if (line.debit > 0) != line.deduction else AccountKind.PAYMENT
    if finance is None or finance.kind != wanted:
        return _("The finance account must be of class 6 for money that comes and of class 7 for money that goes.")
    return ""


# --- open items
# -------------------------------------------------------------------------------------------------------------------
def _open_items(books: Books, drafts: Sequence[Draft], now: datetime) -> None:
    wanted = [(draft, line) for draft in drafts for line in draft.lines if line.new_item is not None]
    if not wanted:
        return
    pairs = {
        (draft.year, line.new_item.product, line.new_item.finance_account)
        for draft, line in wanted
        if line.new_item
        and line.new_item.product
        and line.new_item.finance_account
        and books.accounts[line.account].role == "payable"
    }
    finance_lines = _lines(books, {(y, p, a) for y, p, a in pairs if p and a})
    created = []
    for draft, line in wanted:
        new = line.new_item
        assert new is not None
        created.append(
            OpenItem(
                id=new.id,
                ledger=books.ledger,
                account=books.accounts[line.account],
                party_id=new.party,
                product=books.products.get(new.product or ""),
                finance_account=books.accounts.get(new.finance_account or ""),
                finance_line=finance_lines.get((draft.year, new.product or "", new.finance_account or "")),
                payment_reference=new.payment_reference,
                text=new.text,
                due_on=new.due_on,
                original_cents=line.debit - line.credit,
                created_at=now,
            )
        )
    OpenItem.objects.bulk_create(created)
    for item in created:
        books.items[item.id] = item


def _tell_claims(actor: Actor, touched: Iterable[UUID], draft: Draft) -> None:
    """Bring the state of the claims behind the touched items up to date and tell what changed."""
    claims = Claim.objects.filter(item__in=touched).exclude(state=Claim.State.CANCELLED).select_related("item")
    for claim in claims:
        open_cents = claim.item.open_cents
        if open_cents == 0 and claim.state == Claim.State.OPEN:
            claim.state = Claim.State.SETTLED
            claim.save(update_fields=["state"])
            events.publish(
                actor,
                ClaimSettled(
                    claim.id,
                    claim.origin,
                    claim.purpose,
                    claim.item.payment_reference or "",
                    claim.cents,
                    draft.posting_date,
                ),
            )
        elif open_cents != 0 and claim.state == Claim.State.SETTLED:
            claim.state = Claim.State.OPEN
            claim.save(update_fields=["state"])
            events.publish(
                actor,
                ClaimReopened(
                    claim.id, claim.origin, claim.purpose, claim.item.payment_reference or "", open_cents, draft.text
                ),
            )


# --- budget lines
# -----------------------------------------------------------------------------------------------------------------
def _lines(books: Books, wanted: set[tuple[int, str, str]]) -> dict[tuple[int, str, str], BudgetLine]:
    """Budget lines for (year, product, account); a line nobody planned comes into being with an appropriation of zero
    (U3).
    """
    if not wanted:
        return {}
    year_of = {y.id: y.year for y in books.years.values()}
    found = {
        (year_of[line.fiscal_year_id], line.product.code, line.account.code): line
        for line in BudgetLine.objects.filter(
            fiscal_year__in=[books.years[y] for y, _p, _a in wanted],
            product__code__in={p for _y, p, _a in wanted},
            account__code__in={a for _y, _p, a in wanted},
        ).select_related("product", "account")
    }
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


def _effects(books: Books, drafts: Sequence[Draft]) -> dict[UUID, list[Effect]]:
    """What the drafts do to budget lines: expense and payments consume, payables hold cash, bindings give way."""
    wanted: set[tuple[int, str, str]] = set()
    moves: list[tuple[Draft, list[tuple[str, tuple[int, str, str] | BudgetLine, int]]]] = []
    for draft in drafts:
        if draft.funds is not None or draft.kind == VoucherKind.CARRY_FORWARD:
            continue
        own = list(_moves(books, draft))
        moves.append((draft, own))
        wanted.update(target for _kind, target, _cents in own if isinstance(target, tuple))
    lines = _lines(books, wanted)
    effects: dict[UUID, list[Effect]] = {d.id: list(d.funds) for d in drafts if d.funds is not None}
    bindings = _bindings({d.binding for d in drafts if d.binding})
    for draft, own in moves:
        consumed: dict[UUID, int] = defaultdict(int)
        held: dict[UUID, int] = defaultdict(int)
        circles: dict[UUID, UUID | None] = {}
        for kind, target, cents in own:
            line = lines[target] if isinstance(target, tuple) else target
            circles[line.id] = line.circle_id
            (consumed if kind == "consumed" else held)[line.id] += cents
        effects[draft.id] = [
            Effect(line_id, circle, consumed[line_id], held[line_id]) for line_id, circle in circles.items()
        ]
        for line_id, circle in circles.items():
            effects[draft.id] += _give_way(bindings, draft, line_id, circle, consumed[line_id] + held[line_id])
    return effects


def _moves(books: Books, draft: Draft) -> Iterable[tuple[str, tuple[int, str, str] | BudgetLine, int]]:
    for line in draft.lines:
        account = books.accounts[line.account]
        if account.kind == AccountKind.EXPENSE and line.product:
            yield "consumed", (draft.year, line.product, line.account), line.debit - line.credit
        if line.finance_account and line.product and books.accounts[line.finance_account].kind == AccountKind.PAYMENT:
            yield "consumed", (draft.year, line.product, line.finance_account), line.credit - line.debit
        item = books.items.get(line.open_item or (line.new_item.id if line.new_item else UUID(int=0)))
        if account.role == "payable" and item is not None and item.finance_line is not None:
            yield "open", item.finance_line, line.credit - line.debit


def _bindings(ids: set[UUID]) -> dict[tuple[UUID, UUID], int]:
    if not ids:
        return {}
    rows = BindingLine.objects.filter(binding__in=ids).order_by("id").select_for_update()
    return {(row.binding_id, row.line_id): row.rest_cents for row in rows}


def _give_way(
    bindings: dict[tuple[UUID, UUID], int], draft: Draft, line: UUID, circle: UUID | None, cents: int
) -> list[Effect]:
    if draft.binding is None or cents <= 0:
        return []
    used = min(bindings.get((draft.binding, line), 0), cents)
    if used == 0:
        return []
    bindings[(draft.binding, line)] -= used
    return [Effect(line, circle, 0, -used, draft.binding, used)]


# --- the call -------------------------------------------------------------------------------------------------------
# --------------
def _vouchers_json(actor: Actor, books: Books, drafts: Sequence[Draft], now: datetime) -> str:
    by = f"{actor.name} ({actor.id})" if actor.id else actor.name
    rows = []
    for draft in drafts:
        lines = [
            {
                "account": str(books.accounts[line.account].id),
                "product": str(books.products[line.product].id) if line.product else None,
                "debit": line.debit,
                "credit": line.credit,
                "finance": str(books.accounts[line.finance_account].id) if line.finance_account else None,
                "deduction": line.deduction,
                "open_item": _item_of(line),
                "project": line.project,
                "cost_center": line.cost_center,
            }
            for line in draft.lines
        ]
        rows.append(
            {
                "id": str(draft.id),
                "year_id": str(books.years[draft.year].id),
                "series": draft.series,
                "posting_date": draft.posting_date.isoformat(),
                "document_date": draft.document_date.isoformat(),
                "kind": draft.kind.value,
                "text": draft.text,
                "reverses": str(draft.reverses) if draft.reverses else None,
                "posted_at": now.isoformat(),
                "posted_by": by[:200],
                "lines": lines,
            }
        )
    return json.dumps(rows, ensure_ascii=False)


def _item_of(line: Line) -> str | None:
    if line.open_item:
        return str(line.open_item)
    return str(line.new_item.id) if line.new_item else None


def _funds_json(effects: dict[UUID, list[Effect]], now: datetime) -> str:
    rows = [
        {
            "id": str(new_id()),
            "line": str(effect.line),
            "circle": str(effect.circle) if effect.circle else None,
            "consumed": effect.consumed,
            "open": effect.open,
            "voucher": str(voucher),
            "binding": str(effect.binding) if effect.binding else None,
            "used": effect.used,
            "at": now.isoformat(),
        }
        for voucher, own in effects.items()
        for effect in own
        if effect.consumed or effect.open or effect.used
    ]
    return json.dumps(rows)


def _call(vouchers: str, funds: str) -> dict[UUID, tuple[int, str]]:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT r_id, r_no, r_hash FROM budget_post(%s::jsonb, %s::jsonb)", [vouchers, funds])
            rows: list[tuple[Any, int, Any]] = cursor.fetchall()
    except IntegrityError as error:
        if "budget_voucher_reversed_once" in str(error):
            raise AlreadyReversed(_("The voucher has been reversed already.")) from error
        raise
    except DatabaseError as error:
        state = getattr(error.__cause__, "sqlstate", "") or ""
        if state == "VB001":
            raise PeriodClosed(_("The period was closed in the meantime. Choose a day in an open period.")) from error
        if state.startswith("VB"):
            raise VoucherRefused({"": _("The voucher breaks a rule of the journal. Nothing was posted.")}) from error
        raise
    return {UUID(str(row[0])): (row[1], bytes(row[2]).hex()) for row in rows}
