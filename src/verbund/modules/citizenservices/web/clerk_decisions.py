"""Deciding (Entscheidung): grant or refuse, look at the letter, sign."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from verbund.modules.citizenservices import queries, services
from verbund.modules.citizenservices.models import Outcome
from verbund.modules.citizenservices.policies import Permission
from verbund.modules.citizenservices.queries.views import ApplicationView
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import Conflict, Invalid
from verbund.platform.tenancy.clock import now
from verbund.platform.ui import notices
from verbund.platform.ui.templatetags.ui import cents

from .clerk import answered, outrun, to_case, version
from .clerk_forms import DecideForm, tell


@staff_page(Permission.DECIDE_APPLICATION)
@require_http_methods(["GET", "HEAD", "POST"])
def decide(request: BodyRequest, application_id: UUID) -> HttpResponse:
    """Choose and give reasons; nothing is sent yet."""
    found = queries.application(request.actor, application_id, now=now())
    if not found.may_process:
        return to_case(application_id)
    before = {"outcome": found.decision.outcome, "reason": found.decision.reason} if found.decision else None
    form = DecideForm(request.POST or None, initial=before)
    if request.method == "POST" and form.is_valid():
        try:
            services.propose_decision(
                request.actor,
                application_id=application_id,
                outcome=form.cleaned_data["outcome"],
                reason=form.cleaned_data["reason"],
                expected_version=version(request),
                now=now(),
            )
        except Invalid as refusal:
            tell(form, refusal, {})
        except Conflict as refusal:
            return outrun(request, application_id, refusal)
        else:
            return redirect("clerk_check", application_id=application_id)
    context = {
        "form": form,
        "case": found,
        "sections": answered(found),
        "open_question": any(q.is_open for q in found.questions),
    }
    return render(request, "citizenservices/clerk/decide.html", context, status=400 if form.errors else 200)


@staff_page(Permission.DECIDE_APPLICATION)
@require_safe
def check(request: BodyRequest, application_id: UUID) -> HttpResponse:
    """The letter as it will be sent, and the question in concrete words."""
    found = queries.application(request.actor, application_id, now=now())
    if found.decision is None or found.decision.is_signed:
        return to_case(application_id)
    granted = found.decision.outcome == Outcome.GRANTED
    question = _("Send the grant to %(name)s?") if granted else _("Send the refusal to %(name)s?")
    context = {
        "case": found,
        "question": question % {"name": found.party_name},
        "consequences": consequences(found, granted=granted),
        "action": _("Send the grant") if granted else _("Send the refusal"),
        "may_sign": found.may_sign,
        "waiting_text": ""
        if found.may_sign
        else _("A second person has to sign. You have proposed this decision yourself."),
    }
    return render(request, "citizenservices/clerk/sign.html", context)


def consequences(found: ApplicationView, *, granted: bool) -> list[str]:
    """What happens when the decision is sent, line by line."""
    way = (
        _("The letter goes into the mailbox in the portal; a notice goes to %(email)s.") % {"email": found.email}
        if found.wants_mailbox and found.email
        else _("The letter goes into the mailbox in the portal.")
        if found.wants_mailbox
        else _("The letter goes to the print room and by post.")
    )
    lines = [way, _("It is filed in %(reference)s.") % {"reference": found.case_reference}]
    if granted and found.fee_cents:
        lines.append(_("The fee of %(amount)s is booked and asked for.") % {"amount": cents(found.fee_cents)})
    lines.append(_("This cannot be undone; a decision is changed only by another one."))
    return lines


@staff_page(Permission.DECIDE_APPLICATION)
@require_safe
def letter_preview(request: BodyRequest, application_id: UUID) -> HttpResponse:
    """The letter of the proposed decision as PDF; nothing is written."""
    found = queries.application(request.actor, application_id, now=now())
    if found.decision is None:
        return to_case(application_id)
    content = queries.letter_preview(
        request.actor, application_id, outcome=found.decision.outcome, reason=found.decision.reason, now=now()
    )
    response = HttpResponse(content, content_type="application/pdf")
    response.headers["Content-Disposition"] = 'inline; filename="vorschau.pdf"'
    response.headers["Content-Security-Policy"] = "default-src 'none'; object-src 'self'; frame-ancestors 'self'"
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


@staff_page(Permission.DECIDE_APPLICATION)
@require_POST
def sign(request: BodyRequest, application_id: UUID) -> HttpResponse:
    """Sign and send the proposed decision."""
    found = queries.application(request.actor, application_id, now=now())
    if found.decision is None:
        return to_case(application_id)
    try:
        services.decide_application(
            request.actor,
            application_id=application_id,
            outcome=found.decision.outcome,
            reason=found.decision.reason,
            expected_version=version(request),
            now=now(),
        )
    except Invalid as refusal:
        notices.refused(request, " ".join(str(text) for text in refusal.errors.values()))
        return redirect("clerk_check", application_id=application_id)
    except Conflict as refusal:
        return outrun(request, application_id, refusal)
    notices.done(request, _("The decision is signed and on its way to %(name)s.") % {"name": found.party_name})
    return to_case(application_id)
