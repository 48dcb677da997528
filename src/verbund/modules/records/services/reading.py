"""Taking the text out of a content, for the search."""

import zipfile
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from lxml import etree

from verbund.modules.records.gateways.pdf import CHARACTERS, reader

PDF: Final = "application/pdf"
_WORD: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_ODT: Final = "application/vnd.oasis.opendocument.text"
_OFFICE: Final = {_WORD: "word/document.xml", _ODT: "content.xml"}
_PLAIN: Final = frozenset({"text/plain", "text/csv", "application/json", "application/xml"})
_MOST_XML: Final = 20_000_000  # bytes of an office document's text part, unpacked


@dataclass(frozen=True, slots=True)
class ContentText:
    """ContentText (Textinhalt): what a reader sees; `note` is "" or why it is missing or not whole."""

    text: str
    pages: int | None
    note: str


def read_text(content: bytes, media_type: str) -> ContentText:
    """The text of a content; never raises for a broken one."""
    if media_type == PDF:
        found = reader().text(content)
        return ContentText(_tidy(found.text), found.pages, found.note)
    if media_type in _PLAIN:
        return _cut(content.decode("utf-8", "replace"))
    if media_type in _OFFICE:
        try:
            return _cut(_office(content, _OFFICE[media_type]))
        except (zipfile.BadZipFile, etree.XMLSyntaxError, KeyError, ValueError, NotImplementedError, EOFError, OSError):
            return ContentText("", None, "unreadable")
    return ContentText("", None, "no_text")


def _cut(text: str) -> ContentText:
    tidy = _tidy(text)
    return ContentText(tidy[:CHARACTERS], None, "too_long" if len(tidy) > CHARACTERS else "")


def _tidy(text: str) -> str:
    """Without what a database text cannot hold, and with words whole again that were divided at the end of a line."""
    text = text.replace("\x00", " ").replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\u00ad\n", "").replace("\ufffe", "").replace("\u00ad", "").encode("utf-8", "replace").decode()


def _office(content: bytes, part: str) -> str:
    with zipfile.ZipFile(BytesIO(content)) as archive, archive.open(part) as member:
        data = member.read(_MOST_XML + 1)
    if len(data) > _MOST_XML:
        raise ValueError("too large")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    if b"<!DOCTYPE" in data:
        raise ValueError("a document type declaration")
    root = etree.fromstring(data, parser)
    paragraphs = (e for e in root.iter() if isinstance(e.tag, str) and etree.QName(e).localname in {"p", "h"})
    return "\n".join("".join(map(str, p.itertext())) for p in paragraphs)
