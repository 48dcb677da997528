"""The administrative board: rules, meetings, motions, instructions, ballots, and how a result is reckoned from them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final
from uuid import UUID

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from verbund.platform.tenancy.rights import APPEND_ONLY

from .members import Member
from .periods import ENDS_AFTER_BEGIN, never_twice


class Matter(models.TextChoices):
    """Matter (Gegenstand): reserved ones need an instruction of each carrier's organ."""

    ORDINARY = "ordinary", _("Ordinary matter")
    RESERVED = "reserved", _("Matter reserved to the carriers")


class Weighing(models.TextChoices):
    """Weighing (Stimmgewicht): each seat has one vote, or each carrier votes once with its share."""

    SEATS = "seats", _("One vote for each seat")
    SHARES = "shares", _("Votes by share in the capital")


class Choice(models.TextChoices):
    """Choice (Stimme); an objection is one to the written procedure itself."""

    YES = "yes", _("Yes")
    NO = "no", _("No")
    ABSTAIN = "abstain", _("Abstention")
    OBJECT = "object", _("Objection to the written procedure")


class MeetingForm(models.TextChoices):
    """MeetingForm (Form der Beschlussfassung)."""

    MEETING = "meeting", _("Meeting")
    WRITTEN = "written", _("Written procedure")


class BoardRule(models.Model):
    """BoardRule (Abstimmungsregel): quorum and majority for a kind of matter, on these days, and where it stands.

    Quorum: the votes taking part reach `quorum_num`/`quorum_den` of all that may vote, or exceed it (`quorum_over`).
    Majority: the same with the votes for among those for and against.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    matter = models.CharField(max_length=10, choices=Matter.choices)
    weighing = models.CharField(max_length=10, choices=Weighing.choices)
    quorum_num = models.PositiveSmallIntegerField()
    quorum_den = models.PositiveSmallIntegerField(validators=[MinValueValidator(1)])
    quorum_over = models.BooleanField()
    majority_num = models.PositiveSmallIntegerField()
    majority_den = models.PositiveSmallIntegerField(validators=[MinValueValidator(1)])
    majority_over = models.BooleanField()
    uniform = models.BooleanField()  # all votes of a carrier must be the same (W3)
    written_allowed = models.BooleanField()
    source = models.CharField(max_length=300)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=ENDS_AFTER_BEGIN, name="membership_board_rule_days"),
            models.CheckConstraint(
                condition=Q(quorum_den__gt=0, majority_den__gt=0, quorum_num__lte=F("quorum_den"))
                & Q(majority_num__lte=F("majority_den")),
                name="membership_board_rule_fractions",
            ),
            never_twice("membership_one_board_rule", "matter"),
        ]

    def __str__(self) -> str:
        return f"{self.matter} {self.valid_from}"


class BoardMeeting(models.Model):
    """BoardMeeting (Sitzung des Verwaltungsrats), or a written procedure; closed once, with the minutes' number."""

    id = models.UUIDField(primary_key=True, editable=False)
    held_on = models.DateField()
    form = models.CharField(max_length=10, choices=MeetingForm.choices)
    place = models.CharField(max_length=200, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    minutes_number = models.PositiveIntegerField(null=True, blank=True, unique=True)  # 1, 2, 3 … without gaps
    minutes_sha256 = models.CharField(max_length=64, blank=True)
    idempotency_key = models.UUIDField(null=True, blank=True, unique=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, minutes_number__isnull=True, minutes_sha256="")
                | (Q(closed_at__isnull=False, minutes_number__isnull=False) & ~Q(minutes_sha256="")),
                name="membership_closed_with_minutes",
            )
        ]

    def __str__(self) -> str:
        return f"{self.form} {self.held_on}"


class Motion(models.Model):
    """Motion (Beschlussvorlage): what the board decides on."""

    database_rights = APPEND_ONLY

    id = models.UUIDField(primary_key=True, editable=False)
    meeting = models.ForeignKey(BoardMeeting, on_delete=models.PROTECT, related_name="motions")
    number = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=300)
    text = models.TextField()
    matter = models.CharField(max_length=10, choices=Matter.choices)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["meeting", "number"], name="membership_motion_number")
        ]

    def __str__(self) -> str:
        return self.title


class Instruction(models.Model):
    """Instruction (Weisung): how a carrier's organ has bound its votes on a motion."""

    database_rights = APPEND_ONLY

    id = models.UUIDField(primary_key=True, editable=False)
    motion = models.ForeignKey(Motion, on_delete=models.PROTECT, related_name="instructions")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    choice = models.CharField(max_length=10, choices=Choice.choices)
    organ = models.CharField(max_length=200)
    resolution = models.CharField(max_length=200)
    decided_on = models.DateField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["motion", "member"], name="membership_instruction_once")
        ]

    def __str__(self) -> str:
        return f"{self.member_id} {self.choice}"


