"""What follows by itself: receipt, delivery, payment, the end."""

from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from verbund.modules.citizenservices.events import ApplicationClosed
from verbund.modules.citizenservices.models import Application, ApplicationAttachment, ApplicationState, MessageKind
from verbund.modules.citizenservices.models.applications import ORIGIN
from verbund.modules.citizenservices.models.official import official_language
from verbund.modules.citizenservices.models.summary import facts, sections
from verbund.modules.citizenservices.policies import Permission
from verbund.modules.citizenservices.queries.forms import in_use
from verbund.modules.citizenservices.queries.letters import recipient_lines
from verbund.modules.citizenservices.queries.views import ApplicationNotFound
from verbund.modules.records import queries as record_queries
from verbund.modules.records import services as records
from verbund.platform import audit, events, printing
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import local_date

from .handling import save
from .messages import notify, put_into_mailbox


@transaction.atomic
def send_receipt(actor: Actor, *, application_id: UUID, now: datetime) -> None:
    """Confirm the receipt of an application (Eingangsbestätigung): PDF into the case and the mailbox, notice by e-mail.

    Done once: an application that has its receipt is left alone.

    Raises:
        ApplicationNotFound, policy.Denied: for anybody but the system.
    """
    policy.require(actor, Permission.TIDY_UP)
    application = _locked(application_id)
    if application.receipt_document_id is not None:
        return
    with official_language():
        document = records.file_document(
            actor,
            case_id=application.case_id,
            title=_("Confirmation of receipt"),
            kind="receipt",
            content=receipt(application),
            filename="eingangsbestaetigung.pdf",
            now=now,
            visible_to_party=True,
            # A clerk may have decided, and a fee closed the case, before a crashed worker's job came to its turn.
            belated=True,
        )
        subject = _("We have received your application")
        put_into_mailbox(
            application,
            kind=MessageKind.RECEIPT,
            subject=subject,
            text=_("Your reference is %(reference)s. By %(day)s we want to have decided.")
            % {"reference": application.case_reference, "day": date_format(application.due_on, "DATE_FORMAT")},
            document_id=document.id,
            now=now,
        )
    application.receipt_document_id = document.id
    save(application, "receipt_document_id")
    audit.record(
        actor,
        "citizenservices.application.receipt_sent",
        "citizenservices.application",
        application.id,
        after={"document": document.id, "sha256": document.sha256, "email": bool(application.email)},
    )
    notify(application, subject)


def receipt(application: Application) -> bytes:
    """The confirmation of receipt as PDF, with everything that was sent; without the tracking code, as it lies in the
    file.
    """
    form = in_use(application.form_version_id, application.service)
    attachments = list(ApplicationAttachment.objects.filter(application=application).order_by("path"))
    names = {application.answers.get(a.path, ""): a.filename for a in attachments}
    parts = sections(form.definition, application.answers, names=names)
    upcoming = [
        _("We look at your application and want to have decided by %(day)s.")
        % {"day": date_format(application.due_on, "DATE_FORMAT")},
        _("If we have a question, you find it in the portal under “Status of your application”."),
        _("You get the decision in the portal.") if application.wants_mailbox else _("You get the decision by post."),
    ]
    return printing.letter(
        "printing/receipt.typ",
        {
            "subject": _("Confirmation of receipt"),
            "date": local_date(application.submitted_at),
            "recipient": recipient_lines(application),
            "reference": application.case_reference,
            "salutation": _("Good day %(name)s,") % {"name": application.party_name}
            if application.party_name
            else _("Dear Sir or Madam,"),
            "paragraphs": [_("thank you. We have received your application.")],
            "number": application.case_reference,
            "service": application.service_title,
            "received": application.submitted_at,
            "next": upcoming,
            "sections": [{"title": title or application.service_title, "rows": rows} for title, rows in facts(parts)],
            "attachments": [{"name": a.filename, "size": _size(a.size), "sha256": a.sha256} for a in attachments],
        },
    )


@transaction.atomic
def notify_question(actor: Actor, *, application_id: UUID, now: datetime) -> None:
    """Tell the applicant by e-mail of a question in the mailbox. Raises ApplicationNotFound, policy.Denied."""
    policy.require(actor, Permission.TIDY_UP)
    application = _locked(application_id)
    with official_language():
        sent = notify(application, _("We have a question about your application"))
    audit.record(
        actor,
        "citizenservices.question.notified",
        "citizenservices.application",
        application.id,
        after={"email": sent},
    )


