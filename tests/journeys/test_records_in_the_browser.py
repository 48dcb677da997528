"""Registry and clerk at the digital file in a real browser: file plan, case, upload, version, search, closing;
axe-core on every page."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from verbund.modules.records import services as records
from verbund.modules.records.tests import factories
from verbund.platform.identity import services as identity
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for
from verbund.platform.tenancy import now as the_clock

from . import browser
from .server import serving

pytestmark = pytest.mark.browser

PASSWORD = "Regenbogen Kartoffel 7 Leuchtturm"
SYSTEM = Actor.system("alpha", "test")


@dataclass
class House:
    """A served house with a registry and a clerk, and a browser before it."""

    url: str
    browser: Any
    case: records.CaseRef


@pytest.fixture
def house(real_database: str, settings: Any) -> Iterator[House]:
    if lacking := browser.missing():
        if os.environ.get("CI") == "true":
            pytest.fail(lacking)
        pytest.skip(lacking)
    settings.VERBUND_REQUIRE_SECOND_FACTOR = False
    moment = the_clock()
    with acting_for("alpha"):
        identity.create_unit(SYSTEM, code="32", name="Ordnung", now=moment)
        for email, name, role in (
            ("eva@example.org", "Eva Eich", Role.CLERK),
            ("gerd@example.org", "Gerd Ginster", Role.REGISTRY),
        ):
            made = identity.create_person(
                SYSTEM,
                email=email,
                display_name=name,
                role=role,
                unit="32",
                valid_from=moment - timedelta(days=1),
                now=moment,
                invite=False,
            )
            identity.set_initial_password(SYSTEM, person_id=made.id, password=PASSWORD, now=moment)
        records.import_file_plan(SYSTEM, csv_text=records.sample_file_plan(), now=moment)
        case = factories.open_case(
            SYSTEM,
            title="Sondernutzung Marktplatz, Stadtfest",
            position="32.10.20",
            now=moment,
            promised_on=date(2026, 1, 1),
        )
        page = (
            "Antrag auf Sondernutzung",
            "Die Stadtvertretung hat dem Straßenfest zugestimmt.",
            "Höhe der Gebühr: 40 Euro",
        )
        records.file_document(
            SYSTEM,
            case_id=case.id,
            title="Antrag",
            kind="application",
            content=factories.pdf(*page, pages=2),
            filename="antrag.pdf",
            now=moment,
            visible_to_party=True,
        )
        factories.file_text(
            SYSTEM, case, "Rückfrage beim Bauhof: Absperrung vorhanden.", title="Telefonnotiz", now=moment
        )
        letter = records.issue_letter(
            SYSTEM,
            case_id=case.id,
            title="Erlaubnis zur Sondernutzung",
            template="printing/letter.typ",
            data={"paragraphs": ["Die Sondernutzung wird erlaubt."]},
            recipient=records.Recipient("Erika Beispiel", ("Weg 1", "19999 Musterstadt")),
            now=moment,
        )
        records.dispatch_letter(SYSTEM, letter_id=letter.id, now=moment)
    with serving() as port, browser.browser() as started:
        yield House(f"http://alpha.localhost:{port}", started, case)


def sign_in(page: Any, email: str) -> None:
    page.goto("/anmelden/")
    page.fill("[name=email]", email)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/arbeit/**")


def test_a_clerk_finds_files_and_closes(house: House, tmp_path: Path) -> None:
    with browser.visit(house.browser, house.url) as page:
        sign_in(page, "eva@example.org")
        page.goto("/arbeit/akten/")
        browser.assert_accessible(page, "records cases")
        for path, name in (
            ("/arbeit/akten/verzeichnis/", "records files"),
            ("/arbeit/akten/aktenplan/", "records plan"),
            ("/arbeit/akten/druck/", "records print room"),
            ("/arbeit/suche/", "records search empty"),
            ("/arbeit/akten/?text=gibtesnicht", "records cases none"),
        ):
            page.goto(path)
            browser.assert_accessible(page, name)
        page.goto("/arbeit/suche/")
        page.fill("[name=q]", "vertretung")
        page.locator("mark", has_text="Stadtvertretung").first.wait_for()
        browser.assert_accessible(page, "records search")
        page.get_by_role("link", name="Antrag").first.click()
        page.wait_for_url(f"**/{house.case.id}/**")
        preview = page.frame_locator("#preview")
        preview.locator("img.rec-page").first.wait_for()
        assert preview.locator("img.rec-page").first.evaluate("i => i.decode().then(() => i.naturalWidth)") > 1000
        browser.assert_accessible(page, "records case")
        page.get_by_role("button", name="Übernehmen").click()
        page.get_by_text("Sie haben den Vorgang übernommen.").wait_for()

        page.get_by_role("link", name="Dokument ablegen").click()
        browser.assert_accessible(page, "records file document")
        wrong = tmp_path / "programm.exe"
        wrong.write_bytes(b"MZ" + bytes(400))
        page.set_input_files("[name=content]", str(wrong))
        page.fill("[name=title]", "Lageplan")
        page.get_by_role("button", name="Dokument ablegen").click()
        page.locator("[data-upload-errors] .rec-refusal").wait_for()
        browser.assert_accessible(page, "records upload refused")
        right = tmp_path / "lageplan.pdf"
        right.write_bytes(factories.pdf("Lageplan der Kreisstadtvertretungssitzung"))
        page.set_input_files("[name=content]", str(right))
        page.get_by_role("button", name="Dokument ablegen").click()
        page.get_by_text("Dokument 4 wurde abgelegt.").wait_for()
        page.get_by_role("link", name="Fassungen Lageplan").click()
        browser.assert_accessible(page, "records document")
        page.set_input_files("[name=content]", str(right))
        page.get_by_role("button", name="Fassung hinzufügen").click()
        page.get_by_text("Fassung 2 wurde hinzugefügt.").wait_for()

        page.goto(f"/arbeit/akten/{house.case.id}/")
        page.fill("[name=text]", "Rückruf am Montag")
        page.get_by_role("button", name="Vermerk speichern").click()
        page.locator(".vb-timeline__text", has_text="Rückruf am Montag").wait_for()
        page.goto(f"/arbeit/akten/{house.case.id}/deckblatt/")
        browser.assert_accessible(page, "records cover")
        page.emulate_media(media="print")
        browser.screenshot(page, "records cover printed")
        page.emulate_media(media="screen")
        page.goto(f"/arbeit/akten/{house.case.id}/schliessen/")
        browser.assert_accessible(page, "records close")
        page.get_by_role("button", name="Vorgang schließen").click()
        page.get_by_text("Der Vorgang ist geschlossen").wait_for()
        browser.assert_accessible(page, "records case closed")
        assert page.get_by_role("link", name="Dokument ablegen").count() == 0


def test_the_registry_keeps_the_file_plan_and_opens_a_case_without_scripts(house: House, tmp_path: Path) -> None:
    with browser.visit(house.browser, house.url, javascript=False) as page:
        sign_in(page, "gerd@example.org")
        page.goto("/arbeit/verwaltung/aktenplan/")
        plan = tmp_path / "plan.csv"
        plan.write_text("code;title\nx;A\n99;B;\n", encoding="utf-8")
        page.set_input_files("[name=csv]", str(plan))
        page.get_by_role("button", name="Aktenplan einlesen").click()
        assert "kein Aktenzeichen" in page.locator(".rec-errors").inner_text()
        browser.screenshot(page, "records plan errors")
        page.goto("/arbeit/akten/neu/")
        page.fill("[name=title]", "Bewohnerparkausweis Linde")
        page.select_option("[name=position]", "32.20.10")
        page.fill("[name=unit]", "32")
        page.get_by_role("button", name="Vorgang anlegen").click()
        page.fill("[name=meta_beginn]", "2026-12-24")
        browser.screenshot(page, "records open case")
        page.get_by_role("button", name="Vorgang anlegen").click()
        page.get_by_text("32.20.10-").first.wait_for()
        page.goto("/arbeit/suche/?q=ausweis")
        assert page.locator(".rec-hit").count() == 1


def test_the_registrys_pages_are_accessible(house: House) -> None:
    with browser.visit(house.browser, house.url) as page:
        sign_in(page, "gerd@example.org")
        for path, name in (
            ("/arbeit/verwaltung/aktenplan/", "records file plan"),
            ("/arbeit/akten/neu/?position=32.20.10", "records open case form"),
        ):
            page.goto(path)
            browser.assert_accessible(page, name)
