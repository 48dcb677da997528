"""Counting use in each body, and telling the alliance: counts only, nothing of a person."""

from datetime import datetime

from django.db import transaction

from verbund.modules.costsharing.events import UsageMeasured
from verbund.modules.costsharing.models.days import ONE_DAY
from verbund.modules.costsharing.policies import Permission
from verbund.modules.records import queries as records
from verbund.platform import audit, events
from verbund.platform.identity import policy
from verbund.platform.identity import queries as identity
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import current_body, local_date
from verbund.platform.tenancy.models import Body


@transaction.atomic
def report_usage(actor: Actor, *, now: datetime) -> UsageMeasured | None:
    """Count what the body uses (Zählung) and tell it to the alliance for the month that has just ended.

    The alliance takes a month once, so telling it again is harmless. None in the alliance itself, or without one.

    Raises:
        policy.Denied (anybody but the platform's own job).
    """
    policy.require(actor, Permission.COUNT_USE, when=actor.is_system)
    body = current_body()
    alliance = Body.objects.filter(is_alliance=True).values_list("schema_name", flat=True).first()
    if body.is_alliance or alliance is None:
        return None
    month = (local_date(now).replace(day=1) - ONE_DAY).replace(day=1)
    access, kept = identity.usage(actor, now=now), records.usage(actor)
    event = UsageMeasured(
        schema_name=body.schema_name,
        month=month,
        people=access.people,
        mailboxes=access.mailboxes,
        cases=kept.cases,
        documents=kept.documents,
        stored_bytes=kept.stored_bytes,
    )
    events.publish(actor, event, to_body=alliance)
    audit.record(
        actor,
        "costsharing.usage.reported",
        "tenancy.body",
        body.schema_name,
        after={"month": month.isoformat(), "people": event.people, "documents": event.documents},
    )
    return event
