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


@dataclass(frozen=True, slots=True)
class AccessionOpened:
    """An accession was opened (Beitrittsverfahren eröffnet)."""

    accession_id: UUID
    member_id: UUID


@dataclass(frozen=True, slots=True)
class ContractVersionPut:
    """A version of the contract lies before all parties (Vertragsfassung vorgelegt); earlier consents have fallen."""

    accession_id: UUID
    number: int
    sha256: str


@dataclass(frozen=True, slots=True)
class AccessionCleared:
    """From `cleared_on` on legal acts may be executed (Unbedenklichkeit, § 77 (1) KV M-V)."""

    accession_id: UUID
    member_id: UUID
    cleared_on: date


@dataclass(frozen=True, slots=True)
class AccessionEffective:
    """The accession has taken effect (Beitritt wirksam): the member is a carrier from this day on."""

    accession_id: UUID
    member_id: UUID
    effective_on: date


@dataclass(frozen=True, slots=True)
class MemberLeft:
    """A member has left (Austritt vollzogen); `exit_on` was its last day as a carrier."""

    member_id: UUID
    exit_on: date


@dataclass(frozen=True, slots=True)
class FirstPerson:
    """FirstPerson (erste Person): somebody who is to work for a new body; `role` is an identity role's value."""

    email: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class TenantWished:
    """A tenant is to be founded (Mandant gewünscht); heard by the alliance itself."""

    provisioning_id: UUID


@dataclass(frozen=True, slots=True)
class BodyPrepared:
    """A new body has its tenant (Mandant eingerichtet); addressed to it: `part` is what a room there is to do now.

    `alliance` is the schema to which the room answers with `RoomPrepared`.
    """

    provisioning_id: UUID
    alliance: str
    part: str
    name: str
    people: tuple[FirstPerson, ...] = ()
    ledger: str = ""
    templates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RoomPrepared:
    """A room of a new body has done its part (Verfahren eingerichtet); `problem` says why not. For the alliance."""

    provisioning_id: UUID
    schema_name: str  # the sender's own: no body speaks for another
    part: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class MemberProvisioned:
    """A member's body is ready to work (bereitgestellt)."""

    member_id: UUID
    schema_name: str
