"""Charge runs, their lines, invoices, what-if scenarios, and whom an invoice goes to."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from verbund.platform.tenancy.rights import APPEND_ONLY

from .prices import Component


class BillingAddress(models.Model):
    """Billing address (Rechnungsanschrift) of a member, with its Leitweg-ID, and whether others may see its name beside
    its unit cost."""

    member_id = models.UUIDField(primary_key=True)
    street = models.CharField(max_length=200)
    postcode = models.CharField(max_length=12)
    city = models.CharField(max_length=100)
    leitweg_id = models.CharField(max_length=46)
    email = models.EmailField()  # where electronic invoices go (BT-49)
    shows_name = models.BooleanField(default=False)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.member_id)


class BillingSettings(models.Model):
    """Billing settings (Rechnungsstellung) of the alliance: where in its books, and when to pay. One row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    ledger = models.CharField(max_length=30)
    product = models.CharField(max_length=30)
    account = models.CharField(max_length=30)  # revenue
    tax_account = models.CharField(max_length=30, blank=True)  # value added tax owed
    days_to_pay = models.PositiveSmallIntegerField(default=30)
    changed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(id=1), name="costsharing_settings_one_row"),
        ]

    def __str__(self) -> str:
        return self.ledger


class RunKind(models.TextChoices):
    """Kind of a charge run (Art des Laufs)."""

    ADVANCE = "advance", _("advance")  # Abschlag
    SETTLEMENT = "settlement", _("settlement")  # Schlussabrechnung


class ChargeRun(models.Model):
    """Charge run (Abrechnungslauf): proposed, checked and released by another person, issued.

    From its proposal on it holds a copy of every value it reckoned with and the copy's SHA-256; it can be released only
    while that copy is still what stands in the books (L8).
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", _("proposed")
        CHECKED = "checked", _("checked")
        RELEASED = "released", _("released")
        ISSUED = "issued", _("issued")
        DISCARDED = "discarded", _("discarded")

    id = models.UUIDField(primary_key=True)
    year = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=12, choices=RunKind.choices)
    period_start = models.DateField()
    period_end = models.DateField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    inputs: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField()
    inputs_sha256 = models.CharField(max_length=64)
    findings: "models.JSONField[list[dict[str, str]], list[dict[str, str]]]" = models.JSONField(default=list)
    total_cents = models.BigIntegerField()
    proposed_at = models.DateTimeField()
    proposed_by = models.UUIDField(null=True)
    proposed_by_name = models.CharField(max_length=200)
    checked_at = models.DateTimeField(null=True)
    checked_by = models.UUIDField(null=True)
    checked_by_name = models.CharField(max_length=200, blank=True)
    released_at = models.DateTimeField(null=True)
    released_by = models.UUIDField(null=True)
    released_by_name = models.CharField(max_length=200, blank=True)
    issued_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=300, blank=True)  # of a discarded run

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["kind", "period_start", "period_end"],
                condition=~Q(state="discarded"),
                name="costsharing_run_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.period_start}"


class ChargeLine(models.Model):
    """Charge line (Abrechnungszeile): what one member pays for one component of a service. Append-only: a run that is
    not right is discarded and proposed anew."""

    database_rights = APPEND_ONLY

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(ChargeRun, on_delete=models.PROTECT, related_name="lines")
    member_id = models.UUIDField()
    member_code = models.CharField(max_length=63)
    service_code = models.CharField(max_length=40)
    component = models.CharField(max_length=15, choices=Component.choices)
    period_start = models.DateField()
    period_end = models.DateField()
    quantity = models.DecimalField(max_digits=20, decimal_places=6, null=True)  # units, of a stock units and years
    price_euros = models.DecimalField(max_digits=14, decimal_places=6, null=True)
    treatment = models.CharField(max_length=20)
    cents = models.BigIntegerField()
    subsidy_cents = models.BigIntegerField(default=0)
    final_cents = models.BigIntegerField(null=True)
    advance_cents = models.BigIntegerField(null=True)
    text = models.CharField(max_length=300, blank=True)
    item = models.UUIDField(null=True)
    # What `quantity` is made of, for people: [quantity, days, of how many days] each; of a stock these are a year's.
    made_of: "models.JSONField[list[list[Any]], list[list[Any]]]" = models.JSONField(default=list)
    charging = models.CharField(max_length=5, blank=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["run", "member_id", "service_code"], name="costsharing_line_of_run"),
            models.Index(fields=["member_id", "service_code"], name="costsharing_line_of_member"),
            models.Index(fields=["item"], condition=Q(item__isnull=False), name="costsharing_line_item"),
        ]

    def __str__(self) -> str:
        return f"{self.member_code} {self.service_code}"


class Invoice(models.Model):
    """Invoice (Rechnung) or credit note (Gutschrift) to a member; amounts are above zero in both.

    The document itself, its number and its claim are the budget room's (AL1); a credit note goes back to an invoice.
    """

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("invoice")
        CREDIT = "credit", _("credit note")

    id = models.UUIDField(primary_key=True)
    run = models.ForeignKey(ChargeRun, on_delete=models.PROTECT, related_name="invoices")
    number = models.CharField(max_length=30, unique=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    member_id = models.UUIDField()
    member_code = models.CharField(max_length=63)
    member_name = models.CharField(max_length=200)
    tax_group = models.CharField(max_length=1)  # O: nothing taxable; S: taxable or exempt; never both on one invoice
    issued_on = models.DateField()
    due_on = models.DateField()
    net_cents = models.BigIntegerField()
    tax_cents = models.BigIntegerField()
    gross_cents = models.BigIntegerField()
    claim_id = models.UUIDField(null=True)
    booked_id = models.UUIDField()  # the invoice in the books
    payment_reference = models.CharField(max_length=14, blank=True)
    preceding = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    takes_back = models.BooleanField(default=False)  # the whole invoice, as if it had not been issued
    part = models.PositiveSmallIntegerField(default=0)  # a credit goes back to as many invoices as it needs
    document: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField()
    xml_sha256 = models.CharField(max_length=64, blank=True)
    pdf_sha256 = models.CharField(max_length=64, blank=True)
    handed_over_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(gross_cents=models.F("net_cents") + models.F("tax_cents")),
                name="costsharing_invoice_adds_up",
            ),
            models.CheckConstraint(condition=Q(gross_cents__gt=0), name="costsharing_invoice_amount"),
            models.UniqueConstraint(
                fields=["preceding"], condition=Q(takes_back=True), name="costsharing_taken_back_once"
            ),
            models.UniqueConstraint(
                fields=["run", "member_id", "tax_group", "part"],
                condition=Q(takes_back=False),
                name="costsharing_invoice_once",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["-number"], name="costsharing_invoice_newest"),
            models.Index(fields=["member_id", "-number"], name="costsharing_invoice_of_member"),
        ]

    def __str__(self) -> str:
        return self.number


class Scenario(models.Model):
    """Scenario (Modellrechnung): what joining would cost a candidate, reckoned before its basic resolution.

    Inputs and result are kept as they were. Append-only.
    """

    database_rights = APPEND_ONLY

    id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=200)
    member_id = models.UUIDField(null=True)
    year = models.PositiveSmallIntegerField()
    joins_on = models.DateField()
    inputs: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField()
    inputs_sha256 = models.CharField(max_length=64)
    result: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField()
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.name
