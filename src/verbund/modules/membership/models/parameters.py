"""What the law, the contract or the alliance itself sets from a day on."""

from datetime import date
from typing import ClassVar

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from .periods import ENDS_AFTER_BEGIN, in_force, never_twice


class ParameterKey(models.TextChoices):
    """ParameterKey (Bezeichnung des Rechtsparameters)."""

    CLEARANCE_MONTHS = "clearance_months", _("Period of the supervisory authority in months")
    NEW_CARRIER_CAPITAL = "new_carrier_capital_cents", _("Share capital of a new carrier in cents")
    LEAVE_NOTICE_MONTHS = "leave_notice_months", _("Period of notice for leaving in months")


class ParameterNotSet(Exception):  # noqa: N818 - reads as the sentence it says
    """Nothing is set for this day: the alliance must enter the parameter first."""


class LegalParameter(models.Model):
    """LegalParameter (Rechtsparameter): a figure that law or contract sets, valid from one day until another."""

    id = models.UUIDField(primary_key=True, editable=False)
    key = models.CharField(max_length=40, choices=ParameterKey.choices)
    value = models.BigIntegerField(validators=[MinValueValidator(0)])
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)  # the last day
    source = models.CharField(max_length=200)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=ENDS_AFTER_BEGIN, name="membership_parameter_days"),
            models.CheckConstraint(condition=models.Q(value__gte=0), name="membership_parameter_not_negative"),
            never_twice("membership_one_parameter", "key"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.value} {self.valid_from}"

    @classmethod
    def value_on(cls, key: ParameterKey, day: date) -> int:
        """The value in force on `day`.

        Raises:
            ParameterNotSet
        """
        found: int | None = cls.objects.filter(in_force(day), key=key).values_list("value", flat=True).first()
        if found is None:
            raise ParameterNotSet(key.value)
        return found


class TaskKind(models.Model):
    """TaskKind (Aufgabenart): a task that may pass to the alliance; the list is the alliance's own."""

    code = models.CharField(max_length=40, primary_key=True, validators=[RegexValidator(r"^[a-z][a-z0-9_]{1,39}\Z")])
    name = models.CharField(max_length=200)
    description = models.TextField(max_length=2000, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name
