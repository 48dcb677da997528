"""Bank accounts and what their statements (camt.053) said."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .claims import Claim, OpenItem
from .ledger import Account, Ledger


class BankAccount(models.Model):
    """Bank account (Bankverbindung) behind a liquid account; `balance` is the closing balance of the last statement,
    in cents.
    """

    id = models.UUIDField(primary_key=True)
    ledger = models.ForeignKey(Ledger, on_delete=models.PROTECT, related_name="bank_accounts")
    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="bank_account")
    iban = models.CharField(max_length=34, unique=True)
    name = models.CharField(max_length=200)
    opening_balance = models.BigIntegerField()
    balance = models.BigIntegerField()
    balance_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.iban} {self.name}"


class BankStatement(models.Model):
    """Statement (Kontoauszug): imported once, whole; `digest` is the SHA-256 of its entries in canonical order."""

    id = models.UUIDField(primary_key=True)
    bank_account = models.ForeignKey(BankAccount, on_delete=models.PROTECT, related_name="statements")
    statement_id = models.CharField(max_length=70)
    sequence = models.CharField(max_length=40, blank=True, default="")
    opening = models.BigIntegerField()
    closing = models.BigIntegerField()
    closing_on = models.DateField()
    digest = models.CharField(max_length=64)
    filename = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    imported_at = models.DateTimeField()
    imported_by = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["bank_account", "statement_id"], name="budget_statement_once"),
        ]

    def __str__(self) -> str:
        return self.statement_id


class StatementEntry(models.Model):
    """Entry of a statement (Umsatz); `cents` above zero is money that came, below zero money that went."""

    class State(models.TextChoices):
        MATCHED = "matched", _("matched")
        PROPOSAL = "proposal", _("proposal")
        SUSPENSE = "suspense", _("unidentified")
        ASSIGNED = "assigned", _("assigned by hand")
        RETURNED = "returned", _("returned")

    id = models.UUIDField(primary_key=True)
    statement = models.ForeignKey(BankStatement, on_delete=models.PROTECT, related_name="entries")
    entry_ref = models.CharField(max_length=110)
    position = models.PositiveIntegerField()
    cents = models.BigIntegerField()
    booked_on = models.DateField()
    value_on = models.DateField(null=True, blank=True)
    counterparty = models.CharField(max_length=200, blank=True, default="")
    counterparty_iban = models.CharField(max_length=34, blank=True, default="")
    end_to_end_id = models.CharField(max_length=70, blank=True, default="")
    mandate = models.CharField(max_length=70, blank=True, default="")
    remittance = models.TextField(blank=True, default="")
    is_return = models.BooleanField(default=False)
    return_reason = models.CharField(max_length=40, blank=True, default="")
    state = models.CharField(max_length=10, choices=State.choices)
    how = models.CharField(max_length=40, blank=True, default="")
    voucher = models.UUIDField()
    claim = models.ForeignKey(Claim, null=True, on_delete=models.PROTECT, related_name="entries")
    proposal = models.ForeignKey(Claim, null=True, on_delete=models.PROTECT, related_name="+")
    suspense_item = models.OneToOneField(OpenItem, null=True, on_delete=models.PROTECT, related_name="entry")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["statement", "entry_ref"], name="budget_entry_once"),
            models.CheckConstraint(condition=~Q(cents=0), name="budget_entry_has_amount"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["end_to_end_id"], condition=~Q(end_to_end_id=""), name="budget_entry_e2e"),
        ]

    def __str__(self) -> str:
        return self.entry_ref
