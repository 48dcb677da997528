"""Two accessions side by side, led at random: whatever happens, M1, M2, M4, M5, M6 and M8 hold (a stateful test)."""

from datetime import date, timedelta
from typing import Any, ClassVar

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from verbund.modules.membership import queries, services
from verbund.modules.membership.models import AccessionState, Consent, Decision
from verbund.modules.membership.services import CarrierConflict
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import Invalid

from .factories import Accessions, founded, medium, member

WHICH = st.integers(0, 1)
STEPS = (
    "all_consent",
    "sign",
    "give_notice",
    "complete_documents",
    "declare_no_objection",
    "publish_everywhere",
    "take_effect",
    "record_capital",
    "transfer_task",
    "withdraw",
    "abandon",
    "raise_objection",
)


class TwoAccessions(RuleBasedStateMachine):
    """Both begin with a contract; every step happens a day after the one before."""

    manager: ClassVar[Actor]

    @initialize()
    def begin(self) -> None:
        self.block = transaction.atomic()
        self.block.__enter__()
        self.founders = founded(self.manager)
        self.cases = []
        for slug in ("erste", "zweite"):
            candidate = member(self.manager, slug)
            medium(candidate)
            self.cases.append(Accessions(self.manager, candidate, text=slug).to(AccessionState.DRAFT_CONTRACT))
        self.day = date(2026, 3, 1)
        self.number = 0
        self.total = {self.day: 200_000}

    def teardown(self) -> None:
        if hasattr(self, "block"):
            transaction.set_rollback(True)
            self.block.__exit__(None, None, None)

    def step(self, case: Accessions, name: str, **options: Any) -> bool:
        """Try an act; a refusal leaves no trace, as the atomic service promises."""
        self.day += timedelta(days=1)
        version = case.row().version
        try:
            getattr(case, name)(on=self.day, **options)
        except (services.StepRefused, CarrierConflict, Invalid):
            if name not in ("all_consent", "publish_everywhere"):  # these are several acts
                assert case.row().version == version
            return False
        return True

    @rule(which=WHICH, name=st.sampled_from(STEPS))
    def act(self, which: int, name: str) -> None:
        case = self.cases[which]
        carriers = {c.member_id for c in queries.carriers_on(self.manager, self.day + timedelta(days=1))}
        if not self.step(case, name):
            return
        if name == "sign":
            decided = Consent.objects.filter(draft=case.draft(), decision=Decision.CONSENTED)
            assert set(decided.values_list("party_id", flat=True)) >= carriers | {case.member_id}  # M1, M6
        if name == "take_effect":
            cleared = case.row().cleared_on
            assert cleared is not None
            assert cleared <= self.day  # M2
            self.total[self.day] = self.total[max(self.total)] + 50_000

    @rule(which=WHICH)
    def put_another_version(self, which: int) -> None:
        self.number += 1
        case = self.cases[which]
        if self.step(case, "put_contract_version", text=f"Vertrag {which} {self.number}"):
            assert set(Consent.objects.filter(draft=case.draft()).values_list("decision", flat=True)) == {"pending"}

    @invariant()
    def shares_and_seats_add_up(self) -> None:  # M4, M5
        if not hasattr(self, "total"):
            return
        for day, total in self.total.items():
            carriers = queries.carriers_on(self.manager, day)
            capital = queries.capital_on(self.manager, day)
            assert capital is not None
            assert sum(c.share_cents for c in carriers) == capital.total_cents == total
            assert sum(c.seats for c in carriers) == capital.board_size

    @invariant()
    def nothing_before_clearance(self) -> None:  # M2
        for case in getattr(self, "cases", ()):
            row = case.row()
            if row.cleared_on is None:
                assert (row.effective_on, row.capital_paid_on) == (None, None)
                assert not row.transfers.filter(transferred_on__isnull=False).exists()


@pytest.mark.usefixtures("alliance")
def test_two_parallel_accessions_keep_the_invariants(staff: Any) -> None:
    TwoAccessions.manager = staff(Role.ALLIANCE_MANAGER, body="alliance")
    run_state_machine_as_test(
        TwoAccessions,
        settings=settings(
            max_examples=8,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
        ),
    )
