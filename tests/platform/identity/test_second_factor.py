"""Staff prove a second factor, and nobody gets past it."""

import json
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from verbund.platform.audit.models import AuditEntry
from verbund.platform.identity import factors, totp
from verbund.platform.identity.models import Person, RecoveryCode, SecondFactor
from verbund.platform.tenancy import acting_for, now

from .authenticator import Passkey
from .people import employ, sign_in
from .test_staff_sign_in import is_signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _required(settings: Any) -> None:
    settings.VERBUND_REQUIRE_SECOND_FACTOR = True


def with_app(person_id: UUID, *, body: str = "alpha", used: int | None = None) -> bytes:
    """Give a person an app; its newest used step lies two minutes back."""
    key = totp.new_key()
    moment = now() - timedelta(minutes=2)
    with acting_for(body):
        person = Person.objects.get(pk=person_id)
        factors.add_totp(person, key=key, code=totp.code_at(key, totp.step_of(moment)), name="App", now=moment)
    return key


def with_passkey(person_id: UUID, passkey: Passkey, *, body: str = "alpha") -> None:
    host = f"{body}.localhost"
    with acting_for(body):
        person = Person.objects.get(pk=person_id)
        options, state = factors.begin_passkey(person, host=host)
        factors.add_passkey(
            person, host=host, state=state, response=json.loads(passkey.create(options)), name="Key", now=now()
        )


def code_now(key: bytes) -> str:
    return totp.code_at(key, totp.step_of(now()))


def options_on(page: Any) -> dict[str, Any]:
    found = re.search(r'<script id="passkey-options" type="application/json">(.*?)</script>', page.content.decode())
    assert found
    options: dict[str, Any] = json.loads(found.group(1))
    return options


def test_staff_without_a_second_factor_are_led_to_set_one_up_before_anything_else(client_of: Any) -> None:
    employ("alpha")
    client = client_of("alpha")
    assert sign_in(client)["Location"] == "/anmelden/einrichten/"
    assert not is_signed_in(client)
    page = client.get("/anmelden/einrichten/").content.decode()
    assert "Richten Sie Ihren zweiten Faktor ein" in page
    shown = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
    assert shown
    import base64

    key = base64.b32decode(shown.group(1).replace(" ", ""))
    wrong = client.post("/anmelden/einrichten/", {"kind": "totp", "code": "000000"})
    assert wrong.status_code == 422
    assert not is_signed_in(client)
    done = client.post("/anmelden/einrichten/", {"kind": "totp", "code": code_now(key)})
    assert done.status_code == 200
    codes = re.findall(r"<code>([a-z0-9]{6}(?:-[a-z0-9]{6}){3})</code>", done.content.decode())
    assert len(set(codes)) == 10
    assert is_signed_in(client)
    with acting_for("alpha"):
        assert RecoveryCode.objects.count() == 10
        assert key not in bytes(SecondFactor.objects.get().secret)


def test_the_password_alone_opens_nothing_when_a_factor_is_set_up(client_of: Any, settings: Any) -> None:
    settings.VERBUND_REQUIRE_SECOND_FACTOR = False  # whoever has one must prove it all the same
    with_app(employ("alpha"))
    client = client_of("alpha")
    assert sign_in(client)["Location"] == "/anmelden/zweiter-faktor/"
    assert not is_signed_in(client)
    assert client.get("/anmelden/einrichten/")["Location"] == "/anmelden/"
    with acting_for("alpha"):
        assert SecondFactor.objects.count() == 1


def test_the_code_of_the_app_completes_the_sign_in(client_of: Any) -> None:
    key = with_app(employ("alpha"))
    client = client_of("alpha")
    client.post(
        "/anmelden/",
        {"email": "eva.eich@example.org", "password": "Regenbogen Kartoffel 7 Leuchtturm", "next": "/arbeit/eingang/"},
    )
    answer = client.post("/anmelden/zweiter-faktor/", {"kind": "totp", "code": code_now(key)})
    assert answer["Location"] == "/arbeit/eingang/"
    assert is_signed_in(client)


