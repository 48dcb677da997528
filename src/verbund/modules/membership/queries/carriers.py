"""Reads: who carries the alliance, when, and as known when."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Q, QuerySet, Value

from verbund.modules.membership.models import CarrierPeriod as CarrierRow
from verbund.modules.membership.models import (
    LegalParameter,
    ParameterKey,
    ParameterNotSet,
    ShareCapital,
    in_force,
    overlapping,
)
from verbund.modules.membership.policies import Permission, visible_carrier_periods
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor


@dataclass(frozen=True, slots=True)
class CarrierFacts:
    """CarrierFacts (Träger): a carrier on a day; `valid_until` is the last day, None means open."""

    member_id: UUID
    name: str
    share_cents: int
    seats: int
    valid_from: date
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class CarrierPeriod:
    """CarrierPeriod (Trägerschaft): a member's share and seats between two days, both included."""

    member_id: UUID
    valid_from: date
    valid_until: date | None
    share_cents: int
    seats: int


@dataclass(frozen=True, slots=True)
class CapitalFacts:
    """CapitalFacts (Stammkapital): the total of the shares, the size of the board and its chair on a day."""

    total_cents: int
    board_size: int
    chair_id: UUID


def recorded(known_at: datetime | Value | None) -> Q:
    """What stands here now, or stood here at that moment."""
    if known_at is None:
        return Q(recorded_until__isnull=True)
    return Q(recorded_at__lte=known_at) & (Q(recorded_until__isnull=True) | Q(recorded_until__gt=known_at))


def carriers_on(actor: Actor, day: date, *, known_at: datetime | None = None) -> list[CarrierFacts]:
    """The carriers on `day` by name, as known now or at `known_at`; nobody for an actor who may not see them."""
    rows = visible_carrier_periods(actor).filter(in_force(day), recorded(known_at)).select_related("member")
    return [
        CarrierFacts(r.member_id, r.member.name, r.share_cents, r.seats, r.valid_from, r.valid_until)
        for r in rows.order_by("member__name", "member_id")
    ]


def carriers_between(actor: Actor, *, start: date, end: date, known_at: datetime | None = None) -> list[CarrierPeriod]:
    """The carriers' periods that touch the days from `start` to `end`, both included (M8)."""
    rows = visible_carrier_periods(actor).filter(overlapping(start, end), recorded(known_at))
    return [
        CarrierPeriod(r.member_id, r.valid_from, r.valid_until, r.share_cents, r.seats)
        for r in rows.order_by("member_id", "valid_from")
    ]


def carrier_history(actor: Actor, member_id: UUID) -> QuerySet[CarrierRow]:
    """Everything ever recorded about a member as a carrier, what was corrected included."""
    return visible_carrier_periods(actor).filter(member_id=member_id).order_by("valid_from", "recorded_at")


def capital_on(actor: Actor, day: date, *, known_at: datetime | None = None) -> CapitalFacts | None:
    """Share capital and board on `day`; None before the founding.

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.READ_ACCESSIONS)
    row = ShareCapital.objects.filter(in_force(day), recorded(known_at)).first()
    return None if row is None else CapitalFacts(row.total_cents, row.board_size, row.chair_id)


def new_carrier_share(actor: Actor, day: date) -> int | None:
    """The share in cents that is set for new carriers on `day`; None if nothing is set.

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.READ_ACCESSIONS)
    try:
        return LegalParameter.value_on(ParameterKey.NEW_CARRIER_CAPITAL, day)
    except ParameterNotSet:
        return None
