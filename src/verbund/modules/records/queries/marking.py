"""Showing where a hit stands: a piece of the text, cut into marked and unmarked segments. Plain text in, plain text
out.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from .words import canonical, compound_terms, fold, light_stem, query_terms

EXCERPT: Final = 240  # characters
Segments = tuple[tuple[str, bool], ...]

_WORD: Final = re.compile(r"[^\W_]+(?:-[^\W_]+)*", re.UNICODE)
_REST: Final = re.compile(r"(?:[^\W_]|-)+", re.UNICODE)
_SPELLINGS: Final = {"a": "(?:a|ä|ae)", "o": "(?:o|ö|oe)", "u": "(?:u|ü|ue)"}


class Marker:
    """Finds the words of a query in a text, in whatever spelling and compound they stand there."""

    def __init__(self, words: Sequence[str], prefixes: Sequence[str] = ()) -> None:
        self._stems = frozenset(_stem(w) for w in words)
        self._terms = frozenset(t for w in (*words, *prefixes) for t in query_terms(w))
        self._prefixes = tuple(fold(p) for p in prefixes)
        self._parts = tuple(f"~{p}" for p in self._prefixes if len(p) >= 4)
        needles = {*self._stems, *(p.split("+")[0].lstrip("~") for p in self._terms), *self._prefixes}
        self._needle = re.compile("|".join(_spellings(n) for n in needles if n) or r"(?!)")
        self._known: dict[str, bool] = {}  # whether a word is a hit: the hits of a page have few different ones

    def segments(self, text: str) -> Segments:
        """The whole text, its hits marked."""
        found: list[tuple[str, bool]] = []
        at = 0
        for start, end in self._hits(text):
            if start > at:
                found.append((text[at:start], False))
            found.append((text[start:end], True))
            at = end
        if at < len(text):
            found.append((text[at:], False))
        return tuple(found)

    def excerpt(self, text: str) -> Segments:
        """Some `EXCERPT` characters around the first hit (from the beginning, if there is none), its hits marked."""
        first = next(self._hits(text), None)
        start = 0
        if first is not None and first[0] > EXCERPT // 3:
            start = text.rfind(" ", 0, first[0] - EXCERPT // 4) + 1
        end = min(len(text), start + EXCERPT)
        if end < len(text):
            end = max(text.rfind(" ", start, end), start + EXCERPT // 2)
        piece = re.sub(r"\s+", " ", text[start:end]).strip()
        marked = self.segments(piece)
        before: Segments = (("… ", False),) if start else ()
        behind: Segments = ((" …", False),) if end < len(text) else ()
        return before + marked + behind

    def _hits(self, text: str) -> Iterator[tuple[int, int]]:
        at, lower = 0, text.lower()
        if len(lower) != len(text):  # a letter that becomes two: rather miss a mark than misplace one
            lower = text
        while (match := self._needle.search(lower, at)) is not None:
            start, end = match.start(), max(match.end(), match.start() + 1)
            while start > at and _is_of_word(text[start - 1]):
                start -= 1
            if (rest := _REST.match(text, end)) is not None:
                end = rest.end()
            for word in _WORD.finditer(text, start, end):
                found = self._known.get(word[0])
                if found is None:
                    found = self._known[word[0]] = self._is_hit(word[0])
                if found:
                    yield word.span()
            at = end

    def _is_hit(self, word: str) -> bool:
        return _stem(canonical(word)) in self._stems or self._matches_part(word)

    def _matches_part(self, word: str) -> bool:
        spelled = canonical(word)
        if self._prefixes and fold(spelled).startswith(self._prefixes):
            return True
        inside = _terms(spelled)
        if not self._terms.isdisjoint(inside):
            return True
        return bool(self._parts) and any(term.startswith(self._parts) for term in inside)


@lru_cache(maxsize=16_384)
def _terms(spelled: str) -> frozenset[str]:
    return frozenset(compound_terms(spelled)) | frozenset(query_terms(spelled))


def _stem(spelled: str) -> str:
    return light_stem(fold(spelled))


def _is_of_word(character: str) -> bool:
    return character.isalnum() or character == "-"


def _spellings(needle: str) -> str:
    return re.sub("ss", "(?:ss|ß)", re.sub("[aou]", lambda m: _SPELLINGS[m[0]], re.escape(needle)))
