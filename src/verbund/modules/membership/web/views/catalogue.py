"""Pages of the catalogue of services: the list, one service with its versions, and the acts on it."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from verbund.modules.membership import queries, services
from verbund.modules.membership.policies import Permission
from verbund.modules.membership.web.forms import ROOM_NAMES
from verbund.modules.membership.web.forms.services import CatalogueFilter, EndServiceForm, ServiceForm, VersionForm
from verbund.modules.membership.web.frame import entry
from verbund.platform.identity import policy
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import local_date, now

STATES = {
    queries.IN_FORCE: "success",
    queries.PLANNED: "info",
    queries.ENDED: "neutral",
}


def rooms_named(rooms: tuple[str, ...]) -> list[str]:
    """The rooms as people know them."""
    return [str(ROOM_NAMES.get(room, room)) for room in rooms]


def tax_lines(request: BodyRequest) -> dict[str, list[dict[str, object]]] | None:
    """What was reviewed about tax, by service; None where the reader may not see it."""
    found: dict[str, list[dict[str, object]]] | None = import_string(settings.TAX_LINES)(
        request.actor, day=local_date(now())
    )
    return found


@staff_page(Permission.READ_CATALOGUE)
def catalogue(request: BodyRequest) -> HttpResponse:
    """The services of the alliance."""
    form = CatalogueFilter(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {}
    rows = queries.catalogue(
        request.actor,
        day=local_date(now()),
        text=wanted.get("q", ""),
        room=wanted.get("room", ""),
        unit=wanted.get("unit", ""),
        ended=wanted.get("ended", False),
    )
    taxes = tax_lines(request)
    shown = [
        {
            "row": row,
            "rooms": rooms_named(row.service.rooms),
            "tone": STATES[row.state],
            "reviewed": bool(taxes and taxes.get(row.service.code)),
        }
        for row in rows
    ]
    return render(
        request,
        "membership/catalogue.html",
        {
            "rows": shown,
            "form": form,
            "filtered": any(wanted.values()),
            "taxes_shown": taxes is not None,
            "all_bodies": policy.allows(request.actor, Permission.READ_MEMBERS),
            "may_manage": policy.allows(request.actor, Permission.MANAGE_CATALOGUE),
        },
    )


@staff_page(Permission.READ_CATALOGUE)
def service(request: BodyRequest, code: str) -> HttpResponse:
    """One service: what it is today, its versions, its tax, and who has it."""
    view = queries.service(request.actor, code, day=local_date(now()))
    taxes = tax_lines(request)
    may_manage = policy.allows(request.actor, Permission.MANAGE_CATALOGUE)
    return render(
        request,
        "membership/service.html",
        {
            "view": view,
            "current": next(row for row in view.versions if row.service == view.current),
            "rooms": rooms_named(view.current.rooms),
            "versions": [{"row": row, "rooms": rooms_named(row.service.rooms)} for row in view.versions],
            "tone": STATES[view.state],
            "tones": STATES,
            "taxes_shown": taxes is not None,
            "taxes": (taxes or {}).get(code, []),
            "agreements": [{"row": row, "tone": STATES[row.state]} for row in view.agreements],
            "may_manage": may_manage and view.state != queries.ENDED,
            "may_agree": policy.allows(request.actor, Permission.MANAGE_AGREEMENTS) and view.state != queries.ENDED,
        },
    )


@staff_page(Permission.MANAGE_CATALOGUE)
def define_service(request: BodyRequest) -> HttpResponse:
    """Put a new service into the catalogue."""
    form = ServiceForm(request.POST or None, initial={"valid_from": local_date(now())})

    def act(data: Mapping[str, Any]) -> str:
        made = services.define_service(request.actor, expected_version=0, now=now(), **data)
        return reverse("membership:service", args=[made.code])

    return entry(
        request,
        form,
        act,
        here="catalogue",
        title=_("New service"),
        action=_("Put into the catalogue"),
        back=reverse("membership:catalogue"),
        above=(reverse("membership:catalogue"), _("Service catalogue")),
        done=_("The service stands in the catalogue."),
    )


@staff_page(Permission.MANAGE_CATALOGUE)
def change_service(request: BodyRequest, code: str) -> HttpResponse:
    """Change a service: a new version from a day on."""
    found = queries.service(request.actor, code, day=local_date(now())).current
    known = ("name", "description", "level", "unit", "price_basis", "version")
    form = VersionForm(
        request.POST or None, initial={**{name: getattr(found, name) for name in known}, "rooms": list(found.rooms)}
    )

    def act(data: Mapping[str, Any]) -> None:
        values = {name: value for name, value in data.items() if name != "version"}
        services.define_service(request.actor, code=code, expected_version=data["version"], now=now(), **values)

    page = reverse("membership:service", args=[code])
    return entry(
        request,
        form,
        act,
        here="catalogue",
        title=_("Change %(name)s") % {"name": found.name},
        action=_("Make the new version"),
        back=page,
        above=(page, f"{found.code} {found.name}"),
        text=_(
            "A new version holds from its first day on; the one before ends on the day before. Agreements go on and "
            "follow the new version."
        ),
        done=_("The new version stands in the catalogue."),
    )


@staff_page(Permission.MANAGE_CATALOGUE)
def end_service(request: BodyRequest, code: str) -> HttpResponse:
    """Take a service out of the catalogue from a day on."""
    view = queries.service(request.actor, code, day=local_date(now()))
    form = EndServiceForm(request.POST or None, initial={"version": view.current.version})

    def act(data: Mapping[str, Any]) -> None:
        services.end_service(
            request.actor,
            code=code,
            last_day=data["last_day"],
            reason=data["reason"],
            expected_version=data["version"],
            now=now(),
        )

    page = reverse("membership:service", args=[code])
    going_on = [row for row in view.agreements if row.facts.valid_until is None]
    consequences = [
        _("From the day after nobody can agree on it any more; what was agreed up to then stays on record."),
    ]
    if going_on:
        consequences.append(
            _("These bodies have an agreement without an end, which must be ended first: %(names)s.")
            % {"names": ", ".join(row.member_name for row in going_on)}
        )
    return entry(
        request,
        form,
        act,
        here="catalogue",
        title=_("End %(name)s") % {"name": view.current.name},
        action=_("End the service"),
        back=page,
        above=(page, f"{view.current.code} {view.current.name}"),
        consequences=consequences,
        danger=True,
        done=_("The service ends."),
    )
