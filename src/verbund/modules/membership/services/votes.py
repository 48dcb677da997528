"""Writes: the votes of the administrative board, from the rule to the minutes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.models import (
    Ballot,
    BoardMeeting,
    BoardRule,
    CarrierPeriod,
    Choice,
    Exclusion,
    Fraction,
    Instruction,
    Matter,
    MeetingForm,
    Member,
    Motion,
    MotionResult,
    Seats,
    Tally,
    Weighing,
    in_force,
    tally,
)
from verbund.modules.membership.policies import Permission
from verbund.platform import audit, files, printing
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, Invalid, NotFound, current_body, local_date, new_id

from .members import NotTheAlliance


class BadVote(Invalid):
    """What was entered about the board's votes cannot be taken."""


class VoteRefused(Conflict):
    """The rules of the board, or the state of the vote, forbid the step."""


@dataclass(frozen=True, slots=True)
class VotingRule:
    """VotingRule (Abstimmungsregel): how one kind of matter is decided; see `BoardRule`."""

    matter: str
    quorum: Fraction
    majority: Fraction
    weighing: str = Weighing.SEATS.value
    uniform: bool = True
    written_allowed: bool = False


@transaction.atomic
def set_board_rule(actor: Actor, *, rule: VotingRule, valid_from: date, source: str, now: datetime) -> None:
    """Set the rule (Abstimmungsregel) for a kind of matter from a day on; the one before ends the day before.

    Raises:
        policy.Denied, BadVote, VoteRefused (a rule from this day or later is set).
    """
    policy.require(actor, Permission.MANAGE_BOARD)
    errors: dict[str, str | Promise] = {}
    if rule.matter not in Matter.values or rule.weighing not in Weighing.values:
        errors["matter"] = _("Choose from the list.")
    for name, part in (("quorum", rule.quorum), ("majority", rule.majority)):
        if not (0 < part.den <= 1000 and 0 <= part.num <= part.den) or (part.over and part.num == part.den):
            errors[name] = _("Enter a fraction between 0 and 1 that can be reached.")
    if not source.strip():
        errors["source"] = _("Name the provision or the contract.")
    if errors:
        raise BadVote(errors)
    standing = BoardRule.objects.select_for_update().filter(matter=rule.matter)
    if standing.filter(valid_from__gte=valid_from).exists():
        raise VoteRefused(_("A value from this day on, or from a later one, is set already."))
    standing.filter(valid_until__isnull=True).update(valid_until=valid_from - timedelta(days=1))
    row = BoardRule.objects.create(
        id=new_id(),
        matter=rule.matter,
        weighing=rule.weighing,
        quorum_num=rule.quorum.num,
        quorum_den=rule.quorum.den,
        quorum_over=rule.quorum.over,
        majority_num=rule.majority.num,
        majority_den=rule.majority.den,
        majority_over=rule.majority.over,
        uniform=rule.uniform,
        written_allowed=rule.written_allowed,
        source=source.strip()[:300],
        valid_from=valid_from,
        recorded_at=now,
    )
    audit.record(
        actor,
        "membership.board.rule_set",
        "membership.boardrule",
        row.id,
        after={"matter": rule.matter, "valid_from": valid_from, "source": source},
    )


@transaction.atomic
def call_meeting(actor: Actor, *, held_on: date, form: str, now: datetime, place: str = "") -> UUID:
    """Call a meeting of the board (Sitzung), or begin a written procedure; `held_on` is its day, or its last one.

    Raises:
        policy.Denied, NotTheAlliance, BadVote.
    """
    policy.require(actor, Permission.MANAGE_BOARD)
    if not current_body().is_alliance:
        raise NotTheAlliance(_("Members are kept by the alliance only."))
    if form not in MeetingForm.values:
        raise BadVote({"form": _("Choose from the list.")})
    meeting = BoardMeeting.objects.create(
        id=new_id(), held_on=held_on, form=form, place=" ".join(place.split())[:200], recorded_at=now
    )
    audit.record(
        actor, "membership.board.called", "membership.boardmeeting", meeting.id, after={"on": held_on, "form": form}
    )
    return meeting.id


