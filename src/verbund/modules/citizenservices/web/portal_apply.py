"""Portal: the guided pages, save and come back, check, send."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from verbund.modules.citizenservices import queries, services
from verbund.modules.citizenservices.models.checking import Problem
from verbund.modules.citizenservices.queries import ApplicationAccess, DraftNotFound, DraftView
from verbund.platform import files
from verbund.platform.identity import throttle
from verbund.platform.identity.actor import ActorKind
from verbund.platform.identity.routes import BodyRequest, public_page
from verbund.platform.identity.throttle import address_of, network_of
from verbund.platform.tenancy import Invalid, now
from verbund.platform.ui import notices

from .portal_forms import posted, step_form
from .portal_session import (
    application_access,
    became_of,
    draft_ref,
    forget_draft,
    never_kept,
    portal_actor,
    remember_draft,
    remember_sent,
    sent_application,
)

_REASON = "everybody may apply, also without an account; the draft is opened by its code alone"


def not_sent_yet(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Going back behind "send", or a second click on it, leads to the confirmation instead of nowhere."""

    @wraps(view)
    def guarded(request: BodyRequest, draft_id: UUID, **kwargs: Any) -> HttpResponseBase:
        gone = sent_application(request, draft_id)
        if gone is None:
            try:
                return view(request, draft_id, **kwargs)
            except DraftNotFound:
                gone = became_of(request, draft_id)
                if gone is None:
                    raise
        return redirect("portal_sent", application_id=gone)

    return guarded


@public_page(_REASON)
@never_kept
@not_sent_yet
@require_http_methods(["GET", "HEAD", "POST"])
def step(request: BodyRequest, draft_id: UUID, number: int) -> HttpResponseBase:
    """One page of questions."""
    actor, at = portal_actor(request), now()
    ref = draft_ref(request, draft_id)
    draft = queries.draft(actor, draft=ref, now=at)
    page = draft.form.step(number)
    if page is None:
        raise DraftNotFound
    back_to_check = "pruefen" in request.GET
    if request.method != "POST":
        problems = draft.problems(number) if "fehler" in request.GET else []
        return _page(request, draft, number, problems, back_to_check)
    action = request.POST.get("action", "next")
    add = action.removeprefix("add:") if action.startswith("add:") else ""
    remove = action.removeprefix("remove:") if action.startswith("remove:") else ""
    sent = posted(draft, page, request)
    try:
        result = services.save_step(
            actor, draft=ref, step=number, values=sent.values, uploads=sent.uploads, add=add, remove=remove, now=at
        )
    except services.DraftInvalid as refusal:
        problems = [Problem(path, str(message)) for path, message in refusal.errors.items()]
        return _page(request, draft, number, problems, back_to_check, status=400)
    if add or remove or action == "upload":
        refused = [p for p in result.problems if p.path in sent.uploads]
        if refused:
            draft = queries.draft(actor, draft=ref, now=at)
            return _page(request, draft, number, refused, back_to_check, status=400)
        query = "?pruefen=1" if back_to_check else ""
        return redirect(reverse("portal_step", args=[draft_id, number]) + query + _anchor(add or remove))
    if action == "later":
        return redirect("portal_later", draft_id=draft_id)
    if not result.is_complete:
        draft = queries.draft(actor, draft=ref, now=at)
        return _page(request, draft, number, result.problems, back_to_check, status=400)
    if back_to_check or number == len(draft.form.steps):
        return redirect("portal_check", draft_id=draft_id)
    return redirect("portal_step", draft_id=draft_id, number=number + 1)


def _anchor(place: str) -> str:
    return f"#e_{place}" if place.count(".") % 2 == 0 else f"#e_{place.rpartition('.')[0]}"


def _page(
    request: BodyRequest,
    draft: DraftView,
    number: int,
    problems: list[Problem],
    back_to_check: bool,
    *,
    status: int = 200,
) -> HttpResponse:
    page = draft.form.steps[number - 1]
    total = len(draft.form.steps)
    back = (
        reverse("portal_step", args=[draft.ref.id, number - 1])
        if number > 1
        else reverse("portal_service", args=[draft.service_slug])
    )
    context: dict[str, Any] = {
        "draft": draft,
        "step": page,
        "form": step_form(draft, page, problems),
        "number": number,
        "total": total + 1,
        "is_last": number == total,
        "back": reverse("portal_check", args=[draft.ref.id]) if back_to_check else back,
        "back_to_check": back_to_check,
        "heading_in_group": _says_its_title(page),
        "within": page.parts[0].within if page.parts else (),
    }
    return render(request, "citizenservices/portal/step.html", context, status=status)


def _says_its_title(page: Any) -> bool:
    """Whether the page is one group, whose heading is the page's own."""
    return len(page.parts) == 1 and page.parts[0].element.label == page.title


