"""Payment references (Kassenzeichen): 14 digits, two of them a check number (ISO 7064, MOD 97-10).

`LL` number of the ledger, ten random digits (no counting up, so nobody can guess a neighbour's), `CC` check digits.
The check finds every single wrong digit and every swap of two neighbours. Written for people in groups:
`0148.2093.7756.19`.
"""

import re
import secrets
from collections.abc import Callable

LENGTH = 14
_SEPARATORS = re.compile(r"(?<=\d)[\s./\-+:_,'’]+(?=\d)")
_DIGITS = re.compile(r"\d{14,}")


def check_digits(body: str) -> str:
    """The two check digits for twelve digits."""
    return f"{98 - int(body) * 100 % 97:02d}"


def is_valid(reference: str) -> bool:
    """Whether `reference` is 14 digits with a right check number."""
    return len(reference) == LENGTH and reference.isascii() and reference.isdigit() and int(reference) % 97 == 1


def make(ledger_number: int, draw: Callable[[int], int] = secrets.randbelow) -> str:
    """A new reference for the ledger with this number (1 to 99)."""
    body = f"{ledger_number:02d}{draw(10**10):010d}"
    return body + check_digits(body)


def grouped(reference: str) -> str:
    """The reference as it is printed."""
    return ".".join(reference[i : i + 4] for i in range(0, len(reference), 4))


def found_in(text: str) -> list[str]:
    """Every valid reference a payer's text can be read to contain, in order, each once.

    Blanks, line breaks and punctuation between digits are ignored, for payers group digits as they like and banks
    break lines anywhere; runs of digits that are too long are read at every position.
    """
    found: dict[str, None] = {}
    for candidate in (text, _SEPARATORS.sub("", text)):
        for run in _DIGITS.findall(candidate):
            for start in range(len(run) - LENGTH + 1):
                window = run[start : start + LENGTH]
                if is_valid(window):
                    found.setdefault(window)
    return list(found)