@transaction.atomic
def table_motion(actor: Actor, *, meeting_id: UUID, title: str, text: str, matter: str, now: datetime) -> UUID:
    """Put a motion (Beschlussvorlage) on the agenda.

    Raises:
        policy.Denied, NotFound, BadVote, VoteRefused (closed, no rule, or no written procedure for such matters).
    """
    policy.require(actor, Permission.MANAGE_BOARD)
    meeting = _open_meeting(meeting_id)
    errors: dict[str, str | Promise] = {}
    if not 2 <= len(title.strip()) <= 300:
        errors["title"] = _("Enter a title of 2 to 300 characters.")
    if not 2 <= len(text.strip()) <= 20_000:
        errors["text"] = _("Enter the text of the motion.")
    if matter not in Matter.values:
        errors["matter"] = _("Choose from the list.")
    if errors:
        raise BadVote(errors)
    rule = _rule(matter, meeting.held_on)
    if meeting.form == MeetingForm.WRITTEN and not rule.written_allowed:
        raise VoteRefused(_("Such matters are not decided in writing. Put the motion on the agenda of a meeting."))
    motion = Motion.objects.create(
        id=new_id(),
        meeting=meeting,
        number=meeting.motions.count() + 1,
        title=" ".join(title.split()),
        text=text.strip(),
        matter=matter,
        recorded_at=now,
    )
    audit.record(actor, "membership.board.motion_tabled", "membership.motion", motion.id, after={"title": motion.title})
    return motion.id


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
    """Record how a carrier's organ has bound its votes (Weisung); it must come before its votes.

    Raises:
        policy.Denied, NotFound, BadVote, VoteRefused (no carrier on the day, given already, voted already).
    """
    motion = _open_motion(actor, motion_id)
    _require_carrier(motion, member_id)
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
    motion = _open_motion(actor, motion_id)
    seats = _require_carrier(motion, member_id).seats
    person = " ".join(person_name.split())[:200]
    if not person or not reason.strip():
        raise BadVote({"person_name": _("Name the person and the reason.")})
    cast = Ballot.objects.filter(motion=motion, member_id=member_id)
    if cast.filter(person_name=person).exists():
        raise VoteRefused(_("This person has voted already."))
    out = Exclusion.objects.filter(motion=motion, member_id=member_id).count()
    if out + cast.count() >= seats:
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

    Raises:
        policy.Denied, NotFound, BadVote, VoteRefused (excluded; no seat left; a reserved matter without instruction
        or against it, W2; not as the carrier's other votes where they must be the same, W3).
    """
    motion = _open_motion(actor, motion_id)
    seats = _require_carrier(motion, member_id).seats
    person = " ".join(person_name.split())[:200]
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
    rule = _rule(motion.matter, motion.meeting.held_on)
    votes = (0 if excluded else min(seats, 1)) if rule.weighing == Weighing.SHARES else seats - len(excluded)
    if len(cast) >= votes:
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
    motion = _open_motion(actor, motion_id)
    if local_date(now) < motion.meeting.held_on:
        raise VoteRefused(_("The meeting has not been held yet."))
    found = count_votes(motion)
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


def count_votes(motion: Motion) -> Tally:
    """The result as the ballots of the motion give it, with seats and shares in force on the day of the meeting."""
    rule = _rule(motion.matter, motion.meeting.held_on)
    excluded: dict[UUID, int] = {}
    for member in motion.exclusions.values_list("member_id", flat=True):
        excluded[member] = excluded.get(member, 0) + 1
    return tally(
        _seats(motion.meeting.held_on),
        motion.ballots.order_by("id").values_list("member_id", "choice"),
        excluded,
        weighing=rule.weighing,
        quorum=Fraction(rule.quorum_num, rule.quorum_den, rule.quorum_over),
        majority=Fraction(rule.majority_num, rule.majority_den, rule.majority_over),
    )


@transaction.atomic
def close_meeting(actor: Actor, *, meeting_id: UUID, now: datetime) -> int:
    """Close the meeting and write its minutes (Niederschrift) as PDF. Returns their number: 1, 2, 3 … without gaps.

    Raises:
        policy.Denied, NotFound, VoteRefused (closed already, votes still open, or another one is closed right now).
    """
    policy.require(actor, Permission.MANAGE_BOARD)
    meeting = _open_meeting(meeting_id)
    motions = list(meeting.motions.select_related("result").order_by("number"))
    if not motions or any(not hasattr(m, "result") for m in motions):
        raise VoteRefused(_("Close the vote on every motion first; without a motion there are no minutes."))
    last = BoardMeeting.objects.exclude(minutes_number=None).order_by("-minutes_number").first()
    number = (last.minutes_number or 0) + 1 if last else 1
    stored = files.put(
        _minutes(meeting, motions, number), filename="niederschrift.pdf", allow=frozenset({"application/pdf"})
    )
    meeting.closed_at, meeting.minutes_number, meeting.minutes_sha256 = now, number, stored.sha256
    try:
        with transaction.atomic():
            meeting.save(update_fields=["closed_at", "minutes_number", "minutes_sha256"])
    except IntegrityError as error:
        raise VoteRefused(_("Another meeting was closed at the same moment. Try again.")) from error
    audit.record(
        actor,
        "membership.board.closed",
        "membership.boardmeeting",
        meeting.id,
        after={"minutes": number, "pdf": stored.sha256},
    )
    return number


def _minutes(meeting: BoardMeeting, motions: Iterable[Motion], number: int) -> bytes:
    with translation.override("de"):
        paragraphs: list[object] = [
            {
                "facts": [
                    [gettext("Form"), MeetingForm(meeting.form).label],
                    [gettext("Day"), f"{meeting.held_on:%d.%m.%Y}"],
                    [gettext("Place"), meeting.place or "–"],
                ]
            }
        ]
        for motion in motions:
            result = motion.result
            votes = motion.ballots.select_related("member").order_by("member__name", "person_name")
            out = motion.exclusions.select_related("member").order_by("member__name", "person_name")
            paragraphs += [
                {"heading": f"{motion.number}. {motion.title}"},
                motion.text,
                {
                    "table": {
                        "columns": [
                            {"title": gettext("Carrier"), "wide": True},
                            {"title": gettext("Name")},
                            {"title": gettext("Vote")},
                        ],
                        "rows": [[b.member.name, b.person_name, str(Choice(b.choice).label)] for b in votes]
                        + [[e.member.name, e.person_name, gettext("excluded: %s") % e.reason] for e in out],
                    }
                },
                gettext("For: %(yes)s, against: %(no)s, abstentions: %(abstentions)s, of %(entitled)s votes.")
                % {
                    "yes": result.yes,
                    "no": result.no,
                    "abstentions": result.abstentions,
                    "entitled": result.entitled,
                },
                _verdict(result),
            ]
        data = {
            "subject": gettext("Minutes no. %(number)s of the administrative board") % {"number": number},
            "date": meeting.held_on,
            "paragraphs": paragraphs,
        }
    return printing.letter("printing/letter.typ", data)


def _verdict(result: MotionResult) -> str:
    if result.objected:
        return gettext("Not decided: somebody objected to the written procedure.")
    if not result.quorate:
        return gettext("Not decided: there was no quorum.")
    return gettext("The motion is carried.") if result.carried else gettext("The motion is rejected.")


def _open_meeting(meeting_id: UUID) -> BoardMeeting:
    meeting = BoardMeeting.objects.select_for_update().filter(id=meeting_id).first()
    if meeting is None:
        raise NotFound
    if meeting.closed_at is not None:
        raise VoteRefused(_("The meeting is closed, its minutes are written."))
    return meeting


def _open_motion(actor: Actor, motion_id: UUID) -> Motion:
    policy.require(actor, Permission.MANAGE_BOARD)
    motion = Motion.objects.filter(id=motion_id).first()
    if motion is None:
        raise NotFound
    motion.meeting = _open_meeting(motion.meeting_id)
    if MotionResult.objects.filter(motion=motion).exists():
        raise VoteRefused(_("The vote on this motion is closed."))
    return motion


def _rule(matter: str, day: date) -> BoardRule:
    rule = BoardRule.objects.filter(in_force(day), matter=matter).first()
    if rule is None:
        raise VoteRefused(_("No rule for such votes is set on this day. Set it first."))
    return rule


def _seats(day: date) -> dict[UUID, Seats]:
    rows = CarrierPeriod.objects.filter(in_force(day), recorded_until__isnull=True)
    return {r.member_id: Seats(r.seats, r.share_cents) for r in rows}


def _require_carrier(motion: Motion, member_id: UUID) -> Seats:
    seats = _seats(motion.meeting.held_on).get(member_id)
    if seats is None or not Member.objects.filter(id=member_id).exists():
        raise VoteRefused(_("This body is no carrier on the day of the meeting."))
    return seats


def _save(row: Ballot | Exclusion | Instruction, twice: str | Promise) -> None:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise VoteRefused(twice) from error
