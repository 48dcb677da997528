"""Second factors of staff: authenticator app, passkeys, recovery codes."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from fido2.server import Fido2Server
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from verbund.platform.tenancy import Conflict, new_id

from . import seal, totp
from .models import Person, RecoveryCode, SecondFactor

log = structlog.get_logger("verbund.sign_in")

RECOVERY_CODES = 10
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no letters that are mistaken for digits


class WrongFactor(Exception):  # noqa: N818 - reads as the answer
    """The second factor was not proved."""


def usable(person_id: UUID, *, host: str) -> list[SecondFactor]:
    """The factors of a person that can be used on this host: a passkey belongs to the host it was made on."""
    domain = passkey_domain(host)
    found = SecondFactor.objects.filter(person_id=person_id).order_by("created_at")
    return [f for f in found if f.kind == SecondFactor.Kind.TOTP or f.host == domain]


def has_any(person_id: UUID) -> bool:
    """Whether the person has set up any factor, here or elsewhere."""
    return SecondFactor.objects.filter(person_id=person_id).exists()


# -- authenticator app


def add_totp(person: Person, *, key: bytes, code: str, name: str, now: datetime) -> SecondFactor:
    """Set up the app after its first code was entered; an app already there is replaced.

    Raises:
        WrongFactor: the code does not belong to the key.
    """
    step = totp.matching_step(key, code, now=now, after=0)
    if step is None:
        raise WrongFactor
    with transaction.atomic():
        SecondFactor.objects.filter(person=person, kind=SecondFactor.Kind.TOTP).delete()
        return SecondFactor.objects.create(
            id=new_id(),
            person=person,
            kind=SecondFactor.Kind.TOTP,
            name=name,
            secret=seal.close(key),
            last_step=step,
            created_at=now,
            last_used_at=now,
        )


def prove_totp(person_id: UUID, code: str, *, now: datetime) -> None:
    """Check a code of the person's app; each code counts once.

    Raises:
        WrongFactor: wrong, too old or already used.
    """
    with transaction.atomic():
        row = SecondFactor.objects.select_for_update().filter(person_id=person_id, kind=SecondFactor.Kind.TOTP).first()
        if row is None:
            raise WrongFactor
        try:
            key = seal.open_(bytes(row.secret))
        except seal.Unsealable:
            log.error(
                "app cannot be opened: SECRET_KEY was changed without SECRET_KEY_FALLBACKS", person=str(person_id)
            )
            raise WrongFactor from None
        step = totp.matching_step(key, code, now=now, after=row.last_step)
        if step is None:
            raise WrongFactor
        row.last_step, row.last_used_at = step, now
        row.save(update_fields=["last_step", "last_used_at"])


# -- recovery codes


def renew_recovery_codes(person: Person) -> list[str]:
    """Make ten new codes of 118 bits, the old ones end; the codes are shown once and stored as keyed digests only."""
    codes = [
        "-".join("".join(secrets.choice(_ALPHABET) for _ in range(6)) for _ in range(4)) for _ in range(RECOVERY_CODES)
    ]
    with transaction.atomic():
        RecoveryCode.objects.filter(person=person).delete()
        RecoveryCode.objects.bulk_create(
            [RecoveryCode(id=new_id(), person=person, digest=_code_digests(person.id, code)[0]) for code in codes]
        )
    return codes


def recovery_codes_left(person_id: UUID) -> int:
    """How many codes have not been used."""
    return RecoveryCode.objects.filter(person_id=person_id, used_at=None).count()


def prove_recovery_code(person_id: UUID, code: str, *, now: datetime) -> None:
    """Use up one recovery code.

    Raises:
        WrongFactor: unknown or used.
    """
    digests = _code_digests(person_id, code)
    used = RecoveryCode.objects.filter(person_id=person_id, digest__in=digests, used_at=None).update(used_at=now)
    if not used:
        raise WrongFactor


def _code_digests(person_id: UUID, code: str) -> list[str]:
    """The digest under the present secret of the installation, then those under its fallbacks."""
    plain = "".join(c for c in code.lower() if c.isalnum())
    return seal.digests(b"verbund.identity.recovery", f"{person_id}:{plain}".encode())


# -- passkeys


def passkey_domain(host: str) -> str:
    """The relying party id for a request's host: the common domain of the installation, or the host itself."""
    name = host.rsplit(":", 1)[0].lower() if not host.endswith("]") else host.lower()
    common = str(getattr(settings, "VERBUND_PASSKEY_DOMAIN", "")).lower()
    if common and (name == common or name.endswith("." + common)):
        return common
    return name


