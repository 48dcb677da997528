"""Reads: the administrative board on a day, its rules, its meetings, and a motion with its votes and its result."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Count, Q
from django.utils.translation import gettext

from verbund.modules.membership.models import (
    BoardMeeting,
    BoardRule,
    CarrierPeriod,
    Choice,
    Fraction,
    Instruction,
    Matter,
    MeetingForm,
    Motion,
    MotionResult,
    Seats,
    Tally,
    Weighing,
    in_force,
    tally,
    votes_of,
)
from verbund.modules.membership.policies import (
    Permission,
    may_decide_for,
    may_vote_for,
    sees_all_members,
    sees_votes_of,
    visible_meetings,
)
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import NotFound

from .carriers import capital_on


@dataclass(frozen=True, slots=True)
class RuleView:
    """RuleView (Abstimmungsregel): how a kind of matter is decided, in words."""

    matter: str
    matter_label: str
    weighing: str
    weighing_label: str
    quorum: str
    majority: str
    uniform: bool
    written_allowed: bool
    source: str
    valid_from: date
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class SeatRow:
    """SeatRow (Sitze eines Trägers): seats and share of a carrier on the day."""

    member_id: UUID
    name: str
    seats: int
    share_cents: int
    chairs: bool


@dataclass(frozen=True, slots=True)
class BoardView:
    """BoardView (Verwaltungsrat): who sits on the board on a day, and by which rules it votes."""

    day: date
    rows: tuple[SeatRow, ...]
    rules: tuple[RuleView, ...]

    @property
    def seats(self) -> int:
        """All seats."""
        return sum(row.seats for row in self.rows)

    @property
    def total_cents(self) -> int:
        """All shares."""
        return sum(row.share_cents for row in self.rows)


@dataclass(frozen=True, slots=True)
class MeetingRow:
    """MeetingRow (Sitzung): `state` is called | voting | closed; `open` motions have no result yet."""

    id: UUID
    held_on: date
    form: str
    form_label: str
    place: str
    state: str
    motions: int
    open: int
    minutes_number: int | None
    minutes_sha256: str


@dataclass(frozen=True, slots=True)
class MotionRow:
    """MotionRow (Beschlussvorlage): `state` is open | carried | rejected | no_quorum | objected."""

    id: UUID
    number: int
    title: str
    matter: str
    matter_label: str
    state: str
    tally: Tally | None


@dataclass(frozen=True, slots=True)
class MeetingView:
    """MeetingView (Sitzung mit Tagesordnung)."""

    meeting: MeetingRow
    motions: tuple[MotionRow, ...]


@dataclass(frozen=True, slots=True)
class InstructionView:
    """InstructionView (Weisung)."""

    choice: str
    choice_label: str
    organ: str
    resolution: str
    decided_on: date


@dataclass(frozen=True, slots=True)
class BallotView:
    """BallotView (Stimme): who voted how."""

    person_name: str
    choice: str
    choice_label: str


@dataclass(frozen=True, slots=True)
class ExclusionView:
    """ExclusionView (Mitwirkungsverbot)."""

    person_name: str
    reason: str


@dataclass(frozen=True, slots=True)
class CarrierVotes:
    """CarrierVotes (Stimmen eines Trägers): what it may cast, has cast, and how it is bound."""

    member_id: UUID
    name: str
    seats: int
    share_cents: int
    votes: int
    instruction: InstructionView | None
    exclusions: tuple[ExclusionView, ...]
    ballots: tuple[BallotView, ...]
    needs_instruction: bool
    may_decide: bool
    may_vote: bool

    @property
    def may_instruct(self) -> bool:
        """Whether an instruction may still be recorded: before the first vote, once."""
        return self.may_decide and self.instruction is None and not self.ballots

    @property
    def may_exclude(self) -> bool:
        """Whether somebody may still be excluded."""
        return self.may_decide and self.left > 0

    @property
    def left(self) -> int:
        """Votes not cast yet."""
        return max(self.votes - len(self.ballots), 0)


@dataclass(frozen=True, slots=True)
class MotionView:
    """MotionView (Beschlussvorlage mit Abstimmung): `tally` is the result, or how it stands; None where it is not to
    be seen yet."""

    motion: MotionRow
    text: str
    meeting: MeetingRow
    rule: RuleView | None
    quorum: Fraction | None
    majority: Fraction | None
    carriers: tuple[CarrierVotes, ...]
    tally: Tally | None

    @property
    def closed(self) -> bool:
        """Whether the result stands."""
        return self.motion.state != "open"

    @property
    def cast(self) -> int:
        """Votes that took part."""
        return self.tally.yes + self.tally.no + self.tally.abstentions if self.tally else 0

    @property
    def has_majority(self) -> bool:
        """Whether the votes for are enough among those for and against."""
        return bool(self.tally and self.majority and self.majority.met(self.tally.yes, self.tally.yes + self.tally.no))


def fraction_text(part: Fraction) -> str:
    """A fraction in words, as the statute says it."""
    if part.num == part.den:
        return "100\N{NO-BREAK SPACE}%"
    words = gettext("more than %(part)s") if part.over else gettext("at least %(part)s")
    return words % {"part": f"{part.num}/{part.den}"}


def board(actor: Actor, day: date) -> BoardView:
    """The board on `day`: seats of each carrier, who chairs, and the rules in force.

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.READ_BOARD)
    capital = capital_on(actor, day)
    chair = capital.chair_id if capital else None
    rows = CarrierPeriod.objects.filter(in_force(day), recorded_until__isnull=True).select_related("member")
    seats = [
        SeatRow(r.member_id, r.member.name, r.seats, r.share_cents, r.member_id == chair)
        for r in rows.order_by("member__name", "member_id")
    ]
    return BoardView(day, tuple(seats), tuple(_rule_view(r) for r in BoardRule.objects.filter(in_force(day))))


