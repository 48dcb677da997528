"""Pages of the administrative board: seats and rules on a day, its meetings, one meeting, the minutes."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from verbund.modules.membership import queries, services
from verbund.modules.membership.policies import Permission
from verbund.modules.membership.web import forms
from verbund.modules.membership.web.frame import ask, entry, form_page
from verbund.platform import files
from verbund.platform.identity import policy
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import local_date, now


def _leads(request: BodyRequest) -> bool:
    return policy.allows(request.actor, Permission.MANAGE_BOARD)


@staff_page(Permission.READ_BOARD)
def board(request: BodyRequest) -> HttpResponse:
    """The board on a day, and all its meetings."""
    try:
        day = date.fromisoformat(request.GET.get("tag", ""))
    except ValueError:
        day = local_date(now())
    context = {
        "board": queries.board(request.actor, day),
        "meetings": queries.meetings(request.actor),
        "may_lead": _leads(request),
        "day": day,
    }
    return render(request, "membership/board.html", context)


@staff_page(Permission.MANAGE_BOARD)
def board_rules(request: BodyRequest) -> HttpResponse:
    """The rules of voting over time, and a further one."""
    form = forms.RuleForm(request.POST if request.method == "POST" else None)
    return form_page(
        request,
        form,
        lambda _data: services.set_board_rule(request.actor, now=now(), **form.values()),
        template="board_rules",
        back=reverse("membership:board_rules"),
        done=_("The rule is set."),
        context={"rules": queries.board_rules(request.actor), "today": local_date(now())},
    )


@staff_page(Permission.MANAGE_BOARD)
def call_meeting(request: BodyRequest) -> HttpResponse:
    """Call a meeting, or begin a written procedure."""
    form = forms.MeetingForm(request.POST if request.method == "POST" else None)
    return entry(
        request,
        form,
        lambda data: reverse(
            "membership:meeting",
            args=[
                services.call_meeting(
                    request.actor,
                    form=data["form"],
                    held_on=data["held_on"],
                    place=data["place"],
                    idempotency_key=form.idempotency_key(),
                    now=now(),
                )
            ],
        ),
        here="board",
        title=_("Call a meeting or begin a written procedure"),
        action=_("Call"),
        back=reverse("membership:board"),
        done=_("It is called. Put the motions on the agenda."),
        above=(reverse("membership:board"), _("Administrative board")),
    )


@staff_page(Permission.READ_BOARD)
def meeting(request: BodyRequest, meeting_id: UUID) -> HttpResponse:
    """One meeting with its agenda."""
    view = queries.meeting(request.actor, meeting_id)
    context = {
        "view": view,
        "may_lead": _leads(request) and view.meeting.state != "closed",
        "may_read_minutes": view.meeting.state == "closed" and queries.reads_minutes(request.actor),
        "today": local_date(now()),
    }
    return render(request, "membership/meeting.html", context)


@staff_page(Permission.MANAGE_BOARD)
def table_motion(request: BodyRequest, meeting_id: UUID) -> HttpResponse:
    """Put a motion on the agenda."""
    view = queries.meeting(request.actor, meeting_id)
    back = reverse("membership:meeting", args=[meeting_id])

    def act(data: Mapping[str, Any]) -> None:
        services.table_motion(request.actor, meeting_id=meeting_id, now=now(), **data)

    return entry(
        request,
        forms.MotionForm(request.POST if request.method == "POST" else None),
        act,
        here="board",
        title=_("Put a motion on the agenda"),
        action=_("Put on the agenda"),
        back=back,
        done=_("The motion is on the agenda."),
        above=(back, f"{view.meeting.form_label}, {view.meeting.held_on:%d.%m.%Y}"),
        text=_("A motion cannot be changed afterwards: what is voted on stays as it was put."),
    )


@staff_page(Permission.MANAGE_BOARD)
def close_meeting(request: BodyRequest, meeting_id: UUID) -> HttpResponse:
    """Close a meeting and write its minutes."""
    view = queries.meeting(request.actor, meeting_id)
    return ask(
        request,
        lambda: services.close_meeting(request.actor, meeting_id=meeting_id, now=now()),
        title=_("Close the meeting and write the minutes?"),
        text=f"{view.meeting.form_label}, {view.meeting.held_on:%d.%m.%Y}",
        consequences=(
            _("The minutes are written as PDF and get the next number; numbers have no gaps."),
            _("Motions, votes and results of this meeting can be neither added nor changed any more."),
        ),
        action=_("Close and write the minutes"),
        done=_("The meeting is closed, its minutes are written."),
        back=reverse("membership:meeting", args=[meeting_id]),
    )


@staff_page(Permission.READ_BOARD)
@require_safe
def minutes(request: BodyRequest, meeting_id: UUID) -> HttpResponseBase:
    """The minutes as PDF to download."""
    sha256 = queries.minutes_pdf(request.actor, meeting_id)
    number = queries.meeting(request.actor, meeting_id).meeting.minutes_number
    return files.download(sha256, f"niederschrift-{number}.pdf", "application/pdf")
