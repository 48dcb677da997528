"""Reads of the catalogue of services and of what is agreed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Q

from verbund.modules.membership.models import ServiceAgreement, ServiceVersion
from verbund.modules.membership.policies import visible_agreements, visible_service_versions
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import NotFound


class AgreementNotFound(NotFound):
    """There is no such agreement the actor may see."""


class ServiceNotFound(NotFound):
    """The catalogue has no such service that the actor may see."""


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """ServiceFacts (Leistung): a service as it stands in the catalogue between two days, both included.

    `id` is the service's and stays over its versions; `valid_until` None means open.
    """

    id: UUID
    code: str
    name: str
    description: str
    level: str
    unit: str  # a MeasuredUnit
    price_basis: str  # a PriceBasis
    rooms: tuple[str, ...]
    valid_from: date
    valid_until: date | None
    version: int  # the service's, for who edits it

    @classmethod
    def of(cls, version: ServiceVersion) -> "ServiceFacts":
        """A version's row, with its service, as values."""
        return cls(
            id=version.service_id,
            code=version.service.code,
            name=version.name,
            description=version.description,
            level=version.level,
            unit=version.unit,
            price_basis=version.price_basis,
            rooms=tuple(version.rooms),
            valid_from=version.valid_from,
            valid_until=version.valid_until,
            version=version.service.version,
        )


@dataclass(frozen=True, slots=True)
class AgreementFacts:
    """AgreementFacts (Leistungsvereinbarung): who uses which service between two days, both included."""

    id: UUID
    member_id: UUID
    service_id: UUID
    service_code: str
    valid_from: date
    valid_until: date | None
    as_carrier: bool
    quantity_limit: int | None
    basis: str
    end_reason: str
    version: int

    @classmethod
    def of(cls, agreement: ServiceAgreement) -> "AgreementFacts":
        """An agreement's row, with its service, as values."""
        return cls(
            id=agreement.id,
            member_id=agreement.member_id,
            service_id=agreement.service_id,
            service_code=agreement.service.code,
            valid_from=agreement.valid_from,
            valid_until=agreement.valid_until,
            as_carrier=agreement.as_carrier,
            quantity_limit=agreement.quantity_limit,
            basis=agreement.basis,
            end_reason=agreement.end_reason,
            version=agreement.version,
        )


def overlapping(start: date, end: date) -> Q:
    """The condition that a row's days and those from `start` to `end` (both included) share one."""
    return Q(valid_from__lte=end) & (Q(valid_until__isnull=True) | Q(valid_until__gte=start))


def services_on(actor: Actor, day: date) -> list[ServiceFacts]:
    """The catalogue (Leistungskatalog) as it is in force on a day, by code; empty for those who may not see it."""
    rows = visible_service_versions(actor).filter(overlapping(day, day)).select_related("service")
    return [ServiceFacts.of(row) for row in rows.order_by("service__code")]


def service_versions(actor: Actor, code: str) -> list[ServiceFacts]:
    """All versions of a service, the oldest first; empty when there is none the actor may see."""
    rows = visible_service_versions(actor).filter(service__code=code).select_related("service")
    return [ServiceFacts.of(row) for row in rows.order_by("valid_from")]


def agreements(actor: Actor, *, start: date, end: date, member_id: UUID | None = None) -> list[AgreementFacts]:
    """The agreements in force on any day from `start` to `end` (both included), by member, service and day."""
    rows = visible_agreements(actor).filter(overlapping(start, end)).select_related("service")
    if member_id is not None:
        rows = rows.filter(member_id=member_id)
    return [AgreementFacts.of(row) for row in rows.order_by("member_id", "service__code", "valid_from")]


def agreements_of(actor: Actor, member_id: UUID) -> list[AgreementFacts]:
    """Everything ever agreed with a member, the newest first."""
    rows = visible_agreements(actor).filter(member_id=member_id).select_related("service")
    return [AgreementFacts.of(row) for row in rows.order_by("-valid_from", "service__code")]


def agreement(actor: Actor, agreement_id: UUID) -> AgreementFacts:
    """One agreement.

    Raises:
        AgreementNotFound: also for an actor who may not see it.
    """
    row = visible_agreements(actor).filter(id=agreement_id).select_related("service").first()
    if row is None:
        raise AgreementNotFound
    return AgreementFacts.of(row)


@dataclass(frozen=True, slots=True)
class RoomEnd:
    """RoomEnd (letzter Tag eines Verfahrens): the last day on which a member has a room by its agreements; `by_exit`
    when it had it as a carrier and is none any more."""

    last: date
    by_exit: bool


def room_ends(
    actor: Actor, member_id: UUID, *, start: date, end: date, carrier_until: date | None
) -> dict[str, RoomEnd]:
    """The last day of each room that a member has by its agreements on any day from `start` to `end`, both included.

    What was agreed as a carrier ends with `carrier_until`, the last day as one, if it is not agreed after that.
    """
    agreed = visible_agreements(actor).filter(overlapping(start, end), member_id=member_id)
    versions: dict[UUID, list[ServiceVersion]] = {}
    for version in visible_service_versions(actor).filter(
        overlapping(start, end), service_id__in={row.service_id for row in agreed}
    ):
        versions.setdefault(version.service_id, []).append(version)
    ends: dict[str, RoomEnd] = {}
    for row in agreed:
        until, by_exit = row.valid_until or end, False
        if row.as_carrier and carrier_until is not None and row.valid_from <= carrier_until < until:
            until, by_exit = carrier_until, True
        for version in versions.get(row.service_id, []):
            last = min(end, until, version.valid_until or end)
            if max(start, row.valid_from, version.valid_from) > last:
                continue
            for room in version.rooms:
                if room not in ends or ends[room].last < last:
                    ends[room] = RoomEnd(last, by_exit and last == carrier_until)
    return ends


def agreed_rooms(actor: Actor, *, start: date, end: date, members: Iterable[UUID] = ()) -> dict[UUID, frozenset[str]]:
    """The rooms (Verfahren) each member has by its agreements on any day from `start` to `end` (both included).

    A service counts with the version in force on those days. Members without any agreement are left out.
    """
    wanted = list(members)
    rows = visible_agreements(actor).filter(overlapping(start, end))
    if wanted:
        rows = rows.filter(member_id__in=wanted)
    agreed = list(rows.values_list("member_id", "service_id", "valid_from", "valid_until"))
    versions: dict[UUID, list[ServiceVersion]] = {}
    for version in visible_service_versions(actor).filter(
        overlapping(start, end), service_id__in={service for _m, service, _f, _u in agreed}
    ):
        versions.setdefault(version.service_id, []).append(version)
    rooms: dict[UUID, set[str]] = {}
    for member, service, since, until in agreed:
        own = rooms.setdefault(member, set())
        for version in versions.get(service, []):
            first = max(start, since, version.valid_from)
            last = min(end, until or end, version.valid_until or end)
            if first <= last:
                own.update(version.rooms)
    return {member: frozenset(own) for member, own in rooms.items()}
