"""Codes that people copy by hand: 25 signs of an alphabet without look-alikes, in groups of five (125 bits).

A code is derived from the id of what it opens and the installation's secret, so that a second click on "send" can be
answered with the same code although only its digest is stored.
"""

import hashlib
import re
from uuid import UUID

from django.utils.crypto import salted_hmac

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
_LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1"})
_SIGNS = 25


def code_for(purpose: str, of: UUID) -> str:
    """The code that opens `of`, e.g. `7Q2MK-P0X4D-9RTVW-3AHZB-E5C8N`; `purpose` keeps kinds of codes apart."""
    number = int.from_bytes(salted_hmac(f"verbund.citizenservices.{purpose}", str(of), algorithm="sha256").digest())
    signs = []
    for _ in range(_SIGNS):
        number, rest = divmod(number, 32)
        signs.append(_ALPHABET[rest])
    return "-".join("".join(signs[at : at + 5]) for at in range(0, _SIGNS, 5))


def digest_of(code: str) -> str:
    """What is stored of a code: SHA-256 of its signs, however they were typed (case, spaces, hyphens, O for 0, I or L
    for 1).

    125 random bits need no salt and no slow hash: there is nothing to guess.
    """
    signs = re.sub(r"[\s\-–—._]", "", code).upper().translate(_LOOKALIKES)
    return hashlib.sha256(b"verbund.code:" + signs[:100].encode()).hexdigest()


def looks_like_code(text: str) -> bool:
    """Whether the text could be a code at all; saves a look-up, never decides."""
    signs = re.sub(r"[\s\-–—._]", "", text).upper().translate(_LOOKALIKES)
    return len(signs) == _SIGNS and all(sign in _ALPHABET for sign in signs)
