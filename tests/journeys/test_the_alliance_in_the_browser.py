"""Every page of the accessions in a browser: no finding of axe-core at 1280 and 390 px, nothing scrolls sideways."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from verbund.commands.demo.history import History
from verbund.modules.membership import queries, services
from verbund.modules.membership.models import AccessionState
from verbund.modules.membership.tests.factories import Accessions, medium, member
from verbund.platform.identity import services as identity
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for
from verbund.platform.tenancy import now as the_clock

from . import browser

pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(browser.missing()), reason=browser.missing() or "there")]

PASSWORD = "Regenbogen Kartoffel 7 Leuchtturm"


def _furnish() -> dict[str, str]:
    """The history of the alliance up to 2019, and an accession of our own in the middle; its pages by name."""
    system = Actor.system("alliance", "test")
    moment = the_clock()
    made = identity.create_person(
        system,
        email="max.mond@example.org",
        display_name="Max Mond",
        role=Role.ALLIANCE_MANAGER,
        valid_from=moment - timedelta(days=1),
        now=moment,
        invite=False,
    )
    identity.set_initial_password(system, person_id=made.id, password=PASSWORD, now=moment)
    named = {
        "schwerin": ("Landeshauptstadt Schwerin", "independent_city"),
        "ludwigslust-parchim": ("Landkreis Ludwigslust-Parchim", "county"),
        "ludwigslust": ("Stadt Ludwigslust", "town"),
        "neustadt-glewe": ("Stadt Neustadt-Glewe", "town"),
        "grabow": ("Stadt Grabow", "town"),
        "parchimer-umland": ("Amt Parchimer Umland", "amt"),
    }
    members = {
        slug: services.register_body(
            system, name=name, kind=kind, ags="", ars="", slug=slug, now=datetime(2013, 8, 1, tzinfo=UTC)
        ).id
        for slug, (name, kind) in named.items()
    }
    history = History(system, members)
    history.play(date(2019, 6, 30))
    town = members["ludwigslust"]
    organ = services.add_organ(system, member_id=town, kind="head", name="Bürgermeister", now=moment)
    services.add_term(
        system,
        organ_id=organ,
        person_name="Erika Muster",
        function="Bürgermeisterin",
        valid_from=date(2020, 1, 1),
        valid_until=moment.date() + timedelta(days=40),
        now=moment,
    )
    services.set_threshold(
        system,
        organ_id=organ,
        matter="Aufträge",
        amount_cents=1_000_000,
        provision="§ 6 Abs. 2 Hauptsatzung",
        valid_from=date(2020, 1, 1),
        now=moment,
    )
    services.add_facility(
        system,
        member_id=town,
        kind="administration",
        name="Rathaus",
        street="Schloßstraße 38",
        postcode="19288",
        place="Ludwigslust",
        workplaces=83,
        valid_from=date(2016, 1, 1),
        now=moment,
    )
    services.record_inhabitants(
        system, member_id=town, reference_date=date(2024, 12, 31), count=12_345, source="erfunden", now=moment
    )
    services.add_contact(system, member_id=town, name="Hans Haus", email="hans.haus@example.org", now=moment)
    candidate = member(system, "musterhagen")
    medium(candidate)
    case = Accessions(system, candidate, now=moment).to(AccessionState.DRAFT_CONTRACT)
    case.plan_task()
    case.record_consent(members["schwerin"])
    case.put_contract_version(text="Vertrag 2", on=date(2026, 3, 2))
    case.record_consent(members["grabow"], on=date(2026, 3, 20))
    assert queries.accessions(system)
    past = history.accessions["grabow"]
    return {
        "list": "/arbeit/beitritte/",
        "waiting": f"/arbeit/beitritte/{case.id}/",
        "done": f"/arbeit/beitritte/{past}/",
        "consent": f"/arbeit/beitritte/{case.id}/record_consent/",
        "version": f"/arbeit/beitritte/{case.id}/put_contract_version/",
        "inquiry": "/arbeit/beitritte/neu/",
        "carriers": "/arbeit/traeger/",
        "deadlines": "/arbeit/fristen/",
        "year": "/arbeit/jahr/2018/",
        "members": "/arbeit/mitglieder/",
        "member": f"/arbeit/mitglieder/{town}/",
    }


def test_the_pages_of_the_accessions_are_accessible(real_database: str, settings: Any) -> None:
    settings.VERBUND_REQUIRE_SECOND_FACTOR = False
    with acting_for("alliance"):
        paths = _furnish()
    with browser.at_work("verbund.localhost", email="max.mond@example.org", password=PASSWORD) as page:
        browser.assert_all_accessible(page, paths, "beitritt")
        page.goto("/arbeit/fristen/")
        page.get_by_role("button", name="Adresse erzeugen").click()
        assert ".ics" in page.locator("main code").inner_text()
        browser.assert_accessible(page, "beitritt-kalender")
