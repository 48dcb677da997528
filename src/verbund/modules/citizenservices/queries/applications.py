"""Applications: for the one who applied, and for those who work on them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from verbund.modules.citizenservices.models import (
    Application,
    ApplicationAttachment,
    ApplicationState,
    Decision,
    MailboxMessage,
    Outcome,
    Question,
)
from verbund.modules.citizenservices.models.codes import digest_of, looks_like_code
from verbund.modules.citizenservices.models.official import official_language
from verbund.modules.citizenservices.models.summary import Section, sections
from verbund.modules.citizenservices.policies import (
    Permission,
    may_process,
    may_sign,
    may_take_over,
    stands_for,
    visible_applications,
    visible_messages,
)
from verbund.modules.records import queries as records
from verbund.platform import printing
from verbund.platform.files import StoredFile
from verbund.platform.identity import policy, throttle
from verbund.platform.identity.actor import Actor
from verbund.platform.printing import Payment
from verbund.platform.tenancy import NotFound, current_body, local_date

from .drafts import CODES
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


# ---- The applicant
# -----------------------------------------------------------------------------------------------------


def open_by_code(actor: Actor, *, code: str, client: str, now: datetime) -> ApplicationAccess:
    """The application a tracking code opens; wrong codes are counted against the network address `client`.

    Raises:
        ApplicationNotFound, throttle.Blocked, policy.Denied
    """
    policy.require(actor, Permission.FOLLOW_APPLICATION)
    throttle.check("citizenservices.code", client, now=now)
    found = None
    if looks_like_code(code):
        found = Application.objects.filter(code_hash=digest_of(code)).values_list("id", flat=True).first()
    if found is None:
        throttle.count("citizenservices.code", client, CODES, now=now)
        raise ApplicationNotFound
    return ApplicationAccess(found, code)


def held_application(actor: Actor, access: ApplicationAccess, *, lock: bool = False) -> Application:
    """The application, if the code opens it or it belongs to the actor's account. Raises ApplicationNotFound."""
    rows = Application.objects.select_related("service")
    if lock:
        rows = rows.select_for_update(of=("self",))
    found = rows.filter(pk=access.id).first()
    if found is None:
        raise ApplicationNotFound
    by_code = bool(access.code) and found.code_hash == digest_of(access.code)
    by_account = actor.kind.value == "citizen" and actor.id is not None and found.account == actor.id
    if not (by_code or by_account):
        raise ApplicationNotFound
    return found


def status(actor: Actor, *, access: ApplicationAccess, now: datetime) -> StatusView:
    """The status page of the applicant. Raises ApplicationNotFound, policy.Denied."""
    policy.require(actor, Permission.FOLLOW_APPLICATION)
    found = held_application(actor, access)
    questions = [_question(q) for q in found.questions.order_by("asked_at", "id")]
    messages = [_message(m, found) for m in found.messages.order_by("-sent_at", "-id")[:100]]
    return StatusView(
        id=found.id,
        service_title=found.service_title,
        service_slug=found.service.slug,
        case_reference=found.case_reference,
        state=found.state,
        state_label=_state_label(found),
        outcome=found.outcome,
        outcome_label=_outcome_label(found),
        submitted_at=found.submitted_at,
        due_on=found.due_on,
        events=tuple(_events(found, questions, now)),
        question=next((q for q in questions if q.is_open), None),
        messages=tuple(messages),
        sections=tuple(_sections(found, for_clerk=False)),
        fee_cents=found.fee_cents,
        payment_reference=found.payment_reference,
        payment_due_on=found.payment_due_on,
        is_paid=found.is_paid,
        receipt_document_id=found.receipt_document_id,
        letter_document_id=found.letter_document_id if found.delivered_at else None,
        may_withdraw=found.is_undecided,
        wants_mailbox=found.wants_mailbox,
        email=found.email,
    )


def own_applications(actor: Actor, *, limit: int = 50) -> list[ApplicationRow]:
    """The applications of the actor's account, the latest first. Raises policy.Denied."""
    policy.require(actor, Permission.FOLLOW_APPLICATION)
    return [_row(a) for a in visible_applications(actor).order_by("-submitted_at", "-id")[:limit]]


def mailbox(actor: Actor, *, limit: int = 100) -> list[MessageView]:
    """The messages of the actor's account, the latest first. Raises policy.Denied."""
    policy.require(actor, Permission.FOLLOW_APPLICATION)
    rows = visible_messages(actor).select_related("application").order_by("-sent_at", "-id")[:limit]
    return [_message(m, m.application) for m in rows]


