"""Writes: the library of clauses, and the contract assembled from them, version by version."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.dateformat import format as format_date
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.models import (
    BEFORE_SIGNATURE,
    PLACEHOLDER,
    Accession,
    AccessionState,
    CarrierPeriod,
    ClauseKind,
    ClauseReview,
    ContractClause,
    ContractText,
    FinalContract,
    Member,
    contract_hash,
    in_force,
    normalised,
)
from verbund.modules.membership.policies import Permission, visible_accessions
from verbund.modules.membership.queries.contracts import print_contract, shortcomings, standing_clauses
from verbund.platform import audit, files
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.printing import euro
from verbund.platform.tenancy import Conflict, Invalid, NotFound, current_body, local_date, new_id

from .acts import NONE, AccessionNotFound, Evidence, StepRefused
from .carriers import Share
from .contracting import ContractTerms, current_draft, put_contract_version
from .effect import OtherText, record_publication

START_SET: Final = Path(__file__).resolve().parents[1] / "data" / "clauses.toml"
LANGUAGE: Final = "de"  # of the contracts, whoever writes them


class BadClause(Invalid):
    """What was entered for a clause cannot be taken."""


class ClauseConflict(Conflict):
    """The clause as it stands forbids the step."""


class BadContract(Invalid):
    """What was entered for a contract cannot be taken."""


class ContractIncomplete(StepRefused):
    """The text cannot be put before the parties; `missing` says line by line what it lacks."""

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__(gettext("The contract cannot be finalised: %(missing)s") % {"missing": " ".join(missing)})
        self.missing = tuple(missing)


@dataclass(frozen=True, slots=True)
class ContractParty:
    """ContractParty (Vertragspartei): share in cents and seats a party has when the contract is in force."""

    member_id: UUID
    share_cents: int
    seats: int


@dataclass(frozen=True, slots=True)
class ContractData:
    """ContractData (Vertragsdaten): what the placeholders stand for.

    `values` are those the platform does not know itself; `repeals` are codes of earlier contracts' clauses that end.
    """

    parties: tuple[ContractParty, ...] = ()
    chair: UUID | None = None
    tasks: tuple[str, ...] = ()
    effective_on: date | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    repeals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContractVersionRef:
    """ContractVersionRef (Fassung): the number of a working version and its hash."""

    number: int
    sha256: str


@transaction.atomic
def write_clause(actor: Actor, *, code: str, title: str, text: str, kinds: Sequence[str], now: datetime) -> int:
    """Write a clause (Vertragsklausel), or a further version of it. Returns the version's number.

    Raises:
        policy.Denied, BadClause, ClauseConflict (nothing has changed).
    """
    policy.require(actor, Permission.WRITE_CLAUSES)
    assert actor.id is not None
    code, title, text = code.strip(), normalised(title), normalised(text)
    errors: dict[str, str | Promise] = {}
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,59}", code):
        errors["code"] = _("The code has small letters, digits and underscores and begins with a letter.")
    if not 2 <= len(title) <= 200 or "\n" in title:
        errors["title"] = _("Enter a title of 2 to 200 characters.")
    if not 10 <= len(text) <= 20_000:
        errors["text"] = _("Enter the text of the clause, 10 to 20,000 characters.")
    elif re.search(r"[{}]", PLACEHOLDER.sub("", text)):
        errors["text"] = _("A placeholder is a name in braces, like {candidate}. Check the braces.")
    elif _has_controls(text) or _has_controls(title):
        errors["text"] = _("The text contains characters that cannot be shown. Enter it anew.")
    if not kinds or not set(kinds) <= set(ClauseKind.values):
        errors["kinds"] = _("Say which content the clause covers.")
    if errors:
        raise BadClause(errors)
    latest = ContractClause.objects.filter(code=code).order_by("-number").first()
    if latest and (latest.title, latest.text, latest.kinds) == (title, text, sorted(set(kinds))):
        raise ClauseConflict(_("The clause reads like this already. Change it before you save a new version."))
    clause = ContractClause(
        id=new_id(),
        code=code,
        number=latest.number + 1 if latest else 1,
        title=title,
        text=text,
        kinds=sorted(set(kinds)),
        author_id=actor.id,
        author_name=actor.name,
        recorded_at=now,
    )
    try:
        with transaction.atomic():
            clause.save(force_insert=True)
    except IntegrityError as error:
        raise ClauseConflict(_("Somebody else has just changed this clause. Look at the new version first.")) from error
    audit.record(
        actor,
        "membership.clause.written",
        "membership.clause",
        clause.id,
        after={"code": code, "number": clause.number},
    )
    return clause.number


@transaction.atomic
def load_start_clauses(actor: Actor, *, now: datetime) -> int:
    """Put the start set (Startbestand) into the library as drafts; codes already there stay. Returns how many.

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.WRITE_CLAUSES)
    known = set(ContractClause.objects.values_list("code", flat=True))
    clauses = tomllib.loads(START_SET.read_text(encoding="utf-8"))["clause"]
    new = [clause for clause in clauses if clause["code"] not in known]
    for clause in new:
        write_clause(
            actor, code=clause["code"], title=clause["title"], text=clause["text"], kinds=clause["kinds"], now=now
        )
    return len(new)


