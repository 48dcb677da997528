from datetime import datetime
from typing import Any

import pytest

from verbund.modules.membership import queries, services
from verbund.modules.membership.models import Member
from verbund.platform.audit.models import AuditEntry
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.queries import unit_names
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import Conflict, NotFound
from verbund.platform.tenancy.models import Body

FACTS = {
    "name": "Stadt Alphausen",
    "kind": "town",
    "ags": "13076001",
    "ars": "130760001001",
    "slug": "alpha",
    "schema_name": "alpha",
}


@pytest.fixture
def manager(staff: Any) -> Actor:
    actor: Actor = staff(Role.ALLIANCE_MANAGER, body="alliance")
    return actor


def test_a_registered_body_stands_in_the_list(alliance: Any, manager: Actor, now: datetime) -> None:
    facts = services.register_body(manager, **FACTS, rooms={"records", "budget"}, now=now)
    assert queries.list_members(manager) == [facts]
    assert (facts.name, facts.rooms, facts.version) == ("Stadt Alphausen", ("budget", "records"), 1)
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == [
        "identity.unit_created",
        "membership.body.registered",
    ]


def test_a_body_brings_the_unit_of_its_representatives(alliance: Any, manager: Actor, now: datetime) -> None:
    services.register_body(manager, **FACTS, now=now)
    assert unit_names(["alpha"]) == {"alpha": "Stadt Alphausen"}


def test_a_candidate_has_no_tenant_and_no_rooms_to_switch(alliance: Any, manager: Actor, now: datetime) -> None:
    unprovisioned = {key: value for key, value in FACTS.items() if key != "schema_name"}
    first = services.register_body(manager, **unprovisioned, now=now)
    second = services.register_body(manager, **{**unprovisioned, "slug": "zeta"}, now=now)
    assert (first.schema_name, second.schema_name, first.id != second.id) == (None, None, True)
    with pytest.raises(services.NotProvisioned):
        services.switch_rooms(manager, member_id=first.id, rooms={"budget"}, expected_version=1, now=now)


def test_registering_the_same_body_again_changes_nothing(alliance: Any, manager: Actor, now: datetime) -> None:
    first = services.register_body(manager, **FACTS, now=now)
    assert services.register_body(manager, **FACTS, now=now) == first
    assert (Member.objects.count(), AuditEntry.objects.count()) == (1, 2)


def test_a_short_name_is_given_once(alliance: Any, manager: Actor, now: datetime) -> None:
    services.register_body(manager, **FACTS, now=now)
    with pytest.raises(services.AlreadyRegistered):
        services.register_body(manager, **{**FACTS, "schema_name": "gamma"}, now=now)
    assert Member.objects.count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"ags": "130"},
        {"ars": "x"},
        {"kind": "kingdom"},
        {"name": ""},
        {"rooms": {"cellar"}},
        {"slug": "a" * 41},
        {"ars": "130760001002"},
    ],
)
def test_what_cannot_be_is_refused_and_nothing_written(
    alliance: Any, manager: Actor, now: datetime, wrong: dict[str, Any]
) -> None:
    with pytest.raises(services.BadMember) as refusal:
        services.register_body(manager, **{**FACTS, **wrong}, now=now)
    assert list(refusal.value.errors) == list(wrong)
    assert (Member.objects.count(), AuditEntry.objects.count()) == (0, 0)


def test_a_clerk_cannot_register_or_list_bodies(alliance: Any, staff: Any, now: datetime) -> None:
    clerk = staff(Role.CLERK, body="alliance")
    with pytest.raises(policy.Denied):
        services.register_body(clerk, **FACTS, now=now)
    with pytest.raises(policy.Denied):
        queries.list_members(clerk)
    assert Member.objects.count() == 0


def test_members_are_kept_by_the_alliance_only(alpha: Any, staff: Any, now: datetime) -> None:
    with pytest.raises(services.NotTheAlliance):
        services.register_body(staff(Role.ALLIANCE_MANAGER), **FACTS, now=now)
    assert Member.objects.count() == 0


def test_switching_rooms_reaches_the_body_itself(alliance: Any, manager: Actor, now: datetime) -> None:
    member = services.register_body(manager, **FACTS, rooms={"records"}, now=now)
    services.switch_rooms(manager, member_id=member.id, rooms={"budget"}, expected_version=1, now=now)
    assert queries.member(manager, member.id).rooms == ("budget",)
    assert Body.objects.get(schema_name="alpha").rooms == ["budget"]
    entry = AuditEntry.objects.get(action="membership.rooms.switched")
    assert entry.changes == '{"after":{"rooms":["budget"]},"before":{"rooms":["records"]}}'


@pytest.mark.parametrize("room", ["costsharing", "membership"])
def test_a_town_never_gets_what_only_the_alliance_works_in(
    alliance: Any, manager: Actor, now: datetime, room: str
) -> None:
    with pytest.raises(services.BadMember):
        services.register_body(manager, **FACTS, rooms={"records", room}, now=now)
    assert Member.objects.count() == 0
    member = services.register_body(manager, **FACTS, rooms={"records"}, now=now)
    before = Body.objects.get(schema_name="alpha").rooms
    with pytest.raises(services.BadMember) as refusal:
        services.switch_rooms(manager, member_id=member.id, rooms={"records", room}, expected_version=1, now=now)
    assert set(refusal.value.errors) == {"rooms"}
    assert queries.member(manager, member.id).rooms == ("records",)
    assert Body.objects.get(schema_name="alpha").rooms == before
    assert not AuditEntry.objects.filter(action="membership.rooms.switched").exists()


def test_the_alliance_itself_may_have_all_rooms(alliance: Any, manager: Actor, now: datetime) -> None:
    itself = {**FACTS, "kind": "alliance", "slug": "verbund", "schema_name": "alliance"}
    member = services.register_body(manager, **itself, rooms={"membership", "costsharing", "budget"}, now=now)
    assert member.rooms == ("budget", "costsharing", "membership")


def test_the_second_of_two_managers_is_told(alliance: Any, manager: Actor, now: datetime) -> None:
    member = services.register_body(manager, **FACTS, now=now)
    services.switch_rooms(manager, member_id=member.id, rooms={"budget"}, expected_version=1, now=now)
    with pytest.raises(Conflict):
        services.switch_rooms(manager, member_id=member.id, rooms=set(), expected_version=1, now=now)
    assert queries.member(manager, member.id).rooms == ("budget",)


def test_an_auditor_sees_a_member_and_cannot_switch(alliance: Any, manager: Actor, staff: Any, now: datetime) -> None:
    member = services.register_body(manager, **FACTS, now=now)
    auditor = staff(Role.AUDITOR, body="alliance")
    assert queries.member(auditor, member.id) == member
    with pytest.raises(policy.Denied):
        services.switch_rooms(auditor, member_id=member.id, rooms=set(), expected_version=1, now=now)
    with pytest.raises(NotFound):
        queries.member(staff(Role.CLERK, body="alliance"), member.id)


def test_only_the_alliances_role_may_switch_rooms_in_the_database(alpha: Any) -> None:
    from django.db import DatabaseError

    from verbund.platform.tenancy.bodies import set_rooms

    with pytest.raises(DatabaseError, match="only the alliance"):
        set_rooms("beta", [])
