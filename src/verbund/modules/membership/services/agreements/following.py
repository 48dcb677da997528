"""Writes: the members' rooms follow what is agreed for the day, and what has ended stays readable for a time."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from verbund.modules.membership.models import CarrierPeriod, Leaving, LeavingState, Member, in_force
from verbund.modules.membership.policies import Permission, visible_agreements, visible_leavings, visible_members
from verbund.modules.membership.queries.agreements import RoomEnd, room_ends
from verbund.modules.membership.services.members import MemberNotFound, switch_rooms
from verbund.platform import audit
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import local_date
from verbund.platform.tenancy.bodies import close_rooms
from verbund.platform.tenancy.closing import AGREEMENT_ENDED, LEFT, ClosedRoom, closed_now

from .entering import in_alliance


def follow_agreements(actor: Actor, *, now: datetime) -> int:
    """Switch every member's rooms to what is agreed for today; returns how many members changed. Run daily.

    Members whose first agreement has not begun keep what was switched on for them by hand, as long as they stay.

    Raises:
        policy.Denied, NotTheAlliance.
    """
    policy.require(actor, Permission.SWITCH_ROOMS)
    in_alliance()
    changed = 0
    begun = visible_agreements(actor).filter(valid_from__lte=local_date(now)).values_list("member_id", flat=True)
    leaving = visible_leavings(actor).filter(exit_on__lt=local_date(now)).values_list("member_id", flat=True)
    for member_id in sorted({*begun, *leaving}):
        with transaction.atomic():
            member = visible_members(actor).select_for_update().get(id=member_id)
            changed += follow(actor, member, now)
    return changed


@transaction.atomic
def follow_one(actor: Actor, *, member_id: UUID, now: datetime) -> bool:
    """Switch one member's rooms to what is agreed for today; whether anything changed.

    Raises:
        policy.Denied, NotTheAlliance, MemberNotFound.
    """
    policy.require(actor, Permission.READ_MEMBERS)
    in_alliance()
    member = visible_members(actor).select_for_update().filter(id=member_id).first()
    if member is None:
        raise MemberNotFound
    return follow(actor, member, now)


def follow(actor: Actor, member: Member, now: datetime) -> bool:
    """Switch the rooms of one member to today's agreements. A room whose agreement has ended is read-only for
    VERBUND_HANDOVER_DAYS, one of a carrier that has left until its data is erased; then it is gone."""
    if not member.schema_name or member.schema_name == actor.body:
        return False
    today = local_date(now)
    out = _way_out(member, today)
    begun = member.agreements.filter(valid_from__lte=today).exists()
    if not begun and out is None:
        return False
    system = Actor.system(actor.body, "membership.agreements", actor.request_id)
    handing_over = timedelta(days=settings.VERBUND_HANDOVER_DAYS)
    if begun:
        start = min(today - handing_over, out.exit_on if out else today)
        exit_on = out.exit_on if out else None
        ends = room_ends(system, member.id, start=start, end=today, carrier_until=exit_on)
    else:  # switched on by hand: with the way out all of it ends
        assert out is not None
        ends = {room: RoomEnd(out.exit_on, by_exit=True) for room in member.rooms}
    there = closed_now(member.schema_name)
    closed = {room: facts for room, facts in there.items() if ends.get(room, _NEVER).last != today}
    readable = set()
    for room, end in ends.items():
        if end.last == today:
            readable.add(room)
            continue
        until = None if end.by_exit else end.last + handing_over
        if (out is not None and out.erased_on is None) if end.by_exit else end.last + handing_over >= today:
            readable.add(room)
        closed[room] = ClosedRoom(end.last + timedelta(days=1), until, LEFT if end.by_exit else AGREEMENT_ENDED)
    return _switch(system, member, sorted(readable), there, closed, now)


_NEVER = RoomEnd(date.min, by_exit=False)


def _way_out(member: Member, today: date) -> Leaving | None:
    """The leaving whose last day has passed, unless the member has become a carrier again since."""
    if CarrierPeriod.objects.filter(in_force(today), recorded_until__isnull=True, member=member).exists():
        return None
    rows = Leaving.objects.filter(member=member, exit_on__lt=today)
    return rows.exclude(state=LeavingState.WITHDRAWN).order_by("-exit_on").first()


def _switch(
    system: Actor,
    member: Member,
    rooms: list[str],
    before: Mapping[str, ClosedRoom],
    closed: Mapping[str, ClosedRoom],
    now: datetime,
) -> bool:
    changed = rooms != list(member.rooms)
    if changed:
        switch_rooms(system, member_id=member.id, rooms=rooms, expected_version=member.version, now=now)
    assert member.schema_name is not None
    if close_rooms(member.schema_name, closed):
        changed = True
        audit.record(
            system,
            "membership.rooms.closed",
            "membership.member",
            member.id,
            before={room: facts.plain() for room, facts in before.items()},
            after={room: facts.plain() for room, facts in closed.items()},
        )
    return changed
