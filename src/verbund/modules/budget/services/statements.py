"""Bank statements (camt.053): imported whole or not at all, matched, booked; and receipts assigned by hand."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from verbund.modules.budget import policies
from verbund.modules.budget.gateways import camt
from verbund.modules.budget.models import (
    Account,
    AccountRole,
    BankAccount,
    BankStatement,
    Claim,
    Ledger,
    OpenItem,
    StatementEntry,
    VoucherKind,
)
from verbund.modules.budget.policies import Permission
from verbund.platform import audit, files
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, Invalid, NotFound, local_date, new_id

from .books import Draft, Line, NewItem, VoucherRef, find_ledger
from .matching import Match, decide, role_account, standing
from .posting import post

SERIES = "BK"


class StatementRefused(Invalid):
    """The statement does not fit the books; nothing was booked."""


class EntryNotFound(NotFound):
    """There is no such movement, or no such claim, for this actor."""


class NotAssignable(Conflict):
    """The movement has nothing left to assign, or the claim has nothing open."""


@dataclass(frozen=True, slots=True)
class EntryReport:
    """What became of one movement; cents signed as on the statement, `rest_cents` went to suspense."""

    entry_id: UUID
    ref: str
    cents: int
    state: str
    how: str
    voucher_label: str
    claim_ids: tuple[UUID, ...]
    rest_cents: int


@dataclass(frozen=True, slots=True)
class StatementReport:
    """Result of an import: statements booked now, statements that were there already, and the movements booked now."""

    booked: tuple[str, ...]
    already_there: tuple[str, ...]
    entries: tuple[EntryReport, ...]

    @property
    def settled(self) -> int:
        return sum(1 for e in self.entries if e.state == StatementEntry.State.MATCHED)

    @property
    def waiting(self) -> int:
        return sum(1 for e in self.entries if e.rest_cents)


@dataclass(frozen=True, slots=True)
class _Clearing:
    """The accounts a statement needs besides the claims' own."""

    suspense_in: Account
    suspense_out: Account
    transit_in: Account
    transit_out: Account


def import_statement(actor: Actor, *, ledger: str, content: bytes, filename: str, now: datetime) -> StatementReport:
    """Import a file of bank statements (camt.053), all its statements or none; importing it again changes nothing and
    says so.

    Each movement is one voucher on its booking day. Money with a payment reference settles the claim; what is too
    much, unknown or only similar goes to a suspense account, with a proposal where amount and name agree. Returns
    reopen the claim.

    Raises:
        policy.Denied, LedgerNotFound, camt.NotAStatement (the file), StatementRefused (it does not continue the last
        statement, or its account is not ours), PeriodClosed.
    """
    policy.require(actor, Permission.MOVE_MONEY)
    books = find_ledger(ledger)
    statements = camt.read(content)
    with transaction.atomic():
        accounts = {
            row.iban: row
            for row in BankAccount.objects.select_for_update(of=("self",))
            .filter(ledger=books, iban__in={s.iban for s in statements})
            .select_related("account")
            .order_by("id")
        }
        known = {
            (row.bank_account_id, row.statement_id): row.digest
            for row in BankStatement.objects.filter(
                bank_account__in=accounts.values(), statement_id__in={s.id for s in statements}
            )
        }
        fresh, already = _continuing(statements, accounts, known)
        entries: tuple[EntryReport, ...] = ()
        if fresh:
            stored = files.put(content, filename="statement.xml", limit=camt.LIMIT)
            entries = _book(actor, books, fresh, accounts, filename, stored.sha256, now)
        report = StatementReport(tuple(s.id for s in fresh), tuple(already), entries)
        audit.record(
            actor,
            "budget.statement.imported",
            "budget.ledger",
            books.id,
            after={
                "filename": filename[:255],
                "booked": list(report.booked),
                "already": already,
                "entries": len(entries),
            },
        )
    return report


def digest_of(statement: camt.Statement) -> str:
    """SHA-256 of what a statement says, whatever the file around it looks like."""
    return hashlib.sha256(json.dumps(asdict(statement), default=str, sort_keys=True).encode()).hexdigest()


def _continuing(
    statements: Sequence[camt.Statement], accounts: dict[str, BankAccount], known: dict[tuple[UUID, str], str]
) -> tuple[list[camt.Statement], list[str]]:
    """Statements to be booked and those that are there; refuses gaps, wrong order and changed repeats."""
    balances = {iban: row.balance for iban, row in accounts.items()}
    last_day = {iban: row.balance_on for iban, row in accounts.items()}
    fresh: list[camt.Statement] = []
    already: list[str] = []
    seen: dict[tuple[UUID, str], str] = dict(known)
    for statement in statements:
        account = accounts.get(statement.iban)
        if account is None:
            raise StatementRefused(
                {"file": _("The account %(iban)s is not a bank account of this ledger.") % {"iban": statement.iban}}
            )
        key, digest = (account.id, statement.id), digest_of(statement)
        if key in seen:
            if seen[key] != digest:
                raise StatementRefused(
                    {
                        "file": _("Statement %(id)s was imported before with other contents. Ask the bank.")
                        % {"id": statement.id}
                    }
                )
            already.append(statement.id)
            continue
        if statement.opening != balances[statement.iban]:
            raise StatementRefused(
                {
                    "file": _(
                        "Statement %(id)s opens with %(opening)s euros, but the account stands at %(balance)s euros."
                        " Import the statements in their order and without gaps."
                    )
                    % {
                        "id": statement.id,
                        "opening": camt.euros(statement.opening),
                        "balance": camt.euros(balances[statement.iban]),
                    }
                }
            )
        before = last_day[statement.iban]
        if before is not None and statement.closing_on < before:
            raise StatementRefused(
                {"file": _("Statement %(id)s is older than the last one that was imported.") % {"id": statement.id}}
            )
        seen[key] = digest
        balances[statement.iban] = statement.closing
        last_day[statement.iban] = statement.closing_on
        fresh.append(statement)
    return fresh, already


