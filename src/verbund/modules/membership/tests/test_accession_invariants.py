"""The invariants M1 to M9 of budget-domain 8.1, each by its number."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.races import at_once

from verbund.modules.membership import queries, services
from verbund.modules.membership.models import AccessionState, CarrierPeriod, Consent, ProcedureAct, PublicationMedium
from verbund.modules.membership.models.carriers import percentages
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import NotFound

from . import factories
from .factories import Accessions, founded, hash_of, medium, member
from .test_accession_rules import digest

pytestmark = pytest.mark.usefixtures("english")

ONE_CASE = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def manager(alliance: Any, staff: Any) -> Actor:
    actor: Actor = staff(Role.ALLIANCE_MANAGER, body="alliance")
    return actor


def begun(manager: Actor, slug: str = "neustadt", text: str = "Vertrag 1") -> Accessions:
    candidate = member(manager, slug)
    medium(candidate)
    return Accessions(manager, candidate, text=text)


@contextmanager
def undone() -> Iterator[None]:
    """Whatever is written here is gone afterwards: the next example finds nothing."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@ONE_CASE
@given(st.lists(st.sampled_from(["consent", "candidate", "new version", "sign"]), max_size=12), st.integers(1, 3))
def test_m1_no_signature_without_every_consent_to_the_same_version(
    manager: Actor, order: list[str], carriers: int
) -> None:
    with undone():
        founders = founded(manager, *[f"traeger{n}" for n in range(carriers)])
        case = begun(manager).to(AccessionState.DRAFT_CONTRACT)
        consented: set[UUID] = set()
        number = 1
        for step in order:
            if step == "new version":
                number += 1
                case.put_contract_version(text=f"Vertrag {number}")
                consented = set()
            elif step == "candidate" and case.member_id not in consented:
                case.record_candidate_resolution()
                consented.add(case.member_id)
            elif step == "consent" and (waiting := [f for f in founders if f not in consented]):
                case.record_consent(waiting[0])
                consented.add(waiting[0])
            elif step == "sign":
                complete = consented == {*founders, case.member_id}
                if not complete:
                    with pytest.raises(services.StepRefused):
                        case.sign()
                    assert case.row().signed_on is None
                    continue
                case.sign()
                assert {c.decision for c in Consent.objects.filter(draft__sha256=hash_of(case.text))} == {"consented"}
                break


def test_m1_a_changed_draft_lets_the_consents_fall_and_says_so(manager: Actor) -> None:
    founders = founded(manager)
    case = begun(manager).to(AccessionState.DRAFT_CONTRACT)
    case.record_consent(founders[0])
    case.put_contract_version(text="Vertrag 2", on=date(2026, 3, 2))
    shown = {p.member_id: p.decision for p in queries.accession(manager, case.id).parties}
    assert shown == {founders[0]: "consented_other_version", founders[1]: "pending", case.member_id: "pending"}
    assert Consent.objects.filter(party=founders[0]).count() == 2
    with pytest.raises(services.OtherVersion, match=r"version 1.*Version 2"):
        case.record_consent(founders[0], on=date(2026, 3, 3), version_sha256=hash_of("Vertrag 1"))


def test_m1_the_same_text_is_put_once(manager: Actor) -> None:
    founded(manager)
    case = begun(manager).to(AccessionState.DRAFT_CONTRACT)
    case.put_contract_version(text="Vertrag 2")
    with pytest.raises(services.StepRefused, match="version 1 already"):
        case.put_contract_version(text="Vertrag 1")


@pytest.mark.parametrize("step", ["record_capital", "transfer_task", "take_effect"])
def test_m2_nothing_for_the_candidate_before_clearance(manager: Actor, step: str) -> None:
    founded(manager)
    case = begun(manager).to(AccessionState.DOCUMENTS_COMPLETE)
    assert queries.cleared_on(manager, case.member_id) is None
    before = digest()
    with pytest.raises(services.StepRefused):
        getattr(case, step)()
    assert digest() == before


@pytest.mark.parametrize(("step", "state"), [("take_effect", "published")])
def test_m2_not_even_dated_back(manager: Actor, step: str, state: str) -> None:
    founded(manager)
    case = begun(manager).to(AccessionState(state))
    with pytest.raises(services.StepRefused, match="clearance"):
        getattr(case, step)(on=factories.CLEARED - timedelta(days=1))
    assert queries.cleared_on(manager, case.member_id) == factories.CLEARED


