"""The money: prices and their tax review, what joining would cost, and the town's first invoice into its own books."""

import hashlib
import re
from datetime import date
from fractions import Fraction
from typing import Final

from verbund.commands.texts import _
from verbund.commands.walk.reading import UUID
from verbund.commands.walk.report import equal, true
from verbund.commands.walk.visitor import Page, Visitor

from .alliance import CANDIDATE, CANDIDATE_NAME, FILE, SERVICES, WORKPLACE
from .ground import Ground, cents_in, euros, filled, told

_BASE: Final = "/arbeit/kosten/"
PRICES: Final = {WORKPLACE: 118_000, FILE: 9_600}  # cents for one unit and year
QUANTITIES: Final = {WORKPLACE: 42, FILE: 30}
PROJECT_CENTS: Final = 215_050
LEITWEG_ID: Final = "13999998-0001-42"
_ALONE_CENTS: Final = 6_500_000
_BASIS: Final = "Beschluss des Verwaltungsrats 4 (Probe)"


class Charging:
    """What the alliance's cost controlling does for the town; each method is a step of the report."""

    def __init__(self, ground: Ground) -> None:
        self.ground, self.days = ground, ground.alliance.days
        self.controller = ground.site.desk("cost_controller")[0]

    def priced(self) -> None:
        with self.ground.report.step(_("Tariffs, charging rules and the reviewed tax treatment are set")) as step:
            for code, cents in PRICES.items():
                self._set(
                    "preise/tarif/",
                    service_code=code,
                    component="quantity",
                    euros=euros(cents),
                    valid_from=self.days.founding.isoformat(),
                    basis=_BASIS,
                )
                self._set(
                    "preise/regel/",
                    service_code=code,
                    legal_basis="contract",
                    provision="§ 6 des Vertrags (Probe)",
                    settled_by="use",
                )
            self._propose_unreviewed()
            for code in PRICES:
                self._set(
                    "preise/umsatzsteuer/",
                    service_code=code,
                    treatment="not_taxable_2b3_2",
                    valid_from=self.days.founding.isoformat(),
                    reasoning="Beispielhafte Einordnung für die Probe, keine rechtliche Auskunft.",
                    document="11.30-7 (Probe)",
                    reviewer="Steuerkanzlei Muster",
                    reviewed_on=self.days.inquiry.isoformat(),
                )
            page = self.controller.get(f"{_BASE}preise/")
            missing = [name for _code, name, *_rest in SERVICES if name not in page.text and _code not in page.text]
            true(not missing, f"{page.path}: these services have no price: {missing}")
            step.found(
                tariffs="; ".join(f"{code}: {cents / 100:.2f} EUR" for code, cents in PRICES.items()),
                treatment="§ 2b Abs. 3 Nr. 2 UStG",
            )

    def _propose_unreviewed(self) -> None:
        """Tax is never inferred: without a review no run can be proposed."""
        page = self._propose(self.controller, expect=422)
        true(any("§ 2b UStG" in text for text in told(page)), f"{page.path}: {told(page)}")
        true(not page.links(rf"/laeufe/{UUID}/$"), f"{page.path}: a run was written without a tax review")
        self.ground.refusals.append(_("a charge run without a reviewed tax treatment"))

    def modelled(self) -> None:
        """What would joining cost: reckoned before the basic resolution (a scenario)."""
        with self.ground.report.step(_("What joining would cost is reckoned for the town")) as step:
            page = self.controller.get(f"{_BASE}modell/neu/")
            form = filled(
                page.form(having=["name", "joins_on"]),
                name=CANDIDATE_NAME,
                kind="town",
                joins_on=self.days.effect.isoformat(),
                alone=euros(_ALONE_CENTS),
                change="12.500,00",
            )
            for code, quantity in QUANTITIES.items():
                form.fill(f"quantity_{code}", str(quantity))
            page = self.controller.submit(form)
            true(re.search(rf"/modell/{UUID}/$", page.path), f"no scenario: {page.path}: {told(page)}")
            together = sum(PRICES[code] * quantity for code, quantity in QUANTITIES.items())
            rows = page.main.xpath(".//tr[th[normalize-space()='gemeinsam']]/td[last()]")
            true(rows, f"{page.path}: no row of what it costs together")
            equal("a full year together", cents_in(rows[0].text_content()), together)
            sentence = page.main.xpath("string(.//p[contains(@class,'vb-head__sentence')])")
            equal("what is saved a year", cents_in(sentence), _ALONE_CENTS - together)
            self.ground.yearly_cents = together
            step.found(scenario=page.path, yearly_cents=together, alone_cents=_ALONE_CENTS)

    def before_effect(self) -> None:
        """Cost of a project for the candidate cannot be charged before it is a carrier (M2)."""
        with self.ground.report.step(_("A charge run with cost of the town is refused before the effect")) as step:
            self._set(
                "einzelkosten/erfassen/",
                member_id=self.ground.member_id,
                service_code=WORKPLACE,
                kind="project",
                text="Übernahme der Arbeitsplätze",
                performed_on=self.days.effect.isoformat(),
                euros=euros(PROJECT_CENTS),
                document="Projektabrechnung 1 (Probe)",
            )
            self.ground.refused(
                _("a charge run with cost of the town before the effect"),
                lambda: self._propose(self.controller, expect=422),
                because=CANDIDATE_NAME,
            )
            page = self.controller.get(f"{_BASE}laeufe/")
            true(not page.links(rf"/laeufe/{UUID}/$"), f"{page.path}: a run was written before the effect")
            step.found(refused=self.ground.refusals[-1], runs=0)

    def charged(self) -> None:
        with self.ground.report.step(
            _("A charge run is proposed, checked, released and issued by other people")
        ) as step:
            for code, quantity in QUANTITIES.items():
                self._set(
                    "mengen/erfassen/",
                    member_id=self.ground.member_id,
                    service_code=code,
                    period_start=self.days.effect.isoformat(),
                    period_end=self.days.year_end.isoformat(),
                    quantity=str(quantity),
                )
            page = self._set(
                f"anschriften/{self.ground.member_id}/",
                street="Neuer Markt 1",
                postcode="19998",
                city="Neuprobe",
                leitweg_id=LEITWEG_ID,
                email=f"rechnung@{CANDIDATE}.example",
            )
            true("fehlt" not in page.main.text_content(), f"{page.path}: somebody still has no address")
            page = self._propose(self.controller)
            true(re.search(rf"/laeufe/{UUID}/$", page.path), f"no run: {page.path}: {told(page)}")
            run = page.path
            self._refuse_own_check(run)
            officer, manager = self.ground.site.desk("budget_officer")[0], self.ground.manager()
            self._confirm(officer, f"{run}pruefen/")
            self._confirm(manager, f"{run}freigeben/")
            page = self._confirm(officer, f"{run}ausstellen/")
            net = cents_in(page.main.xpath("string(.//tr[th/a[@href=$to]]/td[2])", to=f"{run}mitglied/{CANDIDATE}/"))
            equal("what the town pays for its days of this year", net, self.expected())
            digest = re.search(r"\b[0-9a-f]{64}\b", page.text)
            true(digest, f"{page.path}: no hash of the values used")
            links = page.main.xpath(".//tr[td[normalize-space()=$name]]/th/a/@href", name=CANDIDATE_NAME)
            equal("invoices for the town", len(links), 1)
            self.invoice_path = str(links[0])
            assert digest is not None
            step.found(run=run, net_cents=net, days=self._days(), values_sha256=digest[0])

    def _refuse_own_check(self, run: str) -> None:
        """Four eyes: whoever proposed the run does not check it."""
        self.ground.refused(
            _("a charge run checked by the one who proposed it"),
            lambda: self._confirm(self.controller, f"{run}pruefen/"),
            because="[Jj]emand ander|andere Person",
            also=(run,),
        )

    def arrived(self, officer: Visitor) -> None:
        """The invoice in the town's own books, byte for byte (AL1); `officer` sits at the town's desk."""
        with self.ground.report.step(
            _("The invoice lies among the town's inbound ones, byte-identical and checked")
        ) as step:
            number, reference, gross, sent = self._sent()
            page = self.ground.wait(officer, "/arbeit/rechnungseingang/", lambda p: number in p.text, "the invoice")
            path = page.main.xpath(f".//a[normalize-space()='{number}']/@href")[0]
            page = self.ground.wait(officer, str(path), lambda p: "wird geprüft" not in p.text, "the check")
            says = page.main.xpath("string(.//*[contains(@class,'kern-badge')])")
            equal("what the rules of electronic invoices say", " ".join(says.split()), "bereit zur Feststellung")
            findings = page.main.xpath(".//section[@aria-labelledby='rules-title']//li")
            true(not findings, f"{page.path}: {[f.text_content() for f in findings][:3]}")
            true(LEITWEG_ID in page.text, f"{page.path} does not name the Leitweg-ID {LEITWEG_ID}")
            true(reference in re.sub(r"\s", "", page.text), f"{page.path} does not name the reference {reference}")
            received = officer.get(page.link(r"/original/$")).content
            equal("the invoice as it came", hashlib.sha256(received).hexdigest(), hashlib.sha256(sent).hexdigest())
            self._readable(sent.decode())
            paper = officer.get(page.link(r"/pdf/$")).content
            true(paper.startswith(b"%PDF"), f"{page.path}: the PDF is none")
            equal("amount of the invoice", gross, self.expected())
            true(euros_shown(gross) in page.text, f"{page.path} does not ask for {euros_shown(gross)}")
            step.found(
                number=number,
                gross_cents=gross,
                payment_reference=reference,
                xrechnung=f"{len(sent)} bytes, SHA-256 {hashlib.sha256(sent).hexdigest()}",
                pdf=f"{len(paper)} bytes, SHA-256 {hashlib.sha256(paper).hexdigest()}",
                inbound=page.path,
            )

    def _readable(self, xml: str) -> None:
        """A line says what a treasurer reckons with: how many, at what price, on how many days of the year."""
        days, of = (self.days.year_end - self.days.effect).days + 1, self.days.year_end.timetuple().tm_yday
        part = "" if days == of else f", {days} von {of} Tagen"
        for code, unit in ((WORKPLACE, "Arbeitsplätze"), (FILE, "Personen mit Zugang")):
            price = f"{PRICES[code] / 100:,.2f}".translate(str.maketrans(",.", ".,"))
            said = f"{QUANTITIES[code]} {unit} × {price} Euro im Jahr{part}"
            true(said in xml, f"no line of the invoice says “{said}”")

    def _sent(self) -> tuple[str, str, int, bytes]:
        """Number, payment reference, amount and XRechnung of the invoice as the alliance issued it."""
        officer = self.ground.site.desk("budget_officer")[0]
        page = officer.get(self.invoice_path)
        number = page.heading
        reference = re.search(r"\b\d{14}\b", page.text)
        true(reference, f"{page.path}: no payment reference")
        assert reference is not None
        gross = cents_in(page.main.xpath("string(.//tr[th[normalize-space()='Brutto']]/td[last()])"))
        base = f"/arbeit/haushalt/{self.ground.alliance.desk.ledger}/{self.days.effect.year}/rechnungen/"
        listed = officer.get(base)
        row = listed.main.xpath(
            ".//tr[contains(normalize-space(), $number)]//a[contains(@href, '/xml/')]/@href", number=number
        )
        true(row, f"{base}: no XRechnung of {number}")
        return number, reference[0], gross, officer.get(str(row[0])).content

    # --- reckoning and filing

    def _days(self) -> int:
        return (self.days.year_end - self.days.effect).days + 1

    def expected(self) -> int:
        """What the town owes for its days of this year, reckoned here anew: each service rounded once, half up."""
        whole = (self.days.year_end - date(self.days.effect.year, 1, 1)).days + 1
        shares = (Fraction(PRICES[code] * quantity * self._days(), whole) for code, quantity in QUANTITIES.items())
        return PROJECT_CENTS + sum(int(share + Fraction(1, 2)) for share in shares)

    def _set(self, page: str, **fields: str) -> Page:
        """Fill one of the room's forms in and send it."""
        opened = self.controller.get(f"{_BASE}{page}")
        answer = self.controller.submit(filled(opened.form(having=list(fields)), **fields))
        true(not answer.path.endswith(page), f"{opened.path} was not taken: {told(answer)}")
        return answer

    def _propose(self, by: Visitor, *, expect: int = 200) -> Page:
        form = by.get(f"{_BASE}laeufe/").form(having=["kind", "period_start"])
        return by.submit(
            filled(
                form,
                kind="advance",
                period_start=self.days.effect.isoformat(),
                period_end=self.days.year_end.isoformat(),
            ),
            expect=expect,
        )

    @staticmethod
    def _confirm(by: Visitor, path: str) -> Page:
        """Open the page that asks once, and say yes."""
        return by.submit(by.get(path).form(action=rf"{path}$"))


def euros_shown(cents: int) -> str:
    """Cents as German pages show them."""
    return f"{cents / 100:,.2f}".translate(str.maketrans(",.", ".,"))
