"""Claims (Forderungen): the receipt order becomes a voucher, an open item and a payment reference, in one
transaction.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from verbund.modules.budget import policies
from verbund.modules.budget.events import ClaimCancelled, ClaimRaised
from verbund.modules.budget.models import (
    Account,
    AccountRole,
    BudgetKind,
    BudgetLine,
    Claim,
    Ledger,
    OpenItem,
    PartyAccount,
    Voucher,
    VoucherKind,
    references,
)
from verbund.modules.budget.policies import Permission
from verbund.platform import audit, events
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, Invalid, NotFound, local_date, new_id

from .books import Draft, Line, NewItem, VoucherRef, find_ledger, find_year
from .posting import post
from .vouchers import mirror_of

SERIES = "SO"


class ClaimRefused(Invalid):
    """The claim cannot be booked; nothing was written."""


class ClaimNotFound(NotFound):
    """There is no such claim for this actor."""


class ClaimNotCancellable(Conflict):
    """The claim is cancelled already, or money was booked on it."""


@dataclass(frozen=True, slots=True)
class Party:
    """Who owes: at least a name; with a `key` of the register the party account is used again."""

    name: str
    street: str = ""
    postcode: str = ""
    city: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Tax:
    """VAT (Umsatzsteuer) inside a claim: `cents` of it, and the account of what is owed to the tax office."""

    account: str
    cents: int


@dataclass(frozen=True, slots=True)
class ClaimRef:
    """A raised claim; `payment_reference` is 14 digits, `cents` the amount."""

    id: UUID
    payment_reference: str
    voucher_id: UUID
    voucher_label: str
    cents: int
    due_on: date


def raise_claim(
    actor: Actor,
    *,
    ledger: str,
    product: str,
    account: str,
    cents: int,
    debtor: Party,
    due_on: date,
    text: str,
    origin: str,
    now: datetime,
    purpose: str = "fee",
    tax: Tax | None = None,
) -> ClaimRef:
    """Raise a claim (Annahmeanordnung, Sollstellung) on a revenue line of this year's plan.

    The receivable is posted against the revenue account; the same `origin` and `purpose` again give the same claim
    and post nothing. An empty `origin` is never the same. `cents` is what is owed, with the VAT that `tax` says is in
    it: that part is not revenue but owed to the tax office, and is posted on its own account.

    Raises:
        policy.Denied: without the permission, and for everybody with a treasury role (A2).
        LedgerNotFound, ClaimRefused (not in the plan, no amount, ...), PeriodClosed, Conflict (same origin, other
        amount or line).
    """
    policies.require_ordering(actor, Permission.RAISE_CLAIM)
    books = find_ledger(ledger)
    known = _known(books, origin, purpose, cents, product, account)
    if known is not None:
        return known
    try:
        with transaction.atomic():
            return _raise(actor, books, product, account, cents, debtor, due_on, text, origin, purpose, now, tax)
    except IntegrityError:
        known = _known(books, origin, purpose, cents, product, account)
        if known is None:
            raise
        return known


def _known(ledger: Ledger, origin: str, purpose: str, cents: int, product: str, account: str) -> ClaimRef | None:
    if not origin:
        return None
    claim = (
        Claim.objects.filter(origin=origin, purpose=purpose)
        .select_related("item", "line__product", "line__account")
        .first()
    )
    if claim is None:
        return None
    if (claim.ledger_id, claim.cents, claim.line.product.code, claim.line.account.code) != (
        ledger.id,
        cents,
        product,
        account,
    ):
        raise Conflict(_("For this matter a claim with another amount or budget line exists. Cancel it first."))
    return _ref(claim)


def _ref(claim: Claim) -> ClaimRef:
    item = claim.item
    return ClaimRef(
        claim.id, item.payment_reference or "", claim.voucher, claim.voucher_label, claim.cents, item.due_on or date.max
    )


def _raise(
    actor: Actor,
    ledger: Ledger,
    product: str,
    account: str,
    cents: int,
    debtor: Party,
    due_on: date,
    text: str,
    origin: str,
    purpose: str,
    now: datetime,
    tax: Tax | None,
) -> ClaimRef:
    today = local_date(now)
    year = find_year(ledger, today.year)
    errors: dict[str, str] = {}
    if cents <= 0:
        errors["cents"] = _("A claim needs an amount above zero.")
    if tax is not None and not 0 < tax.cents < cents:
        errors["tax"] = _("The VAT in a claim is above zero and below the whole amount.")
    if not debtor.name.strip():
        errors["debtor"] = _("A claim needs the name of the debtor.")
    if not text.strip() or len(text) > 300:
        errors["text"] = _("A claim needs a text of at most 300 characters.")
    line = (
        BudgetLine.objects.filter(
            fiscal_year=year, product__code=product, account__code=account, budget_kind=BudgetKind.RESULT
        )
        .select_related("product", "account__finance_account")
        .first()
    )
    if line is None or line.account.account_class != "4":
        errors["account"] = _(
            "%(line)s is not a revenue line of the plan for %(year)d. Ask the budget office to add it."
        ) % {
            "line": f"{product}.{account}",
            "year": year.year,
        }
    elif line.account.finance_account is None:
        errors["account"] = _("The account %(code)s has no finance account, so no payment can be expected on it.") % {
            "code": account
        }
    receivable = Account.objects.filter(ledger=ledger, role=AccountRole.RECEIVABLE).order_by("code").first()
    if receivable is None:
        errors["ledger"] = _("The chart of accounts has no account for receivables.")
    if errors or line is None or receivable is None or line.account.finance_account is None:
        raise ClaimRefused(errors)
    item = NewItem(
        text=text.strip(),
        party=_party(ledger, debtor, now),
        due_on=due_on,
        payment_reference=_reference(ledger),
        product=product,
        finance_account=line.account.finance_account.code,
    )
    draft = Draft(
        year=year.year,
        series=SERIES,
        posting_date=today,
        document_date=today,
        kind=VoucherKind.ASSESSMENT,
        text=text.strip(),
        lines=(
            Line(receivable.code, product, debit=cents, new_item=item),
            Line(account, product, credit=cents - (tax.cents if tax else 0)),
            *([Line(tax.account, product, credit=tax.cents)] if tax else []),
        ),
    )
    ref = post(actor, ledger=ledger, drafts=[draft], now=now)[0]
    claim = Claim.objects.create(
        id=new_id(),
        ledger=ledger,
        item_id=item.id,
        line=line,
        voucher=ref.id,
        voucher_label=ref.label,
        origin=origin,
        purpose=purpose,
        cents=cents,
        raised_at=now,
        raised_by=actor.name,
    )
    reference = item.payment_reference or ""
    events.publish(actor, ClaimRaised(claim.id, origin, purpose, reference, cents, due_on))
    audit.record(
        actor,
        "budget.claim.raised",
        "budget.claim",
        claim.id,
        after={"cents": cents, "line": f"{product}.{account}", "voucher": ref.label, "origin": origin},
    )
    return ClaimRef(claim.id, reference, ref.id, ref.label, cents, due_on)


def _party(ledger: Ledger, debtor: Party, now: datetime) -> UUID:
    values = {"name": debtor.name.strip(), "street": debtor.street, "postcode": debtor.postcode, "city": debtor.city}
    if debtor.key:
        row, _created = PartyAccount.objects.get_or_create(
            ledger=ledger, key=debtor.key, defaults={"id": new_id(), "created_at": now, **values}
        )
        return row.id
    return PartyAccount.objects.create(id=new_id(), ledger=ledger, created_at=now, **values).id


def _reference(ledger: Ledger) -> str:
    while True:
        reference = references.make(ledger.number)
        if not OpenItem.objects.filter(payment_reference=reference).exists():
            return reference


@transaction.atomic
def cancel_claim(actor: Actor, *, claim_id: UUID, reason: str, now: datetime) -> VoucherRef:
    """Cancel a claim (Absetzung) on which no money is booked: its voucher is reversed, the open item is zero.

    Raises: policy.Denied, ClaimNotFound, ClaimRefused (no reason), ClaimNotCancellable, PeriodClosed.
    """
    policies.require_ordering(actor, Permission.CANCEL_CLAIM)
    if not policies.visible_claims(actor).filter(id=claim_id).exists():
        raise ClaimNotFound(str(claim_id))
    item = OpenItem.objects.select_for_update().get(claim=claim_id)  # items before claims, as everywhere
    claim = Claim.objects.select_for_update(of=("self",)).select_related("ledger").get(id=claim_id)
    if not reason.strip():
        raise ClaimRefused({"reason": _("Say why the claim is cancelled.")})
    if claim.state == Claim.State.CANCELLED:
        raise ClaimNotCancellable(_("The claim is cancelled already."))
    if item.open_cents != claim.cents:
        raise ClaimNotCancellable(_("Money is booked on this claim. It has to be taken off first."))
    Claim.objects.filter(id=claim.id).update(state=Claim.State.CANCELLED)
    voucher = Voucher.objects.select_related("fiscal_year", "ledger").get(id=claim.voucher)
    ref = post(actor, ledger=claim.ledger, drafts=[mirror_of(voucher, reason, now)], now=now)[0]
    events.publish(
        actor, ClaimCancelled(claim.id, claim.origin, claim.purpose, item.payment_reference or "", reason.strip())
    )
    audit.record(
        actor,
        "budget.claim.cancelled",
        "budget.claim",
        claim.id,
        before={"state": claim.state},
        after={"state": Claim.State.CANCELLED.value, "voucher": ref.label, "reason": reason.strip()},
    )
    return ref
