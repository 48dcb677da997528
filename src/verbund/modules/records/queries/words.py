"""The words of a German text as search terms: one spelling, and the constituents of compounds.

PostgreSQL's own German configuration stems, but it splits no compounds, and the dictionaries that would are files on
the server that
nobody may put there on a database of somebody else. So compounds are split here, in two steps:

1. A word is cut into constituents of the room's lexicon (`lexicon.txt`), with linking letters (Gebühr-en-bescheid)
and a lost final e
   (Schul-amt); what the lexicon does not know may stand between them (Parchim-strasse) at a price. The cheapest cut
   wins.
2. A long word in which the lexicon finds nothing is cut by hyphenation, and only its beginnings and ends become terms.

Terms of constituents begin with `~`, so that they never meet the stems of whole words. Neighbouring constituents are
kept as runs ("~stadt+vertretung"), so that a compound is found inside a longer one.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

import pyphen

MIN_COMPOUND = 7  # letters; shorter words hold no two constituents worth searching for
MAX_WORD = 60  # longer runs of letters are no words
MAX_TERMS = 40_000  # of one document: some 300 pages of ever new words
_MIN_UNKNOWN = 4
_MIN_WEAK = 5
_KNOWN: Final = 0.9
_KNOWN_SHORT: Final = 1.3  # of three letters and less: rat, amt, see
_LINKS: Final = {"": 0.0, "s": 0.04, "n": 0.06, "en": 0.06, "es": 0.08, "e": 0.1, "er": 0.16, "ern": 0.16}
_AFFIXES: Final = frozenset(
    [
        "ung",
        "ungen",
        "ungs",
        "lich",
        "liche",
        "lichen",
        "licher",
        "liches",
        "keit",
        "keiten",
        "heit",
        "heiten",
        "schaft",
        "schaften",
        "isch",
        "ische",
        "ischen",
        "tion",
        "tionen",
        "ierung",
        "ieren",
        "bar",
        "bare",
        "baren",
        "haft",
        "los",
        "lose",
        "losen",
        "sam",
        "same",
        "samen",
        "chen",
        "lein",
        "ling",
        "linge",
        "nis",
        "nisse",
        "tum",
        "ende",
        "enden",
        "endes",
        "zehn",
        "end",
        "ern",
        "eln",
        "elt",
        "igen",
        "iger",
        "iges",
        "tung",
        "tungen",
        "lung",
        "rung",
        "nung",
        "dung",
        "gung",
        "sung",
        "zung",
        "bung",
        "kung",
        "mung",
        "tlich",
        "ller",
        "nden",
        "nder",
        "rinnen",
        "innen",
        "lichkeit",
    ]
)
_PREFIXES: Final = frozenset(["be", "ge", "ver", "vera", "ent", "zer", "er", "emp", "miss", "un", "wieder"])
_ENDINGS: Final = ("innen", "ern", "es", "en", "er", "em", "e", "n", "s")
_WORD: Final = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*", re.UNICODE)
_VOWEL: Final = re.compile(r"[aeiouy]")
_DIGRAPH: Final = re.compile(r"(?<![aeiouyäöüq])([aou])e")
_UMLAUT: Final = {"a": "ä", "o": "ö", "u": "ü"}
_FOLD: Final = str.maketrans("äöü", "aou")
_LEXICON: Final = Path(__file__).with_name("lexicon.txt")


def canonical(text: str) -> str:
    """`text` in the one spelling that is indexed and asked for: NFC, lower case, ss for ß, umlauts for ae, oe and ue.

    The rule need not be right for every word (`zuerst` becomes `zürst`), only the same on both sides.
    """
    text = unicodedata.normalize("NFC", text).lower().replace("ß", "ss")
    return _DIGRAPH.sub(lambda m: _UMLAUT[m.group(1)], text)


def fold(word: str) -> str:
    """A canonical word without its umlauts."""
    return word.translate(_FOLD)


def light_stem(word: str) -> str:
    """A folded word without its inflection, as far as can be said without knowing it."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


@dataclass(frozen=True, slots=True)
class _Surfaces:
    """Every form in which a constituent may stand inside a compound -> the constituent and the price of the form."""

    forms: dict[str, tuple[str, float]]
    longest: int


@cache
def _surfaces() -> _Surfaces:
    forms: dict[str, tuple[str, float]] = {}

    def offer(form: str, word: str, price: float) -> None:
        if len(form) >= 2 and (form not in forms or forms[form][1] > price):
            forms[form] = (word, price)

    for line in _LEXICON.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        for entry in line.split():
            word = fold(canonical(entry))
            base = _KNOWN if len(word) > 3 else _KNOWN_SHORT
            for link, price in _LINKS.items():
                if link.startswith("e") and word.endswith("e"):
                    continue
                if link == "n" and not word.endswith(("e", "r", "l")):
                    continue
                if link in {"er", "ern"} and (word.endswith(("e", "er", "ung")) or _VOWEL.match(word[-1])):
                    continue
                offer(word + link, word, base + price)
            if word.endswith("e") and len(word) > 4:
                offer(word[:-1], word, base + 0.12)
    return _Surfaces(forms, max(map(len, forms)))


