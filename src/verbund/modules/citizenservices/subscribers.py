"""Reactions to events; wired in `config/wiring.py`."""

from django.db import transaction

from verbund.modules.budget.events import ClaimReopened, ClaimSettled
from verbund.modules.membership.events import BodyPrepared, RoomPrepared
from verbund.modules.records.events import LetterDelivered
from verbund.platform import events
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, Invalid, now

from . import services
from .events import ApplicationSubmitted, QuestionAsked


def confirm_receipt(actor: Actor, event: ApplicationSubmitted) -> None:
    """An application came in: confirmation of receipt into file and mailbox, notice by e-mail."""
    services.send_receipt(actor, application_id=event.application_id, now=now())


def tell_of_question(actor: Actor, event: QuestionAsked) -> None:
    """A question lies in the mailbox: notice by e-mail."""
    services.notify_question(actor, application_id=event.application_id, now=now())


def follow_delivery(actor: Actor, event: LetterDelivered) -> None:
    """A letter was delivered: if it is a decision of ours, the application goes on."""
    services.note_delivery(
        actor,
        origin=event.origin,
        letter_id=event.letter_id,
        document_id=event.document_id,
        delivered_at=event.delivered_at,
        now=now(),
    )


def follow_settlement(actor: Actor, event: ClaimSettled) -> None:
    """A claim is paid: if it is a fee of ours, the application goes on."""
    services.note_settlement(
        actor, origin=event.origin, claim_id=event.claim_id, settled_on=event.settled_on, now=now()
    )


def follow_reopened_claim(actor: Actor, event: ClaimReopened) -> None:
    """Money went back: the fee is owed again."""
    services.note_reopened_claim(
        actor,
        origin=event.origin,
        claim_id=event.claim_id,
        open_cents=event.open_cents,
        reason=event.reason,
        now=now(),
    )


def prepare_services(actor: Actor, event: BodyPrepared) -> None:
    """Hears BodyPrepared in a new body: the chosen services stand there as drafts, for the body's own people to put on
    offer."""
    if event.part != "services":
        return
    problem = ""
    try:
        with transaction.atomic():
            services.offer_templates(
                actor, templates=event.templates, ledger=event.ledger, origin=event.provisioning_id, now=now()
            )
    except (Invalid, Conflict) as refusal:
        problem = str(refusal)
    answer = RoomPrepared(event.provisioning_id, actor.body, event.part, problem)
    events.publish(actor, answer, to_body=event.alliance)
