"""Vouchers posted by people: one, many, and the reversal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from verbund.modules.budget import policies
from verbund.modules.budget.models import Account, Binding, Claim, FundsEvent, OpenItem, Voucher, VoucherKind
from verbund.modules.budget.policies import Permission
from verbund.platform import audit
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, NotFound, local_date, prepared_statements

from .books import Draft, Effect, Line, VoucherRef, read_books
from .posting import AlreadyReversed, mirrored, post


class VoucherNotFound(NotFound):
    """There is no such voucher for this actor."""


class NotReversible(Conflict):
    """The voucher cannot be reversed as things stand; the message says what to do first."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One voucher of a batch; see `post_voucher` for the fields."""

    year: int
    series: str
    posting_date: date
    document_date: date
    text: str
    lines: Sequence[Line]
    kind: VoucherKind = VoucherKind.TRANSFER
    binding: UUID | None = None


def post_voucher(
    actor: Actor,
    *,
    ledger: str,
    year: int,
    series: str,
    posting_date: date,
    document_date: date,
    text: str,
    lines: Sequence[Line],
    now: datetime,
    kind: VoucherKind = VoucherKind.TRANSFER,
    binding: UUID | None = None,
) -> VoucherRef:
    """Post one voucher (Beleg); `binding` names the commitment that gives way to it.

    Raises:
        policy.Denied: also for lines the actor may not touch (bank lines without the treasury, revenue and expense
        with it). VoucherRefused, PeriodClosed, LedgerNotFound.
    """
    return post_vouchers(
        actor,
        ledger=ledger,
        postings=[Posting(year, series, posting_date, document_date, text, lines, kind, binding)],
        now=now,
    )[0]


@prepared_statements()
@transaction.atomic
def post_vouchers(actor: Actor, *, ledger: str, postings: Sequence[Posting], now: datetime) -> list[VoucherRef]:
    """Post many vouchers at once, all or none, in the order given; one number range is locked once for all of them.

    Raises: as `post_voucher`.
    """
    policy.require(actor, Permission.POST)
    if not postings:
        return []
    drafts = [
        Draft(
            p.year,
            p.series,
            p.posting_date,
            p.document_date,
            VoucherKind(p.kind),
            p.text.strip(),
            tuple(p.lines),
            p.binding,
        )
        for p in postings
    ]
    books = read_books(ledger, drafts)
    _require_lines(actor, books.accounts, {line.account for draft in drafts for line in draft.lines}, drafts)
    refs = post(actor, ledger=books.ledger, drafts=drafts, now=now, books=books)
    audit.record(
        actor,
        "budget.voucher.posted",
        "budget.voucher",
        refs[0].id,
        after={"count": len(refs), "first": refs[0].label, "last": refs[-1].label},
    )
    return refs


def _require_lines(actor: Actor, accounts: dict[str, Account], codes: set[str], drafts: Sequence[Draft]) -> None:
    used = [accounts[code] for code in codes if code in accounts]
    opening = all(draft.kind == VoucherKind.OPENING for draft in drafts)
    if not opening and any(a.liquid for a in used):
        policy.require(actor, Permission.MOVE_MONEY, when=policies.may_touch_liquid(actor))
    if any(a.account_class in "45" for a in used):
        policy.require(actor, Permission.POST, when=policies.may_touch_result(actor))


@transaction.atomic
def reverse_voucher(actor: Actor, *, voucher_id: UUID, reason: str, now: datetime) -> VoucherRef:
    """Reverse a voucher (Storno): the mirror of each line, with all that it did to open items and budget lines; at
    most once (J4).

    The reversal is posted in the voucher's own year, on the legal date of `now` or on the year's last day.

    Raises:
        policy.Denied, VoucherNotFound, AlreadyReversed, NotReversible, PeriodClosed.
    """
    policy.require(actor, Permission.POST)
    voucher = policies.visible_vouchers(actor).filter(id=voucher_id).select_related("ledger", "fiscal_year").first()
    if voucher is None:
        raise VoucherNotFound(str(voucher_id))
    if not reason.strip():
        raise NotReversible(_("Say why the voucher is reversed."))
    if voucher.kind == VoucherKind.REVERSAL:
        raise NotReversible(_("A reversal is not reversed. Post a new voucher instead."))
    if Voucher.objects.filter(reverses=voucher).exists():
        raise AlreadyReversed(_("The voucher has been reversed already."))
    draft = mirror_of(voucher, reason, now)
    items = {line.open_item for line in draft.lines if line.open_item}
    list(OpenItem.objects.filter(id__in=items).order_by("id").select_for_update())
    books = read_books(voucher.ledger.code, [draft])
    _require_lines(actor, books.accounts, {line.account for line in draft.lines}, [draft])
    _no_negative_items(
        draft,
        {i.id: i.open_cents for i in books.items.values()},
        {i.id: i.original_cents for i in books.items.values()},
    )
    ref = post(actor, ledger=voucher.ledger, drafts=[draft], now=now, books=books)[0]
    Claim.objects.filter(voucher=voucher.id, item__open_cents=0).update(state=Claim.State.CANCELLED)
    audit.record(
        actor,
        "budget.voucher.reversed",
        "budget.voucher",
        voucher.id,
        after={"reversal": ref.label, "reason": reason.strip()},
    )
    return ref


def mirror_of(voucher: Voucher, reason: str, now: datetime) -> Draft:
    """The draft that undoes `voucher`, with the opposite of its effects on budget lines."""
    lines = [
        Line(
            account=row.account.code,
            product=row.product.code if row.product else None,
            debit=row.debit,
            credit=row.credit,
            finance_account=row.finance_account.code if row.finance_account else None,
            deduction=row.deduction,
            open_item=row.open_item_id,
            project=row.project,
            cost_center=row.cost_center,
        )
        for row in voucher.lines.select_related("account", "product", "finance_account").order_by("position")
    ]
    bindings = Binding.objects.filter(id__in=FundsEvent.objects.filter(voucher=voucher.id).values("binding"))
    list(bindings.order_by("id").select_for_update())
    funds = [
        Effect(row.line_id, row.line.circle_id, -row.consumed, -row.open, row.binding, -row.binding_used)
        for row in FundsEvent.objects.filter(voucher=voucher.id).select_related("line").order_by("id")
    ]
    today = local_date(now)
    year = voucher.fiscal_year.year
    day = today if today.year == year else date(year, 12, 31)
    return Draft(
        year=year,
        series=voucher.series,
        posting_date=day,
        document_date=today,
        kind=VoucherKind.REVERSAL,
        text=reason.strip()[:300],
        lines=[mirrored(line) for line in lines],
        reverses=voucher.id,
        funds=funds,
    )


def _no_negative_items(draft: Draft, open_cents: dict[UUID, int], original: dict[UUID, int]) -> None:
    for line in draft.lines:
        if line.open_item is None:
            continue
        after = open_cents[line.open_item] + line.debit - line.credit
        if after * original[line.open_item] < 0 or abs(after) > abs(original[line.open_item]):
            raise NotReversible(
                _("Money is booked on an open item of this voucher. Reverse the later vouchers of the item first.")
            )
        open_cents[line.open_item] = after
