"""The pages of services, agreements, set-up and leaving in a browser: no finding of axe-core, nothing scrolls
sideways."""

from datetime import date, timedelta
from typing import Any

import pytest

from verbund.modules.membership import services
from verbund.modules.membership.tests.factories import founded, member
from verbund.modules.membership.tests.pages import employ
from verbund.platform.identity import services as identity
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for, local_date
from verbund.platform.tenancy import now as the_clock

from . import browser
from .server import serving

pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(browser.missing()), reason=browser.missing() or "there")]

PASSWORD = "Regenbogen Kartoffel 7 Leuchtturm"
CATALOGUE: tuple[tuple[str, str, str, str, list[str]], ...] = (
    ("AKTE", "Digitale Akte", "person", "tariff", ["records"]),
    ("HAUSHALT", "Haushaltsverfahren mit Rechnungseingang und Kasse", "person", "tariff", ["budget"]),
    ("KERN-IT", "IT-Betrieb der Kernverwaltung", "workplace", "tariff", []),
    ("ONLINE", "Online-Bürgerdienste", "inhabitant", "key", ["citizenservices"]),
    ("SCHUL-IT", "IT der Schulen", "school_client", "pass_through", []),
)


def _furnish() -> dict[str, str]:
    """A catalogue and agreements; the pages by name."""
    moment, today = the_clock(), local_date(the_clock())
    manager = employ("Max Mond", Role.ALLIANCE_MANAGER)
    assert manager.id is not None
    identity.set_initial_password(Actor.system("alliance", "test"), person_id=manager.id, password=PASSWORD, now=moment)
    members = founded(manager, "kreis-ludwigslust-parchim", "hauptstadt", now=moment)
    members.append(member(manager, "amt-unterhausen-oberhausen-mittelhausen", kind="amt", now=moment))
    for code, name, unit, basis, rooms in CATALOGUE:
        services.define_service(
            manager,
            code=code,
            name=name,
            description=f"{name}: Betrieb, Pflege, Schulung und Unterstützung.\nEinzelheiten im Leistungsschein.",
            level="Servicezeit Montag bis Freitag 7 bis 17 Uhr, Antwort in vier Stunden.",
            unit=unit,
            price_basis=basis,
            rooms=rooms,
            valid_from=date(2020, 1, 1),
            now=moment,
        )
    agreed = [
        services.agree_service(
            manager,
            member_id=found,
            service_code=code,
            valid_from=date(2024, 1, 1),
            as_carrier=number < 2,
            quantity_limit=40 if code == "AKTE" else None,
            basis="Öffentlich-rechtlicher Vertrag vom 25. September 2018, § 4",
            now=moment,
        )
        for number, found in enumerate(members)
        for code in ("AKTE", "HAUSHALT", "KERN-IT")[: 3 - number]
    ]
    services.end_agreement(
        manager,
        agreement_id=agreed[0].id,
        last_day=today + timedelta(days=40),
        reason="Kündigung vom 1. Mai",
        expected_version=1,
        now=moment,
    )
    return {
        "katalog": "/arbeit/katalog/",
        "katalog-leer": "/arbeit/katalog/?q=nirgends",
        "leistung": "/arbeit/katalog/AKTE/",
        "leistung-neu": "/arbeit/katalog/neu/",
        "leistung-fassung": "/arbeit/katalog/HAUSHALT/fassung/",
        "leistung-beenden": "/arbeit/katalog/HAUSHALT/beenden/",
        "vereinbarungen": "/arbeit/vereinbarungen/",
        "vereinbarungen-leer": "/arbeit/vereinbarungen/?state=ended",
        "matrix": "/arbeit/vereinbarungen/uebersicht/",
        "vereinbaren": "/arbeit/vereinbarungen/neu/",
        "vereinbarung": f"/arbeit/vereinbarungen/{agreed[0].id}/",
        "vereinbarung-aendern": f"/arbeit/vereinbarungen/{agreed[1].id}/aendern/",
        "vereinbarung-beenden": f"/arbeit/vereinbarungen/{agreed[1].id}/beenden/",
        "koerperschaft": f"/arbeit/vereinbarungen/koerperschaft/{members[0]}/",
    }


def test_the_pages_of_services_are_accessible(real_database: str, settings: Any) -> None:
    settings.VERBUND_REQUIRE_SECOND_FACTOR = False
    with acting_for("alliance"):
        paths = _furnish()
    with (
        serving() as port,
        browser.browser() as started,
        browser.visit(started, f"http://verbund.localhost:{port}") as page,
    ):
        page.goto("/anmelden/")
        page.get_by_label("E-Mail").fill("max.mond@example.org")
        page.locator("input[type=password]").fill(PASSWORD)
        page.locator("main button[type=submit]").first.click()
        for name, path in paths.items():
            page.goto(path)
            assert page.locator("h1").count() == 1, name
            browser.assert_accessible(page, f"leistungen-{name}")
