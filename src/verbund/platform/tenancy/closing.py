"""Closed rooms (nur noch lesbare Verfahren): a room whose agreement has ended is read by its body, written by nobody.

What refuses is PostgreSQL: the body's role has no right to write the tables of a closed room, whoever asks - a page, a
key of the interface, a job, or SQL of one's own. Before it the pages and the interface say so in words; after it they
translate the refusal. Sessions, people, audit and stored files are the platform's tables and stay open: who may read
must sign in, and what is read is still recorded.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypeVar

from django.db import ProgrammingError

AGREEMENT_ENDED: Final = "agreement_ended"
LEFT: Final = "left"
_REFUSED: Final = re.compile(r"permission denied for (?:table|relation) (\w+)")
_View = TypeVar("_View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class ClosedRoom:
    """ClosedRoom (nur noch lesbares Verfahren): since when, until when it can be read (None: until the data is
    erased), and why: `agreement_ended` or `left`."""

    since: date
    until: date | None
    why: str

    def plain(self) -> dict[str, str]:
        """As it stands in the body's row."""
        return {"since": self.since.isoformat(), "until": self.until.isoformat() if self.until else "", "why": self.why}


class RoomClosed(Exception):  # noqa: N818 - says what is wrong
    """A piece of work would write in a room that its body may only read."""


def closed_of(row: Mapping[str, Mapping[str, str]]) -> dict[str, ClosedRoom]:
    """The closed rooms of a body's row."""
    return {
        room: ClosedRoom(
            date.fromisoformat(facts["since"]),
            date.fromisoformat(facts["until"]) if facts["until"] else None,
            facts["why"],
        )
        for room, facts in row.items()
    }


def closed_now(schema_name: str) -> dict[str, ClosedRoom]:
    """The closed rooms of a body as its row says at this moment, not as a process has kept it."""
    from .models import Body

    row = Body.objects.filter(schema_name=schema_name).values_list("closed", flat=True).first()
    return closed_of(row or {})


def room_of(module: str) -> str:
    """The room that a module belongs to, "" for the platform's."""
    parts = module.split(".")
    return parts[2] if parts[:2] == ["verbund", "modules"] else ""


def room_refused(error: BaseException, schema_name: str) -> str:
    """The closed room whose table PostgreSQL has refused to write, "" for any other error."""
    cause = error.__cause__
    if not isinstance(error, ProgrammingError) or getattr(cause, "sqlstate", "") != "42501":
        return ""
    found = _REFUSED.search(str(cause))
    table = found.group(1) if found else ""
    return next((room for room in closed_now(schema_name) if table.startswith(f"{room}_")), "")


def only_reads(view: _View) -> _View:
    """Mark a view that takes a form and writes nothing of its room: it stays open when the room is closed."""
    view.only_reads = True  # type: ignore[attr-defined]
    return view
