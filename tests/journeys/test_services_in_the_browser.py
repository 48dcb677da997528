"""The pages of services, agreements, set-up and leaving in a browser: no finding of axe-core, nothing scrolls
sideways."""

from datetime import date, timedelta
from typing import Any

import pytest

from verbund.modules.membership import services
from verbund.modules.membership.events import FirstPerson
from verbund.modules.membership.models import ProvisioningStep
from verbund.modules.membership.tests.factories import founded, member
from verbund.modules.membership.tests.pages import employ
from verbund.platform.identity import services as identity
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for, local_date
from verbund.platform.tenancy import now as the_clock

from . import browser

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
    members = founded(manager, "kreis-ludwigslust-parchim", "hauptstadt", on=date(2020, 1, 1), now=moment)
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
    planned, failed = (member(manager, slug, now=moment) for slug in ("planstadt", "pannenstadt"))
    person = FirstPerson("ada.amt@planstadt.example", "Ada Amt", "body_admin")
    for one in (planned, failed):
        services.agree_service(
            manager,
            member_id=one,
            service_code="ONLINE",
            valid_from=date(2024, 1, 1),
            as_carrier=False,
            basis="Vertrag",
            now=moment,
        )
        wishes = services.Wishes(people=(person,), templates=("bewohnerparkausweis",), letterhead={"city": "Planstadt"})
        services.plan_provisioning(manager, member_id=one, wishes=wishes, now=moment)
    view = services.provision(manager, member_id=failed, now=moment)
    ProvisioningStep.objects.filter(provisioning_id=view.id, step="tenant").update(
        state="failed",
        reason="Eine Körperschaft dieses Namens gibt es schon. Wählen Sie einen anderen.",
        ended_at=moment,
    )
    tasks = services.plan_take_over(manager, member_id=planned, begins_on=today + timedelta(days=40), now=moment)
    services.finish_take_over_task(manager, task_id=tasks[0].id, done_on=today, note="Liste liegt vor.", now=moment)
    leaving = services.give_leave_notice(
        manager, member_id=members[1], exit_on=today - timedelta(days=3), on=date(2024, 6, 1), now=moment
    )
    return {
        "bereitstellungen": "/arbeit/bereitstellung/",
        "bereitstellung-geplant": f"/arbeit/bereitstellung/{planned}/",
        "bereitstellung-gescheitert": f"/arbeit/bereitstellung/{failed}/",
        "bereitstellung-plan": f"/arbeit/bereitstellung/{planned}/plan/",
        "bereitstellung-beginnen": f"/arbeit/bereitstellung/{planned}/beginnen/",
        "aufgabe-verschieben": f"/arbeit/bereitstellung/aufgaben/{tasks[1].id}/verschieben/",
        "austritte": "/arbeit/austritte/",
        "austritt": f"/arbeit/austritte/{leaving}/",
        "austritt-rueckgabe": f"/arbeit/austritte/{leaving}/hand_back_data/",
        "austritt-neu": "/arbeit/austritte/neu/",
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
    with browser.at_work("verbund.localhost", email="max.mond@example.org", password=PASSWORD) as page:
        browser.assert_all_accessible(page, paths, "leistungen")
