"""The part of identity that belongs to one body alone, in that body's own schema.

Sessions lie here and not in `public`: a cookie made on one body's host finds nothing in another body's schema, and no
body's role can read another body's sessions, whatever the application does.
"""

from datetime import date
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q


class OrgUnit(models.Model):
    """Organisational unit (Organisationseinheit): a department, office or team of the body."""

    code = models.CharField(primary_key=True, max_length=40)
    name = models.CharField(max_length=200)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=~Q(code=""), name="identity_unit_has_code"),
            models.CheckConstraint(condition=~Q(code=F("parent")), name="identity_unit_not_own_parent"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Absence(models.Model):
    """Absence with substitute (Abwesenheit mit Vertretung): both dates are legal dates and belong to the absence."""

    id = models.UUIDField(primary_key=True)
    person = models.UUIDField()
    substitute = models.UUIDField()
    absent_from = models.DateField()
    absent_until = models.DateField()
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(absent_until__gte=F("absent_from")), name="identity_absence_order"),
            models.CheckConstraint(condition=~Q(person=F("substitute")), name="identity_absence_other_person"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["substitute", "absent_until"], name="identity_absence_substitute"),
            models.Index(fields=["person", "absent_until"], name="identity_absence_person"),
        ]

    def __str__(self) -> str:
        return f"{self.absent_from} - {self.absent_until}"

    def covers(self, day: date) -> bool:
        return self.absent_from <= day <= self.absent_until


class CitizenAccount(models.Model):
    """Citizen's account (Bürgerkonto): the body's own account of somebody who files applications with it."""

    class State(models.TextChoices):
        UNVERIFIED = "unverified"
        ACTIVE = "active"
        DELETION_REQUESTED = "deletion_requested"
        CLOSED = "closed"

    class TrustLevel(models.TextChoices):
        """Assurance level (Vertrauensniveau), Regulation (EU) 910/2014 art. 8; NONE for a password of our own."""

        NONE = "none"
        BASIC = "basic"
        SUBSTANTIAL = "substantial"
        HIGH = "high"

    id = models.UUIDField(primary_key=True)
    email = models.EmailField(max_length=254, blank=True, default="")
    name = models.CharField(max_length=200)
    password = models.CharField(max_length=200, blank=True, default="")
    state = models.CharField(max_length=20, choices=State.choices, default=State.UNVERIFIED)
    oidc_issuer = models.CharField(max_length=300, blank=True, default="")
    oidc_subject = models.CharField(max_length=255, blank=True, default="")
    trust_level = models.CharField(max_length=12, choices=TrustLevel.choices, default=TrustLevel.NONE)
    session_epoch = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    last_sign_in_at = models.DateTimeField(null=True, blank=True)
    delete_after = models.DateField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["email"], condition=~Q(email=""), name="identity_citizen_email_once"),
            models.UniqueConstraint(
                fields=["oidc_issuer", "oidc_subject"], condition=~Q(oidc_subject=""), name="identity_citizen_oidc_once"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["delete_after"], condition=Q(delete_after__isnull=False), name="identity_citizen_deletion"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def may_sign_in(self) -> bool:
        return self.state in (self.State.ACTIVE, self.State.DELETION_REQUESTED)


class Token(models.Model):
    """One-time link (Einmal-Link): stored as a digest, so that reading the table does not let anybody in."""

    class Kind(models.TextChoices):
        INVITATION = "invitation"
        STAFF_PASSWORD = "staff_password"  # noqa: S105 - names a kind of link
        CITIZEN_EMAIL = "citizen_email"
        CITIZEN_PASSWORD = "citizen_password"  # noqa: S105 - names a kind of link

    id = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    subject = models.UUIDField()
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["subject", "kind"], name="identity_token_subject"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Session(models.Model):
    """Session (Sitzung): `key` is the SHA-256 of the cookie's value; `subject` is empty for a guest."""

    class Kind(models.TextChoices):
        GUEST = "guest"
        STAFF = "staff"
        CITIZEN = "citizen"

    id = models.UUIDField(primary_key=True)
    key = models.CharField(max_length=64, unique=True)
    data = models.TextField()
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.GUEST)
    subject = models.UUIDField(null=True, blank=True)
    address = models.CharField(max_length=45, blank=True, default="")
    user_agent = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["subject", "kind"], name="identity_session_subject"),
            models.Index(fields=["expires_at"], name="identity_session_expiry"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Attempts(models.Model):
    """Counter of attempts (Versuchszähler): per scope and key (digest of an account or an address)."""

    id = models.BigAutoField(primary_key=True)
    scope = models.CharField(max_length=40)
    key = models.CharField(max_length=64)
    count = models.PositiveIntegerField()
    window_from = models.DateTimeField()
    blocked_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["scope", "key"], name="identity_attempts_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["window_from"], name="identity_attempts_window"),
        ]

    def __str__(self) -> str:
        return self.scope


class ApiKey(models.Model):
    """Key of a machine (API-Schlüssel): another system of the body signs in with it; stored as a keyed digest.

    `lookup` is the part of the key that finds the row; `roles` and `units` are what an assignment gives a person.
    """

    id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=100)
    lookup = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64)
    roles = ArrayField(models.CharField(max_length=40))
    units = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    may_write = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    created_by = models.UUIDField(null=True, blank=True)
    created_name = models.CharField(max_length=200)
    expires_at = models.DateTimeField()
    last_used_on = models.DateField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="identity_api_key_order"),
            models.CheckConstraint(condition=~Q(roles=[]), name="identity_api_key_has_role"),
        ]

    def __str__(self) -> str:
        return self.name


class ApiAnswer(models.Model):
    """Kept answer (gemerkte Antwort): what a machine was told when it sent something, so that the same
    idempotency key gets the same answer and nothing is done twice. Deleted after a week.
    """

    id = models.UUIDField(primary_key=True)
    api_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="answers")
    idempotency_key = models.CharField(max_length=100)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    content = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["api_key", "idempotency_key"], name="identity_api_answer_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["created_at"], name="identity_api_answer_age"),
        ]

    def __str__(self) -> str:
        return self.idempotency_key
