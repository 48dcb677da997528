"""Messages: into the mailbox at once, by e-mail from a job."""

from datetime import datetime
from uuid import UUID

from django.db import ProgrammingError, transaction
from django.utils.translation import gettext as _

from verbund.modules.citizenservices.gateways.mail import send_notice
from verbund.modules.citizenservices.models import Application, MailboxMessage, MessageKind
from verbund.modules.citizenservices.models.official import official_language
from verbund.modules.citizenservices.policies import Permission
from verbund.modules.citizenservices.queries.applicant import held_application
from verbund.modules.citizenservices.queries.views import ApplicationAccess
from verbund.platform import audit
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import current_body, new_id
from verbund.platform.tenancy.closing import room_refused


def put_into_mailbox(
    application: Application,
    *,
    kind: MessageKind,
    subject: str,
    text: str,
    now: datetime,
    document_id: UUID | None = None,
) -> MailboxMessage:
    """Lay a message into the mailbox of the application (Postfach); part of the caller's transaction and of its audit
    entry.
    """
    return MailboxMessage.objects.create(
        id=new_id(),
        application=application,
        account=application.account,
        kind=kind,
        subject=subject[:300],
        text=text,
        document_id=document_id,
        sent_at=now,
    )


def notify(application: Application, subject: str) -> bool:
    """Tell the applicant by e-mail that something lies in the portal, without its content; False without an address."""
    if not application.email:
        return False
    body = current_body()
    with official_language():
        lines = [
            _("Good day,"),
            "",
            _("there is news about your application “%(service)s”, reference %(reference)s:")
            % {"service": application.service_title, "reference": application.case_reference},
            subject,
            "",
            _("For the protection of your data this e-mail says no more."),
            _(
                "Please open the portal of %(body)s and choose “Status of your application”. "
                "There you enter your tracking code."
            )
            % {"body": body.name}
            if application.account is None
            else _("Please open the portal of %(body)s and sign in to your account.") % {"body": body.name},
            "",
            body.name,
        ]
        send_notice(
            to=application.email,
            subject=f"{body.name}: {subject}"[:200],
            text="\n".join(lines),
            reply_to=body.letterhead.get("email", ""),
        )
    return True


@transaction.atomic
def mark_read(actor: Actor, *, access: ApplicationAccess, document_id: UUID, now: datetime) -> int:
    """Note that the applicant has opened the message with this document (gelesen); returns how many messages were new.

    In a room that the body may only read nothing is noted: reading goes on.

    Raises:
        ApplicationNotFound, policy.Denied
    """
    policy.require(actor, Permission.FOLLOW_APPLICATION)
    if "citizenservices" in current_body().closed:
        return 0
    application = held_application(actor, access)
    try:
        with transaction.atomic():
            opened = application.messages.filter(read_at__isnull=True, document_id=document_id).update(read_at=now)
    except ProgrammingError as error:
        # Closed a moment ago: what a process knows of the body is some seconds old, what PostgreSQL knows is not.
        if room_refused(error, actor.body) != "citizenservices":
            raise
        return 0
    if opened:
        audit.record(
            actor,
            "citizenservices.message.opened",
            "citizenservices.application",
            application.id,
            after={"document": document_id, "read_at": now},
        )
    return opened
