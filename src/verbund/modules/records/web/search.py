"""The search page."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from verbund.modules.records import queries
from verbund.modules.records.policies import Permission
from verbund.platform.identity.routes import BodyRequest, staff_page

from .forms import SearchForm
from .tables import hit_rows


@require_safe
@staff_page(Permission.READ_CASE)
def search(request: BodyRequest) -> HttpResponse:
    """Search in cases and documents. The last word counts as a beginning while it is being typed (htmx)."""
    form = SearchForm(request.GET, years=queries.years(request.actor), units=sorted(request.actor.units))
    form.is_valid()  # a facet that is none does not narrow
    given = form.cleaned_data
    text = given.get("q", "").strip()
    typing = request.headers.get("HX-Request") == "true" and text[-1:].isalnum()
    page = None
    if text:
        filters = queries.SearchFilters(year=given.get("year"), unit=given.get("unit", ""), kind=given.get("kind", ""))
        page = queries.search(request.actor, text + "*" if typing else text, request.GET.get("after"), filters=filters)
    context = {"form": form, "text": text, "page": page, "hits": hit_rows(page.rows) if page else ""}
    part = request.headers.get("HX-Request") == "true" and request.headers.get("HX-Target") == "hits"
    return render(request, "records/hits.html" if part else "records/search.html", context)
