"""What cost sharing does when a body tells what it used."""

from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import now

from . import services
from .events import UsageMeasured


def take_usage(actor: Actor, event: UsageMeasured) -> None:
    """In the alliance: take the counts of a body's month."""
    services.take_reading(
        actor,
        schema_name=event.schema_name,
        month=event.month,
        people=event.people,
        mailboxes=event.mailboxes,
        cases=event.cases,
        documents=event.documents,
        stored_bytes=event.stored_bytes,
        now=now(),
    )
