"""What people type into a search field, as a query of PostgreSQL's full-text search.

    bewohner parkausweis        both words
    "freie strecke"             the phrase
    -entwurf                    without it
    park*                       words that begin so
    32.10-2026/0007             the reference, or the beginning of one

Words are stemmed by PostgreSQL's German configuration, on the spelling that `words.canonical` makes of them on both
sides, and each may also stand inside a compound.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.postgres.search import SearchQueryField
from django.db import connection
from django.db.models import BooleanField, F, Func, Value
from django.db.models.functions import Cast

from verbund.modules.records.models.search import findable

from .words import canonical, fold, query_terms

CONFIGURATION: Final = "pg_catalog.german"
LONGEST: Final = 300  # characters of a query
MOST_CLAUSES: Final = 12

_CLAUSE: Final = re.compile(r'(?P<minus>-)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')
_REFERENCE: Final = re.compile(r"\d{1,2}(\.\d{1,3}){0,4}(-\d{0,4})?(/\d*)?\Z")
_WORD: Final = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*", re.UNICODE)
# Endings that the stemmer takes off: a word typed half way into one is completed, or it would not meet its own stem.
_ENDINGS: Final = ("ung", "ungen", "lich", "isch", "heit", "keit", "ern", "er", "en", "es", "ig", "ik", "end")


@dataclass(frozen=True, slots=True)
class _Clause:
    kind: str  # word | phrase | prefix | reference
    text: str  # canonical
    negated: bool


@dataclass(frozen=True, slots=True)
class Matching:
    """Matching (Suchausdruck): the query for PostgreSQL, or why there is none; `marks` are the words to be shown in
    the hits.
    """

    text: str | None
    note: str  # "" | empty | only_without | too_common
    marks: tuple[str, ...]
    prefixes: tuple[str, ...]


class Found(Func):
    """The condition that an entry is found by a query of words or marks: one for the index.

    Words, persons and days are conditions of their own: between several the index leaps to where all can be true, and
    within one it reads all of the rarest.
    """

    output_field = BooleanField()
    conditional = True
    template = "(%(expressions)s)"
    arg_joiner = " @@ "

    def __init__(self, query: str | Value, **extra: Any) -> None:
        super().__init__(self.among(), _as_query(query), **extra)

    @staticmethod
    def among() -> F | Func:
        """What is looked through."""
        return findable()


class Words(Found):
    """The condition that a query finds an entry by its words: it has no index, but statistics."""

    @staticmethod
    def among() -> F | Func:
        return F("vector")


def _as_query(query: str | Value) -> Cast:
    return Cast(query if isinstance(query, Value) else Value(query), SearchQueryField())


def matching(typed: str) -> Matching:
    """What `typed` asks for; asks PostgreSQL for the stems (one short query)."""
    clauses = _clauses(typed)
    if not clauses:
        return Matching(None, "empty", (), ())
    if all(c.negated for c in clauses):
        return Matching(None, "only_without", (), ())
    stems = _stems(clauses)
    parts, positive = [], 0
    for clause, found in zip(clauses, stems, strict=True):
        expression = _expression(clause, found)
        if expression is None:
            continue  # a word so common that the index leaves it out
        parts.append(f"!({expression})" if clause.negated else f"({expression})")
        positive += not clause.negated
    if not positive:
        return Matching(None, "too_common", (), ())
    wanted = [c for c in clauses if not c.negated]
    marks = tuple(w for c in wanted if c.kind in {"word", "phrase"} for w in _WORD.findall(c.text))
    prefixes = tuple(c.text for c in wanted if c.kind == "prefix")
    return Matching(" & ".join(parts), "", marks, prefixes)


def quoted(lexeme: str) -> str:
    """A lexeme as it stands in the text of a tsquery."""
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def one_of(marks: Iterable[str]) -> str:
    """The query for entries that bear one of the marks."""
    return " | ".join(map(quoted, marks))


def _clauses(typed: str) -> list[_Clause]:
    found: list[_Clause] = []
    for match in _CLAUSE.finditer(typed.replace("\x00", " ")[:LONGEST]):
        negated = match["minus"] is not None
        if match["phrase"] is not None:
            text = canonical(match["phrase"])
            if len(_WORD.findall(text)) > 1:
                found.append(_Clause("phrase", text, negated))
            else:
                found += [_Clause("word", w, negated) for w in _WORD.findall(text)]
            continue
        word = match["word"]
        if _REFERENCE.match(word) and re.search(r"[./-]", word) and not re.fullmatch(r"\d+\.\d+\.\d{4}", word):
            found.append(_Clause("reference", word, negated))
            continue
        pieces = _WORD.findall(canonical(word))
        for number, piece in enumerate(pieces):
            last = number == len(pieces) - 1
            prefix = last and word.endswith("*") and len(piece) >= 2
            found.append(_Clause("prefix" if prefix else "word", piece, negated))
    return found[:MOST_CLAUSES]


def _completions(prefix: str) -> list[str]:
    completed = []
    for ending in _ENDINGS:
        for cut in range(1, len(ending) + 1):
            if len(prefix) - cut >= 3 and prefix.endswith(ending[:cut]):
                completed.append(prefix + ending[cut:])
    return list(dict.fromkeys(completed))


def _stems(clauses: list[_Clause]) -> list[list[str]]:
    """What PostgreSQL makes of each clause: one query text for a word or phrase, one for each completion of a
    prefix.
    """
    calls: list[str] = []
    values: list[str] = []
    counts: list[int] = []
    for clause in clauses:
        texts = _completions(clause.text) if clause.kind == "prefix" else [clause.text]
        function = "phraseto_tsquery" if clause.kind == "phrase" else "plainto_tsquery"
        calls += [f"{function}('{CONFIGURATION}', %s)::text"] * len(texts)
        values += texts
        counts.append(len(texts))
    if not calls:
        return [[] for _ in clauses]
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(calls), values)
        row = list(cursor.fetchone() or ())
    found = []
    for count in counts:
        found.append([text for text in row[:count] if text])
        row = row[count:]
    return found


def _expression(clause: _Clause, stems: list[str]) -> str | None:
    if clause.kind == "reference":
        own = quoted("#" + clause.text.lower()) + ":*"
        return " | ".join([own, *(f"({s})" for s in stems)])
    if clause.kind == "prefix":
        begun = fold(clause.text)
        inside = [quoted(f"~{begun}") + ":*", *map(quoted, query_terms(clause.text))] if len(begun) >= 4 else []
        return " | ".join([quoted(begun) + ":*", *inside, *(f"({s})" for s in stems)])
    if not stems:
        return None
    if clause.kind == "phrase":
        return stems[0]
    return " | ".join([f"({stems[0]})", *map(quoted, query_terms(clause.text))])
