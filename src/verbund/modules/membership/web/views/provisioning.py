"""Pages of the set-up of bodies, step by step, and of the plan of taking them over."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from verbund.modules.membership import queries, services
from verbund.modules.membership.policies import Permission
from verbund.modules.membership.web.forms.provisioning import (
    FinishTaskForm,
    MoveTaskForm,
    PlanForm,
    TakeOverForm,
    TaskForm,
    letterhead_lines,
)
from verbund.modules.membership.web.frame import entry
from verbund.platform.identity import policy
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import Conflict, local_date, now
from verbund.platform.ui import notices
from verbund.platform.ui.context import role_name

TONES: Final = {
    "waiting": "neutral",
    "running": "info",
    "done": "success",
    "failed": "danger",
    "there": "success",
    "ready": "success",
    "planned": "info",
    "none": "neutral",
}
_RESTING: Final = timedelta(minutes=5)  # a page that sees nothing happen for so long asks no more by itself


def _templates() -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = import_string(settings.TEMPLATE_CHOICES)()
    return found


def _view(request: BodyRequest, member_id: UUID) -> queries.ProvisioningView | None:
    try:
        return queries.provisioning(request.actor, member_id=member_id)
    except queries.ProvisioningNotFound:
        return None


@staff_page(Permission.READ_MEMBERS)
def provisionings(request: BodyRequest) -> HttpResponse:
    """How far the bodies of all members are."""
    rows = [{"row": row, "tone": TONES[row.state]} for row in queries.provisionings(request.actor)]
    return render(request, "membership/provisionings.html", {"rows": rows})


def _steps(view: queries.ProvisioningView | None) -> dict[str, Any]:
    if view is None:
        return {"view": None}
    done = sum(step.state == "done" for step in view.steps)
    resting = view.is_running and view.moved_at is not None and now() - view.moved_at > _RESTING
    return {
        "view": view,
        "steps": [{"step": step, "tone": TONES[step.state]} for step in view.steps],
        "done": done,
        "polling": view.is_running and not resting,
        "resting": resting,
        "failed": [step for step in view.steps if step.state == "failed"],
    }


@staff_page(Permission.READ_MEMBERS)
def provisioning(request: BodyRequest, member_id: UUID) -> HttpResponse:
    """One body's set-up: what it is to have, each step with its state, and the plan of taking it over."""
    member = queries.member(request.actor, member_id)
    view = _view(request, member_id)
    titles = dict(_templates())
    tasks = queries.take_over_plan(request.actor, member_id=member_id)
    today = local_date(now())
    return render(
        request,
        "membership/provisioning.html",
        {
            "member": member,
            **_steps(view),
            "people": [(p.name, p.email, role_name(p.role)) for p in view.people] if view else [],
            "templates": [titles.get(key, key) for key in view.templates] if view else [],
            "letterhead": letterhead_lines(view) if view else [],
            "tasks": tasks,
            "tasks_open": sum(task.done_on is None for task in tasks),
            "tasks_late": sum(task.done_on is None and task.due_on < today for task in tasks),
            "may_provision": policy.allows(request.actor, Permission.PROVISION),
        },
    )


@staff_page(Permission.READ_MEMBERS)
def provisioning_state(request: BodyRequest, member_id: UUID) -> HttpResponse:
    """The steps alone, for a page that asks by itself while something happens."""
    member = queries.member(request.actor, member_id)
    view = _view(request, member_id)
    may = policy.allows(request.actor, Permission.PROVISION)
    context = {"member": member, "may_provision": may, **_steps(view)}
    return render(request, "membership/provisioning_steps.html", context)


@staff_page(Permission.PROVISION)
def plan_provisioning(request: BodyRequest, member_id: UUID) -> HttpResponse:
    """Say what a body is to have, as long as making it ready has not begun."""
    member = queries.member(request.actor, member_id)
    form = PlanForm(request.POST or None, view=_view(request, member_id), templates=_templates())

    def act(_data: Mapping[str, Any]) -> None:
        services.plan_provisioning(request.actor, member_id=member_id, wishes=form.wishes(), now=now())

    page = reverse("membership:provisioning", args=[member_id])
    return entry(
        request,
        form,
        act,
        here="provisioning",
        title=_("What %(name)s is to have") % {"name": member.name},
        action=_("Save the plan"),
        back=page,
        above=(page, _("Set-up of %(name)s") % {"name": member.name}),
        text=_("Nothing is made yet. The rooms follow the agreements; everything else can be changed until it begins."),
        done=_("The plan is saved."),
    )


