"""Timed work of membership; it happens in the alliance alone."""

from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import clock, current_body

from . import services


def follow_agreements(actor: Actor) -> None:
    """Soon after midnight: switch the members' rooms to what is agreed for the day."""
    if current_body().is_alliance:
        services.follow_agreements(actor, now=clock.now())


def establish_due_clearances(actor: Actor) -> None:
    """Every night: establish that an authority's period is over."""
    if current_body().is_alliance:
        services.establish_due_clearances(actor, now=clock.now())


def remind_of_deadlines(actor: Actor) -> None:
    """Every morning: tell of deadlines ahead by mail."""
    if current_body().is_alliance:
        services.remind(actor, now=clock.now())
