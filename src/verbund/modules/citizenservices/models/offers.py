"""What a body offers: a form together with everything that makes it a service."""

from dataclasses import replace
from typing import ClassVar, TypedDict

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from verbund.platform.tenancy.ids import new_id

from .form import Cardinality, DataType, Field, FieldKind, FormDefinition, Group
from .versions import FormVersion

ATTACHMENTS = "Unterlagen"
"""Key of the group of files that a service asks for beside those of its form."""
UPLOADS = ("application/pdf", "image/jpeg", "image/png")
UPLOAD_LIMIT = 10_000_000  # bytes


class ServiceState(models.TextChoices):
    """ServiceState (Veröffentlichungsstand)."""

    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class RequiredAttachment(TypedDict):
    """An attachment a service asks for (beizufügende Unterlage)."""

    title: str
    help: str
    required: bool


class LetterTexts(TypedDict, total=False):
    """Texts of the decision (Bescheidtexte) of a service."""

    legal_basis: str
    subject_grant: str
    grant: list[str]
    subject_refuse: str
    refuse: list[str]
    remedy: str


class OnlineService(models.Model):
    """OnlineService (Online-Dienst, Leistung): what citizens find: form, fee, unit and texts of its letters."""

    database_rights = ("SELECT", "INSERT", "UPDATE")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(max_length=80, unique=True)
    title = models.CharField(max_length=200)
    topic = models.CharField(max_length=100)
    summary = models.CharField(max_length=400)
    description = models.TextField(blank=True)
    audience = models.TextField(blank=True)
    needed: "models.JSONField[list[str], list[str]]" = models.JSONField(default=list, blank=True)
    attachments: "models.JSONField[list[RequiredAttachment], list[RequiredAttachment]]" = models.JSONField(
        default=list, blank=True
    )
    search_words: "models.JSONField[list[str], list[str]]" = models.JSONField(default=list, blank=True)
    form_version = models.ForeignKey(FormVersion, on_delete=models.PROTECT, related_name="+")
    unit = models.CharField(max_length=40)
    file_plan_position = models.CharField(max_length=40)
    promised_days = models.PositiveSmallIntegerField(validators=[MinValueValidator(1)])
    fee_cents = models.BigIntegerField(default=0)
    fee_text = models.CharField(max_length=200, blank=True)
    ledger = models.CharField(max_length=40, blank=True)
    product = models.CharField(max_length=40, blank=True)
    account = models.CharField(max_length=40, blank=True)
    payment_days = models.PositiveSmallIntegerField(default=14)
    retention_years = models.PositiveSmallIntegerField(default=10)
    letters: "models.JSONField[LetterTexts, LetterTexts]" = models.JSONField(default=dict)
    requires_sign_off = models.BooleanField(default=False)  # a second person signs (Vier-Augen-Prinzip)
    state = models.CharField(max_length=10, choices=ServiceState.choices, default=ServiceState.DRAFT)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(state__in=ServiceState.values), name="service_state_known"),
            models.CheckConstraint(condition=Q(fee_cents__gte=0), name="service_fee_not_negative"),
            models.CheckConstraint(
                condition=Q(fee_cents=0) | (~Q(product="") & ~Q(account="") & ~Q(ledger="")),
                name="service_fee_has_line",
            ),
            models.CheckConstraint(
                condition=Q(state=ServiceState.DRAFT) | Q(published_at__isnull=False), name="service_published_when"
            ),
            models.CheckConstraint(condition=Q(changed_at__gte=F("created_at")), name="service_change_after_creation"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_published(self) -> bool:
        return self.state == ServiceState.PUBLISHED

    def extended(self, form: FormDefinition) -> FormDefinition:
        """The form with the attachments this service asks for as a last group of files."""
        if not self.attachments:
            return form
        files = tuple(
            Field(
                key=f"U{number}",
                id=f"U{number}",
                version="",
                name=wanted["title"],
                label=wanted["title"],
                label_out=wanted["title"],
                kind=FieldKind.INPUT,
                type=DataType.FILE,
                cardinality=Cardinality(1 if wanted.get("required") else 0, None),
                help=wanted.get("help", ""),
                max_size=UPLOAD_LIMIT,
                media_types=UPLOADS,
            )
            for number, wanted in enumerate(self.attachments, start=1)
        )
        title = str(_("Documents"))
        group = Group(ATTACHMENTS, ATTACHMENTS, "", title, title, title, Cardinality(1, 1), files)
        return replace(form, elements=(*form.elements, group))
