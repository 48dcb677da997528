"""Charge runs and invoices."""

from collections.abc import Callable
from uuid import UUID

from django.http import FileResponse, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from verbund.modules.costsharing import queries, services
from verbund.modules.costsharing.policies import Permission, is_another_person
from verbund.modules.costsharing.web import forms
from verbund.modules.costsharing.web.frame import page
from verbund.platform import files
from verbund.platform.identity import policy
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import Conflict, Invalid, now
from verbund.platform.ui import notices


@staff_page(Permission.SEE)
def runs(request: BodyRequest) -> HttpResponse:
    """The runs, and a new proposal."""
    form = forms.RunForm(request.POST or None)
    reasons: list[str] = []
    if request.method == "POST":
        policy.require(request.actor, Permission.PROPOSE)
        if form.is_valid():
            try:
                ref = services.propose_run(request.actor, now=now(), **form.cleaned_data)
            except services.RunRefused as refusal:
                reasons = refusal.reasons
            except services.RunConflict as refusal:
                reasons = [str(refusal.message)]
            else:
                notices.done(request, _("The run is proposed. Somebody else has to check it."))
                return redirect("costsharing:run", ref.id)
    return page(
        request,
        "runs",
        "runs",
        422 if form.is_bound else 200,
        rows=queries.runs(request.actor),
        form=form,
        reasons=reasons,
        may=policy.allows(request.actor, Permission.PROPOSE),
    )


@staff_page(Permission.SEE)
def run(request: BodyRequest, run_id: UUID) -> HttpResponse:
    """One run: its state and next step, what was found, who pays what and how it changed."""
    view = queries.run(request.actor, run_id)
    actor, state = request.actor, view.run.state
    another = is_another_person(actor, view.run.proposed_by)
    return page(
        request,
        "run",
        "runs",
        view=view,
        may_check=state == "proposed" and another and policy.allows(actor, Permission.CHECK),
        may_release=state == "checked" and another and policy.allows(actor, Permission.RELEASE),
        may_issue=state == "released" and policy.allows(actor, Permission.ISSUE),
        may_discard=state in ("proposed", "checked") and policy.allows(actor, Permission.PROPOSE),
        waits_for_another=state in ("proposed", "checked") and not another,
    )


@staff_page(Permission.SEE)
def run_lines(request: BodyRequest, run_id: UUID, member: str) -> HttpResponse:
    """What one member pays in a run, line by line."""
    return page(request, "run_lines", "runs", view=queries.run_lines(request.actor, run_id, member))


def _step(
    request: BodyRequest, run_id: UUID, act: Callable[[], object], title: str, text: str, action: str, done: str
) -> HttpResponse:
    """Ask once, then do it."""
    queries.run_head(request.actor, run_id)
    back = reverse("costsharing:run", args=[run_id])
    if request.method == "POST":
        try:
            act()
        except Invalid as refusal:
            for message in refusal.errors.values():
                for line in str(message).split("\n"):
                    notices.refused(request, line)
        except Conflict as refusal:
            notices.refused(request, refusal.message)
        else:
            notices.done(request, done)
        return redirect(back)
    context = {"title": title, "text": text, "action": action, "action_url": request.path, "cancel_url": back}
    return render(request, "ui/confirm.html", context)


@staff_page(Permission.CHECK)
def check_run(request: BodyRequest, run_id: UUID) -> HttpResponse:
    """The run was checked by somebody else."""
    return _step(
        request,
        run_id,
        lambda: services.check_run(request.actor, run_id=run_id, now=now()),
        _("Is the run right?"),
        _("You confirm that you have looked at the figures, the hints and the changes."),
        _("I have checked it"),
        _("The run is checked."),
    )


@staff_page(Permission.RELEASE)
def release_run(request: BodyRequest, run_id: UUID) -> HttpResponse:
    """The run is released: its figures are fixed."""
    return _step(
        request,
        run_id,
        lambda: services.release_run(request.actor, run_id=run_id, now=now()),
        _("Release the run?"),
        _("From then on its figures are fixed and invoices can be issued."),
        _("Release"),
        _("The run is released."),
    )


@staff_page(Permission.ISSUE)
def issue_run(request: BodyRequest, run_id: UUID) -> HttpResponse:
    """The invoices go out."""
    return _step(
        request,
        run_id,
        lambda: services.issue_run(request.actor, run_id=run_id, now=now()),
        _("Issue the invoices?"),
        _("Each invoice is booked as a claim and goes to its member. This cannot be undone; a credit note can follow."),
        _("Issue the invoices"),
        _("The invoices are issued."),
    )


@staff_page(Permission.PROPOSE)
def discard_run(request: BodyRequest, run_id: UUID) -> HttpResponse:
    """A run that is not right."""
    queries.run_head(request.actor, run_id)
    return _reasoned(
        request,
        lambda reason: services.discard_run(request.actor, run_id=run_id, reason=reason, now=now()),
        title=_("Discard the run?"),
        text=_("It stays readable, and the days can be proposed anew."),
        action=_("Discard"),
        done=_("The run is discarded."),
        back=reverse("costsharing:run", args=[run_id]),
    )


def _reasoned(
    request: BodyRequest,
    act: Callable[[str], object],
    *,
    title: str,
    text: str,
    action: str,
    done: str,
    back: str,
) -> HttpResponse:
    form = forms.ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            act(form.cleaned_data["reason"])
        except Conflict as refusal:
            notices.refused(request, refusal.message)
        else:
            notices.done(request, done)
        return redirect(back)
    context = {
        "title": title,
        "text": text,
        "action": action,
        "action_url": request.path,
        "cancel_url": back,
        "danger": True,
        "form": form,
    }
    return render(request, "ui/confirm.html", context, status=422 if form.is_bound else 200)


@staff_page(Permission.SEE, Permission.SEE_OWN)
def invoices(request: BodyRequest) -> HttpResponse:
    """Invoices and credit notes, the newest first."""
    found = queries.invoices(request.actor, after=request.GET.get("after", ""))
    return page(request, "invoices", "invoices", rows=found.rows, next_page={"next": found.after}, own=_own(request))


def _own(request: BodyRequest) -> bool:
    return not policy.allows(request.actor, Permission.SEE)


@staff_page(Permission.SEE, Permission.SEE_OWN)
def invoice(request: BodyRequest, invoice_id: UUID) -> HttpResponse:
    """One invoice as it was issued."""
    row = queries.invoice(request.actor, invoice_id)
    may = policy.allows(request.actor, Permission.ISSUE) and row.kind == "invoice"
    return page(request, "invoice", "invoices", invoice=row, document=row.document, may_credit=may, own=_own(request))


@staff_page(Permission.SEE, Permission.SEE_OWN)
def invoice_original(request: BodyRequest, invoice_id: UUID, part: str) -> FileResponse:
    """The XRechnung, or the paper with its twin inside, as it was issued."""
    original = queries.invoice_original(request.actor, invoice_id, part)
    return files.download(original.sha256, original.filename)


@staff_page(Permission.ISSUE)
def credit_invoice(request: BodyRequest, invoice_id: UUID) -> HttpResponse:
    """Take an invoice back."""
    row = queries.invoice(request.actor, invoice_id)
    return _reasoned(
        request,
        lambda reason: services.credit_invoice(request.actor, invoice_id=invoice_id, reason=reason, now=now()),
        title=_("Take back invoice %(number)s?") % {"number": row.number},
        text=_("A credit note over the whole amount is issued. The reason stands on it."),
        action=_("Issue the credit note"),
        done=_("The credit note is issued."),
        back=reverse("costsharing:invoice", args=[invoice_id]),
    )
