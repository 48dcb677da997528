"""Pages of leaving: the list, one as a timeline, the notice, and a form for each act."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from verbund.modules.membership import queries, services
from verbund.modules.membership.models import LeavingAction
from verbund.modules.membership.policies import Permission
from verbund.modules.membership.web.forms.leaving import LEAVING_FORMS, LeavingActForm, NoticeForm
from verbund.modules.membership.web.frame import entry
from verbund.platform.identity import policy
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import local_date, now
from verbund.platform.ui import notices
from verbund.platform.ui.templatetags.ui import short_date

TONES = {"done": "success", "now": "warning", "stopped": "danger"}


@staff_page(Permission.READ_ACCESSIONS)
def leavings(request: BodyRequest) -> HttpResponse:
    """All leavings."""
    may = policy.allows(request.actor, Permission.MANAGE_ACCESSIONS)
    return render(request, "membership/leavings.html", {"rows": queries.leavings(request.actor), "may_give": may})


@staff_page(Permission.READ_ACCESSIONS)
def leaving(request: BodyRequest, leaving_id: UUID) -> HttpResponse:
    """One leaving as a timeline, with what may be done next."""
    view = queries.leaving(request.actor, leaving_id, today=local_date(now()))
    return render(
        request,
        "membership/leaving.html",
        {
            "leaving": view,
            "steps": [{"step": step, "tone": TONES.get(step.state, "")} for step in view.steps],
            "acts": tuple(reversed(view.acts)),
        },
    )


@staff_page(Permission.MANAGE_ACCESSIONS)
def give_leave_notice(request: BodyRequest) -> HttpResponse:
    """A carrier gives notice to leave."""
    carriers = queries.carriers_on(request.actor, local_date(now()))
    names = {member.id: member.name for member in queries.list_members(request.actor)}
    choices = sorted(((str(c.member_id), names.get(c.member_id, "–")) for c in carriers), key=lambda c: c[1])
    form = NoticeForm(request.POST or None, carriers=choices)

    def act(_data: Mapping[str, Any]) -> str:
        made = services.give_leave_notice(request.actor, now=now(), **form.values())
        return reverse("membership:leaving", args=[made])

    back = reverse("membership:leavings")
    return entry(
        request,
        form,
        act,
        here="leavings",
        title=_("Record a notice to leave"),
        action=_("Record the notice"),
        back=back,
        above=(back, _("Leaving")),
        consequences=[
            _("From the day after the last day the body is no carrier: its share and seats fall away."),
            _(
                "What it had agreed as a carrier ends with that day; the rooms are then read-only until the data is "
                "erased."
            ),
            _("Up to that day the notice can be withdrawn."),
        ],
        danger=True,
        done=_("The notice is recorded."),
    )


@staff_page(Permission.MANAGE_ACCESSIONS)
def leaving_act(request: BodyRequest, leaving_id: UUID, action: str) -> HttpResponse:
    """One act of a leaving: its form, then the one call that does it."""
    view = queries.leaving(request.actor, leaving_id, today=local_date(now()))
    if action not in LeavingAction.values or action == LeavingAction.GIVE_LEAVE_NOTICE:
        raise Http404
    chosen = LeavingAction(action)
    page = reverse("membership:leaving", args=[leaving_id])
    if chosen not in view.possible:
        notices.refused(request, _("This act is not possible now. The timeline shows what is."))
        return redirect(page)
    form = LEAVING_FORMS.get(chosen, LeavingActForm)(request.POST or None)

    def act(_data: Mapping[str, Any]) -> None:
        getattr(services, chosen.value)(request.actor, leaving_id=leaving_id, now=now(), **form.values())

    return entry(
        request,
        form,
        act,
        here="leavings",
        title=f"{chosen.label}: {view.facts.name}",
        action=str(chosen.label),
        back=page,
        above=(page, _("Leaving of %(name)s") % {"name": view.facts.name}),
        consequences=_consequences(view, chosen),
        danger=chosen in (LeavingAction.CERTIFY_ERASURE, LeavingAction.LEAVE),
        done=_("Recorded: %(act)s.") % {"act": chosen.label},
    )


def _consequences(view: queries.LeavingView, action: LeavingAction) -> list[str]:
    if action == LeavingAction.HAND_BACK_DATA:
        return [
            _("Before, the operator runs “%(command)s” and hands the folder over; its last line is the hash.")
            % {"command": f"verbund body export {view.slug}"}
        ]
    if action == LeavingAction.CERTIFY_ERASURE:
        return [
            _("Before, the operator runs “%(command)s”: only what was handed over is erased, with a certificate.")
            % {"command": "verbund body erase"},
            _("The rooms of the body no longer exist for it from then on."),
        ]
    if action == LeavingAction.LEAVE:
        return [_("The leaving is closed; nothing can be recorded for it any more.")]
    if action == LeavingAction.WITHDRAW_LEAVE_NOTICE:
        return [
            _("The body remains a carrier beyond %(day)s, with share and seats as before.")
            % {"day": short_date(view.facts.exit_on)}
        ]
    return []
