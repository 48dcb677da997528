"""What is measured over HTTP: pages as a signed-in clerk asks for them, uploads, and sending an application."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID

from verbund.commands.demo.facts import body_named, texts
from verbund.commands.demo.papers import Words, pdf

from .browsing import Browser, Unexpected
from .driving import Meter, together
from .models import TEMPLATE
from .place import moment

UPLOAD_BYTES: Final = 100_000
_TRIES: Final = 50  # searches until an upload that is not found is a failure
Call = Callable[[], object]


def list_page(browser: Browser, query: str, rows: int) -> None:
    """A page of the list of cases; `query` narrows it, or is the key of a page in the midst of it."""
    page = browser.get(f"/arbeit/akten/{query}")
    if page.count("<tr") <= rows:
        raise Unexpected(f"the list shows {page.count('<tr') - 1} cases instead of {rows}")


def files_page(browser: Browser) -> None:
    """The first page of the list of files."""
    page = browser.get("/arbeit/akten/verzeichnis/")
    if page.count("<tr") <= 1:
        raise Unexpected("the list of files is empty")


def read_case(browser: Browser, case: str) -> None:
    """The page of one case with its documents and its timeline."""
    page = browser.get(f"/arbeit/akten/{case}/")
    if "rec-document" not in page:
        raise Unexpected(f"the case {case} shows no document")


def search_page(browser: Browser, word: str, rows: int) -> None:
    """A page of hits of a word."""
    page = browser.get(f"/arbeit/suche/?q={word}")
    if page.count("data-row") < rows:
        raise Unexpected(f"the search for {word} shows {page.count('data-row')} hits instead of {rows}")


@dataclass(frozen=True, slots=True)
class Upload:
    """A paper to be filed: the one word in its text by which it is found afterwards."""

    case: str
    word: str
    content: bytes

    def until_found(self, browser: Browser) -> None:
        """File the paper in its case and search for its word until the case is among the hits."""
        browser.upload(
            f"/arbeit/akten/{self.case}/ablegen/",
            {"title": "Eingegangenes Schreiben", "kind": "incoming"},
            "content",
            "schreiben.pdf",
            self.content,
        )
        for _attempt in range(_TRIES):
            if f"/arbeit/akten/{self.case}/?dokument=" in browser.get(f"/arbeit/suche/?q={self.word}"):
                return
        raise Unexpected(f"{self.word} is not found")


def uploads(number: int, cases: Sequence[str], seed: str) -> list[Upload]:
    """Papers of two pages of prose and a picture's worth of bytes, 100 kB each, every one with a word of its own."""
    words = Words(body_named("ludwigslust"), f"uploads {seed}")
    topics = texts()["topic"]
    day = moment().date()
    made = []
    for at in range(number):
        # Letters that make no German word, so that nothing else is found.
        word = "qx" + "".join(words.rng.choice("bdfgklmnprstw") + words.rng.choice("aiou") for _pair in range(5))
        papers = [words.paper(topic, "Eingang", "siehe Vorgang", day) for topic in words.rng.sample(topics, k=5)]
        made.append(
            Upload(cases[at % len(cases)], word, _padded(pdf("\n".join([f"Kennwort {word}", *papers])), words.rng))
        )
    return made


def _padded(content: bytes, rng: random.Random) -> bytes:
    """The PDF with a stream that no page shows, so that it weighs what a letter with a picture does."""
    at = content.rindex(b"xref\n", 0, content.rindex(b"startxref"))
    body, table = content[:at], content[at:].partition(b"startxref")[0]
    noise = rng.randbytes(UPLOAD_BYTES - len(content) - 60)
    stream = b"999 0 obj\n<</Length %d>>stream\n%s\nendstream\nendobj\n" % (len(noise), noise)
    return body + stream + table + b"startxref\n%d\n%%%%EOF\n" % (len(body) + len(stream))


@dataclass(frozen=True, slots=True)
class Ready:
    """An application that is filled in, and the browser in which it waits to be sent."""

    browser: Browser
    draft: UUID

    def send(self) -> None:
        """The last step: the answers are checked once more, the application is sent."""
        values = {"delivery": "mailbox", "email": "erika@buergerin.example"}
        location = self.browser.post(f"/antrag/{self.draft}/pruefen/", values)
        if "/antrag/gesendet/" not in location:
            raise Unexpected(f"not sent: {location}")


def applications(schema_name: str, host: str, port: int, number: int, seed: int) -> list[Ready]:
    """So many filled-in applications, each in a browser of its own that has taken it up with its code.

    Must be called as the role of the web, outside of any body.
    """
    from verbund.modules.citizenservices import queries, services
    from verbund.platform.identity.actor import Actor
    from verbund.platform.tenancy import acting_for

    codes = []
    form = queries.service_templates()[TEMPLATE].form
    with acting_for(schema_name):
        guest, system = Actor.guest(schema_name, "benchmarks"), Actor.system(schema_name, "benchmarks")
        service = next(found for found in queries.find_services(guest, "Hundesteuer"))
        for count in range(number):
            answers = services.rehearse(system, content=form, seed=seed + count, optional=0.4).answers
            draft = services.start_draft(guest, service_id=service.id, now=moment())
            for step in sorted({answer.step for answer in answers}):
                services.save_step(
                    guest,
                    draft=draft,
                    step=step,
                    values={a.path: a.value for a in answers if a.step == step and a.file is None},
                    uploads={
                        a.path: services.Upload(a.file.filename, a.file.content)
                        for a in answers
                        if a.step == step and a.file is not None
                    },
                    now=moment(),
                )
            codes.append((draft.id, draft.code))
    ready = [Ready(Browser(host, port), draft) for draft, _code in codes]
    taking_up = [partial(_take_up, each.browser, code) for each, (_draft, code) in zip(ready, codes, strict=True)]
    together([taking_up[n::4] for n in range(4)], Meter({}))
    return ready


def _take_up(browser: Browser, code: str) -> None:
    browser.post("/antrag/fortsetzen/", {"code": code})
    browser.close()