def _clearing(ledger: Ledger) -> _Clearing:
    found = {}
    for role in (AccountRole.SUSPENSE_IN, AccountRole.SUSPENSE_OUT, AccountRole.TRANSIT_IN, AccountRole.TRANSIT_OUT):
        account = role_account(ledger, role)
        if account is None:
            raise StatementRefused(
                {"": _("The chart of accounts has no account with the role “%(role)s”.") % {"role": role.label}}
            )
        found[role.value] = account
    return _Clearing(**found)


def _book(
    actor: Actor,
    ledger: Ledger,
    statements: Sequence[camt.Statement],
    accounts: dict[str, BankAccount],
    filename: str,
    sha256: str,
    now: datetime,
) -> tuple[EntryReport, ...]:
    clearing = _clearing(ledger)
    now_open = standing(ledger, (entry for s in statements for entry in s.entries))
    drafts: list[Draft] = []
    rows: list[tuple[StatementEntry, Match]] = []
    for statement in statements:
        account = accounts[statement.iban]
        row = BankStatement.objects.create(
            id=new_id(),
            bank_account=account,
            statement_id=statement.id,
            sequence=statement.sequence,
            opening=statement.opening,
            closing=statement.closing,
            closing_on=statement.closing_on,
            digest=digest_of(statement),
            filename=filename[:255],
            sha256=sha256,
            imported_at=now,
            imported_by=actor.name,
        )
        for position, entry in enumerate(statement.entries, 1):
            match = decide(entry, now_open)
            draft, suspense = _draft(entry, match, account.account, clearing)
            drafts.append(draft)
            rows.append((_row(row, position, entry, match, draft, suspense), match))
        BankAccount.objects.filter(id=account.id).update(balance=statement.closing, balance_on=statement.closing_on)
    refs = post(actor, ledger=ledger, drafts=drafts, now=now) if drafts else []
    StatementEntry.objects.bulk_create(entry for entry, _match in rows)
    return tuple(
        EntryReport(
            entry.id,
            entry.entry_ref,
            entry.cents,
            entry.state,
            entry.how,
            ref.label,
            tuple(item.claim.id for item, _cents in match.settles if hasattr(item, "claim")),
            match.rest,
        )
        for (entry, match), ref in zip(rows, refs, strict=True)
    )


def _draft(entry: camt.Entry, match: Match, bank: Account, clearing: _Clearing) -> tuple[Draft, NewItem | None]:
    """The voucher of one movement: claims settled or reopened, the rest in suspense with a transit finance account (§
    3.6).
    """
    came = entry.cents > 0
    lines: list[Line] = []
    for item, cents in match.settles:
        product = item.product.code if item.product else None
        finance = item.finance_account.code if item.finance_account else None
        if came:
            lines += [
                Line(bank.code, product, debit=cents, finance_account=finance),
                Line(item.account.code, product, credit=cents, open_item=item.id),
            ]
        else:
            lines += [
                Line(item.account.code, product, debit=cents, open_item=item.id),
                Line(bank.code, product, credit=cents, finance_account=finance, deduction=True),
            ]
    suspense = None
    if match.rest:
        who = entry.counterparty or entry.counterparty_iban
        suspense = NewItem(text=" ".join(f"{who} {entry.remittance}".split())[:300] or entry.ref)
        if came:
            lines += [
                Line(bank.code, None, debit=match.rest, finance_account=clearing.transit_in.code),
                Line(clearing.suspense_in.code, None, credit=match.rest, new_item=suspense),
            ]
        else:
            lines += [
                Line(clearing.suspense_out.code, None, debit=match.rest, new_item=suspense),
                Line(bank.code, None, credit=match.rest, finance_account=clearing.transit_out.code),
            ]
    words = [entry.return_reason] if entry.return_reason else []
    words += [entry.counterparty, entry.remittance or entry.ref]
    draft = Draft(
        year=entry.booked_on.year,
        series=SERIES,
        posting_date=entry.booked_on,
        document_date=entry.booked_on,
        kind=VoucherKind.RECEIPT if came else VoucherKind.PAYMENT,
        text=" ".join(" ".join(words).split())[:300],
        lines=lines,
    )
    return draft, suspense