@transaction.atomic
def review_clause(actor: Actor, *, code: str, number: int, now: datetime, note: str = "") -> None:
    """Find a version of a clause good (Prüfung): another person than its author.

    Raises:
        policy.Denied, NotFound, ClauseConflict (one's own, or reviewed already).
    """
    policy.require(actor, Permission.REVIEW_CLAUSES)
    assert actor.id is not None
    clause = ContractClause.objects.filter(code=code, number=number).first()
    if clause is None:
        raise NotFound
    if clause.author_id == actor.id:
        raise ClauseConflict(_("You have written this version yourself. Ask another person to review it."))
    if ClauseReview.objects.filter(clause=clause).exists():
        raise ClauseConflict(_("This version has been reviewed already."))
    review = ClauseReview(
        id=new_id(),
        clause=clause,
        author_id=clause.author_id,
        reviewer_id=actor.id,
        reviewer_name=actor.name,
        note=note.strip()[:1000],
        recorded_at=now,
    )
    try:
        with transaction.atomic():
            review.save(force_insert=True)
    except IntegrityError as error:
        raise ClauseConflict(_("This version has been reviewed already.")) from error
    audit.record(
        actor, "membership.clause.reviewed", "membership.clause", clause.id, after={"code": code, "number": number}
    )


@transaction.atomic
def draft_contract(
    actor: Actor, *, accession_id: UUID, clauses: Sequence[str], data: ContractData, now: datetime
) -> ContractVersionRef:
    """Assemble a working version (Vertragstext) of an accession's contract from clauses, in this order, and data.

    Of each clause the newest reviewed version is taken, without one the newest. The version may be incomplete; it is
    never changed, the next one gets the next number.

    Raises:
        policy.Denied, AccessionNotFound, BadContract (all errors by field), StepRefused (signed, or this very text is
        there already).
    """
    policy.require(actor, Permission.MANAGE_ACCESSIONS)
    assert actor.id is not None
    accession = (
        visible_accessions(actor)
        .select_for_update(of=("self",))
        .select_related("member")
        .filter(id=accession_id)
        .first()
    )
    if accession is None:
        raise AccessionNotFound
    if AccessionState(accession.state) not in BEFORE_SIGNATURE | {AccessionState.OBJECTION}:
        raise StepRefused(_("The contract has been signed or the accession is closed: no further version is drafted."))
    members = {m.id: m for m in Member.objects.filter(id__in=[p.member_id for p in data.parties])}
    library = standing_clauses(clauses)
    _check(clauses, library, data, members)
    said, values = _values(accession, data, members)
    entries = [_entry(library[code], values) for code in clauses]
    sha256 = contract_hash(entries, said)
    if same := ContractText.objects.filter(accession=accession, sha256=sha256).first():
        raise StepRefused(gettext("This very text is version %(number)s already.") % {"number": same.number})
    last = ContractText.objects.filter(accession=accession).order_by("-number").first()
    text = ContractText.objects.create(
        id=new_id(),
        accession=accession,
        number=last.number + 1 if last else 1,
        clauses=entries,
        data=said,
        text="\n\n".join(f"§ {n} {e['title']}\n\n{e['text']}" for n, e in enumerate(entries, start=1)),
        sha256=sha256,
        author_id=actor.id,
        author_name=actor.name,
        recorded_at=now,
    )
    audit.record(
        actor,
        "membership.contract.drafted",
        "membership.accession",
        accession.id,
        after={"number": text.number, "sha256": sha256, "clauses": list(clauses)},
    )
    return ContractVersionRef(text.number, sha256)


