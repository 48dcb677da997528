"""What membership does when it hears of something; each function calls one service. Wired in `config/wiring.py`."""

from django.db import transaction

from verbund.platform import events
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, Invalid, clock

from . import services
from .events import AccessionEffective, BodyPrepared, RoomPrepared, TenantWished


def make_ready(actor: Actor, event: AccessionEffective) -> None:
    """Hears AccessionEffective in the alliance: the new carrier's body is made ready."""
    services.provision_new_carrier(actor, member_id=event.member_id, now=clock.now())


def found_tenant(actor: Actor, event: TenantWished) -> None:
    """Hears TenantWished in the alliance: the new body's tenant is founded."""
    services.make_tenant(actor, provisioning_id=event.provisioning_id, now=clock.now())


def invite_people(actor: Actor, event: BodyPrepared) -> None:
    """Hears BodyPrepared in the new body: its first people are invited."""
    if event.part != "people":
        return
    problem = ""
    try:
        with transaction.atomic():
            services.invite_first_people(actor, people=event.people, now=clock.now())
    except (Invalid, Conflict) as refusal:
        problem = str(refusal)
    answer = RoomPrepared(event.provisioning_id, actor.body, event.part, problem)
    events.publish(actor, answer, to_body=event.alliance)


def note_part(actor: Actor, event: RoomPrepared) -> None:
    """Hears RoomPrepared in the alliance: a part of a new body is there."""
    services.note_part(actor, answer=event, now=clock.now())
