"""Checking of answers (Prüfung der Angaben): types, lengths, limits, patterns, code lists, how often, which characters.

`canonical` brings what somebody typed into the one form that is kept; `check` judges kept answers and names what is
wrong, in a sentence that says what to do. Neither raises for bad input.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import NamedTuple

from django.utils.formats import date_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from verbund.modules.citizenservices.models.form import (
    DataType,
    Element,
    Field,
    FieldKind,
    FormDefinition,
    Group,
    Step,
)
from verbund.modules.citizenservices.models.latin import Repertoire, described, normalised, refused_character
from verbund.modules.citizenservices.models.pattern import PatternUnsupported, compiled

DEFAULT_MAX_LENGTH = 5_000  # characters of a text whose field names no limit


class Problem(NamedTuple):
    """What is wrong with the answer at `path`, as a sentence for the person who gave it."""

    path: str
    message: str
    label: str = ""  # of the question, where there is one


_GERMAN_DATE = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})", re.ASCII)
_THOUSANDS = re.compile(r"-?\d{1,3}(\.\d{3})+(,\d+)?", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,18}(\.\d{1,12})?", re.ASCII)
_INTEGER = re.compile(r"-?\d{1,18}", re.ASCII)
_TRUE = frozenset({"true", "1", "ja", "yes", "on"})
_FALSE = frozenset({"false", "0", "nein", "no", "off"})


def canonical(field: Field, typed: str) -> str:
    """The kept form of what was typed: `21.11.2026` -> `2026-11-21`, `1.234,50 €` -> `1234.50`, `Ja` -> `true`.

    What cannot be understood comes back as typed (NFC, without spaces around), for `check` to name.
    """
    text = normalised(typed).strip()
    if not text:
        return ""
    match field.type:
        case DataType.DATE:
            found = _GERMAN_DATE.fullmatch(text)
            if found:
                day, month, year = found.groups()
                return f"{year}-{int(month):02d}-{int(day):02d}"
        case DataType.DATETIME:
            return text.replace(" ", "T", 1) if re.match(r"\d{4}-\d\d-\d\d ", text) else text
        case DataType.NUMBER | DataType.CURRENCY | DataType.INTEGER:
            return _canonical_number(text)
        case DataType.BOOL:
            if text.casefold() in _TRUE:
                return "true"
            if text.casefold() in _FALSE:
                return "false"
    return text


def _canonical_number(text: str) -> str:
    number = text.replace("\u00a0", "").replace("\u202f", "").replace(" ", "").replace("\u2212", "-")
    number = number.removesuffix("€").removesuffix("EUR")
    if _THOUSANDS.fullmatch(number):
        number = number.replace(".", "")
    number = number.replace(",", ".") if number.count(",") == 1 and "." not in number else number
    if not _DECIMAL.fullmatch(number):
        return text
    sign, digits = ("-", number[1:]) if number.startswith("-") else ("", number)
    whole, dot, fraction = digits.partition(".")
    return f"{sign}{whole.lstrip('0') or '0'}{dot}{fraction}"


def typed(field: Field, value: str) -> str:
    """The kept value as a person types it: `1234.5` -> `1234,5`, `2026-11-21` -> `21.11.2026`."""
    if field.type is DataType.DATE:
        try:
            return date.fromisoformat(value).strftime("%d.%m.%Y")
        except ValueError:
            return value
    if field.type in (DataType.NUMBER, DataType.CURRENCY) and _DECIMAL.fullmatch(value):
        return value.replace(".", ",")
    return value


def shown(field: Field, value: str) -> str:
    """The value as a reader expects it: the name behind a code, yes or no, a date in words of the language."""
    if not value:
        return ""
    for entry in field.codes:
        if entry.code == value:
            return entry.label
    if field.type is DataType.BOOL:
        return {"true": _("Yes"), "false": _("No")}.get(value, value)
    if field.type is DataType.DATE:
        try:
            return day_in_words(date.fromisoformat(value))
        except ValueError:
            return value
    if field.type is DataType.CURRENCY and _DECIMAL.fullmatch(value):
        return f"{typed(field, value)} €"
    return typed(field, value)


def check_value(field: Field, value: str) -> str | None:
    """What is wrong with one non-empty kept value, or None."""
    if field.is_file:
        return None  # size, type and content were checked when the file was taken
    if len(value) > 10 * DEFAULT_MAX_LENGTH:
        return _("The text is far too long.")
    if field.kind is FieldKind.SELECT and field.codes:
        if all(entry.code != value for entry in field.codes):
            return _("Please choose one of the answers of the list.")
        return None
    match field.type:
        case DataType.DATE:
            return _check_date(field, value)
        case DataType.TIME:
            try:
                time.fromisoformat(value)
            except ValueError:
                return _("Please enter a time such as 14:30.")
            return None
        case DataType.DATETIME:
            try:
                datetime.fromisoformat(value)
            except ValueError:
                return _("Please enter day and time such as 2026-11-21 14:30.")
            return None
        case DataType.BOOL:
            return None if value in ("true", "false") else _("Please choose Yes or No.")
        case DataType.INTEGER:
            if not _INTEGER.fullmatch(value):
                return _("Please enter a whole number, for example 12.")
            return _check_range(field, value) or _check_pattern(field, value)
        case DataType.NUMBER | DataType.CURRENCY:
            if not _DECIMAL.fullmatch(value):
                return _("Please enter a number, for example 12,50.")
            if field.type is DataType.CURRENCY and len(value.partition(".")[2]) > 2:
                return _("Please enter an amount with at most two places behind the comma.")
            return _check_range(field, value) or _check_pattern(field, value)
    return _check_text(field, value)


def _check_date(field: Field, value: str) -> str | None:
    try:
        day = date.fromisoformat(value) if len(value) == 10 else None
    except ValueError:
        day = None
    if day is None:
        return _("Please enter a date such as 21.11.2026.")
    first, last = _day(field.min_value), _day(field.max_value)
    if first is not None and day < first:
        return _("The date may not lie before %(limit)s.") % {"limit": day_in_words(first)}
    if last is not None and day > last:
        return _("The date may not lie after %(limit)s.") % {"limit": day_in_words(last)}
    return None


def _day(text: str) -> date | None:
    """A limit of a date field; None if there is none (or it is no day, which the import reports)."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def day_in_words(day: date) -> str:
    """The day as the present language writes it."""
    return _day_in_words(day, get_language())


