"""The invariants W1 to W5 of budget-domain 8.2, each by its number."""

import io
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from tests.platform.printing import verapdf

from verbund.modules.membership import services as votes
from verbund.modules.membership.models import (
    Ballot,
    BoardMeeting,
    BoardRule,
    Fraction,
    Motion,
    MotionResult,
    Seats,
    Tally,
    tally,
)
from verbund.modules.membership.queries.board import count_votes
from verbund.modules.membership.services import VoteRefused, VotingRule
from verbund.platform import files
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role

from .factories import EFFECT, NOW, Accessions, founded, medium, member
from .test_accession_rules import digest

pytestmark = pytest.mark.usefixtures("english")
HALF, TWO_THIRDS = Fraction(1, 2, True), Fraction(2, 3, False)
DAY = date(2026, 10, 1)
MANY = settings(max_examples=150, deadline=None)
CHOICES = st.sampled_from(["yes", "no", "abstain"])
CARRIERS = st.dictionaries(
    st.integers(1, 6).map(lambda n: UUID(int=n)),
    st.builds(Seats, seats=st.integers(0, 4), share_cents=st.integers(0, 10**6)),
    min_size=1,
)


@pytest.fixture
def manager(alliance: Any, staff: Any) -> Actor:
    actor: Actor = staff(Role.ALLIANCE_MANAGER, body="alliance")
    return actor


class Board:
    """A board of two carriers with two seats each, and one meeting."""

    def __init__(self, actor: Actor, *, form: str = "meeting", day: date = DAY, uniform: bool = True) -> None:
        self.actor = actor
        self.one, self.two = founded(actor)
        for matter, majority in (("ordinary", HALF), ("reserved", TWO_THIRDS)):
            rule = VotingRule(matter, HALF, majority, uniform=uniform, written_allowed=matter == "ordinary")
            votes.set_board_rule(actor, rule=rule, valid_from=date(2024, 1, 1), source="§ 6 der Satzung", now=NOW)
        self.meeting = votes.call_meeting(actor, held_on=day, form=form, place="Rathaus", now=NOW)

    def motion(self, matter: str = "ordinary", title: str = "Wirtschaftsplan 2027") -> UUID:
        return votes.table_motion(
            self.actor, meeting_id=self.meeting, title=title, text="Er wird beschlossen.",
            matter=matter, now=NOW,
        )  # fmt: skip

    def vote(self, motion: UUID, who: UUID, name: str, choice: str) -> None:
        votes.cast_ballot(self.actor, motion_id=motion, member_id=who, person_name=name, choice=choice, now=NOW)

    def instruct(self, motion: UUID, who: UUID, choice: str) -> None:
        votes.record_instruction(
            self.actor, motion_id=motion, member_id=who, choice=choice, organ="Kreistag", resolution="12/2026",
            on=date(2026, 9, 15), now=NOW,
        )  # fmt: skip

    def exclude(self, motion: UUID, who: UUID, name: str) -> None:
        votes.exclude_from_vote(
            self.actor, motion_id=motion, member_id=who, person_name=name, reason="eigener Vorteil", now=NOW
        )

    def close(self, motion: UUID) -> Tally:
        return votes.close_vote(self.actor, motion_id=motion, now=NOW)


@MANY
@given(CARRIERS, st.data(), st.booleans())
def test_w1_quorum_and_majority_are_reckoned_from_the_seats_in_force(
    carriers: dict[UUID, Seats], data: st.DataObject, by_share: bool
) -> None:
    strangers = [UUID(int=99)]
    cast = data.draw(st.lists(st.tuples(st.sampled_from([*carriers, *strangers]), CHOICES), max_size=20))
    found = tally(carriers, cast, {}, weighing="shares" if by_share else "seats", quorum=HALF, majority=TWO_THIRDS)
    # By hand: the first votes of each carrier count, as many as it has; strangers' never.
    yes = no = rest = 0
    for who, facts in carriers.items():
        mine = [choice for voter, choice in cast if voter == who]
        limit, weight = (min(facts.seats, 1), facts.share_cents) if by_share else (facts.seats, 1)
        for choice in mine[:limit]:
            yes += weight * (choice == "yes")
            no += weight * (choice == "no")
            rest += weight * (choice == "abstain")
    total = sum(c.share_cents * (c.seats > 0) if by_share else c.seats for c in carriers.values())
    assert (found.yes, found.no, found.abstentions, found.entitled) == (yes, no, rest, total)
    assert found.quorate == (total > 0 and 2 * (yes + no + rest) > total)
    assert found.carried == (found.quorate and yes + no > 0 and 3 * yes >= 2 * (yes + no))


