"""Who may do what in membership."""

from enum import StrEnum

from django.db.models import QuerySet

from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role

from .models import Member


class Permission(StrEnum):
    """Permissions (Berechtigungen) of this room."""

    READ_MEMBERS = "membership.read_members"
    REGISTER_BODY = "membership.register_body"
    SWITCH_ROOMS = "membership.switch_rooms"


policy.grant(
    {
        Role.ALLIANCE_MANAGER: {Permission.READ_MEMBERS, Permission.REGISTER_BODY, Permission.SWITCH_ROOMS},
        Role.OPERATOR: {Permission.READ_MEMBERS},
        Role.AUDITOR: {Permission.READ_MEMBERS},
    }
)


def visible_members(actor: Actor) -> QuerySet[Member]:
    """The members `actor` may see: all of them in the alliance's own body, none anywhere else."""
    if not policy.allows(actor, Permission.READ_MEMBERS):
        return Member.objects.none()
    return Member.objects.all()
