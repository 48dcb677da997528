"""Reads: the library of clauses, the versions of a contract, what they lack, how they differ, and what is in force."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from difflib import SequenceMatcher
from typing import Any
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.models import (
    REQUIRED,
    SAYS,
    ClauseKind,
    ClauseReview,
    ContractClause,
    ContractText,
    FinalContract,
    SignedCopy,
    Trust,
    contract_hash,
)
from verbund.modules.membership.policies import Permission, visible_accessions, visible_contract_texts
from verbund.platform import files, printing
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import NotFound, local_date


@dataclass(frozen=True, slots=True)
class ClauseView:
    """ClauseView (Vertragsklausel): the newest version of a clause; `reviewed_by` is empty while it is a draft."""

    code: str
    number: int
    title: str
    text: str
    kinds: tuple[str, ...]
    author_id: UUID
    author_name: str
    reviewed_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class ClauseText:
    """ClauseText (Paragraf eines Vertrags): a clause with its values, as it stands in a version."""

    code: str
    title: str
    text: str

    @property
    def paragraphs(self) -> list[str]:
        """The text's paragraphs."""
        return [part for part in self.text.split("\n\n") if part]


@dataclass(frozen=True, slots=True)
class ContractFacts:
    """ContractFacts (Fassung): a row of the list; `version` is the number under which the parties know it."""

    number: int
    sha256: str
    author_name: str
    recorded_at: datetime
    version: int | None


@dataclass(frozen=True, slots=True)
class CopyView:
    """CopyView (Ausfertigung): a signed copy, who signed, and what the check of its signatures found."""

    id: UUID
    filename: str
    size: int
    sha256: str
    kind: str
    trust: str
    trust_label: str
    party: str
    signatories: tuple[dict[str, str], ...]
    findings: tuple[dict[str, Any], ...]
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class ContractView:
    """ContractView (Vertragstext): one version whole; `missing` says what keeps it from being finalised."""

    accession_id: UUID
    number: int
    version: int | None
    sha256: str
    text: str
    clauses: tuple[ClauseText, ...]
    data: dict[str, Any]
    missing: tuple[str, ...]
    copies: tuple[CopyView, ...]


@dataclass(frozen=True, slots=True)
class DifferenceLine:
    """DifferenceLine (Textunterschied): a paragraph that is `same`, `inserted` or `deleted`."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class ConsolidatedClause:
    """ConsolidatedClause (geltender Paragraf): a clause in force, and the accession's contract it comes from."""

    clause: ClauseText
    accession_id: UUID
    from_contract: str
    effective_on: date


def clause_library(actor: Actor) -> list[ClauseView]:
    """The newest version of every clause, by code.

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.READ_ACCESSIONS)
    rows = ContractClause.objects.select_related("review").order_by("code", "-number").distinct("code")
    return [
        ClauseView(
            c.code,
            c.number,
            c.title,
            c.text,
            tuple(c.kinds),
            c.author_id,
            c.author_name,
            c.review.reviewer_name if hasattr(c, "review") else "",
            c.recorded_at,
        )
        for c in rows
    ]


def standing_clauses(codes: Iterable[str]) -> dict[str, ContractClause]:
    """Of each clause the newest reviewed version, without one the newest."""
    found: dict[str, ContractClause] = {}
    reviewed = set(ClauseReview.objects.filter(clause__code__in=codes).values_list("clause_id", flat=True))
    for clause in ContractClause.objects.filter(code__in=codes).order_by("code", "number"):
        before = found.get(clause.code)
        if before is None or clause.id in reviewed or before.id not in reviewed:
            found[clause.code] = clause
    return found


def shortcomings(text: ContractText) -> list[str]:
    """What the version lacks: contents § 167b (3) KV M-V requires, values, reviews. Sentences, in this order."""
    found = []
    for kind, provision in REQUIRED.items():
        if not any(_covers(entry, kind) for entry in text.clauses):
            found.append(gettext("Missing: %(what)s (%(law)s).") % {"what": kind.label, "law": provision})
    for entry in text.clauses:
        for name in entry["open"]:
            found.append(
                gettext("“%(title)s”: the value of {%(name)s} is missing.") % {"title": entry["title"], "name": name}
            )
    reviewed = set(
        ClauseReview.objects.filter(clause__code__in=[e["code"] for e in text.clauses]).values_list(
            "clause__code", "clause__number"
        )
    )
    for entry in text.clauses:
        if (entry["code"], entry["number"]) not in reviewed:
            found.append(gettext("“%(title)s”: another person has to review it.") % {"title": entry["title"]})
    if not text.data["chair"]:
        found.append(gettext("Nobody is named who chairs the board."))
    return found


def _covers(entry: dict[str, Any], kind: ClauseKind) -> bool:
    """A clause covers a content when it is said to, and says it: a chair's clause that names no chair does not."""
    says = SAYS.get(kind)
    return kind.value in entry["kinds"] and (says is None or f"{{{says}}}" in entry["wording"])


def contract_versions(actor: Actor, accession_id: UUID) -> list[ContractFacts]:
    """The versions of an accession's contract, the newest first.

    Raises:
        NotFound
    """
    if not visible_accessions(actor).filter(id=accession_id).exists():
        raise NotFound
    rows = visible_contract_texts(actor).filter(accession_id=accession_id).select_related("final__draft")
    return [
        ContractFacts(t.number, t.sha256, t.author_name, t.recorded_at, _version(t)) for t in rows.order_by("-number")
    ]


