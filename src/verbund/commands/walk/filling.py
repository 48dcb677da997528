"""Filling in the guided pages of an application, whatever form lies behind them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin

from verbund.modules.citizenservices.services import Rehearsal, RehearsedAnswer, rehearse
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import BodyFacts, acting_for

from .visitor import FilledForm, Page, Untrue, Visitor

_MOST_ENTRIES = 60  # additions of an entry on one page; more is a page that never gets done


@dataclass
class Answers:
    """Valid answers of the house's own making to every question of a form, and which of them have been given."""

    form: Rehearsal
    by_path: dict[str, RehearsedAnswer]
    given: set[str] = field(default_factory=set)

    @classmethod
    def to(cls, content: bytes, body: BodyFacts) -> "Answers":
        """Answers to the form in a file; no database is asked."""
        with acting_for(body):
            form = rehearse(Actor.system(body.schema_name, "verbund walk"), content=content)
        return cls(form, {answer.path: answer for answer in form.answers})

    def files(self) -> list[RehearsedAnswer]:
        """The answers that are files."""
        return [answer for answer in self.form.answers if answer.file]

    def shown(self) -> list[str]:
        """The answers as a reader sees them, files by their names."""
        return [answer.shown for answer in self.form.answers]


def fill_page(visitor: Visitor, page: Page, answers: Answers) -> FilledForm:
    """Give the page's questions their answers; entries are added until all answers have a place."""
    for _attempt in range(_MOST_ENTRIES):
        form = guided(page)
        _give(form, answers)
        base = _to_be_added(form, answers)
        if base is None:
            return form
        page = visitor.submit(form.press("action", f"add:{base}"))
    raise Untrue(f"{page.path}: entries are added and do not appear")


def guided(page: Page) -> FilledForm:
    """The form of the page that leads on: the one whose buttons are called `action`.

    Raises:
        Untrue: there is none.
    """
    for element in page.main.xpath(".//form[.//button[@name='action']]"):
        return FilledForm(page, element, urljoin(page.url, element.get("action") or page.url))
    raise Untrue(f"{page.path}: no form that leads on, on “{page.heading}”")


def _give(form: FilledForm, answers: Answers) -> None:
    for name in form.names():
        answer = answers.by_path.get(name)
        if answer is not None and answer.file is None:
            form.fill(name, answer.typed)
            answers.given.add(name)
            continue
        several = _under(name, answers.by_path)
        files = [each.file for each in several if each.file and each.path not in answers.given]
        if files:
            form.attach(name, *((file.filename, file.content, file.media_type) for file in files))
        elif several and several[0].file is None:
            form.fill(name, *(each.value for each in several))
        answers.given.update(each.path for each in several)


def _under(base: str, by_path: Mapping[str, RehearsedAnswer]) -> list[RehearsedAnswer]:
    """The answers of one repeated question: those at its base and a number."""
    start = f"{base}."
    return [answer for path, answer in by_path.items() if path.startswith(start) and path[len(start) :].isdecimal()]


def _to_be_added(form: FilledForm, answers: Answers) -> str | None:
    """The base of a repeated element that lacks a place for one of its answers."""
    names = form.names()
    for button in form.element.xpath(".//button[@name='action'][starts-with(@value, 'add:')]/@value"):
        base = str(button).removeprefix("add:")
        wanted = {p[len(base) + 1 :].partition(".")[0] for p in answers.by_path if p.startswith(f"{base}.")}
        there = {n[len(base) + 1 :].partition(".")[0] for n in names if n.startswith(f"{base}.")}
        if any(number.isdecimal() and number not in there for number in wanted):
            return base
    return None
