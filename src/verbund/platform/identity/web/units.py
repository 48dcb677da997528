"""Administration of the organisational units."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from verbund.platform.identity import queries, services
from verbund.platform.identity.policies import Permission
from verbund.platform.identity.routes import staff_page
from verbund.platform.tenancy import now
from verbund.platform.ui import notices

from .forms import NewUnitForm, UnitForm, take


@staff_page(Permission.MANAGE_UNITS)
def index(request: Any) -> HttpResponse:
    """The organisation chart."""
    return render(request, "identity/units.html", {"units": queries.units(request.actor, with_closed=True)})


@staff_page(Permission.MANAGE_UNITS)
def create(request: Any) -> HttpResponse:
    """Add a unit."""
    form = NewUnitForm(request.POST if request.method == "POST" else None, units=_choices(request))
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            services.create_unit(request.actor, now=now(), **form.cleaned_data)
        except services.UnitInvalid as invalid:
            take(form, invalid)
            status = 422
        except services.UnitConflict as conflict:
            form.add_error("code", str(conflict.message))
            status = 409
        else:
            notices.done(request, _("The unit is added."))
            return redirect("units")
    return _form(request, _("New unit"), form, _("Add unit"), status)


@staff_page(Permission.MANAGE_UNITS)
def change(request: Any, code: str) -> HttpResponse:
    """Rename, move or close a unit."""
    row = next((u for u in queries.units(request.actor, with_closed=True) if u.code == code), None)
    if row is None:
        raise services.UnitNotFound
    form = UnitForm(
        request.POST or None,
        units=[pair for pair in _choices(request) if pair[0] != code],
        initial={"name": row.name, "parent": row.parent, "is_active": row.is_active},
    )
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            services.change_unit(request.actor, code=code, now=now(), **form.cleaned_data)
        except services.UnitInvalid as invalid:
            take(form, invalid)
            status = 422
        else:
            notices.done(request, _("The changes are saved."))
            return redirect("units")
    return _form(request, f"{row.code} {row.name}", form, _("Save"), status)


def _choices(request: Any) -> list[tuple[str, str]]:
    return [(u.code, f"{u.code} {u.name}") for u in queries.units(request.actor)]


def _form(request: Any, title: str, form: Any, action: str, status: int) -> HttpResponse:
    return render(
        request,
        "identity/form_page.html",
        {"face": "ui/workspace.html", "title": title, "form": form, "action": action, "back_url": reverse("units")},
        status=status,
    )
