"""Who may do what with the sharing of cost. Everything happens in the alliance's own body; elsewhere there is nothing.

Four eyes: who proposed a run neither checks nor releases it. Issuing also raises claims, so it needs the budget's own
permission beside this one.
"""

from enum import StrEnum
from uuid import UUID

from django.db.models import Q, QuerySet

from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import current_body

from .models import (
    BusinessPlan,
    ChargeLine,
    ChargeRun,
    CostItem,
    Invoice,
    Measure,
    Scenario,
)


class Permission(StrEnum):
    """Permissions (Berechtigungen) of this room."""

    SEE = "costsharing.see"
    SEE_OWN = "costsharing.see_own"
    PLAN = "costsharing.plan"
    RESOLVE = "costsharing.resolve"
    SET_PRICES = "costsharing.set_prices"
    MEASURE = "costsharing.measure"
    PROPOSE = "costsharing.propose"
    CHECK = "costsharing.check"
    RELEASE = "costsharing.release"
    ISSUE = "costsharing.issue"
    COUNT_USE = "costsharing.count_use"  # the system actor alone, in every body


policy.grant(
    {
        Role.COST_CONTROLLER: {
            Permission.SEE,
            Permission.PLAN,
            Permission.SET_PRICES,
            Permission.MEASURE,
            Permission.PROPOSE,
            Permission.CHECK,
        },
        Role.BUDGET_OFFICER: {Permission.SEE, Permission.CHECK, Permission.ISSUE},
        Role.ALLIANCE_MANAGER: {
            Permission.SEE,
            Permission.PLAN,
            Permission.RESOLVE,
            Permission.SET_PRICES,
            Permission.PROPOSE,
            Permission.CHECK,
            Permission.RELEASE,
        },
        Role.BOARD_MEMBER: {Permission.SEE},
        Role.AUDITOR: {Permission.SEE},
        Role.MEMBER_REPRESENTATIVE: {Permission.SEE_OWN},
    }
)


def in_alliance(actor: Actor, permission: Permission) -> bool:
    """Whether the actor holds the permission, and the body is the alliance."""
    return policy.allows(actor, permission) and current_body().is_alliance


def require(actor: Actor, permission: Permission, *, when: bool = True) -> None:
    """Refuse whoever lacks the permission, and everybody outside the alliance.

    Raises:
        policy.Denied
    """
    policy.require(actor, permission, when=when and current_body().is_alliance)


def is_another_person(actor: Actor, first: UUID | None) -> bool:
    """Four eyes: the actor is a person, and not the one who did the first step."""
    return actor.is_system or (actor.id is not None and actor.id != first)


def visible_plans(actor: Actor) -> QuerySet[BusinessPlan]:
    """Plans: all for the alliance's people, the resolved ones for the members' representatives."""
    if in_alliance(actor, Permission.SEE):
        return BusinessPlan.objects.all()
    if in_alliance(actor, Permission.SEE_OWN):
        return BusinessPlan.objects.filter(state=BusinessPlan.State.RESOLVED)
    return BusinessPlan.objects.none()


def visible_measures(actor: Actor) -> QuerySet[Measure]:
    return Measure.objects.all() if in_alliance(actor, Permission.SEE) else Measure.objects.none()


def visible_items(actor: Actor) -> QuerySet[CostItem]:
    return CostItem.objects.all() if in_alliance(actor, Permission.SEE) else CostItem.objects.none()


def visible_runs(actor: Actor) -> QuerySet[ChargeRun]:
    return ChargeRun.objects.all() if in_alliance(actor, Permission.SEE) else ChargeRun.objects.none()


def visible_scenarios(actor: Actor) -> QuerySet[Scenario]:
    return Scenario.objects.all() if in_alliance(actor, Permission.SEE) else Scenario.objects.none()


def visible_lines(actor: Actor) -> QuerySet[ChargeLine]:
    """Charge lines: all for the alliance's people; a representative sees issued ones of the own member(s), which are
    the units of the assignment."""
    if in_alliance(actor, Permission.SEE):
        return ChargeLine.objects.all()
    if in_alliance(actor, Permission.SEE_OWN):
        return ChargeLine.objects.filter(Q(run__state=ChargeRun.State.ISSUED), member_code__in=actor.units)
    return ChargeLine.objects.none()


def visible_invoices(actor: Actor) -> QuerySet[Invoice]:
    """Invoices: as the lines they rest on."""
    if in_alliance(actor, Permission.SEE):
        return Invoice.objects.all()
    if in_alliance(actor, Permission.SEE_OWN):
        return Invoice.objects.filter(member_code__in=actor.units)
    return Invoice.objects.none()
