"""Who may do what with services and applications, and what may be seen at all."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from django.db.models import Q, QuerySet

from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor, ActorKind
from verbund.platform.identity.roles import Role

from .models import Application, ApplicationState, Decision, Draft, MailboxMessage, OnlineService, ServiceState


class Permission(StrEnum):
    """Permission (Berechtigung) in citizenservices."""

    FIND_SERVICE = "citizenservices.find_service"
    APPLY = "citizenservices.apply"
    FOLLOW_APPLICATION = "citizenservices.follow_application"
    READ_APPLICATION = "citizenservices.read_application"
    PROCESS_APPLICATION = "citizenservices.process_application"
    DECIDE_APPLICATION = "citizenservices.decide_application"
    IMPORT_FORM = "citizenservices.import_form"
    CONFIGURE_SERVICE = "citizenservices.configure_service"
    PUBLISH_SERVICE = "citizenservices.publish_service"
    TIDY_UP = "citizenservices.tidy_up"  # the system actor alone


_PUBLIC: Final = frozenset({Permission.FIND_SERVICE, Permission.APPLY, Permission.FOLLOW_APPLICATION})
_CLERK: Final = frozenset({Permission.READ_APPLICATION, Permission.PROCESS_APPLICATION, Permission.DECIDE_APPLICATION})

policy.grant(
    {
        ActorKind.GUEST: _PUBLIC,
        ActorKind.CITIZEN: _PUBLIC,
        ActorKind.STAFF: {Permission.FIND_SERVICE},
        Role.CLERK: _CLERK,
        Role.HEAD_OF_UNIT: _CLERK,
        Role.REGISTRY: {Permission.READ_APPLICATION},
        Role.AUDITOR: {Permission.READ_APPLICATION},
        Role.SERVICE_EDITOR: {Permission.IMPORT_FORM, Permission.CONFIGURE_SERVICE, Permission.PUBLISH_SERVICE},
    }
)

_SEES_ALL_UNITS: Final = frozenset({Role.REGISTRY, Role.AUDITOR})


def visible_services(actor: Actor) -> QuerySet[OnlineService]:
    """Services: everybody sees the published ones, the editors all."""
    if actor.is_system or policy.allows(actor, Permission.CONFIGURE_SERVICE):
        return OnlineService.objects.all()
    return OnlineService.objects.filter(state=ServiceState.PUBLISHED)


def visible_drafts(actor: Actor) -> QuerySet[Draft]:
    """Drafts of the actor's own account; a draft without account is reached by its code alone."""
    if actor.kind is ActorKind.CITIZEN and actor.id is not None:
        return Draft.objects.filter(account=actor.id)
    return Draft.objects.none()


def visible_applications(actor: Actor) -> QuerySet[Application]:
    """Applications: staff see those of their units and those they work on, registry and audit all; a citizen those of
    the account.
    """
    if actor.is_system:
        return Application.objects.all()
    if actor.kind is ActorKind.CITIZEN and actor.id is not None:
        return Application.objects.filter(account=actor.id)
    if not actor.is_staff or not policy.allows(actor, Permission.READ_APPLICATION):
        return Application.objects.none()
    if not actor.roles.isdisjoint(_SEES_ALL_UNITS):
        return Application.objects.all()
    return Application.objects.filter(Q(unit__in=actor.units) | Q(clerk__in=stands_for(actor)))


def visible_messages(actor: Actor) -> QuerySet[MailboxMessage]:
    """Messages of the mailbox: those of the applications the actor sees."""
    if actor.kind is ActorKind.CITIZEN and actor.id is not None:
        return MailboxMessage.objects.filter(account=actor.id)
    return MailboxMessage.objects.filter(application__in=visible_applications(actor))


def stands_for(actor: Actor) -> frozenset[UUID]:
    """The people as whom the actor works: itself and those it stands in for."""
    return actor.substitutes | ({actor.id} if actor.id is not None else frozenset())


def may_process(actor: Actor, application: Application) -> bool:
    """Whether the application is in this clerk's hands: taken over by the actor, or by somebody it stands in for."""
    return actor.is_system or (application.clerk is not None and application.clerk in stands_for(actor))


def may_take_over(actor: Actor, application: Application) -> bool:
    """Whether nobody works on it yet, or somebody does whom the actor may relieve: a substitute or the head of the
    unit.
    """
    if application.state not in (ApplicationState.SUBMITTED, ApplicationState.IN_PROGRESS, ApplicationState.QUERY_OPEN):
        return False
    if application.clerk is None or may_process(actor, application):
        return True
    return actor.holds(Role.HEAD_OF_UNIT) and application.unit in actor.units


def may_sign(actor: Actor, application: Application, decision: Decision | None, *, second_person: bool) -> bool:
    """Whether the actor may sign the decision.

    Without sign-off it is the clerk at work (or the head of the unit). With it (Vier-Augen-Prinzip) a decision must
    have been proposed, and by somebody else.
    """
    head = actor.holds(Role.HEAD_OF_UNIT) and application.unit in actor.units
    if not second_person:
        return may_process(actor, application) or head
    return decision is not None and decision.proposed_by is not None and decision.proposed_by not in stands_for(actor)
