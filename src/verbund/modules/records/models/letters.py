"""Letters and the proof of their delivery."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from verbund.platform.tenancy.ids import new_id

from .cases import Case
from .documents import Document


class LetterState(models.TextChoices):
    """LetterState (Versandstand)."""

    ISSUED = "issued", _("Issued")
    AT_PRINT_ROOM = "at_print_room", _("At the print room")
    DELIVERED = "delivered", _("Delivered")


class Channel(models.TextChoices):
    """Channel (Übermittlungsweg)."""

    PORTAL = "portal", _("Mailbox in the portal")
    EMAIL = "email", _("E-mail")
    PRINT = "print", _("Print and post")


class Letter(models.Model):
    """Letter (Schreiben, Bescheid): a document that goes to somebody, with the proof that it did.

    `deemed_on` is the day on which the letter counts as made known: the fourth day after it was posted or made
    available (§ 41 (2) VwVfG, § 9 OZG, since 2025-01-01), the next working day if that is none (§ 31 (3) VwVfG, §
    193 BGB).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+", db_index=False)
    document = models.OneToOneField(Document, on_delete=models.PROTECT, related_name="+")
    template = models.CharField(max_length=120)
    recipient: "models.JSONField[dict[str, object], dict[str, object]]" = models.JSONField()
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=15, choices=LetterState.choices, default=LetterState.ISSUED)
    issued_at = models.DateTimeField()
    channel = models.CharField(max_length=10, choices=Channel.choices, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    deemed_on = models.DateField(null=True, blank=True)
    proof: "models.JSONField[dict[str, str], dict[str, str]]" = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=LetterState.values), name="letter_state_known"),
            models.CheckConstraint(
                condition=~models.Q(state=LetterState.DELIVERED)
                | (models.Q(delivered_at__isnull=False, deemed_on__isnull=False) & ~models.Q(channel="")),
                name="letter_delivered_with_proof",
            ),
        ]
        indexes = [
            models.Index(fields=["case", "issued_at"], name="letter_by_case"),
            models.Index(
                fields=["issued_at"], condition=models.Q(state=LetterState.AT_PRINT_ROOM), name="letter_to_print"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.state}"
