"""Writes: the library of clauses, and the contract assembled from them, version by version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
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
    ContractClause,
    ContractText,
    FinalContract,
    Member,
    contract_hash,
    has_controls,
    in_force,
    normalised,
)
from verbund.modules.membership.policies import Permission, visible_accessions
from verbund.modules.membership.queries.clauses import standing_clauses
from verbund.modules.membership.queries.contracts import print_contract
from verbund.modules.membership.queries.shortcomings import party_gaps, shortcomings
from verbund.platform import audit, files
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.printing import euro
from verbund.platform.tenancy import Invalid, NotFound, current_body, local_date, new_id
from verbund.platform.tenancy.clock import LEGAL_ZONE

from .acts import NONE, AccessionNotFound, Evidence, StepRefused
from .carriers import Share
from .contracting import ContractTerms, current_draft, put_contract_version
from .effect import OtherText, record_publication

LANGUAGE: Final = "de"  # of the contracts, whoever writes them


class BadContract(Invalid):
    """What was entered for a contract cannot be taken."""


class ContractIncomplete(StepRefused):
    """The text cannot be put before the parties; `missing` says line by line what it lacks."""

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__(gettext("The contract cannot be finalised: %(missing)s") % {"missing": " ".join(missing)})
        self.missing = tuple(missing)


class OtherDraft(StepRefused):
    """Somebody else has drafted a version since this one was begun; `changes` says who."""

    def __init__(self, latest: ContractText) -> None:
        super().__init__(_("Somebody else has drafted a version meanwhile. Look at it, then draft yours on top of it."))
        self.changes = (
            gettext("Working version %(number)s by %(name)s, %(at)s")
            % {
                "number": latest.number,
                "name": latest.author_name,
                "at": f"{latest.recorded_at.astimezone(LEGAL_ZONE):%d.%m.%Y, %H:%M}",
            },
        )


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
def draft_contract(
    actor: Actor,
    *,
    accession_id: UUID,
    clauses: Sequence[str],
    data: ContractData,
    now: datetime,
    expected_number: int | None = None,
) -> ContractVersionRef:
    """Assemble a working version (Vertragstext) of an accession's contract from clauses, in this order, and data.

    Of each clause the newest reviewed version is taken, without one the newest. The version may be incomplete; it is
    never changed, the next one gets the next number. `expected_number` is the version the writer started from, 0 for
    the first one; None does not ask.

    Raises:
        policy.Denied, AccessionNotFound, BadContract (all errors by field), StepRefused (signed, or this very text is
        there already), OtherDraft (somebody else was quicker).
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
    if last and expected_number is not None and last.number != expected_number:
        raise OtherDraft(last)
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
    if any(len(t) > 2000 or has_controls(t) for t in texts):
        errors["values"] = _("A value has at most 2,000 characters, and only such that can be shown.")
    if set(data.repeals) & set(codes):
        errors["repeals"] = _("A clause of this contract cannot be repealed by it.")
    if errors:
        raise BadContract(errors)


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
    if missing := [*shortcomings(text), *party_gaps(text, day)]:
        raise ContractIncomplete([found.text for found in missing])
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
