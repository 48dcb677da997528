"""Administration of the keys with which other systems sign in."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from verbund.platform.identity import queries, services
from verbund.platform.identity.policies import Permission
from verbund.platform.identity.recognition import has_proved_lately
from verbund.platform.identity.routes import staff_page
from verbund.platform.tenancy import now
from verbund.platform.ui import notices
from verbund.platform.ui.context import role_name

from .forms import KeyForm, end_of, take


@staff_page(Permission.MANAGE_KEYS)
def index(request: Any) -> HttpResponse:
    """The keys there are, and where the interface is described."""
    rows = [
        {"key": row, "roles": sorted(role_name(role) for role in row.roles)}
        for row in queries.api_keys(request.actor, now=now())
    ]
    context = {"rows": rows, "description_url": request.build_absolute_uri(reverse("api:openapi"))}
    return render(request, "identity/keys.html", context)


@never_cache
@staff_page(Permission.MANAGE_KEYS)
def create(request: Any) -> HttpResponse:
    """Make a key; it is shown once, on the page that answers."""
    if not has_proved_lately(request):  # as before a second factor: an unlocked screen must not be enough
        return redirect(f"{reverse('staff_prove')}?{urlencode({'next': request.path})}")
    roles = sorted(((r.value, role_name(r.value)) for r in services.roles_for_machines()), key=lambda pair: pair[1])
    units = [(u.code, f"{u.code} {u.name}") for u in queries.units(request.actor)]
    form = KeyForm(request.POST if request.method == "POST" else None, roles=roles, units=units)
    status = 200
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        last_moment = end_of(wanted["last_day"])
        assert last_moment is not None
        try:
            made = services.create_key(
                request.actor,
                name=wanted["name"],
                roles=wanted["roles"],
                units=wanted["units"],
                may_write=wanted["may_write"],
                expires_at=last_moment,
                now=now(),
            )
        except services.KeyInvalid as invalid:
            take(form, invalid)
            status = 422
        else:
            context = {"made": made, "name": wanted["name"], "last_day": wanted["last_day"]}
            return render(request, "identity/key_made.html", context)
    return render(
        request,
        "identity/form_page.html",
        {
            "face": "ui/workspace.html",
            "title": _("New key"),
            "lead": _("Another system of your body signs in with the key, for example a specialist procedure."),
            "form": form,
            "action": _("Make key"),
            "back": "keys",
        },
        status=status,
    )


@staff_page(Permission.MANAGE_KEYS)
def revoke(request: Any, key_id: UUID) -> HttpResponse:
    """Revoke a key at once; asks before."""
    if request.method == "POST":
        services.revoke_key(request.actor, key_id=key_id, now=now())
        notices.done(request, _("The key is revoked. The system that used it is refused from now on."))
        return redirect("keys")
    row = next((row for row in queries.api_keys(request.actor, now=now()) if row.id == key_id), None)
    if row is None:
        raise services.KeyNotFound
    context = {
        "title": _("Revoke the key of “%(name)s”?") % {"name": row.name},
        "text": _("The system is refused from the next request on. This cannot be undone; make a new key if needed."),
        "action_url": request.path,
        "action": _("Revoke key"),
        "cancel_url": reverse("keys"),
        "danger": True,
    }
    return render(request, "ui/confirm.html", context)
