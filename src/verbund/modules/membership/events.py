"""What happened in membership."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class BodyRegistered:
    """A body (Körperschaft) was entered in the alliance's list of members."""

    member_id: UUID
    schema_name: str


@dataclass(frozen=True, slots=True)
class RoomsSwitched:
    """The rooms (freigeschaltete Verfahren) of a member changed."""

    member_id: UUID
    schema_name: str
    rooms: tuple[str, ...]
