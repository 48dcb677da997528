"""Citizens, clerks and the treasury at work while processes die; each keeps what the house has promised them."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from verbund.commands.walk import bank
from verbund.commands.walk.filling import Answers, fill_page
from verbund.commands.walk.people import sign_in
from verbund.commands.walk.reading import code_on, page_id
from verbund.commands.walk.town import Town
from verbund.commands.walk.visitor import FilledForm, Page, Untrue, Visitor, _Loopback
from verbund.platform.tenancy.clock import local_date

PATIENCE = 240.0  # seconds; as instance.PATIENCE


class Lost(Exception):  # noqa: N818 - says what became of the request
    """No answer, or one that says the house cannot: nobody knows what became of the request."""


class Browser(Visitor):
    """A visitor with a network address of their own, who does not follow where an answer leads."""

    def __init__(self, host: str, port: int, address: str = "127.0.0.1") -> None:
        super().__init__(host, port)
        self._client.close()
        self._client = httpx.Client(transport=_Loopback(local_address=address), timeout=20.0, follow_redirects=True)
        self._client.headers.update({"Accept-Language": "de"})

    def post(self, form: FilledForm) -> httpx.Response:
        """Send a form once; the answer as it came.

        Raises:
            Lost: no answer, or one of class 5xx.
        """
        data = dict(form.values)
        if form.button:
            data[form.button[0]] = [form.button[1]]
        try:
            if form.uploads:
                files: list[tuple[str, Any]] = [(n, (None, v)) for n, values in data.items() for v in values]
                files += [(name, upload) for name, uploads in form.uploads.items() for upload in uploads]
                answer = self._client.post(form.target, files=files, follow_redirects=False)
            else:
                answer = self._client.post(form.target, data=data, follow_redirects=False)
        except httpx.HTTPError as error:
            raise Lost(type(error).__name__) from error
        if answer.status_code >= 500:
            raise Lost(str(answer.status_code))
        return answer

    def read(self, address: str) -> Page:
        """A page, asked for again and again while the house gets up."""
        return patiently(lambda: self.get(address))


def patiently(ask: Callable[[], Page]) -> Page:
    """Ask again while there is no answer, or one of class 5xx."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return ask()
        except (httpx.HTTPError, Untrue) as error:
            if time.monotonic() > end or (isinstance(error, Untrue) and ": 50" not in str(error)):
                raise
            time.sleep(0.2)


@dataclass
class Submission:
    """A draft that is ready to be sent, and every answer that its sending got."""

    citizen: Browser
    form: FilledForm
    promised: list[str] = field(default_factory=list)  # ids of applications, one for each answer
    code: str = ""
    lost: int = 0

    def send(self) -> bool:
        """Press "send" once; whether there was an answer."""
        try:
            answer = self.citizen.post(self.form)
        except Lost:
            self.lost += 1
            return False
        target = answer.headers.get("location", "")
        assert answer.status_code == 302, (answer.status_code, answer.text[-3000:])
        assert "/antrag/gesendet/" in target, target
        self.promised.append(page_id(target))
        return True

    def confirm(self) -> None:
        """The page with the tracking code, the same as before."""
        code = code_on(self.citizen.read(f"/antrag/gesendet/{self.promised[0]}/"))
        assert self.code in ("", code)
        self.code = code


class Citizen:
    """Somebody who prepares drafts and sends them."""

    def __init__(self, town: Town, port: int, number: int, slug: str, form: bytes) -> None:
        self.browser = Browser(town.host, port, f"127.0.{1 + number // 200}.{1 + number % 200}")
        self.town, self.slug, self.content = town, slug, form

    def prepare(self) -> Submission:
        """Fill in a form up to its last page."""
        answers = Answers.to(self.content, self.town.facts())
        page = self.browser.get(f"/leistungen/{self.slug}/")
        page = self.browser.submit(page.form(action=r"/beginnen/$"))
        while not page.path.endswith("/pruefen/"):
            page = self.browser.submit(fill_page(self.browser, page, answers).press("action", "next"))
        form = page.form(having=["delivery"]).fill("delivery", "mailbox")
        return Submission(self.browser, form.fill("email", "probe.person@buergerin.example"))


