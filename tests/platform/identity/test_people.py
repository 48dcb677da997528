"""The administration of people: what it may do, and what it may not."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail

from verbund.platform.audit.models import AuditEntry
from verbund.platform.identity import factors, policy, queries, services, totp
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.local.models import OrgUnit
from verbund.platform.identity.models import Assignment, Person, RecoveryCode, SecondFactor
from verbund.platform.identity.recognition import staff_actor
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for

from .people import PASSWORD, employ, sign_in

pytestmark = pytest.mark.django_db


def everything() -> list[Any]:
    """All that a denied action must leave as it was."""
    return [
        list(Person.objects.order_by("pk").values()),
        list(Assignment.objects.order_by("pk").values()),
        list(SecondFactor.objects.order_by("pk").values()),
        list(OrgUnit.objects.order_by("pk").values()),
        AuditEntry.objects.count(),
    ]


@pytest.fixture
def admin(alpha: Any, now: datetime) -> Actor:
    person = employ("alpha", "anna.ahorn@example.org", "Anna Ahorn", Role.BODY_ADMIN, now=now)
    found = staff_actor(person, now=now)
    assert found is not None
    return found


def test_a_new_person_is_invited_chooses_a_password_and_has_the_role(
    client_of: Any, told: list[Any], settings: Any
) -> None:
    settings.VERBUND_REQUIRE_SECOND_FACTOR = False
    employ("alpha", "anna.ahorn@example.org", "Anna Ahorn", Role.BODY_ADMIN)
    with acting_for("alpha"):
        OrgUnit.objects.create(code="32", name="Ordnung")
    client = client_of("alpha")
    sign_in(client, "anna.ahorn@example.org")
    entered = {
        "display_name": "Udo Ulme",
        "email": "Udo.Ulme@example.org",
        "role": "clerk",
        "unit": "32",
        "valid_from": _today(),
    }
    answer = client.post("/arbeit/verwaltung/personen/neu/", entered)
    assert answer.status_code == 302, answer.content.decode()
    page = client.get(answer["Location"]).content.decode()
    assert "Udo Ulme" in page
    assert "32 Ordnung" in page
    assert "eingeladen" in page
    (message,) = mail.outbox
    assert (message.to, message.subject) == (["udo.ulme@example.org"], "Ihr Zugang zu Stadt Alphausen")
    link = "/anmelden/einladung/" + message.body.split("/anmelden/einladung/")[1].split()[0]
    new = client_of("alpha")
    assert new.post(link, {"password": PASSWORD, "again": PASSWORD})["Location"] == "/anmelden/"
    assert sign_in(new, "udo.ulme@example.org").status_code == 302
    assert "32 Ordnung" in new.get("/arbeit/konto/").content.decode()


def test_wrong_entries_are_told_at_their_fields_and_write_nothing(client_of: Any, settings: Any) -> None:
    settings.VERBUND_REQUIRE_SECOND_FACTOR = False
    employ("alpha", "anna.ahorn@example.org", "Anna Ahorn", Role.BODY_ADMIN)
    client = client_of("alpha")
    sign_in(client, "anna.ahorn@example.org")
    with acting_for("alpha"):
        before = everything()
    answer = client.post(
        "/arbeit/verwaltung/personen/neu/",
        {
            "display_name": "U",
            "email": "udo",
            "role": "clerk",
            "valid_from": "2026-12-02",
            "valid_until": "2026-12-01",
        },
    )
    text = answer.content.decode()
    assert answer.status_code == 422
    assert 'href="#id_email"' in text
    assert 'href="#id_display_name"' in text
    assert 'href="#id_valid_until"' in text
    with acting_for("alpha"):
        assert everything() == before


def test_somebody_of_another_body_keeps_name_and_password_and_stays_managed_there(
    now: datetime, told: list[Any]
) -> None:
    person = employ("beta", "berta.buche@example.org", "Berta Buche", now=now)
    employ("alpha", "anna.ahorn@example.org", "Anna Ahorn", Role.BODY_ADMIN, now=now)
    with acting_for("alpha"):
        admin = staff_actor(Person.objects.get(email="anna.ahorn@example.org").id, now=now)
        assert admin is not None
        made = services.create_person(
            admin,
            email="Berta.Buche@example.org",
            display_name="Falscher Name",
            role=Role.CLERK,
            valid_from=now,
            now=now,
            trust_home=True,
        )
        assert (made.id, made.known, told) == (person, True, [])
        view = queries.person(admin, person, now=now)
        assert (view.name, view.is_home, view.may_reset) == ("Berta Buche", False, False)
        before = everything()
        attempts: tuple[Callable[[], object], ...] = (
            lambda: services.change_person(admin, person_id=person, email="x@example.org", display_name="Neu", now=now),
            lambda: services.deactivate_person(admin, person_id=person, now=now),
            lambda: services.reset_second_factor(
                admin, person_id=person, witness_id=uuid4(), reason="verloren", now=now
            ),
        )
        for attempt in attempts:
            with pytest.raises(policy.Denied):
                attempt()
        assert everything() == before
    with acting_for("beta"):
        own = staff_actor(person, now=now)
        assert own is not None
        assert own.name == "Berta Buche"


def test_nobody_gives_themselves_a_role(admin: Actor, now: datetime) -> None:
    before = everything()
    assert admin.id is not None
    with pytest.raises(policy.Denied):
        services.assign_role(admin, person_id=admin.id, role=Role.TREASURER, valid_from=now, now=now)
    with pytest.raises(policy.Denied):
        services.create_person(
            admin,
            email="anna.ahorn@example.org",
            display_name="Anna Ahorn",
            role=Role.TREASURER,
            valid_from=now,
            now=now,
        )
    assert everything() == before


@pytest.mark.parametrize(
    "role", [Role.CLERK, Role.HEAD_OF_UNIT, Role.AUDITOR, Role.TREASURER, Role.REGISTRY, Role.OPERATOR]
)
def test_only_the_administration_manages_people_and_units(alpha: Any, staff: Any, now: datetime, role: Role) -> None:
    person = employ("alpha", now=now)
    actor = staff(role)
    assignment = Assignment.objects.get(person=person)
    OrgUnit.objects.create(code="32", name="Ordnung")
    before = everything()
    attempts: tuple[Callable[[], object], ...] = (
        lambda: services.create_person(
            actor, email="x@example.org", display_name="Xaver X", role=Role.CLERK, valid_from=now, now=now
        ),
        lambda: services.assign_role(actor, person_id=person, role=Role.TREASURER, valid_from=now, now=now),
        lambda: services.end_assignment(actor, assignment_id=assignment.id, now=now),
        lambda: services.change_person(actor, person_id=person, email="x@example.org", display_name="Xaver X", now=now),
        lambda: services.deactivate_person(actor, person_id=person, now=now),
        lambda: services.invite_person(actor, person_id=person, now=now),
        lambda: services.reset_second_factor(actor, person_id=person, witness_id=uuid4(), reason="verloren", now=now),
        lambda: services.create_unit(actor, code="33", name="Bürgerbüro", now=now),
        lambda: services.change_unit(actor, code="32", name="Anders", now=now),
        lambda: services.set_initial_password(actor, person_id=person, password=PASSWORD, now=now),
        lambda: services.invitation_secret(actor, person_id=person, now=now),
        lambda: services.tidy_up(actor, now=now),
        lambda: services.send_link(actor, kind="invitation", subject=person, language="de", now=now),
    )
    for attempt in attempts:
        with pytest.raises(policy.Denied):
            attempt()
    assert everything() == before


def test_an_administrator_of_one_body_has_no_power_in_another(now: datetime) -> None:
    employ("alpha", "anna.ahorn@example.org", "Anna Ahorn", Role.BODY_ADMIN, now=now)
    person = employ("beta", "berta.buche@example.org", "Berta Buche", now=now)
    with acting_for("alpha"):
        admin = staff_actor(Person.objects.get(email="anna.ahorn@example.org").id, now=now)
        assert admin is not None
        with pytest.raises(services.PersonNotFound):
            services.assign_role(admin, person_id=person, role=Role.CLERK, valid_from=now, now=now)
    with acting_for("beta"), pytest.raises(policy.Denied):
        services.assign_role(admin, person_id=person, role=Role.CLERK, valid_from=now, now=now)


def test_the_last_administrator_stays_until_there_is_another(admin: Actor, now: datetime) -> None:
    assert admin.id is not None
    (own,) = Assignment.objects.filter(person_id=admin.id)
    before = everything()
    with pytest.raises(services.PersonConflict, match=r"last administrator|letzte Administration"):
        services.end_assignment(admin, assignment_id=own.id, now=now)
    assert everything() == before
    employ("alpha", "bea.birke@example.org", "Bea Birke", Role.BODY_ADMIN, now=now)
    services.end_assignment(admin, assignment_id=own.id, now=now)
    assert staff_actor(admin.id, now=now) is None


def test_the_same_role_twice_at_one_time_is_refused(admin: Actor, now: datetime) -> None:
    person = employ("alpha", "udo.ulme@example.org", "Udo Ulme", now=now)
    with pytest.raises(services.PersonConflict):
        services.assign_role(admin, person_id=person, role=Role.CLERK, valid_from=now, now=now)
    (row,) = Assignment.objects.filter(person=person)
    services.end_assignment(admin, assignment_id=row.id, now=now)
    services.assign_role(admin, person_id=person, role=Role.CLERK, valid_from=now, now=now)
    assert Assignment.objects.filter(person=person).count() == 2


def test_alliance_roles_exist_in_the_alliance_only(admin: Actor, now: datetime) -> None:
    person = employ("alpha", "udo.ulme@example.org", "Udo Ulme", now=now)
    for role in (Role.OPERATOR, Role.ALLIANCE_MANAGER, "emperor"):
        with pytest.raises(services.PersonInvalid) as refused:
            services.assign_role(admin, person_id=person, role=role, valid_from=now, now=now)
        assert set(refused.value.errors) == {"role"}


def test_a_lost_second_factor_is_reset_with_four_eyes(admin: Actor, now: datetime, told: list[Any]) -> None:
    person = employ("alpha", "udo.ulme@example.org", "Udo Ulme", now=now)
    witness = employ("alpha", "wim.weide@example.org", "Wim Weide", now=now)
    key = totp.new_key()
    row = Person.objects.get(pk=person)
    factors.add_totp(row, key=key, code=totp.code_at(key, totp.step_of(now)), name="App", now=now)
    factors.renew_recovery_codes(row)
    before = everything()
    assert admin.id is not None
    for false_witness in (admin.id, person, uuid4()):
        with pytest.raises(services.PersonInvalid) as refused:
            services.reset_second_factor(
                admin, person_id=person, witness_id=false_witness, reason="Telefon verloren", now=now
            )
        assert set(refused.value.errors) == {"witness"}
    with pytest.raises(services.PersonInvalid):
        services.reset_second_factor(admin, person_id=person, witness_id=witness, reason="  ", now=now)
    with pytest.raises(policy.Denied):
        services.reset_second_factor(admin, person_id=admin.id, witness_id=witness, reason="Telefon verloren", now=now)
    assert everything() == before
    services.reset_second_factor(
        admin, person_id=person, witness_id=witness, reason="Telefon verloren, Rückruf im Haus", now=now
    )
    assert (SecondFactor.objects.count(), RecoveryCode.objects.count()) == (0, 0)
    assert Person.objects.get(pk=person).session_epoch == 1
    entry = AuditEntry.objects.get(action="identity.second_factor_reset")
    assert (entry.actor_name, entry.object_id) == ("Anna Ahorn", str(person))
    assert "Wim Weide" in entry.changes
    assert "Rückruf im Haus" in entry.changes
    assert [m.to for m in mail.outbox] == [["udo.ulme@example.org"]]


def test_every_step_of_the_administration_stands_in_the_audit(admin: Actor, now: datetime, told: list[Any]) -> None:
    made = services.create_person(
        admin, email="udo.ulme@example.org", display_name="Udo Ulme", role=Role.CLERK, valid_from=now, now=now
    )
    services.change_person(admin, person_id=made.id, email="u@example.org", display_name="Udo Esche", now=now)
    services.end_assignment(admin, assignment_id=made.assignment_id, now=now, at=now + timedelta(days=3))
    services.deactivate_person(admin, person_id=made.id, now=now)
    services.deactivate_person(admin, person_id=made.id, active=True, now=now)
    found = AuditEntry.objects.filter(object_id=str(made.id), actor_name="Anna Ahorn").order_by("id")
    assert [e.action for e in found] == [
        "identity.person_created",
        "identity.role_assigned",
        "identity.person_changed",
        "identity.role_ended",
        "identity.person_blocked",
        "identity.person_unblocked",
    ]
    assert '"email":"udo.ulme@example.org"' in found[2].changes
    assert '"email":"u@example.org"' in found[2].changes


def test_an_address_that_is_taken_elsewhere_is_refused_without_saying_where(admin: Actor, now: datetime) -> None:
    person = employ("alpha", "udo.ulme@example.org", "Udo Ulme", now=now)
    with pytest.raises(services.PersonInvalid) as refused:
        services.change_person(
            admin, person_id=person, email="ANNA.AHORN@example.org", display_name="Udo Ulme", now=now
        )
    assert set(refused.value.errors) == {"email"}
    assert Person.objects.get(pk=person).email == "udo.ulme@example.org"


def test_the_list_goes_on_where_the_page_ended(admin: Actor, now: datetime) -> None:
    for number in range(7):
        employ("alpha", f"p{number}@example.org", f"Person {number}", now=now, password=None)
    first = queries.people(admin, limit=5, now=now)
    second = queries.people(admin, after=first.next, limit=5, now=now)
    assert [r.name for r in first.rows + second.rows] == ["Anna Ahorn", *(f"Person {n}" for n in range(7))]
    assert second.next == ""
    assert [r.name for r in queries.people(admin, text="person 3", now=now).rows] == ["Person 3"]
    with pytest.raises(services.PersonNotFound):
        queries.people(admin, after="x~nonsense", now=now)


def test_names_are_stored_composed_and_without_control_characters(admin: Actor, now: datetime) -> None:
    made = services.create_person(
        admin,
        email="u@example.org",
        display_name=" Ju\u0308rgen\x00\u202e \t Müller ",
        role=Role.CLERK,
        valid_from=now,
        now=now,
        invite=False,
    )
    assert Person.objects.get(pk=made.id).display_name == "Jürgen Müller"


def test_the_list_costs_two_queries_however_many_people(
    admin: Actor, now: datetime, django_assert_num_queries: Any
) -> None:
    for number in range(12):
        employ("alpha", f"p{number}@example.org", f"Person {number}", now=now, password=None)
    with django_assert_num_queries(2):
        assert len(queries.people(admin, now=now).rows) == 13


def test_units_stand_in_a_tree_that_has_no_circle(admin: Actor, now: datetime) -> None:
    services.create_unit(admin, code="3", name="Fachbereich 3", now=now)
    services.create_unit(admin, code="32", name="Ordnung", parent="3", now=now)
    services.create_unit(admin, code="32.1", name="Gewerbe", parent="32", now=now)
    services.create_unit(admin, code="1", name="Innere Dienste", now=now)
    assert [(u.code, u.depth) for u in queries.units(admin)] == [("1", 0), ("3", 0), ("32", 1), ("32.1", 2)]
    before = everything()
    with pytest.raises(services.UnitInvalid):
        services.change_unit(admin, code="3", name="Fachbereich 3", parent="32.1", now=now)
    with pytest.raises(services.UnitConflict):
        services.create_unit(admin, code="3", name="Noch einmal", now=now)
    with pytest.raises(services.UnitInvalid):
        services.create_unit(admin, code="3 ?", name="Fragezeichen", now=now)
    with pytest.raises(services.UnitNotFound):
        services.change_unit(admin, code="99", name="Nirgends", now=now)
    assert everything() == before
    services.change_unit(admin, code="32.1", name="Gewerbe", parent="1", is_active=False, now=now)
    assert "32.1" not in {u.code for u in queries.units(admin)}
    assert ("32.1", 1) in {(u.code, u.depth) for u in queries.units(admin, with_closed=True)}


def test_pages_of_the_administration_are_closed_to_others(client_of: Any, settings: Any) -> None:
    settings.VERBUND_REQUIRE_SECOND_FACTOR = False
    person = employ("alpha", "eva.eich@example.org", "Eva Eich", Role.CLERK)
    client = client_of("alpha")
    sign_in(client)
    for path in (
        "/arbeit/verwaltung/personen/",
        "/arbeit/verwaltung/personen/neu/",
        f"/arbeit/verwaltung/personen/{person}/",
        f"/arbeit/verwaltung/personen/{person}/zuweisen/",
        f"/arbeit/verwaltung/personen/{person}/sperren/",
        f"/arbeit/verwaltung/personen/{person}/zweiter-faktor/",
        "/arbeit/verwaltung/einheiten/",
    ):
        assert client.get(path).status_code == 403, path
        assert client.post(path, {}).status_code == 403, path


def test_every_page_of_the_administration_opens_for_it(client_of: Any, settings: Any, told: list[Any]) -> None:
    settings.VERBUND_REQUIRE_SECOND_FACTOR = False
    employ("alpha", "anna.ahorn@example.org", "Anna Ahorn", Role.BODY_ADMIN)
    person = employ("alpha", "udo.ulme@example.org", "Udo Ulme", Role.CLERK)
    client = client_of("alpha")
    sign_in(client, "anna.ahorn@example.org")
    base = f"/arbeit/verwaltung/personen/{person}/"
    for path in (
        "/arbeit/verwaltung/personen/?suche=udo",
        "/arbeit/verwaltung/personen/?suche=%01%ff%F0%9F&after=",
        base,
        f"{base}bearbeiten/",
        f"{base}zuweisen/",
        f"{base}sperren/",
        f"{base}zweiter-faktor/",
        f"{base}vertretung/",
        "/arbeit/verwaltung/einheiten/",
        "/arbeit/verwaltung/einheiten/neu/",
        "/arbeit/konto/vertretung/",
        "/arbeit/konto/zweiter-faktor/",
        "/arbeit/konto/sitzungen/",
    ):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert "<h1" in answer.content.decode()
    assert client.get(f"/arbeit/verwaltung/personen/{uuid4()}/").status_code == 404
    assert client.post("/arbeit/verwaltung/einheiten/neu/", {"code": "FD/32", "name": "Ordnung"}).status_code == 302
    assert client.get("/arbeit/verwaltung/einheiten/FD/32/bearbeiten/").status_code == 200
    assigned = client.post(f"{base}zuweisen/", {"role": "registry", "unit": "FD/32", "valid_from": _today()})
    assert assigned.status_code == 302
    with acting_for("alpha"):
        row = Assignment.objects.get(person=person, role="registry")
    assert client.post(f"/arbeit/verwaltung/zuweisungen/{row.id}/beenden/", {}).status_code == 302
    assert client.post(f"{base}einladen/").status_code == 302
    assert mail.outbox[-1].subject == "Neues Passwort für Stadt Alphausen"
    assert client.post(f"{base}sperren/").status_code == 302
    with acting_for("alpha"):
        assert not Person.objects.get(pk=person).is_active
        assert Assignment.objects.get(pk=row.id).valid_until is not None
    assert client.post(f"{base}entsperren/").status_code == 302


def _today() -> str:
    from verbund.platform.tenancy import local_date
    from verbund.platform.tenancy import now as clock

    return local_date(clock()).isoformat()
