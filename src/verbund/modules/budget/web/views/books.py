"""Overview, journal, accounts, vouchers."""

from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from verbund.modules.budget import queries, services
from verbund.modules.budget.policies import Permission
from verbund.modules.budget.web.forms import JournalFilter, ReasonForm
from verbund.modules.budget.web.frame import Cursor, frame, uuid_or_none
from verbund.modules.budget.web.tables import CHUNK, Cents, all_rows, csv_response
from verbund.platform.identity import policy
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import now
from verbund.platform.ui import notices


@dataclass(frozen=True, slots=True)
class ProductBar:
    """One bar of the overview: expense of a product, widths in thousandths of the longest."""

    code: str
    name: str
    authorisation: int
    consumed: int
    open: int
    available: int
    consumed_width: int
    open_x: int
    open_width: int
    frame_width: int


@staff_page(Permission.SEE)
def overview(request: BodyRequest) -> HttpResponse:
    """The books of the body: straight to the newest year where there is one ledger, else the choice."""
    rows = queries.ledgers(request.actor)
    usable = [row for row in rows if row.years]
    if len(usable) == 1:
        return redirect("budget:year", usable[0].code, max(usable[0].years))
    return render(request, "budget/home.html", {"ledgers": usable})


@staff_page(Permission.SEE)
def year_overview(request: BodyRequest, ledger: str, year: int) -> HttpResponse:
    """One sentence, then the bars, then the table behind them."""
    context = frame(request, ledger, year, "year")
    status = queries.budget_status(request.actor, ledger, year)
    bars = _bars([s for s in status if s.account.startswith("5")])
    sums = {s.role: s for s in queries.item_sums(request.actor, ledger)}
    context |= {
        "bars": bars,
        "authorised": sum(b.authorisation for b in bars),
        "consumed": sum(b.consumed for b in bars),
        "bound": sum(b.open for b in bars),
        "available": sum(b.available for b in bars),
        "item_sums": sums,
        "payables": -sums["payable"].cents if "payable" in sums else 0,
        "banks": queries.bank_accounts(request.actor, ledger),
        "result": queries.result_statement(request.actor, ledger, year),
    }
    return render(request, "budget/overview.html", context)


def _bars(rows: list[queries.LineStatus]) -> list[ProductBar]:
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in rows:
        for place, cents in enumerate((row.authorisation, row.consumed, row.open)):
            sums[(row.product, row.product_name)][place] += cents
    longest = max((max(a, c + o, 1) for a, c, o in sums.values()), default=1)
    bars = []
    for (code, name), (authorised, consumed, bound) in sorted(sums.items()):
        used = max(consumed, 0) * 1000 // longest
        bars.append(
            ProductBar(
                code,
                name,
                authorised,
                consumed,
                bound,
                authorised - consumed - bound,
                used,
                used,
                max(bound, 0) * 1000 // longest,
                authorised * 1000 // longest,
            )
        )
    return bars


@staff_page(Permission.SEE)
def journal(request: BodyRequest, ledger: str, year: int) -> HttpResponse:
    """The journal, newest first."""
    form = JournalFilter(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {}
    look = partial(
        queries.journal,
        request.actor,
        ledger,
        year=year,
        series=wanted.get("series", "").upper(),
        kind=wanted.get("kind", ""),
        text=wanted.get("text", ""),
        day_from=wanted.get("day_from"),
        day_to=wanted.get("day_to"),
    )
    if "csv" in request.GET:
        return csv_response(
            f"journal-{ledger}-{year}.csv",
            [_("Voucher"), _("Posted"), _("Kind"), _("Text"), _("Amount"), _("Booked by")],
            (
                (r.label, r.posting_date, r.kind_label, r.text, Cents(r.cents), r.posted_by)
                for r in all_rows(lambda after: look(after=after, limit=CHUNK))
            ),
        )
    page = look(after=uuid_or_none(request.GET.get("after", "")))
    context = frame(request, ledger, year, "journal")
    return render(
        request,
        "budget/journal.html",
        context | {"rows": page.rows, "form": form, "page": Cursor(str(page.after or ""))},
    )


@staff_page(Permission.SEE)
def accounts(request: BodyRequest, ledger: str, year: int) -> HttpResponse:
    """The chart of accounts with balances."""
    context = frame(request, ledger, year, "accounts")
    balances = {r.code: r.balance for r in queries.trial_balance(request.actor, ledger, year).rows}
    rows = [(account, balances.get(account.code, 0)) for account in queries.accounts(request.actor, ledger)]
    return render(request, "budget/accounts.html", context | {"rows": rows})


@staff_page(Permission.SEE)
def account(request: BodyRequest, ledger: str, year: int, code: str) -> HttpResponse:
    """The movements of one account: every figure of a report opens here."""
    context = frame(request, ledger, year, "accounts")
    voucher_id, _dot, position = request.GET.get("after", "").partition(".")
    key = uuid_or_none(voucher_id)
    page = queries.account_movements(
        request.actor,
        ledger,
        code,
        year=year,
        product=request.GET.get("produkt", ""),
        after=(key, int(position)) if key and position.isascii() and position.isdigit() and len(position) < 6 else None,
    )
    after = f"{page.after[0]}.{page.after[1]}" if page.after else ""
    context |= {
        "account": page.account,
        "rows": page.rows,
        "page": Cursor(after),
        "product": request.GET.get("produkt", ""),
    }
    return render(request, "budget/account.html", context)


@staff_page(Permission.SEE)
def voucher(request: BodyRequest, voucher_id: UUID) -> HttpResponse:
    """One voucher with its lines and its hash."""
    view = queries.voucher(request.actor, voucher_id)
    context = frame(request, view.ledger, view.year, "journal")
    may_reverse = (
        policy.allows(request.actor, Permission.POST)
        and view.reversed_by is None
        and view.kind != services.VoucherKind.REVERSAL
    )
    return render(request, "budget/voucher.html", context | {"voucher": view, "may_reverse": may_reverse})


@staff_page(Permission.POST)
def reverse_voucher(request: BodyRequest, voucher_id: UUID) -> HttpResponse:
    """Ask once, then reverse."""
    view = queries.voucher(request.actor, voucher_id)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            ref = services.reverse_voucher(
                request.actor, voucher_id=voucher_id, reason=form.cleaned_data["reason"], now=now()
            )
        except (services.NotReversible, services.PeriodClosed, services.AlreadyReversed) as refusal:
            notices.refused(request, str(refusal.message))
            return redirect("budget:voucher", voucher_id)
        notices.done(request, _("The voucher is reversed by %(label)s.") % {"label": ref.label})
        return redirect("budget:voucher", ref.id)
    context = {
        "title": _("Reverse voucher %(label)s") % {"label": view.label},
        "text": _("A new voucher mirrors each of its lines. Both stay in the journal; this cannot be undone."),
        "action": _("Reverse voucher"),
        "action_url": request.path,
        "cancel_url": reverse("budget:voucher", args=[voucher_id]),
        "danger": True,
        "form": form,
    }
    return render(request, "ui/confirm.html", context, status=422 if form.is_bound else 200)
