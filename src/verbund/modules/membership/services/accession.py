"""Writes: the accession from the inquiry to the negotiation, and its end without a contract."""

from datetime import date, datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.events import AccessionOpened
from verbund.modules.membership.models import (
    Accession,
    Action,
    CarrierPeriod,
    Member,
    MemberKind,
    in_force,
)
from verbund.modules.membership.policies import Permission, may_decide_for, visible_members
from verbund.platform import events
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import current_body, new_id

from .acts import (
    NONE,
    BadStep,
    Evidence,
    Resolution,
    StepRefused,
    begin,
    finish,
    require_after,
    require_news,
    require_past,
)
from .members import MemberNotFound, NotTheAlliance


@transaction.atomic
def open_inquiry(
    actor: Actor,
    *,
    member_id: UUID,
    subject: str,
    on: date,
    now: datetime,
    planned_effect_on: date | None = None,
    authority_id: UUID | None = None,
    amends_statute: bool = True,
    evidence: Evidence = NONE,
) -> UUID:
    """Open an accession (Beitrittsverfahren) with the candidate's inquiry. Returns its id.

    `authority_id` is the supervisory authority the notice goes to; `amends_statute` says that publication must come
    before effect.

    Raises:
        policy.Denied, NotTheAlliance, MemberNotFound, BadStep, StepRefused (a carrier already, or an open accession).
    """
    policy.require(actor, Permission.MANAGE_ACCESSIONS)
    if not current_body().is_alliance:
        raise NotTheAlliance(_("Members are kept by the alliance only."))
    member = visible_members(actor).filter(id=member_id).first()
    if member is None:
        raise MemberNotFound
    require_past(on, now)
    if not subject.strip():
        raise BadStep({"subject": _("Say what the accession is about.")})
    if member.kind in (MemberKind.STATE_AUTHORITY, MemberKind.ALLIANCE):
        raise BadStep({"member_id": _("Only a body that can be a carrier joins.")})
    if authority_id is not None:
        authority = Member.objects.filter(id=authority_id).first()
        if authority is None or authority.kind not in (MemberKind.STATE_AUTHORITY, MemberKind.COUNTY):
            raise BadStep({"authority_id": _("Choose a supervisory authority from the list.")})
    if planned_effect_on is not None and planned_effect_on < on:
        raise BadStep({"planned_effect_on": _("The planned effect cannot lie before the inquiry.")})
    if CarrierPeriod.objects.filter(in_force(on), recorded_until__isnull=True, member=member).exists():
        raise StepRefused(_("This member is a carrier already."))
    accession = Accession(
        id=new_id(),
        member=member,
        subject=" ".join(subject.split())[:300],
        opened_on=on,
        planned_effect_on=planned_effect_on,
        authority_id=authority_id,
        amends_statute=amends_statute,
        recorded_at=now,
        version=0,
    )
    try:
        with transaction.atomic():
            accession.save(force_insert=True)
    except IntegrityError as error:
        raise StepRefused(_("There is an open accession of this member already. Go on with that one.")) from error
    events.publish(actor, AccessionOpened(accession.id, member.id))
    finish(actor, accession, Action.OPEN_INQUIRY, on=on, now=now, evidence=evidence)
    return accession.id


@transaction.atomic
def state_costs(
    actor: Actor, *, accession_id: UUID, yearly_cents: int | None, on: date, now: datetime, evidence: Evidence = NONE
) -> None:
    """Record the statement of costs (Kostendarstellung) the candidate decides on.

    `yearly_cents` is the yearly charge, None when it stands in the document alone.

    Raises:
        policy.Denied, AccessionNotFound, BadStep, StepRefused.
    """
    accession = begin(actor, accession_id, Action.STATE_COSTS, on=on, now=now)
    if yearly_cents is not None and not 0 <= yearly_cents < 10**12:
        raise BadStep({"yearly_cents": _("Enter the yearly cost.")})
    require_after(on, accession.opened_on, gettext("the inquiry"))
    details = {"yearly_cents": yearly_cents}
    require_news(accession, Action.STATE_COSTS, on=on, evidence=evidence, details=details)
    accession.costs_stated_on = on
    accession.yearly_cost_cents = yearly_cents
    finish(
        actor,
        accession,
        Action.STATE_COSTS,
        on=on,
        now=now,
        evidence=evidence,
        details=details,
        fields=("costs_stated_on", "yearly_cost_cents"),
    )


