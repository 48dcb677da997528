"""Audit entries and the lanes they are chained in."""

from django.db import models

from verbund.platform.tenancy.rights import READ_ONLY


class AuditLane(models.Model):
    """AuditLane (Protokollspur): the end of one hash chain. A body has several, so that parallel requests need not
    wait for each other."""

    database_rights = READ_ONLY  # written by the function audit_append_many only

    lane = models.PositiveSmallIntegerField(primary_key=True)
    last_no = models.BigIntegerField(default=0)
    last_hash = models.BinaryField(default=bytes(32))

    def __str__(self) -> str:
        return f"{self.lane}/{self.last_no}"


class AuditEntry(models.Model):
    """AuditEntry (Protokolleintrag): who did what on which object, for which body, with the values before and after.

    `changes` is the JSON text {"before": {...}, "after": {...}} as it was hashed, kept as text so that it stays
    byte-identical.
    """

    database_rights = READ_ONLY

    id = models.BigAutoField(primary_key=True)
    lane = models.PositiveSmallIntegerField()
    lane_no = models.BigIntegerField()
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=10)
    actor_id = models.CharField(max_length=36, blank=True)
    actor_name = models.TextField()
    substitutes = models.TextField(blank=True)
    action = models.CharField(max_length=80)
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=64)
    request_id = models.CharField(max_length=64, blank=True)
    changes = models.TextField()
    hash_prev = models.BinaryField()
    hash = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lane", "lane_no"], name="audit_entry_once_in_lane")]
        indexes = [
            models.Index(fields=["object_type", "object_id", "id"], name="audit_by_object"),
            models.Index(fields=["action", "id"], name="audit_by_action"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_type} {self.object_id}"
