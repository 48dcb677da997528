"""Reads of provisioning and of the plan of taking over."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from verbund.modules.membership.models import Provisioning, StepState, TakeOverTask
from verbund.modules.membership.policies import visible_provisionings, visible_take_over_tasks
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import NotFound


class ProvisioningNotFound(NotFound):
    """Nothing is planned or done for this member that the actor may see."""


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
class ProvisioningView:
    """A provisioning (Bereitstellung) with its steps in their order."""

    id: UUID
    member_id: UUID
    member_name: str
    schema_name: str
    hosts: tuple[str, ...]
    started_at: datetime | None
    ended_at: datetime | None
    steps: tuple[StepView, ...]

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
    done_on: date | None
    done_by: str
    note: str


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
    )


def take_over_plan(actor: Actor, *, member_id: UUID) -> list[TaskView]:
    """The dated tasks of taking a body over (Übernahmeplan), by day."""
    rows = visible_take_over_tasks(actor).filter(member_id=member_id).order_by("due_on", "id")
    return [task_view(row) for row in rows]


def task_view(row: TakeOverTask) -> TaskView:
    """A task's row as values."""
    return TaskView(row.id, row.member_id, str(row), row.due_on, row.done_on, row.done_by, row.note)