@cache
def _hyphenation() -> pyphen.Pyphen:
    return pyphen.Pyphen(lang="de_DE", left=2, right=2)


@lru_cache(maxsize=65_536)
def constituents(word: str) -> tuple[str, ...]:
    """The constituents of a folded canonical word, from left to right; empty if it is none that the lexicon can cut.

    >>> constituents("kreisstadtvertretungssitzung")
    ('kreis', 'stadt', 'vertretung', 'sitzung')
    """
    length = len(word)
    if not MIN_COMPOUND <= length <= MAX_WORD:
        return ()
    surfaces = _surfaces()
    forms, longest = surfaces.forms, surfaces.longest
    # best[i]: price of word[:i], where the last piece began, what it stands for, whether the lexicon knows it
    best: list[tuple[float, int, str, bool] | None] = [None] * (length + 1)
    best[0] = (0.0, 0, "", True)
    for start in range(length):
        reached = best[start]
        if reached is None:
            continue
        price, _, _, known_before = reached
        for end in range(start + 2, length + 1):
            piece = word[start:end]
            known = forms.get(piece) if end - start <= longest else None
            if known is not None:
                total = price + known[1]
                held = best[end]
                if held is None or total < held[0]:
                    best[end] = (total, start, known[0], True)
            elif known_before and end - start >= _MIN_UNKNOWN and piece not in _AFFIXES and _VOWEL.search(piece):
                total = price + 2.2 + 0.25 * (end - start)
                held = best[end]
                if held is None or total < held[0]:
                    best[end] = (total, start, piece, False)
    pieces: list[str] = []
    at = length
    any_known = False
    while at > 0:
        step = best[at]
        if step is None:
            return ()
        _, start, term, known_piece = step
        pieces.append(term if known_piece else light_stem(term))
        any_known = any_known or known_piece
        at = start
    if len(pieces) < 2 or not any_known:
        return ()
    return tuple(reversed(pieces))


@lru_cache(maxsize=65_536)
def _terms_of_word(word: str) -> tuple[str, ...]:
    """The constituent terms of one canonical word (hyphens between its parts allowed)."""
    chunks = [c for c in word.split("-") if c]
    parts: list[str] = []
    for chunk in chunks:
        folded = fold(chunk)
        found = constituents(folded)
        parts.extend(found or (_key_of_simple(folded),))
    if len(parts) > 1:
        return tuple(_runs(parts))
    folded = fold(word)
    if len(folded) < MIN_COMPOUND + 2 or folded in _surfaces().forms:
        return ()
    return tuple(_weak(word))


def _runs(parts: list[str]) -> list[str]:
    parts = parts[:8]
    count = len(parts)
    terms = []
    for size in {1, 2, 3, count}:
        for start in range(count - size + 1):
            run = parts[start : start + size]
            if size > 1 or len(run[0]) >= 3:
                terms.append("~" + "+".join(run))
    return terms


def _weak(word: str) -> list[str]:
    """Beginnings and ends of an unknown word at its hyphenation points."""
    terms = []
    for point in _hyphenation().positions(word):
        head, tail = fold(word[:point]), fold(word[point:])
        if head in _PREFIXES:
            continue
        for piece in (head, tail):
            if len(piece) >= _MIN_WEAK and piece not in _AFFIXES:
                terms.append("~" + light_stem(piece))
    return terms


def _key_of_simple(folded: str) -> str:
    known = _surfaces().forms.get(folded)
    return known[0] if known else light_stem(folded)


def words(text: str) -> list[str]:
    """The words of a canonical text, hyphenated ones whole."""
    return [w for w in _WORD.findall(text) if len(w) <= MAX_WORD * 2]


def compound_terms(text: str) -> list[str]:
    """The constituent terms of a canonical text, each once, in a stable order; at most `MAX_TERMS`."""
    found: dict[str, None] = {}
    for word in dict.fromkeys(_WORD.findall(text)):
        if MIN_COMPOUND <= len(word) <= MAX_WORD * 2:
            for term in _terms_of_word(word):
                found[term] = None
        if len(found) >= MAX_TERMS:
            break
    return list(found)[:MAX_TERMS]


@lru_cache(maxsize=4_096)
def query_terms(word: str) -> tuple[str, ...]:
    """The constituent terms under which a canonical query word (hyphens allowed) is found inside compounds."""
    parts: list[str] = []
    for chunk in word.split("-"):
        folded = fold(chunk)
        if folded in _surfaces().forms:
            parts.append(_surfaces().forms[folded][0])
        else:
            parts.extend(constituents(folded) or (light_stem(folded),))
    if not any(len(p) >= 3 for p in parts):
        return ()
    return ("~" + "+".join(parts[:8]),)
