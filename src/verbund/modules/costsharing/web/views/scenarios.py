"""What joining would cost."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from verbund.modules.costsharing import queries, services
from verbund.modules.costsharing.policies import Permission
from verbund.modules.costsharing.web import forms
from verbund.modules.costsharing.web.frame import cents, entry, page
from verbund.platform.identity import policy
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import local_date, now


@staff_page(Permission.SEE)
def scenarios(request: BodyRequest) -> HttpResponse:
    """The scenarios that were reckoned."""
    rows = queries.scenarios(request.actor)
    may = policy.allows(request.actor, Permission.PROPOSE)
    return page(request, "scenarios", "scenarios", rows=rows, may=may)


@staff_page(Permission.PROPOSE)
def new_scenario(request: BodyRequest) -> HttpResponse:
    """Reckon a scenario."""
    form = forms.ScenarioForm(request.POST or None, actor=request.actor, today=local_date(now()))
    made: list[UUID] = []

    def act(data: dict[str, Any]) -> None:
        demands = [services.Demand(code, data[name]) for name, code in form.codes.items() if data.get(name) is not None]
        keys = {kind: data[kind] for kind in ("inhabitants", "workplaces") if data.get(kind) is not None}
        made.append(
            services.reckon_scenario(
                request.actor,
                name=data["name"],
                kind=data["kind"],
                year=data["joins_on"].year,
                joins_on=data["joins_on"],
                demands=demands,
                key_values=keys,
                alone_cents=cents(data["alone"]),
                once_cents=cents(data["change"]),
                now=now(),
                idempotency_key=form.idempotency_key(),
            )
        )

    answer = entry(
        request,
        form,
        act,
        current="scenarios",
        title=_("What would joining cost?"),
        action=_("Reckon"),
        back=reverse("costsharing:scenarios"),
        done=_("The scenario is reckoned and kept."),
        text=_(
            "Reckoned by the prices, keys and members of the year of joining. Leave a quantity empty for a service that"
            " would not be used."
        ),
    )
    return redirect("costsharing:scenario", made[0]) if made else answer


@staff_page(Permission.SEE)
def scenario(request: BodyRequest, scenario_id: UUID) -> HttpResponse:
    """One scenario: alone and together."""
    row = queries.scenario(request.actor, scenario_id)
    result = row.result
    longest = max(result["alone_cents"], result["full_year_cents"], 1)
    bars = [
        (_("alone"), result["alone_cents"], result["alone_cents"] * 1000 // longest),
        (_("together"), result["full_year_cents"], result["full_year_cents"] * 1000 // longest),
    ]
    return page(
        request,
        "scenario",
        "scenarios",
        scenario=row,
        result=result,
        bars=bars,
        more=-result["saves_cents"],
        others=result["others_after_cents"] - result["others_before_cents"],
    )
