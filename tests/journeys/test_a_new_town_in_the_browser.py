"""A new town in a real browser: from the inquiry over the effect to the first sign-in of its clerk, its first online
application and its first invoice; every page looked at in two widths."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from playwright.sync_api import Browser

from verbund.commands.demo.papers import pdf

from .browser import browser, missing, visit
from .conftest import PASSWORD, Live
from .desk import Desk

if TYPE_CHECKING:
    from verbund.commands.walk.accession.alliance import Alliance
    from verbund.commands.walk.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(missing()), reason=missing())]

TOWN, TOWN_HOST = "Stadt Neuprobe", "neuprobe.localhost"
FIRST, SECOND = (hashlib.sha256(pdf(f"Beitrittsvertrag, Fassung {n}")).hexdigest() for n in (1, 2))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


class Journey:
    """The people of the journey, each with a browser of their own."""

    def __init__(self, live: Live, alliance: "Alliance", site: "Site", chromium: Browser, stack: ExitStack) -> None:
        self.live, self.alliance, self.site, self.chromium, self.stack = live, alliance, site, chromium, stack
        self.days = alliance.days
        self.manager = self.seated("alliance_manager", "vorstand")
        self.controller = self.seated("cost_controller", "kosten")
        self.officer = self.seated("budget_officer", "haushalt")
        self.path = ""
        self.town_officer = self.manager  # until the town has one

    def seated(self, role: str, name: str) -> Desk:
        """A browser with the session of a colleague in the alliance."""
        visitor, _how = self.site.desk(role)
        page = self.stack.enter_context(visit(self.chromium, self.live.url))
        page.context.add_cookies(
            [{"name": c.name, "value": c.value or "", "url": visitor.base} for c in visitor._client.cookies.jar]
        )
        return Desk(page, name)

    def newcomer(self, name: str) -> Desk:
        """A browser of somebody in the new town."""
        url = f"http://{TOWN_HOST}:{self.live.port}"
        return Desk(self.stack.enter_context(visit(self.chromium, url)), name)

    def act(self, action: str, on: date, **fields: str) -> None:
        """One act: from the accession's page to its form and back."""
        self.manager.page.goto(self.path)
        self.manager.follow(f"main a[href$='/{action}/']", action)
        self.manager.fill(on=on.isoformat(), **fields).send(f"after-{action}")
        assert self.manager.page.url.endswith(self.path), self.manager.page.locator("main").inner_text()[:1500]

    def option(self, desk: Desk, name: str, text: str) -> str:
        """The value of a choice that reads `text`."""
        for option in desk.page.locator(f"main select[name='{name}'] option").all():
            if text in option.inner_text():
                return option.get_attribute("value") or ""
        raise AssertionError(f"{desk.page.url}: {name} does not offer {text}")

    def invitation(self, email: str) -> str:
        """The link in somebody's invitation."""
        from verbund.commands.walk.accession.ground import invitation_in

        found: list[str] = []

        def there(_desk: Desk) -> bool:
            found.extend(invitation_in(self.live.children.mails(), email))
            return bool(found)

        self.manager.wait(f"/arbeit/mitglieder/{self.alliance.members['neuprobe']}/", there, "invitation-sent")
        return found[-1]


def test_a_new_town_joins_begins_and_is_billed(joining: "tuple[Live, Alliance]", chromium: Browser) -> None:
    from verbund.commands.walk.site import Site

    live, alliance = joining
    site = Site(alliance.desk, live.port, live.children.mails)
    with ExitStack() as stack:
        stack.callback(site.close)
        journey = Journey(live, alliance, site, chromium, stack)
        entered(journey)
        prices(journey)
        inquiry(journey)
        contract(journey)
        authority(journey)
        effect(journey)
        clerk = people(journey)
        application(journey, clerk)
        number = charge(journey)
        invoice(journey, number)


def entered(j: Journey) -> None:
    """The town gets into the list, with the medium in which it publishes."""
    j.manager.open("/arbeit/mitglieder/", "members")
    j.manager.follow("main a[href$='/mitglieder/neu/']", "new-member")
    j.manager.fill(name=TOWN, kind="town", ags="13076999", slug="neuprobe").send("member")
    found = re.search(r"/mitglieder/([0-9a-f-]{36})/$", j.manager.page.url)
    assert found, j.manager.page.url
    j.alliance.members["neuprobe"] = UUID(found[1])
    j.manager.follow("main a[href$='/eintragen/medium/']", "new-medium")
    j.manager.fill(name=f"Amtsblatt {TOWN}", valid_from=j.days.founding.isoformat()).send("member")
    assert j.manager.says(f"Amtsblatt {TOWN}")


