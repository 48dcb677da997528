"""The words of the format (XDatenfelder 3.0.0): which elements and attributes there are, and how they are read."""

import re
from typing import Final

from django.utils.translation import gettext as _
from lxml import etree

from verbund.modules.citizenservices.models.latin import normalised
from verbund.platform import xml

NAMESPACE: Final = "urn:xoev-de:fim:standard:xdatenfelder_3.0.0"

_ABOUT: Final = frozenset(
    {
        "identifikation", "name", "beschreibung", "definition", "bezug", "freigabestatus", "statusGesetztAm",
        "statusGesetztDurch", "gueltigAb", "gueltigBis", "versionshinweis", "veroeffentlichungsdatum",
        "letzteAenderung", "stichwort", "relation",
    }
)  # fmt: skip
_ELEMENT: Final = _ABOUT | {
    "bezeichnungEingabe", "bezeichnungAusgabe", "schemaelementart", "hilfetextEingabe", "hilfetextAusgabe", "regel",
}  # fmt: skip
KNOWN: Final[dict[str, frozenset[str]]] = {
    "stammdatenschema": _ABOUT
    | {
        "bezeichnung", "hilfetext", "ableitungsmodifikationenStruktur", "ableitungsmodifikationenRepraesentation",
        "dokumentsteckbrief", "regel", "struktur",
    },
    "datenfeldgruppe": _ELEMENT | {"art", "struktur"},
    "datenfeld": _ELEMENT
    | {
        "feldart", "datentyp", "praezisierung", "inhalt", "vorbefuellung", "werte", "codelisteReferenz", "codeKey",
        "nameKey", "helpKey", "maxSize", "mediaType",
    },
    "struktur": frozenset({"anzahl", "bezug", "enthaelt"}),
    "regel": _ABOUT
    | {"freitextRegel", "fachlicherErsteller", "typ", "param", "ziel", "skript", "script", "fehler"},
    "wert": frozenset({"code", "name", "hilfe"}),
    "werte": frozenset({"wert"}),
    "codelisteReferenz": frozenset({"id", "canonicalIdentification", "version", "canonicalVersionUri"}),
    "relation": frozenset({"praedikat", "objekt"}),
}  # fmt: skip
MANY: Final = frozenset(
    {"bezug", "stichwort", "relation", "regel", "struktur", "wert", "mediaType", "param", "ziel", "fehler"}
)
ATTRIBUTES: Final[dict[str, frozenset[str]]] = {
    "bezug": frozenset({"link"}),
    "stichwort": frozenset({"uri"}),
    "praezisierung": frozenset({"minLength", "maxLength", "minValue", "maxValue", "pattern"}),
}
CODED: Final = frozenset(
    {
        "freigabestatus", "schemaelementart", "feldart", "datentyp", "vorbefuellung", "typ", "art", "praedikat",
        "ableitungsmodifikationenStruktur", "ableitungsmodifikationenRepraesentation",
    }
)  # fmt: skip
_ID: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}", re.ASCII)


class NotXDatenfelder3(xml.Refused):
    """The file is of another format or version; the message names it."""


class BrokenSchema(xml.Refused):
    """The file says it is XDatenfelder 3.0.0 but lacks what a form needs."""


def q(tag: str) -> str:
    """The name of an element with its namespace."""
    return f"{{{NAMESPACE}}}{tag}"


def local(node: etree._Element) -> str:
    """The name of an element without its namespace; "?" for a comment or an instruction."""
    return etree.QName(node).localname if isinstance(node.tag, str) else "?"


def clean(text: str | None) -> str:
    """NFC, every line without spaces at its ends, at most one empty line in a row."""
    if not text:
        return ""
    lines = [" ".join(line.split()) for line in normalised(text).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def identity_of(node: etree._Element) -> tuple[str, str]:
    """Id and version of an element.

    Raises:
        BrokenSchema: it has none, or more than one.
    """
    kind = local(node)
    found = node.find(q("identifikation"))
    if found is None:
        raise BrokenSchema(_("An element “%(kind)s” has no “identifikation”.") % {"kind": kind})
    for child in found:
        if local(child) not in ("id", "version"):
            raise BrokenSchema(
                _("Unknown element “%(name)s” in the “identifikation” of “%(kind)s”.")
                % {"name": local(child), "kind": kind}
            )
    ids, versions = found.findall(q("id")), found.findall(q("version"))
    ident = clean(ids[0].text) if ids else ""
    if len(ids) != 1 or len(versions) > 1 or not _ID.fullmatch(ident):
        raise BrokenSchema(
            _("An element “%(kind)s” has no valid “id” (found: “%(id)s”).") % {"kind": kind, "id": ident[:60]}
        )
    return ident, clean(versions[0].text) if versions else ""


def code_of(node: etree._Element, tag: str) -> str:
    """The code of a coded element; its child `code` stands in no namespace in released files, in the standard's in
    others.
    """
    element = node.find(q(tag))
    if element is None:
        return ""
    return clean(element.findtext("code") or element.findtext(q("code")))


def text_of(node: etree._Element, tag: str) -> str:
    """The text of a child, "" where there is none."""
    return clean(node.findtext(q(tag)))


def required_text(node: etree._Element, tag: str, owner: str) -> str:
    """The text of a child that must be there.

    Raises:
        BrokenSchema: it is not.
    """
    text = text_of(node, tag)
    if not text:
        raise BrokenSchema(_("%(owner)s has no “%(tag)s”.") % {"owner": owner, "tag": tag})
    return text


def at(ident: str, name: str) -> dict[str, str]:
    """Where something stands, as messages say it."""
    return {"owner": ident, "name": name}