def begin_passkey(person: Person, *, host: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Options for the browser and the state to keep in the session, for adding a passkey."""
    known = [_credential(f) for f in usable(person.id, host=host) if f.kind == SecondFactor.Kind.PASSKEY]
    options, state = _server(host).register_begin(
        PublicKeyCredentialUserEntity(id=person.id.bytes, name=person.email, display_name=person.display_name),
        credentials=known,
        resident_key_requirement=ResidentKeyRequirement.DISCOURAGED,
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    return dict(options)["publicKey"], dict(state)


def add_passkey(
    person: Person, *, host: str, state: Mapping[str, Any], response: Mapping[str, Any], name: str, now: datetime
) -> SecondFactor:
    """Store the passkey the browser has made.

    Raises:
        WrongFactor: the response does not belong to the challenge, the host or the person.
        Conflict: the passkey is already stored.
    """
    try:
        data = _server(host).register_complete(dict(state), dict(response))
    except (ValueError, KeyError, TypeError) as error:
        raise WrongFactor from error
    credential = data.credential_data
    if credential is None:
        raise WrongFactor
    label = websafe_encode(credential.credential_id)
    if SecondFactor.objects.filter(credential_id=label).exists():
        raise Conflict("")
    return SecondFactor.objects.create(
        id=new_id(),
        person=person,
        kind=SecondFactor.Kind.PASSKEY,
        name=name,
        secret=bytes(credential),
        credential_id=label,
        host=passkey_domain(host),
        last_step=data.counter,
        created_at=now,
        last_used_at=now,
    )


def begin_proof(person_id: UUID, *, host: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Options for the browser and the state to keep in the session, for signing in with a passkey."""
    known = [_credential(f) for f in usable(person_id, host=host) if f.kind == SecondFactor.Kind.PASSKEY]
    options, state = _server(host).authenticate_begin(known, user_verification=UserVerificationRequirement.PREFERRED)
    return dict(options)["publicKey"], dict(state)


def prove_passkey(
    person_id: UUID, *, host: str, state: Mapping[str, Any], response: Mapping[str, Any], now: datetime
) -> None:
    """Check the passkey's answer to the challenge.

    Raises:
        WrongFactor: wrong signature, challenge, host, or a signature counter that went backwards (a cloned key).
    """
    with transaction.atomic():
        rows = list(
            SecondFactor.objects.select_for_update().filter(
                person_id=person_id, kind=SecondFactor.Kind.PASSKEY, host=passkey_domain(host)
            )
        )
        try:
            answer = AuthenticationResponse.from_dict(dict(response))
            if answer is None:
                raise WrongFactor
            credential = _server(host).authenticate_complete(dict(state), [_credential(f) for f in rows], answer)
        except (ValueError, KeyError, TypeError) as error:
            raise WrongFactor from error
        row = next(f for f in rows if websafe_decode(f.credential_id) == credential.credential_id)
        counter = answer.response.authenticator_data.counter
        if counter and counter <= row.last_step:
            raise WrongFactor
        row.last_step, row.last_used_at = counter, now
        row.save(update_fields=["last_step", "last_used_at"])


def _credential(factor: SecondFactor) -> AttestedCredentialData:
    return AttestedCredentialData(bytes(factor.secret))


def _server(host: str) -> Fido2Server:
    domain = passkey_domain(host)

    def ours(origin: str) -> bool:
        parts = urlsplit(origin)
        local = domain == "localhost" or domain.endswith(".localhost")
        if parts.scheme != "https" and not (local and parts.scheme == "http"):
            return False
        name = (parts.hostname or "").lower()
        return name == domain or name.endswith("." + domain)

    return Fido2Server(PublicKeyCredentialRpEntity(id=domain, name="Verbund"), verify_origin=ours)
