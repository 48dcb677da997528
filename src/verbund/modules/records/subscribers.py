"""What records does when it hears of something; each function calls one service. Wired in `config/wiring.py`."""

from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import clock

from . import services
from .events import LetterDelivered, LetterIssued


def dispatch_letter(actor: Actor, event: LetterIssued) -> None:
    """Hears LetterIssued: sends the letter off."""
    services.dispatch_letter(actor, letter_id=event.letter_id, now=clock.now())


def send_notice(actor: Actor, event: LetterDelivered) -> None:
    """Hears LetterDelivered: tells the recipient that a letter lies in the mailbox."""
    services.send_notice(actor, letter_id=event.letter_id, now=clock.now())
