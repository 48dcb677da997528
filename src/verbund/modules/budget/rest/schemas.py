"""Ledgers, claims, vouchers and statements as JSON says them. All amounts are cents."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from ninja import Schema
from pydantic import Field, StringConstraints

from verbund.platform.rest.values import Day, Limit, Line, Listed, Paged, Sent, ShortText

Code = Annotated[str, StringConstraints(min_length=1, max_length=40)]


class ItemQuery(Paged):
    """Which open items are asked for."""

    text: Line = ""
    overdue: bool = False


class VoucherQuery(Schema):
    """Which vouchers are asked for; `after` is `next` of the page before."""

    text: Line = ""
    after: UUID | None = None
    limit: Limit = 50


class AsOf(Schema):
    """The day whose evening is asked for; by default everything posted."""

    as_of: Day | None = None


class ClaimQuery(Schema):
    """The caller's own name of the matter."""

    reference: Annotated[str, StringConstraints(min_length=1, max_length=100)]


class LedgerRead(Schema):
    """A ledger (Buchungskreis) with its fiscal years."""

    code: str
    name: str
    years: list[int]


class Debtor(Sent):
    """Who owes; with a `key` of the caller's own register the same party account is used again."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    street: ShortText = ""
    postcode: Annotated[str, StringConstraints(max_length=10)] = ""
    city: ShortText = ""
    key: Annotated[str, StringConstraints(max_length=60)] = ""


class NewClaim(Sent):
    """A claim to be raised on a revenue line of this year's plan."""

    ledger: Code
    product: Code
    account: Code
    cents: Annotated[int, Field(ge=1, le=10**12, description="Amount in cents")]
    debtor: Debtor
    due_on: Day
    text: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    reference: ShortText = Field(
        default="",
        description="The caller's own name of the matter: the same reference again gives the same claim",
    )


class ClaimRaised(Schema):
    """The claim as it was posted."""

    id: UUID
    payment_reference: str = Field(description="Kassenzeichen, to be printed on the bill")
    voucher_id: UUID
    voucher_label: str
    cents: int
    due_on: date


class ClaimRead(Schema):
    """A claim (Forderung)."""

    id: UUID
    ledger: str
    payment_reference: str
    state: str
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


class OpenItem(Schema):
    """An open item (offener Posten)."""

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
    overdue: bool


class ItemPage(Listed[OpenItem]):
    """A page of open items."""


class TrialBalanceRow(Schema):
    """One account; `balance` is debit less credit."""

    code: str
    name: str
    kind: str
    opening: int
    debit: int
    credit: int
    balance: int


class TrialBalanceRead(Schema):
    """Trial balance (Summen- und Saldenliste); `total` is zero."""

    ledger: str
    year: int
    as_of: date | None
    rows: list[TrialBalanceRow]
    opening: int
    debit: int
    credit: int
    total: int


class EntryBooked(Schema):
    """What became of one movement; what is left (`rest_cents`) went to suspense."""

    entry_id: UUID
    ref: str
    cents: int
    state: str
    how: str
    voucher_label: str
    claim_ids: list[UUID]
    rest_cents: int


class StatementsBooked(Schema):
    """What an import did: statements booked now, those that were there already, and the movements."""

    booked: list[str]
    already_there: list[str]
    entries: list[EntryBooked]
    settled: int
    waiting: int


class VoucherListed(Schema):
    """A voucher (Beleg) in the journal."""

    id: UUID
    label: str
    posting_date: date
    kind: str
    text: str
    cents: int


class VoucherPage(Listed[VoucherListed]):
    """A page of the journal, the newest first."""


class VoucherLine(Schema):
    """A line of a voucher."""

    position: int
    account: str
    account_name: str
    product: str
    debit: int
    credit: int
    claim: UUID | None


class VoucherRead(Schema):
    """A voucher with its lines and its place in the hash chain."""

    id: UUID
    ledger: str
    year: int
    label: str
    posting_date: date
    document_date: date
    kind: str
    text: str
    cents: int
    posted_at: datetime
    hash: str
    hash_prev: str
    lines: list[VoucherLine]
