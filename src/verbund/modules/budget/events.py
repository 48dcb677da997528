"""What the budget room tells others: values only, past tense."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ClaimRaised:
    """A claim (Forderung) was booked."""

    claim_id: UUID
    origin: str
    purpose: str
    payment_reference: str
    cents: int
    due_on: date


@dataclass(frozen=True, slots=True)
class ClaimSettled:
    """Nothing of the claim is open any more (ausgeglichen)."""

    claim_id: UUID
    origin: str
    purpose: str
    payment_reference: str
    cents: int
    settled_on: date


@dataclass(frozen=True, slots=True)
class ClaimReopened:
    """Money of a settled claim went back (Rücklastschrift); `open_cents` are due again."""

    claim_id: UUID
    origin: str
    purpose: str
    payment_reference: str
    open_cents: int
    reason: str


@dataclass(frozen=True, slots=True)
class ClaimCancelled:
    """The claim was taken back (Absetzung) by a reversing voucher."""

    claim_id: UUID
    origin: str
    purpose: str
    payment_reference: str
    reason: str


@dataclass(frozen=True, slots=True)
class InvoiceIssued:
    """An invoice (Ausgangsrechnung) was written and its claim booked."""

    invoice_id: UUID
    origin: str
    number: str
    gross_cents: int
    claim_id: UUID | None


@dataclass(frozen=True, slots=True)
class InvoiceHandedOver:
    """An invoice was handed over to another body of the installation: it is addressed to that body.

    `xml` is the XRechnung, `pdf` the same for people (ZUGFeRD), both as Base64: the receiver keeps them byte for byte.
    """

    number: str
    sender: str
    filename: str
    xml: str
    pdf: str


@dataclass(frozen=True, slots=True)
class InvoiceReceived:
    """An invoice (Eingangsrechnung) lies in the body; it is not checked yet."""

    invoice_id: UUID
