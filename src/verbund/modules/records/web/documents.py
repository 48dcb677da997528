"""Documents: filing, versions, preview and download; letters for the print room."""

from typing import Any, cast
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from verbund.modules.records import queries, services
from verbund.modules.records.gateways.pdf import PdfUnreadable, reader
from verbund.modules.records.policies import Permission
from verbund.platform import files
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import Invalid, NotFound, clock
from verbund.platform.ui import notices

from .forms import AddVersionForm, DeliveryForm, FileDocumentForm, take_errors

PAGE_WIDTH = 1100
SHOWN_PAGES = 30
SHOWN_TEXT = 60_000


def _version(request: BodyRequest) -> int | None:
    given = request.GET.get("version", "")
    return int(given) if given.isdecimal() and len(given) < 7 else None


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page(Permission.FILE_DOCUMENT)
def file_document(request: BodyRequest, case_id: UUID) -> HttpResponse:
    """File a document in a case. The upload with progress asks for JSON; what it is told is the same."""
    sent = request.method == "POST"
    form = FileDocumentForm(request.POST, request.FILES) if sent else FileDocumentForm()
    wants_json = request.headers.get("Accept", "").startswith("application/json")
    if sent and form.is_valid():
        given, key = form.cleaned_data, form.idempotency_key()  # reads the content, and leaves it at its beginning
        try:
            ref = services.file_document(
                request.actor,
                case_id=case_id,
                title=given["title"],
                kind=given["kind"],
                content=given["content"].read(),
                filename=given["content"].name,
                visible_to_party=given["visible_to_party"],
                now=clock.now(),
                idempotency_key=key,
            )
        except Invalid as refused:
            take_errors(form, refused)
        except files.Refused as refused:
            form.add_error("content", str(refused.message))
        else:
            notices.done(request, _("Document %(number)d filed.") % {"number": ref.number})
            target = f"{reverse('records:case', args=[case_id])}?dokument={ref.id}"
            return JsonResponse({"url": target}) if wants_json else redirect(target)
    if sent and wants_json:
        return JsonResponse({"errors": [str(e) for errors in form.errors.values() for e in errors]}, status=400)
    context = {"form": form, "case": queries.case(request.actor, case_id)}
    return render(request, "records/file_document.html", context, status=400 if sent else 200)


@require_safe
@staff_page(Permission.READ_CASE)
def document(request: BodyRequest, document_id: UUID) -> HttpResponse:
    """One document with its versions."""
    return _show(request, document_id, AddVersionForm())


def _show(request: BodyRequest, document_id: UUID, form: AddVersionForm, status: int = 200) -> HttpResponse:
    view = queries.document(request.actor, document_id)
    context = {
        "document": view,
        "case": queries.case(request.actor, view.case_id),
        "versions": queries.versions(request.actor, document_id),
        "form": form,
    }
    return render(request, "records/document.html", context, status=status)


@require_POST
@staff_page(Permission.FILE_DOCUMENT)
def add_version(request: BodyRequest, document_id: UUID) -> HttpResponse:
    """Add a version; who comes second is told what has changed."""
    form = AddVersionForm(request.POST, request.FILES)
    if form.is_valid():
        given = form.cleaned_data
        try:
            ref = services.add_version(
                request.actor,
                document_id=document_id,
                content=given["content"].read(),
                filename=given["content"].name,
                expected_version=given["expected_version"],
                now=clock.now(),
            )
        except files.Refused as refused:
            form.add_error("content", str(refused.message))
        except services.StaleVersion as stale:
            form.add_error(None, str(stale.message))
            return _show(request, document_id, form, status=409)
        else:
            notices.done(request, _("Version %(version)d added.") % {"version": ref.version})
            return redirect("records:document", document_id)
    return _show(request, document_id, form, status=400)


@require_safe
@staff_page(Permission.READ_CASE)
def content(request: BodyRequest, document_id: UUID) -> HttpResponseBase:
    """The content of a version, as a download; pictures and PDFs may be shown in the page (`?ansicht=1`)."""
    found = queries.document_content(request.actor, document_id, _version(request))
    return files.download(found.sha256, found.filename, found.media_type, inline="ansicht" in request.GET)


@require_safe
@staff_page(Permission.READ_CASE)
@xframe_options_sameorigin
def preview(request: BodyRequest, document_id: UUID) -> HttpResponse:
    """What can be seen of a document without opening it: its pages as pictures, or its text."""
    number = _version(request)
    view = queries.document(request.actor, document_id)
    version = queries.document_text(request.actor, document_id, version=number)
    context = {
        "document": view,
        "version": version,
        "query": f"?version={version.number}",
        "pages": range(1, min(version.pages or 0, SHOWN_PAGES) + 1),
        "more": max(0, (version.pages or 0) - SHOWN_PAGES),
        "is_picture": version.media_type in ("image/png", "image/jpeg"),
        "text": version.text[:SHOWN_TEXT],
    }
    response = render(request, "records/preview.html", context)
    cast(Any, response)._csp_replace = {"frame-ancestors": ["'self'"]}  # as csp_replace does, which loses the types
    return response


@require_safe
@staff_page(Permission.READ_CASE)
def page_image(request: BodyRequest, document_id: UUID, page: int) -> HttpResponse:
    """A page of a PDF as a picture: nothing of the document runs in the browser."""
    wanted = queries.page_image(request.actor, document_id, version=_version(request), page=page)
    try:
        image = reader().page_image(wanted.content, wanted.page, PAGE_WIDTH)
    except PdfUnreadable as error:
        raise NotFound from error
    response = HttpResponse(image, content_type="image/png")
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_safe
@staff_page(Permission.DELIVER_LETTER)
def print_room(request: BodyRequest) -> HttpResponse:
    """The letters that wait to be printed and posted."""
    page = queries.letters_to_print(request.actor, after=request.GET.get("after"))
    return render(request, "records/print_room.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page(Permission.DELIVER_LETTER)
def record_delivery(request: BodyRequest, letter_id: UUID) -> HttpResponse:
    """Record that a letter was posted."""
    form = DeliveryForm(request.POST if request.method == "POST" else None, initial={"note": request.actor.name})
    if form.is_bound and form.is_valid():
        services.record_delivery(
            request.actor,
            letter_id=letter_id,
            channel="print",
            proof={"posted_by": form.cleaned_data["note"]},
            now=clock.now(),
        )
        notices.done(request, _("Posting recorded."))
        return redirect("records:print_room")
    letter = queries.letter(request.actor, letter_id)
    context = {
        "title": _("Has the letter been posted?"),
        "text": f"{letter.case_reference} · {letter.title} · {letter.recipient['name']}",
        "consequences": [_("The day counts for the deadline to appeal and cannot be changed afterwards.")],
        "action_url": reverse("records:record_delivery", args=[letter_id]),
        "action": _("Record as posted today"),
        "cancel_url": reverse("records:print_room"),
        "form": form,
    }
    return render(request, "ui/confirm.html", context, status=400 if form.is_bound else 200)
