"""Bank statements: import, what waits, and assigning by hand."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from verbund.modules.budget import queries, services
from verbund.modules.budget.policies import Permission
from verbund.modules.budget.web.forms import ClaimSearch, StatementForm
from verbund.modules.budget.web.frame import Cursor, frame, uuid_or_none
from verbund.platform import files
from verbund.platform.identity import policy
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import Invalid, now
from verbund.platform.ui import notices
from verbund.platform.ui.templatetags.ui import cents as euros

_LIMIT = 20 * 1024 * 1024 + 1


@staff_page(Permission.SEE)
def statements(request: BodyRequest, ledger: str, year: int) -> HttpResponse:
    """Import a statement, read its report, see what waits."""
    may_import = policy.allows(request.actor, Permission.MOVE_MONEY)
    form = StatementForm(request.POST or None, request.FILES or None)
    report = None
    if request.method == "POST":
        policy.require(request.actor, Permission.MOVE_MONEY)
        if form.is_valid():
            upload = form.cleaned_data["file"]
            try:
                report = services.import_statement(
                    request.actor,
                    ledger=ledger,
                    content=upload.read(_LIMIT),
                    filename=files.clean_filename(upload.name),
                    now=now(),
                )
            except (Invalid, services.PeriodClosed, files.Refused) as refusal:
                reasons = refusal.errors.values() if isinstance(refusal, Invalid) else [refusal.message]
                for reason in reasons:
                    form.add_error("file", str(reason))
    waiting, after = queries.waiting_entries(
        request.actor, ledger, after=uuid_or_none(request.GET.get("after", "")), limit=50
    )
    context = frame(request, ledger, year, "statements")
    context |= {
        "form": form,
        "report": report,
        "rows": waiting,
        "page": Cursor(str(after or "")),
        "banks": queries.bank_accounts(request.actor, ledger),
        "may_import": may_import,
    }
    failed = request.method == "POST" and report is None
    return render(request, "budget/statements.html", context, status=422 if failed else 200)


@staff_page(Permission.SEE)
def entry(request: BodyRequest, entry_id: UUID) -> HttpResponse:
    """One movement: find the claim it belongs to."""
    view = queries.entry(request.actor, entry_id)
    form = ClaimSearch(request.GET)
    text = form.cleaned_data["text"].strip() if form.is_valid() else ""
    found = queries.find_open_claims(request.actor, view.ledger, text) if text else []
    context = {
        "entry": view,
        "form": form,
        "found": found,
        "searched": bool(text),
        "year": view.booked_on.year,
        "may_assign": policy.allows(request.actor, Permission.MOVE_MONEY),
    }
    return render(request, "budget/entry.html", context)


@staff_page(Permission.MOVE_MONEY)
def assign(request: BodyRequest, entry_id: UUID, claim_id: UUID) -> HttpResponse:
    """Ask once in concrete words, then assign."""
    view = queries.entry(request.actor, entry_id)
    claim = queries.claim(request.actor, claim_id)
    if request.method == "POST":
        try:
            ref = services.assign_receipt(request.actor, entry_id=entry_id, claim_id=claim_id, now=now())
        except (services.NotAssignable, services.PeriodClosed) as refusal:
            notices.refused(request, str(refusal.message))
            return redirect("budget:entry", entry_id)
        notices.done(request, _("Assigned with the voucher %(label)s.") % {"label": ref.label})
        return redirect("budget:claim", claim_id)
    context = {
        "title": _("Assign %(amount)s to %(name)s?") % {"amount": euros(view.waiting_cents), "name": claim.debtor},
        "text": _("Money of %(payer)s, booked on %(day)s: “%(text)s”.")
        % {
            "payer": view.counterparty or _("an unnamed payer"),
            "day": view.booked_on.strftime("%d.%m.%Y"),
            "text": view.remittance,
        },
        "consequences": [
            _("Claim: %(text)s, payment reference %(reference)s")
            % {"text": claim.text, "reference": claim.reference_grouped},
            _("Open on the claim: %(amount)s") % {"amount": euros(claim.open_cents)},
        ],
        "action": _("Assign"),
        "action_url": request.path,
        "cancel_url": reverse("budget:entry", args=[entry_id]),
    }
    return render(request, "ui/confirm.html", context)
