"""Texts and metadata as they come in, checked at the edge of the room."""

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from django.utils.translation import gettext as _

from verbund.modules.records.models import MetadataField, MetadataKind

LONGEST_NOTE: Final = 10_000


def one_line(value: str) -> str:
    """A text of one line: NFC, without control characters and superfluous space."""
    text = unicodedata.normalize("NFC", value)
    if text.isprintable():  # nearly always, and hundreds of characters need not be looked at one by one
        return " ".join(text.split())
    text = "".join(" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in text)
    return " ".join(text.split())


def lines(value: str) -> str:
    """A text of several lines: NFC, without control characters."""
    text = unicodedata.normalize("NFC", value).replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) != "Cc").strip()


def check_title(title: str, errors: dict[str, str], *, longest: int = 300, field: str = "title") -> str:
    """The title, or an error in `errors`."""
    tidy = one_line(title)
    if not tidy:
        errors[field] = _("Enter a title.")
    elif len(tidy) > longest:
        errors[field] = _("Shorten the title to at most %(longest)d characters.") % {"longest": longest}
    return tidy


def check_metadata(
    values: Mapping[str, Any] | None, fields: Sequence[MetadataField], errors: dict[str, str]
) -> dict[str, Any]:
    """Metadata (Metadaten) of a case: what the position's fields ask for is checked by kind, the rest is kept as it
    is.
    """
    given = dict(values or {})
    for field in fields:
        name, value = field["name"], given.get(field["name"])
        if value is None or value == "":
            if field["required"]:
                errors[name] = _("Enter a value for “%(label)s”.") % {"label": field["label"]}
            continue
        if field["kind"] == MetadataKind.DATE and not _is_date(value):
            errors[name] = _("Enter “%(label)s” as a date, such as 2026-03-31.") % {"label": field["label"]}
        elif field["kind"] == MetadataKind.NUMBER and not _is_number(value):
            errors[name] = _("Enter “%(label)s” as a whole number.") % {"label": field["label"]}
        elif field["kind"] == MetadataKind.TEXT:
            given[name] = one_line(str(value))
    return given


def _is_date(value: Any) -> bool:
    try:
        date.fromisoformat(str(value))
    except ValueError:
        return False
    return True


def _is_number(value: Any) -> bool:
    return str(value).lstrip("-").isdecimal()
