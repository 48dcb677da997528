"""Writes: the versions of the contract, every party's decision on one and the same of them, and the signatures."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.events import ContractVersionPut
from verbund.modules.membership.models import (
    Accession,
    AccessionState,
    Action,
    CarrierPeriod,
    Consent,
    ContractDraft,
    Decision,
    LegalParameter,
    Member,
    OrganKind,
    ParameterKey,
    ParameterNotSet,
    Signature,
    TermOfOffice,
    in_force,
)
from verbund.modules.membership.policies import Permission, may_decide_for
from verbund.platform import events
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import local_date, new_id
from verbund.platform.ui.templatetags.ui import cents as euros

from .acts import NONE, BadStep, Evidence, Resolution, StepRefused, begin, finish, require_after
from .carriers import Share

_HASH = re.compile(r"[0-9a-f]{64}\Z")


class AlreadyDecided(StepRefused):
    """The party has decided on this version already; somebody else was quicker."""


class OtherVersion(StepRefused):
    """The decision was taken on another version than the one that lies before the parties now."""


@dataclass(frozen=True, slots=True)
class ContractTerms:
    """ContractTerms (Beteiligungsverhältnisse im Vertrag, § 167b (3) nos. 1, 2 KV M-V).

    `share_cents` None means what is set for new carriers on the day. `changes` are the carriers whose share or seats
    change with the contract. `total_cents` and `board_size` are what the contract states: they must agree with the sum.
    """

    share_cents: int | None = None
    seats: int = 1
    changes: tuple[Share, ...] = ()
    chair: UUID | None = None
    total_cents: int | None = None
    board_size: int | None = None


@dataclass(frozen=True, slots=True)
class SignatureFacts:
    """SignatureFacts (Unterschrift): who signed for which party, in which function, on which day."""

    party_id: UUID
    name: str
    function: str
    signed_on: date


@transaction.atomic
def put_contract_version(
    actor: Actor,
    *,
    accession_id: UUID,
    sha256: str,
    label: str,
    now: datetime,
    on: date | None = None,
    terms: ContractTerms | None = None,
    evidence: Evidence = NONE,
) -> int:
    """Put a version of the contract (Vertragsfassung) before all parties: every carrier of that day and the candidate.

    Consents to earlier versions no longer count (M1); they stay in the history. `on` is today if not given. Returns
    the version's number.

    Raises:
        policy.Denied, AccessionNotFound, BadStep, StepRefused (no costs stated, no carriers, the text was put before).
    """
    day = on or local_date(now)
    accession = begin(actor, accession_id, Action.PUT_CONTRACT_VERSION, on=day, now=now)
    if not _HASH.match(sha256):
        raise BadStep({"sha256": _("The hash has 64 characters 0-9 and a-f.")})
    if accession.costs_stated_on is None:
        raise StepRefused(_("State the costs first: the parties decide on a contract knowing what it costs."))
    require_after(day, accession.costs_stated_on, gettext("the statement of costs"))
    earlier = list(accession.drafts.order_by("number"))
    if same := [d for d in earlier if d.sha256 == sha256]:
        raise StepRefused(gettext("This very text is version %(number)s already.") % {"number": same[0].number})
    if earlier:
        require_after(day, earlier[-1].put_on, gettext("the version before"))
    carriers = _carriers(day)
    if not carriers:
        raise StepRefused(_("Nobody carries the alliance on this day: record the founding first."))
    wanted = terms or ContractTerms()
    draft = ContractDraft(
        id=new_id(),
        accession=accession,
        number=len(earlier) + 1,
        sha256=sha256,
        label=label.strip()[:200],
        put_on=day,
        share_cents=_share_cents(wanted, day),
        seats=wanted.seats,
        changes=[{"member": str(c.member_id), "cents": c.share_cents, "seats": c.seats} for c in wanted.changes],
        chair_id=wanted.chair,
        total_cents=wanted.total_cents,
        board_size=wanted.board_size,
        recorded_at=now,
    )
    _check_terms(accession, wanted, set(carriers))
    draft.save(force_insert=True)
    parties = [*(c for c in carriers if c != accession.member_id), accession.member_id]
    Consent.objects.bulk_create(
        Consent(id=new_id(), draft=draft, party_id=party, is_candidate=party == accession.member_id)
        for party in parties
    )
    accession.signed_on = None
    events.publish(actor, ContractVersionPut(accession.id, draft.number, sha256))
    finish(
        actor,
        accession,
        Action.PUT_CONTRACT_VERSION,
        on=day,
        now=now,
        evidence=evidence,
        details={"number": draft.number, "sha256": sha256, "parties": len(parties)},
        fields=("signed_on",),
    )
    return draft.number


def _carriers(day: date) -> dict[UUID, CarrierPeriod]:
    rows = CarrierPeriod.objects.filter(in_force(day), recorded_until__isnull=True).select_related("member")
    return {row.member_id: row for row in rows.order_by("member__name", "member_id")}


def _share_cents(terms: ContractTerms, day: date) -> int:
    if terms.share_cents is not None:
        return terms.share_cents
    try:
        return LegalParameter.value_on(ParameterKey.NEW_CARRIER_CAPITAL, day)
    except ParameterNotSet as error:
        raise BadStep({"share_cents": _("Nothing is set for this day. Enter the candidate's share.")}) from error


def _check_terms(accession: Accession, terms: ContractTerms, carriers: set[UUID]) -> None:
    errors: dict[str, str | Promise] = {}
    if (terms.share_cents or 0) < 0 or not 0 <= terms.seats <= 99:
        errors["share_cents"] = _("Shares and seats cannot be negative.")
    changed = [c.member_id for c in terms.changes]
    if len(set(changed)) != len(changed) or not set(changed) <= carriers:
        errors["changes"] = _("Changes concern carriers of this day, each once.")
    if any(c.share_cents < 0 or not 0 <= c.seats <= 99 for c in terms.changes):
        errors["changes"] = _("Shares and seats cannot be negative.")
    if terms.chair is not None and terms.chair not in carriers | {accession.member_id}:
        errors["chair"] = _("The chair must be one of the carriers.")
    if errors:
        raise BadStep(errors)


@transaction.atomic
def record_consent(
    actor: Actor,
    *,
    accession_id: UUID,
    party_id: UUID,
    version_sha256: str,
    resolution: Resolution,
    on: date,
    now: datetime,
    evidence: Evidence = NONE,
) -> None:
    """Record a carrier's consent (Zustimmung) to exactly this version; a representative does so for the own body only.

    A carrier that has joined since the version was put may consent too, and must before the signature (M6).

    Raises:
        policy.Denied, AccessionNotFound, BadStep, StepRefused, OtherVersion, AlreadyDecided.
    """
    accession = begin(
        actor, accession_id, Action.RECORD_CONSENT, on=on, now=now, permission=Permission.DECIDE_FOR_MEMBER
    )
    consent = _open_decision(actor, accession, party_id, version_sha256, on)
    if consent.is_candidate:
        raise StepRefused(_("The candidate does not consent, it resolves to join. Record its resolution."))
    resolution.require_majority()
    _decide(consent, Decision.CONSENTED, on, now, evidence, resolution)
    finish(
        actor,
        accession,
        Action.RECORD_CONSENT,
        on=on,
        now=now,
        evidence=evidence,
        to=_after_decision(accession),
        party=party_id,
        details={"number": consent.draft.number, **resolution.facts()},
    )


@transaction.atomic
def record_candidate_resolution(
    actor: Actor,
    *,
    accession_id: UUID,
    version_sha256: str,
    resolution: Resolution,
    on: date,
    now: datetime,
    evidence: Evidence = NONE,
) -> None:
    """Record the candidate's resolution to join (Beitrittsbeschluss) with exactly this version.

    Raises:
        policy.Denied, AccessionNotFound, BadStep, StepRefused, OtherVersion, AlreadyDecided.
    """
    accession = begin(
        actor, accession_id, Action.RECORD_CANDIDATE_RESOLUTION, on=on, now=now, permission=Permission.DECIDE_FOR_MEMBER
    )
    consent = _open_decision(actor, accession, accession.member_id, version_sha256, on)
    resolution.require_majority()
    _decide(consent, Decision.CONSENTED, on, now, evidence, resolution)
    finish(
        actor,
        accession,
        Action.RECORD_CANDIDATE_RESOLUTION,
        on=on,
        now=now,
        evidence=evidence,
        to=_after_decision(accession),
        party=accession.member_id,
        details={"number": consent.draft.number, **resolution.facts()},
    )


@transaction.atomic
def refuse(
    actor: Actor,
    *,
    accession_id: UUID,
    party_id: UUID,
    version_sha256: str,
    resolution: Resolution,
    on: date,
    now: datetime,
    evidence: Evidence = NONE,
) -> None:
    """Record that a carrier or the candidate refuses (Versagung) this version: a new one is needed, or the end.

    Raises:
        policy.Denied, AccessionNotFound, BadStep, StepRefused, OtherVersion, AlreadyDecided.
    """
    accession = begin(actor, accession_id, Action.REFUSE, on=on, now=now, permission=Permission.DECIDE_FOR_MEMBER)
    consent = _open_decision(actor, accession, party_id, version_sha256, on)
    resolution.require_sound()
    _decide(consent, Decision.REFUSED, on, now, evidence, resolution)
    finish(
        actor,
        accession,
        Action.REFUSE,
        on=on,
        now=now,
        evidence=evidence,
        party=party_id,
        details={"number": consent.draft.number, **resolution.facts()},
    )


def current_draft(accession: Accession) -> ContractDraft:
    """The version that lies before the parties."""
    draft: ContractDraft = accession.drafts.order_by("-number")[0]
    return draft


def _open_decision(actor: Actor, accession: Accession, party_id: UUID, version_sha256: str, on: date) -> Consent:
    draft = current_draft(accession)
    party = Member.objects.filter(id=party_id).first()
    slot = None if party is None else Consent.objects.filter(draft=draft, party=party).first()
    late = party is not None and slot is None and party_id in _carriers(on)
    if party is None or not (slot or late):
        raise StepRefused(_("This body does not decide on the accession: it is neither a carrier nor the candidate."))
    policy.require(actor, Permission.DECIDE_FOR_MEMBER, when=may_decide_for(actor, party))
    if version_sha256 != draft.sha256:
        older = accession.drafts.filter(sha256=version_sha256).first()
        if older is None:
            raise OtherVersion(_("The parties do not know this text. Decide on the version that lies before them."))
        raise OtherVersion(
            gettext("That was a decision on version %(old)s. Version %(new)s lies before the parties now.")
            % {"old": older.number, "new": draft.number}
        )
    require_after(on, draft.put_on, gettext("the day the version was put forward"))
    consent = slot or Consent(id=new_id(), draft=draft, party=party, joined_later=True)
    if consent.decision != Decision.PENDING:
        raise AlreadyDecided(
            gettext("%(name)s has decided on this version already: %(decision)s on %(day)s.")
            % {
                "name": party.name,
                "decision": Decision(consent.decision).label,
                "day": f"{consent.decided_on:%d.%m.%Y}",
            }
        )
    return consent


def _decide(
    consent: Consent, decision: Decision, on: date, now: datetime, evidence: Evidence, resolution: Resolution
) -> None:
    consent.decision = decision
    consent.decided_on = on
    consent.organ = resolution.organ.strip()[:200]
    consent.resolution = evidence.document[:200]
    consent.votes_for, consent.votes_against = resolution.votes_for, resolution.votes_against
    consent.abstentions = resolution.abstentions
    consent.date_known = evidence.date_known
    consent.recorded_at = now
    consent.save()


def _after_decision(accession: Accession) -> AccessionState:
    open_ones = Consent.objects.filter(draft=current_draft(accession)).exclude(decision=Decision.CONSENTED)
    return AccessionState.DRAFT_CONTRACT if open_ones.exists() else AccessionState.ALL_CONSENTED


@transaction.atomic
def sign(
    actor: Actor,
    *,
    accession_id: UUID,
    signatures: Iterable[SignatureFacts],
    on: date,
    now: datetime,
    evidence: Evidence = NONE,
) -> None:
    """Record the signatures (Unterzeichnung) of all parties; `on` is the day of the last one.

    The carriers are looked at again: whoever became one meanwhile must have consented too (M6). A signatory must hold
    the office of head on that day where the alliance knows who holds it.

    Raises:
        policy.Denied, AccessionNotFound, BadStep, StepRefused (naming whose consent or signature is missing).
    """
    accession = begin(actor, accession_id, Action.SIGN, on=on, now=now)
    draft = current_draft(accession)
    consents = list(Consent.objects.filter(draft=draft).select_related("party"))
    carriers = _carriers(on)
    missing = {c.party.name for c in consents if c.decision != Decision.CONSENTED}
    parties = {c.party_id: c.party for c in consents}
    for member_id, row in carriers.items():
        if member_id not in parties:
            missing.add(row.member.name)
    if missing:
        raise StepRefused(
            gettext("Consent to this version is missing: %(names)s.") % {"names": ", ".join(sorted(missing))}
        )
    _check_signatures(draft, list(signatures), consents, on, now)
    _check_sums(draft, accession.member_id, carriers)
    accession.signed_on = on
    finish(
        actor,
        accession,
        Action.SIGN,
        on=on,
        now=now,
        evidence=evidence,
        details={"number": draft.number, "sha256": draft.sha256},
        fields=("signed_on",),
    )


def _check_signatures(
    draft: ContractDraft, signatures: list[SignatureFacts], consents: list[Consent], on: date, now: datetime
) -> None:
    """Check and write the signatures.

    Raises:
        BadStep, StepRefused
    """
    parties = {c.party_id: c for c in consents}
    if any(not s.name.strip() or not s.function.strip() for s in signatures):
        raise BadStep({"signatures": _("Enter name and function of everybody who signed.")})
    if any(s.party_id not in parties for s in signatures):
        raise BadStep({"signatures": _("Only the parties sign.")})
    if missing := {c.party.name for c in consents} - {parties[s.party_id].party.name for s in signatures}:
        raise StepRefused(gettext("Signatures are missing: %(names)s.") % {"names": ", ".join(sorted(missing))})
    heads: dict[UUID, list[TermOfOffice]] = {}
    terms = TermOfOffice.objects.filter(organ__kind=OrganKind.HEAD, organ__member_id__in=parties)
    for term in terms.select_related("organ"):
        heads.setdefault(term.organ.member_id, []).append(term)
    for signature in signatures:
        party = parties[signature.party_id]
        if signature.signed_on > on:
            raise BadStep({"signatures": _("The day of the signing is that of the last signature.")})
        require_after(
            signature.signed_on, party.decided_on, gettext("the consent of %(name)s") % {"name": party.party.name}
        )
        known = heads.get(signature.party_id)
        if known and not any(t.person_name == signature.name and t.is_valid_on(signature.signed_on) for t in known):
            raise StepRefused(
                gettext("%(person)s is not in office as head of %(name)s on %(day)s. Check the terms of office.")
                % {"person": signature.name, "name": party.party.name, "day": f"{signature.signed_on:%d.%m.%Y}"}
            )
    Signature.objects.bulk_create(
        Signature(
            id=new_id(),
            draft=draft,
            party_id=s.party_id,
            name=s.name.strip()[:200],
            function=s.function.strip()[:200],
            signed_on=s.signed_on,
            recorded_at=now,
        )
        for s in signatures
    )


def changes_of(draft: ContractDraft) -> dict[UUID, Share]:
    """The changes a version brings for carriers there are."""
    return {UUID(c["member"]): Share(UUID(c["member"]), c["cents"], c["seats"]) for c in draft.changes}


def _check_sums(draft: ContractDraft, candidate: UUID, carriers: dict[UUID, CarrierPeriod]) -> None:
    """Raises:
    StepRefused: the contract states another total than the shares or seats add up to (M4, M5).
    """
    shares = {m: Share(m, row.share_cents, row.seats) for m, row in carriers.items()} | changes_of(draft)
    shares[candidate] = Share(candidate, draft.share_cents, draft.seats)
    total, seats = sum(s.share_cents for s in shares.values()), sum(s.seats for s in shares.values())
    if draft.total_cents is not None and draft.total_cents != total:
        raise StepRefused(
            gettext("The contract states a share capital of %(stated)s, the shares add up to %(sum)s.")
            % {"stated": euros(draft.total_cents), "sum": euros(total)}
        )
    if draft.board_size is not None and draft.board_size != seats:
        raise StepRefused(
            gettext("The contract states %(stated)s seats on the board, they add up to %(sum)s.")
            % {"stated": draft.board_size, "sum": seats}
        )
