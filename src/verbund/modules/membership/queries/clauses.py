"""Reads: the library of clauses, and which of them cover what the law requires."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from verbund.modules.membership.models import (
    KNOWN_VALUES,
    PLACEHOLDER,
    REQUIRED,
    SAYS,
    ClauseKind,
    ClauseReview,
    ContractClause,
)
from verbund.modules.membership.policies import Permission
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import NotFound

START_SET: Final = Path(__file__).resolve().parents[1] / "data" / "clauses.toml"


@dataclass(frozen=True, slots=True)
class ClauseView:
    """ClauseView (Vertragsklausel): one version of a clause; `reviewed_by` is empty while it is a draft.

    `standing` is the version contracts take: the newest reviewed one, 0 while there is none. `may_review` says that
    the asking person may review this version, and has not written it.
    """

    code: str
    number: int
    title: str
    text: str
    kinds: tuple[str, ...]
    author_id: UUID
    author_name: str
    reviewed_by: str
    recorded_at: datetime
    source: str
    reviewed_at: datetime | None
    note: str
    standing: int
    may_review: bool

    @property
    def kind_labels(self) -> list[str]:
        """What the clause covers, in words."""
        return [str(ClauseKind(kind).label) for kind in self.kinds]

    @property
    def paragraphs(self) -> list[str]:
        """The text's paragraphs."""
        return [part for part in self.text.split("\n\n") if part]

    @property
    def values(self) -> list[str]:
        """The values that have to be entered for it."""
        return sorted(set(PLACEHOLDER.findall(self.text)) - KNOWN_VALUES)


@dataclass(frozen=True, slots=True)
class ClauseLink:
    """ClauseLink (Verweis auf eine Vertragsklausel)."""

    code: str
    title: str


@dataclass(frozen=True, slots=True)
class RequiredContent:
    """RequiredContent (Pflichtinhalt, § 167b (3) KV M-V), and the clauses of the library that cover it."""

    kind: str
    label: str
    law: str
    clauses: tuple[ClauseLink, ...]


@cache
def start_set() -> tuple[dict[str, Any], ...]:
    """The clauses an alliance begins with (Startbestand), in the order of a contract."""
    return tuple(tomllib.loads(START_SET.read_text(encoding="utf-8"))["clause"])


def clause_library(actor: Actor, text: str = "") -> list[ClauseView]:
    """The newest version of every clause, by code; with `text` those that hold all of its words.

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.READ_ACCESSIONS)
    rows = ContractClause.objects.select_related("review").order_by("code", "-number").distinct("code")
    words = text.casefold().split()
    found = [c for c in rows if all(w in f"{c.code} {c.title} {c.source} {c.text}".casefold() for w in words)]
    return _views(actor, found)


def clause(actor: Actor, code: str) -> list[ClauseView]:
    """The versions of a clause, the newest first.

    Raises:
        policy.Denied, NotFound.
    """
    policy.require(actor, Permission.READ_ACCESSIONS)
    rows = list(ContractClause.objects.filter(code=code).select_related("review").order_by("-number"))
    if not rows:
        raise NotFound
    return _views(actor, rows)


def _views(actor: Actor, rows: list[ContractClause]) -> list[ClauseView]:
    may = policy.allows(actor, Permission.REVIEW_CLAUSES)
    reviewed = ClauseReview.objects.filter(clause__code__in={c.code for c in rows})
    standing: dict[str, int] = {}
    for code, number in reviewed.values_list("clause__code", "clause__number"):
        standing[code] = max(number, standing.get(code, 0))
    return [_view(c, standing.get(c.code, 0), may=may and c.author_id != actor.id) for c in rows]


def _view(row: ContractClause, standing: int, *, may: bool) -> ClauseView:
    review = row.review if hasattr(row, "review") else None
    return ClauseView(
        code=row.code,
        number=row.number,
        title=row.title,
        text=row.text,
        kinds=tuple(row.kinds),
        author_id=row.author_id,
        author_name=row.author_name,
        reviewed_by=review.reviewer_name if review else "",
        recorded_at=row.recorded_at,
        source=row.source,
        reviewed_at=review.recorded_at if review else None,
        note=review.note if review else "",
        standing=standing,
        may_review=may and review is None,
    )


def standing_clauses(codes: Iterable[str]) -> dict[str, ContractClause]:
    """Of each clause the newest reviewed version, without one the newest."""
    found: dict[str, ContractClause] = {}
    reviewed = set(ClauseReview.objects.filter(clause__code__in=codes).values_list("clause_id", flat=True))
    for clause in ContractClause.objects.filter(code__in=codes).order_by("code", "number"):
        before = found.get(clause.code)
        if before is None or clause.id in reviewed or before.id not in reviewed:
            found[clause.code] = clause
    return found


def offered_clauses(actor: Actor) -> list[ClauseView]:
    """What a contract can be assembled from: of each clause the version it would take, in the start set's order.

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.READ_ACCESSIONS)
    rows = standing_clauses(set(ContractClause.objects.values_list("code", flat=True)))
    places = {entry["code"]: place for place, entry in enumerate(start_set())}
    order = sorted(rows, key=lambda code: (places.get(code, len(places)), code))
    return _views(actor, [rows[code] for code in order])


def required_contents(actor: Actor) -> list[RequiredContent]:
    """What § 167b (3) KV M-V requires, each with the clauses of the library that cover it.

    Raises:
        policy.Denied
    """
    offered = offered_clauses(actor)
    return [RequiredContent(kind, str(kind.label), law, fillers(offered, kind)) for kind, law in REQUIRED.items()]


def fillers(offered: Iterable[ClauseView], kind: ClauseKind) -> tuple[ClauseLink, ...]:
    """The clauses that would cover a content."""
    return tuple(ClauseLink(c.code, c.title) for c in offered if covers(c.kinds, c.text, kind))


def covers(kinds: Iterable[str], wording: str, kind: ClauseKind) -> bool:
    """A clause covers a content when it is said to, and says it: a chair's clause that names no chair does not."""
    says = SAYS.get(kind)
    return kind.value in kinds and (says is None or f"{{{says}}}" in wording)
