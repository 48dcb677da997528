"""Ledgers, years, accounts, products: what a body books on."""

from datetime import date
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Ledger(models.Model):
    """Ledger (Buchungskreis): the books of one public body; an Amt keeps one per town it administers."""

    id = models.UUIDField(primary_key=True)
    code = models.CharField(max_length=20, unique=True)
    number = models.PositiveSmallIntegerField(unique=True)
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(code__regex=r"^[A-Za-z0-9_-]{1,20}$"), name="budget_ledger_code_form"),
            models.CheckConstraint(condition=Q(number__gte=1, number__lte=99), name="budget_ledger_number_two_digits"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class FiscalYear(models.Model):
    """Fiscal year (Haushaltsjahr), § 1 GemHVO-Doppik M-V: the calendar year. Nothing is posted up to
    `locked_through`.
    """

    class State(models.TextChoices):
        OPEN = "open", _("open for postings")
        CLOSED = "closed", _("closed")

    id = models.UUIDField(primary_key=True)
    ledger = models.ForeignKey(Ledger, on_delete=models.PROTECT, related_name="years")
    year = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    locked_through = models.DateField(null=True, blank=True)
    opened_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["ledger", "year"], name="budget_year_once"),
            models.CheckConstraint(condition=Q(year__gte=1990, year__lte=2199), name="budget_year_plausible"),
        ]

    def __str__(self) -> str:
        return f"{self.ledger_id} {self.year}"

    def takes(self, day: date) -> bool:
        """Whether a voucher may be posted on `day` (J5)."""
        return (
            self.state == self.State.OPEN
            and day.year == self.year
            and (self.locked_through is None or day > self.locked_through)
        )


class AccountKind(models.TextChoices):
    ASSET = "asset", _("asset")
    EQUITY = "equity", _("equity")
    SPECIAL_ITEM = "special_item", _("special item")
    PROVISION = "provision", _("provision")
    LIABILITY = "liability", _("liability")
    REVENUE = "revenue", _("revenue")
    EXPENSE = "expense", _("expense")
    RECEIPT = "receipt", _("receipt")
    PAYMENT = "payment", _("payment")
    COSTING = "costing", _("cost accounting")


class AccountRole(models.TextChoices):
    """What the posting services use an account for; open items are kept for the control accounts among them."""

    NONE = "", _("none")
    RECEIVABLE = "receivable", _("receivables (control account)")
    PAYABLE = "payable", _("payables (control account)")
    SUSPENSE_IN = "suspense_in", _("unidentified receipts (control account)")
    SUSPENSE_OUT = "suspense_out", _("unidentified payments (control account)")
    TRANSIT_IN = "transit_in", _("transit receipts")
    TRANSIT_OUT = "transit_out", _("transit payments")
    RESULT_CARRIED = "result_carried", _("result carried forward")


CONTROL_ROLES = frozenset(
    {AccountRole.RECEIVABLE, AccountRole.PAYABLE, AccountRole.SUSPENSE_IN, AccountRole.SUSPENSE_OUT}
)


class CashSection(models.TextChoices):
    """Section of the cash statement (Finanzrechnung), § 3 GemHVO-Doppik M-V."""

    NONE = "", _("none")
    OPERATING = "operating", _("running")
    INVESTMENT = "investment", _("investment")
    FINANCING = "financing", _("financing")
    TRANSIT = "transit", _("transit funds")


KINDS_OF_CLASS: dict[str, frozenset[str]] = {
    "0": frozenset({AccountKind.ASSET}),
    "1": frozenset({AccountKind.ASSET}),
    "2": frozenset({AccountKind.EQUITY, AccountKind.SPECIAL_ITEM, AccountKind.PROVISION}),
    "3": frozenset({AccountKind.LIABILITY}),
    "4": frozenset({AccountKind.REVENUE}),
    "5": frozenset({AccountKind.EXPENSE}),
    "6": frozenset({AccountKind.RECEIPT}),
    "7": frozenset({AccountKind.PAYMENT}),
    "8": frozenset({AccountKind.COSTING, AccountKind.EQUITY}),
    "9": frozenset({AccountKind.COSTING}),
}


class Account(models.Model):
    """Account (Konto): its first digit is its class; 4xxx pairs with 6xxx and 5xxx with 7xxx (`finance_account`).

    Code and ledger never change, and nothing that decides how a posted entry is read (C3, trigger
    `budget_account_guard`).
    """

    id = models.UUIDField(primary_key=True)
    ledger = models.ForeignKey(Ledger, on_delete=models.PROTECT, related_name="accounts", db_index=False)
    code = models.CharField(max_length=12)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=14, choices=AccountKind.choices)
    liquid = models.BooleanField(default=False)
    role = models.CharField(max_length=14, choices=AccountRole.choices, blank=True, default=AccountRole.NONE)
    cash_effective = models.BooleanField(default=False)
    finance_account = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    section = models.CharField(max_length=12, choices=CashSection.choices, blank=True, default=CashSection.NONE)
    scheduled_repayment = models.BooleanField(default=False)
    closed_from = models.DateField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["ledger", "code"], name="budget_account_once"),
            models.CheckConstraint(condition=Q(code__regex=r"^[0-9]{4,12}$"), name="budget_account_code_form"),
            models.CheckConstraint(
                condition=~Q(kind__in=[AccountKind.RECEIPT, AccountKind.PAYMENT]) | ~Q(section=""),
                name="budget_account_finance_has_section",
            ),
            models.CheckConstraint(
                condition=Q(cash_effective=False) | Q(finance_account__isnull=False),
                name="budget_account_cash_has_partner",
            ),
            models.CheckConstraint(
                condition=Q(liquid=False) | Q(kind=AccountKind.ASSET), name="budget_account_liquid_is_asset"
            ),
            models.UniqueConstraint(
                fields=["ledger", "role"],
                condition=Q(role__in=["suspense_in", "suspense_out", "transit_in", "transit_out"]),
                name="budget_account_role_once",
            ),
            models.CheckConstraint(
                condition=Q(finance_account__isnull=True) | ~Q(finance_account=F("id")),
                name="budget_account_not_own_partner",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    @property
    def account_class(self) -> str:
        return self.code[0]

    @property
    def is_control(self) -> bool:
        return self.role in CONTROL_ROLES

    def open_on(self, day: date) -> bool:
        return self.closed_from is None or day < self.closed_from


class SubBudget(models.Model):
    """Sub-budget (Teilhaushalt), § 4 GemHVO-Doppik M-V: groups products, carries the responsibility."""

    id = models.UUIDField(primary_key=True)
    ledger = models.ForeignKey(Ledger, on_delete=models.PROTECT, related_name="sub_budgets")
    code = models.CharField(max_length=12)
    name = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["ledger", "code"], name="budget_subbudget_once"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Product(models.Model):
    """Product (Produkt): what the body does; belongs to one sub-budget (P1)."""

    id = models.UUIDField(primary_key=True)
    ledger = models.ForeignKey(Ledger, on_delete=models.PROTECT, related_name="products", db_index=False)
    sub_budget = models.ForeignKey(SubBudget, on_delete=models.PROTECT, related_name="products")
    code = models.CharField(max_length=12)
    name = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["ledger", "code"], name="budget_product_once"),
            models.CheckConstraint(condition=Q(code__regex=r"^[0-9]{3,12}$"), name="budget_product_code_form"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"
