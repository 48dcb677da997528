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
