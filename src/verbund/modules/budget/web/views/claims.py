"""Open items and claims."""

from functools import partial
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from verbund.modules.budget import queries, services
from verbund.modules.budget.policies import Permission, may_order
from verbund.modules.budget.web.forms import ItemFilter, ReasonForm
from verbund.modules.budget.web.frame import Cursor, frame
from verbund.modules.budget.web.tables import CHUNK, Cents, all_rows, csv_response
from verbund.platform.identity import policy
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import local_date, now
from verbund.platform.ui import notices


@staff_page(Permission.SEE)
def items(request: BodyRequest, ledger: str, year: int) -> HttpResponse:
    """Open items, the first due first."""
    form = ItemFilter(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {}
    look = partial(
        queries.open_items,
        request.actor,
        ledger,
        today=local_date(now()),
        role=wanted.get("role", ""),
        text=wanted.get("text", ""),
        overdue=wanted.get("overdue", False),
    )
    if "csv" in request.GET:
        return csv_response(
            f"offene-posten-{ledger}.csv",
            [_("Account"), _("Name"), _("Text"), _("Claim reference"), _("Due"), _("Amount"), _("Open")],
            (
                (
                    r.account,
                    r.party,
                    r.text,
                    r.reference_grouped,
                    r.due_on,
                    Cents(r.original_cents),
                    Cents(r.open_cents),
                )
                for r in all_rows(lambda after: look(after=after, limit=CHUNK))
            ),
        )
    page = look(after=request.GET.get("after") or None)
    context = frame(request, ledger, year, "items")
    context |= {"rows": page.rows, "form": form, "page": Cursor(page.after or "")}
    context["sums"] = queries.item_sums(request.actor, ledger)
    return render(request, "budget/items.html", context)


@staff_page(Permission.SEE_CLAIM)
def claim(request: BodyRequest, claim_id: UUID) -> HttpResponse:
    """One claim: what is open, and what was booked on it."""
    view = queries.claim(request.actor, claim_id)
    tone = {"open": "info", "settled": "success"}.get(view.state, "neutral")
    if view.state == "open" and view.due_on and view.due_on < local_date(now()):
        tone = "warning"
    may_cancel = (
        policy.allows(request.actor, Permission.CANCEL_CLAIM)
        and may_order(request.actor)
        and view.state == "open"
        and view.open_cents == view.cents
    )
    context = {
        "claim": view,
        "movements": queries.claim_movements(request.actor, claim_id),
        "tone": tone,
        "may_cancel": may_cancel,
        "sees_books": policy.allows(request.actor, Permission.SEE),
    }
    return render(request, "budget/claim.html", context)


@staff_page(Permission.CANCEL_CLAIM)
def cancel_claim(request: BodyRequest, claim_id: UUID) -> HttpResponse:
    """Ask once, then cancel."""
    view = queries.claim(request.actor, claim_id)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.cancel_claim(request.actor, claim_id=claim_id, reason=form.cleaned_data["reason"], now=now())
        except (services.ClaimNotCancellable, services.PeriodClosed) as refusal:
            notices.refused(request, str(refusal.message))
        else:
            notices.done(request, _("The claim is cancelled."))
        return redirect("budget:claim", claim_id)
    context = {
        "title": _("Cancel the claim on %(name)s") % {"name": view.debtor},
        "text": _("The claim with the payment reference %(reference)s is taken back. This cannot be undone.")
        % {"reference": view.reference_grouped},
        "action": _("Cancel claim"),
        "action_url": request.path,
        "cancel_url": reverse("budget:claim", args=[claim_id]),
        "danger": True,
        "form": form,
    }
    return render(request, "ui/confirm.html", context, status=422 if form.is_bound else 200)