@public_page(_REASON)
@never_kept
@not_sent_yet
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: BodyRequest, draft_id: UUID) -> HttpResponseBase:
    """Check your answers, then send."""
    actor, at = portal_actor(request), now()
    ref = draft_ref(request, draft_id)
    errors: dict[str, str] = {}
    email, delivery = "", ""
    if request.method == "POST":
        email, delivery = request.POST.get("email", "")[:300], request.POST.get("delivery", "")
        if delivery not in ("mailbox", "post"):
            errors["delivery"] = _("Please choose how you want to get the decision.")
        else:
            try:
                sent = services.submit_application(
                    actor, draft=ref, now=at, email=email, wants_mailbox=delivery == "mailbox"
                )
            except services.ApplicationIncomplete:
                errors[""] = _("Some answers are missing or wrong.")
            except Invalid as refusal:
                errors = {
                    {"wants_mailbox": "delivery"}.get(name, name): str(message)
                    for name, message in refusal.errors.items()
                }
            else:
                remember_sent(request, draft_id, ApplicationAccess(sent.id, sent.tracking_code))
                return redirect("portal_sent", application_id=sent.id)
    draft = queries.draft(actor, draft=ref, now=at)
    applicant = draft.applicant()
    context: dict[str, Any] = {
        "draft": draft,
        "steps": [
            {
                "step": one,
                "sections": [s for s in draft.sections() if any(one.holds(row.path) for row in s.rows)],
                "problems": [
                    {
                        "message": f"{p.label}: {p.message}" if p.label else p.message,
                        "url": f"{reverse('portal_step', args=[draft_id, one.number])}?pruefen=1&fehler=1",
                    }
                    for p in draft.problems(one.number)
                ],
            }
            for one in draft.form.steps
        ],
        "errors": errors,
        "email": email or applicant.email or draft.email,
        "delivery": delivery,
        "has_address": len(applicant.address_lines) > 1,
        "signed_in": actor.kind is ActorKind.CITIZEN,
        "number": len(draft.form.steps) + 1,
        "total": len(draft.form.steps) + 1,
        "back": reverse("portal_step", args=[draft_id, len(draft.form.steps)]),
    }
    context["is_complete"] = not any(one["problems"] for one in context["steps"])
    return render(request, "citizenservices/portal/check.html", context, status=400 if errors else 200)


@public_page(_REASON)
@never_kept
@require_GET
def sent(request: BodyRequest, application_id: UUID) -> HttpResponseBase:
    """It has arrived: the reference, the tracking code, what happens next."""
    access = application_access(request, application_id)
    actor = portal_actor(request)
    view = queries.status(actor, access=access, now=now())
    context = {"view": view, "code": access.code, "signed_in": actor.kind is ActorKind.CITIZEN}
    return render(request, "citizenservices/portal/sent.html", context)


@public_page(_REASON)
@never_kept
@not_sent_yet
@require_GET
def later(request: BodyRequest, draft_id: UUID) -> HttpResponseBase:
    """Your answers are kept: the code with which to come back."""
    draft = queries.draft(portal_actor(request), draft=draft_ref(request, draft_id), now=now())
    return render(
        request,
        "citizenservices/portal/later.html",
        {"draft": draft, "continue_url": reverse("portal_step", args=[draft_id, draft.reached])},
    )


@public_page("whoever has the code of a draft may go on with it")
@never_kept
@require_http_methods(["GET", "HEAD", "POST"])
def resume(request: BodyRequest) -> HttpResponseBase:
    """Come back to a draft with its code."""
    actor, at = portal_actor(request), now()
    error, status = "", 200
    if request.method == "POST":
        try:
            ref = queries.draft_by_code(
                actor, code=request.POST.get("code", "")[:200], client=network_of(address_of(request)), now=at
            )
        except DraftNotFound:
            error = _("There is no draft with this code. Please check it. Drafts are deleted after 30 days.")
            status = 400
        except throttle.Blocked as blocked:
            error, status = blocked.message, 429
        else:
            remember_draft(request, ref)
            draft = queries.draft(actor, draft=ref, now=at)
            return redirect("portal_step", draft_id=ref.id, number=min(draft.reached, len(draft.form.steps)))
    context = {"error": error, "code": request.POST.get("code", "")[:200]}
    return render(request, "citizenservices/portal/resume.html", context, status=status)


@public_page(_REASON)
@never_kept
@require_http_methods(["GET", "HEAD", "POST"])
def discard(request: BodyRequest, draft_id: UUID) -> HttpResponseBase:
    """Throw the draft away; asked once."""
    actor, at = portal_actor(request), now()
    ref = draft_ref(request, draft_id)
    draft = queries.draft(actor, draft=ref, now=at)
    if request.method == "POST":
        services.discard_draft(actor, draft=ref, now=at)
        forget_draft(request, draft_id)
        notices.done(request, _("Your answers have been deleted."))
        return redirect("portal_start")
    context = {
        "base": "ui/portal.html",
        "title": _("Delete your answers?"),
        "text": _("You have begun “%(service)s”.") % {"service": draft.service_title},
        "consequences": [_("Everything you have filled in and attached is deleted at once.")],
        "action": _("Delete answers"),
        "action_url": request.path,
        "cancel_url": reverse("portal_step", args=[draft_id, min(draft.reached, len(draft.form.steps))]),
        "danger": True,
    }
    return render(request, "ui/confirm.html", context)


@public_page(_REASON)
@never_kept
@require_GET
def attachment(request: BodyRequest, draft_id: UUID, attachment_id: UUID) -> HttpResponseBase:
    """A file of the draft."""
    stored, name = queries.draft_file(
        portal_actor(request), draft=draft_ref(request, draft_id), attachment_id=attachment_id, now=now()
    )
    return files.download(stored.sha256, name, stored.media_type)
