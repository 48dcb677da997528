"""The contract: reviewed clauses, the texts assembled from them, what was finalised, and the signed copies."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from verbund.platform.tenancy.rights import APPEND_ONLY

from .accession import SHA256, Accession, ContractDraft
from .members import Member

PLACEHOLDER: Final = re.compile(r"\{([a-z][a-z0-9_]{0,39})\}")
# What the platform knows itself and puts in the place of a placeholder; all other values are entered.
KNOWN_VALUES: Final = frozenset(
    {
        "alliance",
        "candidate",
        "parties",
        "shares",
        "seats",
        "total",
        "board_size",
        "chair",
        "tasks",
        "effective_on",
    }
)


class ClauseKind(models.TextChoices):
    """ClauseKind (Regelungsgegenstand): which content a clause covers; § 167b (3) KV M-V requires the first six."""

    SHARES = "shares", _("Shares in the share capital")
    SUPPORT = "support", _("Support payments and how they are decided")
    SEATS = "seats", _("Seats on the administrative board")
    CHAIR = "chair", _("Chair of the administrative board")
    AUDIT = "audit", _("Who may inspect and audit")
    JOINT_DECISION = "joint_decision", _("Procedure for joint decisions of the carriers")
    OTHER = "other", _("Another content")


REQUIRED: Final[dict[ClauseKind, str]] = {
    ClauseKind.SHARES: "§ 167b Abs. 3 Nr. 1 KV M-V",
    ClauseKind.SUPPORT: "§ 167b Abs. 3 Nr. 1 KV M-V",
    ClauseKind.SEATS: "§ 167b Abs. 3 Nr. 2 KV M-V",
    ClauseKind.CHAIR: "§ 167b Abs. 3 Nr. 2 KV M-V",
    ClauseKind.AUDIT: "§ 167b Abs. 3 Nr. 3 KV M-V",
    ClauseKind.JOINT_DECISION: "§ 167b Abs. 3 Nr. 4 KV M-V",
}
# A clause covers a content only if it says what the content is: these values must stand in it.
SAYS: Final[dict[ClauseKind, str]] = {
    ClauseKind.SHARES: "shares",
    ClauseKind.SEATS: "seats",
    ClauseKind.CHAIR: "chair",
}


def normalised(text: str) -> str:
    """Text as it is compared and hashed: NFC, single spaces, paragraphs set apart once."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def has_controls(text: str) -> bool:
    """Whether a text has characters that cannot be shown."""
    return any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn"} and c not in "\n\t\u00ad" for c in text)


def contract_hash(clauses: Sequence[Mapping[str, Any]], data: Mapping[str, Any]) -> str:
    """The SHA-256 all parties decide on: of clauses and data as JSON in NFC with sorted keys and no spaces."""
    said = json.dumps(
        {"clauses": list(clauses), "data": data}, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(unicodedata.normalize("NFC", said).encode()).hexdigest()


class ContractClause(models.Model):
    """ContractClause (Vertragsklausel): one version of a clause in the library; a change is a further version.

    `{name}` in the text stands for a value of the contract's data.
    """

    database_rights = APPEND_ONLY

    id = models.UUIDField(primary_key=True, editable=False)
    code = models.CharField(max_length=60, validators=[RegexValidator(r"^[a-z][a-z0-9_]*\Z")])
    number = models.PositiveIntegerField()  # of the version
    title = models.CharField(max_length=200)
    text = models.TextField()
    kinds = ArrayField(models.CharField(max_length=20, choices=ClauseKind.choices))
    source = models.CharField(max_length=300, blank=True)  # the provision the clause rests on
    author_id = models.UUIDField()
    author_name = models.CharField(max_length=200)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["code", "number"], name="membership_clause_version")
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.number}"


class ClauseReview(models.Model):
    """ClauseReview (Prüfung einer Klausel): another person than its author has found the version good."""

    database_rights = APPEND_ONLY

    id = models.UUIDField(primary_key=True, editable=False)
    clause = models.OneToOneField(ContractClause, on_delete=models.PROTECT, related_name="review")
    author_id = models.UUIDField()  # the clause's, so that the table itself can refuse a review of one's own
    reviewer_id = models.UUIDField()
    reviewer_name = models.CharField(max_length=200)
    note = models.CharField(max_length=1000, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=~Q(reviewer_id=F("author_id")), name="membership_clause_reviewed_by_other")
        ]

    def __str__(self) -> str:
        return self.reviewer_name


