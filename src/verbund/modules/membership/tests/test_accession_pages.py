"""The pages of the accessions, as a browser sees them."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from icalendar import Calendar

from verbund.modules.membership import queries, services
from verbund.modules.membership.models import AccessionState, Action, LeavingAction, ProcedureAct, Reminder
from verbund.modules.membership.web.forms import FORMS
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for, local_date
from verbund.platform.tenancy import now as the_clock

from .factories import Accessions, founded, hash_of, medium, member
from .pages import employ, signed_in
from .test_accession_rules import digest


@pytest.fixture
def world(real_database: str, settings: Any) -> tuple[Client, Accessions, list[Any], Actor]:
    """A manager's browser and an accession whose contract lies before the parties."""
    with acting_for("alliance"):
        manager = employ("Max Mond", Role.ALLIANCE_MANAGER)
        founders = founded(manager)
        candidate = member(manager, "neustadt")
        medium(candidate)
        case = Accessions(manager, candidate).to(AccessionState.DRAFT_CONTRACT)
        client = signed_in(manager, settings)
    return client, case, founders, manager


def test_every_act_has_a_form_that_is_shown(world: tuple[Client, Accessions, list[Any], Actor]) -> None:
    client, case, _founders, _manager = world
    page = client.get(f"/arbeit/beitritte/{case.id}/")
    assert page.status_code == 200
    text = page.content.decode()
    assert "Stadt Neustadt" in text
    for action in (
        Action.RECORD_CONSENT,
        Action.REFUSE,
        Action.PUT_CONTRACT_VERSION,
        Action.WITHDRAW,
        Action.PLAN_TASK,
    ):
        assert f"/arbeit/beitritte/{case.id}/{action.value}/" in text
        shown = client.get(f"/arbeit/beitritte/{case.id}/{action.value}/")
        assert (action, shown.status_code) == (action, 200)
    assert client.get(f"/arbeit/beitritte/{case.id}/sign/").status_code == 302
    assert client.get(f"/arbeit/beitritte/{case.id}/explode/").status_code == 404


def test_a_consent_is_recorded_by_the_form(world: tuple[Client, Accessions, list[Any], Actor]) -> None:
    client, case, founders, manager = world
    url = f"/arbeit/beitritte/{case.id}/record_consent/"
    sent = {
        "on": "2026-03-01",
        "party_id": str(founders[0]),
        "version_sha256": hash_of(case.text),
        "organ": "Kreistag",
        "votes_for": "14",
        "votes_against": "0",
    }
    assert client.post(url, sent).status_code == 302
    with acting_for("alliance"):
        decided = {p.member_id: p.decision for p in queries.accession(manager, case.id).parties}
    assert decided[founders[0]] == "consented"
    with acting_for("alliance"):
        before = digest()
    late = client.post(url, {**sent, "party_id": str(founders[1]), "on": "2026-01-01"})
    assert late.status_code == 422
    assert "01.02.2026" in late.content.decode()
    with acting_for("alliance"):
        assert digest() == before


@pytest.mark.parametrize("mistyped", ["0206-03-01", "1926-03-01", "2206-03-01"])
def test_a_mistyped_year_is_asked_about_and_nothing_recorded(
    world: tuple[Client, Accessions, list[Any], Actor], mistyped: str
) -> None:
    client, case, founders, _manager = world
    url = f"/arbeit/beitritte/{case.id}/record_consent/"
    sent = {
        "on": mistyped,
        "party_id": str(founders[0]),
        "version_sha256": hash_of(case.text),
        "organ": "Kreistag",
    }
    with acting_for("alliance"):
        before = digest()
    answer = client.post(url, sent)
    assert answer.status_code == 422
    assert "Bitte prüfen Sie die Jahreszahl." in answer.content.decode()
    with acting_for("alliance"):
        assert digest() == before