class Clerk:
    """Takes applications over, decides them, and goes on where a crash has left them."""

    def __init__(self, town: Town, port: int) -> None:
        self.browser = Browser(town.host, port)
        sign_in(self.browser, email=town.emails["clerk"], password=town.password)
        self.lost = 0
        self.refused = 0
        self.sent_off: set[str] = set()  # decisions that were answered

    def decide(self, application: str) -> None:
        """Whatever is next for this application, until its decision is on the way.

        Raises:
            Lost, httpx.HTTPError, Untrue: in between, when the house dies.
        """
        case = f"/arbeit/vorgaenge/{application}/"
        page = self.browser.get(case)
        if any("/uebernehmen/" in str(f.get("action")) for f in page.forms()):
            self._post(page.form(action=r"/uebernehmen/$"))
            page = self.browser.get(case)
        if page.links(r"/entscheiden/$") and not page.links(r"/bescheid/$"):
            form = self.browser.get(page.link(r"/entscheiden/$")).form(having=["outcome"]).fill("outcome", "granted")
            self._post(form)
            page = self.browser.get(case)
        if page.links(r"/bescheid/$"):
            sign = self.browser.get(page.link(r"/bescheid/$")).form(action=r"/versenden/$")
            if self._post(sign) == 302:
                self.sent_off.add(application)
            self._post(sign)  # a second click
            page = self.browser.get(case)
        if page.links(r"/(entscheiden|bescheid)/$") or any(
            "/uebernehmen/" in str(f.get("action")) for f in page.forms()
        ):
            raise Lost("outrun by a job that changed the application: once more")

    def _post(self, form: FilledForm) -> int:
        answer = self.browser.post(form)
        assert answer.status_code in (302, 409), (answer.status_code, answer.text[-2000:])
        self.refused += answer.status_code == 409
        return answer.status_code

    def try_to_decide(self, application: str) -> bool:
        try:
            self.decide(application)
        except (Lost, Untrue, httpx.HTTPError):
            self.lost += 1
            return False
        return True


class Treasury:
    """Sends in the bank's statements, each until it was taken."""

    def __init__(self, town: Town, port: int) -> None:
        self.town = town
        self.browser = Browser(town.host, port)
        sign_in(self.browser, email=town.emails["treasury_clerk"], password=town.password)
        self.page = f"/arbeit/haushalt/{town.ledger}/{local_date(datetime.now(UTC)).year}/kontoauszuege/"
        self.balance, self.number = town.opening_cents, 0
        self.waiting: list[tuple[bytes, int]] = []
        self.lost = 0

    def new_statement(self, paid: dict[str, int]) -> None:
        """The bank's next statement: what came in, by payment reference."""
        if not paid:
            return
        today = local_date(datetime.now(UTC))
        self.number += 1
        movements = [
            bank.Movement(cents, today, "Probe Person", "DE02600501010002034304", f"KASSENZ {reference}")
            for reference, cents in sorted(paid.items())
        ]
        content = bank.statement(
            iban=self.town.iban,
            number=self.number,
            opening=self.balance,
            movements=movements,
            closing_on=today,
            owner=self.town.name,
        )
        self.balance += sum(paid.values())
        self.waiting.append((content, self.number))

    def import_waiting(self) -> bool:
        """Upload what waits, in order; whether everything was answered. What was answered is uploaded once more."""
        while self.waiting:
            content, number = self.waiting[0]
            try:
                form = self.browser.get(self.page).form(having=["file"])
                form.attach("file", (f"auszug-{number}.xml", content, "application/xml"))
                for _again in range(2):
                    answer = self.browser.post(form)
                    assert answer.status_code in (200, 302), (answer.status_code, answer.text[-2000:])
            except (Lost, Untrue, httpx.HTTPError):
                self.lost += 1
                return False
            self.waiting.pop(0)
        return True
