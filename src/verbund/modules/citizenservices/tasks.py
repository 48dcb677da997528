"""Timed work; entered in `config/wiring.py`."""

from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import now

from . import services


def delete_expired_drafts(actor: Actor) -> None:
    """Every night: delete the drafts whose time is over."""
    services.delete_expired_drafts(actor, now=now())
