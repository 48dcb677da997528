"""Made-up answers (Beispielangaben) that fill any form validly: for the walk, the demo data and the tests.

The people in them do not exist and look like it.
"""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple

from verbund.modules.citizenservices.models.checking import bound, check_value
from verbund.modules.citizenservices.models.form import (
    Cardinality,
    DataType,
    Element,
    Field,
    FieldKind,
    FormDefinition,
    Group,
)
from verbund.modules.citizenservices.models.pattern import PatternUnsupported, compiled

_FIRST = ("Erika", "Max", "Ümmü", "Jörg", "Leonie", "Karl-Heinz", "Zoë", "Håkon")
_LAST = ("Musterfrau", "Mustermann", "Beispiel-Größe", "von der Probe", "Testersson", "Vorlage")
_STREETS = ("Beispielstraße", "Am Musterteich", "Probeweg", "Lange Übungszeile")
_TOWNS = ("Musterhausen", "Probenstedt", "Neu Beispiel")
_SENTENCES = (
    "Dies ist eine erfundene Angabe für einen Probelauf.",
    "Nur zur Probe eingetragen, bitte nicht bearbeiten.",
    "Beispieltext mit Umlauten: Größe, Übung, Straße.",
)
_BY_WORD: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("mail",), ("erika.musterfrau@example.org", "max@example.com")),
    (("vorname",), _FIRST),
    (("familienname", "geburtsname", "nachname", "name der person"), _LAST),
    (("doktorgrad",), ("Dr.",)),
    (("straße", "strasse"), _STREETS),
    (("hausnummer",), ("7", "12 a")),
    (("postleitzahl", "plz"), ("19055", "19288", "19300")),
    (("kennzeichen",), ("LWL-XY 123", "SN-MM 45")),
    (("telefon", "telefax", "fax", "mobil"), ("03874 0000-123", "0385 000000")),
    (("ort", "stadt", "gemeinde"), _TOWNS),
    (("iban",), ("DE02120300000000202051",)),
    (("firma", "unternehmen", "organisation"), ("Muster & Söhne GmbH", "Probe eG")),
)

_PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<<>>/Contents 4 0 R>>endobj\n"
    b"4 0 obj<</Length 0>>stream\n\nendstream endobj\n"
    b"xref\n0 5\n0000000000 65535 f \n0000000009 00000 n \n0000000052 00000 n \n"
    b"0000000101 00000 n \n0000000191 00000 n \n"
    b"trailer<</Size 5/Root 1 0 R>>\nstartxref\n237\n%%EOF\n"
)
_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
_CONTENTS = {
    "application/pdf": ("probe.pdf", _PDF),
    "image/png": ("probe.png", _PNG),
}


class SampleFile(NamedTuple):
    """A small file for the field at `path`; `number` makes its content different from every other one."""

    path: str
    filename: str
    media_type: str
    content: bytes


class NoSample(ValueError):  # noqa: N818 - names what it says
    """A field whose limits contradict each other, so that no value is valid; the message names it."""


def valid_answers(definition: FormDefinition, seed: int = 0, *, optional: float = 0.3) -> dict[str, str]:
    """Answers in kept form with which `check` finds nothing wrong; the same for the same seed.

    `optional` is the chance of each optional element to be filled in (0: only what is required, 1: everything). For a
    file field the answer is the name of the file to be added (`sample_files`).

    Raises:
        NoSample: the form asks for something that no value fulfils.
    """
    rng = random.Random(seed)  # noqa: S311 - made-up answers must be the same for the same seed
    answers: dict[str, str] = {}
    _fill(definition.elements, "", rng, optional, answers)
    if not answers:  # a form of optional questions only: answer the first one that can be answered
        _fill(definition.elements, "", rng, 1.0, answers)
    return answers


def sample_files(definition: FormDefinition, answers: dict[str, str]) -> Iterator[SampleFile]:
    """The files that belong to the file fields of `answers`."""
    for number, (path, name) in enumerate(answers.items()):
        field = definition.field_at(path)
        if field is not None and field.is_file:
            media_type = _media_type(field)
            # trailing comments are legal behind the end of a PDF and, as bytes behind IEND, of a PNG
            yield SampleFile(path, name, media_type, _CONTENTS[media_type][1] + f"%{number}\n".encode())


def _media_type(field: Field) -> str:
    for wanted in _CONTENTS:
        if not field.media_types or wanted in field.media_types or f"{wanted.split('/')[0]}/*" in field.media_types:
            return wanted
    raise NoSample(f"{field.id}: no sample of {', '.join(field.media_types)}")


