"""Pages of the accessions: the list, one as a timeline, and a form for each act."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from verbund.modules.membership import queries, services
from verbund.modules.membership.models import Action, MemberKind
from verbund.modules.membership.policies import Permission
from verbund.modules.membership.web.forms import FORMS, ActForm, InquiryForm
from verbund.modules.membership.web.frame import tell
from verbund.platform.identity import policy
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import Conflict, Invalid, local_date, now
from verbund.platform.ui import notices

TONES = {"done": "success", "now": "warning", "stopped": "danger"}


@staff_page(Permission.READ_ACCESSIONS)
def accessions(request: BodyRequest) -> HttpResponse:
    """All accessions."""
    return render(
        request,
        "membership/accessions.html",
        {
            "rows": queries.accessions(request.actor),
            "may_open": policy.allows(request.actor, Permission.MANAGE_ACCESSIONS),
        },
    )


@staff_page(Permission.READ_ACCESSIONS)
def accession(request: BodyRequest, accession_id: UUID) -> HttpResponse:
    """One accession as a timeline, with what may be done next."""
    view = queries.accession(request.actor, accession_id, today=local_date(now()))
    steps = [{"step": step, "tone": TONES.get(step.state, "")} for step in view.steps]
    return render(
        request, "membership/accession.html", {"accession": view, "steps": steps, "acts": tuple(reversed(view.acts))}
    )


@staff_page(Permission.MANAGE_ACCESSIONS)
def open_accession(request: BodyRequest) -> HttpResponse:
    """Open an accession with the candidate's inquiry."""
    members = queries.list_members(request.actor)
    authorities = [(str(m.id), m.name) for m in members if m.kind in (MemberKind.STATE_AUTHORITY, MemberKind.COUNTY)]
    candidates = [
        (str(m.id), m.name) for m in members if m.kind not in (MemberKind.STATE_AUTHORITY, MemberKind.ALLIANCE)
    ]
    form = InquiryForm(request.POST or None, candidates=candidates, authorities=authorities)
    if request.method == "POST" and form.is_valid():
        try:
            found = services.open_inquiry(request.actor, now=now(), **form.values())
        except (Conflict, Invalid) as refusal:
            tell(form, refusal)
        else:
            notices.done(request, _("The accession is open."))
            return redirect("membership:accession", found)
    return render(
        request,
        "membership/inquiry.html",
        {"form": form},
        status=422 if request.method == "POST" else 200,
    )


@staff_page(Permission.MANAGE_ACCESSIONS, Permission.DECIDE_FOR_MEMBER)
def act(request: BodyRequest, accession_id: UUID, action: str) -> HttpResponse:
    """One act of an accession: its form, then the one call that does it."""
    view = queries.accession(request.actor, accession_id, today=local_date(now()))
    if action not in Action.values or action == Action.OPEN_INQUIRY:
        raise Http404
    chosen = Action(action)
    if chosen not in view.possible:
        notices.refused(request, _("This act is not possible now. The timeline shows what is."))
        return redirect("membership:accession", accession_id)
    form = FORMS.get(chosen, ActForm)(request.POST or None, view=view)
    if request.method == "POST" and form.is_valid():
        try:
            getattr(services, chosen.value)(request.actor, accession_id=accession_id, now=now(), **form.values())
        except (Conflict, Invalid) as refusal:
            tell(form, refusal)
        else:
            notices.done(request, _("Recorded: %(act)s.") % {"act": chosen.label})
            return redirect("membership:accession", accession_id)
    return render(
        request,
        "membership/act.html",
        {"form": form, "accession": view, "action": chosen},
        status=422 if request.method == "POST" else 200,
    )
