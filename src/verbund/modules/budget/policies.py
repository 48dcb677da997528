"""Who may do what with the books.

Separation of duties (A2, § 5 GemKVO-Doppik M-V): nobody with a treasury role orders. Ordering is to create the reason
for money to move: claims, and postings on revenue or expense. Moving the money itself is the treasury's alone.
"""

from enum import StrEnum
from typing import Final

from django.db.models import QuerySet

from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role

from .models import (
    BankStatement,
    Claim,
    FiscalYear,
    InboundInvoice,
    Ledger,
    OpenItem,
    OutgoingInvoice,
    StatementEntry,
    Voucher,
)


class Permission(StrEnum):
    SEE = "budget.see"
    SEE_CLAIM = "budget.see_claim"
    SET_UP = "budget.set_up"
    PLAN = "budget.plan"
    RESERVE = "budget.reserve"
    RAISE_CLAIM = "budget.raise_claim"
    CANCEL_CLAIM = "budget.cancel_claim"
    POST = "budget.post"
    MOVE_MONEY = "budget.move_money"
    LOCK_PERIOD = "budget.lock_period"
    ISSUE_INVOICE = "budget.issue_invoice"
    RECEIVE_INVOICE = "budget.receive_invoice"


TREASURY: Final = frozenset({Role.TREASURY_CLERK, Role.TREASURER})
ORDERING: Final = frozenset(
    {Permission.RAISE_CLAIM, Permission.CANCEL_CLAIM, Permission.RESERVE, Permission.ISSUE_INVOICE}
)

policy.grant(
    {
        Role.CLERK: {Permission.RAISE_CLAIM, Permission.SEE_CLAIM},
        Role.HEAD_OF_UNIT: {
            Permission.RAISE_CLAIM,
            Permission.CANCEL_CLAIM,
            Permission.RESERVE,
            Permission.SEE_CLAIM,
            Permission.SEE,
            Permission.RECEIVE_INVOICE,
        },
        Role.BUDGET_OFFICER: {
            Permission.SEE,
            Permission.SEE_CLAIM,
            Permission.SET_UP,
            Permission.PLAN,
            Permission.RESERVE,
            Permission.RAISE_CLAIM,
            Permission.CANCEL_CLAIM,
            Permission.POST,
            Permission.LOCK_PERIOD,
            Permission.ISSUE_INVOICE,
            Permission.RECEIVE_INVOICE,
        },
        Role.TREASURY_CLERK: {Permission.SEE, Permission.SEE_CLAIM, Permission.POST, Permission.MOVE_MONEY},
        Role.TREASURER: {
            Permission.SEE,
            Permission.SEE_CLAIM,
            Permission.POST,
            Permission.MOVE_MONEY,
            Permission.LOCK_PERIOD,
        },
        Role.AUDITOR: {Permission.SEE, Permission.SEE_CLAIM},
    }
)


def may_order(actor: Actor) -> bool:
    """Whether the actor may order at all: not with a treasury role in this body, whatever else they hold (A2)."""
    return not actor.holds(*TREASURY)


def may_touch_liquid(actor: Actor) -> bool:
    """Whether the actor may book on bank and cash accounts."""
    return actor.is_system or policy.allows(actor, Permission.MOVE_MONEY)


def may_touch_result(actor: Actor) -> bool:
    """Whether the actor may book revenue and expense by a voucher of their own."""
    return actor.is_system or may_order(actor)


def require_ordering(actor: Actor, permission: Permission) -> None:
    """Refuse whoever lacks the permission, and whoever works in the treasury."""
    policy.require(actor, permission, when=may_order(actor))


def _sees_books(actor: Actor) -> bool:
    return policy.allows(actor, Permission.SEE)


def visible_ledgers(actor: Actor) -> QuerySet[Ledger]:
    """Ledgers of the body: for everybody who may plan, book, read or raise a claim on them."""
    if _sees_books(actor) or policy.allows(actor, Permission.RAISE_CLAIM):
        return Ledger.objects.all()
    return Ledger.objects.none()


def visible_years(actor: Actor) -> QuerySet[FiscalYear]:
    return FiscalYear.objects.all() if _sees_books(actor) else FiscalYear.objects.none()


def visible_vouchers(actor: Actor) -> QuerySet[Voucher]:
    return Voucher.objects.all() if _sees_books(actor) else Voucher.objects.none()


def visible_claims(actor: Actor) -> QuerySet[Claim]:
    """Claims: for the books' readers, and for the offices that raise them."""
    return Claim.objects.all() if policy.allows(actor, Permission.SEE_CLAIM) else Claim.objects.none()


def visible_items(actor: Actor) -> QuerySet[OpenItem]:
    return OpenItem.objects.all() if _sees_books(actor) else OpenItem.objects.none()


def visible_statements(actor: Actor) -> QuerySet[BankStatement]:
    return BankStatement.objects.all() if _sees_books(actor) else BankStatement.objects.none()


def visible_entries(actor: Actor) -> QuerySet[StatementEntry]:
    return StatementEntry.objects.all() if _sees_books(actor) else StatementEntry.objects.none()


def visible_outgoing(actor: Actor) -> QuerySet[OutgoingInvoice]:
    """Outgoing invoices: for whoever sees claims."""
    return (
        OutgoingInvoice.objects.all() if policy.allows(actor, Permission.SEE_CLAIM) else OutgoingInvoice.objects.none()
    )


def visible_inbound(actor: Actor) -> QuerySet[InboundInvoice]:
    """Inbound invoices: for the books' readers and for whoever takes invoices in."""
    if _sees_books(actor) or policy.allows(actor, Permission.RECEIVE_INVOICE):
        return InboundInvoice.objects.all()
    return InboundInvoice.objects.none()
