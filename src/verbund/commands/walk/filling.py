"""Filling in the guided pages of an application, whatever form lies behind them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin

from verbund.modules.citizenservices.gateways.xdatenfelder import read_form
from verbund.modules.citizenservices.models.checking import shown, typed
from verbund.modules.citizenservices.models.form import FormDefinition
from verbund.modules.citizenservices.models.sample import SampleFile, sample_files, valid_answers

from .visitor import FilledForm, Page, Untrue, Visitor

_MOST_ENTRIES = 60  # additions of an entry on one page; more is a page that never gets done


@dataclass
class Answers:
    """Valid answers of the walk's own making for one form, and which of them have been given."""

    definition: FormDefinition
    values: dict[str, str]
    files: dict[str, SampleFile]
    given: set[str] = field(default_factory=set)

    @classmethod
    def to(cls, definition: FormDefinition, *, seed: int = 1) -> "Answers":
        """Answers to every question of the form, the optional ones too; the same for the same seed."""
        values = valid_answers(definition, seed=seed, optional=1.0)
        return cls(definition, values, {f.path: f for f in sample_files(definition, values)})

    def typed(self, path: str) -> str:
        """An answer as a person would type it."""
        asked = self.definition.field_at(path)
        return typed(asked, self.values[path]) if asked is not None else self.values[path]

    def shown(self) -> list[str]:
        """The answers as a reader sees them, files by their names."""
        out = []
        for path, value in self.values.items():
            asked = self.definition.field_at(path)
            if path in self.files:
                out.append(self.files[path].filename)
            elif asked is not None:
                out.append(shown(asked, value))
        return out


def definition_of(content: bytes) -> FormDefinition:
    """The form in a file in the format XDatenfelder 3."""
    return read_form(content).definition


def fill_page(visitor: Visitor, page: Page, answers: Answers) -> FilledForm:
    """Give the page's questions their answers; entries of repeated questions are added until all answers have a place."""
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
        if name in answers.values and name not in answers.files:
            form.fill(name, answers.typed(name))
            answers.given.add(name)
            continue
        several = _under(name, answers.values)
        if not several:
            continue
        if several[0] in answers.files:
            missing = [p for p in several if p not in answers.given]
            if missing:
                form.attach(name, *((f.filename, f.content, f.media_type) for f in (answers.files[p] for p in missing)))
                answers.given.update(missing)
        else:
            form.fill(name, *(answers.values[p] for p in several))
            answers.given.update(several)


def _under(base: str, values: Mapping[str, str]) -> list[str]:
    """The paths of the values of one repeated question: its base and a number."""
    start = f"{base}."
    return [p for p in values if p.startswith(start) and p[len(start) :].isdecimal()]


def _to_be_added(form: FilledForm, answers: Answers) -> str | None:
    """The base of a repeated element that lacks a place for one of its answers."""
    names = form.names()
    for button in form.element.xpath(".//button[@name='action'][starts-with(@value, 'add:')]/@value"):
        base = str(button).removeprefix("add:")
        wanted = {p[len(base) + 1 :].partition(".")[0] for p in answers.values if p.startswith(f"{base}.")}
        there = {n[len(base) + 1 :].partition(".")[0] for n in names if n.startswith(f"{base}.")}
        if any(number.isdecimal() and number not in there for number in wanted):
            return base
    return None
