"""Letters (Schreiben): template, data and letterhead to PDF."""

import dataclasses
import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import typst
from django.apps import apps
from django.utils import translation
from django.utils.dateformat import format as format_date
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from verbund.platform.tenancy import current_body, local_date
from verbund.platform.tenancy.clock import LEGAL_ZONE

from .letterheads import Letterhead
from .payments import Payment, girocode_svg, in_groups
from .typesetting import printable, to_pdf

_NAME: Final = re.compile(r"\A(?P<app>[a-z_]+)/(?P<file>[a-z][a-z0-9_-]*\.typ)\Z")
_KEPT: Final = frozenset("\n\u00ad")


@dataclasses.dataclass(frozen=True, slots=True)
class Attached:
    """Attached file (eingebettete Datei): what the PDF says once more for machines. `content` is UTF-8 text."""

    filename: str
    media_type: str
    content: str
    description: str


class Failed(Exception):  # noqa: N818 - reads as the answer
    """A letter could not be set. `template` names it; `reason` is for the log and the operators."""

    def __init__(self, template: str, reason: str) -> None:
        super().__init__(f"{template}: {reason}")
        self.template = template
        self.reason = reason


def letter(
    template: str,
    data: Mapping[str, Any],
    letterhead: Letterhead | None = None,
    *,
    language: str = "de",
    attached: Attached | None = None,
) -> bytes:
    """A letter as PDF/A-2a and PDF/UA-1; the same arguments give the same bytes.

    Args:
        template: "<app>/<name>.typ" below the app's `print/` folder.
        data: what the template shows; `subject` and `date` always. Values are text, numbers, booleans, dates,
            `Payment`, and lists and mappings of these. All text is printed literally. `print/base.typ` says what the
            platform's templates know.
        letterhead: default that of the current body.
        language: of the labels, the dates and the hyphenation.
        attached: a file inside the PDF that says the same for machines; the PDF is PDF/A-3a then.

    Raises:
        Failed: no such template, data it cannot take, an error in it.
        tenancy.NoBody: without a letterhead, outside of a body.
    """
    path = _path(template)
    head = letterhead if letterhead is not None else Letterhead.of(current_body())
    dated = data.get("date")
    if isinstance(dated, datetime):
        dated = local_date(dated)
    if not isinstance(dated, date) or not str(data.get("subject") or "").strip():
        raise Failed(template, "data needs a subject and a date")
    with translation.override(language):
        try:
            values = {
                "data": _value({**data, "date": dated}),
                "head": _value({**dataclasses.asdict(head), "iban": in_groups(head.iban)}),
                "labels": _labels(language),
                "language": language,
                "dated": [dated.year, dated.month, dated.day],
                "attached": dataclasses.asdict(attached) if attached is not None else None,
            }
        except (TypeError, ValueError) as error:
            raise Failed(template, str(error)) from error
    try:
        return to_pdf(path, {"letter": json.dumps(values, ensure_ascii=False)}, dated, carrying=attached is not None)
    except typst.TypstError as error:
        raise Failed(template, error.diagnostic or error.message) from error


def euro(cents: int) -> str:
    """An amount in euro cents as a letter shows it: 1.234,56 € with a no-break space."""
    sign = "-" if cents < 0 else ""
    euros, rest = divmod(abs(cents), 100)
    return f"{sign}{euros:,}".replace(",", ".") + f",{rest:02d}\u00a0€"


def _path(template: str) -> Path:
    found = _NAME.match(template)
    if not found:
        raise Failed(template, "a template is named <app>/<name>.typ")
    try:
        folder = Path(apps.get_app_config(found["app"]).path) / "print"
    except LookupError as error:
        raise Failed(template, "no such app") from error
    path = folder / found["file"]
    if not path.is_file():
        raise Failed(template, f"no such template in {found['app']}/print/")
    return path


def _value(value: Any) -> Any:
    """The value as JSON knows it, every text made printable."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str | Promise):
        return _printable(str(value))
    if isinstance(value, datetime):
        return _printable(format_date(value.astimezone(LEGAL_ZONE), _("j F Y, g:i A")))
    if isinstance(value, date):
        return format_date(value, _("j F Y"))
    if isinstance(value, Payment):
        return _payment(value)
    if isinstance(value, Mapping):
        return {str(key): _value(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_value(entry) for entry in value]
    raise TypeError(f"a letter cannot show a {type(value).__name__}")


def _payment(payment: Payment) -> dict[str, str]:
    return {
        "payee": _printable(payment.payee),
        "iban": in_groups(payment.iban),
        "bic": payment.bic,
        "bank": _printable(payment.bank),
        "amount": euro(payment.cents),
        "reference": _printable(payment.reference),
        "due": format_date(payment.due_on, _("j F Y")),
        "code": girocode_svg(payment),
    }


def _printable(text: str) -> str:
    """NFC, without control characters; what no letter font has stays legible as [U+1F600]: nothing is lost silently."""
    known = printable()
    if text.isprintable() and known.issuperset(map(ord, text)) and unicodedata.is_normalized("NFC", text):
        return text
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))
    return "".join(_character(c, known) for c in text)


def _character(character: str, known: frozenset[int]) -> str:
    if character in _KEPT:
        return character
    category = unicodedata.category(character)
    if category in {"Cc", "Cf", "Cs"}:
        return ""
    if category == "Zs" and ord(character) not in known:
        return " "
    return character if ord(character) in known else f"[U+{ord(character):04X}]"


@lru_cache(maxsize=16)
def _labels(_language: str) -> dict[str, str]:
    """The words of the platform's templates, in the language of the letter, which is the active one."""
    return {
        "amount": _("Amount"),
        "bank": _("Bank"),
        "bic": _("BIC"),
        "contact": _("Contact"),
        "date": _("Date"),
        "draft": _("Draft"),
        "due": _("Due on"),
        "email": _("E-mail"),
        "enclosures": _("Enclosures"),
        "giro": _("GiroCode for the payment with a banking app"),
        "giro_alt": _("QR code (GiroCode) with the payment details that stand beside it as text"),
        "iban": _("IBAN"),
        "next": _("What happens next"),
        "our_reference": _("Our reference"),
        "page": _("Page {page} of {pages}"),
        "payee": _("Payee"),
        "payment": _("Payment"),
        "phone": _("Phone"),
        "received": _("Received on"),
        "received_reference": _("Your reference number"),
        "reference": _("Payment reference"),
        "remedy": _("Information on legal remedies"),
        "room": _("Room"),
        "web": _("Internet"),
        "your_message": _("Your letter of"),
        "your_reference": _("Your reference"),
        "attachments": _("Attached files"),
        "service": _("Service"),
    }
