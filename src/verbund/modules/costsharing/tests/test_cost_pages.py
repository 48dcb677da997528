"""The pages: what they say, who may see them, what they do; nothing bad is a 500."""

import hashlib
from collections.abc import Callable
from datetime import date, timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from verbund.modules.costsharing import services
from verbund.modules.costsharing.models import (
    BillingAddress,
    BusinessPlan,
    ChargeRun,
    Invoice,
    Measure,
    Scenario,
    Tariff,
)
from verbund.platform.identity import services as identity
from verbund.platform.identity.actor import Actor, ActorKind
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for
from verbund.platform.tenancy import now as the_clock

from . import factories
from .factories import NOW, SYSTEM

pytestmark = pytest.mark.django_db
PASSWORD = "Regenbogen Kartoffel 7 Leuchtturm"
BASE = "/arbeit/kosten/"
PAGES = [
    "",
    "wirtschaftsplan/",
    "stellen/2025/",
    "mengen/",
    "mengen/erfassen/",
    "mengen/einlesen/",
    "einzelkosten/",
    "einzelkosten/erfassen/",
    "preise/",
    "preise/tarif/",
    "preise/regel/",
    "preise/umsatzsteuer/",
    "preise/schluessel/",
    "laeufe/",
    "rechnungen/",
    "anschriften/",
    "modell/",
    "modell/neu/",
]


@pytest.fixture(autouse=True)
def _no_second_factor(settings: Any) -> None:
    settings.VERBUND_REQUIRE_SECOND_FACTOR = False


def _person(name: str, role: Role) -> Actor:
    return Actor(ActorKind.STAFF, factories.new_person(name), name, "alliance", frozenset({role}))


@pytest.fixture
def year(_database: None) -> dict[str, Any]:
    """2025 of five members in advance, issued into real books, with a plan and a scenario."""
    with acting_for("alliance"):
        members = factories.make_alliance().members
        for slug, quantity in (("delta", "20"), ("eins", "40")):
            members[slug] = factories.register(slug, f"Stadt {slug.title()}")
            factories.agree(members[slug], "CORE")
            factories.measure(members[slug], "CORE", quantity)
            factories.address(members[slug], shows_name=slug == "eins")
        factories.make_books()
        factories.ready_for_actual_cost()
        plan = services.draft_plan(SYSTEM, year=2026, now=NOW)
        services.add_plan_line(
            SYSTEM, plan_id=plan, part="expense", text="Personal", cents=1_000_00, centre="K-CORE", now=NOW
        )
        run = services.propose_run(
            _person("Konrad Kosten", Role.COST_CONTROLLER),
            kind="advance",
            period_start=date(2025, 1, 1),
            period_end=date(2025, 12, 31),
            now=NOW,
        ).id
        services.check_run(SYSTEM, run_id=run, now=NOW)
        services.release_run(SYSTEM, run_id=run, now=NOW)
        services.issue_run(SYSTEM, run_id=run, now=NOW)
    return {"members": members, "run": run, "plan": plan}


@pytest.fixture
def desk(client_of: Callable[..., Client]) -> Callable[..., Client]:
    """desk(Role.COST_CONTROLLER) -> a client of somebody with this role in the alliance, signed in."""

    def make(role: Role, unit: str = "") -> Client:
        email = f"{role}@example.org"
        moment = the_clock()
        with acting_for("alliance"):
            made = identity.create_person(
                SYSTEM,
                email=email,
                display_name="Eva Eich",
                role=role,
                unit=unit,
                valid_from=moment - timedelta(days=1),
                now=moment,
                invite=False,
            )
            identity.set_initial_password(SYSTEM, person_id=made.id, password=PASSWORD, now=moment)
        client = client_of("verbund")
        answer = client.post("/anmelden/", {"email": email, "password": PASSWORD})
        assert answer.status_code == 302, answer.content
        return client

    return make


