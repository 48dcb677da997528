"""Clerks and editors in a browser: by keyboard, on both widths, with and without scripts, axe-core on every page."""

import gzip
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from verbund.modules.citizenservices import queries
from verbund.modules.citizenservices.tests import factories
from verbund.platform.identity import services as identity
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for
from verbund.platform.tenancy import now as the_clock

from . import browser
from .server import aside, serving

pytestmark = pytest.mark.browser

PASSWORD = "Regenbogen Kartoffel 7 Leuchtturm"


@dataclass
class House:
    """A served house with a town at work, and a browser before it."""

    url: str
    browser: Any
    parking: UUID
    waiting: list[UUID]

    def state(self, ident: UUID) -> queries.ApplicationView:
        def question() -> queries.ApplicationView:
            with acting_for("alpha"):
                return queries.application(factories.SYSTEM, ident, now=the_clock())

        return aside(question)


@pytest.fixture
def house(real_database: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    if lacking := browser.missing():
        if os.environ.get("CI") == "true":
            pytest.fail(lacking)
        pytest.skip(lacking)
    settings.VERBUND_REQUIRE_SECOND_FACTOR = False
    moment = the_clock()
    monkeypatch.setattr(factories, "NOW", moment)
    with acting_for("alpha"):
        factories.town()
        identity.create_unit(factories.SYSTEM, code="32", name="Ordnung", now=moment)
        for email, name, role in (
            ("eva@example.org", "Eva Eich", Role.CLERK),
            ("lea@example.org", "Lea Linde", Role.SERVICE_EDITOR),
        ):
            made = identity.create_person(
                factories.SYSTEM,
                email=email,
                display_name=name,
                role=role,
                unit="32",
                valid_from=moment - timedelta(days=1),
                now=moment,
                invite=False,
            )
            identity.set_initial_password(factories.SYSTEM, person_id=made.id, password=PASSWORD, now=moment)
        parking = factories.offer()
        waiting = [
            factories.submit(service=parking, seed=seed, email="frieda@example.org", wants_mailbox=True).id
            for seed in (1, 2, 3)
        ]
    with serving() as port, browser.browser() as started:
        yield House(f"http://alpha.localhost:{port}", started, parking, waiting)


def sign_in(page: Any, email: str = "eva@example.org") -> None:
    page.goto("/anmelden/")
    page.fill("[name=email]", email)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/arbeit/**")


def tab_to(page: Any, name: str) -> None:
    """Press Tab until a link or button of that name has the focus, as somebody without a mouse does."""
    for _press in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            outline = page.evaluate(
                "(() => { const s = getComputedStyle(document.activeElement);"
                " return s.outlineStyle !== 'none' || s.boxShadow !== 'none'; })()"
            )
            assert outline, f"the focus on {name!r} cannot be seen"
            return
    raise AssertionError(f"{name!r} cannot be reached with the Tab key")


def test_a_clerk_works_by_keyboard_from_the_inbox_to_the_question(house: House) -> None:
    with browser.visit(house.browser, house.url) as page:
        sign_in(page)
        browser.assert_accessible(page, "clerk home")
        page.goto("/arbeit/eingang/")
        browser.assert_accessible(page, "clerk inbox")
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("k")
        assert page.locator("[data-current]").count() == 1
        page.keyboard.press("Enter")
        page.wait_for_url("**/arbeit/vorgaenge/*/")
        ident = UUID(page.url.rstrip("/").rsplit("/", 1)[1])
        browser.assert_accessible(page, "clerk case waiting")

        tab_to(page, "Übernehmen")
        page.keyboard.press("Enter")
        page.get_by_text("Der Vorgang ist bei Ihnen.").wait_for()
        assert house.state(ident).clerk_name == "Eva Eich"
        browser.assert_accessible(page, "clerk case taken")
        page.get_by_role("button", name="Rückgängig machen").click()
        page.wait_for_url("**/arbeit/eingang/")
        assert house.state(ident).clerk is None
        page.get_by_role("button", name="Rückgängig machen").click()
        page.wait_for_url("**/arbeit/vorgaenge/*/")

        tab_to(page, "Rückfrage stellen")
        page.keyboard.press("Enter")
        page.wait_for_url("**/rueckfrage/")
        browser.assert_accessible(page, "clerk question")
        tab_to(page, "Rückfrage senden")
        page.keyboard.press("Enter")
        page.locator("[data-error-summary]").wait_for()
        assert page.evaluate("document.activeElement.hasAttribute('data-error-summary')")
        browser.assert_accessible(page, "clerk question refused")
        page.get_by_role("link", name="Schreiben Sie Ihre Frage auf.").press("Enter")
        assert page.evaluate("location.hash") == "#id_text"
        page.fill("#id_text", "Bitte senden Sie ein lesbares Bild.")
        tab_to(page, "Rückfrage senden")
        page.keyboard.press("Enter")
        page.get_by_text("Die Rückfrage ist unterwegs.").wait_for()
        assert house.state(ident).state == "query_open"
        browser.assert_accessible(page, "clerk case question")


def test_a_clerk_refuses_with_reasons_and_sees_the_letter_first(house: House) -> None:
    ident = house.waiting[1]
    with browser.visit(house.browser, house.url) as page:
        sign_in(page)
        page.goto(f"/arbeit/vorgaenge/{ident}/")
        page.get_by_role("button", name="Übernehmen").click()
        page.get_by_role("link", name="Entscheiden").click()
        browser.assert_accessible(page, "clerk decide")
        page.get_by_label("Antrag ablehnen").check()
        page.get_by_role("button", name="Weiter zum Bescheid").click()
        page.locator("[data-error-summary]").wait_for()
        browser.assert_accessible(page, "clerk decide refused")
        page.fill("#id_reason", "Sie sind nicht im Parkgebiet gemeldet.")
        page.get_by_role("button", name="Weiter zum Bescheid").click()
        page.wait_for_url("**/bescheid/")
        assert house.state(ident).state == "in_progress"
        name = house.state(ident).party_name
        page.get_by_role("heading", name=f"Ablehnung an {name} versenden?").wait_for()
        browser.assert_accessible(page, "clerk check letter")
        page.get_by_role("button", name="Ablehnung versenden").click()
        page.get_by_text("Der Bescheid ist unterschrieben und auf dem Weg").wait_for()
        assert (house.state(ident).state, house.state(ident).outcome) == ("decided", "refused")
        browser.assert_accessible(page, "clerk case decided")


def test_unsaved_words_are_not_lost_without_a_warning(house: House) -> None:
    ident = house.waiting[2]
    with browser.visit(house.browser, house.url) as page:
        sign_in(page)
        page.goto(f"/arbeit/vorgaenge/{ident}/")
        page.get_by_role("button", name="Übernehmen").click()
        page.get_by_role("link", name="Rückfrage stellen").click()
        page.locator("#id_text").press_sequentially("Halb ge")
        warned: list[str] = []

        def leave_it(dialog: Any) -> None:
            warned.append(dialog.type)
            dialog.dismiss()

        page.on("dialog", leave_it)
        page.get_by_role("link", name="Abbrechen").click()
        page.wait_for_timeout(300)
        assert warned == ["beforeunload"]
        assert page.url.endswith("/rueckfrage/")
        assert page.input_value("#id_text") == "Halb ge"


def test_everything_also_works_without_scripts(house: House) -> None:
    ident = house.waiting[0]
    with browser.visit(house.browser, house.url, javascript=False) as page:
        sign_in(page)
        page.goto("/arbeit/eingang/?state=submitted")
        page.get_by_role("link", name="Bewohnerparkausweis beantragen").first.click()
        page.goto(f"/arbeit/vorgaenge/{ident}/")
        page.get_by_role("button", name="Übernehmen").click()
        page.get_by_role("link", name="Antrag wurde zurückgenommen").click()
        page.get_by_role("button", name="Als zurückgenommen abschließen").click()
        page.get_by_text("Die Rücknahme ist vermerkt.").wait_for()
    assert (house.state(ident).state, house.state(ident).outcome) == ("closed", "withdrawn")


def test_a_question_before_what_cannot_be_undone_stands_in_a_dialog(house: House) -> None:
    with browser.visit(house.browser, house.url) as page:
        sign_in(page, "lea@example.org")
        page.goto("/arbeit/verwaltung/leistungen/")
        browser.assert_accessible(page, "editor services")
        page.get_by_role("link", name="Bewohnerparkausweis beantragen").first.click()
        browser.assert_accessible(page, "editor service")
        ask = page.get_by_role("link", name="Leistung zurückziehen")
        ask.click()
        dialog = page.get_by_role("dialog")
        dialog.wait_for()
        assert browser.findings(page) == []
        page.keyboard.press("Escape")
        dialog.wait_for(state="detached")
        assert page.evaluate("document.activeElement.textContent.trim()") == "Leistung zurückziehen"
        ask.press("Enter")
        dialog.get_by_role("button", name="Leistung zurückziehen").click()
        page.get_by_text("Die Leistung ist zurückgezogen.").wait_for()
        for path, name in (
            ("vorschau/", "editor preview"),
            ("veroeffentlichen/", "editor publish"),
        ):
            page.goto(f"/arbeit/verwaltung/leistungen/{house.parking}/{path}")
            browser.assert_accessible(page, name)
        for path, name in (
            ("leistungen/vorlage/sondernutzung/", "editor template"),
            ("leistungen/neu/", "editor new service"),
            ("formulare/neu/", "editor import form"),
            ("codelisten/neu/", "editor import code list"),
        ):
            page.goto(f"/arbeit/verwaltung/{path}")
            browser.assert_accessible(page, name)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/gibt-es-nicht/", "error 404 portal"),
        ("/arbeit/gibt-es-nicht/", "error 404 workspace"),
        ("/impressum/", "imprint"),
    ],
)
def test_pages_beside_the_way_are_accessible_in_both_modes(house: House, path: str, name: str) -> None:
    with browser.visit(house.browser, house.url) as page:
        for mode in ("light", "dark"):
            page.emulate_media(color_scheme=mode)
            page.goto(path)
            browser.assert_accessible(page, f"{name} {mode}")


def test_a_page_stays_under_its_weight(house: House) -> None:
    """Under 150 kB without fonts, as it goes over the line (look of the house: speed is part of it)."""
    with browser.visit(house.browser, house.url) as page:
        sign_in(page)
        answers: list[Any] = []
        page.on("response", lambda answer: answers.append(answer))
        page.goto(f"/arbeit/vorgaenge/{house.waiting[0]}/", wait_until="networkidle")
        bodies = {
            answer.url: answer.body()
            for answer in answers
            if answer.request.resource_type in ("document", "stylesheet", "script") and answer.frame == page.main_frame
        }
    assert any(url.endswith(".js") for url in bodies)
    assert any(url.endswith(".css") for url in bodies)
    assert sum(len(gzip.compress(body, 6)) for body in bodies.values()) < 150_000
