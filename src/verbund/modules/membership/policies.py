"""Who may do what in membership."""

from enum import StrEnum
from typing import Final

from django.db.models import Exists, OuterRef, Q, QuerySet

from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role

from .models import (
    Accession,
    BoardMeeting,
    CarrierPeriod,
    ContractText,
    Leaving,
    MeetingForm,
    Member,
    Provisioning,
    ServiceAgreement,
    ServiceVersion,
    TakeOverTask,
)


class Permission(StrEnum):
    """Permissions (Berechtigungen) of this room."""

    READ_MEMBERS = "membership.read_members"
    REGISTER_BODY = "membership.register_body"
    SWITCH_ROOMS = "membership.switch_rooms"
    READ_CATALOGUE = "membership.read_catalogue"
    MANAGE_CATALOGUE = "membership.manage_catalogue"
    MANAGE_AGREEMENTS = "membership.manage_agreements"
    PROVISION = "membership.provision"
    PREPARE_BODY = "membership.prepare_body"  # the system actor alone, in the new body
    MANAGE_MEMBERS = "membership.manage_members"
    READ_ACCESSIONS = "membership.read_accessions"
    MANAGE_ACCESSIONS = "membership.manage_accessions"
    DECIDE_FOR_MEMBER = "membership.decide_for_member"
    SUBSCRIBE_CALENDAR = "membership.subscribe_calendar"
    WRITE_CLAUSES = "membership.write_clauses"
    REVIEW_CLAUSES = "membership.review_clauses"  # never one's own
    MANAGE_TRUST = "membership.manage_trust"
    READ_BOARD = "membership.read_board"
    MANAGE_BOARD = "membership.manage_board"
    SEND_REMINDERS = "membership.send_reminders"  # the system actor alone


policy.grant(
    {
        Role.ALLIANCE_MANAGER: {Permission.READ_MEMBERS, Permission.REGISTER_BODY, Permission.SWITCH_ROOMS},
        Role.OPERATOR: {Permission.READ_MEMBERS},
        Role.AUDITOR: {Permission.READ_MEMBERS},
    }
)


# Whoever holds none of these sees what concerns the members they speak for.
SEES_ALL_MEMBERS: Final = (
    Role.ALLIANCE_MANAGER,
    Role.AUDITOR,
    Role.BOARD_MEMBER,
    Role.COST_CONTROLLER,
    Role.OPERATOR,
)


def sees_all_members(actor: Actor) -> bool:
    """Whether the actor's sight is not confined to the members it speaks for."""
    return actor.is_system or actor.holds(*SEES_ALL_MEMBERS)


def visible_members(actor: Actor) -> QuerySet[Member]:
    """The members `actor` may see: all of them in the alliance's own body, none anywhere else; a representative sees
    the members it speaks for."""
    if not policy.allows(actor, Permission.READ_MEMBERS):
        return Member.objects.none()
    if sees_all_members(actor):
        return Member.objects.all()
    return Member.objects.filter(slug__in=actor.units)


# --- accessions, carriers, deadlines
_READ = {Permission.READ_MEMBERS, Permission.READ_ACCESSIONS, Permission.SUBSCRIBE_CALENDAR}

policy.grant(
    {
        Role.ALLIANCE_MANAGER: {
            *_READ,
            Permission.MANAGE_MEMBERS,
            Permission.MANAGE_ACCESSIONS,
            Permission.DECIDE_FOR_MEMBER,
        },
        Role.AUDITOR: _READ,
        Role.BOARD_MEMBER: _READ,
        Role.COST_CONTROLLER: {Permission.READ_MEMBERS, Permission.READ_ACCESSIONS},
        Role.MEMBER_REPRESENTATIVE: {*_READ, Permission.DECIDE_FOR_MEMBER},
    }
)


def may_decide_for(actor: Actor, member: Member) -> bool:
    """The alliance's management records anybody's resolution; a representative that of the member it speaks for."""
    return actor.is_system or actor.holds(Role.ALLIANCE_MANAGER) or member.slug in actor.units


