"""Reports: budget monitoring, trial balance and the three statements, each also as CSV."""

from datetime import date

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from verbund.modules.budget import queries
from verbund.modules.budget.policies import Permission
from verbund.modules.budget.web.forms import AsOfForm
from verbund.modules.budget.web.frame import frame
from verbund.modules.budget.web.tables import Cents, csv_response
from verbund.platform.identity import policy
from verbund.platform.identity.routes import BodyRequest, staff_page


def _as_of(request: BodyRequest, year: int) -> tuple[AsOfForm, date | None]:
    form = AsOfForm(request.GET if "as_of" in request.GET else None)
    day = form.cleaned_data["as_of"] if form.is_bound and form.is_valid() else None
    if day is not None and day.year != year:
        form.add_error("as_of", _("Choose a day of the fiscal year %(year)d.") % {"year": year})
        day = None
    return form, day


@staff_page(Permission.SEE)
def monitoring(request: BodyRequest, ledger: str, year: int) -> HttpResponse:
    """Budget monitoring (Haushaltsüberwachungsliste): every line with what is left."""
    rows = queries.budget_status(request.actor, ledger, year)
    if "csv" in request.GET:
        return csv_response(
            f"haushaltsueberwachung-{ledger}-{year}.csv",
            [
                _("Budget line"),
                _("Product"),
                _("Account"),
                _("Budget"),
                _("Cover circle"),
                _("Appropriation"),
                _("Consumed"),
                _("Bound"),
                _("Available"),
            ],
            [
                (
                    r.line,
                    r.product_name,
                    r.account_name,
                    r.budget_kind,
                    r.circle,
                    Cents(r.appropriation),
                    Cents(r.consumed),
                    Cents(r.open),
                    Cents(r.available),
                )
                for r in rows
            ],
        )
    context = frame(request, ledger, year, "monitoring")
    context |= {
        "rows": rows,
        "circles": queries.circles_available(request.actor, ledger, year).items(),
        "may_plan": policy.allows(request.actor, Permission.PLAN),
    }
    return render(request, "budget/monitoring.html", context)


@staff_page(Permission.SEE)
def trial_balance(request: BodyRequest, ledger: str, year: int) -> HttpResponse:
    """Trial balance, also as of a day."""
    form, as_of = _as_of(request, year)
    trial = queries.trial_balance(request.actor, ledger, year, as_of)
    if "csv" in request.GET:
        return csv_response(
            f"saldenliste-{ledger}-{year}.csv",
            [_("Account"), _("Name"), _("Opening"), _("Debit"), _("Credit"), _("Balance")],
            [(r.code, r.name, Cents(r.opening), Cents(r.debit), Cents(r.credit), Cents(r.balance)) for r in trial.rows],
        )
    context = frame(request, ledger, year, "trial_balance")
    return render(request, "budget/trial_balance.html", context | {"trial": trial, "form": form, "as_of": as_of})


@staff_page(Permission.SEE)
def result_statement(request: BodyRequest, ledger: str, year: int) -> HttpResponse:
    """Result statement."""
    form, as_of = _as_of(request, year)
    result = queries.result_statement(request.actor, ledger, year, as_of)
    if "csv" in request.GET:
        parts = ((_("Revenue"), result.revenue), (_("Expense"), result.expense))
        return csv_response(
            f"ergebnisrechnung-{ledger}-{year}.csv",
            [_("Part"), _("Account"), _("Name"), _("Plan"), _("Actual")],
            [(part, r.code, r.name, Cents(r.planned), Cents(r.cents)) for part, rows in parts for r in rows],
        )
    context = frame(request, ledger, year, "result_statement")
    context |= {
        "result": result,
        "form": form,
        "as_of": as_of,
        "planned_revenue": sum(r.planned for r in result.revenue),
        "planned_expense": sum(r.planned for r in result.expense),
    }
    context["planned_result"] = context["planned_revenue"] - context["planned_expense"]
    return render(request, "budget/result_statement.html", context)


@staff_page(Permission.SEE)
def cash_statement(request: BodyRequest, ledger: str, year: int) -> HttpResponse:
    """Cash statement."""
    form, as_of = _as_of(request, year)
    cash = queries.cash_statement(request.actor, ledger, year, as_of)
    names = {
        "operating": _("Running activity"),
        "investment": _("Investment"),
        "financing": _("Financing"),
        "transit": _("Transit funds"),
    }
    if "csv" in request.GET:
        return csv_response(
            f"finanzrechnung-{ledger}-{year}.csv",
            [_("Part"), _("Account"), _("Name"), _("Plan"), _("Actual")],
            [
                (names[section.section], r.code, r.name, Cents(r.planned), Cents(sign * r.cents))
                for section in cash.sections
                for sign, rows in ((1, section.receipts), (-1, section.payments))
                for r in rows
            ],
        )
    context = frame(request, ledger, year, "cash_statement")
    sections = [(names[section.section], section) for section in cash.sections]
    return render(
        request,
        "budget/cash_statement.html",
        context | {"cash": cash, "sections": sections, "form": form, "as_of": as_of},
    )


@staff_page(Permission.SEE)
def balance_sheet(request: BodyRequest, ledger: str, year: int) -> HttpResponse:
    """Balance sheet."""
    form, as_of = _as_of(request, year)
    sheet = queries.balance_sheet(request.actor, ledger, year, as_of)
    groups = [
        (_("Equity"), sheet.equity),
        (_("Special items"), sheet.special_items),
        (_("Provisions"), sheet.provisions),
        (_("Liabilities"), sheet.liabilities),
    ]
    if "csv" in request.GET:
        rows = [(_("Assets"), r.code, r.name, Cents(r.cents)) for r in sheet.assets]
        rows += [(part, r.code, r.name, Cents(r.cents)) for part, group in groups for r in group]
        rows.append((_("Equity"), "", _("Annual result"), Cents(sheet.annual_result)))
        return csv_response(f"bilanz-{ledger}-{year}.csv", [_("Part"), _("Account"), _("Name"), _("Amount")], rows)
    context = frame(request, ledger, year, "balance_sheet")
    return render(
        request, "budget/balance_sheet.html", context | {"sheet": sheet, "groups": groups, "form": form, "as_of": as_of}
    )
