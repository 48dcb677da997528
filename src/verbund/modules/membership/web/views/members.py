"""The alliance console's pages on members: a form to plain values, one call, the answer as a page."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from verbund.modules.membership import queries, services
from verbund.modules.membership.policies import Permission
from verbund.modules.membership.web.forms import ROOM_NAMES, RoomsForm
from verbund.platform.identity import policy
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import local_date, now


@staff_page(Permission.READ_MEMBERS)
def members(request: BodyRequest) -> HttpResponse:
    """All members with what is switched on for them."""
    rows = [
        {"member": m, "rooms": [ROOM_NAMES.get(r, r) for r in m.rooms]} for m in queries.list_members(request.actor)
    ]
    return render(request, "membership/members.html", {"rows": rows})


@staff_page(Permission.READ_MEMBERS)
def member(request: BodyRequest, member_id: UUID) -> HttpResponse:
    """One member; whoever may, switches its rooms here."""
    found = queries.member(request.actor, member_id)
    form = RoomsForm(initial={"rooms": list(found.rooms), "version": found.version})
    may_switch = policy.allows(request.actor, Permission.SWITCH_ROOMS)
    rooms = [ROOM_NAMES.get(r, r) for r in found.rooms]
    today = local_date(now())
    context = {
        "member": found,
        "form": form,
        "may_switch": may_switch and found.schema_name is not None,
        "rooms": rooms,
        "may_see_agreements": policy.allows(request.actor, Permission.READ_CATALOGUE),
        "body": queries.body(request.actor, member_id, day=today),
        "periods": queries.carrier_history(request.actor, member_id),
    }
    return render(request, "membership/member.html", context)


@require_POST
@staff_page(Permission.SWITCH_ROOMS)
def switch(request: BodyRequest, member_id: UUID) -> HttpResponse:
    """Switch the rooms of a member."""
    form = RoomsForm(request.POST)
    if not form.is_valid():
        found = queries.member(request.actor, member_id)
        return render(
            request, "membership/member.html", {"member": found, "form": form, "may_switch": True}, status=422
        )
    services.switch_rooms(
        request.actor,
        member_id=member_id,
        rooms=form.cleaned_data["rooms"],
        expected_version=form.cleaned_data["version"],
        now=now(),
    )
    messages.success(request, _("The rooms have been switched. The change is visible within a quarter of a minute."))
    return redirect("membership:member", member_id=member_id)
