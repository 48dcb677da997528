"""A substitute sees the units of the absent person on the days of the absence, and on no other."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from verbund.platform.audit.models import AuditEntry
from verbund.platform.identity import policy, queries, services
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.local.models import Absence, OrgUnit
from verbund.platform.identity.recognition import staff_actor
from verbund.platform.identity.roles import Role

from .people import employ, sign_in

pytestmark = pytest.mark.django_db
FIRST, LAST = date(2026, 11, 23), date(2026, 11, 27)


@pytest.fixture
def eva(alpha: Any, now: datetime) -> UUID:
    for code in ("32", "50"):
        OrgUnit.objects.create(code=code, name=f"Amt {code}")
    return employ("alpha", "eva.eich@example.org", "Eva Eich", Role.TREASURER, unit="32", now=now)


@pytest.fixture
def udo(eva: UUID, now: datetime) -> UUID:
    return employ("alpha", "udo.ulme@example.org", "Udo Ulme", Role.CLERK, unit="50", now=now)


def acting(person: UUID, at: datetime) -> Actor:
    actor = staff_actor(person, now=at)
    assert actor is not None
    return actor


def away(eva: UUID, udo: UUID, now: datetime) -> UUID:
    return services.record_absence(
        acting(eva, now), person_id=eva, substitute_id=udo, absent_from=FIRST, absent_until=LAST, now=now
    )


@pytest.mark.parametrize(
    ("at", "stands_in"),
    [
        (datetime(2026, 11, 22, 22, 59, tzinfo=UTC), False),  # Sunday, 23:59 in Berlin
        (datetime(2026, 11, 22, 23, 0, tzinfo=UTC), True),  # Monday, 0:00 in Berlin
        (datetime(2026, 11, 25, 12, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 27, 22, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 27, 23, 0, tzinfo=UTC), False),
    ],
)
def test_the_units_are_added_on_the_days_of_the_absence_by_berlin_time(
    eva: UUID, udo: UUID, now: datetime, at: datetime, stands_in: bool
) -> None:
    away(eva, udo, now)
    actor = acting(udo, at)
    assert actor.units == ({"50", "32"} if stands_in else {"50"})
    assert actor.substitutes == ({eva} if stands_in else set())
    assert actor.roles == {Role.CLERK}  # never the roles of the absent person
    assert acting(eva, at).units == {"32"}


def test_ending_the_absence_ends_the_substitution_at_once(eva: UUID, udo: UUID, now: datetime) -> None:
    absence = away(eva, udo, now)
    wednesday = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
    assert acting(udo, wednesday).substitutes == {eva}
    services.end_absence(acting(eva, wednesday), absence_id=absence, now=wednesday)
    assert acting(udo, wednesday).substitutes == set()
    assert Absence.objects.get().absent_until == date(2026, 11, 24)
    assert AuditEntry.objects.filter(action="identity.absence_ended").count() == 1


def test_the_substitution_ends_with_the_absent_persons_own_assignment(eva: UUID, udo: UUID, now: datetime) -> None:
    away(eva, udo, now)
    wednesday = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
    system = Actor.system("alpha", "test")
    from verbund.platform.identity.models import Assignment

    row = Assignment.objects.get(person=eva)
    services.end_assignment(system, assignment_id=row.id, now=now, at=wednesday - timedelta(days=1))
    assert acting(udo, wednesday).units == {"50"}


def test_wrong_entries_are_refused_and_nothing_is_written(eva: UUID, udo: UUID, now: datetime) -> None:
    actor = acting(eva, now)
    stranger = UUID(int=7)
    away(eva, udo, now)
    for substitute, begin, end, field in (
        (eva, FIRST + timedelta(days=30), LAST + timedelta(days=30), "substitute"),
        (stranger, FIRST + timedelta(days=30), LAST + timedelta(days=30), "substitute"),
        (udo, LAST, FIRST, "absent_until"),
        (udo, date(2026, 11, 1), date(2026, 11, 5), "absent_until"),
        (udo, LAST, LAST + timedelta(days=3), "absent_from"),
    ):
        with pytest.raises(services.AbsenceInvalid) as refused:
            services.record_absence(
                actor, person_id=eva, substitute_id=substitute, absent_from=begin, absent_until=end, now=now
            )
        assert set(refused.value.errors) == {field}
    assert Absence.objects.count() == 1


def test_others_absences_are_noted_by_the_head_of_their_unit_and_the_administration_only(
    eva: UUID, udo: UUID, staff: Any, now: datetime
) -> None:
    def note(actor: Actor) -> UUID:
        return services.record_absence(
            actor, person_id=eva, substitute_id=udo, absent_from=FIRST, absent_until=LAST, now=now
        )

    for actor in (
        acting(udo, now),
        staff(Role.HEAD_OF_UNIT, units={"50"}),
        staff(Role.AUDITOR, units={"32"}),
        staff(Role.BODY_ADMIN, body="beta"),
        Actor.guest("alpha"),
    ):
        with pytest.raises(policy.Denied):
            note(actor)
    assert Absence.objects.count() == 0
    absence = note(staff(Role.HEAD_OF_UNIT, units={"32"}))
    with pytest.raises(policy.Denied):
        services.end_absence(acting(udo, now), absence_id=absence, now=now)
    services.end_absence(staff(Role.BODY_ADMIN), absence_id=absence, now=now)
    assert Absence.objects.count() == 0
    with pytest.raises(services.AbsenceNotFound):
        services.end_absence(staff(Role.BODY_ADMIN), absence_id=absence, now=now)


def test_ones_own_absence_is_noted_on_the_page_and_seen_by_the_substitute(client_of: Any, settings: Any) -> None:
    settings.VERBUND_REQUIRE_SECOND_FACTOR = False
    from verbund.platform.tenancy import acting_for, local_date
    from verbund.platform.tenancy import now as clock

    with acting_for("alpha"):
        OrgUnit.objects.create(code="32", name="Ordnung")
    eva = employ("alpha", "eva.eich@example.org", "Eva Eich", unit="32")
    udo = employ("alpha", "udo.ulme@example.org", "Udo Ulme")
    client, other = client_of("alpha"), client_of("alpha")
    sign_in(client)
    sign_in(other, "udo.ulme@example.org")
    today = local_date(clock()).isoformat()
    page = client.post(
        "/arbeit/konto/vertretung/", {"absent_from": today, "absent_until": today, "substitute": str(udo)}
    )
    assert page.status_code == 302
    assert "Udo Ulme" in client.get("/arbeit/konto/").content.decode()
    assert "Sie vertreten Eva Eich." in other.get("/arbeit/konto/").content.decode()
    assert "Eva Eich" in other.get("/arbeit/konto/sitzungen/").content.decode()
    with acting_for("alpha"):
        (row,) = queries.absences(acting(eva, clock()), person_id=eva, now=clock())
    assert other.post(f"/arbeit/konto/vertretung/{row.id}/beenden/").status_code == 403
    assert client.post(f"/arbeit/konto/vertretung/{row.id}/beenden/").status_code == 302
    assert "Sie vertreten" not in other.get("/arbeit/konto/").content.decode()
