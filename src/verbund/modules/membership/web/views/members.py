"""The alliance console's pages on members: a form to plain values, one call, the answer as a page."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from verbund.modules.membership import queries, services
from verbund.modules.membership.models import MemberKind
from verbund.modules.membership.policies import Permission
from verbund.modules.membership.web.forms import ROOM_NAMES, DayForm, MemberFilterForm, RoomsForm
from verbund.platform.identity import policy
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import local_date, now


@staff_page(Permission.READ_MEMBERS)
def members(request: BodyRequest) -> HttpResponse:
    """All members with what is switched on for them; narrowed by a word or a kind."""
    form = MemberFilterForm(request.GET)
    form.is_valid()  # a filter that is none does not filter
    text = form.cleaned_data.get("text", "").casefold().strip()
    kind = form.cleaned_data.get("kind", "")
    every = queries.list_members(request.actor)
    rows = [
        {"member": m, "rooms": [ROOM_NAMES.get(r, r) for r in m.rooms]}
        for m in every
        if (not kind or m.kind == kind) and (text in m.name.casefold() or (text and m.ags.startswith(text)))
    ]
    context = {
        "rows": rows,
        "form": form,
        "filtered": bool(text or kind),
        "may_register": policy.allows(request.actor, Permission.REGISTER_BODY),
    }
    return render(request, "membership/members.html", context)


@staff_page(Permission.READ_MEMBERS)
def member(request: BodyRequest, member_id: UUID) -> HttpResponse:
    """One member, today or as of another day; whoever may, keeps what is known of it and switches its rooms here."""
    found = queries.member(request.actor, member_id)
    return _show(
        request, found, RoomsForm(kind=found.kind, initial={"rooms": list(found.rooms), "version": found.version})
    )


def _show(request: BodyRequest, found: queries.MemberFacts, form: RoomsForm, status: int = 200) -> HttpResponse:
    today = local_date(now())
    asked = DayForm(request.GET)
    day = (asked.cleaned_data.get("day") if asked.is_valid() else None) or today
    may_switch = policy.allows(request.actor, Permission.SWITCH_ROOMS)
    context = {
        "member": found,
        "form": form,
        "may_switch": may_switch and found.schema_name is not None,
        "may_see_agreements": policy.allows(request.actor, Permission.READ_CATALOGUE),
        "may_manage": policy.allows(request.actor, Permission.MANAGE_MEMBERS),
        "rooms": [ROOM_NAMES.get(r, r) for r in found.rooms],
        "body": queries.body(request.actor, found.id, day=day),
        "periods": queries.carrier_history(request.actor, found.id),
        "day_form": DayForm(initial={"day": day}),
        "day": day,
        "is_today": day == today,
        "is_amt": found.kind == MemberKind.MUNICIPAL_ASSOCIATION,
    }
    return render(request, "membership/member.html", context, status=status)


@require_POST
@staff_page(Permission.SWITCH_ROOMS)
def switch(request: BodyRequest, member_id: UUID) -> HttpResponse:
    """Switch the rooms of a member."""
    found = queries.member(request.actor, member_id)
    form = RoomsForm(request.POST, kind=found.kind)
    if not form.is_valid():
        return _show(request, found, form, status=422)
    services.switch_rooms(
        request.actor,
        member_id=member_id,
        rooms=form.cleaned_data["rooms"],
        expected_version=form.cleaned_data["version"],
        now=now(),
    )
    messages.success(request, _("The rooms have been switched. The change is visible within a quarter of a minute."))
    return redirect("membership:member", member_id=member_id)