def test_a_code_that_was_used_once_is_refused(client_of: Any) -> None:
    key = with_app(employ("alpha"))
    first, second = client_of("alpha"), client_of("alpha")
    sign_in(first)
    sign_in(second)
    code = code_now(key)
    assert first.post("/anmelden/zweiter-faktor/", {"kind": "totp", "code": code}).status_code == 302
    replay = second.post("/anmelden/zweiter-faktor/", {"kind": "totp", "code": code})
    assert replay.status_code == 403
    assert "Der Code ist falsch oder wurde schon benutzt." in replay.content.decode()
    assert not is_signed_in(second)


def test_an_app_sealed_under_a_lost_key_is_a_wrong_code_and_no_crash(client_of: Any, settings: Any) -> None:
    key = with_app(employ("alpha"))
    settings.SECRET_KEY = "another one"
    client = client_of("alpha")
    sign_in(client)
    answer = client.post("/anmelden/zweiter-faktor/", {"kind": "totp", "code": code_now(key)})
    assert answer.status_code == 403


def test_five_wrong_codes_lock_the_second_step(client_of: Any) -> None:
    key = with_app(employ("alpha"))
    client = client_of("alpha")
    sign_in(client)
    wrong = f"{(int(code_now(key)) + 500_000) % 1_000_000:06}"
    answers = [client.post("/anmelden/zweiter-faktor/", {"kind": "totp", "code": wrong}).status_code for _ in range(5)]
    assert answers == [403] * 5
    # a fresh first step does not help
    again = client_of("alpha")
    sign_in(again)
    locked = again.post("/anmelden/zweiter-faktor/", {"kind": "totp", "code": code_now(key)})
    assert locked.status_code == 429
    assert "Bitte warten Sie" in locked.content.decode()
    assert not is_signed_in(again)
    with acting_for("alpha"):
        assert AuditEntry.objects.filter(action="identity.locked", object_type="person").count() == 1