@transaction.atomic
def record_basic_resolution(
    actor: Actor,
    *,
    accession_id: UUID,
    resolution: Resolution,
    on: date,
    now: datetime,
    evidence: Evidence = NONE,
) -> None:
    """Record the candidate's basic resolution (Grundsatzbeschluss) to negotiate; its representative may do so too.

    Raises:
        policy.Denied, AccessionNotFound, BadStep, StepRefused (also when the votes are no majority).
    """
    accession = begin(
        actor, accession_id, Action.RECORD_BASIC_RESOLUTION, on=on, now=now, permission=Permission.DECIDE_FOR_MEMBER
    )
    policy.require(actor, Permission.DECIDE_FOR_MEMBER, when=may_decide_for(actor, accession.member))
    require_after(on, accession.opened_on, gettext("the inquiry"))
    resolution.require_majority()
    finish(
        actor,
        accession,
        Action.RECORD_BASIC_RESOLUTION,
        on=on,
        now=now,
        evidence=evidence,
        party=accession.member_id,
        details=resolution.facts(),
    )


@transaction.atomic
def begin_negotiation(actor: Actor, *, accession_id: UUID, on: date, now: datetime, evidence: Evidence = NONE) -> None:
    """Begin to negotiate the contract (Verhandlung).

    Raises:
        policy.Denied, AccessionNotFound, BadStep, StepRefused.
    """
    accession = begin(actor, accession_id, Action.BEGIN_NEGOTIATION, on=on, now=now)
    require_after(on, last_day(accession, Action.RECORD_BASIC_RESOLUTION), gettext("the basic resolution"))
    finish(actor, accession, Action.BEGIN_NEGOTIATION, on=on, now=now, evidence=evidence)


def last_day(accession: Accession, action: Action) -> date | None:
    """The day of the last such act in this accession."""
    day: date | None = (
        accession.acts.filter(action=action.value).order_by("-number").values_list("on", flat=True).first()
    )
    return day


@transaction.atomic
def withdraw(actor: Actor, *, accession_id: UUID, on: date, now: datetime, evidence: Evidence = NONE) -> None:
    """The candidate withdraws (Rücknahme), at any time before the signature; its representative may say so.

    Raises:
        policy.Denied, AccessionNotFound, BadStep, StepRefused (it has been signed).
    """
    accession = begin(actor, accession_id, Action.WITHDRAW, on=on, now=now, permission=Permission.DECIDE_FOR_MEMBER)
    policy.require(actor, Permission.DECIDE_FOR_MEMBER, when=may_decide_for(actor, accession.member))
    require_after(on, accession.opened_on, gettext("the inquiry"))
    accession.ended_on = on
    finish(
        actor,
        accession,
        Action.WITHDRAW,
        on=on,
        now=now,
        evidence=evidence,
        party=accession.member_id,
        fields=("ended_on",),
    )


@transaction.atomic
def abandon(actor: Actor, *, accession_id: UUID, on: date, now: datetime, evidence: Evidence) -> None:
    """Give the accession up after a refusal or an objection (Abbruch); `evidence.reason` says why.

    Raises:
        policy.Denied, AccessionNotFound, BadStep, StepRefused.
    """
    accession = begin(actor, accession_id, Action.ABANDON, on=on, now=now)
    if not evidence.reason.strip():
        raise BadStep({"reason": _("Say why the accession is given up.")})
    accession.ended_on = on
    finish(actor, accession, Action.ABANDON, on=on, now=now, evidence=evidence, fields=("ended_on",))
