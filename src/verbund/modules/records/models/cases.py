"""Files, cases, their references and their timeline."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from verbund.platform.tenancy.ids import new_id
from verbund.platform.tenancy.rights import APPEND_ONLY

from .fileplan import FilePlanPosition


class ReferenceCounter(models.Model):
    """ReferenceCounter (Zählkreis der Geschäftszeichen): the last number given at a position in a year; year 0
    counts subject files.

    The row is locked by the transaction that takes a number: a rollback gives it back, so that no number is ever
    missing. A sequence of PostgreSQL could not promise that.
    """

    position = models.ForeignKey(FilePlanPosition, on_delete=models.PROTECT, related_name="+")
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["position", "year"], name="counter_per_position_and_year")]

    def __str__(self) -> str:
        return f"{self.position_id} {self.year}: {self.last}"


class File(models.Model):
    """File (Akte): cases that belong together, either all of a position and year, or all of one subject."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    position = models.ForeignKey(FilePlanPosition, on_delete=models.PROTECT, related_name="+")
    reference = models.CharField(max_length=40, unique=True)
    title = models.CharField(max_length=300)
    year = models.PositiveSmallIntegerField(null=True, blank=True)  # of the collecting file
    number = models.PositiveIntegerField(null=True, blank=True)  # of the subject file
    opened_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["position", "year"], name="one_collecting_file_a_year"),
            models.UniqueConstraint(fields=["position", "number"], name="file_number_once"),
            models.UniqueConstraint(
                fields=["position", "title"], condition=models.Q(number__isnull=False), name="file_title_once"
            ),
            models.CheckConstraint(
                condition=models.Q(year__isnull=True, number__isnull=False)
                | models.Q(year__isnull=False, number__isnull=True),
                name="file_by_year_or_subject",
            ),
        ]
        indexes = [models.Index(fields=["-opened_at", "-id"], name="file_by_date")]

    def __str__(self) -> str:
        return f"{self.reference} {self.title}"


class CaseState(models.TextChoices):
    """CaseState (Bearbeitungsstand)."""

    OPEN = "open", pgettext_lazy("case", "Open")
    CLOSED = "closed", _("Closed")


