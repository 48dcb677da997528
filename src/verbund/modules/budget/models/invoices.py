"""Electronic invoices: those the body wrote, and those it received."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from verbund.platform.tenancy.rights import APPEND_ONLY

from .claims import Claim
from .ledger import Ledger


class InvoiceCounter(models.Model):
    """Counter of invoice numbers (Rechnungsnummernkreis) of a ledger and year: § 14 (4) no. 4 UStG, without gaps."""

    id = models.UUIDField(primary_key=True)
    ledger = models.ForeignKey(Ledger, on_delete=models.PROTECT, related_name="+")
    year = models.PositiveSmallIntegerField()
    last_no = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["ledger", "year"], name="budget_invoice_counter_once"),
        ]

    def __str__(self) -> str:
        return f"{self.year} {self.last_no}"


class OutgoingInvoice(models.Model):
    """Outgoing invoice (Ausgangsrechnung): written once and never again; the XRechnung is the original."""

    database_rights = APPEND_ONLY

    id = models.UUIDField(primary_key=True)
    ledger = models.ForeignKey(Ledger, on_delete=models.PROTECT, related_name="invoices")
    number = models.CharField(max_length=40)
    type_code = models.CharField(max_length=3)
    issued_on = models.DateField()
    due_on = models.DateField()
    buyer = models.CharField(max_length=200)
    buyer_facts = models.JSONField()
    buyer_body = models.CharField(max_length=48, blank=True, default="")
    untaxed_reason = models.CharField(max_length=300, blank=True, default="")
    tax_account = models.CharField(max_length=20, blank=True, default="")
    net_cents = models.BigIntegerField()
    tax_cents = models.BigIntegerField()
    gross_cents = models.BigIntegerField()
    claim = models.ForeignKey(Claim, null=True, on_delete=models.PROTECT, related_name="invoices")
    preceding = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="followed_by")
    voucher_label = models.CharField(max_length=40)
    origin = models.CharField(max_length=200)
    xml = models.ForeignKey("files.StoredFile", db_column="xml_sha256", on_delete=models.PROTECT, related_name="+")
    pdf = models.ForeignKey("files.StoredFile", db_column="pdf_sha256", on_delete=models.PROTECT, related_name="+")
    issued_at = models.DateTimeField()
    issued_by = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["ledger", "number"], name="budget_invoice_number_once"),
            models.UniqueConstraint(fields=["origin"], name="budget_invoice_once_per_origin"),
            models.CheckConstraint(condition=~Q(origin=""), name="budget_invoice_has_origin"),
            models.CheckConstraint(condition=Q(gross_cents__gt=0), name="budget_invoice_positive"),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["ledger", "-id"], name="budget_invoice_recent")]

    def __str__(self) -> str:
        return self.number


class InboundInvoice(models.Model):
    """Inbound invoice (Eingangsrechnung): kept byte for byte as it came; what it says stands beside it.

    `content` is the file that came, `xml` the invoice itself (the same, unless it lay inside a PDF), `pdf` what came
    along for people to read.
    """

    class State(models.TextChoices):
        RECEIVED = "received", _("being checked")
        VALID = "valid", _("ready for certification")
        INVALID = "invalid", _("breaks the rules")
        REFUSED = "refused", _("sent back")

    class Channel(models.TextChoices):
        UPLOAD = "upload", _("uploaded")
        ALLIANCE = "alliance", _("from the alliance")

    id = models.UUIDField(primary_key=True)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    sender = models.CharField(max_length=200, blank=True, default="")
    filename = models.CharField(max_length=255)
    content = models.OneToOneField("files.StoredFile", db_column="sha256", on_delete=models.PROTECT, related_name="+")
    xml = models.ForeignKey("files.StoredFile", db_column="xml_sha256", on_delete=models.PROTECT, related_name="+")
    pdf = models.ForeignKey(
        "files.StoredFile", db_column="pdf_sha256", on_delete=models.PROTECT, related_name="+", null=True
    )
    syntax = models.CharField(max_length=6)
    number = models.CharField(max_length=200)
    type_code = models.CharField(max_length=3)
    seller = models.CharField(max_length=400)
    seller_key = models.CharField(max_length=400)
    seller_iban = models.CharField(max_length=34, blank=True, default="")
    buyer = models.CharField(max_length=400, blank=True, default="")
    buyer_reference = models.CharField(max_length=200, blank=True, default="")
    payment_reference = models.CharField(max_length=200, blank=True, default="")
    preceding = models.CharField(max_length=200, blank=True, default="")
    issued_on = models.DateField()
    due_on = models.DateField(null=True, blank=True)
    currency = models.CharField(max_length=3)
    net_cents = models.BigIntegerField()
    tax_cents = models.BigIntegerField()
    gross_cents = models.BigIntegerField()
    due_cents = models.BigIntegerField()
    lines = models.JSONField(default=list)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RECEIVED)
    findings = models.JSONField(default=list)
    duplicate_of = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="duplicates")
    reason = models.CharField(max_length=300, blank=True, default="")
    received_at = models.DateTimeField()
    received_by = models.CharField(max_length=200)
    checked_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["seller_key", "number"], name="budget_inbound_same"),
            models.Index(fields=["state", "-id"], name="budget_inbound_by_state"),
        ]

    def __str__(self) -> str:
        return self.number