@staff_page(Permission.PROVISION)
def start_provisioning(request: BodyRequest, member_id: UUID) -> HttpResponse:
    """Begin, or go on where it stands; before that the page says what will be made."""
    member = queries.member(request.actor, member_id)
    view = _view(request, member_id)
    form = forms.Form(request.POST if request.method == "POST" else None)

    def act(_data: Mapping[str, Any]) -> None:
        services.provision(request.actor, member_id=member_id, now=now())

    page = reverse("membership:provisioning", args=[member_id])
    people = len(view.people) if view else 0
    hosts = ", ".join(view.hosts) if view else _("the short name below the domain of the alliance")
    consequences = [
        _("Tables, a database role of its own and the host are made: %(hosts)s.") % {"hosts": hosts},
        ngettext(
            "%(number)s person is invited by e-mail to choose a password.",
            "%(number)s people are invited by e-mail to choose a password.",
            people,
        )
        % {"number": people}
        if people
        else _("Nobody is invited: name the first people in the plan before, or the body is without administration."),
        _("What is made already stays as it is; started twice it is made once."),
    ]
    return entry(
        request,
        form,
        act,
        here="provisioning",
        title=_("Set up %(name)s") % {"name": member.name},
        action=_("Begin") if view is None or view.started_at is None else _("Go on"),
        back=page,
        above=(page, _("Set-up of %(name)s") % {"name": member.name}),
        consequences=consequences,
        done=_("The set-up is under way. It takes some seconds; you need not wait here."),
    )


@require_POST
@staff_page(Permission.PROVISION)
def retry_provisioning(request: BodyRequest, member_id: UUID) -> HttpResponse:
    """Try the failed steps once more."""
    queries.member(request.actor, member_id)
    try:
        services.retry_provisioning(request.actor, member_id=member_id, now=now())
    except queries.ProvisioningNotFound:
        notices.refused(request, _("Nothing is planned for this body yet."))
    except Conflict as refusal:
        notices.refused(request, refusal.message)
    else:
        notices.done(request, _("The failed steps are tried once more."))
    return redirect("membership:provisioning", member_id)


# ---- the plan of taking over


def _task_page(request: BodyRequest, member_id: UUID, form: forms.Form, act: Any, **words: Any) -> HttpResponse:
    member = queries.member(request.actor, member_id)
    page = reverse("membership:provisioning", args=[member_id])
    above = (page, _("Set-up of %(name)s") % {"name": member.name})
    return entry(request, form, act, here="provisioning", back=f"{page}#uebernahme", above=above, **words)


@staff_page(Permission.PROVISION)
def plan_take_over(request: BodyRequest, member_id: UUID) -> HttpResponse:
    """Date the usual tasks around the day the body begins to work."""
    form = TakeOverForm(request.POST or None)

    def act(data: Mapping[str, Any]) -> None:
        services.plan_take_over(request.actor, member_id=member_id, begins_on=data["begins_on"], now=now())

    return _task_page(
        request,
        member_id,
        form,
        act,
        title=_("Plan the take-over"),
        action=_("Date the tasks"),
        text=_("The usual tasks get a day before or after it. Called again, not yet done tasks are moved."),
        done=_("The tasks are dated."),
    )


@staff_page(Permission.PROVISION)
def add_task(request: BodyRequest, member_id: UUID) -> HttpResponse:
    """A task of one's own."""
    form = TaskForm(request.POST or None)

    def act(data: Mapping[str, Any]) -> None:
        services.add_take_over_task(request.actor, member_id=member_id, now=now(), **data)

    return _task_page(
        request, member_id, form, act, title=_("Add a task"), action=_("Add"), done=_("The task is added.")
    )


@staff_page(Permission.PROVISION)
def move_task(request: BodyRequest, task_id: UUID) -> HttpResponse:
    """Another day for a task, and who sees to it."""
    task = queries.take_over_task(request.actor, task_id)
    initial = {"due_on": task.due_on, "responsible": task.responsible, "seen": task.due_on.isoformat()}
    form = MoveTaskForm(request.POST or None, initial=initial)

    def act(data: Mapping[str, Any]) -> None:
        services.move_take_over_task(
            request.actor,
            task_id=task_id,
            due_on=data["due_on"],
            responsible=data["responsible"],
            expected_due_on=data["seen"],
            now=now(),
        )

    return _task_page(
        request,
        task.member_id,
        form,
        act,
        title=_("Move “%(task)s”") % {"task": task.title},
        action=_("Move"),
        done=_("The task is moved."),
    )


@staff_page(Permission.PROVISION)
def finish_task(request: BodyRequest, task_id: UUID) -> HttpResponse:
    """Tick a task off."""
    task = queries.take_over_task(request.actor, task_id)
    form = FinishTaskForm(request.POST or None, initial={"done_on": local_date(now())})

    def act(data: Mapping[str, Any]) -> None:
        services.finish_take_over_task(
            request.actor, task_id=task_id, done_on=data["done_on"], note=data["note"], now=now()
        )

    return _task_page(
        request,
        task.member_id,
        form,
        act,
        title=_("Done: “%(task)s”") % {"task": task.title},
        action=_("Tick off"),
        done=_("The task is done."),
    )
