"""The pages every portal has: colours, language, imprint, privacy, accessibility; and the policy that guards them."""

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.django_db

ClientOf = Callable[..., Any]
LEGAL = ["/impressum/", "/datenschutz/", "/barrierefreiheit/"]


@pytest.mark.parametrize("path", LEGAL)
def test_the_pages_the_law_asks_for_name_the_body_of_the_host(client_of: ClientOf, path: str) -> None:
    answer = client_of("beta").get(path)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "Landkreis Betaland" in text
    assert "Stadt Alphausen" not in text
    for other in LEGAL:
        assert f'href="{other}"' in text


def test_the_imprint_gives_the_address_of_the_letterhead(client_of: ClientOf) -> None:
    text = client_of("alpha").get("/impressum/").content.decode()
    assert "Am Markt 1" in text
    assert "19999 Musterstadt" in text
    assert 'href="mailto:rathaus@example.org"' in text


def test_german_is_the_default_and_the_browser_may_ask_for_english(client_of: ClientOf) -> None:
    client = client_of("alpha")
    assert 'lang="de"' in client.get("/impressum/").content.decode()
    assert 'lang="de"' in client.get("/impressum/", headers={"accept-language": "fr"}).content.decode()
    english = client.get("/impressum/", headers={"accept-language": "en-GB,en;q=0.9,de;q=0.5"}).content.decode()
    assert '<html lang="en">' in english
    assert '<h1 class="kern-heading-large">Imprint</h1>' in english


def test_the_chosen_language_stays(client_of: ClientOf) -> None:
    client = client_of("alpha")
    answer = client.post("/sprache/", {"language": "en", "next": "/impressum/"})
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/impressum/"
    assert '<html lang="en">' in client.get("/impressum/", headers={"accept-language": "de"}).content.decode()


def test_choosing_a_language_never_leads_out_of_the_house(client_of: ClientOf) -> None:
    answer = client_of("alpha").post("/sprache/", {"language": "en", "next": "https://evil.example/"})
    assert "evil.example" not in answer.headers.get("Location", "")


def test_choosing_a_language_needs_the_form_of_this_house(client_of: ClientOf) -> None:
    answer = client_of("alpha", enforce_csrf_checks=True).post("/sprache/", {"language": "en", "next": "/"})
    assert answer.status_code == 403


def test_the_colours_are_a_cacheable_style_sheet(client_of: ClientOf) -> None:
    answer = client_of("alpha").get("/farben.css")
    assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
    assert "max-age=86400" in answer.headers["Cache-Control"]
    assert answer.content.decode().startswith(":root{--vb-accent:#")


def test_an_unknown_page_is_explained_in_the_portal(client_of: ClientOf) -> None:
    answer = client_of("alpha").get("/gibt-es-nicht/")
    assert answer.status_code == 404
    assert "Stadt Alphausen" in answer.content.decode()


@pytest.mark.parametrize("path", [*LEGAL, "/gibt-es-nicht/"])
def test_no_page_lets_anything_foreign_or_inline_run(client_of: ClientOf, path: str) -> None:
    answer = client_of("alpha").get(path)
    directives = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == "'self'"
    assert directives["style-src"] == "'self'"
    assert directives["frame-ancestors"] == "'none'"
    assert directives["form-action"] == "'self'"
    assert directives["base-uri"] == "'none'"
    text = answer.content.decode()
    assert "<style" not in text
    assert " style=" not in text
    assert "<script>" not in text
    assert " onclick" not in text