class ContractText(models.Model):
    """ContractText (Vertragstext): one working version of an accession's contract, whole and never changed.

    `clauses` is a snapshot: code, number, title, kinds, wording and the text with the values in it.
    """

    database_rights = APPEND_ONLY

    id = models.UUIDField(primary_key=True, editable=False)
    accession = models.ForeignKey(Accession, on_delete=models.PROTECT, related_name="texts")
    number = models.PositiveIntegerField()
    clauses: "models.JSONField[list[dict[str, Any]], list[dict[str, Any]]]" = models.JSONField()
    data: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField()
    text = models.TextField()
    sha256 = models.CharField(max_length=64, validators=[SHA256])
    author_id = models.UUIDField()
    author_name = models.CharField(max_length=200)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["accession", "number"], name="membership_text_number"),
            models.UniqueConstraint(fields=["accession", "sha256"], name="membership_text_once"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.sha256[:12]}"


class FinalContract(models.Model):
    """FinalContract (Schlussfassung): a text that was complete and put before the parties, and its PDF."""

    database_rights = APPEND_ONLY

    id = models.UUIDField(primary_key=True, editable=False)
    text = models.OneToOneField(ContractText, on_delete=models.PROTECT, related_name="final")
    draft = models.OneToOneField(ContractDraft, on_delete=models.PROTECT, related_name="final")
    pdf_sha256 = models.CharField(max_length=64, validators=[SHA256])
    recorded_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.pdf_sha256[:12]


class CopyKind(models.TextChoices):
    """CopyKind (Art der Ausfertigung)."""

    SCANNED = "scanned", _("Signed by hand and scanned")
    ELECTRONIC = "electronic", _("Signed electronically (PAdES)")


class Trust(models.TextChoices):
    """Trust (Vertrauen): what the signatures' certificates lead to."""

    NOT_CHECKED = "not_checked", _("not checkable: signed by hand")
    TRUSTED = "trusted", _("signatures intact, certificates trusted")
    UNTRUSTED = "untrusted", _("signatures intact, issuer of a certificate not trusted")


class SignedCopy(models.Model):
    """SignedCopy (Ausfertigung): the signed contract as it came in, byte for byte, and what was found of it."""

    database_rights = APPEND_ONLY

    id = models.UUIDField(primary_key=True, editable=False)
    final = models.ForeignKey(FinalContract, on_delete=models.PROTECT, related_name="copies")
    party = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    kind = models.CharField(max_length=10, choices=CopyKind.choices)
    trust = models.CharField(max_length=12, choices=Trust.choices)
    file_sha256 = models.CharField(max_length=64, validators=[SHA256])
    filename = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField()
    signatories: "models.JSONField[list[dict[str, str]], list[dict[str, str]]]" = models.JSONField()
    findings: "models.JSONField[list[dict[str, Any]], list[dict[str, Any]]]" = models.JSONField(
        default=list, blank=True
    )
    actor_id = models.UUIDField(null=True, blank=True)
    actor_name = models.CharField(max_length=200)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["final", "file_sha256"], name="membership_copy_once"),
            models.CheckConstraint(
                condition=Q(kind=CopyKind.SCANNED, trust=Trust.NOT_CHECKED)
                | (Q(kind=CopyKind.ELECTRONIC) & ~Q(trust=Trust.NOT_CHECKED)),
                name="membership_copy_trust",
            ),
        ]

    def __str__(self) -> str:
        return self.filename


class TrustAnchor(models.Model):
    """TrustAnchor (Vertrauensanker): a certificate to which signatures in contracts may lead."""

    id = models.UUIDField(primary_key=True, editable=False)
    name = models.CharField(max_length=300)
    pem = models.TextField()
    fingerprint = models.CharField(max_length=64, unique=True, validators=[SHA256])  # SHA-256 of the certificate
    source = models.CharField(max_length=300)
    not_after = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    recorded_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
