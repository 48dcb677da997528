"""Writes: the votes of the administrative board: instructions, exclusions, ballots, and the result."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.models import (
    Ballot,
    Choice,
    Exclusion,
    Instruction,
    Matter,
    MeetingForm,
    Member,
    Motion,
    MotionResult,
    Seats,
    Tally,
    votes_of,
)
from verbund.modules.membership.policies import Permission, may_decide_for, may_vote_for, visible_meetings
from verbund.modules.membership.queries.board import count_votes, seats_on
from verbund.platform import audit
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import NotFound, local_date, new_id

from .board import BadVote, VoteRefused, open_meeting, required_rule


@dataclass(frozen=True, slots=True)
class BallotFacts:
    """BallotFacts (Stimmabgabe): who votes for which carrier, and how."""

    member_id: UUID
    person_name: str
    choice: str


@transaction.atomic
def record_instruction(
    actor: Actor,
    *,
    motion_id: UUID,
    member_id: UUID,
    choice: str,
    organ: str,
    resolution: str,
    on: date,
    now: datetime,
) -> None:
    """Record how a carrier's organ has bound its votes (Weisung); it must come before its votes. A representative does
    so for the own body only.

    Raises:
        policy.Denied, NotFound, BadVote, VoteRefused (no carrier on the day, given already, voted already).
    """
    motion = _open_motion(actor, motion_id, Permission.DECIDE_FOR_MEMBER)
    member, _seats = _require_carrier(motion, member_id)
    policy.require(actor, Permission.DECIDE_FOR_MEMBER, when=may_decide_for(actor, member))
    if choice not in (Choice.YES, Choice.NO, Choice.ABSTAIN) or not organ.strip():
        raise BadVote({"choice": _("Name the organ and how it binds the votes.")})
    if on > min(local_date(now), motion.meeting.held_on):
        raise BadVote({"on": _("The instruction comes before the vote.")})
    if Ballot.objects.filter(motion=motion, member_id=member_id).exists():
        raise VoteRefused(_("This carrier has voted already."))
    row = Instruction(
        id=new_id(),
        motion=motion,
        member_id=member_id,
        choice=choice,
        organ=organ.strip()[:200],
        resolution=resolution.strip()[:200],
        decided_on=on,
        recorded_at=now,
    )
    _save(row, _("An instruction of this carrier has been recorded already."))
    audit.record(
        actor,
        "membership.board.instructed",
        "membership.motion",
        motion.id,
        after={"member": member_id, "choice": choice, "organ": organ, "on": on},
    )


@transaction.atomic
def exclude_from_vote(
    actor: Actor, *, motion_id: UUID, member_id: UUID, person_name: str, reason: str, now: datetime
) -> None:
    """Record that a person may not take part in a motion (Mitwirkungsverbot): the seat counts nowhere (W4).

    Raises:
        policy.Denied, NotFound, BadVote, VoteRefused (no carrier, voted already, no further seat).
    """
    motion = _open_motion(actor, motion_id, Permission.DECIDE_FOR_MEMBER)
    member, facts = _require_carrier(motion, member_id)
    policy.require(actor, Permission.DECIDE_FOR_MEMBER, when=may_decide_for(actor, member))
    person = " ".join(person_name.split())[:200]
    if not person or not reason.strip():
        raise BadVote({"person_name": _("Name the person and the reason.")})
    cast = Ballot.objects.filter(motion=motion, member_id=member_id)
    if cast.filter(person_name=person).exists():
        raise VoteRefused(_("This person has voted already."))
    out = Exclusion.objects.filter(motion=motion, member_id=member_id).count()
    if out + cast.count() >= facts.seats:
        raise VoteRefused(_("This carrier has no further seat."))
    row = Exclusion(
        id=new_id(),
        motion=motion,
        member_id=member_id,
        person_name=person,
        reason=reason.strip()[:500],
        recorded_at=now,
    )
    _save(row, _("This has been recorded already."))
    audit.record(
        actor,
        "membership.board.excluded",
        "membership.motion",
        motion.id,
        after={"member": member_id, "person": person},
    )


@transaction.atomic
def cast_ballot(
    actor: Actor, *, motion_id: UUID, member_id: UUID, person_name: str, choice: str, now: datetime
) -> None:
    """Record the vote (Stimmabgabe) of one seat; nothing changes it any more (W5).

    In a meeting the management records the votes; in the written procedure a representative casts those of its body.

    Raises:
        policy.Denied, NotFound, BadVote, VoteRefused (excluded; no seat left; a reserved matter without instruction
        or against it, W2; not as the carrier's other votes where they must be the same, W3).
    """
    motion = _open_motion(actor, motion_id, Permission.DECIDE_FOR_MEMBER)
    _cast(actor, motion, BallotFacts(member_id, person_name, choice), now)


@transaction.atomic
def cast_ballots(actor: Actor, *, motion_id: UUID, ballots: Sequence[BallotFacts], now: datetime) -> int:
    """Record several votes (Stimmabgaben) at once, all of them or none. Returns how many.

    Raises:
        policy.Denied, NotFound, VoteRefused (closed), BadVote (what is wrong with the vote at place n, as
        `person_name_n` or `choice_n`).
    """
    motion = _open_motion(actor, motion_id, Permission.DECIDE_FOR_MEMBER)
    if not ballots:
        raise BadVote({"": _("Enter at least one vote.")})
    errors: dict[str, str | Promise] = {}
    for place, ballot in enumerate(ballots):
        try:
            with transaction.atomic():
                _cast(actor, motion, ballot, now)
        except BadVote as refusal:
            errors |= {f"{field}_{place}": message for field, message in refusal.errors.items()}
        except VoteRefused as refusal:
            errors[f"choice_{place}"] = refusal.message
    if errors:
        raise BadVote(errors)
    return len(ballots)


def _cast(actor: Actor, motion: Motion, ballot: BallotFacts, now: datetime) -> None:
    member, facts = _require_carrier(motion, ballot.member_id)
    policy.require(actor, Permission.DECIDE_FOR_MEMBER, when=may_vote_for(actor, member, motion.meeting.form))
    member_id, choice = ballot.member_id, ballot.choice
    person = " ".join(ballot.person_name.split())[:200]
    errors: dict[str, str | Promise] = {}
    if not person:
        errors["person_name"] = _("Name the person who votes.")
    if choice not in Choice.values or (choice == Choice.OBJECT and motion.meeting.form != MeetingForm.WRITTEN):
        errors["choice"] = _("Choose from the list.")
    if local_date(now) < motion.meeting.held_on and motion.meeting.form == MeetingForm.MEETING:
        errors["choice"] = _("The meeting has not been held yet.")
    if errors:
        raise BadVote(errors)
    excluded = list(Exclusion.objects.filter(motion=motion, member_id=member_id).values_list("person_name", flat=True))
    if person in excluded:
        raise VoteRefused(_("This person may not take part in this motion."))
    cast = list(Ballot.objects.filter(motion=motion, member_id=member_id).values_list("choice", flat=True))
    rule = required_rule(motion.matter, motion.meeting.held_on)
    if len(cast) >= votes_of(rule.weighing, facts.seats, len(excluded)):
        raise VoteRefused(_("All votes of this carrier have been cast."))
    instruction = Instruction.objects.filter(motion=motion, member_id=member_id).first()
    if motion.matter == Matter.RESERVED and instruction is None:
        raise VoteRefused(_("This matter is reserved to the carriers: record the instruction of its organ first."))
    if instruction is not None and choice not in (instruction.choice, Choice.OBJECT):
        raise VoteRefused(
            gettext("The instruction of %(organ)s binds the vote: %(choice)s.")
            % {"organ": instruction.organ, "choice": Choice(instruction.choice).label}
        )
    if rule.uniform and cast and choice not in cast:
        raise VoteRefused(_("The votes of one carrier must be the same."))
    row = Ballot(id=new_id(), motion=motion, member_id=member_id, person_name=person, choice=choice, recorded_at=now)
    _save(row, _("This person has voted already."))
    audit.record(
        actor,
        "membership.board.voted",
        "membership.motion",
        motion.id,
        after={"member": member_id, "person": person, "choice": choice},
    )


@transaction.atomic
def close_vote(actor: Actor, *, motion_id: UUID, now: datetime) -> Tally:
    """Close the vote on a motion and reckon its result (Abstimmungsergebnis) from the ballots (W1, W4, W5).

    Raises:
        policy.Denied, NotFound, VoteRefused.
    """
    motion = _open_motion(actor, motion_id, Permission.MANAGE_BOARD)
    if local_date(now) < motion.meeting.held_on and not _nothing_to_wait_for(motion):
        raise VoteRefused(
            _("The meeting has not been held yet.")
            if motion.meeting.form == MeetingForm.MEETING
            else _("The written procedure runs on, and not all votes have been cast.")
        )
    found = count_votes(motion, required_rule(motion.matter, motion.meeting.held_on))
    MotionResult.objects.create(
        id=new_id(),
        motion=motion,
        entitled=found.entitled,
        yes=found.yes,
        no=found.no,
        abstentions=found.abstentions,
        quorate=found.quorate,
        carried=found.carried,
        objected=found.objected,
        recorded_at=now,
    )
    audit.record(
        actor,
        "membership.board.vote_closed",
        "membership.motion",
        motion.id,
        after={"yes": found.yes, "no": found.no, "abstentions": found.abstentions, "carried": found.carried},
    )
    return found


def _nothing_to_wait_for(motion: Motion) -> bool:
    """In the written procedure: once everybody has voted, or somebody has objected to it."""
    if motion.meeting.form == MeetingForm.MEETING:
        return False
    if motion.ballots.filter(choice=Choice.OBJECT).exists():
        return True
    rule = required_rule(motion.matter, motion.meeting.held_on)
    cast, out = list(motion.ballots.all()), list(motion.exclusions.all())
    return all(
        sum(b.member_id == member for b in cast)
        >= votes_of(rule.weighing, facts.seats, sum(e.member_id == member for e in out))
        for member, facts in seats_on(motion.meeting.held_on).items()
    )


def _open_motion(actor: Actor, motion_id: UUID, permission: Permission) -> Motion:
    policy.require(actor, permission)
    motion = Motion.objects.filter(id=motion_id, meeting__in=visible_meetings(actor)).first()
    if motion is None:
        raise NotFound
    motion.meeting = open_meeting(motion.meeting_id)
    if MotionResult.objects.filter(motion=motion).exists():
        raise VoteRefused(_("The vote on this motion is closed."))
    return motion


def _require_carrier(motion: Motion, member_id: UUID) -> tuple[Member, Seats]:
    facts = seats_on(motion.meeting.held_on).get(member_id)
    member = Member.objects.filter(id=member_id).first()
    if facts is None or member is None:
        raise VoteRefused(_("This body is no carrier on the day of the meeting."))
    return member, facts


def _save(row: Ballot | Exclusion | Instruction, twice: str | Promise) -> None:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise VoteRefused(twice) from error