def _check(
    codes: Sequence[str], library: Mapping[str, ContractClause], data: ContractData, members: Mapping[UUID, Member]
) -> None:
    errors: dict[str, str | Promise] = {}
    if not codes:
        errors["clauses"] = _("Choose the clauses of the contract.")
    elif len(set(codes)) != len(codes):
        errors["clauses"] = _("A clause stands in a contract once.")
    elif unknown := [code for code in codes if code not in library]:
        errors["clauses"] = gettext("The library has no such clause: %(codes)s.") % {"codes": ", ".join(unknown)}
    ids = [p.member_id for p in data.parties]
    if len(set(ids)) != len(ids) or len(members) != len(ids):
        errors["parties"] = _("Choose the parties from the list of members, each once.")
    if any(not 0 <= p.share_cents < 10**12 or not 0 <= p.seats <= 99 for p in data.parties):
        errors["parties"] = _("Enter share and seats of each party; neither can be negative.")
    if data.chair is not None and data.chair not in ids:
        errors["chair"] = _("The chair must be one of the parties.")
    texts = [*data.tasks, *data.values.values()]
    if any(len(t) > 2000 or _has_controls(t) for t in texts):
        errors["values"] = _("A value has at most 2,000 characters, and only such that can be shown.")
    if set(data.repeals) & set(codes):
        errors["repeals"] = _("A clause of this contract cannot be repealed by it.")
    if errors:
        raise BadContract(errors)


def _has_controls(text: str) -> bool:
    return any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn"} and c not in "\n\t\u00ad" for c in text)


