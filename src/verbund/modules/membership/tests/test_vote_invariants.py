"""W2, W3 and W5 of budget-domain 8.2 for any order of instructions, exclusions and votes, against a count by hand."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from verbund.modules.membership import services
from verbund.modules.membership.models import (
    Ballot,
    BoardMeeting,
    Exclusion,
    Instruction,
    Member,
    MotionResult,
)
from verbund.modules.membership.services import BadVote, VoteRefused
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role

from .factories import NOW
from .test_accession_invariants import undone
from .test_accession_rules import digest
from .test_votes import DAY, Board

pytestmark = pytest.mark.usefixtures("english")
CASES = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FEW = settings(CASES, max_examples=6)
CHOICES = st.sampled_from(["yes", "no", "abstain"])
PEOPLE = ("Anna Ahorn", "Bodo Birke", "Cora Clematis")
CARRIER, PERSON = st.integers(0, 1), st.sampled_from(PEOPLE)
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("instruct"), CARRIER, CHOICES, st.just("")),
        st.tuples(st.just("vote"), CARRIER, CHOICES, PERSON),
        st.tuples(st.just("vote"), CARRIER, CHOICES, PERSON),
        st.tuples(st.just("exclude"), CARRIER, st.just(""), PERSON),
    ),
    max_size=14,
)
Act = tuple[str, int, str, str]


@pytest.fixture
def manager(alliance: Any, staff: Any) -> Actor:
    actor: Actor = staff(Role.ALLIANCE_MANAGER, body="alliance")
    return actor


@dataclass
class Count:
    """The rules as one reads them in the contract, for two carriers with two seats each."""

    reserved: bool
    uniform: bool
    instructed: dict[int, str] = field(default_factory=dict)
    cast: dict[int, dict[str, str]] = field(default_factory=lambda: {0: {}, 1: {}})
    out: dict[int, set[str]] = field(default_factory=lambda: {0: set(), 1: set()})

    def allows(self, act: Act) -> bool:
        """Whether the act may happen; it is taken note of if so."""
        what, who, choice, person = act
        cast, out = self.cast[who], self.out[who]
        if what == "instruct":
            if who in self.instructed or cast:
                return False
            self.instructed[who] = choice
            return True
        if person in cast or person in out or len(cast) + len(out) >= 2:
            return False
        if what == "exclude":
            out.add(person)
            return True
        bound = self.instructed.get(who)
        if (self.reserved and bound is None) or (bound is not None and choice != bound):
            return False
        if self.uniform and cast and choice not in cast.values():
            return False
        cast[person] = choice
        return True

    @property
    def sums(self) -> tuple[int, int, int, int]:
        """Votes for, against, abstentions, and all that might have been cast."""
        given_ = [choice for cast in self.cast.values() for choice in cast.values()]
        entitled = 4 - sum(len(out) for out in self.out.values())
        return given_.count("yes"), given_.count("no"), given_.count("abstain"), entitled


def act_of(board: Board, motion: UUID, act: Act) -> None:
    what, who, choice, person = act
    member = (board.one, board.two)[who]
    if what == "instruct":
        board.instruct(motion, member, choice)
    elif what == "exclude":
        board.exclude(motion, member, person)
    else:
        board.vote(motion, member, person, choice)


def played(board: Board, motion: UUID, acts: list[Act], count: Count) -> None:
    """Every act happens exactly when the count by hand allows it; a refused one changes nothing."""
    for act in acts:
        if count.allows(act):
            act_of(board, motion, act)
            continue
        before = digest()
        with pytest.raises((VoteRefused, BadVote)):
            act_of(board, motion, act)
        assert digest() == before


@CASES
@given(ACTS, st.booleans())
def test_w2_a_vote_on_a_reserved_matter_counts_only_with_an_instruction_and_as_it_says(
    manager: Actor, acts: list[Act], uniform: bool
) -> None:
    with undone():
        board = Board(manager, uniform=uniform)
        motion = board.motion("reserved")
        count = Count(reserved=True, uniform=uniform)
        played(board, motion, acts, count)
        bound = dict(Instruction.objects.filter(motion=motion).values_list("member_id", "choice"))
        for member, choice in Ballot.objects.filter(motion=motion).values_list("member_id", "choice"):
            assert bound[member] == choice
        found = board.close(motion)
        assert (found.yes, found.no, found.abstentions, found.entitled) == count.sums
        assert bound or (found.yes, found.no, found.abstentions, found.carried) == (0, 0, 0, False)


@CASES
@given(ACTS, st.booleans())
def test_w3_the_votes_of_one_carrier_are_the_same_if_the_contract_says_so(
    manager: Actor, acts: list[Act], uniform: bool
) -> None:
    with undone():
        board = Board(manager, uniform=uniform)
        motion = board.motion()
        count = Count(reserved=False, uniform=uniform)
        played(board, motion, acts, count)
        names = {board.one: 0, board.two: 1}
        kept: dict[int, dict[str, str]] = {0: {}, 1: {}}
        for member, person, choice in Ballot.objects.values_list("member_id", "person_name", "choice"):
            kept[names[member]][person] = choice
        assert kept == count.cast
        if uniform:
            assert all(len(set(cast.values())) <= 1 for cast in kept.values())
        found = board.close(motion)
        assert (found.yes, found.no, found.abstentions, found.entitled) == count.sums


@CASES
@given(ACTS, ACTS)
def test_w5_the_result_is_what_the_ballots_say_and_stays(manager: Actor, acts: list[Act], after: list[Act]) -> None:
    with undone():
        board = Board(manager, uniform=False)
        motion = board.motion()
        played(board, motion, acts, Count(reserved=False, uniform=False))
        board.close(motion)
        result = MotionResult.objects.get(motion=motion)
        choices = list(Ballot.objects.filter(motion=motion).values_list("choice", flat=True))
        entitled = 4 - Exclusion.objects.filter(motion=motion).count()
        yes, no, rest = (choices.count(choice) for choice in ("yes", "no", "abstain"))
        assert (result.yes, result.no, result.abstentions, result.entitled) == (yes, no, rest, entitled)
        assert result.quorate == (2 * (yes + no + rest) > entitled > 0)
        assert result.carried == (result.quorate and 2 * yes > yes + no)
        before = digest()
        for act in after:
            with pytest.raises(VoteRefused, match="is closed"):
                act_of(board, motion, act)
        with pytest.raises(VoteRefused, match="is closed"):
            board.close(motion)
        for table in (Ballot, MotionResult, Instruction, Exclusion):
            if table.objects.exists():
                with pytest.raises(DatabaseError), transaction.atomic():
                    table.objects.all().delete()
            with pytest.raises(DatabaseError), transaction.atomic():
                table.objects.update(recorded_at=NOW)
        assert digest() == before
        assert Member.objects.count() == 2


@FEW
@given(st.lists(st.booleans(), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_w5_minutes_are_numbered_without_gaps_whatever_is_refused_between(
    manager: Actor, decided: list[bool], order: Any
) -> None:
    """Meetings are closed in any order; those with an open vote, or closed before, are refused and take no number."""
    with undone():
        board = Board(manager)
        meetings = [(board.meeting, decided[0])]
        meetings += [
            (services.call_meeting(manager, held_on=DAY, form="meeting", now=NOW), ready) for ready in decided[1:]
        ]
        for board.meeting, ready in meetings:
            motion = board.motion()
            if ready:
                board.close(motion)
        order.shuffle(meetings)
        numbers = []
        for meeting, ready in [*meetings, *meetings]:
            closed = BoardMeeting.objects.get(id=meeting).minutes_number
            if ready and closed is None:
                numbers.append(services.close_meeting(manager, meeting_id=meeting, now=NOW))
                continue
            before = digest()
            with pytest.raises(VoteRefused):
                services.close_meeting(manager, meeting_id=meeting, now=NOW)
            assert digest() == before
        assert numbers == list(range(1, sum(decided) + 1))
        kept = BoardMeeting.objects.exclude(minutes_number=None).order_by("minutes_number")
        assert list(kept.values_list("minutes_number", flat=True)) == numbers