@lru_cache(maxsize=1024)
def _day_in_words(day: date, _language: str | None) -> str:
    return date_format(day, "DATE_FORMAT")


def _check_range(field: Field, value: str) -> str | None:
    number = Decimal(value)
    low, high = bound(field.min_value), bound(field.max_value)
    if low is not None and number < low:
        return _("Please enter a number that is not below %(limit)s.") % {"limit": str(low).replace(".", ",")}
    if high is not None and number > high:
        return _("Please enter a number that is not above %(limit)s.") % {"limit": str(high).replace(".", ",")}
    return None


def bound(text: str) -> Decimal | None:
    """A limit of a number field as a number; None if there is none (or it is no number, which the import reports)."""
    try:
        number = Decimal(text.strip().replace(",", ".")) if text.strip() else None
    except InvalidOperation:
        return None
    return number if number is None or number.is_finite() else None


def _check_text(field: Field, value: str) -> str | None:
    repertoire = Repertoire.LATIN if field.type is DataType.TEXT_LATIN else Repertoire.TEXT
    refused = refused_character(value, repertoire)
    if refused is not None:
        return _("The character %(character)s cannot be used. Please remove or replace it.") % {
            "character": described(refused)
        }
    longest = field.max_length if field.max_length is not None else DEFAULT_MAX_LENGTH
    if len(value) > longest:
        return ngettext(
            "Please enter at most %(limit)s character. There are %(length)s at the moment.",
            "Please enter at most %(limit)s characters. There are %(length)s at the moment.",
            longest,
        ) % {"limit": longest, "length": len(value)}
    if field.min_length is not None and len(value) < field.min_length:
        return ngettext(
            "Please enter at least %(limit)s character.",
            "Please enter at least %(limit)s characters.",
            field.min_length,
        ) % {"limit": field.min_length}
    return _check_pattern(field, value)


def _check_pattern(field: Field, value: str) -> str | None:
    if not field.pattern:
        return None
    try:
        fits = compiled(field.pattern).matches(value)
    except PatternUnsupported:
        return None  # named by the import; the clerk checks by eye
    return None if fits else _("This is not written in the expected form. Please check it.")


class Given:
    """Which places of a form hold an answer: made once per check, asked many times."""

    def __init__(self, answers: Mapping[str, str]) -> None:
        self._numbers: dict[str, set[int]] = defaultdict(set)
        for path, value in answers.items():
            if value == "" or "#" in path:
                continue
            names = path.split(".")
            for end in range(2, len(names) + 1, 2):
                if names[end - 1].isdecimal():
                    self._numbers[".".join(names[: end - 1])].add(int(names[end - 1]))

    def numbers(self, base: str) -> list[int]:
        """The numbers of the repetitions of `base` in which something was answered, ascending."""
        return sorted(self._numbers.get(base, ()))


def check(definition: FormDefinition, answers: Mapping[str, str], step: Step | None = None) -> list[Problem]:
    """Every problem of the answers, in the order of the form; with `step` those of that page.

    What is inside an optional group is only missed once something of that group was filled in.
    """
    found: list[Problem] = []
    _check_elements(definition.elements, "", answers, Given(answers), True, found)
    for path, value in answers.items():
        if value and "#" not in path and definition.field_at(path) is None:
            found.append(Problem(path, _("This question is not part of the form.")))
    return [p for p in found if step.holds(p.path)] if step is not None else found


