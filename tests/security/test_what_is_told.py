"""What must not be told: secrets and personal data in logs, error pages, headers and mails."""

import json
import logging
import logging.config
import re
from typing import Any

import pytest
from django.core import mail

from verbund.config.logs import LOGGING
from verbund.platform.identity import services as identity
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.local.models import CitizenAccount, Token
from verbund.platform.tenancy import acting_for
from verbund.platform.tenancy import now as the_clock

from .addresses import ROUTES
from .test_every_form import visitor
from .test_permission_matrix import body_of
from .world import World, taken_back


@pytest.mark.parametrize("name", ["staff_invitation", "staff_password", "citizen_confirm", "citizen_password"])
def test_the_secret_of_a_link_is_in_no_log(world: World, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """A password that is too weak is answered with 422; the link stays valid, so nobody may keep its address."""
    secret = world.towns["alpha"].ids[f"{name} secret"]
    route = next(r for r in ROUTES if r.name == name)
    url = route.url(world.towns["alpha"])
    client = world.client("alpha")
    with caplog.at_level(logging.DEBUG), taken_back():
        assert client.get(url).status_code == 200
        assert client.post(url, {"password": "kurz", "again": "kurz", "repeat": "kurz"}).status_code in (200, 400, 422)
        assert client.generic("PUT", url).status_code < 500
        strict = world.client("alpha", enforce_csrf_checks=True)
        assert strict.post(url, {}).status_code == 403
    text = as_written(caplog.records)
    assert "verbund.request" in text
    assert secret not in text


def as_written(records: list[logging.LogRecord]) -> str:
    """The records through the filters and the formatter of the installation's own handler."""
    facts = LOGGING["handlers"]["out"]
    made: Any = logging.config.DictConfigurator(dict(LOGGING))
    filters = [made.configure_filter(dict(LOGGING["filters"][name])) for name in facts["filters"]]
    formatter = made.configure_formatter(dict(LOGGING["formatters"][facts["formatter"]]))
    lines = []
    for record in records:
        copy = logging.makeLogRecord(record.__dict__)
        if all(f.filter(copy) for f in filters):
            lines.append(formatter.format(copy))
    return "\n".join(lines)


def test_no_log_line_holds_what_a_person_sent(world: World, caplog: pytest.LogCaptureFixture) -> None:
    marks = ["Zebrastreifen-77", "zebra@example.org", "4711-Geheim-Passwort"]
    client = world.client("alpha")
    with caplog.at_level(logging.INFO), taken_back():
        client.get("/", {"q": marks[0]})
        client.get(f"/gibt-es-nicht/{marks[0]}/", {"email": marks[1]})
        client.post("/anmelden/", {"email": marks[1], "password": marks[2]})
        client.post("/konto/anmelden/", {"email": marks[1], "password": marks[2]})
        client.post("/konto/registrieren/", {"email": marks[1], "name": marks[0]})
        client.post("/stand/", {"code": marks[2]})
        world.client("alpha", "clerk").get("/arbeit/suche/", {"q": marks[0]})
    text = as_written(caplog.records)
    assert text.count("sign-in refused") == 2, "a failure leaves a line"
    assert [m for m in marks if m in text] == []


def test_an_error_tells_nothing_of_the_inside(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from verbund.modules.citizenservices import queries

    def broken(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError("password=hunter2 at /srv/verbund/secret.py")

    monkeypatch.setattr(queries, "topics", broken)
    answer = world.client("alpha").get("/")
    text = answer.content.decode()
    assert answer.status_code == 500
    for leak in ("hunter2", "Traceback", "RuntimeError", ".py", "Django", "SECRET"):
        assert leak not in text
    for path in ("/<script>alert(1)</script>/", "/%3Cscript%3Ealert(1)%3C/script%3E/", "/{{7*7}}/"):
        missing = world.client("alpha").get(path)
        assert missing.status_code == 404
        assert b"<script>alert" not in missing.content
        assert b"/49/" not in missing.content


HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
}


@pytest.mark.parametrize("route", [r for r in ROUTES if r.name not in ("healthz", "readyz")], ids=str)
def test_every_page_carries_its_armour(world: World, route: Any) -> None:
    """Security headers, a policy without inline script or style, no cache for what is personal, no stray origin."""
    body = body_of(route)
    with taken_back():
        answer = visitor(world, route).get(route.url(world.towns[body]))
    answer.close() if answer.streaming else None
    policy = answer["Content-Security-Policy"]
    if answer["Content-Type"].startswith("text/html"):
        assert "script-src 'self'" in policy
        assert not [bad for bad in ("unsafe", "*", "http:", "https:") if bad in policy]
        framed = route.name in ("records:preview",)
        assert answer["X-Frame-Options"] == ("SAMEORIGIN" if framed else "DENY")
    assert "default-src 'none'" in policy
    for name, value in HEADERS.items():
        if name != "X-Frame-Options":
            assert answer[name] in (value, "no-referrer"), name
    assert "Access-Control-Allow-Origin" not in answer
    assert not {"Server", "X-Powered-By"} & set(answer.headers)
    if route.kind != "public" and answer.status_code == 200:
        assert "no-store" in answer["Cache-Control"]
    if any(n in ("draft_id", "application_id", "secret") for n, _c in route.parameters) and answer.status_code == 200:
        assert re.search("no-store|no-cache", answer["Cache-Control"])


def test_whoever_registers_cannot_put_words_into_our_mails(world: World, mailoutbox: list[mail.EmailMessage]) -> None:
    """The mail to an address nobody has confirmed carries no text of the one who typed the address."""
    bait = "Sie haben gewonnen https://evil.example.org"
    with taken_back():
        answer = world.client("alpha").post("/konto/registrieren/", {"email": "opfer@example.org", "name": bait})
        assert answer.status_code in (200, 422)
        with acting_for("alpha"):
            account = CitizenAccount.objects.filter(email="opfer@example.org").first()
            if account is not None:
                identity.send_link(
                    Actor.system("alpha", "test"),
                    kind=Token.Kind.CITIZEN_EMAIL.value,
                    subject=account.id,
                    language="de",
                    now=the_clock(),
                )
    for message in mailoutbox:
        assert "evil.example.org" not in f"{message.body} {message.subject}"


def test_a_header_cannot_be_smuggled_into_a_mail(world: World, mailoutbox: list[mail.EmailMessage]) -> None:
    with taken_back():
        for email in ("a@example.org\r\nBcc: b@example.org", "a@example.org,b@example.org", '"a\nb"@example.org'):
            answer = world.client("alpha").post("/konto/registrieren/", {"email": email, "name": "Erika Beispiel"})
            assert answer.status_code in (200, 400, 422)
        with acting_for("alpha"):
            assert not CitizenAccount.objects.filter(email__contains="b@example.org").exists()
    assert mailoutbox == []


def test_the_answer_to_a_stranger_is_the_same_for_known_and_unknown(world: World) -> None:
    """Sign-in, forgotten password and registration tell nobody who has an account."""
    pages = {
        "/anmelden/": ("clerk@alpha.example.org", {"password": "Falsches Passwort 1"}),
        "/anmelden/passwort-vergessen/": ("clerk@alpha.example.org", {}),
        "/konto/anmelden/": ("citizen@alpha.example.org", {"password": "Falsches Passwort 1"}),
        "/konto/passwort-vergessen/": ("citizen@alpha.example.org", {}),
        "/konto/registrieren/": ("citizen@alpha.example.org", {"name": "Erika Beispiel"}),
    }
    for path, (known, more) in pages.items():
        seen = []
        for email in (known, "nobody@alpha.example.org"):
            with taken_back():
                answer = world.client("alpha").post(path, {"email": email, **more})
            text = answer.content.decode().replace(email, "…")
            seen.append((answer.status_code, re.sub(r'value="[A-Za-z0-9]{64}"|[0-9a-f]{32}', "", text)))
        assert seen[0] == seen[1], path


def test_a_log_line_is_one_line_whatever_it_says() -> None:
    record = logging.makeLogRecord({"name": "x", "msg": "a\r\nb %s", "args": ('c\n{"fake": 1}',), "levelname": "INFO"})
    line = as_written([record])
    assert "\n" not in line
    assert json.loads(line)["event"].startswith("a\r\nb")


def test_signing_out_clears_what_the_browser_kept(world: World) -> None:
    with taken_back():
        assert world.client("alpha", "clerk").post("/abmelden/")["Clear-Site-Data"] == '"cache", "storage"'