def party_document(actor: Actor, *, access: ApplicationAccess, document_id: UUID) -> tuple[StoredFile, str]:
    """Content and name of a document the applicant may see: what they sent, their receipt, letters that were delivered
    to them.

    Raises:
        ApplicationNotFound, records' DocumentNotFound, policy.Denied
    """
    policy.require(actor, Permission.FOLLOW_APPLICATION)
    found = held_application(actor, access)
    allowed = {found.receipt_document_id, found.letter_document_id if found.delivered_at else None}
    allowed |= set(found.attachments.values_list("document_id", flat=True))
    allowed |= set(found.messages.values_list("document_id", flat=True))
    allowed |= set(found.questions.values_list("document_id", flat=True))
    if document_id not in allowed:
        raise ApplicationNotFound
    content = records.document_content(actor, document_id, origin=found.origin)
    return content.stored, content.filename


def _events(found: Application, questions: list[QuestionView], now: datetime) -> list[StatusEvent]:
    """The way of an application in the applicant's words: what was, what is, what comes."""
    lines = [
        StatusEvent(
            found.submitted_at,
            _("We have received your application."),
            _("Your reference is %(reference)s.") % {"reference": found.case_reference},
        )
    ]
    for question in questions:
        lines.append(StatusEvent(question.asked_at, _("We have a question for you."), question.text))
        if question.answered_at is not None:
            lines.append(StatusEvent(question.answered_at, _("You have answered our question.")))
    if found.decided_at is not None:
        titles = {
            Outcome.GRANTED.value: _("We have granted your application."),
            Outcome.REFUSED.value: _("We have refused your application."),
            Outcome.WITHDRAWN.value: _("You have taken back your application."),
        }
        lines.append(StatusEvent(found.decided_at, titles[found.outcome]))
    if found.delivered_at is not None:
        text = _("You find it in the mailbox on this page.") if found.wants_mailbox else _("It is on its way by post.")
        lines.append(StatusEvent(found.delivered_at, _("We have sent you the decision."), text))
    if found.settled_on is not None:
        lines.append(StatusEvent(found.settled_on, _("Your payment has arrived.")))
    if found.closed_at is not None:
        lines.append(StatusEvent(found.closed_at, _("Everything is done."), _("We have closed the case.")))
    lines.sort(key=lambda line: _moment(line.at))
    lines += _still_to_come(found, now)
    return lines


def _moment(at: datetime | date | None) -> datetime:
    """The place in the course: what has a day only (a payment) stands at the end of that day."""
    if isinstance(at, datetime):
        return at
    return datetime.combine(at or date.max, time.max, tzinfo=UTC)


def _still_to_come(found: Application, now: datetime) -> list[StatusEvent]:
    match found.state:
        case ApplicationState.QUERY_OPEN:
            return [
                StatusEvent(None, _("It is your turn: please answer our question."), kind="now"),
                StatusEvent(None, _("Then we go on and decide."), kind="next"),
            ]
        case ApplicationState.SUBMITTED | ApplicationState.IN_PROGRESS:
            late = local_date(now) > found.due_on
            title = (
                _("We are working on your application.")
                if found.state == ApplicationState.IN_PROGRESS
                else _("Your application waits to be looked at.")
            )
            text = _("It takes longer than we promised. We are sorry.") if late else ""
            return [
                StatusEvent(None, title, text, "now"),
                StatusEvent(None if late else found.due_on, _("By then we want to have decided."), kind="next"),
            ]
        case ApplicationState.DECIDED:
            return [StatusEvent(None, _("The decision is being sent to you."), kind="now")]
        case ApplicationState.DELIVERED if not found.is_paid:
            return [
                StatusEvent(
                    found.payment_due_on,
                    _("It is your turn: please pay the fee."),
                    _("Please use the payment reference %(reference)s.") % {"reference": found.payment_reference},
                    "now",
                )
            ]
    return []


# ---- The clerk
# ---------------------------------------------------------------------------------------------------------


def inbox(
    actor: Actor, *, filters: InboxFilters | None = None, after: str | None = None, limit: int = 50
) -> ApplicationPage:
    """Applications the actor sees, the most urgent first (by the promised day). Raises policy.Denied."""
    policy.require(actor, Permission.READ_APPLICATION)
    rows = _filtered(actor, filters or InboxFilters())
    key = _read_key(after)
    if key is not None:
        rows = rows.filter(Q(due_on__gt=key[0]) | Q(due_on=key[0], id__gt=key[1]))
    found = list(
        rows.order_by("due_on", "id").only(
            "id", "case_reference", "service_title", "party_name", "state", "outcome", "unit", "clerk_name",
            "submitted_at", "due_on",
        )[: limit + 1]
    )  # fmt: skip
    following = f"{found[limit - 1].due_on.isoformat()}~{found[limit - 1].id}" if len(found) > limit else None
    return ApplicationPage(tuple(_row(a) for a in found[:limit]), following)


