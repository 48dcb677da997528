"""Portal: how far the application is, answering, withdrawing, the mailbox, one's own applications."""

from typing import BinaryIO, cast
from uuid import UUID

from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from verbund.modules.citizenservices import queries, services
from verbund.modules.citizenservices.queries import ApplicationNotFound
from verbund.modules.citizenservices.services.drafts import Upload
from verbund.platform import files
from verbund.platform.identity import throttle
from verbund.platform.identity.routes import BodyRequest, citizen_page, public_page
from verbund.platform.identity.throttle import address_of, network_of
from verbund.platform.tenancy import Conflict, Invalid, now
from verbund.platform.tenancy.closing import only_reads
from verbund.platform.ui import notices

from .portal_session import application_access, never_kept, portal_actor, remember_application

_REASON = "the page is opened by the tracking code (or the account) of the applicant alone"


@only_reads
@public_page("whoever has a tracking code may follow the application")
@never_kept
@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: BodyRequest) -> HttpResponseBase:
    """Enter the tracking code."""
    error, status = "", 200
    if request.method == "POST":
        try:
            access = queries.open_by_code(
                portal_actor(request),
                code=request.POST.get("code", "")[:200],
                client=network_of(address_of(request)),
                now=now(),
            )
        except ApplicationNotFound:
            error, status = _("There is no application with this code. Please check it."), 400
        except throttle.Blocked as blocked:
            error, status = blocked.message, 429
        else:
            remember_application(request, access)
            return redirect("portal_status", application_id=access.id)
    context = {"error": error, "code": request.POST.get("code", "")[:200]}
    return render(request, "citizenservices/portal/enter.html", context, status=status)


@public_page(_REASON)
@never_kept
@require_GET
def status(request: BodyRequest, application_id: UUID) -> HttpResponseBase:
    """How far it is, in human words."""
    view = queries.status(portal_actor(request), access=application_access(request, application_id), now=now())
    return render(request, "citizenservices/portal/status.html", {"view": view})


@public_page(_REASON)
@never_kept
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: BodyRequest, application_id: UUID) -> HttpResponseBase:
    """Answer the open question."""
    actor, at = portal_actor(request), now()
    access = application_access(request, application_id)
    view = queries.status(actor, access=access, now=at)
    if view.question is None:
        return redirect("portal_status", application_id=application_id)
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            services.answer_question(
                actor,
                access=access,
                question_id=view.question.id,
                text=request.POST.get("text", ""),
                uploads=[Upload(f.name or "datei", cast(BinaryIO, f.file)) for f in request.FILES.getlist("files")],
                now=at,
            )
        except Invalid as refusal:
            errors = {name: str(message) for name, message in refusal.errors.items()}
        else:
            notices.done(request, _("Thank you. Your answer has arrived."))
            return redirect("portal_status", application_id=application_id)
    context = {"view": view, "errors": errors, "text": request.POST.get("text", "")}
    return render(request, "citizenservices/portal/answer.html", context, status=400 if errors else 200)


@public_page(_REASON)
@never_kept
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: BodyRequest, application_id: UUID) -> HttpResponseBase:
    """Take the application back; asked once."""
    actor, at = portal_actor(request), now()
    access = application_access(request, application_id)
    view = queries.status(actor, access=access, now=at)
    back = reverse("portal_status", args=[application_id])
    if request.method == "POST":
        try:
            services.withdraw_application(actor, access=access, now=at)
        except Conflict as refusal:
            notices.refused(request, refusal.message)
        else:
            notices.done(request, _("You have taken back your application."))
        return redirect(back)
    context = {
        "base": "ui/portal.html",
        "title": _("Take back your application?"),
        "text": _("“%(service)s”, reference %(reference)s.")
        % {"service": view.service_title, "reference": view.case_reference},
        "consequences": [_("We stop working on it and close the case."), _("You can apply anew at any time.")],
        "action": _("Take back application"),
        "action_url": request.path,
        "cancel_url": back,
        "danger": True,
    }
    return render(request, "ui/confirm.html", context)


@public_page(_REASON)
@never_kept
@require_GET
def document(request: BodyRequest, application_id: UUID, document_id: UUID) -> HttpResponseBase:
    """Receipt, decision or one's own attachment, as a download."""
    actor, at = portal_actor(request), now()
    access = application_access(request, application_id)
    stored, name = queries.party_document(actor, access=access, document_id=document_id)
    services.mark_read(actor, access=access, document_id=document_id, now=at)
    return files.download(stored.sha256, name, stored.media_type)


@citizen_page
@require_GET
def own(request: BodyRequest) -> HttpResponseBase:
    """One's own applications and drafts."""
    actor = portal_actor(request)
    context = {"applications": queries.own_applications(actor), "drafts": queries.own_drafts(actor, now=now())}
    return render(request, "citizenservices/portal/own.html", context)


@citizen_page
@require_GET
def mailbox(request: BodyRequest) -> HttpResponseBase:
    """One's own mailbox."""
    return render(request, "citizenservices/portal/mailbox.html", {"messages_": queries.mailbox(portal_actor(request))})
