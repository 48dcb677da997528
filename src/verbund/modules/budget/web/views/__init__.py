"""Views: a form to plain values, one call, the answer as a page."""

from .bank import assign, entry, statements
from .books import account, accounts, journal, overview, reverse_voucher, voucher, year_overview
from .claims import cancel_claim, claim, items
from .invoices import inbound, inbound_invoice, inbound_original, outgoing, outgoing_original
from .plan import set_appropriation
from .reports import balance_sheet, cash_statement, monitoring, result_statement, trial_balance

__all__ = [
    "account",
    "accounts",
    "assign",
    "balance_sheet",
    "cancel_claim",
    "cash_statement",
    "claim",
    "entry",
    "inbound",
    "inbound_invoice",
    "inbound_original",
    "items",
    "journal",
    "monitoring",
    "outgoing",
    "outgoing_original",
    "overview",
    "result_statement",
    "reverse_voucher",
    "set_appropriation",
    "statements",
    "trial_balance",
    "voucher",
    "year_overview",
]
