"""Passwords: Argon2id, at least twelve characters, none of the well-known ones (BSI ORP.4.A22,
NIST SP 800-63B §5.1.1.2).
"""

import gzip
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from django.contrib.auth import hashers, password_validation
from django.utils.translation import gettext as _

LEAST = 12
MOST = 256


def problem(password: str, *, about: Iterable[str] = ()) -> str:
    """Why `password` cannot be taken, in words that say what to do; empty if it can.

    `about` are texts a guesser would try first: name, e-mail address, name of the body.
    """
    if len(password) < LEAST:
        return _("The password is too short. Choose at least %(n)d characters.") % {"n": LEAST}
    if len(password) > MOST:
        return _("The password is too long. Choose at most %(n)d characters.") % {"n": MOST}
    if password.isdigit():
        return _("The password consists of digits only. Mix in letters or whole words.")
    if len(set(password)) < 5:
        return _("The password repeats the same few characters. Choose several words that do not belong together.")
    plain = password.casefold()
    bare = plain.strip("0123456789!?.,;:-_+*#$&@ ")
    if not {plain, bare, bare[: len(bare) // 2] if bare[: len(bare) // 2] * 2 == bare else bare}.isdisjoint(_common()):
        return _("This password is on the list of the most common ones. Choose another one.")
    for text in about:
        whole = text.casefold()
        parts = whole.replace("@", " ").replace(".", " ").replace("-", " ").split()
        if plain in whole or any(len(p) >= 4 and p in plain and len(p) * 2 >= len(plain) for p in [whole, *parts]):
            return _("The password is too similar to your name or e-mail address. Choose another one.")
    return ""


def make(password: str) -> str:
    """The Argon2id hash of the NFC form of `password`."""
    return hashers.make_password(_nfc(password))


def matches(password: str, stored: str) -> bool:
    """Whether `password` belongs to the hash; takes as long when there is none,
    so that accounts cannot be guessed by time.
    """
    if not stored or not hashers.is_password_usable(stored):
        hashers.make_password(_nfc(password))
        return False
    return hashers.check_password(_nfc(password), stored)


def _nfc(password: str) -> str:
    return unicodedata.normalize("NFC", password)


@cache
def _common() -> frozenset[str]:
    """The twenty thousand most common passwords, as Django ships them."""
    path = Path(password_validation.__file__).parent / "common-passwords.txt.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return frozenset(line.strip() for line in file)
