"""Quantities, single costs, prices."""

import base64
import binascii
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from verbund.modules.costsharing import queries, services
from verbund.modules.costsharing.policies import Permission
from verbund.modules.costsharing.web import forms
from verbund.modules.costsharing.web.frame import cents, entry, page, uuid_or_none
from verbund.platform.identity import policy
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import local_date, now
from verbund.platform.tenancy.models import BodyKind
from verbund.platform.ui import notices

_LIMIT = 5 * 1024 * 1024 + 1
_KEPT = 1024 * 1024  # a preview carries the table in its form up to this size


@staff_page(Permission.SEE)
def measures(request: BodyRequest) -> HttpResponse:
    """The quantities that count, with their history."""
    today = local_date(now())
    form = forms.MeasureFilter(request.GET, actor=request.actor, today=today)
    wanted = form.cleaned_data if form.is_valid() else {}
    found = queries.measures(
        request.actor,
        member_id=uuid_or_none(wanted.get("member_id", "")),
        service_code=wanted.get("service_code", ""),
        after=request.GET.get("after", ""),
    )
    names = {party.id: party.name for party in queries.parties(request.actor)}
    offered = {service.code: service for service in queries.catalogue(request.actor, today)}
    rows = [
        (row, names.get(row.member_id, "–"), offered[row.service_code].name if row.service_code in offered else "")
        for row in found.rows
    ]
    may = policy.allows(request.actor, Permission.MEASURE)
    return page(request, "measures", "measures", rows=rows, form=form, next_page={"next": found.after}, may=may)


@staff_page(Permission.MEASURE)
def record_measure(request: BodyRequest) -> HttpResponse:
    """One quantity."""
    form = forms.MeasureForm(request.POST or None, actor=request.actor, today=local_date(now()))

    def act(data: dict[str, Any]) -> None:
        member = UUID(data.pop("member_id"))
        key = form.idempotency_key()
        services.record_measure(request.actor, member_id=member, now=now(), idempotency_key=key, **data)

    return entry(
        request,
        form,
        act,
        current="measures",
        title=_("Record a quantity"),
        action=_("Record"),
        back=reverse("costsharing:measures"),
        done=_("The quantity is recorded."),
    )


@staff_page(Permission.MEASURE)
def import_measures(request: BodyRequest) -> HttpResponse:
    """A table: first the preview, then the import of the very same bytes."""
    form = forms.ImportForm(request.POST or None, request.FILES or None)
    report, problems, content = None, [], b""
    if request.method == "POST":
        write = "take" in request.POST
        if write:
            form = forms.ImportForm()
            try:
                content = base64.b64decode(request.POST.get("table", ""), validate=True)
            except (binascii.Error, ValueError):
                content = b""
            reason = request.POST.get("reason", "")
        elif form.is_valid():
            content, reason = form.cleaned_data["file"].read(_LIMIT), form.cleaned_data["reason"]
        if content or write:
            try:
                report = services.import_measures(request.actor, content=content, reason=reason, write=write, now=now())
            except services.ImportRefused as refused:
                problems = refused.problems
            else:
                if write:
                    said = _("%(count)d quantities are taken over.") % {"count": len(report.new)}
                    notices.done(request, said if report.new else _("This table was taken over before."))
                    return redirect("costsharing:measures")
    status = 422 if request.method == "POST" and report is None else 200
    return page(
        request,
        "import",
        "measures",
        status,
        form=form,
        report=report,
        shown=report.lines[:100] if report else (),
        problems=problems[:200],
        more=max(len(problems) - 200, 0),
        table=base64.b64encode(content).decode() if report and len(content) <= _KEPT else "",
        too_long=bool(report) and len(content) > _KEPT,
        reason=request.POST.get("reason", ""),
    )


@staff_page(Permission.SEE)
def items(request: BodyRequest) -> HttpResponse:
    """Projects and costs that are passed on."""
    names = {party.id: party.name for party in queries.parties(request.actor)}
    rows = [(item, names.get(item.member_id, "–")) for item in queries.cost_items(request.actor)]
    return page(request, "items", "items", rows=rows, may=policy.allows(request.actor, Permission.MEASURE))


