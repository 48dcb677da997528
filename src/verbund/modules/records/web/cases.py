"""The page of a case, and what is done on it."""

from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from verbund.modules.records import queries, services
from verbund.modules.records.policies import Permission
from verbund.platform.identity import policy
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import Invalid, clock
from verbund.platform.ui import notices

from .forms import CloseForm, NoteForm, OpenCaseForm, take_errors
from .tables import document_items


@require_safe
@staff_page(Permission.READ_CASE)
def case(request: BodyRequest, case_id: UUID) -> HttpResponse:
    """One case with its documents, the chosen one beside them."""
    return show_case(request, case_id)


def show_case(request: BodyRequest, case_id: UUID, *, note: NoteForm | None = None, status: int = 200) -> HttpResponse:
    """The page of a case, with a refused note if there is one."""
    actor = request.actor
    whole = queries.whole_case(actor, case_id)
    view, documents = whole.case, whole.documents
    wanted = request.GET.get("dokument", "")
    chosen = next((d for d in documents if str(d.id) == wanted), documents[-1] if documents else None)
    context = {
        "case": view,
        "documents": documents,
        "document_items": document_items(documents, chosen),
        "chosen": chosen,
        "letters": whole.letters,
        "timeline": whole.timeline,
        "metadata": metadata_of(view),
        "note": note or NoteForm(),
        "may_write": view.is_open and policy.allows(actor, Permission.FILE_DOCUMENT),
        "is_mine": view.assigned_to is not None and view.assigned_to == actor.id,
    }
    return render(request, "records/case.html", context, status=status)


def metadata_of(view: queries.CaseView) -> list[tuple[str, object]]:
    """The metadata with the labels of the position's fields, others by their name."""
    labels = {f["name"]: f["label"] for f in view.metadata_fields}
    return [(labels.get(name, name), value) for name, value in view.metadata.items() if value not in (None, "")]


@require_safe
@staff_page(Permission.READ_CASE)
def cover(request: BodyRequest, case_id: UUID) -> HttpResponse:
    """The cover of a case with its timeline, made to be printed."""
    whole = queries.whole_case(request.actor, case_id)
    context = {
        "case": whole.case,
        "documents": whole.documents,
        "timeline": whole.timeline,
        "metadata": metadata_of(whole.case),
    }
    return render(request, "records/cover.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page(Permission.OPEN_CASE)
def open_case(request: BodyRequest) -> HttpResponse:
    """Open a case by hand."""
    positions = queries.positions_for_cases(request.actor)
    data = request.POST if request.method == "POST" else None
    chosen = (data or request.GET).get("position", "")
    fields = next((p.metadata_fields for p in positions if p.code == chosen), ())
    units = sorted(request.actor.units)
    form = OpenCaseForm(
        data,
        positions=[(p.code, f"{p.code} {p.title}") for p in positions],
        fields=fields,
        initial={"position": chosen, "unit": units[0] if units else ""},
    )
    asked = data is None or data.get("fields_of") == chosen or not fields
    if data is not None and not asked:
        form = OpenCaseForm(
            None,
            positions=[(p.code, f"{p.code} {p.title}") for p in positions],
            fields=fields,
            initial=data.dict(),
        )
        notices.refused(request, _("This position asks for some more facts. Please fill them in."))
    elif data is not None and form.is_valid():
        given = form.cleaned_data
        try:
            ref = services.open_case(
                request.actor,
                title=given["title"],
                position=given["position"],
                unit=given["unit"],
                origin="",
                party=given["party"],
                file_title=given["file_title"] or None,
                metadata=form.metadata(),
                promised_on=given["promised_on"],
                now=clock.now(),
                idempotency_key=form.idempotency_key(),
            )
        except Invalid as refused:
            take_errors(form, refused)
        else:
            notices.done(request, _("Case %(reference)s opened.") % {"reference": ref.reference})
            return redirect("records:case", ref.id)
    context = {"form": form, "position": chosen, "empty": not positions}
    return render(request, "records/open_case.html", context, status=400 if form.is_bound and form.errors else 200)


@require_POST
@staff_page(Permission.FILE_DOCUMENT)
def note(request: BodyRequest, case_id: UUID) -> HttpResponse:
    """Write a note."""
    form = NoteForm(request.POST)
    if form.is_valid():
        try:
            services.note(
                request.actor,
                case_id=case_id,
                text=form.cleaned_data["text"],
                visible_to_party=form.cleaned_data["visible_to_party"],
                now=clock.now(),
                idempotency_key=form.idempotency_key(),
            )
        except Invalid as refused:
            take_errors(form, refused)
        else:
            notices.done(request, _("Note saved."))
            return HttpResponseRedirect(reverse("records:case", args=[case_id]) + "#verlauf")
    return show_case(request, case_id, note=form, status=400)


@require_POST
@staff_page(Permission.ASSIGN_CASE)
def take_over(request: BodyRequest, case_id: UUID) -> HttpResponse:
    """Take a case over."""
    actor = request.actor
    services.assign_case(
        actor,
        case_id=case_id,
        person=actor.id,
        person_name=actor.name,
        expected_revision=_revision(request),
        now=clock.now(),
    )
    notices.done(request, _("You have taken the case over."), undo=reverse("records:hand_back", args=[case_id]))
    return redirect("records:case", case_id)


@require_POST
@staff_page(Permission.ASSIGN_CASE)
def hand_back(request: BodyRequest, case_id: UUID) -> HttpResponse:
    """Give a case back to its unit."""
    services.assign_case(
        request.actor, case_id=case_id, person=None, expected_revision=_revision(request), now=clock.now()
    )
    notices.done(request, _("The case lies with the unit again."))
    return redirect("records:case", case_id)


def _revision(request: BodyRequest) -> int | None:
    """The revision the page was made of; without one (undo) the present one counts."""
    given = request.POST.get("revision", "")
    return int(given) if given.isdecimal() and len(given) < 10 else None


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page(Permission.CLOSE_CASE)
def close(request: BodyRequest, case_id: UUID) -> HttpResponse:
    """Ask once, then close a case."""
    form = CloseForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            closed = services.close_case(
                request.actor,
                case_id=case_id,
                retention_years=form.cleaned_data["retention_years"],
                now=clock.now(),
            )
        except Invalid as refused:
            take_errors(form, refused)
        else:
            until = closed.retention_until.strftime("%d.%m.%Y")
            notices.done(request, _("Case closed; it is kept until %(until)s.") % {"until": until})
            return redirect("records:case", case_id)
    view = queries.case(request.actor, case_id)
    context = {
        "title": _("Close case %(reference)s?") % {"reference": view.reference},
        "text": view.title,
        "consequences": [
            _("Nothing more can be filed in it."),
            _("It is kept for %(years)s years from the end of this year, unless you name another period.")
            % {"years": view.retention_years},
        ],
        "action_url": reverse("records:close", args=[case_id]),
        "action": _("Close case"),
        "cancel_url": reverse("records:case", args=[case_id]),
        "form": form,
    }
    return render(request, "ui/confirm.html", context, status=400 if form.is_bound else 200)
