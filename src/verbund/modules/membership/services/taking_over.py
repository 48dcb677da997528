"""Writes of the plan of taking a body over: dated tasks for people."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.models import TakeOverTask
from verbund.modules.membership.policies import Permission, visible_take_over_tasks
from verbund.modules.membership.queries.provisioning import TaskNotFound, TaskView, task_view
from verbund.platform import audit
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import local_date, new_id

from .provisioning import BadProvisioning, ProvisioningConflict, member_of

_DAYS: Final[Mapping[TakeOverTask.Kind, int]] = {
    TakeOverTask.Kind.INVENTORY: -60,
    TakeOverTask.Kind.DATA_PROTECTION: -30,
    TakeOverTask.Kind.CONTRACTS: -30,
    TakeOverTask.Kind.NETWORK: -14,
    TakeOverTask.Kind.TRAINING: -7,
    TakeOverTask.Kind.START: 0,
    TakeOverTask.Kind.DATA: 30,
    TakeOverTask.Kind.REVIEW: 90,
}
_FARTHEST: Final = timedelta(days=3653)


@transaction.atomic
def plan_take_over(actor: Actor, *, member_id: UUID, begins_on: date, now: datetime) -> list[TaskView]:
    """Make the plan of taking a body over (Übernahmeplan): the usual tasks, dated around the day it begins to work.

    A second call moves the tasks that are not done yet.

    Raises:
        policy.Denied, NotTheAlliance, MemberNotFound, BadProvisioning (a day too far from today to plan with).
    """
    policy.require(actor, Permission.PROVISION)
    member = member_of(actor, member_id)
    if abs(begins_on - local_date(now)) > _FARTHEST:
        raise BadProvisioning({"begins_on": _("Enter a day within ten years of today.")})
    there = {task.kind: task for task in TakeOverTask.objects.select_for_update().filter(member=member)}
    for kind, days in _DAYS.items():
        due_on = begins_on + timedelta(days=days)
        task = there.get(kind)
        if task is None:
            TakeOverTask.objects.create(id=new_id(), member=member, kind=kind, due_on=due_on, recorded_at=now)
        elif task.done_on is None:
            task.due_on = due_on
            task.save(update_fields=["due_on"])
    audit.record(actor, "membership.take_over.planned", "membership.member", member.id, after={"begins_on": begins_on})
    return [task_view(row) for row in visible_take_over_tasks(actor).filter(member=member).order_by("due_on", "id")]


@transaction.atomic
def add_take_over_task(
    actor: Actor, *, member_id: UUID, title: str, due_on: date, responsible: str = "", now: datetime
) -> UUID:
    """Add a task of one's own to the plan; `responsible` says who sees to it.

    Raises:
        policy.Denied, NotTheAlliance, MemberNotFound, BadProvisioning, ProvisioningConflict (it stands there already).
    """
    policy.require(actor, Permission.PROVISION)
    member = member_of(actor, member_id)
    title = " ".join(title.split())
    if not 2 <= len(title) <= 200:
        raise BadProvisioning({"title": _("Say in 2 to 200 characters what is to be done.")})
    if TakeOverTask.objects.filter(member=member, title=title, due_on=due_on, done_on=None).exists():
        raise ProvisioningConflict(_("This task stands in the plan for this day already."))
    task = TakeOverTask.objects.create(
        id=new_id(),
        member=member,
        kind=TakeOverTask.Kind.OTHER,
        title=title,
        due_on=due_on,
        responsible=_name(responsible),
        recorded_at=now,
    )
    audit.record(
        actor, "membership.take_over.added", "membership.member", member.id, after={"title": title, "due_on": due_on}
    )
    return task.id


@transaction.atomic
def move_take_over_task(
    actor: Actor, *, task_id: UUID, due_on: date, responsible: str, expected_due_on: date, now: datetime
) -> None:
    """Postpone a task, or bring it forward, and say who sees to it; `expected_due_on` is the day its editor saw.

    Raises:
        policy.Denied, TaskNotFound, ProvisioningConflict (done already, or somebody else was quicker), BadProvisioning.
    """
    policy.require(actor, Permission.PROVISION)
    task = visible_take_over_tasks(actor).select_for_update().filter(id=task_id).first()
    if task is None:
        raise TaskNotFound
    if task.done_on is not None:
        raise ProvisioningConflict(_("This task is done already."))
    if task.due_on != expected_due_on:
        raise ProvisioningConflict(
            _("Somebody else has moved this task in the meantime. Look at the new day and decide again.")
        )
    before = {"due_on": task.due_on, "responsible": task.responsible}
    task.due_on, task.responsible = due_on, _name(responsible)
    task.save(update_fields=["due_on", "responsible"])
    audit.record(
        actor,
        "membership.take_over.moved",
        "membership.member",
        task.member_id,
        before=before,
        after={"task": str(task), "due_on": due_on, "responsible": task.responsible},
    )


def _name(responsible: str) -> str:
    name = " ".join(responsible.split())
    if len(name) > 200:
        raise BadProvisioning({"responsible": _("Use at most 200 characters.")})
    return name


@transaction.atomic
def finish_take_over_task(actor: Actor, *, task_id: UUID, done_on: date, note: str = "", now: datetime) -> None:
    """Tick a task off.

    Raises:
        policy.Denied, TaskNotFound, ProvisioningConflict (done already), BadProvisioning (a day in the future).
    """
    policy.require(actor, Permission.PROVISION)
    task = visible_take_over_tasks(actor).select_for_update().filter(id=task_id).first()
    if task is None:
        raise TaskNotFound
    if task.done_on is not None:
        raise ProvisioningConflict(_("This task is done already."))
    if done_on > local_date(now):
        raise BadProvisioning({"done_on": _("The day lies in the future. Enter today or an earlier day.")})
    task.done_on, task.done_by, task.note = done_on, actor.name[:200], note.strip()[:1000]
    task.save(update_fields=["done_on", "done_by", "note"])
    after = {"task": str(task), "on": done_on}
    audit.record(actor, "membership.take_over.done", "membership.member", task.member_id, after=after)