@staff_page(Permission.MEASURE)
def record_item(request: BodyRequest) -> HttpResponse:
    """One cost that is charged as it is."""
    form = forms.ItemForm(request.POST or None, actor=request.actor, today=local_date(now()))

    def act(data: dict[str, Any]) -> None:
        values: dict[str, Any] = {
            "member_id": UUID(data.pop("member_id")),
            "cents": cents(data.pop("euros")),
            "subsidy_cents": cents(data.pop("subsidy")),
            "idempotency_key": form.idempotency_key(),
        }
        services.record_cost_item(request.actor, now=now(), **values, **data)

    return entry(
        request,
        form,
        act,
        current="items",
        title=_("Record a single cost"),
        action=_("Record"),
        back=reverse("costsharing:items"),
        done=_("The cost is recorded."),
    )


@staff_page(Permission.SEE)
def prices(request: BodyRequest) -> HttpResponse:
    """Tariffs, rules, tax reviews and keys."""
    found = queries.prices(request.actor)
    kinds = dict(BodyKind.choices)
    return page(
        request,
        "prices",
        "prices",
        tariffs=found.tariffs,
        rules=[(rule, rule.id in found.doubtful) for rule in found.rules],
        treatments=[
            (row, forms.TREATMENT_NAMES[row.treatment], kinds.get(row.recipient_kind, "")) for row in found.treatments
        ],
        keys=found.keys,
        may=policy.allows(request.actor, Permission.SET_PRICES),
    )


def _price_entry(request: BodyRequest, form: Any, act: Any, title: str, done: str, text: str = "") -> HttpResponse:
    return entry(
        request,
        form,
        act,
        current="prices",
        title=title,
        action=_("Save"),
        back=reverse("costsharing:prices"),
        done=done,
        text=text,
    )


@staff_page(Permission.SET_PRICES)
def set_tariff(request: BodyRequest) -> HttpResponse:
    """A price from a day on."""
    form = forms.TariffForm(request.POST or None, actor=request.actor, today=local_date(now()))
    return _price_entry(
        request,
        form,
        lambda data: services.set_tariff(request.actor, now=now(), idempotency_key=form.idempotency_key(), **data),
        _("Set a tariff"),
        _("The tariff is set."),
    )


@staff_page(Permission.SET_PRICES)
def set_rule(request: BodyRequest) -> HttpResponse:
    """How a service is charged."""
    form = forms.RuleForm(request.POST or None, actor=request.actor, today=local_date(now()))

    def act(data: dict[str, Any]) -> None:
        if services.set_rule(request.actor, now=now(), **data):
            notices.refused(
                request,
                _("A key of inhabitants alone on a service charged by contract: have a lawyer look at it."),
            )

    return _price_entry(request, form, act, _("Set the rule of a service"), _("The rule is set."))


@staff_page(Permission.SET_PRICES)
def review_tax(request: BodyRequest) -> HttpResponse:
    """A reviewed tax treatment."""
    form = forms.TaxForm(request.POST or None, actor=request.actor, today=local_date(now()))
    return _price_entry(
        request,
        form,
        lambda data: services.review_tax(request.actor, now=now(), idempotency_key=form.idempotency_key(), **data),
        _("Record a tax review"),
        _("The review is recorded."),
        _("The treatment is never inferred. It holds for what is performed from its first day on."),
    )


@staff_page(Permission.SET_PRICES)
def define_key(request: BodyRequest) -> HttpResponse:
    """A key of weighted parts."""

    def act(data: dict[str, Any]) -> None:
        parts = {name.removeprefix("weight_"): w for name, w in data.items() if name.startswith("weight_") and w}
        services.define_key(
            request.actor,
            code=data["code"],
            name=data["name"],
            justification=data["justification"],
            parts=parts,
            now=now(),
        )

    return _price_entry(request, forms.KeyForm(request.POST or None), act, _("Define a key"), _("The key is defined."))
