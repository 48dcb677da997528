"""Claims, open items, bank statements and what waits in suspense."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from verbund.modules.budget import policies
from verbund.modules.budget.models import AccountRole, BankAccount, Claim, OpenItem, StatementEntry, VoucherLine
from verbund.modules.budget.models.references import grouped
from verbund.modules.budget.policies import Permission
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import NotFound

from .books import VoucherRow, voucher_row


class ClaimNotFound(NotFound):
    """There is no such claim for this actor."""


class EntryNotFound(NotFound):
    """There is no such movement for this actor."""


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A claim as the doors show it; cents, `open_cents` is what is still to come."""

    id: UUID
    ledger: str
    payment_reference: str
    state: str
    state_label: str
    cents: int
    open_cents: int
    due_on: date | None
    text: str
    debtor: str
    product: str
    account: str
    origin: str
    purpose: str
    voucher_id: UUID
    voucher_label: str
    raised_at: datetime
    raised_by: str

    @property
    def reference_grouped(self) -> str:
        return grouped(self.payment_reference)

    @property
    def is_settled(self) -> bool:
        return self.state == Claim.State.SETTLED

    @property
    def paid_cents(self) -> int:
        return 0 if self.state == Claim.State.CANCELLED else self.cents - self.open_cents


@dataclass(frozen=True, slots=True)
class ItemRow:
    id: UUID
    account: str
    account_name: str
    text: str
    party: str
    payment_reference: str
    due_on: date | None
    original_cents: int
    open_cents: int
    claim_id: UUID | None
    entry_id: UUID | None
    overdue: bool

    @property
    def reference_grouped(self) -> str:
        return grouped(self.payment_reference) if self.payment_reference else ""


@dataclass(frozen=True, slots=True)
class ItemPage:
    rows: tuple[ItemRow, ...]
    after: str | None


@dataclass(frozen=True, slots=True)
class ItemSums:
    """Number and sum of the open items of a ledger by the role of their account, in cents."""

    role: str
    number: int
    cents: int


@dataclass(frozen=True, slots=True)
class ItemMovement:
    voucher: VoucherRow
    cents: int


@dataclass(frozen=True, slots=True)
class EntryView:
    """A movement with what waits of it; `waiting_cents` keeps the sign of the money (below zero: it went)."""

    id: UUID
    ledger: str
    statement: str
    iban: str
    booked_on: date
    cents: int
    waiting_cents: int
    counterparty: str
    counterparty_iban: str
    remittance: str
    is_return: bool
    return_reason: str
    state: str
    state_label: str
    how: str
    voucher_id: UUID
    proposal: ClaimView | None


@dataclass(frozen=True, slots=True)
class BankRow:
    id: UUID
    iban: str
    name: str
    account: str
    balance: int
    balance_on: date | None


_CLAIM = ("ledger", "item__party", "line__product", "line__account")


def _claim(row: Claim) -> ClaimView:
    return ClaimView(
        row.id,
        row.ledger.code,
        row.item.payment_reference or "",
        row.state,
        row.get_state_display(),
        row.cents,
        row.item.open_cents,
        row.item.due_on,
        row.item.text,
        row.item.party.name if row.item.party else "",
        row.line.product.code,
        row.line.account.code,
        row.origin,
        row.purpose,
        row.voucher,
        row.voucher_label,
        row.raised_at,
        row.raised_by,
    )


def claim(actor: Actor, claim_id: UUID) -> ClaimView:
    """A claim. Raises: policy.Denied, ClaimNotFound."""
    policy.require(actor, Permission.SEE_CLAIM)
    row = policies.visible_claims(actor).filter(id=claim_id).select_related(*_CLAIM).first()
    if row is None:
        raise ClaimNotFound(str(claim_id))
    return _claim(row)


def claims_by_origin(actor: Actor, origin: str) -> list[ClaimView]:
    """The claims of one matter, oldest first. Raises: policy.Denied."""
    policy.require(actor, Permission.SEE_CLAIM)
    rows = policies.visible_claims(actor).filter(origin=origin).exclude(origin="")
    return [_claim(row) for row in rows.select_related(*_CLAIM).order_by("id")]


def claim_movements(actor: Actor, claim_id: UUID) -> list[ItemMovement]:
    """Vouchers that moved the claim's open item, oldest first. Raises: policy.Denied, ClaimNotFound."""
    view = claim(actor, claim_id)
    rows = VoucherLine.objects.filter(open_item__claim=claim_id).select_related("voucher__fiscal_year")
    return [
        ItemMovement(voucher_row(n.voucher, view.ledger, n.voucher.fiscal_year.year), n.debit - n.credit)
        for n in rows.order_by("voucher_id", "position")
    ]


def find_open_claims(actor: Actor, ledger: str, text: str, limit: int = 20) -> list[ClaimView]:
    """Open claims by payment reference, debtor or text, for assigning by hand. Raises: policy.Denied."""
    policy.require(actor, Permission.SEE_CLAIM)
    digits = "".join(c for c in text if c.isdigit())
    match = Q(item__party__name__icontains=text) | Q(item__text__icontains=text)
    if digits:
        match |= Q(item__payment_reference__contains=digits)
    rows = policies.visible_claims(actor).filter(match, ledger__code=ledger).exclude(state=Claim.State.CANCELLED)
    return [_claim(row) for row in rows.select_related(*_CLAIM).order_by("state", "-id")[:limit]]