def test_m2_a_founder_is_clear_from_its_first_day_and_a_stranger_never(manager: Actor) -> None:
    founders = founded(manager)
    assert queries.cleared_on(manager, founders[0]) == factories.FOUNDED
    assert queries.cleared_on(manager, member(manager, "fremd")) is None
    with pytest.raises(NotFound):
        queries.cleared_on(manager, UUID(int=1))


def test_m2_the_database_itself_refuses_effect_before_clearance(manager: Actor) -> None:
    founded(manager)
    case = begun(manager).to(AccessionState.SIGNED)
    row = case.row()
    row.effective_on = date(2026, 6, 1)
    with pytest.raises(IntegrityError, match="membership_nothing_before_clearance"):
        row.save(update_fields=["effective_on"])


@ONE_CASE
@given(st.dates(date(2026, 3, 20), date(2026, 8, 31)), st.integers(-3, 3))
def test_m3_deemed_clearance_needs_complete_documents_and_two_full_months(
    manager: Actor, complete: date, offset: int
) -> None:
    with undone():
        founded(manager)
        case = begun(manager).to(AccessionState.NOTIFIED)
        with pytest.raises(services.StepRefused):
            case.establish_clearance(date(2026, 11, 20))
        ends = case.complete_documents(complete)
        on = ends + timedelta(days=offset)
        if offset <= 0:
            with pytest.raises(services.StepRefused, match="until the end of"):
                case.establish_clearance(on)
            assert case.row().cleared_on is None
        else:
            assert case.establish_clearance(on) == ends + timedelta(days=1)
            assert case.row().cleared_on == ends + timedelta(days=1)


def test_m3_a_new_submission_restarts_the_period(manager: Actor) -> None:
    founded(manager)
    case = begun(manager).to(AccessionState.DOCUMENTS_COMPLETE)
    case.give_notice(date(2026, 5, 10))
    with pytest.raises(services.StepRefused):
        case.establish_clearance(date(2026, 6, 2))
    assert case.complete_documents(date(2026, 5, 12)) == date(2026, 7, 12)
    with pytest.raises(services.StepRefused, match=r"12\.07\.2026"):
        case.establish_clearance(date(2026, 7, 12))
    assert case.establish_clearance(date(2026, 7, 13)) == date(2026, 7, 13)


def test_m3_after_the_period_an_objection_comes_too_late(manager: Actor) -> None:
    founded(manager)
    case = begun(manager).to(AccessionState.DOCUMENTS_COMPLETE)
    with pytest.raises(services.StepRefused, match="no breach counts as asserted"):
        case.raise_objection(date(2026, 6, 2))
    case.raise_objection(date(2026, 6, 1))
    assert case.state == AccessionState.OBJECTION


def test_m3_the_daily_work_establishes_what_is_due(manager: Actor) -> None:
    founded(manager)
    due, waiting = begun(manager, "faellig"), begun(manager, "wartend", "Vertrag W")
    due.to(AccessionState.DOCUMENTS_COMPLETE)
    waiting.to(AccessionState.NOTIFIED)
    waiting.complete_documents(date(2026, 9, 20))
    system = Actor.system("alliance", "test")
    on_the_last_day = datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert services.establish_due_clearances(system, now=on_the_last_day) == 1
    assert services.establish_due_clearances(system, now=on_the_last_day + timedelta(days=1)) == 1
    assert (due.row().cleared_on, waiting.row().cleared_on) == (date(2026, 6, 2), date(2026, 11, 21))


@settings(ONE_CASE, max_examples=5)
@given(st.lists(st.tuples(st.integers(0, 200_000), st.integers(0, 3)), min_size=1, max_size=3))
def test_m4_m5_shares_and_seats_add_up_on_every_day(manager: Actor, joining: list[tuple[int, int]]) -> None:
    with undone():
        founded(manager, cents=1_250_000)
        total, seats = 2_500_000, 4
        expected = {factories.FOUNDED: (total, seats)}
        for number, (cents, chairs) in enumerate(joining):
            case = begun(manager, f"stadt{number}", f"Vertrag {number}").to(AccessionState.NEGOTIATION)
            terms = services.ContractTerms(share_cents=cents, seats=chairs)
            case.put_contract_version(terms=terms)
            for step in (case.all_consent, case.sign, case.give_notice, case.complete_documents):
                step()
            case.declare_no_objection()
            case.publish_everywhere()
            day = factories.EFFECT + timedelta(days=number)
            case.take_effect(day)
            total, seats = total + cents, seats + chairs
            expected[day] = (total, seats)
        for day, (cents, chairs) in expected.items():
            carriers = queries.carriers_on(manager, day)
            capital = queries.capital_on(manager, day)
            assert capital is not None
            assert (capital.total_cents, capital.board_size) == (cents, chairs)
            assert (sum(c.share_cents for c in carriers), sum(c.seats for c in carriers)) == (cents, chairs)
            assert capital.chair_id in {c.member_id for c in carriers}
            shown = percentages({c.member_id: c.share_cents for c in carriers})
            assert sum(shown.values()) == 10_000


