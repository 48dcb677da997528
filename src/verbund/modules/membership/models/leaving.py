"""Leaving the alliance, and the acts of both procedures."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from verbund.platform.tenancy.rights import APPEND_ONLY

from .accession import Accession
from .members import Member


class LeavingState(models.TextChoices):
    """LeavingState (Stand des Austritts)."""

    NOTICE_GIVEN = "notice_given", _("Notice to leave given")
    LEFT = "left", _("Left")
    WITHDRAWN = "withdrawn", _("Notice withdrawn")


class LeavingAction(models.TextChoices):
    """LeavingAction (Schritt des Austritts)."""

    GIVE_LEAVE_NOTICE = "give_leave_notice", _("Give notice to leave")
    WITHDRAW_LEAVE_NOTICE = "withdraw_leave_notice", _("Withdraw the notice to leave")
    SETTLE = "settle", _("Record the settlement")
    HAND_BACK_DATA = "hand_back_data", _("Record the hand-back of the data")
    CERTIFY_ERASURE = "certify_erasure", _("Record the certificate of erasure")
    LEAVE = "leave", _("Complete the leaving")


class Leaving(models.Model):
    """Leaving (Austritt): a carrier gives notice, leaves on a day, settles, gets its data back and goes."""

    id = models.UUIDField(primary_key=True, editable=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="leavings")
    state = models.CharField(max_length=20, choices=LeavingState.choices, default=LeavingState.NOTICE_GIVEN)
    notice_on = models.DateField()
    exit_on = models.DateField()  # the last day as a carrier
    settled_on = models.DateField(null=True, blank=True)
    settlement_cents = models.BigIntegerField(null=True, blank=True)  # positive: the member pays
    handed_back_on = models.DateField(null=True, blank=True)
    export_reference = models.CharField(max_length=300, blank=True)
    export_sha256 = models.CharField(max_length=64, blank=True)  # of the manifest
    erased_on = models.DateField(null=True, blank=True)
    certificate = models.CharField(max_length=300, blank=True)
    left_on = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(state__in=LeavingState.values), name="membership_leaving_state"),
            models.CheckConstraint(condition=Q(exit_on__gte=F("notice_on")), name="membership_leaving_days"),
            models.UniqueConstraint(
                fields=["member"], condition=Q(state=LeavingState.NOTICE_GIVEN), name="membership_one_open_leaving"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} {self.exit_on}"


class ProcedureAct(models.Model):
    """ProcedureAct (Verfahrenshandlung): what was done in an accession or a leaving, by whom, on which date, with which
    document and provision; never changed."""

    database_rights = APPEND_ONLY

    id = models.UUIDField(primary_key=True, editable=False)
    accession = models.ForeignKey(Accession, on_delete=models.PROTECT, related_name="acts", null=True, blank=True)
    leaving = models.ForeignKey(Leaving, on_delete=models.PROTECT, related_name="acts", null=True, blank=True)
    number = models.PositiveIntegerField()
    action = models.CharField(max_length=40)
    on = models.DateField()  # the date of the legal act
    date_known = models.BooleanField(default=True)
    party = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    document = models.CharField(max_length=300, blank=True)
    reason = models.TextField(max_length=4000, blank=True)
    legal_basis = models.CharField(max_length=200, blank=True)
    note = models.TextField(max_length=2000, blank=True)
    details: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(default=dict, blank=True)
    state_after = models.CharField(max_length=24)
    recorded_at = models.DateTimeField()
    actor_id = models.UUIDField(null=True, blank=True)
    actor_name = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(accession__isnull=True, leaving__isnull=False)
                | Q(accession__isnull=False, leaving__isnull=True),
                name="membership_act_of_one_procedure",
            ),
            models.UniqueConstraint(fields=["accession", "number"], name="membership_act_number"),
            models.UniqueConstraint(fields=["leaving", "number"], name="membership_leaving_act_number"),
        ]
        indexes: ClassVar = [models.Index(fields=["on"], name="membership_act_by_day")]

    def __str__(self) -> str:
        return f"{self.number} {self.action} {self.on}"
