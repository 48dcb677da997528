"""Timed work of cost sharing, run once per body."""

from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import now

from . import services


def report_usage(actor: Actor) -> None:
    """On the first of each month: tell the alliance what the body used."""
    services.report_usage(actor, now=now())
