"""Tariffs, keys, rules and tax treatments: what decides how much is charged, and on which ground."""

from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

from verbund.platform.tenancy.rights import APPEND_ONLY

from .taxes import TREATMENTS


def written(euros: Decimal) -> str:
    """A price with two places, or with as many as it needs, and thousands apart."""
    cents = euros.quantize(Decimal("0.01"))
    return number_format(cents if cents == euros else euros.normalize(), force_grouping=True)


class Component(models.TextChoices):
    """Component (Entgeltbestandteil) of what a service costs."""

    BASE = "base", _("base amount")  # Grundbeitrag
    QUANTITY = "quantity", _("quantity times tariff")  # Entgelt
    LEVY = "levy", _("share by key")  # Umlage
    PROJECT = "project", _("project at cost")  # Projektkosten
    PASS_THROUGH = "pass_through", _("passed on at cost")  # durchlaufender Posten
    SETTLEMENT = "settlement", _("settlement")  # Nachkalkulation


class Charging(models.TextChoices):
    """Charging (Abrechnungsweise): a stock is priced per unit and year, a flow per unit."""

    STOCK = "stock", _("per unit and year")
    FLOW = "flow", _("per unit")


class Tariff(models.Model):
    """Tariff (Tarif): the price of a component from a day on, until the next one begins; a price of 0 ends it.

    Append-only: the row of a day that was recorded last counts, so a slip can be put right before it is charged.
    """

    database_rights = APPEND_ONLY

    id = models.BigAutoField(primary_key=True)
    service_code = models.CharField(max_length=40)
    component = models.CharField(max_length=10, choices=[c for c in Component.choices if c[0] in ("base", "quantity")])
    charging = models.CharField(max_length=10, choices=Charging.choices, default=Charging.STOCK)
    euros = models.DecimalField(max_digits=14, decimal_places=6)
    valid_from = models.DateField()
    basis = models.CharField(max_length=200)  # the resolution or calculation it rests on
    recorded_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=200)
    form = models.UUIDField(null=True, blank=True, editable=False)  # the key of the form that was sent

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["service_code", "component", "valid_from"], name="costsharing_tariff_days")
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(euros__gte=0), name="costsharing_tariff_price"),
            models.CheckConstraint(
                condition=~Q(component="base") | Q(charging="stock"), name="costsharing_base_is_by_year"
            ),
            models.UniqueConstraint(fields=["form"], condition=Q(form__isnull=False), name="costsharing_tariff_once"),
        ]

    def __str__(self) -> str:
        return f"{self.service_code} {self.component} {self.valid_from}"

    @property
    def price_shown(self) -> str:
        """The price as people write it."""
        return written(self.euros)


class KeyKind(models.TextChoices):
    """Kind of key (Schlüsselgröße): what is counted."""

    INHABITANTS = "inhabitants", _("inhabitants")
    WORKPLACES = "workplaces", _("workplaces")
    FTE = "fte", _("full-time equivalents")
    TURNOVER = "turnover", _("turnover with the alliance in the year before")
    CAPITAL = "capital", _("share of the capital")
    EQUAL = "equal", _("equal shares")


class AllocationKey(models.Model):
    """Allocation key (Umlageschlüssel) with the reason why it is right: the use that it mirrors.

    A measure of charge has to reflect benefit or use (SächsOVG, 30 March 2020, 4 A 508/16).
    """

    id = models.UUIDField(primary_key=True)
    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    justification = models.TextField(max_length=4000)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=~Q(justification=""), name="costsharing_key_is_justified"),
        ]

    def __str__(self) -> str:
        return self.name


class AllocationKeyPart(models.Model):
    """Part of a mixed key (Schlüsselanteil) and its weight."""

    id = models.UUIDField(primary_key=True)
    key = models.ForeignKey(AllocationKey, on_delete=models.PROTECT, related_name="parts")
    kind = models.CharField(max_length=20, choices=KeyKind.choices)
    weight = models.DecimalField(max_digits=9, decimal_places=3)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["key", "kind"], name="costsharing_key_part_once"),
            models.CheckConstraint(condition=Q(weight__gt=0), name="costsharing_key_part_weight"),
        ]

    def __str__(self) -> str:
        return f"{self.key_id} {self.kind}"


