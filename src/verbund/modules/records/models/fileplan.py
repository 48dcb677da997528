"""The file plan: what a body keeps, under which code, for how long."""

from typing import TypedDict

from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from verbund.platform.tenancy.ids import new_id

CODE_PATTERN = r"^\d{1,2}(\.\d{1,3}){0,4}\Z"
MAX_RETENTION_YEARS = 120


class Disposal(models.TextChoices):
    """Disposal (Aussonderungsart): what becomes of a closed case when its retention period has ended."""

    ARCHIVE = "A", _("Hand over to the archive")  # A: archivwürdig
    DESTROY = "V", _("Destroy")  # V: vernichten
    APPRAISE = "B", _("The archive appraises")  # B: bewerten


class MetadataKind(models.TextChoices):
    """MetadataKind (Feldart): how a value of a metadata field is checked."""

    TEXT = "text", _("Text")
    DATE = "date", _("Date")
    NUMBER = "number", _("Number")


class MetadataField(TypedDict):
    """MetadataField (Metadatenfeld): a field that cases at a position carry beside the common ones."""

    name: str
    label: str
    kind: str
    required: bool


class FilePlanPosition(models.Model):
    """FilePlanPosition (Aktenplanposition, Betreffseinheit): a code of the file plan with its retention period and
    disposal.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(max_length=20, unique=True, validators=[RegexValidator(CODE_PATTERN)])
    title = models.CharField(max_length=200)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    retention_years = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(MAX_RETENTION_YEARS)]
    )
    disposal = models.CharField(max_length=1, choices=Disposal.choices, blank=True)
    metadata_fields: "models.JSONField[list[MetadataField], list[MetadataField]]" = models.JSONField(
        default=list, blank=True
    )
    is_valid = models.BooleanField(default=True)

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(retention_years__isnull=True) | models.Q(retention_years__lte=MAX_RETENTION_YEARS),
                name="position_retention_in_range",
            ),
            models.CheckConstraint(
                condition=models.Q(disposal="") | models.Q(disposal__in=Disposal.values), name="position_disposal_known"
            ),
            # A position that takes cases says both how long they are kept and what then becomes of them.
            models.CheckConstraint(
                condition=models.Q(retention_years__isnull=True, disposal="")
                | (models.Q(retention_years__isnull=False) & ~models.Q(disposal="")),
                name="position_retention_with_disposal",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.title}"

    @property
    def takes_cases(self) -> bool:
        """Whether cases may be opened here: the position is valid and says how long they are kept."""
        return self.is_valid and self.retention_years is not None
