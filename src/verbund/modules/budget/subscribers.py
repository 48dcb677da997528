"""What budget does when it hears of something; each function calls one service. Wired in `config/wiring.py`."""

from django.db import transaction

from verbund.modules.membership.events import BodyPrepared, RoomPrepared
from verbund.platform import events
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, Invalid, clock

from . import services
from .events import InvoiceHandedOver, InvoiceReceived


def take_invoice_in(actor: Actor, event: InvoiceHandedOver) -> None:
    """Hears InvoiceHandedOver from another body: the invoice lies among the inbound ones."""
    services.accept_handover(
        actor, xml=event.xml, pdf=event.pdf, filename=event.filename, sender=event.sender, now=clock.now()
    )


def check_invoice(actor: Actor, event: InvoiceReceived) -> None:
    """Hears InvoiceReceived: checks it by the official rules."""
    services.check_invoice(actor, invoice_id=event.invoice_id, now=clock.now())


def prepare_books(actor: Actor, event: BodyPrepared) -> None:
    """Hears BodyPrepared in a new body: ledger, chart of accounts, products and the year are there to begin with."""
    if event.part != "chart":
        return
    problem = ""
    try:
        with transaction.atomic():
            services.begin_books(actor, ledger=event.ledger, name=event.name, now=clock.now())
    except (Invalid, Conflict) as refusal:
        problem = str(refusal)
    answer = RoomPrepared(event.provisioning_id, actor.body, event.part, problem)
    events.publish(actor, answer, to_body=event.alliance)
