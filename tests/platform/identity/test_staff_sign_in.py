"""Staff sign in with a password, and nothing more is said than a stranger may know."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test.utils import CaptureQueriesContext

from verbund.platform.audit.models import AuditEntry
from verbund.platform.identity import services
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.local.models import Session
from verbund.platform.identity.local.sessions import digest
from verbund.platform.identity.models import Person
from verbund.platform.identity.roles import Role
from verbund.platform.identity.templatetags.identity import device
from verbund.platform.identity.throttle import Blocked
from verbund.platform.tenancy import acting_for, now

from .people import PASSWORD, employ, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_second_factor(settings: Any) -> None:
    settings.VERBUND_REQUIRE_SECOND_FACTOR = False


def is_signed_in(client: Any) -> bool:
    answer = client.get("/arbeit/konto/")
    if answer.status_code == 302:
        assert answer["Location"] == "/anmelden/?next=%2Farbeit%2Fkonto%2F"
        return False
    assert answer.status_code == 200
    return True


def test_the_right_password_opens_the_workspace(client_of: Any) -> None:
    employ("alpha", "eva.eich@example.org", "Eva Eich", Role.CLERK)
    client = client_of("alpha")
    answer = sign_in(client, "Eva.Eich@Example.org ")
    assert (answer.status_code, answer["Location"]) == (302, "/arbeit/")
    page = client.get("/arbeit/konto/")
    assert page.status_code == 200
    assert "Eva Eich" in page.content.decode()
    with acting_for("alpha"):
        assert AuditEntry.objects.filter(action="identity.signed_in", actor_name="Eva Eich").count() == 1


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(client_of: Any) -> None:
    employ("alpha")
    wrong = sign_in(client_of("alpha"), password="ganz falsch geraten")
    unknown = sign_in(client_of("alpha"), "niemand@example.org")
    assert wrong.status_code == unknown.status_code == 403
    assert "E-Mail-Adresse oder Passwort ist falsch." in wrong.content.decode()
    assert "E-Mail-Adresse oder Passwort ist falsch." in unknown.content.decode()


def test_the_page_speaks_english_to_whoever_asks_for_it(client_of: Any) -> None:
    client = client_of("alpha")
    german = client.get("/anmelden/").content.decode()
    english = client.get("/anmelden/", headers={"Accept-Language": "en"}).content.decode()
    assert "Am Arbeitsplatz anmelden" in german
    assert "Sign in to the workspace" not in german
    assert "Sign in to the workspace" in english
    assert "Am Arbeitsplatz anmelden" not in english


def test_five_wrong_passwords_lock_the_account_for_everybody_and_say_for_how_long(client_of: Any) -> None:
    employ("alpha")
    employ("alpha", "udo.ulme@example.org", "Udo Ulme")
    guesser = client_of("alpha")
    assert [sign_in(guesser, password=f"geraten {n}").status_code for n in range(5)] == [403] * 5
    locked = sign_in(client_of("alpha"), password=PASSWORD)
    assert locked.status_code == 429
    assert "Bitte warten Sie 1 Minute und versuchen Sie es erneut." in locked.content.decode()
    assert not is_signed_in(guesser)
    assert sign_in(client_of("alpha"), "udo.ulme@example.org").status_code == 302
    with acting_for("alpha"):
        entry = AuditEntry.objects.get(action="identity.locked")
        assert "ev…@example.org" in entry.changes
        assert "eva.eich" not in entry.changes


def test_an_address_without_a_person_is_locked_in_the_same_way(client_of: Any) -> None:
    client = client_of("alpha")
    answers = [sign_in(client, "niemand@example.org", "geraten").status_code for _ in range(6)]
    assert answers == [403] * 5 + [429]


def test_a_lock_ends_and_grows_with_every_further_failure(alpha: Any, guest: Actor, now: datetime) -> None:
    employ("alpha", now=now)

    def attempt(password: str, at: datetime) -> str:
        try:
            services.staff_password_sign_in(
                guest, email="eva.eich@example.org", password=password, address="192.0.2.1", now=at
            )
        except (services.Refused, Blocked) as error:
            return f"{type(error).__name__} {getattr(error, 'seconds', '')}".strip()
        return "in"

    assert [attempt("falsch", now) for _ in range(6)] == ["Refused"] * 5 + ["Blocked 60"]
    assert attempt("falsch", now + timedelta(seconds=61)) == "Refused"
    assert attempt(PASSWORD, now + timedelta(seconds=62)) == "Blocked 119"
    assert attempt(PASSWORD, now + timedelta(seconds=182)) == "in"
    assert attempt("falsch", now + timedelta(seconds=183)) == "Refused"


def test_many_accounts_from_one_address_are_locked_by_the_address(alpha: Any, guest: Actor, now: datetime) -> None:
    employ("alpha", now=now)
    for number in range(50):
        with pytest.raises(services.Refused):
            services.staff_password_sign_in(
                guest, email=f"{number}@example.org", password="Sommer2026!", address="192.0.2.7", now=now
            )

    with pytest.raises(Blocked):
        services.staff_password_sign_in(
            guest, email="eva.eich@example.org", password=PASSWORD, address="192.0.2.7", now=now
        )
    assert services.staff_password_sign_in(
        guest, email="eva.eich@example.org", password=PASSWORD, address="192.0.2.8", now=now
    )


@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [
        ("/arbeit/eingang/?x=1", "/arbeit/eingang/?x=1"),
        ("https://evil.example/", "/arbeit/"),
        ("//evil.example/", "/arbeit/"),
        ("javascript:alert(1)", "/arbeit/"),
        ("/\\evil.example", "/arbeit/"),
    ],
)
def test_after_signing_in_one_stays_on_this_host(client_of: Any, wanted: str, leads_to: str) -> None:
    employ("alpha")
    answer = client_of("alpha").post(
        "/anmelden/", {"email": "eva.eich@example.org", "password": PASSWORD, "next": wanted}
    )
    assert answer["Location"] == leads_to


def test_the_session_key_changes_with_the_sign_in_and_a_planted_one_is_worthless(client_of: Any) -> None:
    employ("alpha")
    client = client_of("alpha")
    client.cookies[_cookie_name()] = "a" * 32
    sign_in(client)
    made = client.cookies[_cookie_name()].value
    assert made != "a" * 32
    assert is_signed_in(client)
    planted = client_of("alpha")
    planted.cookies[_cookie_name()] = "a" * 32
    assert not is_signed_in(planted)


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(client_of: Any, settings: Any) -> None:
    employ("alpha")
    settings.SESSION_COOKIE_SECURE = True
    client = client_of("alpha")
    sign_in(client)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"], cookie["secure"], cookie["domain"]) == (True, "Lax", True, "")


def test_the_database_keeps_a_digest_of_the_cookie_only(client_of: Any) -> None:
    employ("alpha")
    client = client_of("alpha")
    sign_in(client)
    value = client.cookies[_cookie_name()].value
    with acting_for("alpha"):
        row = Session.objects.get(kind="staff")
        assert row.key == digest(value) != value
        assert value not in row.data


def test_a_session_of_one_body_is_worthless_on_the_host_of_another(client_of: Any) -> None:
    employ("alpha")
    employ("beta")  # the same person, even
    client = client_of("alpha")
    sign_in(client)
    other = client_of("beta")
    other.cookies[_cookie_name()] = client.cookies[_cookie_name()].value
    assert is_signed_in(client)
    assert not is_signed_in(other)


def test_people_of_another_body_are_strangers(client_of: Any) -> None:
    employ("alpha")
    assert sign_in(client_of("beta")).status_code == 403
    assert sign_in(client_of("alpha")).status_code == 302


def test_an_assignment_that_ends_takes_the_access_at_once(client_of: Any) -> None:
    person = employ("alpha")
    client = client_of("alpha")
    sign_in(client)
    assert is_signed_in(client)
    with acting_for("alpha"):
        system = Actor.system("alpha", "test")
        assignment = Person.objects.get(pk=person).assignments.get()
        services.end_assignment(system, assignment_id=assignment.id, now=now())
    assert not is_signed_in(client)
    again = sign_in(client_of("alpha"))
    assert again.status_code == 403
    assert "Ihr Zugang zu diesem Haus gilt zurzeit nicht." in again.content.decode()


def test_an_assignment_that_begins_tomorrow_opens_nothing_today(client_of: Any) -> None:
    employ("alpha", valid_from=now() + timedelta(days=1))
    assert sign_in(client_of("alpha")).status_code == 403


def test_a_blocked_person_is_out_at_once_and_stays_out(client_of: Any) -> None:
    person = employ("alpha")
    client = client_of("alpha")
    sign_in(client)
    with acting_for("alpha"):
        services.deactivate_person(Actor.system("alpha", "test"), person_id=person, now=now())
    assert not is_signed_in(client)
    assert sign_in(client_of("alpha")).status_code == 403


def test_a_session_ends_after_half_an_hour_without_use(client_of: Any) -> None:
    employ("alpha")
    client = client_of("alpha")
    sign_in(client)
    with acting_for("alpha"):
        Session.objects.update(last_seen_at=now() - timedelta(minutes=29))
    assert is_signed_in(client)  # and this use counts
    with acting_for("alpha"):
        assert Session.objects.get(kind="staff").last_seen_at > now() - timedelta(minutes=1)
        Session.objects.update(last_seen_at=now() - timedelta(minutes=31))
    assert not is_signed_in(client)
    with acting_for("alpha"):
        assert not Session.objects.filter(kind="staff").exists()


def test_a_session_ends_after_its_life_time_however_busy(client_of: Any) -> None:
    employ("alpha")
    client = client_of("alpha")
    sign_in(client)
    with acting_for("alpha"):
        row = Session.objects.get(kind="staff")
        assert timedelta(hours=11, minutes=59) < row.expires_at - row.created_at <= timedelta(hours=12)
        Session.objects.update(expires_at=now() - timedelta(seconds=1))
    assert not is_signed_in(client)


def test_signing_out_ends_the_session_on_the_server(client_of: Any) -> None:
    employ("alpha")
    client = client_of("alpha")
    sign_in(client)
    kept = client.cookies[_cookie_name()].value
    assert client.get("/abmelden/").status_code == 405
    assert is_signed_in(client)
    assert client.post("/abmelden/")["Location"] == "/anmelden/"
    thief = client_of("alpha")
    thief.cookies[_cookie_name()] = kept
    assert not is_signed_in(thief)


def test_sessions_are_listed_and_a_revoked_one_ends(client_of: Any) -> None:
    employ("alpha")
    here, there = client_of("alpha"), client_of("alpha")
    here.post(
        "/anmelden/",
        {"email": "eva.eich@example.org", "password": PASSWORD},
        headers={"User-Agent": "Schreibtisch"},
    )
    there.post("/anmelden/", {"email": "eva.eich@example.org", "password": PASSWORD}, headers={"User-Agent": "Telefon"})
    page = here.get("/arbeit/konto/sitzungen/").content.decode()
    assert "Schreibtisch" in page
    assert "Telefon" in page
    with acting_for("alpha"):
        row = Session.objects.get(user_agent="Telefon")
    assert here.post(f"/arbeit/konto/sitzungen/{row.id}/beenden/").status_code == 302
    assert not is_signed_in(there)
    assert is_signed_in(here)


@pytest.mark.parametrize(
    ("user_agent", "shown"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox, Windows"),
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36", "Chrome, Android"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", ""),
    ],
)
def test_a_device_is_named_in_two_words(user_agent: str, shown: str) -> None:
    assert device(user_agent) == shown


def test_nobody_revokes_somebody_elses_session(client_of: Any) -> None:
    employ("alpha")
    employ("alpha", "udo.ulme@example.org", "Udo Ulme")
    eva, udo = client_of("alpha"), client_of("alpha")
    sign_in(eva)
    sign_in(udo, "udo.ulme@example.org")
    with acting_for("alpha"):
        rows = {r.subject: r.id for r in Session.objects.filter(kind="staff")}
        of_eva = rows[Person.objects.get(email="eva.eich@example.org").id]
    assert udo.post(f"/arbeit/konto/sitzungen/{of_eva}/beenden/").status_code == 404
    assert is_signed_in(eva)


def test_ending_all_other_sessions_reaches_into_other_bodies(client_of: Any) -> None:
    employ("alpha")
    employ("beta")
    here, there, elsewhere = client_of("alpha"), client_of("alpha"), client_of("beta")
    for client in (here, there, elsewhere):
        assert sign_in(client).status_code == 302
    here.post("/arbeit/konto/sitzungen/andere/beenden/")
    assert [is_signed_in(c) for c in (here, there, elsewhere)] == [True, False, False]


def test_a_new_password_ends_every_other_session(client_of: Any) -> None:
    employ("alpha")
    here, there = client_of("alpha"), client_of("alpha")
    sign_in(here)
    sign_in(there)
    new = "Dachboden Melone 12 Fernrohr"
    wrong = here.post("/arbeit/konto/passwort/", {"present": "falsch", "password": new, "again": new})
    assert wrong.status_code == 422
    assert is_signed_in(there)
    done = here.post("/arbeit/konto/passwort/", {"present": PASSWORD, "password": new, "again": new})
    assert done.status_code == 302
    assert is_signed_in(here)
    assert not is_signed_in(there)
    assert sign_in(client_of("alpha")).status_code == 403
    assert sign_in(client_of("alpha"), password=new).status_code == 302


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("Kurz1!", "Das Passwort ist zu kurz."),
        ("123456789012345", "wiederholt sich oder folgt einer Tastenreihe"),
        ("abababababab", "wiederholt sich oder folgt einer Tastenreihe"),
        ("Poiuztrewqlkjh", "wiederholt sich oder folgt einer Tastenreihe"),
        ("Rathaus-Verwaltung-2026", "aus Wörtern, die hier jeder zuerst versuchen würde"),
        ("Alpha!Bürgerbüro#1", "aus Wörtern, die hier jeder zuerst versuchen würde"),
        ("qwerty123456", "Liste der häufigsten"),
        ("Password2026!", "Liste der häufigsten"),
        ("Passwordpassword1", "Liste der häufigsten"),
        ("eva.eich@example.org", "ähnelt zu sehr"),
    ],
)
def test_weak_passwords_are_refused_with_the_reason(client_of: Any, password: str, problem: str) -> None:
    employ("alpha")
    client = client_of("alpha")
    sign_in(client)
    answer = client.post("/arbeit/konto/passwort/", {"present": PASSWORD, "password": password, "again": password})
    assert answer.status_code == 422
    assert problem in answer.content.decode()
    assert sign_in(client_of("alpha")).status_code == 302


def test_passwords_are_kept_as_argon2id(settings: Any) -> None:
    settings.PASSWORD_HASHERS = settings.PASSWORD_HASHERS[1:]
    from verbund.platform.identity import passwords

    assert passwords.make(PASSWORD).startswith("argon2$argon2id$")
    assert passwords.matches("Fu\u0308nf Flu\u0308sse", passwords.make("Fünf Flüsse"))


def test_a_guest_without_a_cookie_costs_no_query_and_staff_two(client_of: Any, settings: Any) -> None:
    from django.db import connection
    from django.test import RequestFactory

    from verbund.platform.identity.local.sessions import SessionStore
    from verbund.platform.identity.queries import actor_for

    person = employ("alpha", "eva.eich@example.org", "Eva Eich", Role.CLERK, Role.REGISTRY)
    client = client_of("alpha")
    sign_in(client)
    with acting_for("alpha"):
        request: Any = RequestFactory().get("/")
        request.session = SessionStore(None)
        with CaptureQueriesContext(connection) as queries:
            assert actor_for(request).kind == "guest"
        assert len(queries) == 0
        request.COOKIES = {settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value}
        request.session = SessionStore(request.COOKIES[settings.SESSION_COOKIE_NAME])
        with CaptureQueriesContext(connection) as queries:
            actor = actor_for(request)
        assert len([q for q in queries if "set_config" not in q["sql"]]) == 2
        assert (actor.id, actor.name, actor.body) == (person, "Eva Eich", "alpha")
        assert actor.roles == {Role.CLERK, Role.REGISTRY}


def _cookie_name() -> str:
    from django.conf import settings

    return str(settings.SESSION_COOKIE_NAME)
