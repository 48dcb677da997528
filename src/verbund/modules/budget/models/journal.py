"""The journal (Zeitbuch): vouchers and their lines, written once by the SQL function `budget_post`, never changed.

J1 balance, J2 append-only, J3 gap-free numbers, J4 one reversal at most, J5 open period, J6 finance accounts on
liquid lines, J7 hash chain, J8 integer cents: each is enforced by PostgreSQL itself (migration 0002), the services
only say it more kindly.
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from verbund.platform.tenancy.rights import APPEND_ONLY

from .ledger import Account, FiscalYear, Ledger, Product


class VoucherKind(models.TextChoices):
    OPENING = "opening", _("opening balance")
    ASSESSMENT = "assessment", _("assessment of a claim")
    INVOICE = "invoice", _("supplier's invoice")
    RECEIPT = "receipt", _("receipt of money")
    PAYMENT = "payment", _("payment")
    TRANSFER = "transfer", _("transfer posting")
    REVERSAL = "reversal", _("reversal")
    CLOSING = "closing", _("closing entry")
    CARRY_FORWARD = "carry_forward", _("carry forward")


class SeriesCounter(models.Model):
    """Number range (Nummernkreis) of one series in one year: the row that is locked while a number is given."""

    fiscal_year = models.ForeignKey(FiscalYear, on_delete=models.PROTECT, related_name="counters", db_index=False)
    series = models.CharField(max_length=8)
    last_no = models.PositiveIntegerField(default=0)
    last_hash = models.BinaryField(max_length=32)

    pk = models.CompositePrimaryKey("fiscal_year_id", "series")

    def __str__(self) -> str:
        return f"{self.series} {self.last_no}"


class Voucher(models.Model):
    """Voucher (Beleg): one entry of the journal; amounts in its lines."""

    database_rights = APPEND_ONLY

    id = models.UUIDField(primary_key=True)
    ledger = models.ForeignKey(Ledger, on_delete=models.PROTECT, related_name="vouchers", db_index=False)
    fiscal_year = models.ForeignKey(FiscalYear, on_delete=models.PROTECT, related_name="vouchers", db_index=False)
    series = models.CharField(max_length=8)
    no = models.PositiveIntegerField()
    posting_date = models.DateField()
    document_date = models.DateField()
    kind = models.CharField(max_length=14, choices=VoucherKind.choices)
    text = models.CharField(max_length=300)
    reverses = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="reversed_by", db_index=False
    )
    line_count = models.PositiveSmallIntegerField()
    total_cents = models.BigIntegerField()
    posted_at = models.DateTimeField()
    posted_by = models.CharField(max_length=200)
    hash_prev = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["fiscal_year", "series", "no"], name="budget_voucher_no_once"),
            models.UniqueConstraint(
                fields=["reverses"], condition=Q(reverses__isnull=False), name="budget_voucher_reversed_once"
            ),
            models.CheckConstraint(condition=Q(line_count__gte=2), name="budget_voucher_two_lines"),
            models.CheckConstraint(condition=Q(total_cents__gt=0), name="budget_voucher_has_amount"),
            models.CheckConstraint(condition=Q(no__gte=1), name="budget_voucher_no_positive"),
            models.CheckConstraint(
                condition=Q(reverses__isnull=True) | ~Q(reverses=F("id")), name="budget_voucher_not_own_reversal"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["ledger", "-id"], name="budget_voucher_recent"),
            # The day first: an index that begins with the year would be as good a way to the predecessor of a voucher,
            # for a planner without statistics, as the unique constraint.
            models.Index(fields=["posting_date", "fiscal_year"], name="budget_voucher_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.series} {self.no}"


class VoucherLine(models.Model):
    """Line of a voucher (Buchungszeile): exactly one side is above zero, in cents.

    `finance_account` stands on lines of liquid accounts only (J6): class 6 on the debit side, class 7 on the credit
    side; `deduction` (Absetzung) marks money that went back and swaps the sides.
    """

    database_rights = APPEND_ONLY

    voucher = models.ForeignKey(Voucher, on_delete=models.PROTECT, related_name="lines", db_index=False)
    position = models.PositiveSmallIntegerField()
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    product = models.ForeignKey(Product, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    debit = models.BigIntegerField(default=0)
    credit = models.BigIntegerField(default=0)
    finance_account = models.ForeignKey(Account, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    deduction = models.BooleanField(default=False)
    open_item = models.ForeignKey("budget.OpenItem", null=True, on_delete=models.PROTECT, related_name="lines")
    project = models.CharField(max_length=30, blank=True, default="")
    cost_center = models.CharField(max_length=30, blank=True, default="")

    pk = models.CompositePrimaryKey("voucher_id", "position")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(debit__gt=0, credit=0) | Q(debit=0, credit__gt=0), name="budget_line_one_side"
            ),
            models.CheckConstraint(
                condition=Q(deduction=False) | Q(finance_account__isnull=False), name="budget_line_deduction_of_cash"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["account", "-voucher"], name="budget_vline_account"),
            models.Index(
                fields=["finance_account", "-voucher"],
                condition=Q(finance_account__isnull=False),
                name="budget_vline_finance",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.voucher_id} {self.position}"


class UnfoldedVoucher(models.Model):
    """A voucher whose lines are not yet in `AccountTotal`. Written by `budget_post`, taken away by `budget_fold`."""

    voucher = models.OneToOneField(Voucher, primary_key=True, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return str(self.voucher_id)


class AccountTotal(models.Model):
    """Monthly totals (Monatsverkehrszahlen) per account, product and finance account, in cents; month 0 is the opening.

    Totals plus the lines of the unfolded vouchers are the journal, at every instant: postings never wait for a hot
    row of an account.
    """

    id = models.UUIDField(primary_key=True)
    fiscal_year = models.ForeignKey(FiscalYear, on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    product = models.ForeignKey(Product, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    finance_account = models.ForeignKey(Account, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    month = models.PositiveSmallIntegerField()
    debit = models.BigIntegerField()
    credit = models.BigIntegerField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["fiscal_year", "account", "product", "finance_account", "month"],
                name="budget_total_once",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)
