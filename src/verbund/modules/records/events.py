"""What records tells the rooms above. Ids and values only."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class CaseOpened:
    """A case was opened (Vorgang angelegt)."""

    case_id: UUID
    reference: str
    origin: str
    unit: str


@dataclass(frozen=True, slots=True)
class CaseClosed:
    """A case was closed (Vorgang geschlossen); its retention period runs."""

    case_id: UUID
    reference: str
    origin: str
    retention_until: date


@dataclass(frozen=True, slots=True)
class LetterIssued:
    """A letter was signed off (Schreiben gefertigt); its PDF is on file. Records itself dispatches it.

    To whom it goes stands in the letter: the queue is shared by all bodies, and is told nothing of persons.
    """

    letter_id: UUID
    case_id: UUID
    document_id: UUID
    origin: str
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class LetterDelivered:
    """A letter left the house (Schreiben übermittelt): `channel` is portal, email or print.

    For the channel portal the process room shows the document `document_id` in the mailbox of its `origin`.
    """

    letter_id: UUID
    case_id: UUID
    document_id: UUID
    origin: str
    channel: str
    delivered_at: datetime
    deemed_on: date
