"""Overview, business plan, cost centres."""

from datetime import date
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from verbund.modules.costsharing import queries, services
from verbund.modules.costsharing.models import PlanPart
from verbund.modules.costsharing.policies import Permission
from verbund.modules.costsharing.web import forms
from verbund.modules.costsharing.web.frame import cents, entry, page
from verbund.platform.identity import policy
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import local_date, now


@staff_page(Permission.SEE)
def overview(request: BodyRequest) -> HttpResponse:
    """Where the year stands: plan, runs, what waits for whom."""
    today = local_date(now())
    runs = queries.runs(request.actor, limit=6)
    sheet = queries.cost_sheet(request.actor, today.year, planned=True)
    return page(
        request,
        "overview",
        "overview",
        year=today.year,
        plan=queries.current_plan(request.actor, today.year),
        sheet=sheet,
        rows=[row for row in sheet.rows if row.service_code],
        runs=runs,
        waiting=[run for run in runs if run.state in ("proposed", "checked", "released")],
        invoices=queries.invoices(request.actor, limit=5).rows,
    )


@staff_page(Permission.SEE)
def plans(request: BodyRequest) -> HttpResponse:
    """The plans, and a new draft."""
    may = policy.allows(request.actor, Permission.PLAN)
    form = forms.YearForm(request.POST or None, initial={"year": local_date(now()).year + 1})
    if request.method == "POST":
        policy.require(request.actor, Permission.PLAN)
        if form.is_valid():
            try:
                made = services.draft_plan(request.actor, year=form.cleaned_data["year"], now=now())
            except services.PlanIsResolved as refusal:
                form.add_error("year", str(refusal.message))
            except services.PlanRefused as refusal:
                form.add_error("year", "; ".join(str(text) for text in refusal.errors.values()))
            else:
                return redirect("costsharing:plan", made)
    status = 422 if form.is_bound else 200
    return page(request, "plans", "plans", status, rows=queries.plans(request.actor), form=form, may=may)


@staff_page(Permission.SEE)
def plan(request: BodyRequest, plan_id: UUID) -> HttpResponse:
    """One plan with its parts, posts and investments."""
    view = queries.plan(request.actor, plan_id)
    labels = dict(PlanPart.choices)
    parts = [(labels[part], lines, view.sums[part]) for part, lines in view.parts.items()]
    return page(
        request,
        "plan",
        "plans",
        view=view,
        parts=parts,
        result=view.sums["revenue"] - view.sums["expense"],
        may=policy.allows(request.actor, Permission.PLAN) and view.plan.is_open,
        may_resolve=policy.allows(request.actor, Permission.RESOLVE) and view.plan.is_open,
    )


@staff_page(Permission.PLAN)
def add_line(request: BodyRequest, plan_id: UUID) -> HttpResponse:
    """A line more."""
    queries.plan(request.actor, plan_id)
    form = forms.LineForm(request.POST or None, actor=request.actor, today=local_date(now()))

    def act(data: dict[str, Any]) -> None:
        amount = cents(data.pop("euros"))
        key = form.idempotency_key()
        services.add_plan_line(request.actor, plan_id=plan_id, cents=amount, now=now(), idempotency_key=key, **data)

    return entry(
        request,
        form,
        act,
        current="plans",
        title=_("Add a line"),
        action=_("Add"),
        back=reverse("costsharing:plan", args=[plan_id]),
        done=_("The line is added."),
    )


@staff_page(Permission.PLAN)
def add_post(request: BodyRequest, plan_id: UUID) -> HttpResponse:
    """A post more."""
    queries.plan(request.actor, plan_id)
    form = forms.PostForm(request.POST or None, actor=request.actor, today=local_date(now()))
    return entry(
        request,
        form,
        lambda data: services.add_post(
            request.actor, plan_id=plan_id, now=now(), idempotency_key=form.idempotency_key(), **data
        ),
        current="plans",
        title=_("Add a post"),
        action=_("Add"),
        back=reverse("costsharing:plan", args=[plan_id]),
        done=_("The post is added."),
    )


@staff_page(Permission.RESOLVE)
def resolve(request: BodyRequest, plan_id: UUID) -> HttpResponse:
    """The board has resolved the plan."""
    queries.plan(request.actor, plan_id)
    return entry(
        request,
        forms.ResolveForm(request.POST or None),
        lambda data: services.resolve_plan(request.actor, plan_id=plan_id, now=now(), **data),
        current="plans",
        title=_("Record the resolution"),
        action=_("Record"),
        back=reverse("costsharing:plan", args=[plan_id]),
        done=_("The plan is resolved; its figures are fixed."),
        text=_("From then on the plan cannot be changed. What changes later needs a supplement."),
    )


@staff_page(Permission.SEE)
def centres(request: BodyRequest, year: int) -> HttpResponse:
    """Costs by centre, planned and actual, after overhead was handed down."""
    year = min(max(year, 2000), 2100)
    return page(
        request,
        "centres",
        "plans",
        year=year,
        sheets=[
            (_("Planned"), queries.cost_sheet(request.actor, year, planned=True)),
            (_("Actual"), queries.cost_sheet(request.actor, year, planned=False)),
        ],
        may=policy.allows(request.actor, Permission.PLAN),
    )


@staff_page(Permission.PLAN)
def record_cost(request: BodyRequest, year: int) -> HttpResponse:
    """Actual cost or other income of a centre."""
    year = min(max(year, 2000), 2100)
    form = forms.CostForm(request.POST or None, actor=request.actor, today=date(year, 1, 1))

    def act(data: dict[str, Any]) -> None:
        amount = cents(data.pop("euros"))
        key = form.idempotency_key()
        services.record_cost(request.actor, year=year, cents=amount, now=now(), idempotency_key=key, **data)

    return entry(
        request,
        form,
        act,
        current="plans",
        title=_("Record actual cost of %(year)d") % {"year": year},
        action=_("Record"),
        back=reverse("costsharing:centres", args=[year]),
        done=_("The cost is recorded."),
    )
