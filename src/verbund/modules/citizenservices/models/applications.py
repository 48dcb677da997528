"""Applications from the day they are sent to the day their case is closed."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from verbund.platform.tenancy.ids import new_id
from verbund.platform.tenancy.rights import APPEND_ONLY

from .offers import OnlineService
from .versions import FormVersion


class ApplicationState(models.TextChoices):
    """ApplicationState (Bearbeitungsstand des Antrags)."""

    SUBMITTED = "submitted", _("Received")
    IN_PROGRESS = "in_progress", _("In progress")
    QUERY_OPEN = "query_open", _("Question open")
    DECIDED = "decided", _("Decided")
    DELIVERED = "delivered", _("Decision delivered")
    CLOSED = "closed", _("Closed")


class Outcome(models.TextChoices):
    """Outcome (Ergebnis)."""

    GRANTED = "granted", _("Granted")
    REFUSED = "refused", _("Refused")
    WITHDRAWN = "withdrawn", _("Withdrawn")


S = ApplicationState
KEPT = ("SELECT", "INSERT", "UPDATE")
"""Rights on what may change but never disappear."""

TRANSITIONS: dict[ApplicationState, frozenset[ApplicationState]] = {
    S.SUBMITTED: frozenset({S.IN_PROGRESS, S.DECIDED, S.CLOSED}),
    S.IN_PROGRESS: frozenset({S.SUBMITTED, S.QUERY_OPEN, S.DECIDED, S.CLOSED}),
    S.QUERY_OPEN: frozenset({S.IN_PROGRESS, S.DECIDED, S.CLOSED}),
    S.DECIDED: frozenset({S.DELIVERED}),
    S.DELIVERED: frozenset({S.CLOSED}),
    S.CLOSED: frozenset(),
}
"""Which state may follow which. Withdrawal closes an undecided application at once."""

UNDECIDED = (S.SUBMITTED, S.IN_PROGRESS, S.QUERY_OPEN)


class Application(models.Model):
    """Application (Antrag): the answers as sent, bound to the form version, with the state of its handling.

    `answers`, `form_version` and `party` never change after the submission (a trigger refuses it).
    """

    database_rights = KEPT

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    service = models.ForeignKey(OnlineService, on_delete=models.PROTECT, related_name="+")
    form_version = models.ForeignKey(FormVersion, on_delete=models.PROTECT, related_name="+")
    service_title = models.CharField(max_length=200)
    answers: "models.JSONField[dict[str, str], dict[str, str]]" = models.JSONField()
    party: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField()
    party_name = models.CharField(max_length=300)
    email = models.EmailField(max_length=254, blank=True)
    account = models.UUIDField(null=True, blank=True)
    wants_mailbox = models.BooleanField(
        default=False
    )  # agreed to get the decision in the portal (§ 9 OZG), else by post
    code_hash = models.CharField(max_length=64, unique=True)
    draft_digest = models.CharField(max_length=64, unique=True)  # a draft is sent once, however often "send" is pressed
    state = models.CharField(max_length=15, choices=ApplicationState.choices, default=ApplicationState.SUBMITTED)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True)
    unit = models.CharField(max_length=40)
    clerk = models.UUIDField(null=True, blank=True)
    clerk_name = models.CharField(max_length=200, blank=True)
    version = models.PositiveIntegerField(default=1)
    submitted_at = models.DateTimeField()
    due_on = models.DateField()
    case_id = models.UUIDField()
    case_reference = models.CharField(max_length=60)
    receipt_document_id = models.UUIDField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    letter_id = models.UUIDField(null=True, blank=True)
    letter_document_id = models.UUIDField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    claim_id = models.UUIDField(null=True, blank=True)
    fee_cents = models.BigIntegerField(default=0)
    payment_reference = models.CharField(max_length=40, blank=True)
    payment_due_on = models.DateField(null=True, blank=True)
    settled_on = models.DateField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    retention_until = models.DateField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(state__in=ApplicationState.values), name="application_state_known"),
            models.CheckConstraint(condition=Q(outcome__in=["", *Outcome.values]), name="application_outcome_known"),
            models.CheckConstraint(
                condition=Q(state__in=["submitted", "in_progress", "query_open"], outcome="", decided_at__isnull=True)
                | (Q(state__in=["decided", "delivered", "closed"], decided_at__isnull=False) & ~Q(outcome="")),
                name="application_decided_with_outcome",
            ),
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False) | (~Q(state="closed") & Q(closed_at__isnull=True)),
                name="application_closed_when",
            ),
            models.CheckConstraint(
                condition=Q(claim_id__isnull=True) | (Q(fee_cents__gt=0) & ~Q(payment_reference="")),
                name="application_claim_with_reference",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["unit", "state", "due_on", "id"], name="application_inbox"),
            models.Index(fields=["unit", "-submitted_at", "-id"], name="application_by_unit"),
            models.Index(fields=["clerk", "state", "due_on", "id"], name="application_by_clerk"),
            models.Index(fields=["-submitted_at", "-id"], name="application_by_date"),
            models.Index(fields=["service", "-submitted_at", "-id"], name="application_by_service"),
            models.Index(
                fields=["account", "-submitted_at"], condition=Q(account__isnull=False), name="application_by_account"
            ),
            models.Index(fields=["case_id"], name="application_by_case"),
            models.Index(fields=["claim_id"], condition=Q(claim_id__isnull=False), name="application_by_claim"),
        ]

    def __str__(self) -> str:
        return f"{self.case_reference} {self.service_title}"

    @property
    def acts(self) -> int:
        """The version as far as people made it, by which a colleague with an older page is told.

        The receipt, which the house files some seconds after the sending, changes nothing that anybody decides on; it
        is all that the house adds before the decision.
        """
        return self.version - (self.receipt_document_id is not None)

    @property
    def origin(self) -> str:
        """How the registers below name this application."""
        return origin_of(self.id)

    @property
    def is_undecided(self) -> bool:
        return self.state in UNDECIDED

    @property
    def is_paid(self) -> bool:
        """Nothing is owed: no claim was raised, or it is settled."""
        return self.claim_id is None or self.settled_on is not None

    def may_become(self, state: ApplicationState) -> bool:
        return state in TRANSITIONS[ApplicationState(self.state)]


ORIGIN = "citizenservices.application:"


def origin_of(application_id: object) -> str:
    """The opaque text that `records` and `budget` carry for us."""
    return f"{ORIGIN}{application_id}"


class ApplicationAttachment(models.Model):
    """ApplicationAttachment (Anlage zum Antrag): which document of the case answers which question. Append-only."""

    database_rights = APPEND_ONLY

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="attachments")
    path = models.CharField(max_length=600)
    filename = models.CharField(max_length=255)
    document_id = models.UUIDField()
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    media_type = models.CharField(max_length=127)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["application", "path"], name="application_attachment_once_per_place"),
        ]

    def __str__(self) -> str:
        return self.filename


class Question(models.Model):
    """Question (Rückfrage): what a clerk asks back, and the answer."""

    database_rights = KEPT

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="questions")
    text = models.TextField()
    asked_by = models.UUIDField(null=True, blank=True)
    asked_name = models.CharField(max_length=200)
    asked_at = models.DateTimeField()
    answer_until = models.DateField()
    answer = models.TextField(blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    document_id = models.UUIDField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=~Q(text=""), name="question_has_text"),
            models.UniqueConstraint(
                fields=["application"], condition=Q(answered_at__isnull=True), name="question_one_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.asked_at} {self.application_id}"


class Decision(models.Model):
    """Decision (Entscheidung): proposed by one, signed by one (with sign-off: by another)."""

    database_rights = KEPT

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    application = models.OneToOneField(Application, on_delete=models.PROTECT, related_name="decision")
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    reason = models.TextField(blank=True)
    proposed_by = models.UUIDField(null=True, blank=True)
    proposed_name = models.CharField(max_length=200, blank=True)
    proposed_at = models.DateTimeField(null=True, blank=True)
    signed_by = models.UUIDField(null=True, blank=True)
    signed_name = models.CharField(max_length=200, blank=True)
    signed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="decision_outcome_known"),
            models.CheckConstraint(condition=~Q(outcome="refused") | ~Q(reason=""), name="decision_refusal_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.application_id} {self.outcome}"


class MessageKind(models.TextChoices):
    """MessageKind (Art der Nachricht)."""

    RECEIPT = "receipt", _("Confirmation of receipt")
    QUESTION = "question", _("Question")
    DECISION = "decision", _("Decision")
    PAYMENT = "payment", _("Payment")
    NOTICE = "notice", _("Notice")


class MailboxMessage(models.Model):
    """MailboxMessage (Postfachnachricht): what the body sent to the applicant; read with the account or the tracking
    code.
    """

    database_rights = KEPT

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="messages")
    account = models.UUIDField(null=True, blank=True)
    kind = models.CharField(max_length=10, choices=MessageKind.choices)
    subject = models.CharField(max_length=300)
    text = models.TextField(blank=True)
    document_id = models.UUIDField(null=True, blank=True)
    sent_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(kind__in=MessageKind.values), name="message_kind_known"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["application", "-sent_at"], name="message_by_application"),
            models.Index(
                fields=["account", "-sent_at", "-id"], condition=Q(account__isnull=False), name="message_by_account"
            ),
        ]

    def __str__(self) -> str:
        return self.subject
