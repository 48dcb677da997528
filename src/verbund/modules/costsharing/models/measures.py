"""Measures: how much of a service a member used, and what the platform itself counted."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from verbund.platform.tenancy.rights import APPEND_ONLY


class MeasureSource(models.TextChoices):
    """Source of a measure (Herkunft)."""

    METERED = "metered", _("counted by the platform")
    ENTERED = "entered", _("entered")
    IMPORTED = "imported", _("imported")


class Measure(models.Model):
    """Measure (Messwert): the quantity of a service a member used on the days of a period, both ends included.

    Append-only: of the rows of one member, service and period the newest counts, the older ones are its history.
    """

    database_rights = APPEND_ONLY

    id = models.BigAutoField(primary_key=True)
    member_id = models.UUIDField()
    service_code = models.CharField(max_length=40)
    period_start = models.DateField()
    period_end = models.DateField()
    quantity = models.DecimalField(max_digits=14, decimal_places=3)
    source = models.CharField(max_length=10, choices=MeasureSource.choices)
    reason = models.CharField(max_length=300, blank=True)  # of a correction
    batch = models.UUIDField(null=True, blank=True)  # of an import
    recorded_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=200)
    form = models.UUIDField(null=True, blank=True, editable=False)  # the key of the form that was sent

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["member_id", "service_code", "period_start", "period_end", "-id"],
                name="costsharing_measure_newest",
            ),
            models.Index(fields=["period_end"], name="costsharing_measure_period"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(quantity__gte=0), name="costsharing_measure_quantity"),
            models.CheckConstraint(condition=Q(period_end__gte=F("period_start")), name="costsharing_measure_days"),
            models.UniqueConstraint(fields=["form"], condition=Q(form__isnull=False), name="costsharing_measure_once"),
        ]

    def __str__(self) -> str:
        return f"{self.service_code} {self.period_start}"


class UsageReading(models.Model):
    """Usage reading (Zählerstand): what a body's own platform counted at the end of a month; counts, no names."""

    database_rights = APPEND_ONLY

    id = models.UUIDField(primary_key=True)
    schema_name = models.CharField(max_length=48)
    month = models.DateField()  # its first day
    people = models.PositiveIntegerField()
    mailboxes = models.PositiveIntegerField()
    cases = models.PositiveIntegerField()
    documents = models.PositiveIntegerField()
    stored_bytes = models.PositiveBigIntegerField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["schema_name", "month"], name="costsharing_reading_once"),
        ]

    def __str__(self) -> str:
        return f"{self.schema_name} {self.month}"


class CostItem(models.Model):
    """Cost item (Projekt- oder durchlaufende Kosten) of one member, charged at cost, with the subsidy that is passed
    on."""

    class Kind(models.TextChoices):
        PROJECT = "project", _("project at cost")
        PASS_THROUGH = "pass_through", _("passed on at cost")

    database_rights = APPEND_ONLY

    id = models.UUIDField(primary_key=True)
    member_id = models.UUIDField()
    service_code = models.CharField(max_length=40)
    kind = models.CharField(max_length=15, choices=Kind.choices)
    text = models.CharField(max_length=300)
    performed_on = models.DateField()
    cents = models.BigIntegerField()
    subsidy_cents = models.BigIntegerField(default=0)
    grant = models.CharField(max_length=200, blank=True)  # the notice by which the subsidy was given
    document = models.CharField(max_length=200)  # the supplier's invoice, or the account of the project
    recorded_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(cents__gt=0, subsidy_cents__gte=0, subsidy_cents__lte=F("cents")),
                name="costsharing_item_amounts",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["performed_on"], name="costsharing_item_day")]

    def __str__(self) -> str:
        return self.text
