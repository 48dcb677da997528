"""Reads: an accession as people can think with it - what is done, what is missing, who must act, by when, and why."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext

from verbund.modules.membership.models import (
    RULES,
    Accession,
    AccessionState,
    Action,
    AuthorityNotice,
    CarrierPeriod,
    Consent,
    ContractDraft,
    Decision,
    Member,
    ProcedureAct,
    Publication,
    PublicationMedium,
    TaskKind,
    TaskTransfer,
    in_force,
)
from verbund.modules.membership.policies import (
    Permission,
    may_decide_for,
    visible_accessions,
    visible_members,
)
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import NotFound

from .timeline import TimelineStep, steps_of


@dataclass(frozen=True, slots=True)
class AccessionFacts:
    """AccessionFacts (Beitrittsverfahren): a row of the list."""

    id: UUID
    member_id: UUID
    name: str
    subject: str
    state: str
    state_label: str
    opened_on: date
    effective_on: date | None
    planned_effect_on: date | None


@dataclass(frozen=True, slots=True)
class PartyView:
    """PartyView (Beteiligter): a party's decision on the version that lies before it.

    `decision` is a Decision, or `consented_other_version` when the party has consented to an earlier version only.
    """

    member_id: UUID
    name: str
    is_candidate: bool
    joined_later: bool
    decision: str
    decided_on: date | None
    date_known: bool
    organ: str
    resolution: str
    votes: str
    may_decide: bool


@dataclass(frozen=True, slots=True)
class DraftView:
    """DraftView (Vertragsfassung)."""

    number: int
    sha256: str
    label: str
    put_on: date
    share_cents: int
    seats: int


@dataclass(frozen=True, slots=True)
class ActView:
    """ActView (Verfahrenshandlung): a line of the history."""

    number: int
    label: str
    on: date
    date_known: bool
    party: str
    document: str
    reason: str
    legal_basis: str
    note: str
    actor_name: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class TransferView:
    """TransferView (Aufgabenübergang)."""

    code: str
    name: str
    scope: str
    planned_on: date | None
    transferred_on: date | None
    date_known: bool


@dataclass(frozen=True, slots=True)
class MediumView:
    """MediumView (Bekanntmachung): a medium of a party, and when it was published there."""

    medium_id: UUID
    party: str
    name: str
    published_on: date | None


@dataclass(frozen=True, slots=True)
class AccessionView:
    """AccessionView (Beitrittsverfahren): everything about one accession."""

    id: UUID
    member_id: UUID
    name: str
    slug: str
    subject: str
    state: str
    state_label: str
    opened_on: date
    planned_effect_on: date | None
    signed_on: date | None
    cleared_on: date | None
    effective_on: date | None
    yearly_cost_cents: int | None
    steps: tuple[TimelineStep, ...]
    drafts: tuple[DraftView, ...]
    parties: tuple[PartyView, ...]
    media: tuple[MediumView, ...]
    transfers: tuple[TransferView, ...]
    acts: tuple[ActView, ...]
    possible: tuple[Action, ...]
    task_kinds: tuple[tuple[str, str], ...]

    @property
    def draft(self) -> DraftView | None:
        """The version that lies before the parties."""
        return self.drafts[-1] if self.drafts else None


def accessions(actor: Actor) -> list[AccessionFacts]:
    """The accessions, the newest first (an alliance has dozens in its life: one page).

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.READ_ACCESSIONS)
    rows = visible_accessions(actor).select_related("member").order_by("-opened_on", "-id")
    return [
        AccessionFacts(
            a.id,
            a.member_id,
            a.member.name,
            a.subject,
            a.state,
            str(AccessionState(a.state).label),
            a.opened_on,
            a.effective_on,
            a.planned_effect_on,
        )
        for a in rows
    ]


