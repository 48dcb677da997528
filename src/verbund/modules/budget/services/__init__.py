"""Door of the budget room: writes. `actor` first, keyword-only after it."""

from verbund.modules.budget.models import VoucherKind

from .books import LedgerNotFound, Line, NewItem, VoucherRef
from .chart import ChartRefused, ChartReport, import_chart, import_products
from .claims import (
    ClaimNotCancellable,
    ClaimNotFound,
    ClaimRef,
    ClaimRefused,
    Party,
    cancel_claim,
    raise_claim,
)
from .folding import fold_totals
from .funds import BindingNotFound, Demand, FundsRefused, NotEnoughFunds, commit, release, reserve
from .posting import AlreadyReversed, PeriodClosed, VoucherRefused
from .statements import (
    EntryNotFound,
    EntryReport,
    NotAssignable,
    StatementRefused,
    StatementReport,
    assign_receipt,
    import_statement,
)
from .structure import (
    LedgerFacts,
    PeriodRefused,
    SetUpRefused,
    form_circle,
    lock_period,
    open_bank_account,
    open_ledger,
    open_year,
    set_appropriation,
)
from .vouchers import NotReversible, Posting, VoucherNotFound, post_voucher, post_vouchers, reverse_voucher

__all__ = [
    "AlreadyReversed",
    "BindingNotFound",
    "ChartRefused",
    "ChartReport",
    "ClaimNotCancellable",
    "ClaimNotFound",
    "ClaimRef",
    "ClaimRefused",
    "Demand",
    "EntryNotFound",
    "EntryReport",
    "FundsRefused",
    "LedgerFacts",
    "LedgerNotFound",
    "Line",
    "NewItem",
    "NotAssignable",
    "NotEnoughFunds",
    "NotReversible",
    "Party",
    "PeriodClosed",
    "PeriodRefused",
    "Posting",
    "SetUpRefused",
    "StatementRefused",
    "StatementReport",
    "VoucherKind",
    "VoucherNotFound",
    "VoucherRef",
    "VoucherRefused",
    "assign_receipt",
    "cancel_claim",
    "commit",
    "fold_totals",
    "form_circle",
    "import_chart",
    "import_products",
    "import_statement",
    "lock_period",
    "open_bank_account",
    "open_ledger",
    "open_year",
    "post_voucher",
    "post_vouchers",
    "raise_claim",
    "release",
    "reserve",
    "reverse_voucher",
    "set_appropriation",
]
