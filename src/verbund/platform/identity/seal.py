"""Sealing of secrets that must be read again (TOTP keys): Fernet under a key derived from SECRET_KEY by HKDF-SHA256.

SECRET_KEY_FALLBACKS open what an older key has sealed.
"""

import base64
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class Unsealable(Exception):  # noqa: N818 - reads as the answer
    """The secret was sealed under a key this installation no longer has."""


def close(secret: bytes) -> bytes:
    """Seal `secret`."""
    return _box().encrypt(secret)


def open_(sealed: bytes) -> bytes:
    """The secret behind `sealed`.

    Raises:
        Unsealable: when no present key fits.
    """
    try:
        return _box().decrypt(bytes(sealed))
    except InvalidToken as error:
        raise Unsealable from error


def digests(purpose: bytes, value: bytes) -> list[str]:
    """HMAC-SHA256 (hex) of a value under each secret of the installation, the present one first: worth nothing to
    whoever has only the database.
    """
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [hmac.new(_derived(key, purpose), value, "sha256").hexdigest() for key in keys]


def _box() -> MultiFernet:
    return MultiFernet([Fernet(_key(k)) for k in [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]])


def _derived(secret_key: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret_key.encode())


def _key(secret_key: str) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"verbund.identity.seal").derive(secret_key.encode())
    return base64.urlsafe_b64encode(derived)