def prices(j: Journey) -> None:
    for code, euros in (("IT-KERN", "1.180,00"), ("AKTE", "96,00")):
        j.controller.open("/arbeit/kosten/preise/tarif/", "tariff")
        j.controller.fill(
            service_code=code,
            component="quantity",
            euros=euros,
            valid_from=j.days.founding.isoformat(),
            basis="Beschluss 4 (Probe)",
        ).send("prices")
        j.controller.open("/arbeit/kosten/preise/regel/", "rule")
        j.controller.fill(
            service_code=code, legal_basis="contract", provision="§ 6 des Vertrags (Probe)", settled_by="use"
        ).send("prices")
        j.controller.open("/arbeit/kosten/preise/umsatzsteuer/", "tax")
        j.controller.fill(
            service_code=code,
            treatment="not_taxable_2b3_2",
            valid_from=j.days.founding.isoformat(),
            reasoning="Beispielhafte Einordnung für die Probe.",
            document="11.30-7 (Probe)",
            reviewer="Steuerkanzlei Muster",
            reviewed_on=j.days.inquiry.isoformat(),
        ).send("prices")


def inquiry(j: Journey) -> None:
    j.manager.open("/arbeit/beitritte/", "accessions-empty")
    j.manager.follow("main a[href$='/beitritte/neu/']", "new-accession")
    j.manager.fill(
        member_id=j.option(j.manager, "member_id", TOWN),
        subject="Gesamter IT-Betrieb der Kernverwaltung und Online-Dienste",
        on=j.days.inquiry.isoformat(),
        planned_effect_on=j.days.effect.isoformat(),
        authority_id=j.option(j.manager, "authority_id", "Innenministerium"),
    ).send("opened")
    j.path = re.sub(r"^https?://[^/]+", "", j.manager.page.url)
    assert re.fullmatch(r"/arbeit/beitritte/[0-9a-f-]{36}/", j.path)
    j.controller.open("/arbeit/kosten/modell/", "scenarios-empty")
    j.controller.open("/arbeit/kosten/modell/neu/", "new-scenario")
    j.controller.fill(
        name=TOWN,
        kind="town",
        joins_on=j.days.effect.isoformat(),
        alone="65.000,00",
        change="12.500,00",
        **{"quantity_IT-KERN": "42", "quantity_AKTE": "30"},
    ).send("scenario")
    assert j.controller.says("52.440,00 €"), j.controller.page.locator("main").inner_text()
    j.act("state_costs", j.days.costs, euro="52440.00", document=f"Modellrechnung {TOWN}")
    j.act(
        "record_basic_resolution",
        j.days.basic_resolution,
        organ="Stadtvertretung",
        votes_for="15",
        votes_against="2",
        abstentions="1",
    )
    j.act("begin_negotiation", j.days.negotiation)
    j.act("plan_task", j.days.negotiation, task="core_it", planned_on=j.days.effect.isoformat())


def contract(j: Journey) -> None:
    j.act("put_contract_version", j.days.first_version, label="Beitrittsvertrag", sha256=FIRST, seats="1")
    consent(j, "Landkreis Probeland", j.days.first_consent)
    j.act("put_contract_version", j.days.second_version, label="Beitrittsvertrag", sha256=SECOND, seats="1")
    assert j.manager.says("einer anderen Fassung zugestimmt")
    for name in ("Landkreis Probeland", "Stadt Altprobe", "Amt Probe-Umland"):
        consent(j, name, j.days.consents)
    j.act("record_candidate_resolution", j.days.consents, organ="Stadtvertretung", votes_for="18", votes_against="0")
    assert j.manager.says("Alle haben zugestimmt")
    signed: dict[str, str] = {}
    for number in range(4):
        signed |= {f"name_{number}": f"Person {number}", f"function_{number}": "Vertretungsberechtigt"}
        signed[f"day_{number}"] = j.days.signature.isoformat()
    j.act("sign", j.days.signature, **signed)
    assert j.manager.says("Unterzeichnet")


def consent(j: Journey, name: str, on: date) -> None:
    j.manager.page.goto(f"{j.path}record_consent/")
    j.act("record_consent", on, party_id=j.option(j.manager, "party_id", name), organ="Vertretung", votes_for="20")


