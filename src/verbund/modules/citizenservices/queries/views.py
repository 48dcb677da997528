"""Applications as values: what the applicant and the clerk are shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from verbund.modules.citizenservices.models import (
    Application,
    ApplicationAttachment,
    ApplicationState,
    Decision,
    MailboxMessage,
    Outcome,
    Question,
)
from verbund.modules.citizenservices.models.summary import Section, sections
from verbund.platform.tenancy import NotFound

from .forms import in_use


class ApplicationNotFound(NotFound):
    """There is no such application for this actor and code."""


@dataclass(frozen=True, slots=True)
class ApplicationAccess:
    """Which application, and the tracking code that opens it ("" for the owner of the account)."""

    id: UUID
    code: str = ""


@dataclass(frozen=True, slots=True)
class QuestionView:
    """A question of the clerk with the answer."""

    id: UUID
    text: str
    asked_name: str
    asked_at: datetime
    answer_until: date
    answer: str
    answered_at: datetime | None
    document_id: UUID | None

    @property
    def is_open(self) -> bool:
        return self.answered_at is None


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message of the mailbox."""

    id: UUID
    application_id: UUID
    service_title: str
    case_reference: str
    kind: str
    kind_label: str
    subject: str
    text: str
    document_id: UUID | None
    sent_at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class StatusEvent:
    """One line of the status page: when, what, in the applicant's words. `at` None: still to come."""

    at: datetime | date | None
    title: str
    text: str = ""
    kind: str = "done"  # done | now | next


@dataclass(frozen=True, slots=True)
class StatusView:
    """What the applicant sees of the application."""

    id: UUID
    service_title: str
    service_slug: str
    case_reference: str
    state: str
    state_label: str
    outcome: str
    outcome_label: str
    submitted_at: datetime
    due_on: date
    events: tuple[StatusEvent, ...]
    question: QuestionView | None
    messages: tuple[MessageView, ...]
    sections: tuple[Section, ...]
    fee_cents: int
    payment_reference: str
    payment_due_on: date | None
    is_paid: bool
    receipt_document_id: UUID | None
    letter_document_id: UUID | None
    may_withdraw: bool
    wants_mailbox: bool
    email: str


@dataclass(frozen=True, slots=True)
class InboxFilters:
    """InboxFilters (Auswahl im Eingang): empty values do not select. `mine` takes what the actor (or whom it stands in
    for) works on.
    """

    state: str = ""
    unit: str = ""
    service_id: UUID | None = None
    mine: bool = False
    nobody: bool = False
    late_on: date | None = None
    undecided: bool = True


@dataclass(frozen=True, slots=True)
class ApplicationRow:
    """An application in a list."""

    id: UUID
    case_reference: str
    service_title: str
    party_name: str
    state: str
    state_label: str
    outcome: str
    unit: str
    clerk_name: str
    submitted_at: datetime
    due_on: date


@dataclass(frozen=True, slots=True)
class ApplicationPage:
    """One page of a list; `next` is the key of the following one, None on the last."""

    rows: tuple[ApplicationRow, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class InboxCounts:
    """How much waits for the actor: nobody's, the actor's own, and what is later than promised."""

    nobody: int
    mine: int
    late: int


@dataclass(frozen=True, slots=True)
class AttachedDocument:
    """A file of the application and its document in the case."""

    path: str
    label: str
    filename: str
    size: int
    media_type: str
    document_id: UUID


@dataclass(frozen=True, slots=True)
class DecisionView:
    """A decision, proposed or signed."""

    outcome: str
    outcome_label: str
    reason: str
    proposed_name: str
    proposed_at: datetime | None
    signed_name: str
    signed_at: datetime | None

    @property
    def is_signed(self) -> bool:
        return self.signed_at is not None


@dataclass(frozen=True, slots=True)
class ApplicationView:
    """Everything a clerk needs on one page. `version` is to be given back with every step."""

    id: UUID
    version: int
    service_id: UUID
    service_title: str
    case_id: UUID
    case_reference: str
    party_name: str
    party: Mapping[str, Any]
    email: str
    wants_mailbox: bool
    has_account: bool
    state: str
    state_label: str
    outcome: str
    outcome_label: str
    unit: str
    clerk: UUID | None
    clerk_name: str
    submitted_at: datetime
    due_on: date
    days_left: int
    sections: tuple[Section, ...]
    attachments: tuple[AttachedDocument, ...]
    rules: tuple[tuple[str, str], ...]
    questions: tuple[QuestionView, ...]
    decision: DecisionView | None
    decided_at: datetime | None
    delivered_at: datetime | None
    closed_at: datetime | None
    retention_until: date | None
    letter_id: UUID | None
    letter_document_id: UUID | None
    fee_cents: int
    fee_text: str
    payment_reference: str
    payment_due_on: date | None
    settled_on: date | None
    claim_id: UUID | None
    requires_sign_off: bool
    may_take_over: bool
    may_process: bool
    may_decide: bool
    may_sign: bool


def sections_of(found: Application, *, for_clerk: bool) -> list[Section]:
    form = in_use(found.form_version_id, found.service)
    names = {
        found.answers.get(a.path, ""): a.filename
        for a in ApplicationAttachment.objects.filter(application=found).only("path", "filename")
    }
    return sections(form.definition, found.answers, for_clerk=for_clerk, names=names)


def row_of(a: Application) -> ApplicationRow:
    return ApplicationRow(
        a.id,
        a.case_reference,
        a.service_title,
        a.party_name,
        a.state,
        state_label(a),
        a.outcome,
        a.unit,
        a.clerk_name,
        a.submitted_at,
        a.due_on,
    )


def question_of(q: Question) -> QuestionView:
    return QuestionView(q.id, q.text, q.asked_name, q.asked_at, q.answer_until, q.answer, q.answered_at, q.document_id)


def message_of(m: MailboxMessage, found: Application) -> MessageView:
    return MessageView(
        m.id,
        m.application_id,
        found.service_title,
        found.case_reference,
        m.kind,
        str(m.get_kind_display()),
        m.subject,
        m.text,
        m.document_id,
        m.sent_at,
        m.read_at,
    )


def decision_of(d: Decision) -> DecisionView:
    return DecisionView(
        d.outcome,
        str(Outcome(d.outcome).label),
        d.reason,
        d.proposed_name,
        d.proposed_at,
        d.signed_name,
        d.signed_at,
    )


def state_label(a: Application) -> str:
    return str(ApplicationState(a.state).label)


def outcome_label(a: Application) -> str:
    return str(Outcome(a.outcome).label) if a.outcome else ""
