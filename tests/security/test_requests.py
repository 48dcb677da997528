"""Requests that no browser sends by itself: broken, forged, too large. Each ends in words and changes nothing."""

import io
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile

from verbund.modules.citizenservices.models import Draft
from verbund.platform.identity import services as identity
from verbund.platform.identity.local.models import Session
from verbund.platform.tenancy import acting_for

from .hostile import docx_bomb, external, forms, laughs
from .unchanged import changed, look
from .world import HOSTS, World, taken_back

NOTE = {"text": "Die Bürgerin hat angerufen."}


def note_url(world: World) -> str:
    return f"/arbeit/akten/{world.towns['alpha'].ids['case_id']}/vermerk/"


def words(answer: Any) -> str:
    """The text of a page that a person can read; a bare or broken one fails."""
    text = str(answer.content.decode())
    assert "<h1" in text, (answer.status_code, text[:300])
    assert "<title>" in text
    return text


# ---- another site


EVIL = (
    "https://evil.example.org/",
    "//evil.example.org/",
    "///evil.example.org/",
    "/\\evil.example.org/",
    "\\\\evil.example.org",
    "https:evil.example.org",
    "http://alpha.localhost@evil.example.org/",
    "http://alpha.localhost.evil.example.org/",
    "javascript:alert(1)",
    "data:text/html,x",
    "/%09/evil.example.org",
    "/\t/evil.example.org",
    "\x00//evil.example.org",
    "/\r\nSet-Cookie: a=b",
    " //evil.example.org",
)


@pytest.mark.parametrize("target", EVIL, ids=repr)
def test_nobody_is_led_out_of_the_house(world: World, target: str) -> None:
    """`next` at every sign-in, at the proof and at the choice of the language."""
    asked = [
        world.client("alpha", "clerk").get("/anmelden/", {"next": target}),
        world.client("alpha", "citizen").get("/konto/anmelden/", {"next": target}),
        world.client("alpha").get("/anmelden/dienst/", {"next": target}),
        world.client("alpha").post("/sprache/", {"language": "en", "next": target}),
        world.client("alpha").post("/sprache/", {"language": "en"}, headers={"referer": target.strip()}),
    ]
    for answer in asked:
        if "\x00" in target and answer.status_code == 400:
            continue
        assert answer.status_code == 302
        place = answer["Location"]
        assert place.startswith("/"), place
        assert not place.startswith(("//", "/\\")), place
        assert not {"\n", "\r"} & set(place)
    page = world.client("alpha").get("/anmelden/", {"next": target})
    if page.status_code == 400:
        return
    sign_in = next(f for f in forms("/anmelden/", page.content) if "password" in f.values)
    assert sign_in.action.startswith("/anmelden/")
    assert sign_in.values["next"] == ["/arbeit/"] or target.startswith(("/\r", "/%09"))


# ---- sessions and cookies


def test_a_session_lost_while_writing_leads_to_the_sign_in_and_back_to_a_page(
    world: World, behind: "psycopg.Connection[Any]"
) -> None:
    """What was being written is not kept, nothing else happens, and after signing in no blank refusal waits."""
    client = world.client("alpha", "clerk")
    del client.cookies[django_settings.SESSION_COOKIE_NAME]
    look(behind)
    case = f"/arbeit/akten/{world.towns['alpha'].ids['case_id']}/"
    answer = client.post(note_url(world), NOTE, headers={"referer": f"http://{HOSTS['alpha']}{case}"})
    assert answer.status_code == 302
    assert changed(behind) == []
    from urllib.parse import parse_qs, urlsplit

    target = parse_qs(urlsplit(answer["Location"]).query)["next"][0]
    assert world.client("alpha", "clerk").get(target).status_code == 200, target
    bare = client.post(note_url(world), NOTE)
    target = parse_qs(urlsplit(bare["Location"]).query).get("next", ["/arbeit/"])[0]
    assert world.client("alpha", "clerk").get(target).status_code == 200, target


