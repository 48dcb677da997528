"""A carrier leaves: notice, last day, settlement, data back, erasure; and what else the alliance knows of bodies."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from verbund.modules.membership import queries, services
from verbund.modules.membership.models import Leaving, LegalParameter, ParameterKey, TaskKind
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role

from .factories import founded, hash_of, member
from .test_accession_rules import digest

pytestmark = pytest.mark.usefixtures("english")

NOTICE, EXIT, AFTER = date(2025, 6, 1), date(2026, 6, 30), date(2026, 9, 1)


@pytest.fixture
def manager(alliance: Any, staff: Any) -> Actor:
    actor: Actor = staff(Role.ALLIANCE_MANAGER, body="alliance")
    return actor


@pytest.fixture
def carriers(manager: Actor) -> list[UUID]:
    return founded(manager, "kreis", "hauptstadt", "drittstadt")


def noticed(manager: Actor, carrier: UUID, now: datetime, **more: Any) -> UUID:
    return services.give_leave_notice(manager, member_id=carrier, exit_on=EXIT, on=NOTICE, now=now, **more)


def steps(manager: Actor, leaving: UUID, now: datetime, on: date = AFTER) -> dict[str, Any]:
    common: dict[str, Any] = {"leaving_id": leaving, "on": on, "now": now}
    return {
        "settle": lambda: services.settle(manager, cents=-50_000, **common),
        "hand_back_data": lambda: services.hand_back_data(
            manager, export_reference="Export 7", manifest_sha256=hash_of("x"), **common
        ),
        "certify_erasure": lambda: services.certify_erasure(manager, certificate="Bescheinigung 3", **common),
        "leave": lambda: services.leave(manager, **common),
        "withdraw_leave_notice": lambda: services.withdraw_leave_notice(manager, **common),
    }


def test_the_whole_way_out(manager: Actor, carriers: list[UUID], now: datetime) -> None:
    leaving = noticed(manager, carriers[2], now)
    assert {c.member_id for c in queries.carriers_on(manager, EXIT)} == set(carriers)
    assert {c.member_id for c in queries.carriers_on(manager, EXIT + timedelta(days=1))} == set(carriers[:2])
    before, after = queries.capital_on(manager, EXIT), queries.capital_on(manager, EXIT + timedelta(days=1))
    assert before is not None
    assert after is not None
    assert (before.total_cents, after.total_cents, before.board_size, after.board_size) == (300_000, 200_000, 6, 4)
    acts = steps(manager, leaving, now)
    for name in ("settle", "hand_back_data", "certify_erasure", "leave"):
        acts[name]()
    row = Leaving.objects.get(id=leaving)
    assert (row.state, row.left_on, row.settlement_cents, row.certificate) == (
        "left",
        AFTER,
        -50_000,
        "Bescheinigung 3",
    )
    assert list(row.acts.order_by("number").values_list("action", flat=True)) == [
        "give_leave_notice",
        "settle",
        "hand_back_data",
        "certify_erasure",
        "leave",
    ]


STEPS = ("settle", "hand_back_data", "certify_erasure", "leave", "withdraw_leave_notice")
# What has been done -> what is then refused, and the reason. Everything not named is possible.
REFUSED: dict[tuple[str, ...], dict[str, str]] = {
    (): {
        "certify_erasure": "before the data",
        "leave": "Missing: the settlement",
        "withdraw_leave_notice": "no carrier",
    },
    ("settle",): {
        "settle": "settled already",
        "certify_erasure": "before the data",
        "leave": "Missing: the hand-back",
        "withdraw_leave_notice": "no carrier",
    },
    ("settle", "hand_back_data"): {
        "settle": "settled already",
        "hand_back_data": "back already",
        "leave": "Missing: the certificate of erasure",
        "withdraw_leave_notice": "no carrier",
    },
    ("settle", "hand_back_data", "certify_erasure"): {
        "settle": "settled already",
        "hand_back_data": "back already",
        "certify_erasure": "certified already",
        "withdraw_leave_notice": "no carrier",
    },
    ("settle", "hand_back_data", "certify_erasure", "leave"): dict.fromkeys(
        ("settle", "hand_back_data", "certify_erasure", "leave", "withdraw_leave_notice"), "it is closed"
    ),
}


@pytest.mark.parametrize("done", REFUSED, ids=lambda done: "-".join(done) or "nothing")
def test_every_step_after_each_other(
    manager: Actor, carriers: list[UUID], now: datetime, done: tuple[str, ...]
) -> None:
    acts = steps(manager, noticed(manager, carriers[2], now), now)
    for name in done:
        acts[name]()
    before = digest()
    for name, act in acts.items():
        point = transaction.savepoint()
        if name in REFUSED[done]:
            with pytest.raises(services.StepRefused, match=REFUSED[done][name]):
                act()
            assert digest() == before
        else:
            act()
            assert digest() != before
        transaction.savepoint_rollback(point)


@pytest.mark.parametrize("name", ["settle", "hand_back_data"])
def test_nothing_of_it_before_the_last_day(manager: Actor, carriers: list[UUID], now: datetime, name: str) -> None:
    leaving = noticed(manager, carriers[2], now)
    with pytest.raises(services.StepRefused, match=r"30\.06\.2026"):
        steps(manager, leaving, now, on=EXIT - timedelta(days=1))[name]()


def test_the_period_of_notice_is_kept(manager: Actor, carriers: list[UUID], now: datetime) -> None:
    with pytest.raises(services.BadStep) as refusal:
        services.give_leave_notice(manager, member_id=carriers[2], exit_on=date(2026, 5, 31), on=NOTICE, now=now)
    assert "01.06.2026" in str(refusal.value)
    assert Leaving.objects.count() == 0


def test_whoever_chairs_hands_the_chair_on(manager: Actor, carriers: list[UUID], now: datetime) -> None:
    with pytest.raises(services.BadStep) as refusal:
        noticed(manager, carriers[0], now)
    assert list(refusal.value.errors) == ["new_chair"]
    noticed(manager, carriers[0], now, new_chair=carriers[1])
    found = [queries.capital_on(manager, day) for day in (EXIT, EXIT + timedelta(days=1))]
    assert [c.chair_id for c in found if c] == [carriers[0], carriers[1]]


def test_a_notice_taken_back_leaves_all_as_it_was(manager: Actor, carriers: list[UUID], now: datetime) -> None:
    leaving = noticed(manager, carriers[2], now)
    services.withdraw_leave_notice(manager, leaving_id=leaving, on=date(2026, 1, 2), now=now)
    assert {c.member_id for c in queries.carriers_on(manager, AFTER)} == set(carriers)
    capital = queries.capital_on(manager, AFTER)
    assert capital is not None
    assert (capital.total_cents, capital.board_size) == (300_000, 6)


def test_the_last_carrier_stays(manager: Actor, now: datetime) -> None:
    (only,) = founded(manager, "kreis")
    with pytest.raises(services.StepRefused, match="dissolved"):
        noticed(manager, only, now)


def test_a_parameter_counts_from_its_day(manager: Actor, now: datetime) -> None:
    key = ParameterKey.CLEARANCE_MONTHS
    services.set_parameter(manager, key=key, value=1, valid_from=date(2027, 1, 1), source="§ 77 n. F.", now=now)
    assert [LegalParameter.value_on(key, d) for d in (date(2026, 12, 31), date(2027, 1, 1))] == [2, 1]
    with pytest.raises(services.ParameterConflict):
        services.set_parameter(manager, key=key, value=3, valid_from=date(2026, 6, 1), source="x", now=now)


def test_the_list_of_tasks_grows_by_a_csv_or_not_at_all(manager: Actor, now: datetime) -> None:
    before = TaskKind.objects.count()
    with pytest.raises(services.BadParameter) as refusal:
        services.import_task_kinds(manager, csv_text="code;name\nok;Gut\nNICHT GUT;x\nok;Doppelt\n;Leer\n", now=now)
    message = str(refusal.value)
    assert all(f"Line {line}" in message for line in (3, 4, 5))
    assert TaskKind.objects.count() == before
    assert services.import_task_kinds(manager, csv_text="code;name\ngis;Geodaten\n", now=now) == 1
    assert ("gis", "Geodaten") in queries.task_kinds(manager)


def test_what_is_known_of_a_body(manager: Actor, now: datetime) -> None:
    amt, town = member(manager, "amt", kind="amt"), member(manager, "dorf")
    services.administer(manager, amt_id=amt, town_id=town, valid_from=date(2020, 1, 1), now=now)
    other = member(manager, "anderes-amt", kind="amt")
    with pytest.raises(services.BodyConflict):
        services.administer(manager, amt_id=other, town_id=town, valid_from=date(2024, 1, 1), now=now)
    for day, count, source in (
        (date(2023, 12, 31), 900, "Amt"),
        (date(2024, 12, 31), 950, "Amt"),
        (date(2024, 12, 31), 951, "Berichtigt"),
    ):
        now += timedelta(hours=1)
        services.record_inhabitants(manager, member_id=town, reference_date=day, count=count, source=source, now=now)
    assert queries.inhabitants(manager, reference_date=date(2024, 6, 30)) == {town: 900}
    assert queries.inhabitants(manager, reference_date=date(2025, 6, 30)) == {town: 951}
    assert queries.inhabitants(manager, reference_date=date(2020, 6, 30)) == {}
    day = date(2025, 1, 1)
    (below,) = queries.body(manager, amt, day=day).administers
    above = queries.body(manager, town, day=day).administered_by
    assert above is not None
    assert [(found.member_id, found.name) for found in (below, above)] == [(town, "Stadt Dorf"), (amt, "Stadt Amt")]
    future = date(2030, 1, 1)
    with pytest.raises(services.BadBody) as refusal:
        services.record_inhabitants(manager, member_id=town, reference_date=future, count=-1, source=" ", now=now)
    assert set(refusal.value.errors) == {"count", "source", "reference_date"}


def test_a_representative_changes_nothing_about_bodies(manager: Actor, staff: Any, now: datetime) -> None:
    town = member(manager, "dorf")
    speaker = staff(Role.MEMBER_REPRESENTATIVE, body="alliance", units={"dorf"})
    before = digest()
    with pytest.raises(policy.Denied):
        services.add_contact(speaker, member_id=town, name="Ich", now=now)
    assert digest() == before
    assert queries.body(speaker, town, day=date(2025, 1, 1)).member.slug == "dorf"
