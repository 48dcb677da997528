"""When an agreement ends or a carrier leaves, its rooms are only read for a time, then gone; agreed again they open."""

import json
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from verbund.modules.membership import services
from verbund.modules.membership.models import Member
from verbund.platform.audit.models import AuditEntry
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy.closing import AGREEMENT_ENDED, LEFT, ClosedRoom
from verbund.platform.tenancy.models import Body

from .factories import founded, hash_of

TODAY = date(2026, 11, 20)
EXIT = date(2026, 11, 30)


@pytest.fixture
def manager(staff: Any, settings: Any) -> Actor:
    settings.VERBUND_HANDOVER_DAYS = 30
    actor: Actor = staff(Role.ALLIANCE_MANAGER, body="alliance")
    return actor


@pytest.fixture
def alpha(alliance: Any, manager: Actor, now: datetime) -> UUID:
    """A carrier among others, with a body, that has agreed on two services as a carrier."""
    carriers = founded(manager, "kreis", "hauptstadt", "drittstadt", on=date(2020, 1, 1), now=now)
    Member.objects.filter(id=carriers[2]).update(schema_name="alpha")
    for code, room in (("AKTE", "records"), ("HAUSHALT", "budget")):
        services.define_service(
            manager,
            code=code,
            name=code.title(),
            description="Was dazugehört",
            unit="person",
            price_basis="tariff",
            rooms={room},
            valid_from=date(2020, 1, 1),
            now=now,
        )
    return carriers[2]


def agree(manager: Actor, member: UUID, code: str, now: datetime, **more: Any) -> UUID:
    wanted = {"valid_from": date(2026, 1, 1), "as_carrier": True, "basis": "Vertrag", **more}
    return services.agree_service(manager, member_id=member, service_code=code, now=now, **wanted).id


def end(manager: Actor, agreement: UUID, now: datetime) -> None:
    services.end_agreement(
        manager, agreement_id=agreement, last_day=TODAY, reason="Kündigung", expected_version=1, now=now
    )


def state() -> tuple[list[str], dict[str, ClosedRoom]]:
    facts = Body.objects.get(schema_name="alpha").facts()
    return sorted(facts.rooms), facts.closed


def days(now: datetime, number: int) -> datetime:
    return now + timedelta(days=number)


def test_a_room_is_read_for_a_time_and_then_gone(alpha: UUID, manager: Actor, now: datetime) -> None:
    agree(manager, alpha, "HAUSHALT", now)
    end(manager, agree(manager, alpha, "AKTE", now), now)
    services.follow_agreements(manager, now=now)
    assert state() == (["budget", "records"], {})
    gone = ClosedRoom(TODAY + timedelta(days=1), TODAY + timedelta(days=30), AGREEMENT_ENDED)
    assert services.follow_agreements(manager, now=days(now, 1)) == 1
    assert state() == (["budget", "records"], {"records": gone})
    entry = AuditEntry.objects.get(action="membership.rooms.closed")
    assert json.loads(entry.changes)["after"] == {"records": gone.plain()}
    assert services.follow_agreements(manager, now=days(now, 2)) == 0
    services.follow_agreements(manager, now=days(now, 30))
    assert state() == (["budget", "records"], {"records": gone})
    services.follow_agreements(manager, now=days(now, 31))
    assert state() == (["budget"], {"records": gone})
    services.follow_agreements(manager, now=days(now, 200))
    assert state() == (["budget"], {"records": gone})


def test_a_room_that_is_agreed_again_opens(alpha: UUID, manager: Actor, now: datetime) -> None:
    end(manager, agree(manager, alpha, "AKTE", now), now)
    services.follow_agreements(manager, now=days(now, 50))
    assert state()[0] == []
    agree(manager, alpha, "AKTE", days(now, 50), valid_from=TODAY + timedelta(days=50))
    assert state() == (["records"], {})


def test_a_carrier_that_left_reads_until_its_data_is_erased(alpha: UUID, manager: Actor, now: datetime) -> None:
    agree(manager, alpha, "AKTE", now)
    agree(manager, alpha, "HAUSHALT", now, as_carrier=False)  # as a co-user it goes on
    leaving = services.give_leave_notice(manager, member_id=alpha, exit_on=EXIT, on=date(2025, 11, 1), now=now)
    services.follow_agreements(manager, now=days(now, 10))
    assert state() == (["budget", "records"], {})
    left = ClosedRoom(EXIT + timedelta(days=1), None, LEFT)
    services.follow_agreements(manager, now=days(now, 11))
    assert state() == (["budget", "records"], {"records": left})
    services.follow_agreements(manager, now=days(now, 300))
    assert state() == (["budget", "records"], {"records": left})
    common: dict[str, Any] = {"leaving_id": leaving, "on": EXIT + timedelta(days=20), "now": days(now, 301)}
    services.hand_back_data(manager, export_reference="Export 7", manifest_sha256=hash_of("x"), **common)
    assert state() == (["budget", "records"], {"records": left})
    services.certify_erasure(manager, certificate="Bescheinigung 3", **common)
    assert state() == (["budget"], {"records": left})


def test_what_was_switched_on_by_hand_closes_with_the_way_out(alpha: UUID, manager: Actor, now: datetime) -> None:
    services.switch_rooms(manager, member_id=alpha, rooms={"records"}, expected_version=1, now=now)
    services.give_leave_notice(manager, member_id=alpha, exit_on=EXIT, on=date(2025, 11, 1), now=now)
    services.follow_agreements(manager, now=days(now, 11))
    assert state() == (["records"], {"records": ClosedRoom(EXIT + timedelta(days=1), None, LEFT)})


def test_a_notice_that_is_withdrawn_closes_nothing(alpha: UUID, manager: Actor, now: datetime) -> None:
    agree(manager, alpha, "AKTE", now)
    leaving = services.give_leave_notice(manager, member_id=alpha, exit_on=EXIT, on=date(2025, 11, 1), now=now)
    services.withdraw_leave_notice(manager, leaving_id=leaving, on=TODAY, now=now)
    services.follow_agreements(manager, now=days(now, 60))
    assert state() == (["records"], {})
