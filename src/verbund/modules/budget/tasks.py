"""Timed work of the budget room, run once per body."""

from verbund.platform.identity.actor import Actor

from . import services


def fold_totals(actor: Actor) -> None:
    """Every few minutes: keep the monthly totals close behind the journal."""
    services.fold_totals(actor)