def inbox_counts(actor: Actor, *, now: datetime, most: int = 1000) -> InboxCounts:
    """How much waits, each counted up to `most`. Raises policy.Denied."""
    policy.require(actor, Permission.READ_APPLICATION)

    def count(filters: InboxFilters) -> int:
        return _filtered(actor, filters)[:most].count()

    return InboxCounts(
        nobody=count(InboxFilters(nobody=True)),
        mine=count(InboxFilters(mine=True)),
        late=count(InboxFilters(late_on=local_date(now))),
    )


def application(actor: Actor, application_id: UUID, *, now: datetime) -> ApplicationView:
    """One application for those who work on it. Raises ApplicationNotFound, policy.Denied."""
    policy.require(actor, Permission.READ_APPLICATION)
    found = visible_applications(actor).filter(pk=application_id).select_related("service").first()
    if found is None:
        raise ApplicationNotFound
    form = in_use(found.form_version_id, found.service)
    decision = Decision.objects.filter(application=found).first()
    attached = []
    for a in found.attachments.order_by("path"):
        asked = form.definition.field_at(a.path)
        attached.append(
            AttachedDocument(
                a.path, asked.label_out if asked else a.path, a.filename, a.size, a.media_type, a.document_id
            )
        )
    processes = policy.allows(actor, Permission.PROCESS_APPLICATION)
    decides = policy.allows(actor, Permission.DECIDE_APPLICATION) and found.is_undecided
    return ApplicationView(
        id=found.id,
        version=found.version,
        service_id=found.service_id,
        service_title=found.service_title,
        case_id=found.case_id,
        case_reference=found.case_reference,
        party_name=found.party_name,
        party=found.party,
        email=found.email,
        wants_mailbox=found.wants_mailbox,
        has_account=found.account is not None,
        state=found.state,
        state_label=_state_label(found),
        outcome=found.outcome,
        outcome_label=_outcome_label(found),
        unit=found.unit,
        clerk=found.clerk,
        clerk_name=found.clerk_name,
        submitted_at=found.submitted_at,
        due_on=found.due_on,
        days_left=(found.due_on - local_date(now)) // timedelta(days=1),
        sections=tuple(_sections(found, for_clerk=True)),
        attachments=tuple(attached),
        rules=tuple((rule.name, rule.text) for rule in form.definition.all_rules() if rule.text),
        questions=tuple(_question(q) for q in found.questions.order_by("asked_at", "id")),
        decision=_decision(decision) if decision is not None else None,
        decided_at=found.decided_at,
        delivered_at=found.delivered_at,
        closed_at=found.closed_at,
        retention_until=found.retention_until,
        letter_id=found.letter_id,
        letter_document_id=found.letter_document_id,
        fee_cents=found.fee_cents if not found.is_undecided else found.service.fee_cents,
        fee_text=found.service.fee_text,
        payment_reference=found.payment_reference,
        payment_due_on=found.payment_due_on,
        settled_on=found.settled_on,
        claim_id=found.claim_id,
        requires_sign_off=found.service.requires_sign_off,
        may_take_over=processes and may_take_over(actor, found) and not may_process(actor, found),
        may_process=processes and may_process(actor, found) and found.is_undecided,
        may_decide=decides and (may_process(actor, found) or found.service.requires_sign_off),
        may_sign=decides and may_sign(actor, found, decision, second_person=found.service.requires_sign_off),
    )


def application_of_case(actor: Actor, case_id: UUID) -> UUID | None:
    """The application behind a case the actor sees, for a link from the file. Raises policy.Denied."""
    policy.require(actor, Permission.READ_APPLICATION)
    return visible_applications(actor).filter(case_id=case_id).values_list("id", flat=True).first()


def letter_preview(actor: Actor, application_id: UUID, *, outcome: str, reason: str, now: datetime) -> bytes:
    """The decision as it would be issued now, as PDF; nothing is written. Raises ApplicationNotFound, policy.Denied."""
    policy.require(actor, Permission.READ_APPLICATION)
    found = visible_applications(actor).filter(pk=application_id).select_related("service").first()
    if found is None:
        raise ApplicationNotFound
    with official_language():
        data = letter_data(actor, found, outcome=outcome, reason=reason, now=now, payment=None)
    fee = found.service.fee_cents if outcome == Outcome.GRANTED else 0
    if fee:
        due = local_date(now) + timedelta(days=found.service.payment_days)
        data["payment"] = payment_of(fee, "00000000000000", due)
    values = {
        "date": local_date(now),
        "recipient": recipient_lines(found),
        "reference": found.case_reference,
        **data,
    }
    return printing.letter("printing/letter.typ", values)


def recipient_lines(found: Application) -> list[str]:
    """Name and address as they stand in the window of the envelope."""
    party = found.party
    person = party.get("name", "") if party.get("name") != party.get("organisation") else ""
    town = f"{party.get('postcode', '')} {party.get('city', '')}".strip()
    return [line for line in (party.get("organisation"), person, party.get("street"), town) if line] or [
        found.party_name
    ]


