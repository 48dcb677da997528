"""What a citizen has begun and not yet sent."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from verbund.platform.tenancy.ids import new_id

from .offers import OnlineService
from .versions import FormVersion


class Draft(models.Model):
    """Draft (Entwurf eines Antrags): answers so far. Belongs to whoever holds its code, or to the account that began
    it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    service = models.ForeignKey(OnlineService, on_delete=models.PROTECT, related_name="+")
    form_version = models.ForeignKey(FormVersion, on_delete=models.PROTECT, related_name="+")
    code_hash = models.CharField(max_length=64, unique=True)
    account = models.UUIDField(null=True, blank=True)
    answers: "models.JSONField[dict[str, str], dict[str, str]]" = models.JSONField(default=dict)
    reached = models.PositiveSmallIntegerField(default=1)  # the furthest step that was opened
    email = models.EmailField(max_length=254, blank=True)
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="draft_expires_later"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["expires_at"], name="draft_by_expiry"),
            models.Index(
                fields=["account", "-changed_at"], condition=Q(account__isnull=False), name="draft_by_account"
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    def is_expired(self, now: datetime) -> bool:
        return now >= self.expires_at


class DraftAttachment(models.Model):
    """DraftAttachment (Anlage zum Entwurf): a file for one question; its id is the answer at `path`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # DO_NOTHING: whoever deletes a draft deletes its files first; the database insists on it.
    draft = models.ForeignKey(Draft, on_delete=models.DO_NOTHING, related_name="attachments")
    path = models.CharField(max_length=600)
    content = models.ForeignKey("files.StoredFile", db_column="sha256", on_delete=models.PROTECT, related_name="+")
    filename = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField()
    media_type = models.CharField(max_length=127)
    added_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["draft", "path"], name="draft_attachment_once_per_place"),
        ]

    def __str__(self) -> str:
        return self.filename
