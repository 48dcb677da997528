"""Events that cross (Ereignisse zwischen Körperschaften): which may go from body to body, and which way.

The wiring lists them. `publish` asks before it writes, and the worker asks again before it lets anybody hear: whoever
writes jobs with statements of their own comes no further than this list, under the name of their own role.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string


class Way(Enum):
    """From whom to whom."""

    FROM_ALLIANCE = "from the alliance to any body"
    TO_ALLIANCE = "from any body to the alliance"
    ANY = "from any body to any other"


@dataclass(frozen=True, slots=True)
class Crossing:
    """Crossing (Übermittlung): the way, and the field of the event that must name the sender's schema, if any."""

    way: Way
    names_sender: str = ""


class MayNotCross(Exception):  # noqa: N818 - says what is wrong
    """This event may not go from this body to that one."""


@cache
def crossings() -> Mapping[type[Any], Crossing]:
    """The table of `config/wiring.py`."""
    table: Mapping[type[Any], Crossing] = import_string(settings.EVENT_CROSSINGS)
    return table


def check(event: Any, *, sender: str, body: str) -> None:
    """Let pass what stays in its body, and what the wiring lets cross.

    Raises:
        MayNotCross
    """
    if sender == body:
        return
    crossing = crossings().get(type(event))
    if crossing is None:
        raise MayNotCross(f"{type(event).__name__} stays in its body: {sender} -> {body}")
    if crossing.names_sender and getattr(event, crossing.names_sender) != sender:
        raise MayNotCross(f"{type(event).__name__} names another sender than {sender}")
    from verbund.platform.tenancy.models import Body

    end = {Way.FROM_ALLIANCE: sender, Way.TO_ALLIANCE: body}.get(crossing.way)
    if end is not None and not Body.objects.filter(schema_name=end, is_alliance=True).exists():
        raise MayNotCross(f"{type(event).__name__} goes {crossing.way.value}: {sender} -> {body}")