def authority(j: Journey) -> None:
    j.act("give_notice", j.days.notice, documents="Vertrag\nBeschlüsse\nSatzung im Entwurf")
    j.act("complete_documents", j.days.complete)
    plan(j)
    j.manager.open("/arbeit/fristen/", "deadlines")
    cleared = j.days.complete + timedelta(days=20)
    j.act("declare_no_objection", cleared, document="Erklärung vom (Probe)")
    assert j.manager.says("Unbedenklichkeit erklärt")
    agreements(j)
    j.manager.page.goto(f"{j.path}record_publication/")
    media = [o.get_attribute("value") or "" for o in j.manager.page.locator("[name='medium_id'] option").all()]
    assert len(media) == 4
    for medium in media:
        j.act("record_publication", cleared, medium_id=medium, sha256=SECOND)
    assert j.manager.says("Bekannt gemacht")


def plan(j: Journey) -> None:
    """What the town is to have; it begins by itself with the effect."""
    from verbund.commands.walk.accession.alliance import CANDIDATE_LETTERHEAD

    path = f"/arbeit/bereitstellung/{j.alliance.members['neuprobe']}/"
    j.manager.open(path, "set-up-empty")
    j.manager.follow("main a[href$='/plan/']", "plan")
    j.manager.fill(hosts=TOWN_HOST, ledger="K1", templates="bewohnerparkausweis", **CANDIDATE_LETTERHEAD)
    for number, (role, name) in enumerate(
        (("body_admin", "Alma Administration"), ("service_editor", "Rieke Redaktion")), 1
    ):
        email = f"{role.replace('_', '-')}@neuprobe.example"
        j.manager.fill(**{f"name_{number}": name, f"email_{number}": email, f"role_{number}": role})
    j.manager.send("planned")
    assert j.manager.page.url.endswith(path)


def agreements(j: Journey) -> None:
    for code in ("IT-KERN", "AKTE"):
        j.manager.open("/arbeit/vereinbarungen/neu/", "agree")
        j.manager.fill(
            member_id=str(j.alliance.members["neuprobe"]),
            service_code=code,
            role="carrier",
            valid_from=j.days.effect.isoformat(),
            basis="Anlage 2 zum Beitrittsvertrag (Probe)",
        ).send("agreed")


def effect(j: Journey) -> None:
    j.act("take_effect", j.days.effect)
    j.manager.open("/arbeit/traeger/", "carriers")
    assert j.manager.says(TOWN)
    member = j.alliance.members["neuprobe"]
    done = j.manager.page.locator("#steps .vb-timeline__item--success")
    j.manager.wait(f"/arbeit/bereitstellung/{member}/", lambda _desk: done.count() == 7, "set-up-ready")
    j.manager.open(f"/arbeit/mitglieder/{member}/", "member-ready")
    j.act("record_capital", j.days.effect, euro="500")
    j.act("transfer_task", j.days.effect, task="core_it")
    j.act("complete_onboarding", j.days.effect)
    assert j.manager.says("Abgeschlossen")


def people(j: Journey) -> Desk:
    """The administration comes in and lets in the editor's colleague; the clerk signs in for the first time."""
    admin = j.newcomer("administration")
    email = "body-admin@neuprobe.example"
    admin.first_sign_in(j.invitation(email), email=email, password=PASSWORD)
    for code, name in (("20", "Finanzen"), ("32", "Ordnung und Verkehr")):
        admin.open("/arbeit/verwaltung/einheiten/neu/", "new-unit")
        admin.fill(code=code, name=name).send("units")
    for role, name, unit in (("clerk", "Selma Sachbearbeitung", "32"), ("budget_officer", "Hanna Haushalt", "")):
        admin.open("/arbeit/verwaltung/personen/neu/", "new-person")
        email = f"{role.replace('_', '-')}@neuprobe.example"
        admin.fill(display_name=name, email=email, role=role, unit=unit).send("person")
    clerk = j.newcomer("sachbearbeitung")
    email = "clerk@neuprobe.example"
    clerk.first_sign_in(j.invitation(email), email=email, password=PASSWORD)
    assert TOWN in clerk.page.locator("header").first.inner_text()
    assert clerk.says("Selma Sachbearbeitung")
    return clerk


