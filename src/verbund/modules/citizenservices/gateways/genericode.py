"""Code lists (Codelisten) in OASIS genericode 1.0, as the XRepository publishes them."""

from dataclasses import dataclass, field
from typing import Final

from django.utils.translation import gettext as _
from lxml import etree

from verbund.modules.citizenservices.models.latin import normalised
from verbund.platform import xml

NAMESPACE: Final = "http://docs.oasis-open.org/codelist/ns/genericode/1.0/"
MAX_ROWS: Final = 100_000


class NotGenericode(xml.Refused):
    """The file is no genericode list, or one without a key; the message says which."""


@dataclass(frozen=True, slots=True)
class ReadCodeList:
    """A code list as read: every row as column -> value, and which column is the key and which the name."""

    urn: str
    version: str
    version_urn: str
    name: str
    columns: tuple[str, ...]
    key_column: str
    name_column: str
    rows: list[dict[str, str]]
    notes: list[str] = field(default_factory=list)


_NAMES: Final = (
    "name",
    "bezeichnung",
    "beschreibung",
    "description-de-de",
    "wert",
    "staatenname-kurz",
    "bezeichnung-lang",
)


def read_code_list(content: bytes) -> ReadCodeList:
    """Read a genericode list.

    The key is the first single-column key; the name is the column known by its usual names, else the first that is not
    the key.

    Raises:
        xml.Refused: not XML that we take. NotGenericode: no genericode, no identification, no key, or a row without its
            code.
    """
    root = xml.parse(content)
    if root.tag != f"{{{NAMESPACE}}}CodeList":
        raise NotGenericode(
            _("The file is not a genericode list: its root element is “%(root)s”.") % {"root": str(root.tag)[:120]}
        )
    identification = root.find("Identification")
    columns = [c.get("Id", "") for c in root.findall("ColumnSet/Column")]
    keys = [[ref.get("Ref", "") for ref in key.findall("ColumnRef")] for key in root.findall("ColumnSet/Key")]
    single = next((k[0] for k in keys if len(k) == 1 and k[0] in columns), "")
    if identification is None or not single:
        raise NotGenericode(_("The list has no identification or no key of one column."))
    urn = (identification.findtext("CanonicalUri") or "").strip()
    version = (identification.findtext("Version") or "").strip()
    version_urn = (identification.findtext("CanonicalVersionUri") or "").strip() or f"{urn}_{version}"
    if not urn or not version:
        raise NotGenericode(_("The list does not say its name (CanonicalUri) and version."))
    name = (identification.findtext("LongName") or identification.findtext("ShortName") or urn).strip()
    notes: list[str] = []
    rows = _rows(root, single, notes)
    return ReadCodeList(
        urn, version, version_urn, normalised(name), tuple(columns), single, _name_column(columns, single), rows, notes
    )


def _rows(root: etree._Element, key: str, notes: list[str]) -> list[dict[str, str]]:
    rows: dict[str, dict[str, str]] = {}
    for number, row in enumerate(root.findall("SimpleCodeList/Row"), start=1):
        if number > MAX_ROWS:
            raise NotGenericode(_("The list has more than %(count)s rows.") % {"count": MAX_ROWS})
        values: dict[str, str] = {}
        for value in row.findall("Value"):
            column = value.get("ColumnRef", "")
            simple = value.find("SimpleValue")
            if simple is None:
                if value.find("ComplexValue") is not None:
                    notes.append(_("row %(row)s: complex value in “%(column)s”") % {"row": number, "column": column})
                continue
            values[column] = " ".join(normalised(simple.text or "").split())
        code = values.get(key, "")
        if not code:
            raise NotGenericode(
                _("Row %(row)s has no value in the key column “%(column)s”.") % {"row": number, "column": key}
            )
        if code in rows:
            notes.append(
                _("row %(row)s: code “%(code)s” occurs again, the first is kept") % {"row": number, "code": code}
            )
            continue
        rows[code] = values
    if not rows:
        raise NotGenericode(_("The list has no rows."))
    return list(rows.values())


def _name_column(columns: list[str], key: str) -> str:
    by_name = {column.casefold(): column for column in columns if column != key}
    for wanted in _NAMES:
        if wanted in by_name:
            return by_name[wanted]
    for column in columns:
        if column != key:
            return column
    return key
