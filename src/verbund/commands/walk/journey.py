"""The walk itself: one application from the form's import to the closed case, page by page, every fact read back."""

import hashlib
import re
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from verbund.commands.demo.papers import pdf
from verbund.commands.texts import _
from verbund.modules.citizenservices.queries import service_templates
from verbund.platform.tenancy.clock import local_date

from . import bank
from .filling import Answers, fill_page
from .papers import Paper, paper
from .reading import (
    DOCUMENT,
    UUID,
    cell,
    cents,
    code_on,
    digests_in,
    grouped,
    guided_values,
    page_id,
    sentence,
    stands_in,
    state,
    subject_of,
    table,
)
from .report import Report, equal, true
from .site import Site
from .visitor import Page, Untrue, Visitor, folded

OWN_SCHEMA: Final = "bewohnerparkausweis"  # the template the walk takes when no file is named
_JOB_SECONDS: Final = 20.0
_FEE_CENTS: Final = 3070
_QUESTION: Final = "Bitte reichen Sie den Nachweis noch einmal lesbar ein."
_ANSWER: Final = "Gern, hier ist er noch einmal. Größe und Schärfe sollten jetzt genügen."
_PAYER_IBAN: Final = "DE02600501010002034304"
_EMAIL: Final = "probe.person@buergerin.example"


