"""Codes that people copy by hand: 28 signs of an alphabet without look-alikes, in groups of four (140 bits).

A code is derived from the id of what it opens and the installation's secret, so that a second click on "send" can be
answered with the same code although only its digest is stored. Codes given out before had 25 signs in groups of five;
they open what they opened.
"""

import hashlib
import re
from uuid import UUID

from django.utils.crypto import salted_hmac

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
_LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1"})
_SIGNS, _GROUP = 28, 4
_EARLIER = (25, 5)


def code_for(purpose: str, of: UUID, *, stored: str = "") -> str:
    """The code that opens `of`, e.g. `7Q2M-KP0X-4D9R-TVW3-AHZB-E5C8-NK4T`; `purpose` keeps kinds of codes apart.

    `stored` is the digest that is kept of it: a code given out in the earlier form comes in that form again.
    """
    code = _code(purpose, of, _SIGNS, _GROUP)
    if stored and stored != digest_of(code) and stored == digest_of(earlier := _code(purpose, of, *_EARLIER)):
        return earlier
    return code


def _code(purpose: str, of: UUID, length: int, group: int) -> str:
    number = int.from_bytes(salted_hmac(f"verbund.citizenservices.{purpose}", str(of), algorithm="sha256").digest())
    signs = []
    for _ in range(length):
        number, rest = divmod(number, 32)
        signs.append(_ALPHABET[rest])
    return "-".join("".join(signs[at : at + group]) for at in range(0, length, group))


def digest_of(code: str) -> str:
    """What is stored of a code: SHA-256 of its signs, however they were typed (case, spaces, hyphens, O for 0, I or L
    for 1).

    140 random bits need no salt and no slow hash: there is nothing to guess.
    """
    signs = re.sub(r"[\s\-–—._]", "", code).upper().translate(_LOOKALIKES)
    return hashlib.sha256(b"verbund.code:" + signs[:100].encode()).hexdigest()


def looks_like_code(text: str) -> bool:
    """Whether the text could be a code at all; saves a look-up, never decides."""
    signs = re.sub(r"[\s\-–—._]", "", text).upper().translate(_LOOKALIKES)
    return len(signs) in (_SIGNS, _EARLIER[0]) and all(sign in _ALPHABET for sign in signs)