def open_items(
    actor: Actor,
    ledger: str,
    *,
    today: date,
    role: str = "",
    text: str = "",
    overdue: bool = False,
    after: str | None = None,
    limit: int = 50,
) -> ItemPage:
    """Open items, the first due first (those without a date last), keyset-paged. Raises: policy.Denied."""
    policy.require(actor, Permission.SEE)
    rows = _open(actor, ledger)
    if role:
        rows = rows.filter(account__role=role)
    if text:
        digits = "".join(c for c in text if c.isdigit())
        match = Q(party__name__icontains=text) | Q(text__icontains=text)
        rows = rows.filter(match | Q(payment_reference__contains=digits) if digits else match)
    if overdue:
        rows = rows.filter(due_on__lt=today)
    if after:
        rows = _continued(rows, after)
    found = list(rows.select_related("account", "party", "claim", "entry").order_by("due_on", "id")[: limit + 1])
    page = tuple(_item(row, today) for row in found[:limit])
    last = page[-1] if len(found) > limit else None
    return ItemPage(page, f"{last.due_on or ''}~{last.id}" if last else None)


def _open(actor: Actor, ledger: str) -> QuerySet[OpenItem]:
    return policies.visible_items(actor).filter(ledger__code=ledger).exclude(open_cents=0)


def _continued(rows: QuerySet[OpenItem], after: str) -> QuerySet[OpenItem]:
    day, _tilde, key = after.partition("~")
    try:
        last = UUID(key)
        if not day:
            return rows.filter(due_on__isnull=True, id__gt=last)
        due = date.fromisoformat(day)
    except ValueError:
        return rows
    return rows.filter(Q(due_on__gt=due) | Q(due_on=due, id__gt=last) | Q(due_on__isnull=True))


def _item(row: OpenItem, today: date) -> ItemRow:
    claim_row = getattr(row, "claim", None)
    entry = getattr(row, "entry", None)
    return ItemRow(
        row.id,
        row.account.code,
        row.account.name,
        row.text,
        row.party.name if row.party else "",
        row.payment_reference or "",
        row.due_on,
        row.original_cents,
        row.open_cents,
        claim_row.id if claim_row else None,
        entry.id if entry else None,
        row.due_on is not None and row.due_on < today,
    )


def item_sums(actor: Actor, ledger: str) -> list[ItemSums]:
    """Number and sum of open items by role of their account. Raises: policy.Denied."""
    policy.require(actor, Permission.SEE)
    rows = _open(actor, ledger).values_list("account__role").annotate(n=Count("id"), c=Sum("open_cents"))
    return [ItemSums(role, number, int(cents)) for role, number, cents in rows.order_by("account__role")]


def waiting_entries(
    actor: Actor, ledger: str, *, after: UUID | None = None, limit: int = 50
) -> tuple[list[EntryView], UUID | None]:
    """Movements of which something waits in suspense, oldest first, keyset-paged. Raises: policy.Denied."""
    policy.require(actor, Permission.SEE)
    rows = (
        policies.visible_entries(actor)
        .filter(
            suspense_item__ledger__code=ledger,
            suspense_item__account__role__in=[AccountRole.SUSPENSE_IN, AccountRole.SUSPENSE_OUT],
        )
        .exclude(suspense_item__open_cents=0)
    )
    if after:
        rows = rows.filter(id__gt=after)
    found = list(_with_all(rows).order_by("id")[: limit + 1])
    page = [_entry(row) for row in found[:limit]]
    return page, page[-1].id if len(found) > limit else None


def entry(actor: Actor, entry_id: UUID) -> EntryView:
    """One movement. Raises: policy.Denied, EntryNotFound."""
    policy.require(actor, Permission.SEE)
    row = _with_all(policies.visible_entries(actor).filter(id=entry_id)).first()
    if row is None:
        raise EntryNotFound(str(entry_id))
    return _entry(row)


def _with_all(rows: QuerySet[StatementEntry]) -> QuerySet[StatementEntry]:
    return rows.select_related(
        "statement__bank_account__ledger",
        "suspense_item",
        "proposal__ledger",
        "proposal__item__party",
        "proposal__line__product",
        "proposal__line__account",
    )


def _entry(row: StatementEntry) -> EntryView:
    return EntryView(
        row.id,
        row.statement.bank_account.ledger.code,
        row.statement.statement_id,
        row.statement.bank_account.iban,
        row.booked_on,
        row.cents,
        -row.suspense_item.open_cents if row.suspense_item else 0,
        row.counterparty,
        row.counterparty_iban,
        row.remittance,
        row.is_return,
        row.return_reason,
        row.state,
        row.get_state_display(),
        row.how,
        row.voucher,
        _claim(row.proposal) if row.proposal else None,
    )


def bank_accounts(actor: Actor, ledger: str) -> list[BankRow]:
    """Bank accounts of a ledger with the closing balance of their last statement. Raises: policy.Denied."""
    policy.require(actor, Permission.SEE)
    rows = BankAccount.objects.filter(ledger__in=policies.visible_ledgers(actor), ledger__code=ledger)
    return [
        BankRow(r.id, r.iban, r.name, r.account.code, r.balance, r.balance_on)
        for r in rows.select_related("account").order_by("iban")
    ]