def test_m4_m5_a_contract_that_states_another_sum_is_not_signed(manager: Actor) -> None:
    founders = founded(manager)
    case = begun(manager).to(AccessionState.NEGOTIATION)
    change = services.Share(founders[0], 100_000, 1)
    case.put_contract_version(terms=services.ContractTerms(seats=1, changes=(change,), total_cents=249_999))
    case.all_consent()
    with pytest.raises(services.StepRefused, match=r"€2,499.99, the shares add up to €2,500.00"):
        case.sign()
    case.put_contract_version(text="Vertrag 2", terms=services.ContractTerms(seats=1, changes=(change,), board_size=5))
    case.all_consent()
    with pytest.raises(services.StepRefused, match="states 5 seats on the board, they add up to 4"):
        case.sign()


@given(st.dictionaries(st.uuids(), st.integers(0, 10**9), min_size=1, max_size=30))
def test_m4_percentages_sum_to_one_hundred(shares: dict[UUID, int]) -> None:
    shown = percentages(shares)
    assert sum(shown.values()) == (10_000 if sum(shares.values()) else 0)
    total = sum(shares.values())
    assert all(abs(shown[key] - share * 10_000 / total) < 1 for key, share in shares.items() if total)


def test_m6_whoever_became_a_carrier_meanwhile_has_to_consent(manager: Actor) -> None:
    founded(manager)
    first, second = begun(manager, "erste", "Vertrag E"), begun(manager, "zweite", "Vertrag Z")
    first.to(AccessionState.PUBLISHED)
    second.to(AccessionState.ALL_CONSENTED)
    first.take_effect()
    assert second.state == AccessionState.DRAFT_CONTRACT
    before = digest()
    with pytest.raises(services.StepRefused):
        second.sign(date(2026, 6, 15))
    assert digest() == before
    view = queries.accession(manager, second.id)
    assert [(p.name, p.joined_later) for p in view.parties if p.decision == "pending"] == [("Stadt Erste", True)]
    second.record_consent(first.member_id, on=date(2026, 6, 10))
    second.sign(date(2026, 6, 15))
    assert second.row().signed_on == date(2026, 6, 15)


def test_m6_the_carriers_are_looked_at_again_at_the_signature(manager: Actor) -> None:
    """Also when a carrier comes in by another way than an accession, and nobody was asked."""
    founders = founded(manager)
    case = begun(manager).to(AccessionState.ALL_CONSENTED)
    late = member(manager, "spaet")
    CarrierPeriod.objects.create(
        id=UUID(int=7),
        member_id=late,
        share_cents=1,
        seats=0,
        valid_from=date(2026, 3, 10),
        basis="x",
        recorded_at=case.now,
    )
    with pytest.raises(services.StepRefused, match="Consent to this version is missing: Stadt Spaet"):
        case.sign()
    case.record_consent(late, on=date(2026, 3, 12))
    case.sign()
    assert {c.party_id for c in Consent.objects.filter(draft=case.draft())} == {*founders, late, case.member_id}


@ONE_CASE
@given(st.lists(st.dates(date(2024, 1, 1), date(2026, 6, 30)), min_size=1, max_size=4, unique=True))
def test_m7_what_was_known_stays_known(manager: Actor, corrections: list[date]) -> None:
    """A date corrected any number of times: at each earlier moment the old answer stands."""
    with undone():
        moment = datetime(2026, 7, 1, tzinfo=UTC)
        first = date(2025, 1, 1)
        members = founded(manager, "kreis", on=first, now=moment)
        known = [(moment, first)]
        for day in corrections:
            moment += timedelta(hours=1)
            services.correct_carrier(
                manager, member_id=members[0], recorded_from=known[-1][1], valid_from=day, reason="Quelle", now=moment
            )
            known.append((moment, day))
        for at, day in known:
            (row,) = queries.carriers_on(manager, date(2026, 7, 1), known_at=at)
            assert row.valid_from == day
            assert queries.carriers_on(manager, day - timedelta(days=1), known_at=at) == []
        assert queries.carriers_on(manager, date(2026, 7, 1), known_at=known[0][0] - timedelta(seconds=1)) == []


