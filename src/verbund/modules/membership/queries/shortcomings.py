"""Reads: what a contract's text lacks before it can be put before the parties."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.utils.translation import gettext

from verbund.modules.membership.models import (
    REQUIRED,
    CarrierPeriod,
    ClauseReview,
    ContractClause,
    ContractText,
    in_force,
)

from .clauses import ClauseLink, covers, standing_clauses


@dataclass(frozen=True, slots=True)
class Shortcoming:
    """Shortcoming (Mangel des Vertragstexts): what keeps a version from being finalised.

    `clauses` would fill it, or are those to look at; `kind` is the content that a new clause would have to cover.
    """

    text: str
    law: str = ""
    kind: str = ""
    clauses: tuple[ClauseLink, ...] = ()


def shortcomings(text: ContractText) -> list[Shortcoming]:
    """Contents § 167b (3) KV M-V requires, values, reviews, the chair; in this order."""
    return [*_contents(text), *_values(text), *_reviews(text), *_chair(text)]


def _contents(text: ContractText) -> list[Shortcoming]:
    lacking = [
        (kind, law)
        for kind, law in REQUIRED.items()
        if not any(covers(entry["kinds"], entry["wording"], kind) for entry in text.clauses)
    ]
    if not lacking:
        return []
    library = standing_clauses(set(ContractClause.objects.values_list("code", flat=True)))
    return [
        Shortcoming(
            gettext("Missing: %(what)s (%(law)s).") % {"what": kind.label, "law": law},
            law,
            kind.value,
            tuple(ClauseLink(c.code, c.title) for _code, c in sorted(library.items()) if covers(c.kinds, c.text, kind)),
        )
        for kind, law in lacking
    ]


def _values(text: ContractText) -> list[Shortcoming]:
    return [
        Shortcoming(
            gettext("“%(title)s”: the value of {%(name)s} is missing.") % {"title": entry["title"], "name": name},
            clauses=(_link(entry),),
        )
        for entry in text.clauses
        for name in entry["open"]
    ]


def _reviews(text: ContractText) -> list[Shortcoming]:
    reviewed = set(
        ClauseReview.objects.filter(clause__code__in=[e["code"] for e in text.clauses]).values_list(
            "clause__code", "clause__number"
        )
    )
    return [
        Shortcoming(
            gettext("“%(title)s”: another person has to review it.") % {"title": entry["title"]},
            clauses=(_link(entry),),
        )
        for entry in text.clauses
        if (entry["code"], entry["number"]) not in reviewed
    ]


def _chair(text: ContractText) -> list[Shortcoming]:
    return [] if text.data["chair"] else [Shortcoming(gettext("Nobody is named who chairs the board."))]


def _link(entry: dict[str, Any]) -> ClauseLink:
    return ClauseLink(entry["code"], entry["title"])


def party_gaps(text: ContractText, day: date) -> list[Shortcoming]:
    """Whether the parties are the carriers of the day and the candidate, all of them and nobody else."""
    named = {UUID(p["member"]): p["name"] for p in text.data["parties"]}
    rows = CarrierPeriod.objects.filter(in_force(day), recorded_until__isnull=True).select_related("member")
    needed = {row.member_id: row.member.name for row in rows}
    needed[text.accession.member_id] = text.accession.member.name
    missing = sorted(name for member, name in needed.items() if member not in named)
    strange = sorted(name for member, name in named.items() if member not in needed)
    found = []
    if missing:
        found.append(gettext("Not named as parties: %(names)s.") % {"names": ", ".join(missing)})
    if strange:
        found.append(gettext("Neither carrier nor candidate on this day: %(names)s.") % {"names": ", ".join(strange)})
    return [Shortcoming(sentence) for sentence in found]