def _fill(
    elements: tuple[Element, ...], prefix: str, rng: random.Random, optional: float, answers: dict[str, str]
) -> None:
    for element in elements:
        base = f"{prefix}.{element.key}" if prefix else element.key
        count = element.cardinality.minimum
        if count < element.cardinality.limit and rng.random() < optional:
            count += 1
        if isinstance(element, Field):
            if element.asked:
                _fill_field(element, base, count, rng, answers)
            continue
        for number in range(count):
            place = f"{base}.{number}"
            if element.choice:
                _fill((_forced(rng.choice(element.elements)),), place, rng, optional, answers)
            else:
                _fill(element.elements, place, rng, optional, answers)
            _keep_rules(element, place, rng, answers)


def _forced(element: Element) -> Element:
    least = max(1, element.cardinality.minimum)
    return replace(element, cardinality=Cardinality(least, element.cardinality.maximum))


def _fill_field(field: Field, base: str, count: int, rng: random.Random, answers: dict[str, str]) -> None:
    if field.kind is FieldKind.SELECT and field.codes:
        count = min(count, len(field.codes))
        for number, entry in enumerate(rng.sample(field.codes, count)):
            answers[f"{base}.{number}"] = entry.code
        return
    taken: set[str] = set()
    for number in range(count):
        value = _value(field, rng)
        for _attempt in range(20):
            if field.kind is not FieldKind.SELECT or value not in taken:
                break
            value = _value(field, rng)
        taken.add(value)
        answers[f"{base}.{number}"] = value


def _value(field: Field, rng: random.Random) -> str:
    for candidate in _candidates(field, rng):
        if candidate and check_value(field, candidate) is None:
            return candidate
    raise NoSample(f"{field.id} ({field.name})")


def _candidates(field: Field, rng: random.Random) -> Iterator[str]:
    if field.is_file:
        yield _CONTENTS[_media_type(field)][0]
        return
    match field.type:
        case DataType.BOOL:
            yield rng.choice(("true", "false"))
        case DataType.DATE:
            yield from _dates(field, rng)
        case DataType.TIME:
            yield f"{rng.randint(8, 17):02d}:{rng.choice((0, 15, 30, 45)):02d}"
        case DataType.DATETIME:
            yield f"2026-11-{rng.randint(10, 28)}T{rng.randint(8, 17):02d}:00"
        case DataType.INTEGER | DataType.NUMBER | DataType.CURRENCY:
            yield from _numbers(field, rng)
    yield from _texts(field, rng)


def _dates(field: Field, rng: random.Random) -> Iterator[str]:
    low = date.fromisoformat(field.min_value) if field.min_value else date(1960, 1, 1)
    high = date.fromisoformat(field.max_value) if field.max_value else max(low, date(2026, 1, 1)) + timedelta(days=300)
    yield (low + timedelta(days=rng.randint(0, max(0, (high - low).days)))).isoformat()


def _numbers(field: Field, rng: random.Random) -> Iterator[str]:
    low, high = bound(field.min_value), bound(field.max_value)
    least = low if low is not None else (Decimal(1) if high is None or high >= 1 else high - 10)
    most = high if high is not None else least + 100
    whole_low = int(least.to_integral_value(ROUND_CEILING))
    whole_high = int(most.to_integral_value(ROUND_FLOOR))
    if whole_low <= whole_high:
        yield str(rng.randint(whole_low, whole_high))
        yield str(whole_low)
    if field.type is not DataType.INTEGER:
        yield str(least)
        yield str(most)


def _texts(field: Field, rng: random.Random) -> Iterator[str]:
    words = f"{field.name} {field.label}".casefold()
    for keys, values in _BY_WORD:
        if any(key in words for key in keys):
            yield rng.choice(values)
            yield from values
    if not field.pattern:
        longest = field.max_length if field.max_length is not None else 200
        shortest = field.min_length or 1
        if longest >= 60:
            yield rng.choice(_SENTENCES)
        yield "Muster"
        text = " ".join(_SENTENCES) * (shortest // 100 + 1)
        yield text[: max(shortest, min(longest, 12))].strip()
        yield ("Muster" * (shortest // 6 + 1))[: max(shortest, min(longest, 6))]
        return
    shortest = field.min_length or 1
    longest = field.max_length if field.max_length is not None else max(60, 2 * shortest)
    try:
        automaton = compiled(field.pattern)
    except PatternUnsupported:
        yield ("Muster" * (shortest // 6 + 1))[: max(shortest, min(longest, 6))]
        return
    for _attempt in range(20):
        yield automaton.example(rng, shortest, longest) or ""


def _keep_rules(group: Group, place: str, rng: random.Random, answers: dict[str, str]) -> None:
    """A partially known date of birth: the day never without the month, and never behind the 28th."""
    if any(rule.id in ("R60000000023", "R60000000024") for rule in group.rules):
        day, month = f"{place}.F60000000231.0", f"{place}.F60000000232.0"
        if day in answers:
            answers.setdefault(month, str(rng.randint(1, 12)))
            answers[day] = str(min(int(answers[day]), 28))
