"""Making a member's body ready to work, step by step, and the plan of taking it over."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .members import Member


class StepState(models.TextChoices):
    """StepState (Stand eines Schritts)."""

    WAITING = "waiting", _("waiting")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")


class Step(models.TextChoices):
    """Step (Schritt der Bereitstellung), in the order of the work; the value is stored."""

    TENANT = "tenant", _("Tables, database role, host and letterhead")
    ROOMS = "rooms", _("Rooms as agreed")
    PEOPLE = "people", _("First people, invited by e-mail")
    FILE_PLAN = "file_plan", _("Sample file plan")
    CHART = "chart", _("Ledger, chart of accounts and products")
    SERVICES = "services", _("Chosen online services")
    READY = "ready", _("Ready to work")


class Provisioning(models.Model):
    """Provisioning (Bereitstellung): what a member's body is to have when it begins, and how far it has come."""

    id = models.UUIDField(primary_key=True, editable=False)
    member = models.OneToOneField(Member, on_delete=models.PROTECT, related_name="+")
    schema_name = models.CharField(max_length=48, unique=True)
    hosts = ArrayField(models.CharField(max_length=253))
    accent_colour = models.CharField(max_length=7, default="#1d4b8f")
    letterhead: "models.JSONField[dict[str, str], dict[str, str]]" = models.JSONField(default=dict, blank=True)
    # [{"email", "name", "role"}]: invited when the tenant is there
    people: "models.JSONField[list[dict[str, str]], list[dict[str, str]]]" = models.JSONField(default=list, blank=True)
    ledger = models.CharField(max_length=20, blank=True)  # code; empty: no books
    templates = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    planned_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.schema_name


class ProvisioningStep(models.Model):
    """ProvisioningStep (Schritt der Bereitstellung): each can be repeated without harm."""

    id = models.UUIDField(primary_key=True, editable=False)
    provisioning = models.ForeignKey(Provisioning, on_delete=models.PROTECT, related_name="steps")
    position = models.PositiveSmallIntegerField()
    step = models.CharField(max_length=20, choices=Step.choices)
    state = models.CharField(max_length=10, choices=StepState.choices, default=StepState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True)  # why it failed

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["provisioning", "step"], name="membership_step_once"),
            models.CheckConstraint(condition=Q(state__in=StepState.values), name="membership_step_state_known"),
        ]

    def __str__(self) -> str:
        return f"{self.step} {self.state}"


class TakeOverTask(models.Model):
    """TakeOverTask (Aufgabe der Übernahme): what people do, by which day, until the alliance runs a body's IT."""

    class Kind(models.TextChoices):
        """Kind (Art der Aufgabe): the usual ones; others carry a title of their own."""

        INVENTORY = "inventory", _("List the equipment, software and contracts that are there")
        NETWORK = "network", _("Connect the body to the alliance's network")
        CONTRACTS = "contracts", _("Take over or end contracts with suppliers")
        DATA_PROTECTION = "data_protection", _("Conclude the agreement on processing by order (Art. 28 GDPR)")
        TRAINING = "training", _("Train the people who begin")
        DATA = "data", _("Take over data from the old procedures")
        START = "start", _("Begin to work")
        REVIEW = "review", _("Look back after the first weeks")
        OTHER = "other", _("Another task")

    id = models.UUIDField(primary_key=True, editable=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    title = models.CharField(max_length=200, blank=True)  # of another task
    due_on = models.DateField()
    responsible = models.CharField(max_length=200, blank=True)  # who sees to it
    done_on = models.DateField(null=True, blank=True)
    done_by = models.CharField(max_length=200, blank=True)
    note = models.CharField(max_length=1000, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=~Q(kind="other") | ~Q(title=""), name="membership_task_has_title"),
            models.UniqueConstraint(
                fields=["member", "kind"], condition=~Q(kind="other"), name="membership_task_kind_once"
            ),
        ]
        indexes = [models.Index(fields=["member", "due_on"], name="membership_task_by_day")]

    def __str__(self) -> str:
        return self.title or str(self.get_kind_display())