@MANY
@given(CARRIERS, st.data())
def test_w4_an_excluded_seat_counts_neither_in_the_vote_nor_in_the_quorum(
    carriers: dict[UUID, Seats], data: st.DataObject
) -> None:
    seated = [who for who, facts in carriers.items() if facts.seats]
    if not seated:
        return
    who = data.draw(st.sampled_from(seated))
    cast = data.draw(st.lists(st.tuples(st.sampled_from(list(carriers)), CHOICES), max_size=20))
    without = {**carriers, who: Seats(carriers[who].seats - 1, carriers[who].share_cents)}
    options: dict[str, Any] = {"weighing": "seats", "quorum": HALF, "majority": HALF}
    assert tally(carriers, cast, {who: 1}, **options) == tally(without, cast, {}, **options)


def test_w1_a_carrier_votes_only_from_the_day_it_carries(manager: Actor) -> None:
    board = Board(manager, day=date(2026, 5, 31))
    candidate = member(manager, "neustadt")
    medium(candidate)
    case = Accessions(manager, candidate)
    from verbund.modules.membership.models import AccessionState

    case.to(AccessionState.EFFECTIVE)
    motion = board.motion()
    with pytest.raises(VoteRefused, match="no carrier on the day"):
        board.vote(motion, candidate, "Nora Nuss", "yes")
    board.meeting = votes.call_meeting(manager, held_on=EFFECT, form="meeting", now=NOW)
    later = board.motion()
    board.vote(later, candidate, "Nora Nuss", "yes")
    assert board.close(motion).entitled == 4
    found = board.close(later)
    assert (found.entitled, found.yes, found.quorate, found.carried) == (5, 1, False, False)


def test_w2_a_reserved_matter_needs_an_instruction_and_follows_it(manager: Actor) -> None:
    board = Board(manager)
    motion = board.motion("reserved")
    before = digest()
    with pytest.raises(VoteRefused, match="record the instruction"):
        board.vote(motion, board.one, "Anna Ahorn", "yes")
    assert digest() == before
    board.instruct(motion, board.one, "yes")
    with pytest.raises(VoteRefused, match="The instruction of Kreistag binds the vote: Yes"):
        board.vote(motion, board.one, "Anna Ahorn", "no")
    board.vote(motion, board.one, "Anna Ahorn", "yes")
    with pytest.raises(VoteRefused, match="voted already"):
        board.instruct(motion, board.one, "no")


def test_w3_the_votes_of_one_carrier_are_the_same_if_the_contract_says_so(manager: Actor) -> None:
    board = Board(manager)
    motion = board.motion()
    board.vote(motion, board.one, "Anna Ahorn", "yes")
    with pytest.raises(VoteRefused, match="must be the same"):
        board.vote(motion, board.one, "Bodo Birke", "no")
    board.vote(motion, board.one, "Bodo Birke", "yes")
    board.vote(motion, board.two, "Cora Clematis", "no")
    with pytest.raises(VoteRefused, match="All votes of this carrier"):
        board.vote(motion, board.one, "Zoe Zeder", "yes")
    found = board.close(motion)
    assert (found.yes, found.no, found.entitled, found.carried) == (2, 1, 4, True)


def test_w4_whoever_is_in_conflict_does_not_vote(manager: Actor) -> None:
    board = Board(manager)
    motion = board.motion()
    board.exclude(motion, board.one, "Anna Ahorn")
    with pytest.raises(VoteRefused, match="may not take part"):
        board.vote(motion, board.one, "Anna Ahorn", "yes")
    board.vote(motion, board.one, "Bodo Birke", "yes")
    with pytest.raises(VoteRefused, match="All votes"):
        board.vote(motion, board.one, "Zoe Zeder", "yes")
    board.vote(motion, board.two, "Cora Clematis", "yes")
    found = board.close(motion)
    assert (found.entitled, found.yes, found.quorate, found.carried) == (3, 2, True, True)