def payment_of(cents: int, reference: str, due_on: date) -> Payment | None:
    """The payment part of a letter; None if the body has no bank account in its letterhead (or cents are 0)."""
    body = current_body()
    iban = body.letterhead.get("iban", "")
    if not iban or cents <= 0:
        return None
    return Payment(
        payee=body.name,
        iban=iban,
        cents=cents,
        reference=reference,
        due_on=due_on,
        bic=body.letterhead.get("bic", ""),
        bank=body.letterhead.get("bank", ""),
    )


def letter_data(
    actor: Actor, found: Application, *, outcome: str, reason: str, now: datetime, payment: Payment | None
) -> dict[str, Any]:
    """What the decision's letter shows (see `printing/base.typ`); used for the preview and for the letter itself."""
    service, texts = found.service, found.service.letters
    granted = outcome == Outcome.GRANTED
    paragraphs: list[Any] = list(texts.get("grant", []) if granted else texts.get("refuse", []))
    paragraphs.append(
        {
            "facts": [
                (_("Service"), found.service_title),
                (_("Application of"), local_date(found.submitted_at).strftime("%d.%m.%Y")),
                (_("Applicant"), found.party_name or "–"),
            ]
        }
    )
    if reason.strip():
        paragraphs.append({"heading": _("Additional provisions") if granted else _("Reasons")})
        paragraphs.extend(part.strip() for part in reason.split("\n\n") if part.strip())
    if texts.get("legal_basis"):
        paragraphs.append(_("Legal basis: %(basis)s.") % {"basis": texts["legal_basis"].rstrip(".")})
    if granted and service.fee_cents:
        paragraphs.append({"heading": _("Fee")})
        paragraphs.append(
            _("For this decision we charge a fee of %(amount)s.") % {"amount": printing.euro(service.fee_cents)}
        )
    data: dict[str, Any] = {
        "subject": texts.get("subject_grant" if granted else "subject_refuse") or found.service_title,
        "salutation": _("Good day %(name)s,") % {"name": found.party_name}
        if found.party_name
        else _("Dear Sir or Madam,"),
        "paragraphs": paragraphs,
        "closing": _("Yours sincerely"),
        "signature": [actor.name],
        "contact": {"name": actor.name, "unit": found.unit},
        "remedy": texts.get("remedy", ""),
    }
    if payment is not None:
        data["payment"] = payment
    return data


def _filtered(actor: Actor, wanted: InboxFilters) -> QuerySet[Application]:
    rows = visible_applications(actor)
    if wanted.state:
        rows = rows.filter(state=wanted.state)
    elif wanted.undecided:
        rows = rows.filter(state__in=["submitted", "in_progress", "query_open"])
    if wanted.unit:
        rows = rows.filter(unit=wanted.unit)
    if wanted.service_id is not None:
        rows = rows.filter(service_id=wanted.service_id)
    if wanted.mine:
        rows = rows.filter(clerk__in=stands_for(actor))
    if wanted.nobody:
        rows = rows.filter(clerk__isnull=True)
    if wanted.late_on is not None:
        rows = rows.filter(due_on__lt=wanted.late_on)
    return rows


def _read_key(key: str | None) -> tuple[date, UUID] | None:
    day, _tilde, ident = (key or "").partition("~")
    try:
        return date.fromisoformat(day), UUID(ident)
    except ValueError:
        return None


def _sections(found: Application, *, for_clerk: bool) -> list[Section]:
    form = in_use(found.form_version_id, found.service)
    names = {
        found.answers.get(a.path, ""): a.filename
        for a in ApplicationAttachment.objects.filter(application=found).only("path", "filename")
    }
    return sections(form.definition, found.answers, for_clerk=for_clerk, names=names)


def _row(a: Application) -> ApplicationRow:
    return ApplicationRow(
        a.id,
        a.case_reference,
        a.service_title,
        a.party_name,
        a.state,
        _state_label(a),
        a.outcome,
        a.unit,
        a.clerk_name,
        a.submitted_at,
        a.due_on,
    )


def _question(q: Question) -> QuestionView:
    return QuestionView(q.id, q.text, q.asked_name, q.asked_at, q.answer_until, q.answer, q.answered_at, q.document_id)


def _message(m: MailboxMessage, found: Application) -> MessageView:
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


def _decision(d: Decision) -> DecisionView:
    return DecisionView(
        d.outcome,
        str(Outcome(d.outcome).label),
        d.reason,
        d.proposed_name,
        d.proposed_at,
        d.signed_name,
        d.signed_at,
    )


def _state_label(a: Application) -> str:
    return str(ApplicationState(a.state).label)


def _outcome_label(a: Application) -> str:
    return str(Outcome(a.outcome).label) if a.outcome else ""