def application(j: Journey, clerk: Desk) -> None:
    """The plan's line and the service, then the first application, decided by the clerk."""
    from verbund.commands.walk.accession.beginning import Beginning
    from verbund.commands.walk.accession.ground import Ground
    from verbund.commands.walk.journey import Walk
    from verbund.commands.walk.report import Report

    from .test_the_walk_in_the_browser import apply_by_keyboard, open_status

    officer = j.newcomer("kaemmerei")
    email = "budget-officer@neuprobe.example"
    officer.first_sign_in(j.invitation(email), email=email, password=PASSWORD)
    officer.open(f"/arbeit/haushalt/K1/{j.days.effect.year}/ueberwachung/", "monitoring-empty")
    officer.follow("main a[href$='/ansatz/']", "appropriation")
    officer.fill(product="12301", account="4311", euros="1.000,00").send("monitoring")
    assert officer.says("1.000,00 €")
    j.town_officer = officer

    editor = j.newcomer("redaktion")
    email = "service-editor@neuprobe.example"
    editor.first_sign_in(j.invitation(email), email=email, password=PASSWORD)
    editor.open("/arbeit/verwaltung/leistungen/", "services")
    editor.follow("main a:has-text('Bewohnerparkausweis beantragen')", "service")
    editor.confirm("main a[href$='/veroeffentlichen/']", "published")

    ground = Ground(j.alliance, j.site, Report(quiet=True))
    town = Beginning(ground)
    walk = Walk(town.site, ground.report)
    walk.title = "Bewohnerparkausweis beantragen"
    tracking, case = apply_by_keyboard(
        Live(j.live.port, j.live.var, j.live.environment, j.live.children, town.town), walk, j.chromium
    )
    path = f"/arbeit/vorgaenge/{case}/"
    clerk.open("/arbeit/eingang/", "inbox")
    assert clerk.page.locator(f"main a[href='{path}']").count()
    clerk.wait(path, lambda d: d.says("Eingangsbestätigung"), "case")  # the worker has filed the receipt
    clerk.send("taken", button="form[action$='/uebernehmen/'] button")
    clerk.open(f"{path}entscheiden/", "decide")
    clerk.page.check("input[name='outcome'][value='granted']")
    clerk.send("letter")
    clerk.send("signed", button="form[action$='/versenden/'] button")
    clerk.wait(path, lambda d: d.says("zugestellt"), "delivered")
    citizen = j.newcomer("buergerin")
    open_status(citizen.page, tracking, case)
    citizen.look("status")
    assert citizen.page.locator("a[href*='/dokument/']").count() >= 2


def charge(j: Journey) -> str:
    """Quantities, a run through four hands, the invoices."""
    for code, quantity in (("IT-KERN", "42"), ("AKTE", "30")):
        j.controller.open("/arbeit/kosten/mengen/erfassen/", "quantity")
        j.controller.fill(
            member_id=str(j.alliance.members["neuprobe"]),
            service_code=code,
            period_start=j.days.effect.isoformat(),
            period_end=j.days.year_end.isoformat(),
            quantity=quantity,
        ).send("quantities")
    j.controller.open("/arbeit/kosten/rechnungen/", "invoices-empty")
    j.controller.follow("main a[href$='/anschriften/']", "addresses")
    j.controller.follow(f"main a:has-text('{TOWN}')", "address")
    j.controller.fill(
        street="Neuer Markt 1",
        postcode="19998",
        city="Neuprobe",
        leitweg_id="13999998-0001-42",
        email="rechnung@neuprobe.example",
    ).send("addresses-complete")
    assert j.controller.says("Jedes Mitglied kann abgerechnet werden.")
    j.controller.open("/arbeit/kosten/laeufe/", "runs")
    j.controller.fill(
        kind="advance", period_start=j.days.effect.isoformat(), period_end=j.days.year_end.isoformat()
    ).send("run-proposed")
    run = re.sub(r"^https?://[^/]+", "", j.controller.page.url)
    j.officer.open(run, "run")
    j.officer.confirm("main a[href$='/pruefen/']", "run-checked")
    j.manager.open(run, "run")
    j.manager.confirm("main a[href$='/freigeben/']", "run-released")
    j.officer.open(run, "run-released")
    j.officer.confirm("main a[href$='/ausstellen/']", "run-issued")
    row = j.officer.page.locator("main tr", has_text=TOWN).filter(has=j.officer.page.locator("a[href*='/rechnungen/']"))
    assert row.count() == 1
    number = row.locator("th a").inner_text()
    row.locator("th a").click()
    j.officer.page.wait_for_load_state()
    j.officer.look("invoice")
    return number


def invoice(j: Journey, number: str) -> None:
    """The same invoice among the town's inbound ones, checked by the official rules."""
    desk = j.town_officer
    desk.wait("/arbeit/rechnungseingang/", lambda d: d.says(number) and d.says("bereit zur Feststellung"), "inbound")
    desk.follow(f"main a:has-text('{number}')", "inbound-invoice")
    assert desk.says("bereit zur Feststellung")
    assert desk.says("Testverbund AöR")