def test_w5_ballots_and_results_never_change_and_minutes_are_numbered_without_gaps(manager: Actor) -> None:
    board = Board(manager)
    motion = board.motion()
    with pytest.raises(VoteRefused, match="Close the vote on every motion"):
        votes.close_meeting(manager, meeting_id=board.meeting, now=NOW)
    for who, name in ((board.one, "Anna Ahorn"), (board.one, "Bodo Birke"), (board.two, "Cora Clematis")):
        board.vote(motion, who, name, "yes")
    with pytest.raises(VoteRefused, match=r"voted already|All votes"):
        board.vote(motion, board.one, "Anna Ahorn", "yes")
    found = board.close(motion)
    row = Motion.objects.get(id=motion)
    assert found == count_votes(row, BoardRule.objects.get(matter="ordinary"))
    with pytest.raises(VoteRefused, match="is closed"):
        board.vote(motion, board.two, "Dora Distel", "yes")
    for table in (Ballot, MotionResult, Motion):
        with pytest.raises(DatabaseError), transaction.atomic():
            table.objects.all().delete()
    with pytest.raises(DatabaseError), transaction.atomic():
        Ballot.objects.update(choice="no")
    assert votes.close_meeting(manager, meeting_id=board.meeting, now=NOW) == 1
    with pytest.raises(VoteRefused, match="its minutes are written"):
        votes.close_meeting(manager, meeting_id=board.meeting, now=NOW)
    board.meeting = votes.call_meeting(manager, held_on=DAY, form="meeting", now=NOW)
    board.close(board.motion())
    assert votes.close_meeting(manager, meeting_id=board.meeting, now=NOW) == 2
    pdf = files.read(BoardMeeting.objects.get(minutes_number=1).minutes_sha256)
    assert "Niederschrift Nr. 1" in PdfReader(io.BytesIO(pdf)).pages[0].extract_text()


@pytest.mark.conformance
@pytest.mark.skipif(bool(verapdf.missing()), reason="veraPDF cannot run here")
def test_the_minutes_conform(manager: Actor) -> None:
    board = Board(manager)
    motion = board.motion()
    board.exclude(motion, board.one, "Anna Ahorn")
    board.vote(motion, board.two, "Cora Clematis", "yes")
    board.close(motion)
    votes.close_meeting(manager, meeting_id=board.meeting, now=NOW)
    assert verapdf.failures(files.read(BoardMeeting.objects.get().minutes_sha256)) == []


def test_the_written_procedure_falls_with_one_objection_and_is_not_for_reserved_matters(manager: Actor) -> None:
    board = Board(manager, form="written", day=date(2026, 11, 27))
    with pytest.raises(VoteRefused, match="not decided in writing"):
        board.motion("reserved")
    motion = board.motion()
    board.vote(motion, board.one, "Anna Ahorn", "yes")
    board.vote(motion, board.one, "Bodo Birke", "yes")
    board.vote(motion, board.two, "Cora Clematis", "yes")
    board.vote(motion, board.two, "Dora Distel", "yes")
    other = board.motion(title="Preise 2027")
    for who, name, choice in (
        (board.one, "Anna Ahorn", "yes"),
        (board.one, "Bodo Birke", "yes"),
        (board.two, "Cora Clematis", "object"),
    ):
        board.vote(other, who, name, choice)
    assert board.close(motion).carried
    found = board.close(other)
    assert (found.objected, found.carried) == (True, False)


def test_only_managers_lead_the_board_and_bad_rules_are_named(manager: Actor, staff: Any) -> None:
    board_member: Actor = staff(Role.BOARD_MEMBER, body="alliance", name="Berta")
    with pytest.raises(policy.Denied):
        votes.call_meeting(board_member, held_on=DAY, form="meeting", now=NOW)
    wrong = VotingRule("what", Fraction(3, 2, False), Fraction(1, 1, True))
    with pytest.raises(votes.BadVote) as bad:
        votes.set_board_rule(manager, rule=wrong, valid_from=DAY, source=" ", now=NOW)
    assert set(bad.value.errors) == {"matter", "quorum", "majority", "source"}
    assert BoardRule.objects.count() == 0
