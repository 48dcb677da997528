"""Pages of a motion: the rule and its result, instructions, exclusions, votes, and their end."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from verbund.modules.membership import queries, services
from verbund.modules.membership.policies import Permission
from verbund.modules.membership.web import forms
from verbund.modules.membership.web.frame import ask, entry
from verbund.platform.identity import policy
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import Conflict, Invalid, local_date, now
from verbund.platform.ui import notices


def _url(motion_id: UUID) -> str:
    return reverse("membership:motion", args=[motion_id])


@staff_page(Permission.READ_BOARD)
def motion(request: BodyRequest, motion_id: UUID) -> HttpResponse:
    """One motion: what is decided, by which rule, who is bound, who has voted, and the result."""
    today = local_date(now())
    view = queries.motion(request.actor, motion_id, today=today)
    written = view.meeting.form == "written"
    all_cast = not any(c.left for c in view.carriers) or bool(view.tally and view.tally.objected)
    ready = view.meeting.held_on <= today or (written and all_cast)
    context = {
        "view": view,
        "today": today,
        "lacking": [c.name for c in view.carriers if c.needs_instruction],
        "may_lead": policy.allows(request.actor, Permission.MANAGE_BOARD),
        "may_close": ready and not view.closed and policy.allows(request.actor, Permission.MANAGE_BOARD),
        "may_vote": any(c.may_vote and c.left and not c.needs_instruction for c in view.carriers),
        "may_instruct": any(c.may_instruct for c in view.carriers),
        "may_exclude": any(c.may_exclude for c in view.carriers),
        "votes_in_meeting": not written,
    }
    return render(request, "membership/motion.html", context)


def _carrier_page(
    request: BodyRequest,
    view: queries.MotionView,
    form: forms.CarrierForm,
    act: Any,
    *,
    title: str,
    text: str,
    action: str,
    done: str,
) -> HttpResponse:
    def record(_data: Mapping[str, Any]) -> None:
        act(request.actor, motion_id=view.motion.id, now=now(), **form.values())

    back = _url(view.motion.id)
    return entry(
        request,
        form,
        record,
        here="board",
        title=title,
        text=text,
        action=action,
        back=back,
        done=done,
        above=(back, view.motion.title),
    )


def _data(request: BodyRequest) -> Any:
    return request.POST if request.method == "POST" else None


@staff_page(Permission.DECIDE_FOR_MEMBER)
def instruct(request: BodyRequest, motion_id: UUID) -> HttpResponse:
    """Record how a carrier's organ has bound its votes."""
    view = queries.motion(request.actor, motion_id)
    carriers = [c for c in view.carriers if c.may_instruct]
    if not carriers:
        notices.refused(request, _("There is no instruction left to record: all are recorded, or votes were cast."))
        return redirect(_url(motion_id))
    form = forms.InstructionForm(_data(request), carriers=carriers, chosen=request.GET.get("traeger", ""))
    return _carrier_page(
        request,
        view,
        form,
        services.record_instruction,
        title=_("Record an instruction"),
        text=_("The organ of the carrier binds its votes. It comes before the vote and cannot be changed afterwards."),
        action=_("Record the instruction"),
        done=_("The instruction is recorded."),
    )


@staff_page(Permission.DECIDE_FOR_MEMBER)
def exclude(request: BodyRequest, motion_id: UUID) -> HttpResponse:
    """Record who may not take part."""
    view = queries.motion(request.actor, motion_id)
    carriers = [c for c in view.carriers if c.may_exclude]
    if not carriers:
        notices.refused(request, _("No vote is left that somebody could be excluded from."))
        return redirect(_url(motion_id))
    form = forms.ExclusionForm(_data(request), carriers=carriers, chosen=request.GET.get("traeger", ""))
    return _carrier_page(
        request,
        view,
        form,
        services.exclude_from_vote,
        title=_("Exclude a person from the vote"),
        text=_(
            "Whoever has a conflict of interest may neither advise nor vote (§ 24 KV M-V). The seat counts neither in "
            "the vote nor in the quorum; name and reason stand in the minutes."
        ),
        action=_("Exclude from the vote"),
        done=_("The exclusion is recorded."),
    )


@staff_page(Permission.DECIDE_FOR_MEMBER)
def cast_ballots(request: BodyRequest, motion_id: UUID) -> HttpResponse:
    """Record votes: all of them at once, or a part."""
    view = queries.motion(request.actor, motion_id, today=local_date(now()))
    form = forms.BallotsForm(_data(request), view=view)
    if not form.seats:
        notices.refused(request, _("There is no vote you could record here now."))
        return redirect(_url(motion_id))
    if request.method == "POST" and form.is_valid():
        try:
            count = services.cast_ballots(request.actor, motion_id=motion_id, ballots=form.ballots(), now=now())
        except Invalid as refusal:
            form.tell(refusal)
        except Conflict as refusal:
            form.add_error(None, str(refusal.message))
        else:
            told = ngettext("%(count)s vote is recorded.", "%(count)s votes are recorded.", count)
            notices.done(request, told % {"count": count})
            return redirect(_url(motion_id))
    context = {"view": view, "form": form, "lacking": [c.name for c in view.carriers if c.needs_instruction]}
    return render(request, "membership/ballots.html", context, status=422 if form.is_bound else 200)


@staff_page(Permission.MANAGE_BOARD)
def close_vote(request: BodyRequest, motion_id: UUID) -> HttpResponse:
    """Close the vote: the result stands."""
    view = queries.motion(request.actor, motion_id)
    left = sum(c.left for c in view.carriers)
    words = ngettext("%(count)s vote has not been cast.", "%(count)s votes have not been cast.", left)
    return ask(
        request,
        lambda: services.close_vote(request.actor, motion_id=motion_id, now=now()),
        title=_("Close the vote on “%(title)s”?") % {"title": view.motion.title},
        text=_("The result is reckoned from the votes recorded and never changes again."),
        consequences=(words % {"count": left},) if left else (_("All votes have been cast."),),
        action=_("Close the vote"),
        done=_("The vote is closed, its result stands."),
        back=_url(motion_id),
    )
