"""Who carries the alliance, from when until when, and what was known of it when."""

from typing import ClassVar
from uuid import UUID

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from .members import Member
from .periods import ENDS_AFTER_BEGIN, RECORDED_NOW, never_twice

CLOSE_ONLY = ("SELECT", "INSERT", "UPDATE")  # a trigger narrows UPDATE to closing the recorded period


class CarrierPeriod(models.Model):
    """CarrierPeriod (Trägerschaft): a member carries the alliance with a share and seats, on these days.

    Bitemporal: `valid_*` says when it is true, `recorded_*` from when until when it stood here as true. Nothing is
    changed; a correction closes the recorded period and adds rows.
    """

    database_rights = CLOSE_ONLY

    id = models.UUIDField(primary_key=True, editable=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="carrier_periods")
    share_cents = models.BigIntegerField(validators=[MinValueValidator(0)])
    seats = models.PositiveSmallIntegerField()
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)  # the last day
    basis = models.CharField(max_length=300)  # the contract or resolution
    note = models.CharField(max_length=500, blank=True)
    date_known = models.BooleanField(default=True)  # false: the day is assumed, the public sources do not name it
    recorded_at = models.DateTimeField()
    recorded_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=ENDS_AFTER_BEGIN, name="membership_carrier_days"),
            models.CheckConstraint(
                condition=Q(recorded_until__isnull=True) | Q(recorded_until__gte=F("recorded_at")),
                name="membership_carrier_recorded",
            ),
            models.CheckConstraint(condition=Q(share_cents__gte=0), name="membership_carrier_share"),
            never_twice("membership_one_carrier_period", "member_id", condition=RECORDED_NOW),
        ]
        indexes: ClassVar = [models.Index(fields=["valid_from", "valid_until"], name="membership_carrier_by_day")]

    def __str__(self) -> str:
        return f"{self.member_id} {self.valid_from}"


class ShareCapital(models.Model):
    """ShareCapital (Stammkapital): the total of the shares, the size of the board and who chairs it, on these days.

    It says again what the carriers' rows add up to, and must agree with them on every day (M4, M5). Bitemporal as
    they are.
    """

    database_rights = CLOSE_ONLY

    id = models.UUIDField(primary_key=True, editable=False)
    total_cents = models.BigIntegerField(validators=[MinValueValidator(0)])
    board_size = models.PositiveSmallIntegerField()
    chair = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    basis = models.CharField(max_length=300)
    recorded_at = models.DateTimeField()
    recorded_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=ENDS_AFTER_BEGIN, name="membership_capital_days"),
            models.CheckConstraint(
                condition=Q(recorded_until__isnull=True) | Q(recorded_until__gte=F("recorded_at")),
                name="membership_capital_recorded",
            ),
            never_twice("membership_one_share_capital", condition=RECORDED_NOW),
        ]

    def __str__(self) -> str:
        return f"{self.total_cents} {self.valid_from}"


def percentages(shares: dict[UUID, int]) -> dict[UUID, int]:
    """Shares as hundredths of a percent that sum to exactly 100 %, by largest remainder (for display only, M4).

    Ties go to the smaller id. A total of zero gives zeros.
    """
    total = sum(shares.values())
    if not total:
        return dict.fromkeys(shares, 0)
    whole = {key: share * 10_000 // total for key, share in shares.items()}
    rest = sorted(shares, key=lambda key: (-(shares[key] * 10_000 % total), str(key)))
    for key in rest[: 10_000 - sum(whole.values())]:
        whole[key] += 1
    return whole
