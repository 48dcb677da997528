"""Documents and their versions."""

import hashlib
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from verbund.platform.tenancy.ids import new_id
from verbund.platform.tenancy.rights import APPEND_ONLY

from .cases import Case


class DocumentKind(models.TextChoices):
    """DocumentKind (Dokumentart)."""

    APPLICATION = "application", _("Application")
    ATTACHMENT = "attachment", _("Attachment")
    INCOMING = "incoming", _("Incoming letter")
    OUTGOING = "outgoing", _("Outgoing letter")
    DECISION = "decision", _("Decision")
    RECEIPT = "receipt", _("Receipt")
    MEMO = "memo", _("Memo")
    OTHER = "other", _("Other")


class Document(models.Model):
    """Document (Dokument): a piece of a case, numbered within it; its content stands in its versions."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+", db_index=False)
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=300)
    kind = models.CharField(max_length=20, choices=DocumentKind.choices)
    metadata: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(default=dict, blank=True)
    versions = models.PositiveIntegerField(default=1)  # the current version
    filed_at = models.DateTimeField()
    filed_by = models.CharField(max_length=200, blank=True)
    visible_to_party = models.BooleanField(default=False)
    idempotency_key = models.UUIDField(null=True, blank=True, editable=False)  # of the form by which a person filed it

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["idempotency_key"],
                condition=models.Q(idempotency_key__isnull=False),
                name="document_filed_once_by_form",
            ),
            models.UniqueConstraint(fields=["case", "number"], name="document_number_once"),
            models.CheckConstraint(condition=models.Q(kind__in=DocumentKind.values), name="document_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"


class DocumentVersion(models.Model):
    """DocumentVersion (Dokumentversion): one content of a document. Append-only; `hash` is anchored in the audit
    chain.
    """

    database_rights = APPEND_ONLY

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="+", db_index=False)
    number = models.PositiveIntegerField()
    content = models.ForeignKey(
        "files.StoredFile", db_column="sha256", on_delete=models.PROTECT, related_name="+"
    )  # named by its SHA-256
    size = models.PositiveBigIntegerField()
    media_type = models.CharField(max_length=100)
    filename = models.CharField(max_length=255)
    text = models.TextField(blank=True)  # what a reader sees, as far as it could be taken out
    text_note = models.CharField(max_length=40, blank=True)  # why the text is missing or not whole
    pages = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=200, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["document", "number"], name="version_number_once")]

    def __str__(self) -> str:
        return f"{self.document_id} v{self.number}"


def version_hash(
    *,
    version_id: UUID,
    document_id: UUID,
    number: int,
    sha256: str,
    size: int,
    media_type: str,
    filename: str,
    created_at: datetime,
    created_by: str,
) -> str:
    """The canonical hash of a version's row: SHA-256 (hex) over its fields in this order, one a line, UTF-8.

    The instant is written as `YYYY-MM-DDTHH:MM:SS.ffffffZ`, ids in lower case with hyphens, so that plain SQL can
    re-compute it.
    """
    instant = created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    fields = [
        "verbund.document-version.1",
        str(version_id),
        str(document_id),
        str(number),
        sha256,
        str(size),
        media_type,
        filename,
        instant,
        created_by,
    ]
    return hashlib.sha256("\n".join(fields).encode()).hexdigest()
