"""The administration of the file plan."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from verbund.modules.records import queries, services
from verbund.modules.records.policies import Permission
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import clock
from verbund.platform.ui import notices

from .forms import ImportPlanForm

LARGEST = 2_000_000  # bytes


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page(Permission.MANAGE_FILE_PLAN)
def file_plan(request: BodyRequest) -> HttpResponse:
    """The plan, its import with every error at once, its export."""
    sent = request.method == "POST"
    form = ImportPlanForm(request.POST, request.FILES) if sent else ImportPlanForm()
    lines: list[tuple[int, str]] = []
    if sent and form.is_valid():
        text = _text(form)
        if text is not None:
            try:
                report = services.import_file_plan(request.actor, csv_text=text, now=clock.now())
            except services.FilePlanInvalid as refused:
                lines = refused.lines
                form.add_error(
                    "csv", _("Nothing was imported: %(count)d errors, listed below.") % {"count": len(lines)}
                )
            else:
                notices.done(
                    request,
                    _("Imported: %(added)d new, %(changed)d changed, %(unchanged)d unchanged.")
                    % {"added": report.added, "changed": report.changed, "unchanged": report.unchanged},
                )
                return redirect("records:file_plan")
    context = {"form": form, "lines": lines[:500], "plan": queries.file_plan(request.actor)}
    return render(request, "records/file_plan.html", context, status=400 if sent else 200)


def _text(form: ImportPlanForm) -> str | None:
    upload = form.cleaned_data["csv"]
    if upload.size > LARGEST:
        form.add_error("csv", _("The file is too large for a file plan."))
        return None
    content: bytes = upload.read()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            return content.decode("cp1252")  # what offices' spreadsheets write unless told otherwise
        except UnicodeDecodeError:
            form.add_error("csv", _("The file is no text. Save it as CSV in UTF-8."))
            return None


def _csv_file(text: str, name: str) -> HttpResponse:
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_safe
@staff_page(Permission.MANAGE_FILE_PLAN)
def file_plan_csv(request: BodyRequest) -> HttpResponse:
    """The plan as CSV."""
    return _csv_file(queries.file_plan_csv(request.actor), "aktenplan.csv")


@require_safe
@staff_page(Permission.MANAGE_FILE_PLAN)
def sample(request: BodyRequest) -> HttpResponse:
    """The sample plan as CSV, to begin with."""
    return _csv_file("\ufeff" + services.sample_file_plan(), "aktenplan-muster.csv")
