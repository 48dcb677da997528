"""The lines of the plan."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from verbund.modules.budget import queries, services
from verbund.modules.budget.policies import Permission
from verbund.modules.budget.web.forms import AppropriationForm
from verbund.modules.budget.web.frame import frame
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import now
from verbund.platform.ui import notices

_WITH_BUDGET = tuple("4567")  # the classes of accounts that have appropriations


@staff_page(Permission.PLAN)
def set_appropriation(request: BodyRequest, ledger: str, year: int) -> HttpResponse:
    """Set the appropriation (Ansatz) of a line; a line that is not there comes into being."""
    context = frame(request, ledger, year, "monitoring")
    form = AppropriationForm(
        request.POST or None,
        products=[(code, f"{code} {name}") for code, name, _budget in queries.products(request.actor, ledger)],
        accounts=[
            (a.code, f"{a.code} {a.name}")
            for a in queries.accounts(request.actor, ledger)
            if a.code.startswith(_WITH_BUDGET)
        ],
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            services.set_appropriation(
                request.actor,
                ledger=ledger,
                year=year,
                product=data["product"],
                account=data["account"],
                cents=int(data["euros"] * 100),
                now=now(),
            )
        except services.SetUpRefused as refusal:
            for field, message in refusal.errors.items():
                form.add_error("euros" if field == "cents" else field, str(message))
        else:
            notices.done(request, _("The appropriation is set."))
            return redirect("budget:monitoring", ledger, year)
    return render(request, "budget/appropriation.html", context | {"form": form}, status=422 if form.is_bound else 200)