def _row(
    statement: BankStatement, position: int, entry: camt.Entry, match: Match, draft: Draft, suspense: NewItem | None
) -> StatementEntry:
    states = StatementEntry.State
    if match.settles:
        state = states.MATCHED if entry.cents > 0 else states.RETURNED
    else:
        state = states.PROPOSAL if match.proposal else states.SUSPENSE
    first = match.settles[0][0] if match.settles else None
    return StatementEntry(
        id=new_id(),
        statement=statement,
        entry_ref=entry.ref,
        position=position,
        cents=entry.cents,
        booked_on=entry.booked_on,
        value_on=entry.value_on,
        counterparty=entry.counterparty,
        counterparty_iban=entry.counterparty_iban,
        end_to_end_id=entry.end_to_end_id,
        mandate=entry.mandate,
        remittance=entry.remittance,
        is_return=entry.is_return,
        return_reason=entry.return_reason,
        state=state,
        how=match.how,
        voucher=draft.id,
        claim=getattr(first, "claim", None),
        proposal=getattr(match.proposal, "claim", None),
        suspense_item_id=suspense.id if suspense else None,
    )


@transaction.atomic
def assign_receipt(actor: Actor, *, entry_id: UUID, claim_id: UUID, now: datetime) -> VoucherRef:
    """Assign by hand what a movement left in suspense to a claim: as much as is open on both.

    Money that came settles the claim; money that went back reopens it. The finance account moves from the transit
    funds to the claim's own, so that the cash statement is right.

    Raises: policy.Denied, EntryNotFound, NotAssignable, PeriodClosed.
    """
    policy.require(actor, Permission.MOVE_MONEY)
    entry = (
        policies.visible_entries(actor)
        .filter(id=entry_id)
        .select_related("statement__bank_account__account", "statement__bank_account__ledger")
        .first()
    )
    claim = policies.visible_claims(actor).filter(id=claim_id).first()
    if entry is None or claim is None or claim.ledger_id != entry.statement.bank_account.ledger_id:
        raise EntryNotFound(str(entry_id))
    ids = [key for key in (claim.item_id, entry.suspense_item_id) if key is not None]
    list(OpenItem.objects.filter(id__in=ids).order_by("id").select_for_update())
    claim.refresh_from_db()
    items = {
        item.id: item
        for item in OpenItem.objects.filter(id__in=ids).select_related("account", "product", "finance_account")
    }
    suspense = items.get(entry.suspense_item_id) if entry.suspense_item_id else None
    item = items[claim.item_id]
    if suspense is None or suspense.open_cents == 0:
        raise NotAssignable(_("Nothing of this movement is left to assign."))
    if claim.state == Claim.State.CANCELLED:
        raise NotAssignable(_("The claim is cancelled."))
    came = suspense.open_cents < 0
    cents = min(abs(suspense.open_cents), item.open_cents if came else item.original_cents - item.open_cents)
    if cents <= 0:
        raise NotAssignable(
            _("Nothing is open on this claim.")
            if came
            else _("Nothing was paid on this claim that could be taken back.")
        )
    ledger = entry.statement.bank_account.ledger
    draft = _assignment(entry, item, suspense, cents, came, _clearing(ledger), now)
    ref = post(actor, ledger=ledger, drafts=[draft], now=now)[0]
    StatementEntry.objects.filter(id=entry.id).update(state=StatementEntry.State.ASSIGNED, claim=claim)
    audit.record(
        actor,
        "budget.receipt.assigned",
        "budget.statement_entry",
        entry.id,
        before={"state": entry.state},
        after={"state": StatementEntry.State.ASSIGNED.value, "claim": claim.id, "cents": cents, "voucher": ref.label},
    )
    return ref


def _assignment(
    entry: StatementEntry,
    item: OpenItem,
    suspense: OpenItem,
    cents: int,
    came: bool,
    clearing: _Clearing,
    now: datetime,
) -> Draft:
    bank = entry.statement.bank_account.account.code
    product = item.product.code if item.product else None
    finance = item.finance_account.code if item.finance_account else None
    if came:
        lines = [
            Line(suspense.account.code, None, debit=cents, open_item=suspense.id),
            Line(item.account.code, product, credit=cents, open_item=item.id),
            Line(bank, product, debit=cents, finance_account=finance),
            Line(bank, None, credit=cents, finance_account=clearing.transit_in.code, deduction=True),
        ]
    else:
        lines = [
            Line(item.account.code, product, debit=cents, open_item=item.id),
            Line(suspense.account.code, None, credit=cents, open_item=suspense.id),
            Line(bank, product, credit=cents, finance_account=finance, deduction=True),
            Line(bank, None, debit=cents, finance_account=clearing.transit_out.code, deduction=True),
        ]
    today = local_date(now)
    return Draft(
        year=today.year,
        series=SERIES,
        posting_date=today,
        document_date=entry.booked_on,
        kind=VoucherKind.TRANSFER,
        text=f"{item.text} {entry.counterparty}".strip()[:300],
        lines=lines,
    )