def visible_accessions(actor: Actor) -> QuerySet[Accession]:
    """All accessions; for a representative those of the own member, and those its member has to decide on."""
    if not policy.allows(actor, Permission.READ_ACCESSIONS):
        return Accession.objects.none()
    if sees_all_members(actor):
        return Accession.objects.all()
    own = Member.objects.filter(slug__in=actor.units).values("id")
    return Accession.objects.filter(
        Q(member__in=own) | Q(id__in=Accession.objects.filter(drafts__consents__party__in=own).values("id"))
    )


def visible_leavings(actor: Actor) -> QuerySet[Leaving]:
    """The leavings of the members `actor` may see."""
    if not policy.allows(actor, Permission.READ_ACCESSIONS):
        return Leaving.objects.none()
    return Leaving.objects.filter(member__in=visible_members(actor))


def visible_carrier_periods(actor: Actor) -> QuerySet[CarrierPeriod]:
    """Who carries the alliance: public knowledge for those who work in it, and no secret among the carriers."""
    if not policy.allows(actor, Permission.READ_ACCESSIONS):
        return CarrierPeriod.objects.none()
    return CarrierPeriod.objects.all()


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
        Role.BOARD_MEMBER: {Permission.READ_CATALOGUE},
        Role.COST_CONTROLLER: {Permission.READ_CATALOGUE},
        Role.MEMBER_REPRESENTATIVE: {Permission.READ_CATALOGUE},
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


def visible_provisionings(actor: Actor) -> QuerySet[Provisioning]:
    """How far the bodies of the members `actor` may see have come."""
    return Provisioning.objects.filter(member__in=visible_members(actor))


def visible_take_over_tasks(actor: Actor) -> QuerySet[TakeOverTask]:
    """The plans of taking over the members `actor` may see."""
    return TakeOverTask.objects.filter(member__in=visible_members(actor))


# --- the contract
policy.grant(
    {
        Role.ALLIANCE_MANAGER: {
            Permission.WRITE_CLAUSES,
            Permission.REVIEW_CLAUSES,
            Permission.MANAGE_TRUST,
            Permission.MANAGE_BOARD,
        },
        Role.BOARD_MEMBER: {Permission.REVIEW_CLAUSES},
    }
)


def visible_contract_texts(actor: Actor) -> QuerySet[ContractText]:
    """The texts of the accessions `actor` may see; a representative sees those that were put before the parties."""
    texts = ContractText.objects.filter(accession__in=visible_accessions(actor))
    return texts if sees_all_members(actor) else texts.filter(final__isnull=False)


# --- the administrative board
policy.grant(
    {
        Role.ALLIANCE_MANAGER: {Permission.READ_BOARD},
        Role.AUDITOR: {Permission.READ_BOARD},
        Role.BOARD_MEMBER: {Permission.READ_BOARD},
        Role.MEMBER_REPRESENTATIVE: {Permission.READ_BOARD},
    }
)


def visible_meetings(actor: Actor) -> QuerySet[BoardMeeting]:
    """All meetings; for a representative those on whose day a member it speaks for carries the alliance."""
    if not policy.allows(actor, Permission.READ_BOARD):
        return BoardMeeting.objects.none()
    if sees_all_members(actor):
        return BoardMeeting.objects.all()
    day = OuterRef("held_on")
    carries = CarrierPeriod.objects.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gte=day),
        member__slug__in=actor.units,
        recorded_until__isnull=True,
        valid_from__lte=day,
    )
    return BoardMeeting.objects.filter(Exists(carries))


def sees_votes_of(actor: Actor, member: Member) -> bool:
    """Votes, instructions and exclusions are seen by those who work for the board, and by the carrier they are of."""
    return sees_all_members(actor) or member.slug in actor.units


def may_vote_for(actor: Actor, member: Member, form: str) -> bool:
    """In a meeting the management keeps the minutes and records the votes; in the written procedure a representative
    casts those of the carrier it speaks for."""
    if actor.is_system or actor.holds(Role.ALLIANCE_MANAGER):
        return True
    return form == MeetingForm.WRITTEN and may_decide_for(actor, member)