@transaction.atomic
def note_delivery(
    actor: Actor, *, origin: str, letter_id: UUID, document_id: UUID, delivered_at: datetime, now: datetime
) -> None:
    """Note that the decision was delivered (bekannt gegeben); closes the case if nothing is owed.

    Letters of other processes, and other letters of ours, are left alone. Raises policy.Denied.
    """
    policy.require(actor, Permission.TIDY_UP)
    application = _of_origin(origin)
    if application is None or application.letter_id != letter_id or application.state != ApplicationState.DECIDED:
        return
    application.state, application.delivered_at = ApplicationState.DELIVERED, delivered_at
    save(application, "state", "delivered_at")
    if application.wants_mailbox:
        with official_language():
            put_into_mailbox(
                application,
                kind=MessageKind.DECISION,
                subject=record_queries.document(actor, application.letter_document_id or document_id).title,
                text=_("Your decision is here. Please read it and keep it safe."),
                document_id=document_id,
                now=now,
            )
    audit.record(
        actor,
        "citizenservices.application.delivered",
        "citizenservices.application",
        application.id,
        before={"state": ApplicationState.DECIDED.value},
        after={"state": application.state, "delivered_at": delivered_at},
    )
    _close_if_done(actor, application, now)


@transaction.atomic
def note_settlement(actor: Actor, *, origin: str, claim_id: UUID, settled_on: date, now: datetime) -> None:
    """Note that the fee is paid (ausgeglichen); closes the case if the decision was delivered. Raises policy.Denied."""
    policy.require(actor, Permission.TIDY_UP)
    application = _of_origin(origin)
    if application is None or application.claim_id != claim_id or application.settled_on is not None:
        return
    application.settled_on = settled_on
    save(application, "settled_on")
    with official_language():
        put_into_mailbox(
            application,
            kind=MessageKind.PAYMENT,
            subject=_("Your payment has arrived"),
            text=_("Thank you. The fee is paid."),
            now=now,
        )
    audit.record(
        actor,
        "citizenservices.application.paid",
        "citizenservices.application",
        application.id,
        after={"claim": claim_id, "settled_on": settled_on},
    )
    _close_if_done(actor, application, now)


@transaction.atomic
def note_reopened_claim(
    actor: Actor, *, origin: str, claim_id: UUID, open_cents: int, reason: str, now: datetime
) -> None:
    """Note that money went back (Rücklastschrift): the fee is owed again; a closed case stays closed, the claim lives
    in the budget.

    Raises policy.Denied.
    """
    policy.require(actor, Permission.TIDY_UP)
    application = _of_origin(origin)
    if application is None or application.claim_id != claim_id or application.settled_on is None:
        return
    before = {"settled_on": application.settled_on}
    application.settled_on = None
    save(application, "settled_on")
    with official_language():
        put_into_mailbox(
            application,
            kind=MessageKind.PAYMENT,
            subject=_("Your payment has been returned"),
            text=_("Please pay %(amount)s again, with the payment reference %(reference)s.")
            % {"amount": printing.euro(open_cents), "reference": application.payment_reference},
            now=now,
        )
    audit.record(
        actor,
        "citizenservices.application.payment_returned",
        "citizenservices.application",
        application.id,
        before=before,
        after={"settled_on": None, "open_cents": open_cents, "reason": reason},
    )
    with official_language():
        notify(application, _("Your payment has been returned"))


def _close_if_done(actor: Actor, application: Application, now: datetime) -> None:
    if application.state != ApplicationState.DELIVERED or not application.is_paid:
        return
    closed = records.close_case(
        actor, case_id=application.case_id, now=now, retention_years=application.service.retention_years
    )
    application.state, application.closed_at = ApplicationState.CLOSED, now
    application.retention_until = closed.retention_until
    save(application, "state", "closed_at", "retention_until")
    events.publish(actor, ApplicationClosed(application.id, application.case_id, now))
    audit.record(
        actor,
        "citizenservices.application.closed",
        "citizenservices.application",
        application.id,
        before={"state": ApplicationState.DELIVERED.value},
        after={"state": application.state, "retention_until": closed.retention_until},
    )


def _locked(application_id: UUID) -> Application:
    found = (
        Application.objects.select_related("service").select_for_update(of=("self",)).filter(pk=application_id).first()
    )
    if found is None:
        raise ApplicationNotFound
    return found


def _of_origin(origin: str) -> Application | None:
    """The application an event is about; None if it is of another process."""
    if not origin.startswith(ORIGIN):
        return None
    return _locked(UUID(origin.removeprefix(ORIGIN)))


def _size(size: int) -> str:
    return f"{max(1, round(size / 1000))} kB"
