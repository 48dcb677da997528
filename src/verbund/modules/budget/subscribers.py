"""What budget does when it hears of something; each function calls one service. Wired in `config/wiring.py`."""

from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import clock

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
