"""What people may do with people, units and jobs; what of it can be seen at all."""

from enum import StrEnum
from uuid import UUID

from django.db.models import QuerySet

from verbund.platform.tenancy import current_body

from . import policy
from .actor import Actor, ActorKind
from .local.models import OrgUnit, Session
from .models import Assignment, Person
from .roles import Role


class Permission(StrEnum):
    SIGN_IN = "identity.sign_in"
    VIEW_PEOPLE = "identity.view_people"
    MANAGE_PEOPLE = "identity.manage_people"
    MANAGE_UNITS = "identity.manage_units"
    MANAGE_ABSENCES = "identity.manage_absences"
    MANAGE_KEYS = "identity.manage_keys"
    MANAGE_OWN_ACCESS = "identity.manage_own_access"
    MANAGE_OWN_ACCOUNT = "identity.manage_own_account"
    SEND_LINKS = "identity.send_links"  # the system actor alone
    TIDY_UP = "identity.tidy_up"  # the system actor alone
    RUN_JOBS = "identity.run_jobs"


policy.grant(
    {
        ActorKind.GUEST: {Permission.SIGN_IN},
        ActorKind.STAFF: {Permission.SIGN_IN, Permission.MANAGE_OWN_ACCESS},
        ActorKind.CITIZEN: {Permission.SIGN_IN, Permission.MANAGE_OWN_ACCOUNT},
        Role.BODY_ADMIN: {
            Permission.VIEW_PEOPLE,
            Permission.MANAGE_PEOPLE,
            Permission.MANAGE_UNITS,
            Permission.MANAGE_ABSENCES,
            Permission.MANAGE_KEYS,
        },
        Role.HEAD_OF_UNIT: {Permission.VIEW_PEOPLE, Permission.MANAGE_ABSENCES},
        Role.AUDITOR: {Permission.VIEW_PEOPLE},
        Role.DATA_PROTECTION_OFFICER: {Permission.VIEW_PEOPLE},
        Role.OPERATOR: {Permission.RUN_JOBS},
    }
)


def own_id(actor: Actor) -> UUID:
    """Whose own matters it is about.

    Raises:
        policy.Denied: the actor is nobody in particular.
    """
    if actor.id is None:
        raise policy.Denied(Permission.MANAGE_OWN_ACCESS.value)
    return actor.id


def visible_people(actor: Actor) -> QuerySet[Person]:
    """The people who work, worked or will work for the actor's body (the database shows a body no others)."""
    if not policy.allows(actor, Permission.VIEW_PEOPLE):
        return Person.objects.none()
    body = current_body().id
    return Person.objects.filter(pk__in=Assignment.objects.filter(body_id=body).values("person_id")) | (
        Person.objects.filter(home_body_id=body)
    )


def visible_units(actor: Actor) -> QuerySet[OrgUnit]:
    """The units of the body: its organisation chart is no secret to its own people."""
    if actor.kind in (ActorKind.STAFF, ActorKind.SYSTEM):
        return OrgUnit.objects.all()
    return OrgUnit.objects.none()


def own_sessions(actor: Actor) -> QuerySet[Session]:
    """The actor's own sessions in this body."""
    if actor.kind not in (ActorKind.STAFF, ActorKind.CITIZEN) or actor.id is None:
        return Session.objects.none()
    return Session.objects.filter(kind=actor.kind.value, subject=actor.id)


def may_reset_access(actor: Actor, person: Person) -> bool:
    """Only the home body's administration resets the means to sign in, and nobody resets their own this way."""
    return person.home_body_id == current_body().id and person.id != actor.id


def may_manage_absence_of(actor: Actor, person_id: object, their_units: frozenset[str]) -> bool:
    """One's own; the body's administration anybody's; the head of a unit those of the unit."""
    if actor.id == person_id or actor.is_system or actor.holds(Role.BODY_ADMIN):
        return True
    return actor.holds(Role.HEAD_OF_UNIT) and bool(actor.units & their_units)
