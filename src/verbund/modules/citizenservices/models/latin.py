"""DIN 91379 (Zeichensatz für Namen): which characters an answer may hold.

The norm names single characters and sequences of a letter with combining marks; everything is in Unicode NFC. The
tables below are the published facts of DIN 91379:2022-08 (edition 1.3 of the list), written as code point ranges.
"""

import re
import unicodedata
from enum import StrEnum
from functools import cache


class Repertoire(StrEnum):
    """Datatypes of the norm: LATIN is datatype C (Latin letters, all non-letters), TEXT is E with the marks of running
    text.
    """

    LATIN = "latin"
    TEXT = "text"


_LETTERS = (
    "0041-005A 0061-007A 00C0-00D6 00D8-00F6 00F8-017E 0187-0188 018F 0197 01A0-01A1 01AF-01B0 01B7 01CD-01DC "
    "01DE-01DF 01E2-01F0 01F4-01F5 01F8-01FF 0212-0213 0218-021B 021E-021F 0227-0233 0259 0268 0292 1E02-1E03 "
    "1E06-1E07 1E0A-1E11 1E17 1E1C-1E2B 1E2F-1E37 1E3A-1E3B 1E40-1E49 1E52-1E5B 1E5E-1E63 1E6A-1E6F 1E80-1E87 "
    "1E8C-1E97 1E9E 1EA0-1EF9"
)
_NON_LETTERS_REQUIRED = "0020 0027 002C-002E 0060 007E 00A8 00B4 00B7 02B9-02BA 02BE-02BF 02C8 02CC 2019 2021"
_NON_LETTERS = (
    "0021-0026 0028-002B 002F-0040 005B-005F 007B-007D 00A1-00A3 00A5 00A7 00A9-00AC 00AE-00B3 00B5-00B6 "
    "00B9-00BB 00BF 00D7 00F7 20AC"
)
_NON_LETTERS_OPTIONAL = "00A4 00A6 00B8 00BC-00BE"
_SPACES = "0009-000A 000D 00A0"
_GREEK = "0386 0388-038A 038C 038E-03A1 03A3-03CE"
_CYRILLIC = "040D 0410-042A 042C 042E-044A 044C 044E-044F 045D"
_NON_LETTERS_EXTENDED = (
    "0192 02B0 02B3 02C6 02DC 02E2 1D48 1D57 2018 201A 201C-201E 2020 2026 2030 2032-2033 2039-203A 2070 2074-2079 "
    "207F-2089 2122 221E 2264-2265"
)
_RUNNING_TEXT = "2013-2014 2022"  # dashes and the bullet: outside the norm, usual in any letter

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

# combining mark(s) -> the letters that may stand before them
_SEQUENCES = {
    "\u0300": "CFGKMPSTZcfgkmpstz",
    "\u0301": "JjÿĪī",
    "\u0302": "DKLMNdklmn",
    "\u0304": "CFHKNPSTZcfhknpstzÛûḲḳṢṣṬṭỤụ",
    "\u0306": "CMNRZcmnrzÇç",
    "\u0307": "KUku",
    "\u0308": "CTZczẠạỌọỤụ",
    "\u030b": "Aa",
    "\u030c": "J",
    "\u030d": "ēō",
    "\u0310": "Mm",
    "\u0315": "CKPTckptČč",
    "\u031b": "KTkt",
    "\u031b\u0304": "Ss",
    "\u0323": "CPcpČč",
    "\u0325": "LRlr",
    "\u0325\u0304": "LRlr",
    "\u0326": "CHKLNchklnŽž",
    "\u0327": "ZzŽž",
    "\u0328\u0306": "Cc",
    "\u0331": "HSs",
    "\u035fH": "K",
    "\u035fh": "Kk",
}


def _points(*tables: str) -> frozenset[str]:
    found: set[str] = set()
    for table in tables:
        for part in table.split():
            first, _, last = part.partition("-")
            found.update(chr(point) for point in range(int(first, 16), int(last or first, 16) + 1))
    return frozenset(found)


@cache
def _characters(repertoire: Repertoire) -> frozenset[str]:
    latin = (_LETTERS, _NON_LETTERS_REQUIRED, _NON_LETTERS, _NON_LETTERS_OPTIONAL, _SPACES)
    if repertoire is Repertoire.LATIN:
        return _points(*latin)
    return _points(*latin, _GREEK, _CYRILLIC, _NON_LETTERS_EXTENDED, _RUNNING_TEXT)


@cache
def _sequences() -> frozenset[str]:
    return frozenset(base + marks for marks, bases in _SEQUENCES.items() for base in bases)


def normalised(text: str) -> str:
    """NFC with Unix line ends: the one form in which texts are kept and compared.

    What no database can hold (NUL, halves of surrogate pairs) becomes U+FFFD, which `refused_character` then names.
    """
    text = _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n").replace("\r", "\n"))
    return unicodedata.normalize("NFC", text)


def refused_character(text: str, repertoire: Repertoire = Repertoire.TEXT) -> str | None:
    """The first character (or sequence) that the repertoire does not hold, or None if all of the text is fine.

    A text that is not NFC is judged as it stands: its combining marks are refused unless the norm lists the sequence.
    """
    allowed = _characters(repertoire)
    if allowed.issuperset(text):
        return None
    position, length = 0, len(text)
    while position < length:
        step = next((n for n in (3, 2) if text[position : position + n] in _sequences()), 0)
        if step:
            position += step
        elif text[position] in allowed:
            position += 1
        else:
            if unicodedata.combining(text[position]) and position:
                return text[position - 1 : position + 1]
            return text[position]
    return None


def described(character: str) -> str:
    """How a message names a character that may be invisible or missing in the font: `😀 (U+1F600)`."""
    points = " ".join(f"U+{ord(c):04X}" for c in character)
    shown = character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"
    return f"{shown} ({points})"
