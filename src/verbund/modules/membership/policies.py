"""Who may do what in membership."""

from enum import StrEnum

from django.db.models import QuerySet

from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role

from .models import Member, ServiceAgreement, ServiceVersion


class Permission(StrEnum):
    """Permissions (Berechtigungen) of this room."""

    READ_MEMBERS = "membership.read_members"
    REGISTER_BODY = "membership.register_body"
    SWITCH_ROOMS = "membership.switch_rooms"
    READ_CATALOGUE = "membership.read_catalogue"
    MANAGE_CATALOGUE = "membership.manage_catalogue"
    MANAGE_AGREEMENTS = "membership.manage_agreements"
    PROVISION = "membership.provision"


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


# --- agreed services and making bodies ready
policy.grant(
    {
        Role.ALLIANCE_MANAGER: {
            Permission.READ_CATALOGUE,
            Permission.MANAGE_CATALOGUE,
            Permission.MANAGE_AGREEMENTS,
            Permission.PROVISION,
        },
        Role.OPERATOR: {Permission.READ_CATALOGUE, Permission.PROVISION},
        Role.AUDITOR: {Permission.READ_CATALOGUE},
    }
)


def visible_service_versions(actor: Actor) -> QuerySet[ServiceVersion]:
    """The catalogue of services: no secret to those who may read it, and it stands in the alliance only."""
    if not policy.allows(actor, Permission.READ_CATALOGUE):
        return ServiceVersion.objects.none()
    return ServiceVersion.objects.all()


def visible_agreements(actor: Actor) -> QuerySet[ServiceAgreement]:
    """The agreements of the members `actor` may see."""
    return ServiceAgreement.objects.filter(member__in=visible_members(actor))
