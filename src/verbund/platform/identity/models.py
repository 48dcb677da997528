"""People of the alliance and its bodies, and their assignments. These tables lie in the shared schema `public`.

Row level security (migration 0002) lets a body's role see only the people who work, worked or will work for that body.
"""

import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.db.models import F, Q

from verbund.platform.tenancy.models import Body


def normal_email(value: str) -> str:
    """The form in which an e-mail address is stored and compared: NFC, no surrounding blanks, lower case."""
    return unicodedata.normalize("NFC", value).strip().lower()


def normal_name(value: str) -> str:
    """The form in which a name is stored: NFC, without control characters, single blanks."""
    kept = "".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", value))
    return " ".join(kept.split())


class Person(AbstractBaseUser):
    """Person (Beschäftigte Person): somebody who works for one or several bodies, with the means to sign in.

    The home body (Stammdienststelle) is the one that enlisted the person; only its administration may reset the means.
    """

    id = models.UUIDField(primary_key=True)
    email = models.EmailField(max_length=254, unique=True)
    display_name = models.CharField(max_length=200)
    home_body = models.ForeignKey(Body, on_delete=models.PROTECT, related_name="+")
    is_active = models.BooleanField(default=True)
    oidc_issuer = models.CharField(max_length=300, blank=True, default="")
    oidc_subject = models.CharField(max_length=255, blank=True, default="")
    session_epoch = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()

    USERNAME_FIELD: ClassVar[str] = "email"
    EMAIL_FIELD: ClassVar[str] = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["display_name"]

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["oidc_issuer", "oidc_subject"], condition=~Q(oidc_subject=""), name="identity_person_oidc_once"
            ),
            models.CheckConstraint(condition=~Q(email=""), name="identity_person_has_email"),
        ]

    def __str__(self) -> str:
        return self.display_name

    def save(
        self,
        *,
        force_insert: bool | tuple[models.base.ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        self.email = normal_email(self.email)
        super().save(force_insert=force_insert, force_update=force_update, using=using, update_fields=update_fields)


class Assignment(models.Model):
    """Assignment (Zuweisung): a person holds a role in an organisational unit of a body from a moment until another.

    `unit` is the code of an OrgUnit in the body's own schema; empty means the whole body. The interval is half open.
    """

    id = models.UUIDField(primary_key=True)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="assignments")
    body = models.ForeignKey(Body, on_delete=models.PROTECT, related_name="+")
    unit = models.CharField(max_length=40, blank=True, default="")
    role = models.CharField(max_length=40)
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from")),
                name="identity_assignment_order",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["body", "person"], name="identity_assignment_body"),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.unit}".strip()

    def is_valid_at(self, now: datetime) -> bool:
        return self.valid_from <= now and (self.valid_until is None or now < self.valid_until)


class SecondFactor(models.Model):
    """Second factor (Zweiter Faktor): an authenticator app (TOTP, RFC 6238) or a passkey (WebAuthn Level 2)."""

    class Kind(models.TextChoices):
        TOTP = "totp"
        PASSKEY = "passkey"

    id = models.UUIDField(primary_key=True)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="factors")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(max_length=100)
    secret = models.BinaryField()  # TOTP: sealed key; passkey: attested credential data (public)
    credential_id = models.CharField(max_length=1400, blank=True, default="")  # base64url, passkeys only
    host = models.CharField(max_length=253, blank=True, default="")  # relying party id, passkeys only
    last_step = models.BigIntegerField(default=0)  # TOTP: newest time step used; passkey: signature counter
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["credential_id"], condition=~Q(credential_id=""), name="identity_credential_once"
            ),
            models.UniqueConstraint(fields=["person"], condition=Q(kind="totp"), name="identity_one_totp"),
        ]

    def __str__(self) -> str:
        return self.name


class RecoveryCode(models.Model):
    """Recovery code (Wiederherstellungscode): signs in once when the second factor is lost; stored as a digest."""

    id = models.UUIDField(primary_key=True)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["person", "digest"], name="identity_recovery_once"),
        ]

    def __str__(self) -> str:
        return str(self.id)
