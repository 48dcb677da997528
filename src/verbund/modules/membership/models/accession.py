"""The accession of a body as a further carrier: its states, which act is possible in which, and what was recorded."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from verbund.platform.tenancy.rights import APPEND_ONLY

from .bodies import PublicationMedium
from .members import Member
from .parameters import TaskKind

SHA256: Final = RegexValidator(r"^[0-9a-f]{64}\Z")


class AccessionState(models.TextChoices):
    """AccessionState (Stand des Beitritts): budget-domain 8.1."""

    INQUIRY = "inquiry", _("Inquiry")
    BASIC_RESOLUTION = "basic_resolution", _("Basic resolution")
    NEGOTIATION = "negotiation", _("Negotiation")
    DRAFT_CONTRACT = "draft_contract", _("Contract before the carriers and the candidate")
    ALL_CONSENTED = "all_consented", _("All have consented")
    REFUSED = "refused", _("Consent refused")
    SIGNED = "signed", _("Signed")
    NOTIFIED = "notified", _("Notice given")
    DOCUMENTS_COMPLETE = "documents_complete", _("Documents complete")
    NO_OBJECTION = "no_objection", _("No breach declared")
    DEEMED_NO_OBJECTION = "deemed_no_objection", _("Period over without objection")
    OBJECTION = "objection", _("Breach asserted")
    PUBLISHED = "published", _("Published")
    EFFECTIVE = "effective", _("In effect")
    CAPITAL_PAID = "capital_paid", _("Capital paid")
    TASKS_TRANSFERRED = "tasks_transferred", _("Tasks being transferred")
    ONBOARDED = "onboarded", _("Completed")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    ABANDONED = "abandoned", _("Abandoned")


class Action(models.TextChoices):
    """Action (Verfahrensschritt): what may be done in an accession."""

    OPEN_INQUIRY = "open_inquiry", _("Open the inquiry")
    STATE_COSTS = "state_costs", _("State the costs")
    RECORD_BASIC_RESOLUTION = "record_basic_resolution", _("Record the basic resolution")
    BEGIN_NEGOTIATION = "begin_negotiation", _("Begin the negotiation")
    PLAN_TASK = "plan_task", _("Plan the transfer of a task")
    PUT_CONTRACT_VERSION = "put_contract_version", _("Put a version of the contract forward")
    RECORD_CONSENT = "record_consent", _("Record a carrier's consent")
    RECORD_CANDIDATE_RESOLUTION = "record_candidate_resolution", _("Record the candidate's resolution")
    REFUSE = "refuse", _("Record a refusal")
    SIGN = "sign", _("Record the signatures")
    GIVE_NOTICE = "give_notice", _("Give notice to the authority")
    COMPLETE_DOCUMENTS = "complete_documents", _("Record that the documents are complete")
    DECLARE_NO_OBJECTION = "declare_no_objection", _("Record the declaration of no breach")
    ESTABLISH_CLEARANCE = "establish_clearance", _("Establish that the period is over")
    RAISE_OBJECTION = "raise_objection", _("Record an objection")
    RECORD_PUBLICATION = "record_publication", _("Record a publication")
    TAKE_EFFECT = "take_effect", _("Record the effect")
    RECORD_CAPITAL = "record_capital", _("Record the payment of the capital")
    TRANSFER_TASK = "transfer_task", _("Transfer a task")
    COMPLETE_ONBOARDING = "complete_onboarding", _("Complete the accession")
    WITHDRAW = "withdraw", _("Withdraw the inquiry")
    ABANDON = "abandon", _("Abandon the accession")


@dataclass(frozen=True, slots=True)
class Rule:
    """Rule (Übergangsregel): from where an act is possible, where it leads (None: where it stood, or the service
    decides), and the provision it usually rests on."""

    sources: frozenset[AccessionState]
    target: AccessionState | None
    legal_basis: str = ""


_S = AccessionState
BEFORE_SIGNATURE: Final = frozenset(
    {_S.INQUIRY, _S.BASIC_RESOLUTION, _S.NEGOTIATION, _S.DRAFT_CONTRACT, _S.ALL_CONSENTED, _S.REFUSED}
)
CLEARED: Final = frozenset({_S.NO_OBJECTION, _S.DEEMED_NO_OBJECTION})
BEFORE_AUTHORITY: Final = frozenset({_S.NOTIFIED, _S.DOCUMENTS_COMPLETE})
IN_EFFECT: Final = frozenset({_S.EFFECTIVE, _S.CAPITAL_PAID, _S.TASKS_TRANSFERRED, _S.ONBOARDED})
ENDED: Final = frozenset({_S.ONBOARDED, _S.WITHDRAWN, _S.ABANDONED})

RULES: Final[Mapping[Action, Rule]] = {
    Action.STATE_COSTS: Rule(frozenset({_S.INQUIRY, _S.BASIC_RESOLUTION, _S.NEGOTIATION}), None),
    Action.RECORD_BASIC_RESOLUTION: Rule(frozenset({_S.INQUIRY}), _S.BASIC_RESOLUTION, "§ 167b Abs. 1 KV M-V"),
    Action.BEGIN_NEGOTIATION: Rule(frozenset({_S.BASIC_RESOLUTION}), _S.NEGOTIATION),
    Action.PLAN_TASK: Rule(
        frozenset(AccessionState) - ENDED - {_S.INQUIRY, _S.BASIC_RESOLUTION}, None, "§ 167b Abs. 1 KV M-V"
    ),
    Action.PUT_CONTRACT_VERSION: Rule(
        frozenset({_S.NEGOTIATION, _S.DRAFT_CONTRACT, _S.ALL_CONSENTED, _S.REFUSED, _S.OBJECTION}),
        _S.DRAFT_CONTRACT,
        "§ 167b Abs. 3, 4 KV M-V",
    ),
    Action.RECORD_CONSENT: Rule(
        frozenset({_S.DRAFT_CONTRACT, _S.ALL_CONSENTED}), None, "§ 167b Abs. 1, Abs. 3 Nr. 4 KV M-V"
    ),
    Action.RECORD_CANDIDATE_RESOLUTION: Rule(frozenset({_S.DRAFT_CONTRACT}), None, "§ 167b Abs. 1 KV M-V"),
    Action.REFUSE: Rule(frozenset({_S.DRAFT_CONTRACT, _S.ALL_CONSENTED}), _S.REFUSED, "§ 167b Abs. 1 KV M-V"),
    Action.SIGN: Rule(frozenset({_S.ALL_CONSENTED}), _S.SIGNED, "§ 167b Abs. 1 KV M-V"),
    Action.GIVE_NOTICE: Rule(frozenset({_S.SIGNED}) | BEFORE_AUTHORITY, _S.NOTIFIED, "§ 167c KV M-V"),
    Action.COMPLETE_DOCUMENTS: Rule(frozenset({_S.NOTIFIED}), _S.DOCUMENTS_COMPLETE, "§ 77 Abs. 1 KV M-V"),
    Action.DECLARE_NO_OBJECTION: Rule(BEFORE_AUTHORITY, _S.NO_OBJECTION, "§ 77 Abs. 1 KV M-V"),
    Action.ESTABLISH_CLEARANCE: Rule(frozenset({_S.DOCUMENTS_COMPLETE}), _S.DEEMED_NO_OBJECTION, "§ 77 Abs. 1 KV M-V"),
    Action.RAISE_OBJECTION: Rule(BEFORE_AUTHORITY, _S.OBJECTION, "§ 77 Abs. 1 KV M-V"),
    Action.RECORD_PUBLICATION: Rule(CLEARED, None, "§ 5 KV M-V"),
    Action.TAKE_EFFECT: Rule(CLEARED | {_S.PUBLISHED}, _S.EFFECTIVE, "§ 77 Abs. 1 KV M-V"),
    Action.RECORD_CAPITAL: Rule(frozenset({_S.EFFECTIVE}), _S.CAPITAL_PAID, "§ 167b Abs. 3 Nr. 1 KV M-V"),
    Action.TRANSFER_TASK: Rule(
        frozenset({_S.CAPITAL_PAID, _S.TASKS_TRANSFERRED, _S.ONBOARDED}), None, "§ 167b Abs. 1 KV M-V"
    ),
    Action.COMPLETE_ONBOARDING: Rule(frozenset({_S.TASKS_TRANSFERRED}), _S.ONBOARDED),
    Action.WITHDRAW: Rule(BEFORE_SIGNATURE, _S.WITHDRAWN),
    Action.ABANDON: Rule(frozenset({_S.OBJECTION, _S.REFUSED}), _S.ABANDONED),
}


class Accession(models.Model):
    """Accession (Beitrittsverfahren): a candidate becomes a further carrier (§ 167b (1) KV M-V)."""

    id = models.UUIDField(primary_key=True, editable=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="accessions")
    state = models.CharField(max_length=24, choices=AccessionState.choices, default=AccessionState.INQUIRY)
    subject = models.CharField(max_length=300)  # what it is about, as "whole IT operation of the core administration"
    opened_on = models.DateField()
    planned_effect_on = models.DateField(null=True, blank=True)
    authority = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    amends_statute = models.BooleanField(default=True)  # then publication comes before effect
    costs_stated_on = models.DateField(null=True, blank=True)
    yearly_cost_cents = models.BigIntegerField(null=True, blank=True, validators=[MinValueValidator(0)])
    signed_on = models.DateField(null=True, blank=True)
    cleared_on = models.DateField(null=True, blank=True)  # the first day on which legal acts may be executed
    effective_on = models.DateField(null=True, blank=True)
    capital_paid_on = models.DateField(null=True, blank=True)
    ended_on = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(state__in=AccessionState.values), name="membership_accession_state"),
            models.UniqueConstraint(
                fields=["member"],
                condition=~Q(state__in=[_S.ONBOARDED, _S.WITHDRAWN, _S.ABANDONED]),
                name="membership_one_open_accession",
            ),
            models.CheckConstraint(
                condition=Q(effective_on__isnull=True) | Q(effective_on__gte=models.F("cleared_on")),
                name="membership_no_effect_before_clearance",
            ),
            models.CheckConstraint(
                condition=Q(capital_paid_on__isnull=True) | Q(capital_paid_on__gte=models.F("cleared_on")),
                name="membership_no_capital_before_clearance",
            ),
            # A comparison with null is neither true nor false, and a check lets it pass: said on its own.
            models.CheckConstraint(
                condition=Q(effective_on__isnull=True, capital_paid_on__isnull=True) | Q(cleared_on__isnull=False),
                name="membership_nothing_before_clearance",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["-opened_on", "-id"], name="membership_accession_by_day")]

    def __str__(self) -> str:
        return f"{self.member_id} {self.state}"


class ContractDraft(models.Model):
    """ContractDraft (Vertragsfassung): one version of the contract put before all parties, known by its hash.

    Share and seats of the candidate, and the changes for the carriers there are, come with it.
    """

    database_rights = APPEND_ONLY

    id = models.UUIDField(primary_key=True, editable=False)
    accession = models.ForeignKey(Accession, on_delete=models.PROTECT, related_name="drafts")
    number = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64, validators=[SHA256])
    label = models.CharField(max_length=200, blank=True)
    put_on = models.DateField()
    share_cents = models.BigIntegerField(validators=[MinValueValidator(0)])
    seats = models.PositiveSmallIntegerField()
    changes: "models.JSONField[list[dict[str, Any]], list[dict[str, Any]]]" = models.JSONField(default=list, blank=True)
    chair = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    total_cents = models.BigIntegerField(null=True, blank=True)  # as the contract states them; checked at signature
    board_size = models.PositiveSmallIntegerField(null=True, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["accession", "number"], name="membership_draft_number"),
            models.UniqueConstraint(fields=["accession", "sha256"], name="membership_draft_hash"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.sha256[:12]}"


class Decision(models.TextChoices):
    """Decision (Entscheidung eines Beteiligten)."""

    PENDING = "pending", _("Open")
    CONSENTED = "consented", _("Consented")
    REFUSED = "refused", _("Refused")


class Consent(models.Model):
    """Consent (Zustimmung): what one party has decided on one version of the contract; the row is there, open, from
    the day the version is put."""

    id = models.UUIDField(primary_key=True, editable=False)
    draft = models.ForeignKey(ContractDraft, on_delete=models.PROTECT, related_name="consents")
    party = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="consents")
    is_candidate = models.BooleanField(default=False)
    joined_later = models.BooleanField(default=False)  # became a carrier after the version was put (M6)
    decision = models.CharField(max_length=10, choices=Decision.choices, default=Decision.PENDING)
    decided_on = models.DateField(null=True, blank=True)
    organ = models.CharField(max_length=200, blank=True)
    resolution = models.CharField(max_length=200, blank=True)  # its number or record
    votes_for = models.PositiveSmallIntegerField(null=True, blank=True)
    votes_against = models.PositiveSmallIntegerField(null=True, blank=True)
    abstentions = models.PositiveSmallIntegerField(null=True, blank=True)
    date_known = models.BooleanField(default=True)
    recorded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["draft", "party"], name="membership_one_decision_per_party"),
            models.CheckConstraint(
                condition=Q(decision=Decision.PENDING, decided_on__isnull=True)
                | Q(decision__in=[Decision.CONSENTED, Decision.REFUSED], decided_on__isnull=False),
                name="membership_decision_dated",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.party_id} {self.decision}"


class Signature(models.Model):
    """Signature (Unterzeichnung): who signed the contract for a party, in which function, on which day."""

    database_rights = APPEND_ONLY

    id = models.UUIDField(primary_key=True, editable=False)
    draft = models.ForeignKey(ContractDraft, on_delete=models.PROTECT, related_name="signatures")
    party = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    function = models.CharField(max_length=200)
    signed_on = models.DateField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["draft", "party", "name"], name="membership_signature_once")
        ]

    def __str__(self) -> str:
        return self.name


class AuthorityNotice(models.Model):
    """AuthorityNotice (Anzeige bei der Rechtsaufsicht): a submission under § 167c; a new one restarts the period."""

    id = models.UUIDField(primary_key=True, editable=False)
    accession = models.ForeignKey(Accession, on_delete=models.PROTECT, related_name="notices")
    number = models.PositiveIntegerField()
    notified_on = models.DateField()
    documents = models.TextField(max_length=4000, blank=True)  # one a line
    complete_on = models.DateField(null=True, blank=True)
    period_ends_on = models.DateField(null=True, blank=True)  # the last day of the authority's period
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["accession", "number"], name="membership_notice_number"),
            models.CheckConstraint(
                condition=Q(complete_on__isnull=True, period_ends_on__isnull=True)
                | Q(complete_on__isnull=False, period_ends_on__isnull=False),
                name="membership_period_from_completeness",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.notified_on}"


class Publication(models.Model):
    """Publication (Bekanntmachung): a party published the text in one of its media; the text's hash is the contract's
    (M9)."""

    database_rights = APPEND_ONLY

    id = models.UUIDField(primary_key=True, editable=False)
    draft = models.ForeignKey(ContractDraft, on_delete=models.PROTECT, related_name="publications")
    medium = models.ForeignKey(PublicationMedium, on_delete=models.PROTECT, related_name="+")
    published_on = models.DateField()
    sha256 = models.CharField(max_length=64, validators=[SHA256])
    reference = models.CharField(max_length=200, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["draft", "medium"], name="membership_published_once")
        ]

    def __str__(self) -> str:
        return f"{self.medium_id} {self.published_on}"


class TaskTransfer(models.Model):
    """TaskTransfer (Aufgabenübergang): a task passes from the member to the alliance, planned for a day and done on
    one."""

    id = models.UUIDField(primary_key=True, editable=False)
    accession = models.ForeignKey(Accession, on_delete=models.PROTECT, related_name="transfers")
    task = models.ForeignKey(TaskKind, on_delete=models.PROTECT, related_name="+")
    planned_on = models.DateField(null=True, blank=True)
    transferred_on = models.DateField(null=True, blank=True)
    scope = models.CharField(max_length=300, blank=True)
    date_known = models.BooleanField(default=True)
    recorded_at = models.DateTimeField(null=True, blank=True)  # when the transfer was recorded

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["accession", "task"], name="membership_task_once")
        ]

    def __str__(self) -> str:
        return f"{self.task_id} {self.transferred_on or self.planned_on}"
