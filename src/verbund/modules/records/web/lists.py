"""Lists of cases and files, and the file plan as a way into them."""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from verbund.modules.records import queries
from verbund.modules.records.policies import Permission
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import clock, local_date

from .forms import CaseFilterForm
from .tables import case_rows


def _filters(request: BodyRequest) -> tuple[CaseFilterForm, queries.CaseFilters]:
    form = CaseFilterForm(request.GET, units=sorted(request.actor.units))
    form.is_valid()  # a filter that is none does not filter
    given: dict[str, Any] = form.cleaned_data
    today = local_date(clock.now())
    before = {"late": today, "week": today + timedelta(days=8)}.get(given.get("deadline", ""))
    return form, queries.CaseFilters(
        state=given.get("state", ""),
        unit=given.get("unit", ""),
        position=given.get("position", ""),
        mine=bool(given.get("mine")),
        deadline_before=before,
        text=given.get("text", ""),
    )


@require_safe
@staff_page(Permission.READ_CASE)
def case_list(request: BodyRequest) -> HttpResponse:
    """The cases the actor sees."""
    form, filters = _filters(request)
    page = queries.cases(request.actor, filters=filters, after=request.GET.get("after"))
    context = {
        "form": form,
        "page": page,
        "rows": case_rows(page.rows),
        "filtered": filters != queries.CaseFilters(),
    }
    return render(request, "records/cases.html", context)


@require_safe
@staff_page(Permission.READ_CASE)
def case_list_csv(request: BodyRequest) -> HttpResponse:
    """The list as it is filtered, as CSV for the office's spreadsheet."""
    _form, filters = _filters(request)
    # Not streamed: the rows are read while the request still works for its body.
    response = HttpResponse("".join(_csv(request.actor, filters)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="vorgaenge.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _csv(actor: Actor, filters: queries.CaseFilters) -> Iterator[str]:
    heading = [
        _("Reference"),
        _("Title"),
        _("Party"),
        _("Unit"),
        _("State"),
        _("Assigned to"),
        _("Opened on"),
        _("Promised by"),
        _("Closed on"),
        _("Keep until"),
    ]
    yield "\ufeff" + _line(heading)
    for row in queries.cases_csv_rows(actor, filters=filters):
        closed = local_date(row.closed_at) if row.closed_at else None
        days = (local_date(row.opened_at), row.promised_on, closed, row.retention_until)
        dates = [day.isoformat() if day else "" for day in days]
        texts = [row.reference, row.title, row.party, row.unit, row.state_label, row.assigned_name]
        yield _line([*texts, *dates])


def _line(cells: list[str]) -> str:
    """A line; a cell that a spreadsheet would take for a formula is made text."""
    out = io.StringIO()
    safe = ["'" + c if c[:1] in ("=", "+", "-", "@", "\t", "\r") else c for c in cells]
    csv.writer(out, delimiter=";", lineterminator="\r\n").writerow(safe)
    return out.getvalue()


@require_safe
@staff_page(Permission.READ_CASE)
def file_list(request: BodyRequest) -> HttpResponse:
    """The files with cases the actor sees."""
    given = request.GET.get("position", "")
    position = given if given.isprintable() else ""
    page = queries.files(request.actor, position=position, after=request.GET.get("after"))
    return render(request, "records/files.html", {"page": page, "position": position})


@require_safe
@staff_page(Permission.READ_CASE)
def file_cases(request: BodyRequest, file_id: UUID) -> HttpResponse:
    """The cases of one file."""
    file = queries.file(request.actor, file_id)
    page = queries.file_cases(request.actor, file_id, after=request.GET.get("after"))
    return render(request, "records/file.html", {"file": file, "page": page, "rows": case_rows(page.rows)})


@require_safe
@staff_page(Permission.READ_FILE_PLAN)
def plan_tree(request: BodyRequest) -> HttpResponse:
    """The file plan, from which one goes to the cases of a position."""
    return render(request, "records/plan_tree.html", {"plan": queries.file_plan(request.actor)})
