"""The table of a body's stored contents."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ScanResult(models.TextChoices):
    """ScanResult (Ergebnis der Virenprüfung). Infected content is never stored, so there is no word for it."""

    CLEAN = "clean", _("no virus found")
    NOT_SCANNED = "not_scanned", _("not scanned")


class StoredFile(models.Model):
    """StoredFile (Inhalt einer Datei): content of a body, named by its SHA-256; its file names are kept elsewhere."""

    sha256 = models.CharField(primary_key=True, max_length=64, editable=False)
    size = models.BigIntegerField(help_text="bytes")
    media_type = models.CharField(max_length=127)
    scanned_at = models.DateTimeField(null=True)
    scan_result = models.CharField(max_length=20, choices=ScanResult.choices)
    created_at = models.DateTimeField()

    database_rights = ("SELECT", "INSERT", "DELETE")  # content never changes

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(sha256__regex=r"^[0-9a-f]{64}$"), name="files_sha256_is_hex"),
            models.CheckConstraint(condition=models.Q(size__gt=0), name="files_size_positive"),
            models.CheckConstraint(
                condition=models.Q(scan_result__in=ScanResult.values), name="files_scan_result_known"
            ),
            models.CheckConstraint(
                condition=models.Q(scan_result=ScanResult.CLEAN, scanned_at__isnull=False)
                | models.Q(scan_result=ScanResult.NOT_SCANNED, scanned_at__isnull=True),
                name="files_scanned_means_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sha256[:12]} ({self.media_type}, {self.size} B)"
