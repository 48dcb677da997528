"""Tables of the budget room."""

from .bank import BankAccount, BankStatement, StatementEntry
from .claims import Claim, OpenItem, PartyAccount
from .invoices import InboundInvoice, InvoiceCounter, OutgoingInvoice
from .journal import (
    AccountTotal,
    SeriesCounter,
    UnfoldedVoucher,
    Voucher,
    VoucherKind,
    VoucherLine,
)
from .ledger import (
    CONTROL_ROLES,
    KINDS_OF_CLASS,
    Account,
    AccountKind,
    AccountRole,
    CashSection,
    FiscalYear,
    Ledger,
    Product,
    SubBudget,
)
from .plan import (
    Binding,
    BindingLine,
    BudgetKind,
    BudgetLine,
    CircleBalance,
    CoverCircle,
    FundsEvent,
    LineBalance,
)

__all__ = [
    "CONTROL_ROLES",
    "KINDS_OF_CLASS",
    "Account",
    "AccountKind",
    "AccountRole",
    "AccountTotal",
    "BankAccount",
    "BankStatement",
    "Binding",
    "BindingLine",
    "BudgetKind",
    "BudgetLine",
    "CashSection",
    "CircleBalance",
    "Claim",
    "CoverCircle",
    "FiscalYear",
    "FundsEvent",
    "InboundInvoice",
    "InvoiceCounter",
    "Ledger",
    "LineBalance",
    "OpenItem",
    "OutgoingInvoice",
    "PartyAccount",
    "Product",
    "SeriesCounter",
    "StatementEntry",
    "SubBudget",
    "UnfoldedVoucher",
    "Voucher",
    "VoucherKind",
    "VoucherLine",
]