class Exclusion(models.Model):
    """Exclusion (Mitwirkungsverbot, § 24 KV M-V): a person on the board may not take part in a motion; the seat counts
    neither in the vote nor in the quorum (W4)."""

    database_rights = APPEND_ONLY

    id = models.UUIDField(primary_key=True, editable=False)
    motion = models.ForeignKey(Motion, on_delete=models.PROTECT, related_name="exclusions")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    person_name = models.CharField(max_length=200)
    reason = models.CharField(max_length=500)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["motion", "member", "person_name"], name="membership_exclusion_once")
        ]

    def __str__(self) -> str:
        return self.person_name


class Ballot(models.Model):
    """Ballot (Stimmabgabe): the vote of one seat of a carrier."""

    database_rights = APPEND_ONLY

    id = models.UUIDField(primary_key=True, editable=False)
    motion = models.ForeignKey(Motion, on_delete=models.PROTECT, related_name="ballots")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    person_name = models.CharField(max_length=200)
    choice = models.CharField(max_length=10, choices=Choice.choices)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["motion", "member", "person_name"], name="membership_ballot_once")
        ]

    def __str__(self) -> str:
        return f"{self.person_name} {self.choice}"


class MotionResult(models.Model):
    """MotionResult (Abstimmungsergebnis): as reckoned from the ballots when the vote was closed (W5)."""

    database_rights = APPEND_ONLY

    id = models.UUIDField(primary_key=True, editable=False)
    motion = models.OneToOneField(Motion, on_delete=models.PROTECT, related_name="result")
    entitled = models.PositiveBigIntegerField()  # votes that might have been cast
    yes = models.PositiveBigIntegerField()
    no = models.PositiveBigIntegerField()
    abstentions = models.PositiveBigIntegerField()
    quorate = models.BooleanField()
    carried = models.BooleanField()
    objected = models.BooleanField()  # to the written procedure
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(yes__lte=F("entitled") - F("no") - F("abstentions")), name="membership_result_within_votes"
            ),
            models.CheckConstraint(
                condition=Q(carried=False) | Q(quorate=True, objected=False), name="membership_carried_if_quorate"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.yes}:{self.no}:{self.abstentions}"


@dataclass(frozen=True, slots=True)
class Fraction:
    """Fraction (Bruchteil): `num`/`den` to be reached, or exceeded (`over`)."""

    num: int
    den: int
    over: bool

    def met(self, part: int, whole: int) -> bool:
        """Whether `part` of `whole` is enough; nothing of nothing never is."""
        if whole <= 0:
            return False
        left, right = part * self.den, whole * self.num
        return left > right if self.over else left >= right


@dataclass(frozen=True, slots=True)
class Seats:
    """Seats (Stimmrecht eines Trägers): seats and share in force on the day of the vote."""

    seats: int
    share_cents: int


@dataclass(frozen=True, slots=True)
class Tally:
    """Tally (Auszählung)."""

    entitled: int
    yes: int
    no: int
    abstentions: int
    quorate: bool
    carried: bool
    objected: bool


def votes_of(weighing: str, seats: int, excluded: int) -> int:
    """How many votes a carrier may cast: one for each seat, or one with its share; fewer with excluded seats (W4)."""
    if weighing == Weighing.SHARES:
        return int(seats > 0 and not excluded)
    return max(seats - excluded, 0)


_COUNTED: Final = (Choice.YES, Choice.NO, Choice.ABSTAIN)


def tally(
    carriers: Mapping[UUID, Seats],
    ballots: Iterable[tuple[UUID, str]],
    excluded: Mapping[UUID, int],
    *,
    weighing: str,
    quorum: Fraction,
    majority: Fraction,
) -> Tally:
    """Reckon a vote (W1, W4): who may vote on the day with which weight, less the excluded seats.

    `ballots` are a carrier and a Choice for each seat that voted; with weights by share a carrier votes once, and one
    with an excluded seat not at all. Votes beyond a carrier's seats do not count.
    """
    by_share = weighing == Weighing.SHARES
    room = {m: votes_of(weighing, s.seats, excluded.get(m, 0)) for m, s in carriers.items()}
    weight = {m: s.share_cents if by_share else 1 for m, s in carriers.items()}
    entitled = sum(weight[m] * free for m, free in room.items())
    found = dict.fromkeys((choice.value for choice in _COUNTED), 0)
    objected = False
    for member, choice in ballots:
        if room.get(member, 0) <= 0:
            continue
        room[member] -= 1
        if choice == Choice.OBJECT:
            objected = True
        else:
            found[choice] += weight[member]
    yes, no, abstentions = found[Choice.YES], found[Choice.NO], found[Choice.ABSTAIN]
    quorate = quorum.met(yes + no + abstentions, entitled)
    carried = quorate and not objected and majority.met(yes, yes + no)
    return Tally(entitled, yes, no, abstentions, quorate, carried, objected)
