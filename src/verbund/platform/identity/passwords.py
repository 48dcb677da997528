"""Passwords: Argon2id, at least twelve characters of any kind, none of the well-known ones and none made of words that
anybody here would try first (BSI ORP.4.A22, NIST SP 800-63B §5.1.1.2). Which words: docs/security/passwords.md.
"""

import gzip
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

from django.contrib.auth import hashers, password_validation
from django.utils.translation import gettext as _

LEAST = 12
MOST = 256
_HOUSE: Final = """
    admin administrator amt amtsverwaltung anmeldung behoerde beitritt buero buerger buergeramt buergerbuero
    buergerin buergermeister buergermeisterin digital dienst dienste ewo gast gemeinde haushalt hund hundesteuer it
    kaemmerei kaemmerer kaemmerin kasse kommunal kommunalverwaltung kommune konto kreis kreisverwaltung landkreis login
    mitarbeiter mitarbeiterin neu ordnungsamt ozg passwort password portal rathaus service sommer sozialamt stadt
    stadtkasse stadtverwaltung start system team test verband verbund verwaltung vorgang welcome willkommen winter
    fruehling herbst januar februar maerz april mai juni juli august september oktober november dezember
"""
HOUSE_WORDS: Final = frozenset(_HOUSE.split())
_ROWS: Final = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertzuiop",
    "qwertyuiop",
    "asdfghjkl",
    "yxcvbnm",
    "zxcvbnm",
)
_LETTERS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_REST: Final = 4  # so many letters and digits have to be left, once the words to be expected are taken out


def problem(password: str, *, about: Iterable[str] = ()) -> str:
    """Why `password` cannot be taken, in words that say what to do; empty if it can.

    Every composition is fine: what counts is how soon it would be guessed. `about` are texts a guesser would try first:
    name, e-mail address, name and place of the body.
    """
    if len(password) < LEAST:
        return _("The password is too short. Choose at least %(n)d characters.") % {"n": LEAST}
    if len(password) > MOST:
        return _("The password is too long. Choose at most %(n)d characters.") % {"n": MOST}
    plain = password.casefold()
    bare = plain.strip("0123456789!?.,;:-_+*#$&@ ")
    if not {plain, bare, bare[: len(bare) // 2] if bare[: len(bare) // 2] * 2 == bare else bare}.isdisjoint(_common()):
        return _("This password is on the list of the most common ones. Choose another one.")
    if _repeats(plain) or _runs(plain):
        return _(
            "The password repeats itself or follows a row of keys. Choose several words that do not belong together."
        )
    for text in about:
        whole = text.casefold()
        parts = whole.replace("@", " ").replace(".", " ").replace("-", " ").split()
        if plain in whole or any(len(p) >= 4 and p in plain and len(p) * 2 >= len(plain) for p in [whole, *parts]):
            return _("The password is too similar to your name or e-mail address. Choose another one.")
    if _made_of(plain, about):
        return _("The password is made of words that anybody here would try first. Choose others.")
    return ""


def _repeats(plain: str) -> bool:
    """Whether it is a short piece over and over: "aaaaaaaaaaaa", "abcabcabcabc"."""
    return any((plain[:length] * (len(plain) // length + 1))[: len(plain)] == plain for length in range(1, 5))


def _runs(plain: str) -> bool:
    """Whether nearly all of it follows the alphabet, the digits or a row of keys, forwards or backwards."""
    pairs = {row[at : at + 2] for text in _ROWS for row in (text, text[::-1]) for at in range(len(text) - 1)}
    follows = sum(plain[at : at + 2] in pairs for at in range(len(plain) - 1))
    return follows * 4 >= (len(plain) - 1) * 3


def _made_of(plain: str, about: Iterable[str]) -> bool:
    """Whether hardly anything is left once years and the words of house, body and person are taken out."""
    told = {word for text in about for word in re.split(r"[\W_]+", text.casefold().translate(_LETTERS))}
    words = sorted(HOUSE_WORDS | {word for word in told if len(word) >= 3}, key=len, reverse=True)
    left = re.sub(r"(19|20)\d\d", "", plain.translate(_LETTERS))
    for word in words:
        left = left.replace(word, "")
    taken = len(plain.translate(_LETTERS)) - len(left)
    return taken >= _REST > len(re.sub(r"[\W_]", "", left))


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
