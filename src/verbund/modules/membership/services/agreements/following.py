"""Writes: the members' rooms follow what is agreed for the day."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from verbund.modules.membership.models import Member
from verbund.modules.membership.policies import Permission, visible_agreements, visible_members
from verbund.modules.membership.queries.agreements import agreed_rooms
from verbund.modules.membership.services.members import MemberNotFound, switch_rooms
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import local_date

from .entering import in_alliance


def follow_agreements(actor: Actor, *, now: datetime) -> int:
    """Switch every member's rooms to what is agreed for today; returns how many members changed. Run daily.

    Members whose first agreement has not begun keep what was switched on for them by hand.

    Raises:
        policy.Denied, NotTheAlliance.
    """
    policy.require(actor, Permission.SWITCH_ROOMS)
    in_alliance()
    changed = 0
    begun = visible_agreements(actor).filter(valid_from__lte=local_date(now))
    for member_id in sorted(set(begun.values_list("member_id", flat=True))):
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
    """Switch the rooms of one member to today's agreements, those in their time of handing over included."""
    if not member.schema_name or member.schema_name == actor.body:
        return False
    today = local_date(now)
    if not member.agreements.filter(valid_from__lte=today).exists():
        return False
    handing_over = timedelta(days=settings.VERBUND_HANDOVER_DAYS)
    system = Actor.system(actor.body, "membership.agreements", actor.request_id)
    there = agreed_rooms(system, start=today - handing_over, end=today, members=[member.id])
    wanted = sorted(there.get(member.id, frozenset()))
    if wanted == list(member.rooms):
        return False
    switch_rooms(system, member_id=member.id, rooms=wanted, expected_version=member.version, now=now)
    return True
