"""What every page of a ledger's year shows around its content: the ledger, its years, the pages beside it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from verbund.modules.budget import queries
from verbund.platform.identity.routes import BodyRequest


@dataclass(frozen=True, slots=True)
class Tab:
    label: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Cursor:
    """What `ui/pagination.html` needs: the cursor of the next page."""

    next: str


def frame(request: BodyRequest, ledger: str, year: int, current: str) -> dict[str, Any]:
    """Context of a page of this ledger and year; 404 for a ledger or year that is not there."""
    rows = queries.ledgers(request.actor)
    row = next((r for r in rows if r.code == ledger), None)
    if row is None or year not in row.years:
        raise Http404
    names = {
        "year": _("Overview"),
        "monitoring": _("Budget monitoring"),
        "journal": _("Journal"),
        "accounts": _("Accounts"),
        "items": _("Open items"),
        "outgoing": _("Invoices"),
        "statements": _("Bank statements"),
        "trial_balance": _("Trial balance"),
        "result_statement": _("Result statement"),
        "cash_statement": _("Cash statement"),
        "balance_sheet": _("Balance sheet"),
    }
    return {
        "ledger": row,
        "year": year,
        "tabs": [Tab(label, reverse(f"budget:{n}", args=[ledger, year]), n == current) for n, label in names.items()],
        "years": [Tab(str(y), reverse(f"budget:{current}", args=[ledger, y]), y == year) for y in row.years],
        "ledgers": [
            Tab(r.name, reverse("budget:year", args=[r.code, max(r.years)]), r.code == ledger) for r in rows if r.years
        ],
    }


def uuid_or_none(text: str) -> UUID | None:
    """The UUID in a query string; None for anything else."""
    try:
        return UUID(text)
    except ValueError:
        return None