class Walk:
    """One application all the way; each method is a step of the report."""

    def __init__(self, site: Site, report: Report, schema: Path | None = None) -> None:
        self.site, self.report, self.schema = site, report, schema
        self.citizen = site.citizen()
        template = service_templates()[OWN_SCHEMA]
        self.content = schema.read_bytes() if schema else template.form
        self.filename = schema.name if schema else template.filename
        self.answers = Answers.to(self.content, site.town.facts())
        self.form = self.answers.form
        self.service_url = self.tracking = self.reference = self.payment_reference = ""
        self.status_path = self.case_path = self.claim_path = ""
        self.letter: Paper | None = None

    def run(self) -> None:
        """All steps in order.

        Raises:
            Untrue, httpx.HTTPError: at the first thing that is not as it must be.
        """
        self.site.walks += 1
        try:
            self.import_and_publish()
            self.find()
            self.apply()
            self.send()
            self.follow()
            self.take_over()
            self.ask_and_answer()
            self.decide()
            self.delivered()
            self.pay()
            self.closed()
            self.books()
        finally:
            self.citizen.close()

    # --- the editor

    def import_and_publish(self) -> None:
        with self.report.step(_("The editor imports the form and publishes a service")) as step:
            editor, how = self.site.desk("service_editor")
            page = editor.get("/arbeit/verwaltung/formulare/neu/")
            form = page.form(having=["file"]).attach("file", (self.filename, self.content, "application/xml"))
            page = editor.submit(form)
            true(re.search(rf"/formulare/{UUID}/$", page.path), f"the import does not lead to the form: {page.path}")
            true(self.form.form_id in page.text, f"{page.path} does not name the form {self.form.form_id}")
            gaps = page.main.xpath(".//*[contains(@class,'kern-alert')]//li")
            page = editor.get(page.link(r"/leistungen/neu/"))
            page = editor.submit(self._configured(page))
            true(
                re.search(rf"/leistungen/{UUID}/$", page.path),
                f"the service was not saved: {'; '.join(page.errors())}",
            )
            equal("the form the service uses", self._chosen(page, "form_version"), page_id(self._form_path))
            page = editor.get(page.link(r"/veroeffentlichen/$"))
            page = editor.submit(page.form(action=r"/veroeffentlichen/$"))
            true(page.links(r"/zurueckziehen/$"), f"{page.path}: the service is not published: {page.text[:200]}")
            step.found(
                form=f"{self.form.form_id} {self.form.version}, SHA-256 {hashlib.sha256(self.content).hexdigest()}",
                questions=self.form.questions,
                pages=self.form.steps,
                not_carried_out=len(gaps),
                service=page.path,
                signed_in=how,
            )

    def _configured(self, page: Page) -> Any:
        template = service_templates()[OWN_SCHEMA].values
        letters = template["letters"]
        self.title = f"{self._name()} {self.site.walks}"
        form = page.form(having=["form_version", "title"])
        self._form_path = form.values["form_version"][0]
        own = self.schema is None
        values = {
            "title": self.title,
            "topic": template["topic"] if own else "Probe",
            "summary": template["summary"] if own else "Ein Dienst, mit dem der Weg eines Antrags geprobt wird.",
            "description": template["description"].strip() if own else "",
            "search_words": "\n".join(template["search_words"]) if own else "",
            "unit": "32",
            "file_plan_position": "32.10.10" if own else "32.30.10",
            "promised_days": str(template["promised_days"]),
            "retention_years": str(template["retention_years"]),
            "fee": "30,70",
            "fee_text": "30,70 Euro",
            "ledger": self.site.town.ledger,
            "product": "12301" if own else "12203",
            "account": "4311",
            "payment_days": str(template["payment_days"]),
            "legal_basis": letters["legal_basis"] if own else "Probe",
            "subject_grant": letters["subject_grant"] if own else f"{self._name()}: Bewilligung",
            "grant": "\n\n".join(letters["grant"]) if own else "wir bewilligen Ihren Antrag.",
            "subject_refuse": letters["subject_refuse"] if own else f"{self._name()}: Ablehnung",
            "refuse": "\n\n".join(letters["refuse"]) if own else "Ihren Antrag lehnen wir ab.",
            "remedy": letters["remedy"],
        }
        for name, value in values.items():
            form.fill(name, value)
        self.retention_years = int(template["retention_years"])
        return form

    def _name(self) -> str:
        return " ".join(self.form.title.split())[:120] or self.form.form_id

    @staticmethod
    def _chosen(page: Page, name: str) -> str:
        return page.form(having=[name]).values[name][0]

    # --- the citizen

    def find(self) -> None:
        with self.report.step(_("A citizen finds the service by search")) as step:
            word = max(re.findall(r"[^\W\d_]+", self.title), key=len)
            plain = word.lower().translate(str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}))
            page = self.citizen.get(f"/?q={quote(plain)}")
            hits = page.links(r"/leistungen/[a-z0-9-]+/$")
            pages = [self.citizen.get(link) for link in hits]
            fitting = [p for p in pages if p.heading == self.title]
            true(fitting, f"the search for “{plain}” does not find “{self.title}”, only {[p.heading for p in pages]}")
            page = fitting[0]
            true("30,70" in page.text, f"{page.path} does not name the fee")
            self.service_url = page.url
            step.found(searched=plain, found=len(hits), service=page.path)

    def apply(self) -> None:
        with self.report.step(_("All pages are filled in, left, and taken up again by the code")) as step:
            page = self.citizen.get(self.service_url)
            page = self.citizen.submit(page.form(action=r"/beginnen/$"))
            steps = 0
            code = ""
            total = self.form.steps
            while not page.path.endswith("/pruefen/"):
                steps += 1
                true(steps <= total, f"{page.path}: more pages than the form has ({total})")
                true(f"{steps} " in page.text, f"{page.path}: the page does not say that it is number {steps}")
                if not code:
                    page, code = self._leave_and_resume(page)
                page = self.citizen.submit(fill_page(self.citizen, page, self.answers).press("action", "next"))
            equal("pages asked", steps, total)
            left = sorted(set(self.answers.by_path) - self.answers.given)
            true(not left, f"these answers were never asked for: {left[:5]}")
            page = self.citizen.get(page.url)
            missing = [text for text in self.answers.shown() if not stands_in(text, page.text)]
            true(not missing, f"{page.path}: these answers do not stand on the page: {missing[:5]}")
            step.found(
                pages=steps,
                answers=len(self.answers.by_path),
                files=len(self.answers.files()),
                resumed_by=code[:5] + "-…",
            )
            self.check_page = page

    def _leave_and_resume(self, page: Page) -> tuple[Page, str]:
        """Fill in the page, go away, and come back in another browser with nothing but the code."""
        left = self.citizen.submit(fill_page(self.citizen, page, self.answers).press("action", "later"))
        code = code_on(left)
        stranger = self.site.citizen()
        stranger.get(page.path, expect=404)
        resumed = stranger.get("/antrag/fortsetzen/")
        resumed = stranger.submit(resumed.form(having=["code"]).fill("code", code.lower().replace("-", " ")))
        equal("the page on which the draft goes on", resumed.path, page.path)
        kept = guided_values(resumed)
        lost = [p for p in self.answers.given if p in kept and kept[p] != [self.answers.by_path[p].typed]]
        true(not lost, f"answers were lost on the way: {[(p, kept[p]) for p in lost[:3]]}")
        self.citizen.close()
        self.citizen = stranger
        return resumed, code

    def send(self) -> None:
        with self.report.step(_("The application is sent, and sent again by a second click")) as step:
            page = self.check_page
            form = page.form(having=["delivery"]).fill("delivery", "mailbox").fill("email", _EMAIL)
            page = self.citizen.submit(form)
            true("/antrag/gesendet/" in page.path, f"not sent: {page.path}: {'; '.join(page.errors())}")
            self.tracking = code_on(page)
            self.application = page_id(page.path)
            position = "32.10.10" if self.schema is None else "32.30.10"
            found = re.search(rf"{re.escape(position)}-\d{{4}}/\d{{4}}", page.text)
            true(found, f"{page.path}: no reference of the position {position}")
            assert found is not None
            self.reference = found[0]
            again = self.citizen.submit(form)
            true(self.reference in again.text, f"the second click gave another application: {again.text[:200]}")
            step.found(
                reference=self.reference,
                tracking_code=self.tracking[:5] + "-…",
                seconds_of_sending=round(page.seconds, 3),
            )

    def follow(self) -> None:
        with self.report.step(_("The receipt lies in the mailbox of the status page")) as step:
            self.citizen.close()
            self.citizen = self.site.citizen()
            self.citizen.get(f"/stand/{self.application}/", expect=404)
            page = self.citizen.get("/stand/")
            page = self.citizen.submit(page.form(having=["code"]).fill("code", self.tracking))
            equal("the status page", page.path, f"/stand/{self.application}/")
            self.status_path = page.path
            page = self._wait(self.citizen, page.path, lambda p: p.links(r"/dokument/"), "the receipt")
            receipt = paper(self.citizen.get(page.link(r"/dokument/")))
            true(self.reference in receipt.text, "the receipt does not name the reference")
            true(self.tracking not in receipt.text, "the receipt, which lies in the file, carries the tracking code")
            mail = self._mail("Eingang|erhalten|received")
            step.found(receipt=receipt.evidence(), mail=mail)
            self.receipt = receipt

    # --- the clerk

    def take_over(self) -> None:
        with self.report.step(_("A clerk finds it in the inbox and takes it over")) as step:
            clerk, how = self.site.desk("clerk")
            page = clerk.get("/arbeit/eingang/")
            true(self.reference in page.text, f"{self.reference} is not in the inbox")
            self.case_path = f"/arbeit/vorgaenge/{self.application}/"
            page = clerk.get(page.link(rf"{self.case_path}$"))
            missing = [text for text in self.answers.shown() if not stands_in(text, page.text)]
            true(not missing, f"{page.path}: these answers do not stand on the page: {missing[:5]}")
            documents = page.links(DOCUMENT)
            true(len(documents) >= 3 + len(self.answers.files()), f"{page.path}: only {len(documents)} documents")
            digests = set(digests_in(clerk, page))
            true(self.receipt.sha256 in digests, "the receipt in the file is not the one the citizen has")
            sent = {hashlib.sha256(a.file.content).hexdigest() for a in self.answers.files() if a.file}
            true(sent <= digests, "an attachment in the file is not what was sent")
            page = clerk.submit(page.form(action=r"/uebernehmen/$"))
            equal("after taking over", page.path, self.case_path)
            true(page.links(r"/entscheiden/$"), f"{page.path}: the clerk cannot decide")
            step.found(documents=len(documents), signed_in=how, state=state(page))

    def ask_and_answer(self) -> None:
        with self.report.step(_("The clerk asks back, the citizen answers with a file")) as step:
            clerk, _how = self.site.desk("clerk")
            page = clerk.get(clerk.get(self.case_path).link(r"/rueckfrage/$"))
            page = clerk.submit(page.form(having=["text", "answer_until"]).fill("text", _QUESTION))
            equal("after asking", page.path, self.case_path)
            true(_QUESTION in page.text, "the question does not stand on the clerk's page")
            page = self.citizen.get(self.status_path)
            true(_QUESTION in page.text, "the citizen does not see the question")
            page = self.citizen.get(page.link(r"/antworten/$"))
            form = page.form(having=["text"]).fill("text", _ANSWER)
            scan = pdf(f"{_ANSWER}\n{self.reference}")
            form.attach("files", ("nachweis.pdf", scan, "application/pdf"))
            page = self.citizen.submit(form)
            equal("after answering", page.path, self.status_path)
            page = clerk.get(self.case_path)
            true(_ANSWER in page.text, "the clerk does not see the answer")
            kept = digests_in(clerk, page)
            true(hashlib.sha256(scan).hexdigest() in kept, "the file of the answer is not in the case")
            mail = self._mail("Frage|question")
            step.found(documents=len(page.links(DOCUMENT)), state=state(page), mail=mail)

    def decide(self) -> None:
        with self.report.step(_("The clerk grants it: letter and claim in one transaction")) as step:
            clerk, _how = self.site.desk("clerk")
            page = clerk.get(clerk.get(self.case_path).link(r"/entscheiden/$"))
            page = clerk.submit(page.form(having=["outcome", "reason"]).fill("outcome", "granted"))
            true(page.path.endswith("/bescheid/"), f"no letter to check: {page.path} {'; '.join(page.errors())}")
            preview = paper(clerk.get(page.link(r"/bescheid\.pdf$")))
            true("30,70" in preview.text, "the preview of the letter does not name the fee")
            signed = page.form(action=r"/versenden/$")
            page = clerk.submit(signed)
            equal(f"after signing ({'; '.join(page.errors()) or page.heading})", page.path, self.case_path)
            page = clerk.get(self.case_path)
            found = re.search(r"\b\d{14}\b|\b\d{4}\.\d{4}\.\d{4}\.\d{2}\b", page.text)
            true(found, f"{page.path}: no payment reference after the decision: {page.text[:1500]}")
            assert found is not None
            self.payment_reference = found[0].replace(".", "")
            true(int(self.payment_reference) % 97 == 1, f"the check digits of {self.payment_reference} are wrong")
            clerk.submit(signed, expect=409)
            step.found(preview=preview.evidence(), payment_reference=self.payment_reference, second_signature="409")

    def delivered(self) -> None:
        with self.report.step(_("The decision lies in the citizen's mailbox, with proof")) as step:
            known = set(self.citizen.get(self.status_path).links(r"/dokument/"))
            page = self._wait(
                self.citizen, self.status_path, lambda p: len(set(p.links(r"/dokument/"))) >= 2, "the decision"
            )
            letters = [paper(self.citizen.get(url)) for url in page.links(r"/dokument/")]
            decisions = [p for p in letters if self.payment_reference in re.sub(r"[\s.]", "", p.text)]
            true(
                decisions, f"no letter with the payment reference among {len(letters)} documents ({len(known)} before)"
            )
            self.letter = decisions[0]
            true("30,70" in self.letter.text, "the letter does not name the fee")
            true(self.reference in self.letter.text, "the letter does not name the reference")
            clerk, _how = self.site.desk("clerk")
            case = clerk.get(self.case_path)
            digests = digests_in(clerk, case)
            true(self.letter.sha256 in digests, "the letter in the file is not the one the citizen has")
            proof = self._proof(clerk, case)
            mail = self._mail("Bescheid|Bewilligung|Schreiben|Postfach|letter")
            step.found(letter=self.letter.evidence(), proof=proof, state=state(case), mail=mail)

    def _proof(self, clerk: Visitor, case: Page) -> str:
        """What the file says of the delivery: the way, the time, and the day it counts as made known (§ 41 VwVfG)."""
        file = clerk.get(case.link(rf"/arbeit/akten/{UUID}/$"))
        found = file.main.xpath(".//*[@aria-labelledby='letters']//li")
        true(found, f"{file.path}: the file knows of no letter")
        told = folded(" ".join(map(str, found[0].itertext())))
        days = [datetime.strptime(d, "%d.%m.%Y").date() for d in re.findall(r"\d\d\.\d\d\.\d{4}", told)]  # noqa: DTZ007
        true(len(days) == 2, f"{file.path}: no time of delivery, or no day that it counts from: {told}")
        true((days[1] - days[0]).days >= 4, f"{file.path}: made known on {days[1]}, delivered on {days[0]}")
        true(days[1].weekday() < 5, f"{file.path}: made known on a weekend, {days[1]}")
        return told

    # --- the treasury

    def pay(self) -> None:
        with self.report.step(_("The treasury imports the bank's statement, the claim is settled")) as step:
            treasury, how = self.site.desk("treasury_clerk")
            year = local_date(datetime.now(UTC)).year
            base = f"/arbeit/haushalt/{self.site.town.ledger}/{year}/"
            page = treasury.get(f"{base}posten/?text={self.payment_reference}")
            page = treasury.get(page.link(r"/forderungen/"))
            self.claim_path = page.path
            true("30,70" in page.text, f"{page.path}: the claim is not one of 30,70")
            today = local_date(datetime.now(UTC))
            self.site.statements += 1
            content = bank.statement(
                iban=self.site.town.iban,
                number=self.site.statements,
                opening=self.site.bank_balance,
                movements=[
                    bank.Movement(
                        _FEE_CENTS, today, "Probe Person", _PAYER_IBAN, f"KASSENZ {grouped(self.payment_reference)}"
                    )
                ],
                closing_on=today,
                owner=self.site.town.name,
            )
            form = treasury.get(f"{base}kontoauszuege/").form(having=["file"])
            upload = ("kontoauszug.xml", content, "application/xml")
            treasury.submit(form.attach("file", upload))
            self.site.bank_balance += _FEE_CENTS
            page = treasury.get(self.claim_path)
            equal("what is open on the claim", self._open_on_claim(page), "0,00 €")
            vouchers = [self._voucher(treasury, url) for url in page.links(rf"/belege/{UUID}/$")]
            equal("vouchers on the claim (assessment and receipt)", len(vouchers), 2)
            again = treasury.submit(form.attach("file", upload))
            equal("what is booked on the claim", self._open_on_claim(treasury.get(self.claim_path)), "0,00 €")
            equal("vouchers after the second import", len(treasury.get(self.claim_path).links(r"/belege/")), 2)
            step.found(
                claim=self.claim_path,
                statement=f"{len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}",
                vouchers="; ".join(vouchers),
                second_import=sentence(again, "#report-title"),
                signed_in=how,
            )

    @staticmethod
    def _open_on_claim(page: Page) -> str:
        found = page.main.xpath(".//tr[contains(@class,'bd-total')]/td[last()]")
        true(found, f"{page.path}: no sum of what is open")
        return " ".join(found[0].text_content().split())

    def _voucher(self, visitor: Visitor, url: str) -> str:
        """Read a voucher: its lines must balance; its label and hash."""
        page = visitor.get(url)
        digest = re.search(r"\b[0-9a-f]{64}\b", page.text)
        true(digest, f"{page.path}: no hash")
        assert digest is not None
        rows = page.main.xpath(".//tbody/tr[not(contains(@class,'bd-total'))]")
        true(len(rows) >= 2, f"{page.path}: {len(rows)} lines")
        debit, credit = (sum(cents(cell(row, place)) for row in rows) for place in (-2, -1))
        equal(f"debit and credit of {page.heading}", debit, credit)
        equal(f"amount of {page.heading}", debit, _FEE_CENTS)
        return f"{page.heading.split()[-1]} ({digest[0][:16]}…)"

    def closed(self) -> None:
        with self.report.step(_("The case is closed, its retention period runs")) as step:
            year = local_date(datetime.now(UTC)).year + self.retention_years
            clerk, _how = self.site.desk("clerk")
            wanted = f"31. Dezember {year}"
            page = self._wait(clerk, self.case_path, lambda p: wanted in p.text, f"the end of retention, {wanted}")
            status = self.citizen.get(self.status_path)
            open_ = status.main.xpath(".//*[contains(@class,'vb-timeline__item--warning')]")
            true(not open_, f"{status.path}: the citizen is still told to wait or to act")
            step.found(retention_until=date(year, 12, 31).isoformat(), state=state(page))

    # --- what must hold in the end

    def books(self) -> None:
        with self.report.step(_("References and vouchers without gaps, books in balance")) as step:
            auditor, _how = self.site.desk("auditor")
            year = local_date(datetime.now(UTC)).year
            base = f"/arbeit/haushalt/{self.site.town.ledger}/{year}/"
            numbers: dict[str, list[int]] = {}
            for row in table(auditor.get(f"{base}journal/?csv=1")):
                series, _dash, number = row[0].rpartition("-")
                if not number.isdigit():
                    series, _slash, number = row[0].rpartition("/")
                true(number.isdigit(), f"the voucher {row[0]} has no number")
                numbers.setdefault(series, []).append(int(number))
            for series, found in numbers.items():
                equal(f"vouchers of {series}", sorted(found), list(range(1, len(found) + 1)))
            rows = table(auditor.get(f"{base}saldenliste/?csv=1"))
            debit, credit, balance = (sum(cents(row[column]) for row in rows) for column in (3, 4, 5))
            equal("debit and credit of the trial balance", debit, credit)
            equal("sum of all balances", balance, 0)
            bank_row = next(row for row in rows if row[0] == "1810")
            equal("money that came in", cents(bank_row[5]), self.site.bank_balance - self.site.town.opening_cents)
            count = int(self.reference.rpartition("/")[2])
            if self.site.walks == 1:
                equal("the first case of its position and year", count, 1)
            step.found(
                vouchers=", ".join(f"{s}: 1–{len(n)}" for s, n in sorted(numbers.items())),
                turnover=f"{debit / 100:.2f} = {credit / 100:.2f}",
                balance="0.00",
                case_number=count,
            )

    # --- helpers

    def _wait(self, visitor: Visitor, path: str, there: Callable[[Page], object], what: str) -> Page:
        """Reload a page until a job has done its part."""
        end = time.monotonic() + _JOB_SECONDS
        while True:
            page = visitor.get(path)
            if there(page):
                return page
            if time.monotonic() > end:
                raise Untrue(
                    f"{path}: {what} did not come within {_JOB_SECONDS:.0f} s; the page says: {page.text[:400]}"
                )
            time.sleep(0.1)

    def _mail(self, words: str) -> str:
        """The subject of an e-mail to the citizen, sent since the walk began, that fits the words."""
        end = time.monotonic() + _JOB_SECONDS
        while time.monotonic() < end:
            for mail in reversed(self.site.mails()):
                subject = subject_of(mail)
                if _EMAIL in mail and re.search(words, subject, re.IGNORECASE):
                    true(self.tracking not in mail, "an e-mail carries the tracking code")
                    return subject
            time.sleep(0.1)
        raise Untrue(
            f"no e-mail with {words} in its subject; there are: {[subject_of(m) for m in self.site.mails()][-4:]}"
        )
