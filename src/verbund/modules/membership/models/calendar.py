"""The calendar that people take along, and what they have been reminded of."""

from typing import ClassVar

from django.db import models

from verbund.platform.tenancy.rights import APPEND_ONLY


class CalendarFeed(models.Model):
    """CalendarFeed (Kalenderabonnement): a secret address under which a person's calendar reads the deadlines. Only
    the digest of the secret is kept."""

    id = models.UUIDField(primary_key=True, editable=False)
    person_id = models.UUIDField()
    token_sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["person_id"], condition=models.Q(revoked_at__isnull=True), name="membership_one_feed_per_person"
            )
        ]

    def __str__(self) -> str:
        return str(self.id)


class Reminder(models.Model):
    """Reminder (Erinnerung): a person was told of a deadline by mail; once for each."""

    database_rights = APPEND_ONLY

    id = models.UUIDField(primary_key=True, editable=False)
    person_id = models.UUIDField()
    deadline = models.CharField(max_length=200)  # what it is about, with its day
    sent_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["person_id", "deadline"], name="membership_reminded_once")
        ]

    def __str__(self) -> str:
        return self.deadline
