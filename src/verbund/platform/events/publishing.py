"""Telling an event: one job per hearer, in the transaction of the deed."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string
from psycopg.types.json import Jsonb

from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import new_id, rows
from verbund.platform.tenancy.context import connection

from . import crossing
from .values import to_values

Hearer = Callable[[Actor, Any], None]


@cache
def hearers() -> Mapping[type[Any], tuple[Hearer, ...]]:
    """The table of `config/wiring.py`."""
    table: Mapping[type[Any], tuple[Hearer, ...]] = import_string(settings.EVENT_HEARERS)
    return table


def hearers_of(event: Any) -> tuple[Hearer, ...]:
    """Who hears this event."""
    return hearers().get(type(event), ())


def name_of(thing: Any) -> str:
    """The dotted name of a hearer or an event's type."""
    return f"{thing.__module__}.{thing.__qualname__}"


def publish(actor: Actor, event: Any, to_body: str | None = None) -> UUID:
    """Tell `event` to its hearers in the actor's own body, or in `to_body` when it is addressed to another one.

    Returns the event's id. The database takes the sender from the role, and refuses another name.

    Raises:
        policy.Denied: when the actor is not of the body the connection works for.
        MayNotCross: the wiring does not let such an event go from here to there.
    """
    if actor.body != connection.schema_name:
        raise policy.Denied("events.publish")
    crossing.check(event, sender=actor.body, body=to_body or actor.body)
    event_id = new_id()
    heard_by = hearers_of(event)
    if heard_by:
        values = to_values(event)
        for hearer in heard_by:
            arguments = {
                "body": to_body or actor.body,
                "sender": actor.body,
                "hearer": name_of(hearer),
                "event": name_of(type(event)),
                "event_id": str(event_id),
                "values": values,
                "request_id": actor.request_id,
            }
            rows.call("public.verbund_defer(%s)", [Jsonb(arguments)])
    return event_id
