"""Timed work of identity, once per body."""

from verbund.platform.tenancy import now

from . import services
from .actor import Actor


def tidy_up(actor: Actor) -> None:
    """Nightly: close the accounts whose time is over, delete spent sessions, links and counters."""
    services.tidy_up(actor, now=now())


def forget_answers(actor: Actor) -> None:
    """Nightly: delete what was kept for repeated requests of machines."""
    services.forget_answers(actor, now=now())
