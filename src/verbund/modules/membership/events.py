"""What happened in membership."""

from dataclasses import dataclass
from datetime import date
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


@dataclass(frozen=True, slots=True)
class ServiceAgreed:
    """A service was agreed with a member (Leistung vereinbart); `valid_until` is the last day, None for open."""

    agreement_id: UUID
    member_id: UUID
    service_code: str
    valid_from: date
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class AgreementEnded:
    """An agreement ends (Vereinbarung beendet); `last_day` is the last one on which the service is rendered."""

    agreement_id: UUID
    member_id: UUID
    service_code: str
    last_day: date