def test_a_session_that_ends_in_the_middle_of_a_request_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signed out in another tab while this one is sending: a page with words, and no session comes back to life."""
    client = world.client("alpha", "clerk")
    with acting_for("alpha"):
        subject = Session.objects.get(pk=world.towns["alpha"].ids["session_id"]).subject
    reached = []

    def meanwhile(actor: Any, **values: Any) -> None:
        reached.append(Session.objects.filter(kind="staff", subject=actor.id).delete()[0])

    monkeypatch.setattr(identity, "prove_own_password", meanwhile)
    with taken_back():
        answer = client.post("/arbeit/konto/bestaetigen/", {"password": "x"})
        assert reached, "the session had ended before"
        assert answer.status_code == 400
        words(answer)
        assert client.get("/arbeit/").status_code == 302
        with acting_for("alpha"):
            assert not Session.objects.filter(kind="staff", subject=subject).exists()


@pytest.mark.parametrize(
    "value", ["", "x", "../..", "\\x00", "a" * 5000, "%00", "äöü", "' OR 1=1 --", "null", '"a\\054b"']
)
def test_a_cookie_that_was_tampered_with_makes_a_guest(world: World, value: str) -> None:
    for name in (
        django_settings.SESSION_COOKIE_NAME,
        django_settings.CSRF_COOKIE_NAME,
        "verbund_language",
        "verbund_notices",
    ):
        client = world.client("alpha")
        client.cookies[name] = value
        assert client.get("/arbeit/").status_code == 302
        assert client.get("/").status_code == 200
        assert client.post("/anmelden/", {"email": "a@example.org", "password": "x"}).status_code in (200, 403, 429)


def test_data_in_the_table_of_sessions_that_nobody_signed_open_nothing(world: World) -> None:
    """A row changed behind the application is no session."""
    with taken_back():
        with acting_for("alpha"):
            Session.objects.filter(kind="staff").update(data="eyJfc3ViamVjdCI6IngifQ:forged:signature")
        assert world.client("alpha", "clerk").get("/arbeit/").status_code == 302


def test_a_form_without_its_token_is_explained(world: World) -> None:
    client = world.client("alpha", "clerk", enforce_csrf_checks=True)
    answer = client.post(note_url(world), NOTE)
    assert answer.status_code == 403
    assert len(words(answer)) > 500


# ---- broken requests


def raw(client: Any, body: bytes, content_type: str, **more: Any) -> Any:
    return client.generic("POST", "/anmelden/", body, content_type=content_type, **more)


BROKEN = {
    "no boundary": (b"x", "multipart/form-data"),
    "empty boundary": (b"x", "multipart/form-data; boundary="),
    "cut off": (b'--b\r\nContent-Disposition: form-data; name="email"\r\n\r\nab', "multipart/form-data; boundary=b"),
    "header without end": (b"--b\r\nContent-Disposition: form-data; name=", "multipart/form-data; boundary=b"),
    "nothing but dashes": (b"--b" * 5000, "multipart/form-data; boundary=b"),
    "many parts": (
        b"".join(b'--b\r\nContent-Disposition: form-data; name="f%d"\r\n\r\nx\r\n' % n for n in range(2500)) + b"--b--",
        "multipart/form-data; boundary=b",
    ),
    "many files": (
        b"".join(b'--b\r\nContent-Disposition: form-data; name="f"; filename="%d"\r\n\r\nx\r\n' % n for n in range(150))
        + b"--b--",
        "multipart/form-data; boundary=b",
    ),
    "a broken transfer encoding": (
        b'--b\r\nContent-Disposition: form-data; name="email"\r\nContent-Transfer-Encoding: base64\r\n\r\n@@@\r\n--b--',
        "multipart/form-data; boundary=b",
    ),
    "an unknown charset": (b"email=x", "application/x-www-form-urlencoded; charset=klingon"),
    "utf-16": ("email=x&password=y".encode("utf-16"), "application/x-www-form-urlencoded; charset=utf-16"),
    "not utf-8": (b"email=%ff%fe&password=%00\xff\xfe", "application/x-www-form-urlencoded"),
    "many fields": (b"&".join(b"f%d=x" % n for n in range(2500)), "application/x-www-form-urlencoded"),
    "a large field": (b"email=" + b"x" * 3_000_000, "application/x-www-form-urlencoded"),
    "json": (b'{"email": "x"}', "application/json"),
    "xml": (b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>", "text/xml"),
    "no type": (b"email=x", ""),
    "a boundary of its own kind": (b"x", "multipart/form-data; boundary=\x00\xff"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_request_is_answered_with_a_page(world: World, behind: "psycopg.Connection[Any]", what: str) -> None:
    body, kind = BROKEN[what]
    look(behind)
    for client in (world.client("alpha"), world.client("alpha", enforce_csrf_checks=True)):
        answer = raw(client, body, kind)
        assert answer.status_code in (200, 400, 403, 413)
        words(answer)
    assert changed(behind) == []


def test_more_than_any_form_can_hold_is_refused_before_it_is_read(world: World) -> None:
    """A request of gigabytes must not reach the disk: it is refused by its announced length, on every page, unread."""

    class Endless(io.RawIOBase):
        taken = 0

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            piece = b"x" * min(size if size > 0 else 65536, 65536)
            Endless.taken += len(piece)
            if Endless.taken > 400_000_000:
                raise AssertionError("hundreds of megabytes were read")
            return piece

    huge: dict[str, Any] = {"CONTENT_LENGTH": str(5_000_000_000), "wsgi.input": Endless()}
    for path in ("/anmelden/", "/gibt-es-nicht/", "/leistungen/x/beginnen/"):
        answer = world.client("alpha").post(
            path,
            b"",
            content_type="multipart/form-data; boundary=b",
            **huge,
        )
        assert answer.status_code == 413
        words(answer)
    assert Endless.taken < 10_000_000


def test_a_method_that_is_not_meant_is_refused_with_what_is(world: World) -> None:
    answer = world.client("alpha", "clerk").get(note_url(world))
    assert answer.status_code == 405
    assert answer["Allow"] == "POST"
    words(answer)


HEADERS = (
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "HX-Current-URL",
    "HX-Request",
    "If-Modified-Since",
    "If-None-Match",
    "Origin",
    "Range",
    "Referer",
    "User-Agent",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Request-ID",
)


def test_headers_of_any_kind_break_nothing(world: World) -> None:
    client = world.client("alpha", "clerk")
    for name in HEADERS:
        for value in (
            "x" * 8000,
            "\x00",
            "äöü",
            "%00",
            "de;q=nan,en;q=1e999",
            "bytes=9-1",
            "Tue, 99 Foo 0000",
            "'\"<>",
        ):
            assert client.get("/arbeit/", headers={name: value}).status_code in (200, 302, 304, 400), (name, value)
    answer = client.get("/", headers={"X-Request-ID": "a\r\nb: c"})
    assert "\n" not in answer["X-Request-ID"]


# ---- once is enough


def test_two_tabs_with_two_drafts_do_not_mix(world: World) -> None:
    client = world.client("alpha")
    slug = world.towns["alpha"].ids["slug"]
    with taken_back():
        first, second = (client.post(f"/leistungen/{slug}/beginnen/")["Location"] for _ in range(2))
        assert first != second
        page = client.get(first).content.decode()
        name = next(n for n in forms(first, page.encode())[-1].values if n.startswith("G"))
        client.post(first, {name: "Erste"})
        client.post(second, {name: "Zweite"})
        with acting_for("alpha"):
            kept = [Draft.objects.get(pk=u.split("/")[2]).answers.get(name) for u in (first, second)]
        assert kept == ["Erste", "Zweite"]


def test_a_guest_cannot_fill_the_disk(world: World) -> None:
    """Beginning applications without end from one address is stopped after a while, with words."""
    client = world.client("alpha")
    slug = world.towns["alpha"].ids["slug"]
    with taken_back():
        codes = [client.post(f"/leistungen/{slug}/beginnen/").status_code for _ in range(130)]
        assert codes[0] == 302
        assert codes[-1] == 429


# ---- files


UPLOADS = {
    "nothing in it": ("leer.pdf", b"", True),
    "too large": ("gross.pdf", b"%PDF-1.7\n" + b"0" * (26 * 1024 * 1024), True),
    "another kind than its name": ("bild.pdf", b"\x89PNG\r\n\x1a\n" + b"0" * 50, True),
    "a page that would run": ("seite.html", b"<html><script>alert(1)</script></html>", True),
}


@pytest.mark.parametrize("what", UPLOADS)
def test_a_file_that_cannot_be_taken_is_explained_and_nothing_is_filed(
    world: World, behind: "psycopg.Connection[Any]", what: str
) -> None:
    name, content, _refused = UPLOADS[what]
    client = world.client("alpha", "clerk")
    case = world.towns["alpha"].ids["case_id"]
    look(behind)
    answer = client.post(
        f"/arbeit/akten/{case}/ablegen/",
        {"title": "Anlage", "kind": "memo", "content": SimpleUploadedFile(name, content)},
    )
    assert answer.status_code == 400
    assert "kern-alert" in words(answer) or "error" in words(answer)
    assert changed(behind) == []


def test_a_broken_pdf_is_kept_but_shows_no_picture_and_no_error(world: World) -> None:
    client = world.client("alpha", "clerk")
    case = world.towns["alpha"].ids["case_id"]
    with taken_back():
        answer = client.post(
            f"/arbeit/akten/{case}/ablegen/",
            {
                "title": "Kaputt",
                "kind": "memo",
                "content": SimpleUploadedFile("kaputt.pdf", b"%PDF-1.7\n1 0 obj << /Type /Catalog /Pages 9 0 R"),
            },
        )
        assert answer.status_code in (302, 400)
        if answer.status_code == 302:
            ident = answer["Location"].partition("dokument=")[2]
            assert client.get(answer["Location"]).status_code == 200
            assert client.get(f"/arbeit/akten/dokument/{ident}/vorschau/").status_code == 200
            assert client.get(f"/arbeit/akten/dokument/{ident}/seite/1.png").status_code == 404
            assert client.get(f"/arbeit/akten/dokument/{ident}/inhalt/").status_code == 200


def test_the_name_of_a_file_breaks_out_of_nothing(world: World) -> None:
    """Line breaks, quotes, folders, directions of writing: neither in the header of the download nor on the disk."""
    client = world.client("alpha", "clerk")
    case = world.towns["alpha"].ids["case_id"]
    for name in (
        "../../../tmp/x.txt",
        'a"; filename="b.exe',
        "a\r\nX-Evil: 1.txt",
        "\u202etxt.exe.txt",
        "C:\\x\\y.txt",
        "\x00.txt",
    ):
        with taken_back():
            file = SimpleUploadedFile("x.txt", b"Text")
            file.__dict__["_name"] = name
            answer = client.post(f"/arbeit/akten/{case}/ablegen/", {"title": "Anlage", "kind": "memo", "content": file})
            assert answer.status_code in (302, 400)
            if answer.status_code == 302:
                ident = answer["Location"].partition("dokument=")[2]
                header = client.get(f"/arbeit/akten/dokument/{ident}/inhalt/")["Content-Disposition"]
                assert header.startswith("attachment")
                assert not any(bad in header for bad in ("\n", "\r", "..", "/tmp", "\u202e", "\x00"))
                assert header.count("filename") == 1


@pytest.mark.parametrize("what", ["xxe", "laughs", "network", "bomb", "empty", "html", "deep"])
@pytest.mark.parametrize("page", ["statement", "form", "code list"])
def test_a_hostile_exchange_file_is_refused_on_its_page(
    world: World, behind: "psycopg.Connection[Any]", page: str, what: str
) -> None:
    content = {
        "xxe": external(),
        "laughs": laughs(),
        "network": external("http://127.0.0.1:9/"),
        "bomb": docx_bomb(2_000_000),
        "empty": b"",
        "html": b"<!DOCTYPE html><html><body>Anmeldung</body></html>",
        "deep": b"<a>" * 100_000,
    }[what]
    who, url, field = {
        "statement": ("treasurer", "/arbeit/haushalt/ALPHA/2026/kontoauszuege/", "file"),
        "form": ("service_editor", "/arbeit/verwaltung/formulare/neu/", "file"),
        "code list": ("service_editor", "/arbeit/verwaltung/codelisten/neu/", "file"),
    }[page]
    client = world.client("alpha", who)
    form = next(f for f in forms(url, client.get(url).content) if f.files)
    look(behind)
    values: dict[str, Any] = {n: v[0] for n, v in form.values.items() if v}
    answer = client.post(form.action, {**values, form.files[0]: SimpleUploadedFile("x.xml", content)})
    assert answer.status_code in (400, 422), (field, answer.status_code)
    text = words(answer)
    assert "root:" not in text
    assert "lollol" not in text
    assert changed(behind) == []


# ---- answers of applicants


ANSWERS = {
    "sql": "'; DROP TABLE records_case; --",
    "template": "{{ settings.SECRET_KEY }}{% load x %}",
    "typst": '#read("/etc/passwd") #set page(fill: red)',
    "markup": "<script>alert(1)</script>",
    "formula": "=HYPERLINK(0)",
    "decomposed": "Mu\u0308ller",
    "long": "a" * 10_000,
    "forbidden": "漢字\u202e",
    "control": "a\x00\x08b",
}


@pytest.mark.parametrize("what", ANSWERS)
def test_an_answer_is_text_and_nothing_else(world: World, what: str) -> None:
    """On its page, on the page of the check, and in the table: kept, or refused with words; never run."""
    client = world.client("alpha")
    slug = world.towns["alpha"].ids["slug"]
    with taken_back():
        first = client.post(f"/leistungen/{slug}/beginnen/")["Location"]
        form = forms(first, client.get(first).content)[-1]
        names = [n for n in form.values if n.startswith("G")]
        answer = client.post(first, {**dict.fromkeys(names, ANSWERS[what]), "action": "next"})
        assert answer.status_code in (302, 400)
        for url in (first, first.replace("/1/", "/pruefen/")):
            text = words(client.get(url))
            assert "<script>alert(1)" not in text
            assert django_settings.SECRET_KEY not in text
        with acting_for("alpha"):
            kept = Draft.objects.get(pk=first.split("/")[2]).answers
        assert all(len(v) <= 10_000 and "\x00" not in v for v in kept.values())
        if what == "decomposed" and kept:
            assert "Müller" in kept.values()


def test_an_invented_draft_or_application_is_not_found_with_words(world: World) -> None:
    for path in (f"/antrag/{uuid4()}/1/", f"/stand/{uuid4()}/", f"/antrag/gesendet/{uuid4()}/"):
        answer = world.client("alpha").get(path)
        assert answer.status_code == 404
        words(answer)


def test_a_draft_whose_time_is_over_is_told(world: World) -> None:
    from datetime import timedelta

    town = world.towns["alpha"]
    with taken_back():
        with acting_for("alpha"):
            draft = Draft.objects.get(pk=town.ids["draft_id"])
            draft.created_at -= timedelta(days=60)
            draft.expires_at -= timedelta(days=60)
            draft.save()
        client = world.client("alpha")
        answer = client.post("/antrag/fortsetzen/", {"code": town.codes["draft"]})
        assert answer.status_code == 400
        words(answer)
        assert world.client("alpha", "citizen").post(f"/antrag/{draft.id}/1/", {"x": "y"}).status_code == 404
