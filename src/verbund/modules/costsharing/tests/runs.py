"""Charge runs as the tests make them: proposed, and on their way to the release."""

from datetime import date
from typing import Any

from verbund.modules.costsharing import services
from verbund.modules.costsharing.models import ChargeLine
from verbund.platform.identity.actor import Actor

from .factories import NOW

YEAR = {"kind": "advance", "period_start": date(2025, 1, 1), "period_end": date(2025, 12, 31)}


def propose(actor: Actor, **changed: Any) -> services.RunRef:
    return services.propose_run(actor, now=NOW, **{**YEAR, **changed})


def through(controller: Actor, officer: Actor, manager: Actor, **changed: Any) -> Any:
    """A run proposed, checked and released."""
    run = propose(controller, **changed).id
    services.check_run(officer, run_id=run, now=NOW)
    services.release_run(manager, run_id=run, now=NOW)
    return run


def cents_of(run: Any) -> dict[str, int]:
    sums: dict[str, int] = {}
    for line in ChargeLine.objects.filter(run_id=run):
        sums[line.member_code] = sums.get(line.member_code, 0) + line.cents
    return sums
