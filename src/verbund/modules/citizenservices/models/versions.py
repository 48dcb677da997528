"""Imported forms and code lists. Both are written once and never changed: an application is bound to what was asked."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from verbund.platform.tenancy.ids import new_id
from verbund.platform.tenancy.rights import APPEND_ONLY

from .form import FormDefinition


class FormVersion(models.Model):
    """FormVersion (Formularversion): a form as imported, with the source file it came from. Append-only."""

    database_rights = APPEND_ONLY

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    form_id = models.CharField(max_length=40)  # e.g. S07000000227
    version = models.CharField(max_length=20)
    title = models.CharField(max_length=500)
    definition: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField()
    digest = models.CharField(max_length=64)  # SHA-256 of the definition as canonical JSON
    source = models.ForeignKey(
        "files.StoredFile", db_column="source_sha256", on_delete=models.PROTECT, related_name="+"
    )
    filename = models.CharField(max_length=255)
    unsupported: "models.JSONField[list[str], list[str]]" = models.JSONField(default=list)
    notes: "models.JSONField[list[str], list[str]]" = models.JSONField(default=list)
    imported_at = models.DateTimeField()
    imported_by = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["form_id", "version"], name="form_version_once"),
            models.CheckConstraint(condition=~Q(form_id=""), name="form_version_has_id"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["-imported_at", "-id"], name="form_version_by_date")
        ]

    def __str__(self) -> str:
        return f"{self.form_id} {self.version} {self.title}"

    def read(self) -> FormDefinition:
        """The definition as values; code lists that are only named are still without entries."""
        return FormDefinition.from_json(self.definition)


class CodeList(models.Model):
    """CodeList (Codeliste): one version of a list, every row with all its columns. Append-only."""

    database_rights = APPEND_ONLY

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    urn = models.CharField(max_length=255)
    version = models.CharField(max_length=60)
    version_urn = models.CharField(max_length=320, unique=True)
    name = models.CharField(max_length=300)
    columns: "models.JSONField[list[str], list[str]]" = models.JSONField()
    key_column = models.CharField(max_length=100)
    name_column = models.CharField(max_length=100)
    entries: "models.JSONField[list[dict[str, str]], list[dict[str, str]]]" = models.JSONField()
    digest = models.CharField(max_length=64)
    source = models.ForeignKey(
        "files.StoredFile", db_column="source_sha256", on_delete=models.PROTECT, related_name="+"
    )
    filename = models.CharField(max_length=255)
    imported_at = models.DateTimeField()
    imported_by = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["urn", "version"], name="code_list_version_once"),
        ]

    def __str__(self) -> str:
        return self.version_urn
