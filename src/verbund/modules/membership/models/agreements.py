"""The catalogue of services and what is agreed with whom. `valid_until` is everywhere the last day, included; empty
means open."""

from datetime import date
from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from .members import Member


class MeasuredUnit(models.TextChoices):
    """MeasuredUnit (Bezugsgröße): what is counted to know how much of a service a body uses."""

    FLAT = "flat", _("flat rate")  # pauschal
    PERSON = "person", _("people with access")
    WORKPLACE = "workplace", _("workplaces")
    MAILBOX = "mailbox", _("mailboxes")
    CASE = "case", _("cases")
    DOCUMENT = "document", _("documents")
    GIGABYTE = "gigabyte", _("gigabytes stored")
    SCHOOL_CLIENT = "school_client", _("school computers")
    TICKET = "ticket", _("requests for help")
    HOUR = "hour", _("hours")
    PAYSLIP = "payslip", _("payslips")
    INHABITANT = "inhabitant", _("inhabitants")


class PriceBasis(models.TextChoices):
    """PriceBasis (Preisgrundlage): how the charge for a service comes about; the figures are the cost sharing's."""

    BASE_AMOUNT = "base_amount", _("base amount")  # Grundbeitrag
    TARIFF = "tariff", _("quantity times tariff")  # Entgelt
    AT_COST = "at_cost", _("project at cost")  # Projektkosten
    PASS_THROUGH = "pass_through", _("passed on at cost")  # durchlaufende Posten
    KEY = "key", _("share by a key")  # Umlage


def _same(*fields: str) -> Func:
    """Equality of `fields` as the overlap of ranges of one number: GiST knows no uuid without an extension."""
    number = "hashtextextended(%(expressions)s::text, 0)"
    return Func(*fields, arg_joiner="::text || ':' || ", template=f"int8range({number}, {number}, '[]')")


def _days() -> Func:
    """The days from `valid_from` to `valid_until`, both included."""
    return Func("valid_from", "valid_until", template="daterange(%(expressions)s, '[]')")


_ORDER = Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from"))


class AllianceService(models.Model):
    """AllianceService (Leistung des Verbunds): something the alliance does for bodies; what it contains stands in its
    versions."""

    id = models.UUIDField(primary_key=True, editable=False)
    code = models.CharField(max_length=40, unique=True, validators=[RegexValidator(r"^[A-Z0-9][A-Z0-9.-]{0,39}\Z")])
    version = models.PositiveIntegerField(default=1)  # counts what was done to it, for those who edit at the same time

    def __str__(self) -> str:
        return self.code


class ServiceVersion(models.Model):
    """ServiceVersion (Fassung einer Leistung): what the service is from one day until another; two never overlap."""

    id = models.UUIDField(primary_key=True, editable=False)
    service = models.ForeignKey(AllianceService, on_delete=models.PROTECT, related_name="versions")
    name = models.CharField(max_length=200)
    description = models.TextField(max_length=10_000)  # what it contains
    level = models.TextField(max_length=4000, blank=True)  # service level: hours, time to answer, availability
    unit = models.CharField(max_length=20, choices=MeasuredUnit.choices)
    price_basis = models.CharField(max_length=20, choices=PriceBasis.choices)
    rooms = ArrayField(models.CharField(max_length=30), default=list, blank=True)  # what it switches on
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=_ORDER, name="membership_service_days"),
            ExclusionConstraint(
                name="membership_one_service_version",
                expressions=[(_same("service_id"), RangeOperators.OVERLAPS), (_days(), RangeOperators.OVERLAPS)],
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ServiceAgreement(models.Model):
    """ServiceAgreement (Leistungsvereinbarung): a body uses a service from one day until another, as a carrier or as a
    co-user (Mitnutzer) without being one.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="agreements")
    service = models.ForeignKey(AllianceService, on_delete=models.PROTECT, related_name="agreements")
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    as_carrier = models.BooleanField()
    quantity_limit = models.BigIntegerField(null=True, blank=True, validators=[MinValueValidator(0)])
    basis = models.CharField(max_length=300)  # the contract or resolution it rests on
    end_reason = models.CharField(max_length=300, blank=True)
    recorded_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=_ORDER, name="membership_agreement_days"),
            models.CheckConstraint(
                condition=Q(quantity_limit__isnull=True) | Q(quantity_limit__gte=0), name="membership_agreement_limit"
            ),
            ExclusionConstraint(
                name="membership_one_agreement",
                expressions=[
                    (_same("member_id", "service_id"), RangeOperators.OVERLAPS),
                    (_days(), RangeOperators.OVERLAPS),
                ],
            ),
        ]
        indexes = [models.Index(fields=["valid_from", "valid_until"], name="membership_agreement_days_idx")]

    def __str__(self) -> str:
        return f"{self.member_id} {self.service_id} {self.valid_from}"

    def is_valid_on(self, day: date) -> bool:
        """Whether it is in force on this day."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)