def _check_elements(
    elements: tuple[Element, ...],
    prefix: str,
    answers: Mapping[str, str],
    given: Given,
    missed: bool,
    found: list[Problem],
) -> None:
    """`missed`: whether an empty required element is a problem here."""
    for element in elements:
        base = f"{prefix}.{element.key}" if prefix else element.key
        if isinstance(element, Field):
            if element.asked:
                _check_field(element, base, answers, given, missed, found)
        else:
            _check_group(element, base, answers, given, missed, found)


def _check_field(
    field: Field, base: str, answers: Mapping[str, str], given: Given, missed: bool, found: list[Problem]
) -> None:
    numbers = given.numbers(base)
    least, most = field.cardinality.minimum, field.cardinality.limit
    if missed and len(numbers) < least:
        free = next(n for n in range(least) if n not in numbers)
        found.append(Problem(f"{base}.{free}", _missing(field, least), field.label))
    if len(numbers) > most:
        found.append(Problem(f"{base}.{numbers[-1]}", _too_many(most), field.label))
    seen: set[str] = set()
    for number in numbers:
        path = f"{base}.{number}"
        value = answers.get(path, "")
        message = check_value(field, value) if value else None
        if message is None and field.kind is FieldKind.SELECT and value in seen:
            message = _("This answer was already chosen above.")
        if message is not None:
            found.append(Problem(path, message, field.label))
        seen.add(value)


def _check_group(
    group: Group, base: str, answers: Mapping[str, str], given: Given, missed: bool, found: list[Problem]
) -> None:
    begun = given.numbers(base)
    most = group.cardinality.limit
    if len(begun) > most:
        found.append(Problem(f"{base}.{begun[-1]}", _too_many(most), group.label))
    expected = list(begun)
    if missed:
        free = (n for n in range(most) if n not in begun)
        while len(expected) < group.cardinality.minimum:
            expected.append(next(free))
    for number in sorted(expected):
        place = f"{base}.{number}"
        if group.choice:
            _check_choice(group, place, answers, given, found)
        else:
            _check_elements(group.elements, place, answers, given, True, found)
        _check_rules(group, place, answers, found)


def _check_choice(group: Group, place: str, answers: Mapping[str, str], given: Given, found: list[Problem]) -> None:
    chosen = [e for e in group.elements if given.numbers(f"{place}.{e.key}")]
    if not chosen and group.cardinality.required:
        found.append(Problem(place, _("Please fill in one of the parts of “%(label)s”.") % {"label": group.label}))
    elif len(chosen) > 1:
        found.append(
            Problem(
                f"{place}.{chosen[1].key}.0",
                _("Please fill in only one of the parts of “%(label)s”.") % {"label": group.label},
            )
        )
    for element in chosen:
        _check_elements((element,), place, answers, given, True, found)


def _missing(field: Field, least: int) -> str:
    if field.is_file:
        return _("Please add a file.")
    if least > 1:
        return _("Please fill in at least %(count)s entries.") % {"count": least}
    if field.type is DataType.BOOL or (field.kind is FieldKind.SELECT and field.codes):
        return _("Please choose an answer.")
    return _("Please fill in this field.")


def _too_many(most: int) -> str:
    return ngettext("At most %(count)s entry is possible.", "At most %(count)s entries are possible.", most) % {
        "count": most
    }


# Rules of the standard's own building blocks that we know by heart. Everything else is free text and only shown.
_DAY, _MONTH, _YEAR = "F60000000231", "F60000000232", "F60000000233"


def _check_rules(group: Group, place: str, answers: Mapping[str, str], found: list[Problem]) -> None:
    for rule in group.rules:
        if rule.id not in EXECUTED_RULES:
            continue
        day, month, year = (answers.get(f"{place}.{key}.0", "") for key in (_DAY, _MONTH, _YEAR))
        if rule.id == "R60000000023" and day and not month:
            found.append(Problem(f"{place}.{_MONTH}.0", _("Please enter the month as well as the day.")))
        if rule.id == "R60000000024" and day.isdecimal() and month.isdecimal() and year.isdecimal():
            try:
                date(int(year), int(month), int(day))
            except ValueError:
                if 1 <= int(day) <= 31 and 1 <= int(month) <= 12:
                    found.append(Problem(f"{place}.{_DAY}.0", _("This day does not exist. Please check the date.")))


EXECUTED_RULES = frozenset({"R60000000023", "R60000000024"})
"""Partially known date (Geburtsdatum, teilbekannt): a day needs its month; the three together are a day of the
calendar.
"""
