"""Business plan, cost centres and their costs."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class PlanPart(models.TextChoices):
    """Part of the plan (Planteil), § 17 EigVO M-V."""

    REVENUE = "revenue", _("Success plan: income")  # Erfolgsplan, Erträge
    EXPENSE = "expense", _("Success plan: expense")  # Erfolgsplan, Aufwendungen
    INFLOW = "inflow", _("Finance plan: receipts")  # Finanzplan, Einzahlungen
    OUTFLOW = "outflow", _("Finance plan: payments")  # Finanzplan, Auszahlungen


class BusinessPlan(models.Model):
    """Business plan (Wirtschaftsplan) of the alliance for a year, § 17 EigVO M-V; `number` 0 is the plan, 1 and above
    are its supplements (Nachtrag).

    Once resolved its figures stand as a copy with their SHA-256, and its rows do not change (trigger, migration 0002).
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        RESOLVED = "resolved", _("resolved")

    id = models.UUIDField(primary_key=True)
    year = models.PositiveSmallIntegerField()
    number = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    report = models.TextField(max_length=20_000, blank=True)  # Vorbericht
    resolved_on = models.DateField(null=True, blank=True)
    resolution = models.CharField(max_length=200, blank=True)  # number of the board's resolution
    figures: "models.JSONField[dict[str, Any] | None, dict[str, Any] | None]" = models.JSONField(null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["year", "number"], name="costsharing_plan_once"),
            models.UniqueConstraint(fields=["year"], condition=Q(state="draft"), name="costsharing_one_draft"),
            models.CheckConstraint(
                condition=Q(state="draft") | (Q(resolved_on__isnull=False) & ~Q(sha256="") & ~Q(resolution="")),
                name="costsharing_plan_resolved",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.year}.{self.number}"

    @property
    def is_open(self) -> bool:
        """Whether it may still be changed."""
        return self.state == self.State.DRAFT


class CostCentre(models.Model):
    """Cost centre (Kostenstelle): for a service, or for overhead that is handed down in the order of `step`."""

    id = models.UUIDField(primary_key=True)
    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    service_code = models.CharField(max_length=40, blank=True)
    step = models.PositiveSmallIntegerField(null=True, blank=True, unique=True)  # of overhead: its place in the order

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["service_code"], condition=~Q(service_code=""), name="costsharing_one_centre_per_service"
            ),
            models.CheckConstraint(
                condition=(Q(step__isnull=True) & ~Q(service_code="")) | (Q(step__isnull=False) & Q(service_code="")),
                name="costsharing_centre_service_or_overhead",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class PlanLine(models.Model):
    """Line of the plan (Planposition), in cents; of the success plan with its cost centre."""

    id = models.UUIDField(primary_key=True)
    plan = models.ForeignKey(BusinessPlan, on_delete=models.PROTECT, related_name="lines")
    part = models.CharField(max_length=10, choices=PlanPart.choices)
    centre = models.ForeignKey(CostCentre, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    text = models.CharField(max_length=200)
    cents = models.BigIntegerField()
    position = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(cents__gte=0), name="costsharing_plan_line_amount"),
            models.UniqueConstraint(fields=["plan", "position"], name="costsharing_plan_line_position"),
        ]

    def __str__(self) -> str:
        return self.text


class PlanPost(models.Model):
    """Post (Stelle) in the plan's list of posts (Stellenübersicht)."""

    id = models.UUIDField(primary_key=True)
    plan = models.ForeignKey(BusinessPlan, on_delete=models.PROTECT, related_name="posts")
    title = models.CharField(max_length=200)
    grade = models.CharField(max_length=20)  # pay grade, as "E 11"
    fte = models.DecimalField(max_digits=6, decimal_places=2)  # Vollzeitäquivalente
    centre = models.ForeignKey(CostCentre, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(fte__gt=0), name="costsharing_post_fte"),
        ]

    def __str__(self) -> str:
        return self.title


class PlanInvestment(models.Model):
    """Investment (Investition) of the plan with its commitments for later years (Verpflichtungsermächtigung)."""

    id = models.UUIDField(primary_key=True)
    plan = models.ForeignKey(BusinessPlan, on_delete=models.PROTECT, related_name="investments")
    text = models.CharField(max_length=200)
    cents = models.BigIntegerField()
    commitment_cents = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(cents__gte=0, commitment_cents__gte=0), name="costsharing_investment_amounts"
            ),
        ]

    def __str__(self) -> str:
        return self.text


class CentreCost(models.Model):
    """Cost of a centre in a year (Kosten einer Kostenstelle): actual cost and other income, each entry with its proof.

    A correction is a further entry (below zero); nothing is overwritten.
    """

    database_rights = ("SELECT", "INSERT")

    id = models.UUIDField(primary_key=True)
    centre = models.ForeignKey(CostCentre, on_delete=models.PROTECT, related_name="costs")
    year = models.PositiveSmallIntegerField()
    is_income = models.BooleanField(default=False)
    cents = models.BigIntegerField()
    text = models.CharField(max_length=200)
    recorded_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=200)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["year", "centre"], name="costsharing_cost_year")]

    def __str__(self) -> str:
        return self.text


class OverheadWeight(models.Model):
    """Weight of overhead (Umlageschlüssel der Vorkostenstelle): how much of a centre's cost another one takes."""

    id = models.UUIDField(primary_key=True)
    year = models.PositiveSmallIntegerField()
    giver = models.ForeignKey(CostCentre, on_delete=models.PROTECT, related_name="+")
    receiver = models.ForeignKey(CostCentre, on_delete=models.PROTECT, related_name="+")
    weight = models.DecimalField(max_digits=14, decimal_places=3)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["year", "giver", "receiver"], name="costsharing_weight_once"),
            models.CheckConstraint(condition=Q(weight__gte=0), name="costsharing_weight_amount"),
        ]

    def __str__(self) -> str:
        return f"{self.year} {self.giver_id} {self.receiver_id}"
