"""Reads of provisioning and of the plan of taking over."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from verbund.modules.membership.models import MemberKind, Provisioning, StepState, TakeOverTask
from verbund.modules.membership.policies import visible_members, visible_provisionings, visible_take_over_tasks
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import NotFound


class ProvisioningNotFound(NotFound):
    """Nothing is planned or done for this member that the actor may see."""


class TaskNotFound(NotFound):
    """There is no such task of a plan of taking over."""


@dataclass(frozen=True, slots=True)
class StepView:
    """A step as people see it; `seconds` is how long it took."""

    step: str
    label: str
    state: str
    state_label: str
    started_at: datetime | None
    ended_at: datetime | None
    seconds: float | None
    attempts: int
    reason: str


@dataclass(frozen=True, slots=True)
class InvitedPerson:
    """InvitedPerson (eingeladene Person): who gets a first sign-in for the new body, and in which role."""

    name: str
    email: str
    role: str


@dataclass(frozen=True, slots=True)
class ProvisioningView:
    """A provisioning (Bereitstellung) with its steps in their order, and what the body is to have."""

    id: UUID
    member_id: UUID
    member_name: str
    schema_name: str
    hosts: tuple[str, ...]
    started_at: datetime | None
    ended_at: datetime | None
    steps: tuple[StepView, ...]
    accent_colour: str
    letterhead: Mapping[str, str]
    people: tuple[InvitedPerson, ...]
    ledger: str
    templates: tuple[str, ...]

    @property
    def moved_at(self) -> datetime | None:
        """When something last happened."""
        moments = [moment for step in self.steps for moment in (step.started_at, step.ended_at) if moment]
        return max(moments, default=self.started_at)

    @property
    def is_running(self) -> bool:
        """Whether something still happens by itself."""
        return self.started_at is not None and self.ended_at is None and not self.failed

    @property
    def failed(self) -> bool:
        """Whether somebody must look at it."""
        return any(step.state == StepState.FAILED for step in self.steps)


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task of the plan of taking over."""

    id: UUID
    member_id: UUID
    title: str
    due_on: date
    responsible: str
    done_on: date | None
    done_by: str
    note: str


@dataclass(frozen=True, slots=True)
class ProvisioningRow:
    """ProvisioningRow (Zeile der Bereitstellungen): how far a member's body is; `state` is there | ready | failed |
    running | planned | none, `done` of `steps` steps are done."""

    member_id: UUID
    member_name: str
    state: str
    done: int
    steps: int
    ended_at: datetime | None


def provisioning(actor: Actor, *, member_id: UUID) -> ProvisioningView:
    """How far a member's body has come.

    Raises:
        ProvisioningNotFound.
    """
    row = (
        visible_provisionings(actor)
        .filter(member_id=member_id)
        .select_related("member")
        .prefetch_related("steps")
        .first()
    )
    if row is None:
        raise ProvisioningNotFound
    return view_of(row)


def view_of(row: Provisioning) -> ProvisioningView:
    """A provisioning's row with its steps as values."""
    steps = []
    for step in sorted(row.steps.all(), key=lambda step: step.position):
        took = (step.ended_at - step.started_at).total_seconds() if step.started_at and step.ended_at else None
        steps.append(
            StepView(
                step=step.step,
                label=str(step.get_step_display()),
                state=step.state,
                state_label=str(step.get_state_display()),
                started_at=step.started_at,
                ended_at=step.ended_at,
                seconds=took,
                attempts=step.attempts,
                reason=step.reason,
            )
        )
    return ProvisioningView(
        id=row.id,
        member_id=row.member_id,
        member_name=row.member.name,
        schema_name=row.schema_name,
        hosts=tuple(row.hosts),
        started_at=row.started_at,
        ended_at=row.ended_at,
        steps=tuple(steps),
        accent_colour=row.accent_colour,
        letterhead=dict(row.letterhead),
        people=tuple(InvitedPerson(p["name"], p["email"], p["role"]) for p in row.people),
        ledger=row.ledger,
        templates=tuple(row.templates),
    )


def take_over_plan(actor: Actor, *, member_id: UUID) -> list[TaskView]:
    """The dated tasks of taking a body over (Übernahmeplan), by day."""
    rows = visible_take_over_tasks(actor).filter(member_id=member_id).order_by("due_on", "id")
    return [task_view(row) for row in rows]


def task_view(row: TakeOverTask) -> TaskView:
    """A task's row as values."""
    return TaskView(row.id, row.member_id, str(row), row.due_on, row.responsible, row.done_on, row.done_by, row.note)


def take_over_task(actor: Actor, task_id: UUID) -> TaskView:
    """One task.

    Raises:
        TaskNotFound.
    """
    row = visible_take_over_tasks(actor).filter(id=task_id).first()
    if row is None:
        raise TaskNotFound
    return task_view(row)


def provisionings(actor: Actor) -> list[ProvisioningRow]:
    """How far the bodies of all members the actor may see have come, by name; those that can have no body are left
    out."""
    begun = {row.member_id: row for row in visible_provisionings(actor).prefetch_related("steps")}
    others = (MemberKind.ALLIANCE, MemberKind.STATE_AUTHORITY)
    rows = []
    for member in visible_members(actor).exclude(kind__in=others).order_by("name", "id"):
        row = begun.get(member.id)
        steps = list(row.steps.all()) if row else []
        done = sum(step.state == StepState.DONE for step in steps)
        if row is None:
            state = "there" if member.schema_name else "none"
        elif row.ended_at is not None:
            state = "ready"
        elif any(step.state == StepState.FAILED for step in steps):
            state = "failed"
        else:
            state = "running" if row.started_at else "planned"
        rows.append(ProvisioningRow(member.id, member.name, state, done, len(steps), row.ended_at if row else None))
    return rows
