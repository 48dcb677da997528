"""Reads: the versions of a contract, each whole, as PDF, and with its signed copies."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import F
from django.utils import translation
from django.utils.translation import gettext

from verbund.modules.membership.models import (
    Accession,
    ContractDraft,
    ContractText,
    Decision,
    SignedCopy,
    Trust,
    TrustAnchor,
    contract_hash,
)
from verbund.modules.membership.policies import Permission, visible_accessions, visible_contract_texts
from verbund.platform import files, printing
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import NotFound, local_date

from .shortcomings import Shortcoming, party_gaps, shortcomings


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
    """ContractFacts (Fassung): a row of the list; `version` is the number under which the parties know it.

    `state` is draft | before_parties | superseded | signed. `consented` of `parties` have said yes to this version.
    A version that is known by its hash only has the `number` 0.
    """

    number: int
    sha256: str
    author_name: str
    recorded_at: datetime
    version: int | None
    label: str
    state: str
    consented: tuple[str, ...]
    parties: int
    put_on: date | None


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
    actor_name: str

    @property
    def checks(self) -> list[dict[str, Any]]:
        """The findings with their instants as such, and names as people write them."""
        instants, names = ("stamped_at", "claimed_at"), ("signer", "issuer")
        return [
            {
                **f,
                **{k: datetime.fromisoformat(f[k]) for k in instants if f.get(k)},
                **{k: _called(f[k]) for k in names},
            }
            for f in self.findings
        ]

    @property
    def signed(self) -> list[dict[str, Any]]:
        """Who signed, with the day as such."""
        return [{**s, "signed_on": date.fromisoformat(s["signed_on"])} for s in self.signatories]


def _called(subject: str) -> str:
    """The name in a certificate's subject, with the organisation if it names one."""
    parts = dict(part.split(": ", 1) for part in subject.split(", ") if ": " in part)
    name, organisation = parts.get("Common Name", ""), parts.get("Organization", "")
    if not name:
        return subject
    return f"{name} ({organisation})" if organisation and organisation != name else name


@dataclass(frozen=True, slots=True)
class ContractView:
    """ContractView (Vertragstext): one version whole; `lacks` says what keeps it from being finalised."""

    accession_id: UUID
    facts: ContractFacts
    text: str
    clauses: tuple[ClauseText, ...]
    data: dict[str, Any]
    lacks: tuple[Shortcoming, ...]
    copies: tuple[CopyView, ...]

    @property
    def number(self) -> int:
        """The number of the working version."""
        return self.facts.number

    @property
    def version(self) -> int | None:
        """The number under which the parties know it."""
        return self.facts.version

    @property
    def sha256(self) -> str:
        """Its hash."""
        return self.facts.sha256

    @property
    def missing(self) -> tuple[str, ...]:
        """What it lacks, as sentences."""
        return tuple(found.text for found in self.lacks)


def contract_versions(actor: Actor, accession_id: UUID) -> list[ContractFacts]:
    """The versions of an accession's contract, the newest first; those known by their hash only stand at the end.

    Raises:
        NotFound
    """
    accession = visible_accessions(actor).filter(id=accession_id).first()
    if accession is None:
        raise NotFound
    texts = visible_contract_texts(actor).filter(accession=accession).select_related("final").order_by("-number")
    drafts = {d.id: d for d in accession.drafts.prefetch_related("consents__party")}
    newest = max((d.number for d in drafts.values()), default=0)
    found = []
    for text in texts:
        draft = drafts.pop(text.final.draft_id) if hasattr(text, "final") else None
        found.append(_facts(accession, newest, draft, text))
    by_hash = sorted(drafts.values(), key=lambda d: -d.number)
    return [*found, *(_facts(accession, newest, draft, None) for draft in by_hash)]