def test_the_overviews_are_shown(world: tuple[Client, Accessions, list[Any], Actor]) -> None:
    client, case, founders, _manager = world
    for path, expected in (
        ("/arbeit/beitritte/", "Stadt Neustadt"),
        ("/arbeit/beitritte/neu/", "Stadt Neustadt"),
        ("/arbeit/traeger/", "Stadt Hauptstadt"),
        ("/arbeit/fristen/", "Fristen"),
        ("/arbeit/jahr/2026/", "Stadt Neustadt"),
        (f"/arbeit/mitglieder/{founders[0]}/", "Amtsblatt"),
        (f"/arbeit/mitglieder/{case.member_id}/", "Stadt Neustadt"),
    ):
        page = client.get(path)
        assert (path, page.status_code) == (path, 200)
        assert expected in page.content.decode(), path


def test_the_calendar_is_read_by_its_secret_until_it_is_revoked(
    world: tuple[Client, Accessions, list[Any], Actor],
) -> None:
    client, case, _founders, manager = world
    today = the_clock().date()
    with acting_for("alliance"):
        services.plan_task(
            manager,
            accession_id=case.id,
            task="core_it",
            planned_on=today + timedelta(days=9),
            on=date(2026, 3, 1),
            now=the_clock(),
        )
        secret = services.subscribe_calendar(manager, now=the_clock())
    anybody = Client(headers={"host": "verbund.localhost"})
    answer = anybody.get(f"/arbeit/fristen/{secret}.ics")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    (event,) = Calendar.from_ical(answer.content).walk("VEVENT")
    assert event.decoded("dtstart") == today + timedelta(days=9)
    assert "Kernverwaltung" in str(event["summary"])
    assert anybody.get("/arbeit/fristen/guessed.ics").status_code == 404
    assert client.post("/arbeit/fristen/abbestellen/").status_code == 302
    assert anybody.get(f"/arbeit/fristen/{secret}.ics").status_code == 404


def test_a_year_tells_what_has_happened_not_what_is_to_be_done(
    world: tuple[Client, Accessions, list[Any], Actor],
) -> None:
    client, case, _founders, manager = world
    with acting_for("alliance"):
        for step in (
            case.all_consent,
            case.sign,
            case.give_notice,
            case.complete_documents,
            case.declare_no_objection,
            case.publish_everywhere,
            case.take_effect,
            case.record_capital,
            case.transfer_task,
        ):
            step()
        years = sorted({act.on.year for act in ProcedureAct.objects.filter(accession_id=case.id)})
        events = [event for year in years for event in queries.year_view(manager, year).events]
    text = "".join(client.get(f"/arbeit/jahr/{year}/").content.decode() for year in years)
    told = [event.label for event in events if event.name == "Stadt Neustadt"]
    assert told[:3] == ["Anfrage eingegangen", "Grundsatzbeschluss gefasst", "Vertrag unterzeichnet"]
    assert told[-1] == "Aufgabe übergegangen: Gesamter IT-Betrieb der Kernverwaltung"
    for label in told:
        assert label in text
    for act in (*Action, *LeavingAction):
        assert f">{act.label}" not in text


def test_what_is_overdue_stays_among_the_deadlines_until_it_is_done(
    world: tuple[Client, Accessions, list[Any], Actor],
) -> None:
    client, case, founders, manager = world
    today = local_date(the_clock())
    with acting_for("alliance"):
        organ = services.add_organ(manager, member_id=founders[0], kind="head", name="Landrat", now=the_clock())
        for person, until in (("Anna Alt", today - timedelta(days=3)), ("Nina Neu", today + timedelta(days=3))):
            services.add_term(
                manager,
                organ_id=organ,
                person_name=person,
                function="Landrätin",
                valid_from=date(2020, 1, 1),
                valid_until=until,
                now=the_clock(),
            )
        services.plan_task(
            manager,
            accession_id=case.id,
            task="core_it",
            planned_on=today - timedelta(days=2),
            on=date(2026, 3, 1),
            now=the_clock(),
        )
        found = queries.deadlines_ahead(manager, today=today)
    assert [(d.kind, d.day) for d in found] == [
        ("task", today - timedelta(days=2)),
        ("term", today + timedelta(days=3)),
    ]
    text = client.get("/arbeit/fristen/").content.decode()
    assert "2 Tage überfällig" in text
    assert "Anna Alt" not in text