def test_m7_recorded_periods_are_closed_once_and_nothing_else(manager: Actor) -> None:
    founded(manager)
    for change in ({"share_cents": 1}, {"valid_from": date(2020, 1, 1)}):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            CarrierPeriod.objects.update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        CarrierPeriod.objects.all().delete()


def test_m7_periods_recorded_now_never_overlap(manager: Actor, now: datetime) -> None:
    founders = founded(manager)
    with pytest.raises(IntegrityError, match="membership_one_carrier_period"), transaction.atomic():
        CarrierPeriod.objects.create(
            id=UUID(int=9), member_id=founders[0], share_cents=1, seats=0, valid_from=date(2026, 1, 1), basis="x",
            recorded_at=now,
        )  # fmt: skip


def test_m8_the_carriers_of_each_day_are_those_of_the_periods(manager: Actor) -> None:
    founders = founded(manager)
    case = begun(manager).to(AccessionState.EFFECTIVE)
    periods = queries.carriers_between(manager, start=date(2026, 5, 1), end=date(2026, 6, 30))
    for offset in range(61):
        day = date(2026, 5, 1) + timedelta(days=offset)
        of_the_day = {c.member_id for c in queries.carriers_on(manager, day)}
        assert of_the_day == {p.member_id for p in periods if p.valid_from <= day <= (p.valid_until or day)}
        assert of_the_day == {*founders, *([case.member_id] if day >= factories.EFFECT else [])}


def test_m9_only_the_consented_text_counts_as_published(manager: Actor) -> None:
    founders = founded(manager)
    case = begun(manager).to(AccessionState.NO_OBJECTION)
    where = PublicationMedium.objects.filter(member=founders[0])[0]
    before = digest()
    with pytest.raises(services.OtherText):
        services.record_publication(
            manager,
            accession_id=case.id,
            medium_id=where.id,
            sha256=hash_of("anderer Text"),
            on=factories.PUBLISHED,
            now=case.now,
        )
    assert digest() == before
    case.publish_everywhere()
    assert case.state == AccessionState.PUBLISHED


def test_m9_a_party_without_a_known_medium_is_missing(manager: Actor) -> None:
    founders = founded(manager)
    case = Accessions(manager, member(manager, "neustadt")).to(AccessionState.NO_OBJECTION)
    for founder in founders:
        case.record_publication(PublicationMedium.objects.get(member=founder).id)
    assert case.state == AccessionState.NO_OBJECTION
    with pytest.raises(services.StepRefused, match="Stadt Neustadt: no medium known"):
        case.take_effect()


def test_a_representative_decides_for_the_own_body_only(manager: Actor, staff: Any) -> None:
    founders = founded(manager, "kreis", "hauptstadt")
    case = begun(manager).to(AccessionState.DRAFT_CONTRACT)
    speaker = staff(Role.MEMBER_REPRESENTATIVE, body="alliance", units={"kreis"}, name="Rita Rat")
    before = digest()
    case.actor = speaker
    with pytest.raises(policy.Denied):
        case.record_consent(founders[1])
    with pytest.raises(policy.Denied):
        case.put_contract_version(text="Vertrag 2")
    assert digest() == before
    case.record_consent(founders[0])
    assert ProcedureAct.objects.order_by("-number")[0].actor_name == "Rita Rat"
    stranger = staff(Role.MEMBER_REPRESENTATIVE, body="alliance", units={"fremd"}, name="Fritz Fremd")
    with pytest.raises(NotFound):
        queries.accession(stranger, case.id)
    assert queries.accession(speaker, case.id).possible == ()
    assert [m.name for m in queries.list_members(speaker)] == ["Stadt Kreis"]


def test_two_people_record_the_same_consent_at_once(real_database: str, staff: Any) -> None:
    """One is served, the other is told; with two connections and two transactions."""
    from verbund.platform.tenancy import acting_for

    manager = staff(Role.ALLIANCE_MANAGER, body="alliance")
    with acting_for("alliance"):
        founders = founded(manager)
        case = Accessions(manager, member(manager, "neustadt")).to(AccessionState.DRAFT_CONTRACT)

    def consent() -> str:
        with translation.override("en"):
            try:
                case.record_consent(founders[0])
            except services.AlreadyDecided as refusal:
                return str(refusal)
        return "served"

    answers = at_once([consent] * 2, body="alliance")
    assert sorted(answers) == ["Stadt Kreis has decided on this version already: Consented on 01.03.2026.", "served"]
    with acting_for("alliance"):
        assert ProcedureAct.objects.filter(action="record_consent").count() == 1