def board_rules(actor: Actor) -> list[RuleView]:
    """Every rule that was ever set, the newest first.

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.READ_BOARD)
    return [_rule_view(rule) for rule in BoardRule.objects.order_by("-valid_from", "matter")]


def _rule_view(rule: BoardRule) -> RuleView:
    return RuleView(
        matter=rule.matter,
        matter_label=str(Matter(rule.matter).label),
        weighing=rule.weighing,
        weighing_label=str(Weighing(rule.weighing).label),
        quorum=fraction_text(quorum_of(rule)),
        majority=fraction_text(majority_of(rule)),
        uniform=rule.uniform,
        written_allowed=rule.written_allowed,
        source=rule.source,
        valid_from=rule.valid_from,
        valid_until=rule.valid_until,
    )


def quorum_of(rule: BoardRule) -> Fraction:
    """The quorum of a rule."""
    return Fraction(rule.quorum_num, rule.quorum_den, rule.quorum_over)


def majority_of(rule: BoardRule) -> Fraction:
    """The majority of a rule."""
    return Fraction(rule.majority_num, rule.majority_den, rule.majority_over)


def rule_on(matter: str, day: date) -> BoardRule | None:
    """The rule for such matters on a day."""
    return BoardRule.objects.filter(in_force(day), matter=matter).first()


def seats_on(day: date) -> dict[UUID, Seats]:
    """Seats and shares in force on a day, as known now (W1)."""
    rows = CarrierPeriod.objects.filter(in_force(day), recorded_until__isnull=True)
    return {r.member_id: Seats(r.seats, r.share_cents) for r in rows}


def count_votes(motion: Motion, rule: BoardRule) -> Tally:
    """The result as the ballots of the motion give it, with seats and shares in force on the day of the meeting."""
    excluded: dict[UUID, int] = {}
    for member in motion.exclusions.values_list("member_id", flat=True):
        excluded[member] = excluded.get(member, 0) + 1
    return tally(
        seats_on(motion.meeting.held_on),
        motion.ballots.order_by("id").values_list("member_id", "choice"),
        excluded,
        weighing=rule.weighing,
        quorum=quorum_of(rule),
        majority=majority_of(rule),
    )


def meetings(actor: Actor) -> list[MeetingRow]:
    """The meetings and written procedures, the newest first (a board meets a few times a year: one page).

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.READ_BOARD)
    rows = visible_meetings(actor).order_by("-held_on", "-id")
    return [_meeting_row(m) for m in rows.annotate(**_COUNTS)]


_COUNTS = {
    "motion_count": Count("motions", distinct=True),
    "open_count": Count("motions", filter=Q(motions__result__isnull=True), distinct=True),
}


def _meeting_row(meeting: BoardMeeting) -> MeetingRow:
    motions: int = meeting.motion_count  # type: ignore[attr-defined]  # of _COUNTS
    still_open: int = meeting.open_count  # type: ignore[attr-defined]
    state = "closed" if meeting.closed_at else "voting" if motions else "called"
    return MeetingRow(
        id=meeting.id,
        held_on=meeting.held_on,
        form=meeting.form,
        form_label=str(MeetingForm(meeting.form).label),
        place=meeting.place,
        state=state,
        motions=motions,
        open=still_open,
        minutes_number=meeting.minutes_number,
        minutes_sha256=meeting.minutes_sha256,
    )