def test_the_start_page_names_the_five_most_urgent_deadlines_to_who_may_see_them(
    world: tuple[Client, Accessions, list[Any], Actor], settings: Any
) -> None:
    client, _case, founders, manager = world
    today = local_date(the_clock())
    nothing = client.get("/arbeit/").content.decode()
    assert "Keine Fristen" in nothing
    with acting_for("alliance"):
        organ = services.add_organ(manager, member_id=founders[0], kind="head", name="Landrat", now=the_clock())
        for days in range(9, 2, -1):
            services.add_term(
                manager,
                organ_id=organ,
                person_name=f"Person {days}",
                function="Landrätin",
                valid_from=date(2020, 1, 1),
                valid_until=today + timedelta(days=days),
                now=the_clock(),
            )
        operator = signed_in(employ("Olga Obst", Role.OPERATOR), settings)
    text = client.get("/arbeit/").content.decode()
    assert [f"Person {days} " in text for days in range(3, 10)] == [True] * 5 + [False] * 2
    assert "Alle 7 Fristen" in text
    assert 'href="/arbeit/fristen/"' in text
    assert "Nächste Fristen" in text
    others = operator.get("/arbeit/")
    assert others.status_code == 200
    assert "Nächste Fristen" not in others.content.decode()


def test_the_start_page_of_a_member_asks_nothing_about_the_alliances_deadlines(
    real_database: str, settings: Any
) -> None:
    with acting_for("alpha"):
        auditor = employ("Anna Amt", Role.AUDITOR, body="alpha")
        client = signed_in(auditor, settings, host="alpha.localhost")
    with CaptureQueriesContext(connection) as captured:
        page = client.get("/arbeit/")
    assert page.status_code == 200
    assert "Nächste Fristen" not in page.content.decode()
    assert not [query["sql"] for query in captured if "membership_" in query["sql"]]


def test_reminders_go_out_once(world: tuple[Client, Accessions, list[Any], Actor]) -> None:
    _client, case, _founders, manager = world
    moment = the_clock()
    with acting_for("alliance"):
        employ("Rita Rat", Role.MEMBER_REPRESENTATIVE, "neustadt")
        employ("Fritz Fremd", Role.BOARD_MEMBER)  # reads it in the calendar, and is not reminded
        services.plan_task(
            manager,
            accession_id=case.id,
            task="core_it",
            planned_on=moment.date() + timedelta(days=9),
            on=date(2026, 3, 1),
            now=moment,
        )
        system = Actor.system("alliance", "test")
        mail.outbox.clear()
        assert services.remind(system, now=moment) == 2
        assert services.remind(system, now=moment) == 0
        assert services.remind(system, now=moment + timedelta(days=7)) == 2  # two days before: once more
        assert Reminder.objects.count() == 4
    assert {m.to[0] for m in mail.outbox} == {"max.mond@example.org", "rita.rat@example.org"}
    assert "Kernverwaltung" in mail.outbox[0].body


def test_forms_name_only_acts_that_there_are() -> None:
    assert set(FORMS) <= set(Action)


@pytest.mark.parametrize("bodies", [3, 12])
def test_the_overviews_ask_the_same_number_of_questions_for_any_number_of_bodies(
    alliance: Any, staff: Any, now: datetime, bodies: int
) -> None:
    manager = staff(Role.ALLIANCE_MANAGER, body="alliance")
    founded(manager, *[f"traeger{n}" for n in range(bodies)])
    asked = {}
    for name, ask in (
        ("map", lambda: queries.carrier_map(manager)),
        ("year", lambda: queries.year_view(manager, 2026)),
        ("deadlines", lambda: queries.deadlines(manager, start=date(2026, 1, 1), end=date(2026, 12, 31))),
    ):
        with CaptureQueriesContext(connection) as captured:
            ask()
        asked[name] = len(captured)
    assert asked == {"map": 2, "year": 11, "deadlines": 7}
