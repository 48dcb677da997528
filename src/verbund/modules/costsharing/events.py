"""What the cost sharing room tells: counts of use from a body to the alliance, invoices issued; values only."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID


@dataclass(frozen=True, slots=True)
class UsageMeasured:
    """A body's platform counted a month's use (Zählerstand); counts only, nothing of a person."""

    schema_name: str
    month: date
    people: int
    mailboxes: int
    cases: int
    documents: int
    stored_bytes: int


@dataclass(frozen=True, slots=True)
class InvoiceIssued:
    """An invoice or credit note (Rechnung, Gutschrift) went to a member."""

    invoice_id: UUID
    number: str
    member_id: UUID
    gross_cents: int
    due_on: date