def meeting(actor: Actor, meeting_id: UUID) -> MeetingView:
    """One meeting with its motions.

    Raises:
        NotFound
    """
    found = visible_meetings(actor).filter(id=meeting_id).annotate(**_COUNTS).first()
    if found is None:
        raise NotFound
    motions = found.motions.select_related("result").order_by("number")
    return MeetingView(_meeting_row(found), tuple(_motion_row(m) for m in motions))


def _motion_row(motion: Motion) -> MotionRow:
    result: MotionResult | None = motion.result if hasattr(motion, "result") else None
    return MotionRow(
        id=motion.id,
        number=motion.number,
        title=motion.title,
        matter=motion.matter,
        matter_label=str(Matter(motion.matter).label),
        state=_state(result),
        tally=None if result is None else _of_result(result),
    )


def _of_result(result: MotionResult) -> Tally:
    return Tally(
        result.entitled,
        result.yes,
        result.no,
        result.abstentions,
        result.quorate,
        result.carried,
        result.objected,
    )


def _state(result: MotionResult | None) -> str:
    if result is None:
        return "open"
    if result.objected:
        return "objected"
    if not result.quorate:
        return "no_quorum"
    return "carried" if result.carried else "rejected"


def motion(actor: Actor, motion_id: UUID, *, today: date | None = None) -> MotionView:
    """One motion: the rule, every carrier's instruction, exclusions and votes, and the result.

    A representative sees the row of the carrier it speaks for, and sums when the vote is closed. With `today` nobody
    may vote in a meeting that has not been held yet.

    Raises:
        NotFound
    """
    found = (
        Motion.objects.filter(id=motion_id, meeting__in=visible_meetings(actor))
        .select_related("meeting", "result")
        .first()
    )
    if found is None:
        raise NotFound
    around = meeting(actor, found.meeting_id).meeting
    rule = rule_on(found.matter, found.meeting.held_on)
    row = _motion_row(found)
    shown = row.tally
    if shown is None and rule is not None and sees_all_members(actor):
        shown = count_votes(found, rule)
    return MotionView(
        motion=row,
        text=found.text,
        meeting=around,
        rule=_rule_view(rule) if rule else None,
        quorum=quorum_of(rule) if rule else None,
        majority=majority_of(rule) if rule else None,
        carriers=tuple(_carriers(actor, found, rule, today)),
        tally=shown,
    )


def _carriers(actor: Actor, motion: Motion, rule: BoardRule | None, today: date | None) -> Iterable[CarrierVotes]:
    ballots, out = list(motion.ballots.order_by("id")), list(motion.exclusions.order_by("id"))
    instructions = {i.member_id: i for i in motion.instructions.all()}
    day = motion.meeting.held_on
    rows = CarrierPeriod.objects.filter(in_force(day), recorded_until__isnull=True).select_related("member")
    is_open = not hasattr(motion, "result") and motion.meeting.closed_at is None
    is_held = today is None or motion.meeting.form == MeetingForm.WRITTEN or motion.meeting.held_on <= today
    for row in rows.order_by("member__name", "member_id"):
        if not sees_votes_of(actor, row.member):
            continue
        given = instructions.get(row.member_id)
        excluded = [e for e in out if e.member_id == row.member_id]
        decides = policy.allows(actor, Permission.DECIDE_FOR_MEMBER) and may_decide_for(actor, row.member)
        yield CarrierVotes(
            member_id=row.member_id,
            name=row.member.name,
            seats=row.seats,
            share_cents=row.share_cents,
            votes=votes_of(rule.weighing, row.seats, len(excluded)) if rule else 0,
            instruction=_instruction(given) if given else None,
            exclusions=tuple(ExclusionView(e.person_name, e.reason) for e in excluded),
            ballots=tuple(
                BallotView(b.person_name, b.choice, str(Choice(b.choice).label))
                for b in ballots
                if b.member_id == row.member_id
            ),
            needs_instruction=motion.matter == Matter.RESERVED and given is None,
            may_decide=is_open and decides,
            may_vote=is_open and is_held and decides and may_vote_for(actor, row.member, motion.meeting.form),
        )


def _instruction(row: Instruction) -> InstructionView:
    return InstructionView(row.choice, str(Choice(row.choice).label), row.organ, row.resolution, row.decided_on)


def minutes_pdf(actor: Actor, meeting_id: UUID) -> str:
    """The SHA-256 of a meeting's minutes (Niederschrift); a representative reads sums, not the minutes.

    Raises:
        NotFound
    """
    found = visible_meetings(actor).filter(id=meeting_id, closed_at__isnull=False).first()
    if found is None or not sees_all_members(actor):
        raise NotFound
    return found.minutes_sha256


def reads_minutes(actor: Actor) -> bool:
    """Whether minutes are shown to this person."""
    return policy.allows(actor, Permission.READ_BOARD) and sees_all_members(actor)
