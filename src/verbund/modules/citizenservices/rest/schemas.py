"""Services and applications as JSON says them."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field, StringConstraints

from verbund.platform.rest.values import Line, Listed, Paged, Sent, ShortText

State = Literal["submitted", "in_progress", "query_open", "decided", "delivered", "closed"]
Version = Annotated[int, Field(ge=0, le=2**31 - 1, description="As read before: somebody else may have been first")]


class ServiceQuery(Schema):
    """What is looked for; empty for all services."""

    text: Line = ""


class InboxQuery(Paged):
    """Which applications are asked for; without a state the undecided ones."""

    state: State | None = None
    unit: ShortText = ""
    service_id: UUID | None = None
    mine: bool = False
    nobody: bool = False
    undecided: bool = True


class ServiceCard(Schema):
    """An online service in the catalogue."""

    slug: str
    title: str
    summary: str
    topic: str


class ServiceRead(Schema):
    """Everything that is said about an online service."""

    slug: str
    title: str
    topic: str
    summary: str
    description: str
    audience: str
    needed: list[str]
    files: list[str]
    fee_cents: int
    fee_text: str
    promised_days: int


class ApplicationListed(Schema):
    """An application in the inbox."""

    id: UUID
    case_reference: str
    service_title: str
    party_name: str
    state: str
    outcome: str
    unit: str
    clerk_name: str
    submitted_at: datetime
    due_on: date


class InboxPage(Listed[ApplicationListed]):
    """A page of the inbox, the most urgent first."""


class Answer(Schema):
    """An answered question: `value` as it is kept, `shown` as people read it."""

    path: str
    label: str
    value: str
    shown: str


class AnswerSection(Schema):
    """Answers below one heading of the form."""

    title: str
    path: str
    depth: int
    rows: list[Answer]


class AttachmentRead(Schema):
    """A file that came with the application; its content is a document of the case."""

    path: str
    label: str
    filename: str
    size: int
    media_type: str
    document_id: UUID


class QuestionRead(Schema):
    """A question to the applicant, with the answer."""

    id: UUID
    text: str
    asked_at: datetime
    answer_until: date
    answer: str
    answered_at: datetime | None
    document_id: UUID | None


class ApplicationRead(Schema):
    """An application with its answers. `version` is given back with every step."""

    id: UUID
    version: int
    service_id: UUID
    service_title: str
    case_id: UUID
    case_reference: str
    party_name: str
    party: dict[str, Any]
    email: str
    state: str
    outcome: str
    unit: str
    clerk: UUID | None
    clerk_name: str
    submitted_at: datetime
    due_on: date
    sections: list[AnswerSection]
    attachments: list[AttachmentRead]
    questions: list[QuestionRead]
    decided_at: datetime | None
    delivered_at: datetime | None
    closed_at: datetime | None
    letter_id: UUID | None
    letter_document_id: UUID | None
    fee_cents: int
    payment_reference: str
    payment_due_on: date | None
    settled_on: date | None
    claim_id: UUID | None
    requires_sign_off: bool


class TakeOver(Sent):
    """Which state of the application was read."""

    expected_version: Version


class TakenOver(Schema):
    """The application is the key's; `version` is the new one."""

    id: UUID
    version: int


class Decide(Sent):
    """The decision."""

    outcome: Literal["granted", "refused"]
    reason: Annotated[str, StringConstraints(max_length=10_000)] = Field(
        default="", description="Additional provisions of a grant; the reasons of a refusal (§ 39 VwVfG)"
    )
    expected_version: Version


class Decided(Schema):
    """The decision with its letter and, if a fee is due, its claim."""

    application_id: UUID
    version: int
    outcome: str
    letter_id: UUID
    letter_document_id: UUID
    letter_sha256: str
    claim_id: UUID | None
    payment_reference: str