def _facts(accession: Accession, newest: int, draft: ContractDraft | None, text: ContractText | None) -> ContractFacts:
    consents = list(draft.consents.all()) if draft else []
    state = "draft"
    if draft:
        current = "signed" if accession.signed_on else "before_parties"
        state = current if draft.number == newest else "superseded"
    row: ContractText | ContractDraft | None = text or draft
    assert row is not None
    return ContractFacts(
        number=text.number if text else 0,
        sha256=row.sha256,
        author_name=text.author_name if text else "",
        recorded_at=row.recorded_at,
        version=draft.number if draft else None,
        label=draft.label if draft else "",
        state=state,
        consented=tuple(sorted(c.party.name for c in consents if c.decision == Decision.CONSENTED)),
        parties=len(consents),
        put_on=draft.put_on if draft else None,
    )


def contract(actor: Actor, accession_id: UUID, number: int | None = None, *, day: date | None = None) -> ContractView:
    """One version of an accession's contract, the newest if no number is given.

    With `day` it is also said which parties it lacks or names too many on that day.

    Raises:
        NotFound
    """
    text = text_of(actor, accession_id, number)
    facts = next(f for f in contract_versions(actor, accession_id) if f.number == text.number)
    copies = SignedCopy.objects.filter(final__text=text).select_related("party").order_by("recorded_at", "id")
    return ContractView(
        accession_id=accession_id,
        facts=facts,
        text=text.text,
        clauses=tuple(clauses_of(text)),
        data=text.data,
        lacks=(*shortcomings(text), *(party_gaps(text, day) if day else [])),
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
                c.actor_name,
            )
            for c in copies
        ),
    )


def text_of(actor: Actor, accession_id: UUID, number: int | None) -> ContractText:
    """The row of a version, the newest if no number is given.

    Raises:
        NotFound
    """
    rows = visible_contract_texts(actor).filter(accession_id=accession_id).select_related("final__draft", "accession")
    text = (rows.filter(number=number) if number is not None else rows.order_by("-number")).first()
    if text is None:
        raise NotFound
    return text


def clauses_of(text: ContractText) -> list[ClauseText]:
    """A version's clauses with their values."""
    return [ClauseText(e["code"], e["title"], e["text"]) for e in text.clauses]


def is_whole(actor: Actor, accession_id: UUID, number: int) -> bool:
    """Whether clauses and data of a version still give the hash it is known by.

    Raises:
        NotFound
    """
    text = text_of(actor, accession_id, number)
    return contract_hash(text.clauses, text.data) == text.sha256


def contract_pdf(actor: Actor, accession_id: UUID, number: int) -> bytes:
    """A version as PDF/A-2a and PDF/UA-1: the bytes kept when it was finalised, before that a draft marked as one.

    Raises:
        NotFound, printing.Failed.
    """
    text = text_of(actor, accession_id, number)
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
            "clauses": [{"title": c.title, "paragraphs": c.paragraphs} for c in clauses_of(text)],
            "places": [party["name"] for party in text.data["parties"]],
            "places_title": gettext("Signatures"),
            "place_label": gettext("Place, date"),
            "signature_label": gettext("Name, function, signature"),
            "hash_label": gettext("Checksum of the text (SHA-256), on which all parties decide"),
            "hash": text.sha256,
            "draft": known_as is None,
        }
    return printing.letter("membership/contract.typ", data)


def final_pdf(actor: Actor, accession_id: UUID, number: int) -> str | None:
    """The SHA-256 of the PDF kept when a version was finalised; None before that.

    Raises:
        NotFound
    """
    text = text_of(actor, accession_id, number)
    return text.final.pdf_sha256 if hasattr(text, "final") else None


def trust_anchors(actor: Actor) -> list[TrustAnchor]:
    """The certificates that were ever trusted, those trusted now first.

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.MANAGE_TRUST)
    return list(TrustAnchor.objects.order_by(F("withdrawn_at").asc(nulls_first=True), "name", "id"))


def trust_anchor(actor: Actor, anchor_id: UUID) -> TrustAnchor:
    """One certificate.

    Raises:
        policy.Denied, NotFound.
    """
    policy.require(actor, Permission.MANAGE_TRUST)
    found = TrustAnchor.objects.filter(id=anchor_id).first()
    if found is None:
        raise NotFound
    return found
