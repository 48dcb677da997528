"""Posting: every way into the journal goes through `_post`, which calls the database function `budget_post` once.

A named place for raw SQL: `budget_post` (migration 0002) gives numbers, hashes and balances under its locks.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from verbund.modules.budget.events import ClaimReopened, ClaimSettled
from verbund.modules.budget.models import (
    Account,
    AccountKind,
    Claim,
    Ledger,
    OpenItem,
    VoucherKind,
)
from verbund.modules.budget.models.canonical import label
from verbund.platform import events
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, Invalid, new_id

from .books import Books, Draft, Effect, LedgerNotFound, Line, VoucherRef, budget_lines, read_books
from .effects import effects_of


class VoucherRefused(Invalid):
    """The voucher breaks a rule of the journal; nothing was written."""


class PeriodClosed(Conflict):
    """The year or the period of the posting date is closed (J5)."""


class AlreadyReversed(Conflict):
    """Somebody has reversed the voucher already (J4)."""


def post(
    actor: Actor, *, ledger: Ledger, drafts: Sequence[Draft], now: datetime, books: Books | None = None
) -> list[VoucherRef]:
    """Post the drafts in one call, in the order given; the caller has asked the policy and writes the audit entry.

    Raises:
        VoucherRefused: a rule of the journal is broken. PeriodClosed, AlreadyReversed.
    """
    books = books or read_books(ledger.code, drafts)
    for draft in drafts:
        _check(books, draft)
    _open_items(books, drafts, now)
    effects = effects_of(books, drafts)
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
    finance_lines = budget_lines(books, {(y, p, a) for y, p, a in pairs if p and a})
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
        with transaction.atomic(savepoint=False), connection.cursor() as cursor:
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