def _values(
    accession: Accession, data: ContractData, members: Mapping[UUID, Member]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The data as they are kept and hashed, and the words they put in the place of placeholders."""
    parties = [(members[p.member_id].name, p) for p in data.parties]
    effective_on = data.effective_on or accession.planned_effect_on
    chair = members[data.chair].name if data.chair else ""
    with translation.override(LANGUAGE):
        words = {
            "alliance": current_body().name,
            "candidate": accession.member.name,
            "parties": _listed([name for name, _party in parties]),
            "shares": _listed(
                [
                    gettext("%(name)s with %(amount)s") % {"name": name, "amount": euro(party.share_cents)}
                    for name, party in parties
                ]
            ),
            "seats": _listed(
                [
                    ngettext("%(name)s with %(count)s seat", "%(name)s with %(count)s seats", party.seats)
                    % {"name": name, "count": party.seats}
                    for name, party in parties
                ]
            ),
            "total": euro(sum(p.share_cents for p in data.parties)) if parties else "",
            "board_size": str(sum(p.seats for p in data.parties)) if parties else "",
            "chair": chair,
            "tasks": _listed(list(data.tasks)),
            "effective_on": format_date(effective_on, gettext("j F Y")) if effective_on else "",
        }
    own = {key: normalised(value) for key, value in data.values.items() if key not in words and normalised(value)}
    said = {
        "alliance": words["alliance"],
        "candidate": str(accession.member_id),
        "parties": [
            {"member": str(p.member_id), "name": name, "share_cents": p.share_cents, "seats": p.seats}
            for name, p in parties
        ],
        "chair": str(data.chair) if data.chair else None,
        "tasks": [normalised(task) for task in data.tasks],
        "effective_on": effective_on.isoformat() if effective_on else None,
        "values": own,
        "repeals": sorted(set(data.repeals)),
    }
    return said, {**own, **{key: normalised(value) for key, value in words.items()}}


def _listed(names: list[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return gettext("%(first)s and %(last)s") % {"first": ", ".join(names[:-1]), "last": names[-1]}


def _entry(clause: ContractClause, values: Mapping[str, str]) -> dict[str, Any]:
    """A clause with the values in it; a placeholder without a value stays as it stands."""
    text = PLACEHOLDER.sub(lambda found: values.get(found[1]) or found[0], clause.text)
    return {
        "code": clause.code,
        "number": clause.number,
        "title": clause.title,
        "kinds": sorted(clause.kinds),
        "wording": clause.text,
        "text": normalised(text),
        "open": sorted({name for name in PLACEHOLDER.findall(clause.text) if not values.get(name)}),
    }


@transaction.atomic
def finalise_contract(
    actor: Actor,
    *,
    accession_id: UUID,
    number: int,
    now: datetime,
    on: date | None = None,
    evidence: Evidence = NONE,
) -> int:
    """Finalise a working version (Schlussfassung): complete as § 167b (3) KV M-V requires, as PDF, put before all
    parties. Returns the number under which the parties know it; their consents hang on its hash (M1).

    Raises:
        policy.Denied, AccessionNotFound, NotFound, ContractIncomplete, BadStep, StepRefused.
    """
    policy.require(actor, Permission.MANAGE_ACCESSIONS)
    text = _locked_text(actor, accession_id, number)
    day = on or local_date(now)
    if FinalContract.objects.filter(text=text).exists():
        raise StepRefused(_("This version lies before the parties already."))
    if missing := [*shortcomings(text), *_party_gaps(text, day)]:
        raise ContractIncomplete(missing)
    known_as = put_contract_version(
        actor,
        accession_id=accession_id,
        sha256=text.sha256,
        label=gettext("Working version %(number)s") % {"number": text.number},
        now=now,
        on=day,
        terms=_terms(text, day),
        evidence=evidence,
    )
    draft = current_draft(text.accession)
    pdf = print_contract(text, day, known_as=known_as)
    stored = files.put(pdf, filename="vertrag.pdf", allow=frozenset({"application/pdf"}))
    FinalContract.objects.create(id=new_id(), text=text, draft=draft, pdf_sha256=stored.sha256, recorded_at=now)
    audit.record(
        actor,
        "membership.contract.finalised",
        "membership.accession",
        accession_id,
        after={"number": number, "version": known_as, "sha256": text.sha256, "pdf": stored.sha256},
    )
    return known_as


def _locked_text(actor: Actor, accession_id: UUID, number: int) -> ContractText:
    accession = visible_accessions(actor).select_for_update(of=("self",)).filter(id=accession_id).first()
    if accession is None:
        raise AccessionNotFound
    text = ContractText.objects.filter(accession=accession, number=number).select_related("accession__member").first()
    if text is None:
        raise NotFound
    return text


def _party_gaps(text: ContractText, day: date) -> list[str]:
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
    return found


def _terms(text: ContractText, day: date) -> ContractTerms:
    """What the contract says about shares and seats, as the accession needs it."""
    rows = CarrierPeriod.objects.filter(in_force(day), recorded_until__isnull=True)
    standing = {row.member_id: (row.share_cents, row.seats) for row in rows}
    parties = {UUID(p["member"]): (p["share_cents"], p["seats"]) for p in text.data["parties"]}
    own = parties.pop(text.accession.member_id)
    return ContractTerms(
        share_cents=own[0],
        seats=own[1],
        changes=tuple(Share(member, *facts) for member, facts in parties.items() if standing.get(member) != facts),
        chair=UUID(text.data["chair"]),
        total_cents=own[0] + sum(cents for cents, _seats in parties.values()),
        board_size=own[1] + sum(seats for _cents, seats in parties.values()),
    )


@transaction.atomic
def publish_contract_text(
    actor: Actor,
    *,
    accession_id: UUID,
    medium_id: UUID,
    text: str,
    on: date,
    now: datetime,
    evidence: Evidence = NONE,
) -> None:
    """Record a publication (Bekanntmachung) by the text that was printed: it must be the consented one (M9).

    Spaces and the form of composed letters do not count, every other character does.

    Raises:
        policy.Denied, AccessionNotFound, NotFound (no text was finalised here), OtherText, BadStep, StepRefused.
    """
    policy.require(actor, Permission.MANAGE_ACCESSIONS)
    accession = visible_accessions(actor).filter(id=accession_id).first()
    if accession is None:
        raise AccessionNotFound
    final = (
        FinalContract.objects.filter(text__accession=accession)
        .select_related("text")
        .order_by("-draft__number")
        .first()
    )
    if final is None or final.draft_id != current_draft(accession).id:
        raise NotFound
    if normalised(text) != normalised(final.text.text):
        raise OtherText(_("The published text is not the one that all parties have consented to. Compare the two."))
    record_publication(
        actor,
        accession_id=accession_id,
        medium_id=medium_id,
        sha256=final.text.sha256,
        on=on,
        now=now,
        evidence=evidence,
    )
