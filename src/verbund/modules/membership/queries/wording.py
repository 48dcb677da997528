"""Reads: how two versions of a contract differ, and which text is in force on a day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from typing import Final
from uuid import UUID

from verbund.modules.membership.models import ContractText, FinalContract
from verbund.modules.membership.policies import Permission
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor

from .contracts import ClauseText, clauses_of, text_of

ALIKE: Final = 0.5  # of its words: two paragraphs are one that was changed
LONGEST: Final = 2000  # words of a paragraph that are compared one by one


@dataclass(frozen=True, slots=True)
class DifferenceLine:
    """DifferenceLine (Textunterschied): a paragraph that is `same`, `inserted` or `deleted`."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class DifferenceParagraph:
    """DifferenceParagraph (geänderter Absatz): `same`, `inserted`, `deleted`, or `changed`, word by word.

    `parts` are pieces of text, each `same`, `inserted` or `deleted`; the title of a clause is told apart.
    """

    kind: str
    parts: tuple[DifferenceLine, ...]
    is_title: bool = False


@dataclass(frozen=True, slots=True)
class ConsolidatedClause:
    """ConsolidatedClause (geltender Paragraf): a clause in force, and the accession's contract it comes from."""

    clause: ClauseText
    accession_id: UUID
    from_contract: str
    effective_on: date


def difference(actor: Actor, accession_id: UUID, old: int, new: int) -> list[DifferenceLine]:
    """How two versions differ, paragraph by paragraph; a changed one stands as deleted and inserted.

    Raises:
        NotFound
    """
    before, after = (_paragraphs(text_of(actor, accession_id, number)) for number in (old, new))
    found = []
    for tag, a0, a1, b0, b1 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            found += [DifferenceLine("same", line) for line in before[a0:a1]]
        else:
            found += [DifferenceLine("deleted", line) for line in before[a0:a1]]
            found += [DifferenceLine("inserted", line) for line in after[b0:b1]]
    return found


def difference_by_words(actor: Actor, accession_id: UUID, old: int, new: int) -> list[DifferenceParagraph]:
    """How two versions differ, with a paragraph that was changed shown once, word by word.

    Raises:
        NotFound
    """
    titles = {clause.title for clause in clauses_of(text_of(actor, accession_id, new))}
    found: list[DifferenceParagraph] = []
    gone: list[str] = []
    come: list[str] = []
    for line in [*difference(actor, accession_id, old, new), DifferenceLine("same", "")]:
        if line.kind == "deleted" and not come:
            gone.append(line.text)
        elif line.kind == "inserted":
            come.append(line.text)
        else:
            found += _paired(gone, come)
            gone, come = ([line.text], []) if line.kind == "deleted" else ([], [])
            if line.kind == "same" and line.text:
                found.append(DifferenceParagraph("same", (line,), line.text in titles))
    return found


def _paired(gone: list[str], come: list[str]) -> Iterator[DifferenceParagraph]:
    """Of a run of deleted and one of inserted paragraphs those that belong together."""
    rest = list(come)
    for old in gone:
        alike = next((new for new in rest if _alike(old, new)), None)
        if alike is None:
            yield DifferenceParagraph("deleted", (DifferenceLine("deleted", old),))
            continue
        for new in rest[: rest.index(alike)]:
            yield DifferenceParagraph("inserted", (DifferenceLine("inserted", new),))
        rest = rest[rest.index(alike) + 1 :]
        yield DifferenceParagraph("changed", tuple(_words(old, alike)))
    for new in rest:
        yield DifferenceParagraph("inserted", (DifferenceLine("inserted", new),))


def _alike(old: str, new: str) -> bool:
    before, after = old.split(), new.split()
    if max(len(before), len(after)) > LONGEST:
        return False
    return SequenceMatcher(None, before, after, autojunk=False).ratio() >= ALIKE


def _words(old: str, new: str) -> Iterator[DifferenceLine]:
    before, after = old.split(), new.split()
    for tag, a0, a1, b0, b1 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            yield DifferenceLine("same", " ".join(before[a0:a1]))
            continue
        if a1 > a0:
            yield DifferenceLine("deleted", " ".join(before[a0:a1]))
        if b1 > b0:
            yield DifferenceLine("inserted", " ".join(after[b0:b1]))


def _paragraphs(text: ContractText) -> list[str]:
    return [line for c in clauses_of(text) for line in (c.title, *c.paragraphs)]


def consolidated_contract(actor: Actor, day: date) -> list[ConsolidatedClause]:
    """The contract in force on `day` (konsolidierte Fassung): the contracts of all accessions in effect, one after the
    other. A clause with the code of an earlier one takes its place; a new one stands behind the one it follows in its
    own contract; repealed ones are gone.

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.READ_ACCESSIONS)
    finals = (
        FinalContract.objects.filter(text__accession__effective_on__lte=day)
        .select_related("text__accession__member", "draft")
        .order_by("text__accession__effective_on", "text__accession_id", "draft__number")
    )
    signed = {final.text.accession_id: final for final in finals}  # the last version is the one that was signed
    order: list[str] = []
    standing: dict[str, ConsolidatedClause] = {}
    for final in signed.values():
        _apply(final.text, order, standing)
    return [standing[code] for code in order]


def _apply(text: ContractText, order: list[str], standing: dict[str, ConsolidatedClause]) -> None:
    for code in text.data["repeals"]:
        if code in standing:
            order.remove(code)
            del standing[code]
    before: str | None = None
    for clause in clauses_of(text):
        if clause.code not in standing:
            order.insert(order.index(before) + 1 if before else len(order), clause.code)
        assert text.accession.effective_on is not None
        standing[clause.code] = ConsolidatedClause(
            clause, text.accession_id, text.accession.member.name, text.accession.effective_on
        )
        before = clause.code