def test_the_second_step_must_follow_within_ten_minutes(client_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    key = with_app(employ("alpha"))
    client = client_of("alpha")
    sign_in(client)
    from verbund.platform.identity.web import signin

    monkeypatch.setattr(signin, "_PENDING_SECONDS", -1)
    answer = client.post("/anmelden/zweiter-faktor/", {"kind": "totp", "code": code_now(key)})
    assert answer["Location"] == "/anmelden/"
    assert not is_signed_in(client)


def test_without_the_first_step_there_is_no_second(client_of: Any) -> None:
    key = with_app(employ("alpha"))
    answer = client_of("alpha").post("/anmelden/zweiter-faktor/", {"kind": "totp", "code": code_now(key)})
    assert answer["Location"] == "/anmelden/"


def test_a_recovery_code_signs_in_once(client_of: Any) -> None:
    person = employ("alpha")
    with_app(person)
    with acting_for("alpha"):
        codes = factors.renew_recovery_codes(Person.objects.get(pk=person))
        assert not RecoveryCode.objects.filter(digest__in=codes).exists()
    client, again = client_of("alpha"), client_of("alpha")
    sign_in(client)
    sign_in(again)
    typed = codes[0].replace("-", " ").upper()
    assert client.post("/anmelden/zweiter-faktor/", {"kind": "recovery", "code": typed}).status_code == 302
    assert is_signed_in(client)
    assert again.post("/anmelden/zweiter-faktor/", {"kind": "recovery", "code": codes[0]}).status_code == 403
    assert not is_signed_in(again)
    with acting_for("alpha"):
        assert factors.recovery_codes_left(person) == 9


def test_a_session_without_a_factor_ends_when_one_becomes_required(client_of: Any, settings: Any) -> None:
    settings.VERBUND_REQUIRE_SECOND_FACTOR = False
    employ("alpha")
    client = client_of("alpha")
    sign_in(client)
    assert is_signed_in(client)
    settings.VERBUND_REQUIRE_SECOND_FACTOR = True
    assert not is_signed_in(client)


def test_a_passkey_is_set_up_and_signs_in(client_of: Any) -> None:
    employ("alpha")
    passkey = Passkey()
    client = client_of("alpha")
    sign_in(client)
    options = options_on(client.get("/anmelden/einrichten/"))
    assert options["rp"]["id"] == "alpha.localhost"
    done = client.post(
        "/anmelden/einrichten/", {"kind": "passkey", "answer": passkey.create(options), "name": "Schlüsselbund"}
    )
    assert done.status_code == 200
    assert is_signed_in(client)
    again = client_of("alpha")
    sign_in(again)
    options = options_on(again.get("/anmelden/zweiter-faktor/"))
    answer = again.post("/anmelden/zweiter-faktor/", {"kind": "passkey", "answer": passkey.get(options)})
    assert answer.status_code == 302
    assert is_signed_in(again)


@pytest.mark.parametrize(
    "cheat", ["other key", "other origin", "other challenge", "replay", "clone", "garbage", "list"]
)
def test_a_passkey_that_does_not_fit_is_refused(client_of: Any, cheat: str) -> None:
    person = employ("alpha")
    passkey = Passkey()
    with_passkey(person, passkey)
    client = client_of("alpha")
    sign_in(client)
    options = options_on(client.get("/anmelden/zweiter-faktor/"))
    if cheat == "other key":
        thief = Passkey()
        thief.id = passkey.id
        answer = thief.get(options)
    elif cheat == "other origin":
        passkey.origin = "https://alpha.localhost.evil.example"
        answer = passkey.get(options)
    elif cheat == "other challenge":
        answer = passkey.get({**options, "challenge": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})
    elif cheat == "replay":
        answer = passkey.get(options)
        first = client_of("alpha")
        sign_in(first)
        assert first.post("/anmelden/zweiter-faktor/", {"kind": "passkey", "answer": answer}).status_code == 403
        assert client.post("/anmelden/zweiter-faktor/", {"kind": "passkey", "answer": answer}).status_code == 302
        client = client_of("alpha")
        sign_in(client)
        client.get("/anmelden/zweiter-faktor/")
    elif cheat == "clone":
        passkey.counter = 40
        assert (
            client.post("/anmelden/zweiter-faktor/", {"kind": "passkey", "answer": passkey.get(options)}).status_code
            == 302
        )
        client = client_of("alpha")
        sign_in(client)
        options = options_on(client.get("/anmelden/zweiter-faktor/"))
        passkey.counter = 3
        answer = passkey.get(options)
    else:
        answer = {"garbage": "{'", "list": "[1]"}[cheat]
    assert client.post("/anmelden/zweiter-faktor/", {"kind": "passkey", "answer": answer}).status_code == 403
    assert not is_signed_in(client)


def test_a_passkey_of_another_body_neither_opens_nor_invites_to_set_up_a_new_factor(client_of: Any) -> None:
    person = employ("alpha")
    with_passkey(person, Passkey())
    employ("beta")
    client = client_of("beta")
    assert sign_in(client)["Location"] == "/anmelden/zweiter-faktor/"
    page = client.get("/anmelden/zweiter-faktor/").content.decode()
    assert "passkey-options" not in page
    assert "Wiederherstellungscode" in page
    assert client.get("/anmelden/einrichten/")["Location"] == "/anmelden/"


def test_the_last_factor_stays_where_one_is_required(client_of: Any, settings: Any) -> None:
    key = with_app(employ("alpha"))
    client = client_of("alpha")
    sign_in(client)
    client.post("/anmelden/zweiter-faktor/", {"kind": "totp", "code": code_now(key)})
    with acting_for("alpha"):
        factor = SecondFactor.objects.get()
    client.post(f"/arbeit/konto/zweiter-faktor/{factor.id}/entfernen/")
    with acting_for("alpha"):
        assert SecondFactor.objects.count() == 1
    settings.VERBUND_REQUIRE_SECOND_FACTOR = False
    client.post(f"/arbeit/konto/zweiter-faktor/{factor.id}/entfernen/")
    with acting_for("alpha"):
        assert SecondFactor.objects.count() == 0


def test_nobody_removes_somebody_elses_factor(client_of: Any, settings: Any) -> None:
    settings.VERBUND_REQUIRE_SECOND_FACTOR = False
    with_app(employ("alpha"))
    employ("alpha", "udo.ulme@example.org", "Udo Ulme")
    udo = client_of("alpha")
    sign_in(udo, "udo.ulme@example.org")
    with acting_for("alpha"):
        factor = SecondFactor.objects.get()
    assert udo.post(f"/arbeit/konto/zweiter-faktor/{factor.id}/entfernen/").status_code == 404
    with acting_for("alpha"):
        assert SecondFactor.objects.count() == 1


def test_app_passkey_and_new_codes_are_set_up_in_ones_own_account(client_of: Any, settings: Any) -> None:
    settings.VERBUND_REQUIRE_SECOND_FACTOR = False
    employ("alpha")
    client = client_of("alpha")
    sign_in(client)
    import base64

    shown = re.search(r"<code>([A-Z2-7 ]+)</code>", client.get("/arbeit/konto/zweiter-faktor/app/").content.decode())
    assert shown
    key = base64.b32decode(shown.group(1).replace(" ", ""))
    first = client.post("/arbeit/konto/zweiter-faktor/app/", {"code": code_now(key)})
    assert first.status_code == 200
    assert "Ihre Wiederherstellungscodes" in first.content.decode()
    passkey = Passkey()
    options = options_on(client.get("/arbeit/konto/zweiter-faktor/passkey/"))
    second = client.post("/arbeit/konto/zweiter-faktor/passkey/", {"answer": passkey.create(options), "name": "Blau"})
    assert second["Location"] == "/arbeit/konto/zweiter-faktor/"
    page = client.get("/arbeit/konto/zweiter-faktor/").content.decode()
    assert "Blau" in page
    assert "Passkey für alpha.localhost" in page
    assert "Es sind noch 10 Codes übrig." in page
    with acting_for("alpha"):
        before = set(RecoveryCode.objects.values_list("digest", flat=True))
    assert client.post("/arbeit/konto/zweiter-faktor/codes/").status_code == 200
    with acting_for("alpha"):
        assert not before & set(RecoveryCode.objects.values_list("digest", flat=True))


def test_an_unlocked_screen_is_not_enough_to_change_the_factors(client_of: Any, settings: Any) -> None:
    settings.VERBUND_REQUIRE_SECOND_FACTOR = False
    employ("alpha")
    client = client_of("alpha")
    sign_in(client)
    with_app(_person_id())
    _age_the_proof()
    with acting_for("alpha"):
        factor = SecondFactor.objects.get()
    for path in ("app/", "passkey/", "codes/", f"{factor.id}/entfernen/"):
        answer = client.post(f"/arbeit/konto/zweiter-faktor/{path}", {"code": "123456"})
        assert answer["Location"] == "/arbeit/konto/bestaetigen/?next=%2Farbeit%2Fkonto%2Fzweiter-faktor%2F"
    with acting_for("alpha"):
        assert (SecondFactor.objects.count(), RecoveryCode.objects.count()) == (1, 0)
    wrong = client.post("/arbeit/konto/bestaetigen/", {"password": "falsch"})
    assert wrong.status_code == 422
    assert client.get("/arbeit/konto/zweiter-faktor/app/").status_code == 302
    right = client.post(
        "/arbeit/konto/bestaetigen/?next=/arbeit/konto/zweiter-faktor/app/",
        {"password": "Regenbogen Kartoffel 7 Leuchtturm"},
    )
    assert right["Location"] == "/arbeit/konto/zweiter-faktor/app/"
    assert client.get("/arbeit/konto/zweiter-faktor/app/").status_code == 200


def _person_id() -> UUID:
    with acting_for("alpha"):
        return Person.objects.get(email="eva.eich@example.org").id


def _age_the_proof() -> None:
    from verbund.platform.identity.local.models import Session
    from verbund.platform.identity.local.sessions import SessionStore
    from verbund.platform.identity.recognition import PROVED

    with acting_for("alpha"):
        store = SessionStore()
        row = Session.objects.get(kind="staff")
        data = store.decode(row.data)
        data[PROVED] -= 901
        Session.objects.filter(pk=row.pk).update(data=store.encode(data))
