"""The town begins: the worker makes its body ready, its people come in, its first service and its first application."""

from typing import Final

from verbund.commands.texts import _
from verbund.commands.walk.journey import Walk
from verbund.commands.walk.report import equal, true
from verbund.commands.walk.site import Site
from verbund.commands.walk.town import LEDGER, Town
from verbund.commands.walk.visitor import Page, Visitor, folded
from verbund.modules.citizenservices.queries import service_templates

from .alliance import (
    CANDIDATE,
    CANDIDATE_HOST,
    CANDIDATE_LETTERHEAD,
    CANDIDATE_NAME,
    FIRST_PEOPLE,
    TEMPLATE,
    email_of,
)
from .ground import Ground, filled, told

UNITS: Final = {"20": "Finanzen", "32": "Ordnung und Verkehr"}
LATER_PEOPLE: Final = (  # role, name, unit: entered by the town's own administration
    ("clerk", "Selma Sachbearbeitung", "32"),
    ("budget_officer", "Hanna Haushalt", ""),
)
_STEPS: Final = 7  # from the tenant to the readiness
_ROOMS: Final = ("Digitale Akte", "Haushalt", "Online-Dienste")


class Beginning:
    """What happens in and for the new body; each method is a step of the report."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        password = ground.alliance.desk.password
        emails = {role: email_of(role, CANDIDATE) for role, *_rest in (*FIRST_PEOPLE, *LATER_PEOPLE)}
        iban = CANDIDATE_LETTERHEAD["iban"]
        self.town = Town(CANDIDATE, CANDIDATE_HOST, CANDIDATE_NAME, iban, 0, LEDGER, password, emails)
        self.site = Site(self.town, ground.site.port, ground.site.mails)

    @property
    def page(self) -> str:
        """The page on which the set-up of the town's body is followed."""
        return f"/arbeit/bereitstellung/{self.ground.member_id}/"

    def planned(self) -> None:
        with self.ground.report.step(
            _("What the town is to have when it begins is planned, and nothing made yet")
        ) as step:
            manager = self.ground.manager()
            page = manager.get(manager.get(self.page).link(r"/plan/$"))
            form = filled(
                page.form(having=["hosts", "ledger"]), hosts=self.town.host, ledger=LEDGER, templates=TEMPLATE
            )
            filled(form, **CANDIDATE_LETTERHEAD)
            for number, (role, name) in enumerate(FIRST_PEOPLE, 1):
                person = {"name": name, "email": self.town.emails[role], "role": role}
                filled(form, **{f"{field}_{number}": value for field, value in person.items()})
            page = manager.submit(form)
            equal("the page after planning", page.path, self.page)
            missing = [text for text in (self.town.host, *self._first_addresses()) if text not in page.text]
            true(not missing, f"{page.path} lacks {missing}")
            self.ground.refused(
                _("setting the town up before clearance"),
                lambda: manager.submit(manager.get(f"{self.page}beginnen/").form(action=r"beginnen/$"), expect=422),
                because="noch nichts eingerichtet",
                also=(self.page,),
            )
            stranger = self.site.citizen()
            try:
                stranger.get("/anmelden/", expect=404)
            finally:
                stranger.close()
            step.found(page=page.path, host=self.town.host, answers="404", people=len(FIRST_PEOPLE), services=TEMPLATE)

    def _first_addresses(self) -> list[str]:
        return [self.town.emails[role] for role, _name in FIRST_PEOPLE]

    def provisioned(self) -> None:
        with self.ground.report.step(_("The worker makes the town's body ready, step by step")) as step:
            page = self.ground.wait(self.ground.manager(), self.page, self._is_ready, "the last step")
            done = {
                folded(item.xpath("string(.//h3)")): folded(item.xpath("string(.//p)"))
                for item in page.main.xpath(".//*[@id='steps']//li[contains(@class,'vb-timeline__item--success')]")
            }
            equal("steps that are done", len(done), _STEPS)
            member = self.ground.manager().get(f"/arbeit/mitglieder/{self.ground.member_id}/").main.text_content()
            missing = [room for room in _ROOMS if room not in member]
            true(not missing, f"these rooms are not switched on: {missing}")
            for email in self._first_addresses():
                self._invitation(email)
            stranger = self.site.citizen()
            try:
                sign_in_page = stranger.get("/anmelden/")
            finally:
                stranger.close()
            true(CANDIDATE_NAME in sign_in_page.text, f"{sign_in_page.url} is not the town's page")
            step.found(host=self.town.host, steps="; ".join(f"{name}: {state}" for name, state in done.items()))

    @staticmethod
    def _is_ready(page: Page) -> bool:
        items = page.main.xpath(".//*[@id='steps']//li")
        failed = page.main.xpath(".//*[@id='steps']//li[contains(@class,'vb-timeline__item--danger')]")
        true(not failed, f"{page.path}: a step has failed: {[folded(i.text_content()) for i in failed]}")
        return bool(items) and all("vb-timeline__item--success" in item.get("class", "") for item in items)

    def first_people(self) -> None:
        with self.ground.report.step(
            _("The town's administration signs in for the first time, and lets its people in")
        ) as step:
            how = self._first_sign_in("body_admin")
            admin = self.site.visitors["body_admin"]
            for code, name in UNITS.items():
                form = admin.get("/arbeit/verwaltung/einheiten/neu/").form(having=["code", "name"])
                page = admin.submit(filled(form, code=code, name=name))
                true(name in page.text, f"the unit {code} is not there: {told(page)}")
            for role, name, unit in LATER_PEOPLE:
                form = admin.get("/arbeit/verwaltung/personen/neu/").form(having=["display_name", "role"])
                page = admin.submit(filled(form, display_name=name, email=self.town.emails[role], role=role, unit=unit))
                true(name in page.text, f"{name} was not let in: {told(page)}")
            step.found(units=len(UNITS), people=len(LATER_PEOPLE), signed_in=how)

    def clerk_signs_in(self) -> None:
        with self.ground.report.step(_("The town's clerk signs in for the first time at the new host")) as step:
            how = self._first_sign_in("clerk")
            clerk = self.site.visitors["clerk"]
            page = clerk.get("/arbeit/")
            true(CANDIDATE_NAME in page.text, f"{page.url} is not the town's workspace")
            clerk.get("/arbeit/beitritte/", expect=404)
            step.found(url=page.url, heading=page.heading, signed_in=how, alliance_pages="404")

    def line_planned(self) -> None:
        with self.ground.report.step(_("The town's budget office sets the line on which fees come in")) as step:
            how = self._first_sign_in("budget_officer")
            officer = self.treasury()
            values = service_templates()[TEMPLATE].values
            year = self.ground.alliance.days.effect.year
            page = officer.get(f"/arbeit/haushalt/{LEDGER}/{year}/ueberwachung/")
            page = officer.get(page.link(r"/ansatz/$"))
            form = page.form(having=["product", "account", "euros"])
            page = officer.submit(filled(form, product=values["product"], account=values["account"], euros="1.000,00"))
            true(page.path.endswith("/ueberwachung/"), f"no line of the plan: {told(page)}")
            true("1.000,00" in page.text, f"{page.path} does not show the appropriation")
            step.found(line=f"{values['product']}.{values['account']}", appropriation="1.000,00 EUR", signed_in=how)

    def service_published(self) -> "Walk":
        with self.ground.report.step(_("The prepared service is looked at and published")) as step:
            self._first_sign_in("service_editor")
            editor = self.site.visitors["service_editor"]
            template = service_templates()[TEMPLATE]
            title = str(template.values["title"])
            page = editor.get("/arbeit/verwaltung/leistungen/")
            found = [str(a.get("href")) for a in page.main.xpath(".//a") if title in folded(a.text_content())]
            true(found, f"{page.path}: the prepared service “{title}” is not there")
            page = editor.get(found[0])
            page = editor.get(page.link(r"/veroeffentlichen/$"))
            page = editor.submit(page.form(action=r"/veroeffentlichen/$"))
            true(page.links(r"/zurueckziehen/$"), f"{page.path}: not published: {told(page)}")
            walk = Walk(self.site, self.ground.report)
            walk.title = title
            walk.retention_years = int(template.values["retention_years"])
            self.site.walks += 1
            step.found(service=page.path, title=title)
        return walk

    @staticmethod
    def first_application(walk: "Walk") -> None:
        """A citizen's first application, from the search to the decision with proof of delivery."""
        try:
            for part in (walk.find, walk.apply, walk.send, walk.follow, walk.take_over, walk.decide, walk.delivered):
                part()
        finally:
            walk.citizen.close()

    def treasury(self) -> Visitor:
        """The desk at which the town's invoices come in."""
        return self.site.visitors["budget_officer"]

    def close(self) -> None:
        """Close all browsers of the town."""
        self.site.close()

    # --- invitations

    def _invitation(self, email: str) -> str:
        return self.ground.invitation(email, self.site)

    def _first_sign_in(self, role: str) -> str:
        return self.ground.first_sign_in(role, self.site)
