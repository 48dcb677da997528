"""Answers as people read them (Zusammenfassung): headings, questions, answers in words, without the empty ones."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .checking import Given, shown
from .form import Element, Field, FormDefinition


@dataclass(frozen=True, slots=True)
class Row:
    """One answered question: `value` is the kept form, `shown` what a reader sees."""

    path: str
    label: str
    value: str
    shown: str
    field: Field

    @property
    def is_file(self) -> bool:
        return self.field.is_file


@dataclass(frozen=True, slots=True)
class Section:
    """The answers below one heading; `depth` 1 is a group of the form's first level (0: questions without a group)."""

    title: str
    depth: int
    path: str
    rows: tuple[Row, ...]


def sections(
    definition: FormDefinition,
    answers: Mapping[str, str],
    *,
    for_clerk: bool = False,
    names: Mapping[str, str] | None = None,
) -> list[Section]:
    """The answered questions in the order of the form.

    `for_clerk` takes the labels meant for reading (Ausgabe) instead of those for asking. `names` gives the file names
    behind the ids of attachments.
    """
    found: list[Section] = []
    _walk(definition.elements, "", "", 0, answers, Given(answers), for_clerk, names or {}, found)
    return [section for section in found if section.rows]


def _walk(
    elements: tuple[Element, ...],
    prefix: str,
    title: str,
    depth: int,
    answers: Mapping[str, str],
    given: Given,
    for_clerk: bool,
    names: Mapping[str, str],
    found: list[Section],
) -> None:
    rows: list[Row] = []

    def close() -> None:
        if rows:
            found.append(Section(title, depth, prefix, tuple(rows)))
            rows.clear()

    for element in elements:
        base = f"{prefix}.{element.key}" if prefix else element.key
        numbers = given.numbers(base)
        if isinstance(element, Field):
            label = element.label_out if for_clerk else element.label
            for number in numbers:
                path = f"{base}.{number}"
                value = answers[path]
                text = names.get(value, value) if element.is_file else shown(element, value)
                rows.append(Row(path, label, value, text, element))
            continue
        close()
        label = element.label_out if for_clerk else element.label
        for order, number in enumerate(numbers, start=1):
            name = f"{label} {order}" if len(numbers) > 1 else label
            _walk(element.elements, f"{base}.{number}", name, depth + 1, answers, given, for_clerk, names, found)
    close()


def heading(title: str, head: Mapping[str, str]) -> str:
    """The beginning of an application as plain text: `as_text` is the rest."""
    lines = [title, "=" * len(title), ""]
    lines += [f"{label}: {value}" for label, value in head.items() if value]
    return "\n".join(lines) + "\n"


def as_text(parts: list[Section]) -> str:
    """The answers as plain text for the file: readable in fifty years without any program of ours."""
    lines: list[str] = []
    for section in parts:
        lines += ["", section.title, "-" * len(section.title)] if section.title else [""]
        for row in section.rows:
            text = row.shown.replace("\n", "\n    ")
            lines.append(f"{row.label}: {text}")
    return "".join(f"{line}\n" for line in lines)


def facts(parts: list[Section]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Heading and (question, answer) pairs, as letters and receipts show them."""
    for section in parts:
        yield section.title, [(row.label, row.shown) for row in section.rows]
