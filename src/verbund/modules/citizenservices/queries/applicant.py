"""An application for the one who applied: status, mailbox, documents."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from uuid import UUID

from django.utils.translation import gettext as _

from verbund.modules.citizenservices.models import (
    Application,
    ApplicationState,
    Outcome,
)
from verbund.modules.citizenservices.models.codes import code_for, digest_of, looks_like_code
from verbund.modules.citizenservices.policies import (
    Permission,
    visible_applications,
    visible_messages,
)
from verbund.modules.records import queries as records
from verbund.platform.files import StoredFile
from verbund.platform.identity import policy, throttle
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import local_date

from .drafts import CODES, DraftRef, draft_digest
from .views import (
    ApplicationAccess,
    ApplicationNotFound,
    ApplicationRow,
    MessageView,
    QuestionView,
    StatusEvent,
    StatusView,
    message_of,
    outcome_label,
    question_of,
    row_of,
    sections_of,
    state_label,
)


def open_by_code(actor: Actor, *, code: str, client: str, now: datetime) -> ApplicationAccess:
    """The application a tracking code opens; wrong codes are counted against the network address `client`.

    Raises:
        ApplicationNotFound, throttle.Blocked, policy.Denied
    """
    policy.require(actor, Permission.FOLLOW_APPLICATION)
    throttle.attempt("citizenservices.code", client, CODES, now=now)
    found = None
    if looks_like_code(code):
        found = Application.objects.filter(code_hash=digest_of(code)).values_list("id", flat=True).first()
    if found is None:
        raise ApplicationNotFound
    throttle.give_back("citizenservices.code", client, CODES)
    return ApplicationAccess(found, code)


def sent_drafts(actor: Actor, *, drafts: Iterable[DraftRef]) -> dict[UUID, ApplicationAccess]:
    """What has become of drafts: the application of each that was sent, for whoever has the draft's code.

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.FOLLOW_APPLICATION)
    by_digest = {draft_digest(ref): ref.id for ref in drafts if ref.code}
    if not by_digest:
        return {}
    found = Application.objects.filter(draft_digest__in=by_digest).values_list("draft_digest", "id")
    return {by_digest[digest]: ApplicationAccess(ident, code_for("application", ident)) for digest, ident in found}


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
    questions = [question_of(q) for q in found.questions.order_by("asked_at", "id")]
    messages = [message_of(m, found) for m in found.messages.order_by("-sent_at", "-id")[:100]]
    return StatusView(
        id=found.id,
        service_title=found.service_title,
        service_slug=found.service.slug,
        case_reference=found.case_reference,
        state=found.state,
        state_label=state_label(found),
        outcome=found.outcome,
        outcome_label=outcome_label(found),
        submitted_at=found.submitted_at,
        due_on=found.due_on,
        events=tuple(_events(found, questions, now)),
        question=next((q for q in questions if q.is_open), None),
        messages=tuple(messages),
        sections=tuple(sections_of(found, for_clerk=False)),
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
    return [row_of(a) for a in visible_applications(actor).order_by("-submitted_at", "-id")[:limit]]


def mailbox(actor: Actor, *, limit: int = 100) -> list[MessageView]:
    """The messages of the actor's account, the latest first. Raises policy.Denied."""
    policy.require(actor, Permission.FOLLOW_APPLICATION)
    rows = visible_messages(actor).select_related("application").order_by("-sent_at", "-id")[:limit]
    return [message_of(m, m.application) for m in rows]


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