def cleared_on(actor: Actor, member_id: UUID) -> date | None:
    """The first day on which legal acts for this member may be executed (M2); None: not before the authority has had
    its say. A founder is clear from its first day as a carrier.

    Raises:
        policy.Denied, NotFound.
    """
    policy.require(actor, Permission.READ_MEMBERS)
    latest = Accession.objects.filter(member=OuterRef("id")).order_by("-opened_on", "-id")
    first = CarrierPeriod.objects.filter(member=OuterRef("id"), recorded_until__isnull=True).order_by("valid_from")
    found = (
        visible_members(actor)
        .filter(id=member_id)
        .values_list(
            Subquery(latest.values("id")[:1]),
            Subquery(latest.values("cleared_on")[:1]),
            Subquery(first.values("valid_from")[:1]),
        )
        .first()
    )
    if found is None:
        raise NotFound
    accession, cleared, carrier_from = found
    day: date | None = cleared if accession is not None else carrier_from
    return day


def task_kinds(actor: Actor) -> list[tuple[str, str]]:
    """The tasks that may pass to the alliance: code and name.

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.READ_ACCESSIONS)
    return list(TaskKind.objects.filter(is_active=True).order_by("name").values_list("code", "name"))


def accession(actor: Actor, accession_id: UUID, *, today: date | None = None) -> AccessionView:
    """One accession as a timeline, with what `actor` may do next. `today` serves to choose the media in force.

    Raises:
        NotFound
    """
    row = visible_accessions(actor).select_related("member", "authority").filter(id=accession_id).first()
    if row is None:
        raise NotFound
    drafts = list(row.drafts.order_by("number"))
    acts = list(row.acts.select_related("party").order_by("number"))
    consents = list(Consent.objects.filter(draft__in=drafts).select_related("party", "draft").order_by("id"))
    parties = _parties(actor, drafts, consents)
    notice = row.notices.order_by("-number").first()
    transfers = list(row.transfers.select_related("task").order_by("task__name"))
    media = _media(drafts, [p.member_id for p in parties], today or _last(acts))
    return AccessionView(
        id=row.id,
        member_id=row.member_id,
        name=row.member.name,
        slug=row.member.slug,
        subject=row.subject,
        state=row.state,
        state_label=str(AccessionState(row.state).label),
        opened_on=row.opened_on,
        planned_effect_on=row.planned_effect_on,
        signed_on=row.signed_on,
        cleared_on=row.cleared_on,
        effective_on=row.effective_on,
        yearly_cost_cents=row.yearly_cost_cents,
        steps=_steps(row, acts, parties, notice, media, transfers, drafts),
        drafts=tuple(DraftView(d.number, d.sha256, d.label, d.put_on, d.share_cents, d.seats) for d in drafts),
        parties=parties,
        media=media,
        transfers=tuple(
            TransferView(t.task_id, t.task.name, t.scope, t.planned_on, t.transferred_on, t.date_known)
            for t in transfers
        ),
        acts=tuple(_act(a) for a in acts),
        possible=possible_acts(actor, row.member, AccessionState(row.state), parties),
        task_kinds=tuple(task_kinds(actor)),
    )


def _last(acts: list[ProcedureAct]) -> date:
    return max(act.on for act in acts)


def _act(act: ProcedureAct) -> ActView:
    return ActView(
        act.number,
        act_label(act.action),
        act.on,
        act.date_known,
        act.party.name if act.party else "",
        act.document,
        act.reason,
        act.legal_basis,
        act.note,
        act.actor_name,
        act.recorded_at,
    )


def act_label(action: str) -> str:
    """An act of the history in words."""
    if action == "carrier_joined":
        return gettext("A new carrier has to consent too")
    return str(Action(action).label) if action in Action.values else action


def _parties(actor: Actor, drafts: list[ContractDraft], consents: list[Consent]) -> tuple[PartyView, ...]:
    if not drafts:
        return ()
    earlier = {c.party_id for c in consents if c.draft_id != drafts[-1].id and c.decision == Decision.CONSENTED}
    return tuple(
        PartyView(
            member_id=c.party_id,
            name=c.party.name,
            is_candidate=c.is_candidate,
            joined_later=c.joined_later,
            decision=(
                "consented_other_version" if c.decision == Decision.PENDING and c.party_id in earlier else c.decision
            ),
            decided_on=c.decided_on,
            date_known=c.date_known,
            organ=c.organ,
            resolution=c.resolution,
            votes="" if c.votes_for is None else f"{c.votes_for}:{c.votes_against or 0}:{c.abstentions or 0}",
            may_decide=c.decision == Decision.PENDING
            and policy.allows(actor, Permission.DECIDE_FOR_MEMBER)
            and may_decide_for(actor, c.party),
        )
        for c in consents
        if c.draft_id == drafts[-1].id
    )


def _media(drafts: list[ContractDraft], parties: list[UUID], day: date) -> tuple[MediumView, ...]:
    if not drafts:
        return ()
    done = dict(Publication.objects.filter(draft=drafts[-1]).values_list("medium_id", "published_on"))
    rows = PublicationMedium.objects.filter(in_force(day), member_id__in=parties).select_related("member")
    return tuple(MediumView(m.id, m.member.name, m.name, done.get(m.id)) for m in rows.order_by("member__name", "name"))


_OF_THE_CANDIDATE = (Action.RECORD_BASIC_RESOLUTION, Action.RECORD_CANDIDATE_RESOLUTION, Action.WITHDRAW)
_OF_A_PARTY = (Action.RECORD_CONSENT, Action.REFUSE)


# Possible, but not what the accession is waiting for: these come after the rest.
_ASIDE = (Action.PLAN_TASK, Action.REFUSE, Action.RAISE_OBJECTION, Action.WITHDRAW, Action.ABANDON)
_LATER = {
    Action.PUT_CONTRACT_VERSION: (AccessionState.DRAFT_CONTRACT, AccessionState.ALL_CONSENTED),
    Action.GIVE_NOTICE: (AccessionState.NOTIFIED, AccessionState.DOCUMENTS_COMPLETE),
    Action.STATE_COSTS: (AccessionState.BASIC_RESOLUTION, AccessionState.NEGOTIATION),
}


def possible_acts(
    actor: Actor, candidate: Member, state: AccessionState, parties: tuple[PartyView, ...]
) -> tuple[Action, ...]:
    """What `actor` may do next in an accession at `state`."""
    from_here = [a for a in Action if a in RULES and state in RULES[a].sources]
    undecided = [p for p in parties if p.may_decide]
    found = []
    for action in from_here:
        if action is Action.RECORD_CANDIDATE_RESOLUTION:
            allowed = any(p.is_candidate for p in undecided)
        elif action is Action.RECORD_CONSENT:
            allowed = any(not p.is_candidate for p in undecided)
        elif action is Action.REFUSE:
            allowed = bool(undecided)
        elif action in _OF_THE_CANDIDATE:
            allowed = policy.allows(actor, Permission.DECIDE_FOR_MEMBER) and may_decide_for(actor, candidate)
        else:
            allowed = policy.allows(actor, Permission.MANAGE_ACCESSIONS)
        if allowed:
            found.append(action)
    return tuple(sorted(found, key=lambda a: a in _ASIDE or state in _LATER.get(a, ())))


def _steps(
    row: Accession,
    acts: list[ProcedureAct],
    parties: tuple[PartyView, ...],
    notice: AuthorityNotice | None,
    media: tuple[MediumView, ...],
    transfers: list[TaskTransfer],
    drafts: list[ContractDraft],
) -> tuple[TimelineStep, ...]:
    facts: dict[str, Any] = {
        "undecided": [p.name for p in parties if p.decision != Decision.CONSENTED],
        "unpublished": [f"{m.party}: {m.name}" for m in media if m.published_on is None],
        "no_medium": [p.name for p in parties if p.name not in {m.party for m in media}],
        "tasks": [t.task.name for t in transfers if t.transferred_on is None],
        "task_due": min((t.planned_on for t in transfers if t.planned_on and not t.transferred_on), default=None),
        "any_task": any(t.transferred_on for t in transfers),
        "period_ends_on": notice.period_ends_on if notice else None,
        "authority": row.authority.name if row.authority else "",
    }
    return steps_of(row, acts, facts)