class KeyValue(models.Model):
    """Value of a key (Schlüsselwert) of a member on a reference date; the one recorded last counts. Append-only."""

    database_rights = APPEND_ONLY

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=20, choices=KeyKind.choices)
    member_id = models.UUIDField()
    reference_date = models.DateField()
    value = models.DecimalField(max_digits=14, decimal_places=3)
    source = models.CharField(max_length=200)
    recorded_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["kind", "reference_date"], name="costsharing_key_values")
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(value__gte=0), name="costsharing_key_value_amount"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference_date}"


class LegalBasis(models.TextChoices):
    """Legal basis (Rechtsgrundlage) of a charge."""

    CONTRACT = "contract", _("reimbursement of cost by contract")  # vertragliche Kostenerstattung
    FEE = "fee", _("fee by statute")  # Gebühr
    LEVY = "levy", _("levy")  # Umlage


class ChargeRule(models.Model):
    """Charge rule (Abrechnungsregel) of a service: on which ground it is charged, who bears it, how it is settled."""

    class SettledBy(models.TextChoices):
        NONE = "none", _("not settled: fixed prices")
        USE = "use", _("actual cost by use")
        KEY = "key", _("actual cost by key")

    class Bearers(models.TextChoices):
        USERS = "users", _("those who use the service")
        CARRIERS = "carriers", _("all carriers")

    id = models.UUIDField(primary_key=True)
    service_code = models.CharField(max_length=40, unique=True)
    legal_basis = models.CharField(max_length=10, choices=LegalBasis.choices)
    provision = models.CharField(max_length=300)  # the clause, statute or resolution
    settled_by = models.CharField(max_length=10, choices=SettledBy.choices, default=SettledBy.USE)
    bearers = models.CharField(max_length=10, choices=Bearers.choices, default=Bearers.USERS)
    key = models.ForeignKey(AllocationKey, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    levied = models.BooleanField(default=False)  # what tariffs do not cover by the plan is levied in advance
    changed_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(key__isnull=False) | (Q(levied=False) & ~Q(settled_by="key")),
                name="costsharing_levy_needs_key",
            ),
        ]

    def __str__(self) -> str:
        return self.service_code


class TaxTreatment(models.Model):
    """Tax treatment (umsatzsteuerliche Behandlung) of a service under § 2b UStG from a day on, as somebody reviewed it.

    `recipient_kind` narrows it to a kind of body; empty is for all others. Never inferred: without a row nothing is
    charged. Append-only; the row of a day that was recorded last counts.
    """

    database_rights = APPEND_ONLY

    id = models.BigAutoField(primary_key=True)
    service_code = models.CharField(max_length=40)
    recipient_kind = models.CharField(max_length=20, blank=True)
    treatment = models.CharField(max_length=20, choices=[(code, code) for code in TREATMENTS])
    reasoning = models.TextField(max_length=4000)
    document = models.CharField(max_length=300)  # the file reference of the review
    reviewer = models.CharField(max_length=200)
    reviewed_on = models.DateField()
    valid_from = models.DateField()
    recorded_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=200)
    form = models.UUIDField(null=True, blank=True, editable=False)  # the key of the form that was sent

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["service_code", "valid_from"], name="costsharing_treatment_days")
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(treatment__in=list(TREATMENTS)), name="costsharing_treatment_known"),
            models.CheckConstraint(
                condition=~Q(reviewer="") & ~Q(document=""), name="costsharing_treatment_is_reviewed"
            ),
            models.UniqueConstraint(
                fields=["form"], condition=Q(form__isnull=False), name="costsharing_treatment_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.service_code} {self.treatment}"
