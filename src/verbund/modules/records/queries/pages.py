"""Pages of long lists, by key and never by offset."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, TypeVar
from uuid import UUID

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Page (Seite): rows, and the key with which the next page begins (None on the last)."""

    rows: tuple[T, ...]
    next: str | None


def date_key(at: datetime | date, row_id: UUID) -> str:
    """The key of a row in a list ordered by an instant (or date) and id."""
    return f"{at.isoformat()}~{row_id}"


def read_instant_key(key: str | None) -> tuple[datetime, UUID] | None:
    """The instant and id of a key; None for none and for one that nobody here has given out."""
    parts = (key or "").split("~")
    if len(parts) != 2:
        return None
    try:
        at, row_id = datetime.fromisoformat(parts[0]), UUID(parts[1])
    except ValueError:
        return None
    return None if at.tzinfo is None else (at, row_id)


def read_date_key(key: str | None) -> tuple[date, UUID] | None:
    """The date and id of a key; None for none and for one that nobody here has given out."""
    parts = (key or "").split("~")
    if len(parts) != 2:
        return None
    try:
        return date.fromisoformat(parts[0]), UUID(parts[1])
    except ValueError:
        return None
