"""Writing the timeline of a case."""

from datetime import datetime

from verbund.modules.records.models import Case, TimelineEntry, TimelineKind
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import new_id, rows


def timeline_entry(
    actor: Actor,
    case: Case,
    kind: TimelineKind,
    now: datetime,
    *,
    text: str = "",
    values: dict[str, str] | None = None,
    visible_to_party: bool = False,
) -> TimelineEntry:
    """An entry of the timeline, not yet written."""
    return rows.new(
        TimelineEntry,
        id=new_id(),
        case_id=case.id,
        at=now,
        kind=kind,
        actor_id=actor.id,
        actor_name=actor.name[:200],
        text=text,
        values=values or {},
        visible_to_party=visible_to_party,
    )


def add_to_timeline(
    actor: Actor,
    case: Case,
    kind: TimelineKind,
    now: datetime,
    *,
    text: str = "",
    values: dict[str, str] | None = None,
    visible_to_party: bool = False,
) -> TimelineEntry:
    """Write an entry of the timeline."""
    entry = timeline_entry(actor, case, kind, now, text=text, values=values, visible_to_party=visible_to_party)
    entry.save(force_insert=True)
    return entry
