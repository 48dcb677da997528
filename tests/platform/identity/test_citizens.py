"""Citizens open, use and close an account of one body."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from verbund.platform.identity import services
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.local.models import CitizenAccount, Session, Token
from verbund.platform.tenancy import acting_for, now

from .people import PASSWORD, employ

pytestmark = pytest.mark.django_db
EMAIL = "clara.clement@example.org"


def link_in(message: Any) -> str:
    found = re.search(r"https?://([a-z.]+)(/\S+)", message.body)
    assert found
    return found.group(2)


def open_account(client: Any, email: str = EMAIL, name: str = "Clara Clément", password: str = PASSWORD) -> None:
    before = len(mail.outbox)
    assert client.post("/konto/registrieren/", {"email": email, "name": name}).status_code == 200
    assert len(mail.outbox) == before + 1
    answer = client.post(link_in(mail.outbox[-1]), {"password": password, "again": password})
    assert answer["Location"] == "/konto/anmelden/"


def enter(client: Any, email: str = EMAIL, password: str = PASSWORD) -> Any:
    return client.post("/konto/anmelden/", {"email": email, "password": password})


def is_signed_in(client: Any) -> bool:
    return bool(client.get("/konto/").status_code == 200)


def test_an_account_is_opened_by_a_link_and_a_password_of_ones_own(client_of: Any, told: list[Any]) -> None:
    client = client_of("alpha")
    page = client.post("/konto/registrieren/", {"email": "Clara.Clement@example.org", "name": "Clara  Clément"})
    assert "Bitte bestätigen Sie Ihre E-Mail-Adresse" in page.content.decode()
    (message,) = mail.outbox
    assert message.to == [EMAIL]
    assert message.subject == "Bestätigen Sie Ihre E-Mail-Adresse"
    assert "//alpha.localhost/konto/bestaetigen/" in message.body
    assert enter(client).status_code == 403
    link = link_in(message)
    assert client.get(link).status_code == 200
    weak = client.post(link, {"password": "kurz", "again": "kurz"})
    assert weak.status_code == 422
    differs = client.post(link, {"password": PASSWORD, "again": PASSWORD + "x"})
    assert "Die beiden Passwörter unterscheiden sich." in differs.content.decode()
    assert client.post(link, {"password": PASSWORD, "again": PASSWORD}).status_code == 302
    assert client.get(link).status_code == 410  # works once
    assert enter(client)["Location"] == "/konto/"
    assert "Clara Clément" in client.get("/konto/").content.decode()


def test_the_secret_of_a_link_stands_nowhere_but_in_the_mail(client_of: Any, told: list[Any]) -> None:
    client_of("alpha").post("/konto/registrieren/", {"email": EMAIL, "name": "Clara Clément"})
    secret = link_in(mail.outbox[0]).split("/")[-2]
    assert secret not in repr(told)
    with acting_for("alpha"):
        assert secret not in repr(list(Token.objects.values()))


def test_a_link_that_is_too_old_or_replaced_is_refused(client_of: Any, told: list[Any]) -> None:
    client = client_of("alpha")
    client.post("/konto/registrieren/", {"email": EMAIL, "name": "Clara Clément"})
    client.post("/konto/registrieren/", {"email": EMAIL, "name": "Clara Clément"})
    first, second = (link_in(m) for m in mail.outbox)
    assert client.get(first).status_code == 410
    assert client.get(second).status_code == 200
    with acting_for("alpha"):
        Token.objects.update(expires_at=now() - timedelta(seconds=1))
    assert client.get(second).status_code == 410
    refused = client.post(second, {"password": PASSWORD, "again": PASSWORD})
    assert refused.status_code == 410
    with acting_for("alpha"):
        assert CitizenAccount.objects.get().password == ""


def test_a_link_of_one_kind_does_not_work_as_another(client_of: Any, told: list[Any]) -> None:
    client = client_of("alpha")
    client.post("/konto/registrieren/", {"email": EMAIL, "name": "Clara Clément"})
    secret = link_in(mail.outbox[0]).split("/")[-2]
    for path in ("/konto/passwort/neu/", "/anmelden/passwort/", "/anmelden/einladung/"):
        assert client.get(f"{path}{secret}/").status_code == 410


def test_registering_and_resetting_do_not_tell_who_has_an_account(client_of: Any, told: list[Any]) -> None:
    client = client_of("alpha")
    open_account(client)
    client.get("/konto/anmelden/")
    known = client.post("/konto/registrieren/", {"email": EMAIL, "name": "Mallory"})
    unknown = client.post("/konto/registrieren/", {"email": "neu@example.org", "name": "Mallory"})
    strip = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')
    assert strip.sub("", known.content.decode()) == strip.sub("", unknown.content.decode())
    assert mail.outbox[1].subject == "Sie haben bereits ein Konto"
    with acting_for("alpha"):
        assert CitizenAccount.objects.get(email=EMAIL).name == "Clara Clément"
    sent = len(mail.outbox)
    reset = client.post("/konto/passwort-vergessen/", {"email": EMAIL})
    nobody = client.post("/konto/passwort-vergessen/", {"email": "niemand@example.org"})
    assert strip.sub("", reset.content.decode()) == strip.sub("", nobody.content.decode())
    assert len(mail.outbox) == sent + 1


def test_a_citizen_of_one_body_is_a_stranger_at_another(client_of: Any, told: list[Any]) -> None:
    alpha, beta = client_of("alpha"), client_of("beta")
    open_account(alpha)
    enter(alpha)
    assert is_signed_in(alpha)
    assert enter(beta).status_code == 403
    for name, cookie in alpha.cookies.items():
        beta.cookies[name] = cookie.value
    assert not is_signed_in(beta)
    with acting_for("beta"):
        assert not CitizenAccount.objects.exists()


def test_a_citizen_is_no_member_of_staff_and_staff_no_citizen(client_of: Any, told: list[Any], settings: Any) -> None:
    settings.VERBUND_REQUIRE_SECOND_FACTOR = False
    citizen, clerk = client_of("alpha"), client_of("alpha")
    open_account(citizen)
    enter(citizen)
    for path in ("/arbeit/konto/", "/arbeit/verwaltung/personen/", "/arbeit/verwaltung/einheiten/"):
        assert citizen.get(path)["Location"].startswith("/anmelden/?next=")
    employ("alpha")
    assert clerk.post("/konto/anmelden/", {"email": "eva.eich@example.org", "password": PASSWORD}).status_code == 403
    clerk.post("/anmelden/", {"email": "eva.eich@example.org", "password": PASSWORD})
    assert clerk.get("/konto/")["Location"] == "/arbeit/konto/"
    assert clerk.get("/konto/loeschen/")["Location"].startswith("/konto/anmelden/")


def test_five_wrong_passwords_lock_the_account(client_of: Any, told: list[Any]) -> None:
    client = client_of("alpha")
    open_account(client)
    assert [enter(client, password=f"geraten {n}").status_code for n in range(5)] == [403] * 5
    locked = enter(client)
    assert locked.status_code == 429
    assert "Bitte warten Sie 1 Minute" in locked.content.decode()


def test_a_new_password_by_link_ends_all_sessions_and_the_lock(client_of: Any, told: list[Any]) -> None:
    client, other = client_of("alpha"), client_of("alpha")
    open_account(client)
    enter(client)
    for _ in range(5):
        enter(other, password="geraten")
    assert enter(other).status_code == 429
    other.post("/konto/passwort-vergessen/", {"email": EMAIL})
    new = "Dachboden Melone 12 Fernrohr"
    assert other.post(link_in(mail.outbox[-1]), {"password": new, "again": new}).status_code == 302
    assert not is_signed_in(client)
    assert enter(other, password=new).status_code == 302


def test_what_a_guest_began_is_kept_at_the_sign_in_but_not_for_the_next_citizen(
    client_of: Any, told: list[Any]
) -> None:
    client = client_of("alpha")
    open_account(client)
    open_account(client, "dora.dahl@example.org", "Dora Dahl")
    with acting_for("alpha"):
        from verbund.platform.identity.local.sessions import SessionStore

        session = SessionStore()
        session["draft"] = "AB12"
        session.save()
        key = session.session_key
    from django.conf import settings

    client.cookies[settings.SESSION_COOKIE_NAME] = key
    enter(client)

    def draft() -> Any:
        with acting_for("alpha"):
            return SessionStore(client.cookies[settings.SESSION_COOKIE_NAME].value).get("draft")

    assert client.cookies[settings.SESSION_COOKIE_NAME].value != key
    assert draft() == "AB12"
    client.get("/konto/")
    client.post("/konto/anmelden/", {"email": "dora.dahl@example.org", "password": PASSWORD})
    assert draft() == "AB12"  # still Clara: the sign-in page sends a signed-in citizen on
    client.post("/abmelden/")
    enter(client, "dora.dahl@example.org")
    assert draft() is None


def test_deletion_is_explained_can_be_taken_back_and_empties_the_account(client_of: Any, told: list[Any]) -> None:
    client = client_of("alpha")
    open_account(client)
    enter(client)
    page = client.get("/konto/loeschen/").content.decode()
    assert "wird Ihr Konto in 14 Tagen gelöscht" in page
    assert 'class="vb-portal"' in page
    assert "Abgesendete Anträge bleiben in den Akten der Verwaltung" in page
    client.post("/konto/loeschen/")
    assert "Mein Konto behalten" in client.get("/konto/").content.decode()
    client.post("/konto/behalten/")
    system = Actor.system("alpha", "test")
    with acting_for("alpha"):
        assert services.close_due_accounts(system, now=now() + timedelta(days=30)) == 0
    client.post("/konto/loeschen/")
    with acting_for("alpha"):
        assert services.close_due_accounts(system, now=now() + timedelta(days=14)) == 0
        assert services.close_due_accounts(system, now=now() + timedelta(days=15)) == 1
        account = CitizenAccount.objects.get()
        assert (account.email, account.name, account.password, account.state) == ("", "", "", "closed")
        assert not Session.objects.filter(kind="citizen").exists()
    assert not is_signed_in(client)
    assert enter(client).status_code == 403
    open_account(client)  # the address is free again


def test_the_night_tidies_up(client_of: Any, told: list[Any]) -> None:
    client_of("alpha").post("/konto/registrieren/", {"email": EMAIL, "name": "Clara Clément"})
    system = Actor.system("alpha", "test")
    with acting_for("alpha"):
        services.tidy_up(system, now=now() + timedelta(days=29))
        assert CitizenAccount.objects.count() == 1
        services.tidy_up(system, now=now() + timedelta(days=40))
        assert (CitizenAccount.objects.count(), Token.objects.count()) == (0, 0)


def test_mails_and_pages_are_english_for_who_reads_english(client_of: Any, told: list[Any]) -> None:
    client = client_of("alpha", HTTP_ACCEPT_LANGUAGE="en")
    page = client.post("/konto/registrieren/", {"email": EMAIL, "name": "Clara Clément"})
    assert "Please confirm your e-mail address" in page.content.decode()
    assert mail.outbox[0].subject == "Confirm your e-mail address"
    assert "please confirm your e-mail address for your account with Stadt Alphausen" in mail.outbox[0].body


def test_asking_for_links_again_and_again_is_stopped(client_of: Any, told: list[Any]) -> None:
    client = client_of("alpha")
    answers = [client.post("/konto/passwort-vergessen/", {"email": EMAIL}).status_code for _ in range(6)]
    assert answers == [200] * 5 + [429]


def test_the_citizens_own_pages_open_for_the_citizen_only(client_of: Any, told: list[Any]) -> None:
    client = client_of("alpha")
    for path in ("/konto/", "/konto/passwort/", "/konto/sitzungen/", "/konto/loeschen/"):
        assert client.get(path)["Location"].startswith("/konto/anmelden/?next=")
    open_account(client)
    enter(client)
    for path in ("/konto/", "/konto/passwort/", "/konto/sitzungen/", "/konto/loeschen/"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer["Cache-Control"] == "private, no-store"