def page(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, (path, answer.status_code, answer.content.decode()[:1500])
    return unescape(answer.content.decode()).replace("\u00a0", " ")


def test_every_page_opens_for_the_manager_and_none_for_others(
    year: dict[str, Any], desk: Callable[..., Client], client_of: Callable[..., Client]
) -> None:
    manager = desk(Role.ALLIANCE_MANAGER)
    controller = desk(Role.COST_CONTROLLER)
    one = [f"laeufe/{year['run']}/", f"wirtschaftsplan/{year['plan']}/"]
    for path in [*PAGES, *one]:
        page(controller, BASE + path)
    for path in ["", "laeufe/", "preise/", *one]:
        page(manager, BASE + path)
    stranger = desk(Role.BODY_ADMIN)
    for path in [*PAGES, *one]:
        page(stranger, BASE + path, 403)
    assert client_of("verbund").get(BASE).status_code == 302
    assert client_of("alpha").get(BASE).status_code == 404


def test_a_run_shows_who_pays_what_and_each_members_page_why(year: dict[str, Any], desk: Callable[..., Client]) -> None:
    auditor, run = desk(Role.AUDITOR), f"{BASE}laeufe/{year['run']}/"
    text = page(auditor, run)
    assert "Stadt Alphausen" in text
    assert "9.960,00 €" in text
    assert "83 Arbeitsplätze × 120,00 Euro im Jahr" not in text, "with many members no page of a run would end"
    assert "Rechnungen ausstellen" not in text
    assert f'href="{run}mitglied/alpha/"' in text
    text = page(auditor, f"{run}mitglied/alpha/")
    assert "Stadt Alphausen" in text
    assert "83 Arbeitsplätze × 120,00 Euro im Jahr" in text
    assert "Stadt Delta" not in text
    page(auditor, f"{run}mitglied/niemand/", 404)
    page(auditor, f"{BASE}laeufe/{uuid4()}/mitglied/alpha/", 404)


def test_a_run_goes_its_way_on_the_pages(year: dict[str, Any], desk: Callable[..., Client]) -> None:
    controller, manager = desk(Role.COST_CONTROLLER), desk(Role.ALLIANCE_MANAGER)
    answer = controller.post(
        f"{BASE}laeufe/", {"kind": "settlement", "period_start": "2025-01-01", "period_end": "2025-12-31"}
    )
    run = ChargeRun.objects.none()
    with acting_for("alliance"):
        run = ChargeRun.objects.filter(kind="settlement")
        made = run.get()
    assert answer.status_code == 302
    controller.post(f"{BASE}laeufe/{made.id}/pruefen/")
    text = page(controller, f"{BASE}laeufe/{made.id}/")
    assert "andere Person" in text
    assert "Freigeben" not in text
    manager.post(f"{BASE}laeufe/{made.id}/pruefen/")
    manager.post(f"{BASE}laeufe/{made.id}/freigeben/")
    with acting_for("alliance"):
        assert run.get().state == "released"
    answer = controller.post(f"{BASE}laeufe/{made.id}/verwerfen/", {"reason": "zu spät"})
    with acting_for("alliance"):
        assert run.get().state == "released"
    assert manager.post(f"{BASE}laeufe/{made.id}/ausstellen/").status_code == 403


def test_what_stands_in_the_way_of_a_run_is_listed(year: dict[str, Any], desk: Callable[..., Client]) -> None:
    controller = desk(Role.COST_CONTROLLER)
    with acting_for("alliance"):
        factories.offer("MAIL", name="Postfach")
        factories.agree(year["members"]["alpha"], "MAIL")
    answer = controller.post(
        f"{BASE}laeufe/", {"kind": "advance", "period_start": "2026-01-01", "period_end": "2026-03-31"}
    )
    assert answer.status_code == 422
    assert "Postfach" in unescape(answer.content.decode()) or "MAIL" in answer.content.decode()


def test_a_table_is_shown_before_it_is_taken(year: dict[str, Any], desk: Callable[..., Client]) -> None:
    controller = desk(Role.COST_CONTROLLER)
    table = b"Mitglied;Leistung;von;bis;Menge\r\nalpha;CORE;01.01.2026;31.12.2026;90\r\n"
    upload = SimpleUploadedFile("mengen.csv", table, "text/csv")
    answer = controller.post(f"{BASE}mengen/einlesen/", {"file": upload, "reason": ""})
    text = unescape(answer.content.decode())
    assert answer.status_code == 200
    assert "Vorschau: 1 Menge" in text
    with acting_for("alliance"):
        assert not Measure.objects.filter(quantity=90).exists()
    hidden = text.split('name="table" value="')[1].split('"')[0]
    assert controller.post(f"{BASE}mengen/einlesen/", {"table": hidden, "reason": "", "take": "1"}).status_code == 302
    with acting_for("alliance"):
        assert Measure.objects.get(quantity=90).source == "imported"
    bad = SimpleUploadedFile("mengen.csv", table.replace(b"alpha", b"wer"), "text/csv")
    answer = controller.post(f"{BASE}mengen/einlesen/", {"file": bad})
    assert answer.status_code == 422
    assert "Es gibt kein Mitglied wer." in unescape(answer.content.decode())
    assert controller.post(f"{BASE}mengen/einlesen/", {"table": "%%%", "take": "1"}).status_code == 422


def test_forms_do_what_they_say(year: dict[str, Any], desk: Callable[..., Client]) -> None:
    manager = desk(Role.ALLIANCE_MANAGER)
    done = manager.post(
        f"{BASE}preise/tarif/",
        {
            "service_code": "CORE",
            "component": "quantity",
            "charging": "stock",
            "euros": "132,50",
            "valid_from": "2027-01-01",
            "basis": "VR 3/2026",
        },
    )
    assert done.status_code == 302
    done = manager.post(
        f"{BASE}wirtschaftsplan/{year['plan']}/beschluss/", {"resolution": "VR 1/2026", "resolved_on": "2026-01-15"}
    )
    assert done.status_code == 302
    done = manager.post(
        f"{BASE}modell/neu/",
        {
            "name": "Stadt Neuenkirch",
            "kind": "town",
            "joins_on": "2025-07-01",
            "alone": "9.000,00",
            "quantity_CORE": "50",
        },
    )
    assert done.status_code == 302
    with acting_for("alliance"):
        assert str(Tariff.objects.latest("id").euros) == "132.500000"
        assert BusinessPlan.objects.get(id=year["plan"]).state == "resolved"
        scenario = Scenario.objects.get()
    text = page(manager, f"{BASE}modell/{scenario.id}/")
    assert "3.000,00 € weniger" in text
    for path in ("preise/tarif/", "mengen/erfassen/", "modell/neu/", "laeufe/"):
        client = manager if "mengen" not in path else desk(Role.COST_CONTROLLER)
        assert client.post(BASE + path, {"euros": "viel", "quantity": "x", "kind": "?"}).status_code == 422


def test_an_invoice_is_taken_back_on_its_page(year: dict[str, Any], desk: Callable[..., Client]) -> None:
    officer = desk(Role.BUDGET_OFFICER)
    with acting_for("alliance"):
        invoice = Invoice.objects.get(member_code="gamma")
    assert invoice.number in page(officer, f"{BASE}rechnungen/")
    assert "§ 2b Abs. 3 Nr. 2 UStG" in page(officer, f"{BASE}rechnungen/{invoice.id}/")
    path = f"{BASE}rechnungen/{invoice.id}/zuruecknehmen/"
    assert officer.post(path, {"reason": ""}).status_code == 422
    assert officer.post(path, {"reason": "Falsche Anschrift"}).status_code == 302
    with acting_for("alliance"):
        credit = Invoice.objects.get(takes_back=True)
    told = page(officer, f"{BASE}rechnungen/{credit.id}/")
    assert invoice.number in told
    assert "In einer Gutschrift stehen Beträge ohne Vorzeichen dem Mitglied zu" in told
    assert "Gutschrift brutto" in told
    assert "Gutschrift" not in page(officer, f"{BASE}rechnungen/{invoice.id}/")


def test_an_invoice_is_downloaded_byte_for_byte_as_it_was_issued(
    year: dict[str, Any], desk: Callable[..., Client]
) -> None:
    controller = desk(Role.COST_CONTROLLER)  # who may not look into the books
    with acting_for("alliance"):
        invoice = Invoice.objects.get(member_code="gamma")
    base = f"{BASE}rechnungen/{invoice.id}/original/"
    for part, sha256, kind, start in (
        ("xml", invoice.xml_sha256, "application/xml", b"<?xml"),
        ("pdf", invoice.pdf_sha256, "application/pdf", b"%PDF-"),
    ):
        assert f'href="{base}{part}/"' in page(controller, f"{BASE}rechnungen/{invoice.id}/")
        assert f'href="{base}{part}/"' in page(controller, f"{BASE}rechnungen/")
        assert f'href="{base}{part}/"' in page(controller, f"{BASE}laeufe/{year['run']}/")
        answer = controller.get(f"{base}{part}/")
        content = answer.getvalue()
        assert content.startswith(start)
        assert hashlib.sha256(content).hexdigest() == sha256
        assert answer["Content-Type"] == kind
        assert answer["Content-Disposition"] == f'attachment; filename="{invoice.number}.{part}"'
        assert answer["Content-Security-Policy"].startswith("sandbox;")
    page(controller, f"{base}exe/", 404)


def test_a_member_downloads_its_own_invoices_and_no_others(year: dict[str, Any], desk: Callable[..., Client]) -> None:
    own = desk(Role.MEMBER_REPRESENTATIVE, unit="alpha")
    with acting_for("alliance"):
        invoices = {i.member_code: i for i in Invoice.objects.all()}
    mine = own.get(f"{BASE}rechnungen/{invoices['alpha'].id}/original/xml/")
    assert hashlib.sha256(mine.getvalue()).hexdigest() == invoices["alpha"].xml_sha256
    assert "/original/pdf/" in page(own, f"{BASE}rechnungen/{invoices['alpha'].id}/")
    for part in ("xml", "pdf"):
        page(own, f"{BASE}rechnungen/{invoices['beta'].id}/original/{part}/", 404)
        page(own, f"{BASE}rechnungen/{uuid4()}/original/{part}/", 404)
    page(desk(Role.OPERATOR), f"{BASE}rechnungen/{invoices['alpha'].id}/original/xml/", 403)


def test_an_invoice_without_files_offers_none(year: dict[str, Any], desk: Callable[..., Client]) -> None:
    officer = desk(Role.BUDGET_OFFICER)
    with acting_for("alliance"):
        invoice = Invoice.objects.get(member_code="gamma")
        Invoice.objects.filter(id=invoice.id).update(xml_sha256="", pdf_sha256="")
    assert "/original/" not in page(officer, f"{BASE}rechnungen/{invoice.id}/")
    assert f"{invoice.id}/original/" not in page(officer, f"{BASE}rechnungen/")
    page(officer, f"{BASE}rechnungen/{invoice.id}/original/xml/", 404)


def test_quantities_are_grouped_as_people_write_them(year: dict[str, Any], desk: Callable[..., Client]) -> None:
    with acting_for("alliance"):
        factories.measure(year["members"]["eins"], "CORE", "1376", year=2026)
    assert "1.376</td>" in page(desk(Role.AUDITOR), f"{BASE}mengen/")


def test_a_scenario_that_costs_more_says_by_how_much(year: dict[str, Any], desk: Callable[..., Client]) -> None:
    manager = desk(Role.ALLIANCE_MANAGER)
    wanted = {"name": "Stadt Teuer", "kind": "town", "joins_on": "2025-07-01", "alone": "1,00", "quantity_CORE": "50"}
    assert manager.post(f"{BASE}modell/neu/", wanted).status_code == 302
    with acting_for("alliance"):
        made = Scenario.objects.get(name="Stadt Teuer")
    more = f"{-made.result['saves_cents'] / 100:,.2f}".translate(str.maketrans(",.", ".,"))
    assert f"Gemeinsam wären es im Jahr {more} € mehr als allein." in page(manager, f"{BASE}modell/{made.id}/")


def test_a_member_sees_its_own_cost_and_nobody_elses_name(year: dict[str, Any], desk: Callable[..., Client]) -> None:
    own = desk(Role.MEMBER_REPRESENTATIVE, unit="alpha")
    answer = own.get("/arbeit/eigene-kosten/")
    assert (answer.status_code, answer["Location"]) == (302, "/arbeit/eigene-kosten/alpha/2025/")
    text = page(own, "/arbeit/eigene-kosten/alpha/2025/")
    assert "9.960,00 €" in text
    assert text.count("120,00 €") >= 3
    assert "Stadt Eins" in text  # it has agreed
    for name in ("Betaland", "Gamma", "Delta"):
        assert name not in text
    page(own, "/arbeit/eigene-kosten/beta/2025/", 404)
    invoices = page(own, f"{BASE}rechnungen/")
    assert "Stadt Alphausen" in invoices
    assert "Betaland" not in invoices
    with acting_for("alliance"):
        foreign = Invoice.objects.get(member_code="beta").id
    page(own, f"{BASE}rechnungen/{foreign}/", 404)
    for path in ("", "laeufe/", "mengen/", f"laeufe/{year['run']}/"):
        page(own, BASE + path, 403)


def test_with_fewer_than_three_others_nothing_of_them_is_shown(desk: Callable[..., Client]) -> None:
    with acting_for("alliance"):
        factories.make_alliance()
        BillingAddress.objects.all().update(shows_name=False)
        factories.make_books()
        run = services.propose_run(
            SYSTEM, kind="advance", period_start=date(2025, 1, 1), period_end=date(2025, 12, 31), now=NOW
        ).id
        services.check_run(SYSTEM, run_id=run, now=NOW)
        services.release_run(SYSTEM, run_id=run, now=NOW)
        services.issue_run(SYSTEM, run_id=run, now=NOW)
    text = page(desk(Role.MEMBER_REPRESENTATIVE, unit="alpha"), "/arbeit/eigene-kosten/alpha/2025/")
    assert "weniger als drei" in text


def test_a_member_is_billed_once_its_address_is_known(year: dict[str, Any], desk: Callable[..., Client]) -> None:
    controller = desk(Role.COST_CONTROLLER)
    with acting_for("alliance"):
        fresh = factories.register("frisch", "Stadt Frisch")
    path = f"{BASE}anschriften/{fresh}/"
    text = page(controller, f"{BASE}anschriften/")
    assert "1 Mitglied hat noch keine Anschrift" in text
    assert text.index("Stadt Frisch") < text.index("Stadt Alphausen")
    assert f'href="{BASE}anschriften/"' in page(controller, f"{BASE}rechnungen/")
    values = {"street": "Am Markt 1", "postcode": "19999", "city": "Frisch", "leitweg_id": "13999-0009-41"}
    refused = controller.post(path, {**values, "email": "kein-postfach"})
    assert refused.status_code == 422
    with acting_for("alliance"):
        assert not BillingAddress.objects.filter(member_id=fresh).exists()
    assert controller.post(path, {**values, "email": "rechnung@frisch.example"}).status_code == 302
    with acting_for("alliance"):
        made = BillingAddress.objects.get(member_id=fresh)
    assert (made.city, made.leitweg_id, made.email, made.shows_name) == (
        "Frisch",
        "13999-0009-41",
        "rechnung@frisch.example",
        False,
    )
    assert "Jedes Mitglied kann abgerechnet werden." in page(controller, f"{BASE}anschriften/")
    assert 'value="13999-0009-41"' in page(controller, path)


def test_an_address_is_set_by_who_sets_prices(year: dict[str, Any], desk: Callable[..., Client]) -> None:
    member = year["members"]["alpha"]
    auditor = desk(Role.AUDITOR)
    assert f"anschriften/{member}/" not in page(auditor, f"{BASE}anschriften/")
    assert auditor.post(f"{BASE}anschriften/{member}/", {"street": "Anderswo 1"}).status_code == 403
    page(desk(Role.COST_CONTROLLER), f"{BASE}anschriften/{year['run']}/", 404)
    with acting_for("alliance"):
        assert BillingAddress.objects.get(member_id=member).street != "Anderswo 1"
