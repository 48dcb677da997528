"""Timed work of the store."""

import structlog

from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import clock

from .services import sweep

log = structlog.get_logger("verbund.files")


def sweep_files(actor: Actor) -> None:
    """Remove the body's contents that no row names; nightly is often enough."""
    swept = sweep(now=clock.now())
    log.info("files swept", body=actor.body, contents=swept.contents, staged=swept.staged)
