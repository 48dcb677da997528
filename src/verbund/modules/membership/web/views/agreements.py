"""Pages of the agreements: who has which service, by body, by service, and the acts on one."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from verbund.modules.membership import queries, services
from verbund.modules.membership.models import MemberKind
from verbund.modules.membership.policies import Permission
from verbund.modules.membership.web.forms.services import (
    AgreeForm,
    AgreementFilter,
    ChangeAgreementForm,
    EndAgreementForm,
)
from verbund.modules.membership.web.frame import csv_file, entry
from verbund.modules.membership.web.views.catalogue import STATES, rooms_named
from verbund.platform.identity import policy
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import local_date, now
from verbund.platform.ui.templatetags.ui import short_date

STATE_NAMES = {
    queries.IN_FORCE: gettext_lazy("in force"),
    queries.PLANNED: gettext_lazy("planned"),
    queries.ENDED: gettext_lazy("ended"),
}


def _bodies(request: BodyRequest) -> list[tuple[str, str]]:
    """The bodies that use services: not the alliance itself, and no authority."""
    kinds = (MemberKind.ALLIANCE, MemberKind.STATE_AUTHORITY)
    return [(str(m.id), m.name) for m in queries.list_members(request.actor) if m.kind not in kinds]


def _services(request: BodyRequest, *, ended: bool) -> list[tuple[str, str]]:
    rows = queries.catalogue(request.actor, day=local_date(now()), ended=ended)
    return [(row.service.code, f"{row.service.code} {row.service.name}") for row in rows]


@staff_page(Permission.READ_CATALOGUE)
def agreements(request: BodyRequest) -> HttpResponse:
    """All agreements as a list that can be narrowed, and as a file."""
    form = AgreementFilter(request.GET, members=_bodies(request), services=_services(request, ended=True))
    wanted = form.cleaned_data if form.is_valid() else {}
    rows = queries.agreement_rows(
        request.actor,
        day=local_date(now()),
        member_id=UUID(wanted["member"]) if wanted.get("member") else None,
        service_code=wanted.get("service", ""),
        state=wanted.get("state", ""),
    )
    if "csv" in request.GET:
        return _file(rows)
    return render(
        request,
        "membership/agreements.html",
        {
            "rows": [{"row": row, "tone": STATES[row.state], "state": str(STATE_NAMES[row.state])} for row in rows],
            "form": form,
            "filtered": any(wanted.values()),
            "in_force": sum(row.state == queries.IN_FORCE for row in rows),
            "query": request.GET.urlencode(),
            "may_agree": policy.allows(request.actor, Permission.MANAGE_AGREEMENTS),
        },
    )


def _file(rows: list[queries.AgreementRow]) -> HttpResponse:
    headers = (
        _("Body"),
        _("Code"),
        _("Service"),
        _("First day"),
        _("Last day"),
        _("The body uses it"),
        _("At most"),
        _("Unit"),
        _("State"),
        _("Rests on"),
        _("Reason of the end"),
    )
    lines = [
        (
            row.member_name,
            row.facts.service_code,
            row.service_name,
            row.facts.valid_from,
            row.facts.valid_until,
            _("as a carrier") if row.facts.as_carrier else _("as a co-user"),
            row.facts.quantity_limit,
            row.unit_label,
            str(STATE_NAMES[row.state]),
            row.facts.basis,
            row.facts.end_reason,
        )
        for row in rows
    ]
    return csv_file("vereinbarungen.csv", headers, lines)


@staff_page(Permission.READ_CATALOGUE)
def matrix(request: BodyRequest) -> HttpResponse:
    """Who has which service today: a row for each body, a column for each service."""
    today = local_date(now())
    rows = queries.agreement_rows(request.actor, day=today, state=queries.IN_FORCE)
    codes = sorted({row.facts.service_code for row in rows})
    names = {row.facts.service_code: row.service_name for row in rows}
    cells: dict[tuple[UUID, str], queries.AgreementRow] = {
        (row.facts.member_id, row.facts.service_code): row for row in rows
    }
    bodies = [
        {"id": member, "name": name, "cells": [cells.get((UUID(member), code)) for code in codes]}
        for member, name in _bodies(request)
    ]
    services_ = [{"code": code, "name": names[code]} for code in codes]
    return render(request, "membership/matrix.html", {"services": services_, "bodies": bodies, "today": today})


@staff_page(Permission.READ_CATALOGUE)
def body_agreements(request: BodyRequest, member_id: UUID) -> HttpResponse:
    """What is agreed with one body, and which rooms it has by that."""
    member = queries.member(request.actor, member_id)
    today = local_date(now())
    rows = queries.agreement_rows(request.actor, day=today, member_id=member_id)
    agreed = queries.agreed_rooms(request.actor, start=today, end=today, members=[member_id]).get(member_id)
    return render(
        request,
        "membership/body_agreements.html",
        {
            "member": member,
            "rows": [{"row": row, "tone": STATES[row.state], "state": str(STATE_NAMES[row.state])} for row in rows],
            "rooms": rooms_named(tuple(sorted(agreed or ()))),
            "may_agree": policy.allows(request.actor, Permission.MANAGE_AGREEMENTS),
        },
    )


@staff_page(Permission.READ_CATALOGUE)
def agreement(request: BodyRequest, agreement_id: UUID) -> HttpResponse:
    """One agreement: what it says, what its service contains, and what its end would bring."""
    today = local_date(now())
    row = queries.agreement_view(request.actor, agreement_id, day=today)
    view = queries.service(request.actor, row.facts.service_code, day=today)
    open_ended = row.facts.valid_until is None or row.facts.valid_until >= today
    until = row.facts.valid_until
    return render(
        request,
        "membership/agreement.html",
        {
            "row": row,
            "tone": STATES[row.state],
            "state": str(STATE_NAMES[row.state]),
            "service": view.current,
            "rooms": rooms_named(view.current.rooms),
            "consequences": _consequences(request, agreement_id, until) if until else [],
            "may_manage": open_ended and policy.allows(request.actor, Permission.MANAGE_AGREEMENTS),
        },
    )


@staff_page(Permission.MANAGE_AGREEMENTS)
def agree(request: BodyRequest) -> HttpResponse:
    """Agree a service with a body."""
    offered = {
        "member_id": request.GET.get("koerperschaft", ""),
        "service_code": request.GET.get("leistung", ""),
        "valid_from": local_date(now()),
    }
    form = AgreeForm(
        request.POST or None,
        members=_bodies(request),
        services=_services(request, ended=False),
        initial=offered,
    )

    def act(_data: Mapping[str, Any]) -> str:
        made = services.agree_service(request.actor, now=now(), **form.values())
        return reverse("membership:agreement", args=[made.id])

    return entry(
        request,
        form,
        act,
        here="agreements",
        title=_("Agree a service"),
        action=_("Agree"),
        back=reverse("membership:agreements"),
        above=(reverse("membership:agreements"), _("Agreements")),
        text=_("What is in force today takes effect at once: the rooms of the service are switched on for the body."),
        done=_("The service is agreed."),
    )


@staff_page(Permission.MANAGE_AGREEMENTS)
def change_agreement(request: BodyRequest, agreement_id: UUID) -> HttpResponse:
    """Change an agreement from a day on."""
    row = queries.agreement_view(request.actor, agreement_id, day=local_date(now()))
    facts = row.facts
    form = ChangeAgreementForm(
        request.POST or None,
        initial={
            "role": "carrier" if facts.as_carrier else "co_user",
            "quantity_limit": facts.quantity_limit,
            "basis": facts.basis,
            "version": facts.version,
        },
    )

    def act(data: Mapping[str, Any]) -> str:
        made = services.change_agreement(
            request.actor,
            agreement_id=agreement_id,
            from_day=data["from_day"],
            expected_version=data["version"],
            now=now(),
            **form.terms(),
        )
        return reverse("membership:agreement", args=[made.id])

    page = reverse("membership:agreement", args=[agreement_id])
    return entry(
        request,
        form,
        act,
        here="agreements",
        title=_("Change the agreement"),
        action=_("Change from that day on"),
        back=page,
        above=(page, f"{row.member_name}: {row.service_name}"),
        done=_("The agreement is changed from that day on."),
    )


@staff_page(Permission.MANAGE_AGREEMENTS)
def end_agreement(request: BodyRequest, agreement_id: UUID) -> HttpResponse:
    """End an agreement on a day; before that the page says what then happens."""
    today = local_date(now())
    row = queries.agreement_view(request.actor, agreement_id, day=today)
    form = EndAgreementForm(request.POST or None, initial={"version": row.facts.version})

    def act(data: Mapping[str, Any]) -> None:
        services.end_agreement(
            request.actor,
            agreement_id=agreement_id,
            last_day=data["last_day"],
            reason=data["reason"],
            expected_version=data["version"],
            now=now(),
        )

    page = reverse("membership:agreement", args=[agreement_id])
    return entry(
        request,
        form,
        act,
        here="agreements",
        title=_("End the agreement with %(name)s") % {"name": row.member_name},
        action=_("End the agreement"),
        back=page,
        above=(page, f"{row.member_name}: {row.service_name}"),
        text=_("Service: %(name)s.") % {"name": row.service_name},
        consequences=_consequences(request, agreement_id, None),
        danger=True,
        done=_("The agreement ends on that day."),
    )


def _consequences(request: BodyRequest, agreement_id: UUID, last_day: Any) -> list[str]:
    """What then happens, in words; without a day in general."""
    effects = queries.end_effects(request.actor, agreement_id, last_day=last_day or local_date(now()))
    lost, kept = rooms_named(effects.lost), rooms_named(effects.kept)
    if not lost:
        lines = [_("No room is closed for the body by this end.")]
    elif last_day is None:
        lines = [
            _(
                "From the day after these rooms are read-only for the body: %(rooms)s. Nothing can be entered or "
                "changed any more."
            )
            % {"rooms": ", ".join(lost)},
            _(
                "They can be read, searched, printed and exported for %(days)s days; then they no longer exist for the "
                "body."
            )
            % {"days": settings.VERBUND_HANDOVER_DAYS},
        ]
    else:
        lines = [
            _("After %(day)s these rooms are read-only for the body: %(rooms)s.")
            % {"day": short_date(last_day), "rooms": ", ".join(lost)},
            _("They can be read, searched, printed and exported up to %(day)s; then they no longer exist for the body.")
            % {"day": short_date(effects.readable_until)},
        ]
    if lost:
        lines.append(
            _(
                "Until then the operator hands the data over with “verbund body export”; it stays stored until it is "
                "erased with a certificate."
            )
        )
    if kept:
        lines.append(_("Another agreement keeps open: %(rooms)s.") % {"rooms": ", ".join(kept)})
    return lines