class Case(models.Model):
    """Case (Vorgang): one matter with its documents, from its opening to the end of its retention period."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    file = models.ForeignKey(File, on_delete=models.PROTECT, related_name="+", db_index=False)
    position = models.ForeignKey(FilePlanPosition, on_delete=models.PROTECT, related_name="+", db_index=False)
    reference = models.CharField(max_length=40, unique=True)
    year = models.PositiveSmallIntegerField()
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=300)
    origin = models.CharField(max_length=120, blank=True)
    unit = models.CharField(max_length=40)
    party = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=10, choices=CaseState.choices, default=CaseState.OPEN)
    is_sealed = models.BooleanField(default=False)
    assigned_to = models.UUIDField(null=True, blank=True)
    assigned_name = models.CharField(max_length=200, blank=True)
    opened_at = models.DateTimeField()
    promised_on = models.DateField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    retention_until = models.DateField(null=True, blank=True)
    metadata: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(default=dict, blank=True)
    documents = models.PositiveIntegerField(default=0)  # the last document number given
    revision = models.PositiveIntegerField(default=1)
    idempotency_key = models.UUIDField(null=True, blank=True, editable=False)  # of the form by which a person opened it

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["idempotency_key"],
                condition=models.Q(idempotency_key__isnull=False),
                name="case_opened_once_by_form",
            ),
            models.UniqueConstraint(fields=["position", "year", "number"], name="case_number_once"),
            models.CheckConstraint(condition=models.Q(state__in=CaseState.values), name="case_state_known"),
            models.CheckConstraint(
                condition=models.Q(state=CaseState.OPEN, closed_at__isnull=True, retention_until__isnull=True)
                | models.Q(state=CaseState.CLOSED, closed_at__isnull=False, retention_until__isnull=False),
                name="case_closed_with_retention",
            ),
        ]
        indexes = [
            models.Index(fields=["-opened_at", "-id"], name="case_by_date"),
            models.Index(fields=["unit", "-opened_at", "-id"], name="case_by_unit"),
            models.Index(fields=["unit", "state", "-opened_at", "-id"], name="case_by_unit_state"),
            models.Index(fields=["state", "-opened_at", "-id"], name="case_by_state"),
            models.Index(
                fields=["assigned_to", "-opened_at", "-id"],
                condition=models.Q(assigned_to__isnull=False),
                name="case_by_person",
            ),
            models.Index(
                fields=["assigned_to", "file"],
                condition=models.Q(assigned_to__isnull=False),
                name="case_by_person_and_file",
            ),
            models.Index(
                fields=["assigned_to", "position"],
                condition=models.Q(assigned_to__isnull=False),
                name="case_by_person_and_position",
            ),
            models.Index(
                fields=["assigned_to", "-opened_at", "-id"],
                condition=models.Q(is_sealed=True),
                name="sealed_case_by_person",
            ),
            models.Index(fields=["file", "-opened_at", "-id"], name="case_by_file"),
            models.Index(fields=["file", "unit", "-opened_at", "-id"], name="case_by_file_and_unit"),
            models.Index(fields=["position", "unit", "-opened_at", "-id"], name="case_by_position_and_unit"),
            models.Index(
                fields=["promised_on", "id"],
                condition=models.Q(state=CaseState.OPEN, promised_on__isnull=False),
                name="case_by_deadline",
            ),
            models.Index(
                fields=["unit", "promised_on", "id"],
                condition=models.Q(state=CaseState.OPEN, promised_on__isnull=False),
                name="case_by_unit_deadline",
            ),
            models.Index(
                fields=["assigned_to", "promised_on", "id"],
                condition=models.Q(state=CaseState.OPEN, promised_on__isnull=False, assigned_to__isnull=False),
                name="case_by_person_deadline",
            ),
            models.Index(fields=["origin"], condition=~models.Q(origin=""), name="case_by_origin"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.title}"

    @property
    def is_open(self) -> bool:
        return self.state == CaseState.OPEN


class CaseReader(models.Model):
    """CaseReader (Leseberechtigung): a person who may see a sealed case beside the one it is assigned to."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="readers")
    person = models.UUIDField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "case"], name="case_reader_once")]

    def __str__(self) -> str:
        return f"{self.case_id}: {self.person}"


class TimelineKind(models.TextChoices):
    """TimelineKind (Art des Verlaufseintrags)."""

    OPENED = "opened", _("Case opened")
    DOCUMENT_FILED = "document_filed", _("Document filed")
    VERSION_ADDED = "version_added", _("New version")
    LETTER_ISSUED = "letter_issued", _("Letter issued")
    LETTER_DELIVERED = "letter_delivered", _("Letter delivered")
    ASSIGNED = "assigned", _("Assigned")
    SEALED = "sealed", _("Sealed")
    UNSEALED = "unsealed", _("Seal removed")
    CLOSED = "closed", _("Case closed")
    NOTE = "note", _("Note")


class TimelineEntry(models.Model):
    """TimelineEntry (Verlaufseintrag): who did what in a case, and when. Append-only."""

    database_rights = APPEND_ONLY

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()
    kind = models.CharField(max_length=20, choices=TimelineKind.choices)
    actor_id = models.UUIDField(null=True, blank=True)
    actor_name = models.CharField(max_length=200, blank=True)
    text = models.TextField(blank=True)  # of a note, in its writer's words
    values: "models.JSONField[dict[str, str], dict[str, str]]" = models.JSONField(default=dict, blank=True)
    visible_to_party = models.BooleanField(default=False)
    idempotency_key = models.UUIDField(null=True, blank=True, editable=False)  # of the form by which a person wrote it

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["idempotency_key"],
                condition=models.Q(idempotency_key__isnull=False),
                name="timeline_written_once_by_form",
            ),
        ]
        indexes = [models.Index(fields=["case", "at", "id"], name="timeline_by_case")]

    def __str__(self) -> str:
        return f"{self.at} {self.kind}"
