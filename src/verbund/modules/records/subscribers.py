"""What records does when it hears of something; each function calls one service. Wired in `config/wiring.py`."""

from django.db import transaction

from verbund.modules.membership.events import BodyPrepared, RoomPrepared
from verbund.platform import events
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, Invalid, clock

from . import services
from .events import LetterDelivered, LetterIssued


def dispatch_letter(actor: Actor, event: LetterIssued) -> None:
    """Hears LetterIssued: sends the letter off."""
    services.dispatch_letter(actor, letter_id=event.letter_id, now=clock.now())


def send_notice(actor: Actor, event: LetterDelivered) -> None:
    """Hears LetterDelivered: tells the recipient that a letter lies in the mailbox."""
    services.send_notice(actor, letter_id=event.letter_id, now=clock.now())


def prepare_file_plan(actor: Actor, event: BodyPrepared) -> None:
    """Hears BodyPrepared in a new body: the sample file plan is there to begin with."""
    if event.part != "file_plan":
        return
    problem = ""
    try:
        with transaction.atomic():
            services.import_file_plan(actor, csv_text=services.sample_file_plan(), now=clock.now())
    except (Invalid, Conflict) as refusal:
        problem = str(refusal)
    answer = RoomPrepared(event.provisioning_id, actor.body, event.part, problem)
    events.publish(actor, answer, to_body=event.alliance)
