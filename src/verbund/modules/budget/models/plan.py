"""Appropriations and the funds they hold: budget lines, cover circles, reservations and commitments.

`LineBalance` and `CircleBalance` are the rows that concurrent requests fight for. A request takes them in one order
(circles, then lines, each by ascending id) and with one statement each: `UPDATE ... WHERE authorisation - consumed -
open >= x`; no row back means no. Every change is also a `FundsEvent`, so that each balance can be recomputed as of
any instant.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from verbund.platform.tenancy.rights import APPEND_ONLY

from .ledger import Account, FiscalYear, Product


class BudgetKind(models.TextChoices):
    RESULT = "EH", _("result budget")
    FINANCE = "FH", _("finance budget")


class CoverCircle(models.Model):
    """Cover circle (Deckungskreis), § 14 GemHVO-Doppik M-V: lines whose appropriations cover each other (K1, K2)."""

    id = models.UUIDField(primary_key=True)
    fiscal_year = models.ForeignKey(FiscalYear, on_delete=models.PROTECT, related_name="circles")
    budget_kind = models.CharField(max_length=2, choices=BudgetKind.choices)
    code = models.CharField(max_length=30)
    name = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["fiscal_year", "code"], name="budget_circle_once"),
        ]

    def __str__(self) -> str:
        return self.code


class CircleBalance(models.Model):
    """The sums of a cover circle, in cents; changed only together with the lines' rows."""

    circle = models.OneToOneField(CoverCircle, primary_key=True, on_delete=models.PROTECT, related_name="balance")
    authorisation = models.BigIntegerField(default=0)
    consumed = models.BigIntegerField(default=0)
    open = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.circle_id)

    @property
    def available(self) -> int:
        return self.authorisation - self.consumed - self.open


class BudgetLine(models.Model):
    """Budget line (Produktsachkonto): product and account of one year; `appropriation` (Ansatz) in cents."""

    id = models.UUIDField(primary_key=True)
    fiscal_year = models.ForeignKey(FiscalYear, on_delete=models.PROTECT, related_name="lines", db_index=False)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="lines")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="lines")
    budget_kind = models.CharField(max_length=2, choices=BudgetKind.choices)
    appropriation = models.BigIntegerField(default=0)
    circle = models.ForeignKey(CoverCircle, null=True, blank=True, on_delete=models.PROTECT, related_name="lines")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["fiscal_year", "product", "account"], name="budget_line_once"),
            models.CheckConstraint(condition=Q(appropriation__gte=0), name="budget_line_not_negative"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class LineBalance(models.Model):
    """The sums of a line, in cents; inserted with its line, so that a line never used is locked like any other."""

    line = models.OneToOneField(BudgetLine, primary_key=True, on_delete=models.PROTECT, related_name="balance")
    authorisation = models.BigIntegerField(default=0)
    consumed = models.BigIntegerField(default=0)
    open = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.line_id)

    @property
    def available(self) -> int:
        return self.authorisation - self.consumed - self.open


class Binding(models.Model):
    """Binding of funds (Mittelbindung): reservation (Vormerkung) or commitment (Auftrag) on one or several lines."""

    class Stage(models.TextChoices):
        RESERVATION = "reservation", _("reservation")
        COMMITMENT = "commitment", _("commitment")

    class State(models.TextChoices):
        ACTIVE = "active", _("active")
        RELEASED = "released", _("released")

    id = models.UUIDField(primary_key=True)
    fiscal_year = models.ForeignKey(FiscalYear, on_delete=models.PROTECT, related_name="bindings")
    stage = models.CharField(max_length=12, choices=Stage.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)
    text = models.CharField(max_length=300)
    idempotency_key = models.CharField(max_length=100, unique=True)
    created_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["fiscal_year", "state"], name="budget_binding_state"),
        ]

    def __str__(self) -> str:
        return self.text


class BindingLine(models.Model):
    """What a binding holds on one line: `cents` taken, `used_cents` already turned into payables, expense or payments
    (E1).
    """

    id = models.UUIDField(primary_key=True)
    binding = models.ForeignKey(Binding, on_delete=models.PROTECT, related_name="lines")
    line = models.ForeignKey(BudgetLine, on_delete=models.PROTECT, related_name="+")
    cents = models.BigIntegerField()
    used_cents = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["binding", "line"], name="budget_bindingline_once"),
            models.CheckConstraint(
                condition=Q(cents__gt=0, used_cents__gte=0, used_cents__lte=models.F("cents")),
                name="budget_bindingline_within",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def rest_cents(self) -> int:
        return self.cents - self.used_cents


class FundsEvent(models.Model):
    """One change of a line's sums (Bewirtschaftungsbuchung); the sums of the events are the line's balance."""

    database_rights = APPEND_ONLY

    id = models.UUIDField(primary_key=True)
    line = models.ForeignKey(BudgetLine, on_delete=models.PROTECT, related_name="events")
    authorisation = models.BigIntegerField(default=0)
    consumed = models.BigIntegerField(default=0)
    open = models.BigIntegerField(default=0)
    voucher = models.UUIDField(null=True, blank=True)
    binding = models.UUIDField(null=True, blank=True)
    binding_used = models.BigIntegerField(default=0)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["line", "id"], name="budget_fundsevent_line"),
            models.Index(fields=["voucher"], condition=Q(voucher__isnull=False), name="budget_fundsevent_voucher"),
        ]

    def __str__(self) -> str:
        return str(self.id)
