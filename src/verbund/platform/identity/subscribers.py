"""Reactions of identity to its own events: the e-mails, sent by the worker so that no page waits for a mail server."""

from verbund.platform.tenancy import now

from . import services
from .actor import Actor
from .events import AccessReset, EmailChanged, LinkRequested


def mail_link(actor: Actor, event: LinkRequested) -> None:
    """Make the link and send it."""
    services.send_link(actor, kind=event.kind, subject=event.subject, language=event.language, now=now())


def mail_old_address(actor: Actor, event: EmailChanged) -> None:
    """Tell the old address that another one counts now."""
    services.send_email_change_notice(
        actor, person_id=event.person_id, sealed_address=event.sealed_address, language=event.language, now=now()
    )


def mail_access_reset(actor: Actor, event: AccessReset) -> None:
    """Tell a person that the second factors are gone."""
    services.send_reset_notice(actor, person_id=event.person_id, language=event.language, now=now())
