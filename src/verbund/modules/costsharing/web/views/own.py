"""What a member sees of its cost."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from verbund.modules.costsharing import queries
from verbund.modules.costsharing.policies import Permission
from verbund.modules.costsharing.web.frame import page
from verbund.platform.identity.routes import BodyRequest, staff_page


@staff_page(Permission.SEE_OWN, Permission.SEE)
def own(request: BodyRequest) -> HttpResponse:
    """The newest year of the only member, else the choice."""
    people = queries.parties(request.actor)
    rows = [(party, queries.own_years(request.actor, party.code)) for party in people]
    with_years = [(party, years) for party, years in rows if years]
    if len(people) == 1 and with_years:
        party, years = with_years[0]
        return redirect("costsharing:own_year", party.code, years[0])
    return page(request, "own", "", rows=rows)


@staff_page(Permission.SEE_OWN, Permission.SEE)
def own_year(request: BodyRequest, member: str, year: int) -> HttpResponse:
    """One year: by service and unit, beside the others' unit cost, with a chart over the years that is a table too."""
    party = next((p for p in queries.parties(request.actor) if p.code == member), None)
    years = queries.own_years(request.actor, member)
    if party is None or year not in years:
        raise Http404
    totals = queries.own_totals(request.actor, member)
    longest = max((cents for _year, cents in totals), default=1) or 1
    view = queries.own_year(request.actor, member, year)
    return page(
        request,
        "own_year",
        "",
        party=party,
        view=view,
        years=years,
        bars=[(one, cents, max(cents, 0) * 1000 // longest) for one, cents in totals],
        title=_("Cost %(year)d") % {"year": year},
    )
