"""Parties, open items and claims: who owes what, and the reference by which the money is known when it comes."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .ledger import Account, Ledger, Product
from .plan import BudgetLine


class PartyAccount(models.Model):
    """Party account (Personenkonto): debtor or creditor of a ledger."""

    id = models.UUIDField(primary_key=True)
    ledger = models.ForeignKey(Ledger, on_delete=models.PROTECT, related_name="parties")
    key = models.CharField(max_length=100, blank=True, default="")
    name = models.CharField(max_length=200)
    street = models.CharField(max_length=200, blank=True, default="")
    postcode = models.CharField(max_length=12, blank=True, default="")
    city = models.CharField(max_length=100, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["ledger", "key"], condition=~Q(key=""), name="budget_party_key_once"),
            models.CheckConstraint(condition=~Q(name=""), name="budget_party_has_name"),
        ]

    def __str__(self) -> str:
        return self.name


class OpenItem(models.Model):
    """Open item (offener Posten) of a control account; `open_cents` = debit - credit of its lines.

    O1: the open items of a control account sum up to the account's balance. It holds by construction: lines on
    control accounts must name an item (trigger), and `budget_post` moves the item by exactly these lines.
    """

    id = models.UUIDField(primary_key=True)
    ledger = models.ForeignKey(Ledger, on_delete=models.PROTECT, related_name="open_items")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    party = models.ForeignKey(PartyAccount, null=True, on_delete=models.PROTECT, related_name="open_items")
    product = models.ForeignKey(Product, null=True, on_delete=models.PROTECT, related_name="+")
    finance_account = models.ForeignKey(Account, null=True, on_delete=models.PROTECT, related_name="+")
    finance_line = models.ForeignKey(BudgetLine, null=True, on_delete=models.PROTECT, related_name="+")
    payment_reference = models.CharField(max_length=14, null=True, blank=True, unique=True)
    text = models.CharField(max_length=300)
    due_on = models.DateField(null=True, blank=True)
    original_cents = models.BigIntegerField()
    open_cents = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["ledger", "due_on", "id"], condition=~Q(open_cents=0), name="budget_item_still_open"),
            models.Index(fields=["ledger", "open_cents"], condition=~Q(open_cents=0), name="budget_item_amount"),
        ]

    def __str__(self) -> str:
        return self.text


class Claim(models.Model):
    """Claim (Forderung): raised by a receipt order (Annahmeanordnung), settled by money, or cancelled."""

    class State(models.TextChoices):
        OPEN = "open", _("unpaid")
        SETTLED = "settled", _("settled")
        CANCELLED = "cancelled", _("cancelled")

    id = models.UUIDField(primary_key=True)
    ledger = models.ForeignKey(Ledger, on_delete=models.PROTECT, related_name="claims")
    item = models.OneToOneField(OpenItem, on_delete=models.PROTECT, related_name="claim")
    line = models.ForeignKey(BudgetLine, on_delete=models.PROTECT, related_name="+")
    voucher = models.UUIDField()
    voucher_label = models.CharField(max_length=40)
    origin = models.CharField(max_length=200, blank=True, default="")
    purpose = models.CharField(max_length=40)
    cents = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    raised_at = models.DateTimeField()
    raised_by = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["origin", "purpose"], condition=~Q(origin=""), name="budget_claim_once_per_origin"
            ),
            models.CheckConstraint(condition=Q(cents__gt=0), name="budget_claim_positive"),
        ]

    def __str__(self) -> str:
        return str(self.id)