def _version(text: ContractText) -> int | None:
    return text.final.draft.number if hasattr(text, "final") else None


def contract(actor: Actor, accession_id: UUID, number: int | None = None) -> ContractView:
    """One version of an accession's contract, the newest if no number is given.

    Raises:
        NotFound
    """
    text = _text(actor, accession_id, number)
    copies = SignedCopy.objects.filter(final__text=text).select_related("party").order_by("recorded_at", "id")
    return ContractView(
        accession_id=accession_id,
        number=text.number,
        version=_version(text),
        sha256=text.sha256,
        text=text.text,
        clauses=tuple(_clauses(text)),
        data=text.data,
        missing=tuple(shortcomings(text)),
        copies=tuple(
            CopyView(
                c.id,
                c.filename,
                c.size,
                c.file_sha256,
                c.kind,
                c.trust,
                str(Trust(c.trust).label),
                c.party.name if c.party else "",
                tuple(c.signatories),
                tuple(c.findings),
                c.recorded_at,
            )
            for c in copies
        ),
    )


def _text(actor: Actor, accession_id: UUID, number: int | None) -> ContractText:
    rows = visible_contract_texts(actor).filter(accession_id=accession_id).select_related("final__draft", "accession")
    text = (rows.filter(number=number) if number is not None else rows.order_by("-number")).first()
    if text is None:
        raise NotFound
    return text


def _clauses(text: ContractText) -> list[ClauseText]:
    return [ClauseText(e["code"], e["title"], e["text"]) for e in text.clauses]


def is_whole(actor: Actor, accession_id: UUID, number: int) -> bool:
    """Whether clauses and data of a version still give the hash it is known by.

    Raises:
        NotFound
    """
    text = _text(actor, accession_id, number)
    return contract_hash(text.clauses, text.data) == text.sha256


def contract_pdf(actor: Actor, accession_id: UUID, number: int) -> bytes:
    """A version as PDF/A-2a and PDF/UA-1: the bytes kept when it was finalised, before that a draft marked as one.

    Raises:
        NotFound, printing.Failed.
    """
    text = _text(actor, accession_id, number)
    if hasattr(text, "final"):
        return files.read(text.final.pdf_sha256)
    return print_contract(text, local_date(text.recorded_at), known_as=None)


def signed_copy(actor: Actor, copy_id: UUID) -> SignedCopy:
    """A signed copy to download.

    Raises:
        NotFound
    """
    found = SignedCopy.objects.filter(id=copy_id, final__text__in=visible_contract_texts(actor)).first()
    if found is None:
        raise NotFound
    return found


def print_contract(text: ContractText, day: date, *, known_as: int | None) -> bytes:
    """Set a version; without `known_as`, the number the parties know it by, it is marked as a draft.

    Raises:
        printing.Failed
    """
    with translation.override("de"):
        data = {
            "subject": gettext("Contract on the accession of %(name)s") % {"name": text.accession.member.name},
            "date": day,
            "reference": gettext("Version %(number)s") % {"number": known_as} if known_as else "",
            "version": (
                gettext("Version %(number)s of %(day)s") % {"number": known_as, "day": f"{day:%d.%m.%Y}"}
                if known_as
                else gettext("Working version %(number)s") % {"number": text.number}
            ),
            "clauses": [{"title": c.title, "paragraphs": c.paragraphs} for c in _clauses(text)],
            "places": [party["name"] for party in text.data["parties"]],
            "places_title": gettext("Signatures"),
            "place_label": gettext("Place, date"),
            "signature_label": gettext("Name, function, signature"),
            "hash_label": gettext("Checksum of the text (SHA-256), on which all parties decide"),
            "hash": text.sha256,
            "draft": known_as is None,
        }
    return printing.letter("membership/contract.typ", data)


def difference(actor: Actor, accession_id: UUID, old: int, new: int) -> list[DifferenceLine]:
    """How two versions differ, paragraph by paragraph; a changed one stands as deleted and inserted.

    Raises:
        NotFound
    """
    before, after = (_paragraphs(_text(actor, accession_id, number)) for number in (old, new))
    found = []
    for tag, a0, a1, b0, b1 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            found += [DifferenceLine("same", line) for line in before[a0:a1]]
        else:
            found += [DifferenceLine("deleted", line) for line in before[a0:a1]]
            found += [DifferenceLine("inserted", line) for line in after[b0:b1]]
    return found


DIFFERENCE_LABELS = {"same": _("unchanged"), "inserted": _("inserted"), "deleted": _("deleted")}


def _paragraphs(text: ContractText) -> list[str]:
    return [line for c in _clauses(text) for line in (c.title, *c.paragraphs)]


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
    for clause in _clauses(text):
        if clause.code not in standing:
            order.insert(order.index(before) + 1 if before else len(order), clause.code)
        assert text.accession.effective_on is not None
        standing[clause.code] = ConsolidatedClause(
            clause, text.accession_id, text.accession.member.name, text.accession.effective_on
        )
        before = clause.code
