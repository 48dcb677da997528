"""What citizenservices tells: values only, past tense."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ApplicationSubmitted:
    """An application was received (Antrag eingegangen)."""

    application_id: UUID
    service_id: UUID
    case_reference: str
    unit: str
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class QuestionAsked:
    """A clerk asked the applicant back (Rückfrage gestellt)."""

    application_id: UUID
    question_id: UUID


@dataclass(frozen=True, slots=True)
class QuestionAnswered:
    """The applicant answered (Rückfrage beantwortet)."""

    application_id: UUID
    question_id: UUID


@dataclass(frozen=True, slots=True)
class ApplicationDecided:
    """An application was decided (Antrag entschieden); `outcome` is granted or refused."""

    application_id: UUID
    outcome: str
    letter_id: UUID
    claim_id: UUID | None
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class ApplicationWithdrawn:
    """The applicant took the application back (Antrag zurückgenommen)."""

    application_id: UUID
    withdrawn_at: datetime


@dataclass(frozen=True, slots=True)
class ApplicationClosed:
    """Everything is done (Antrag abgeschlossen): delivered, paid, and the case closed."""

    application_id: UUID
    case_id: UUID
    closed_at: datetime
