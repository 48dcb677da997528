"""What kind of content it is, said by the content itself; the name may only agree.

Nothing is unpacked and nothing that could run is recognised as a document: HTML, SVG, XML with style sheets, office
files with macros are refused. Office files are judged by the directory of their zip archive.
"""

import codecs
import json
import re
import struct
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO, Final, cast

import filetype
from django.utils.translation import gettext_lazy as _
from lxml import etree

from .names import extension_of
from .refusals import Refused

PDF: Final = "application/pdf"
JPEG: Final = "image/jpeg"
PNG: Final = "image/png"
TIFF: Final = "image/tiff"
TEXT: Final = "text/plain"
CSV: Final = "text/csv"
XML: Final = "application/xml"
JSON: Final = "application/json"
ZIP: Final = "application/zip"
_OOXML: Final = "application/vnd.openxmlformats-officedocument."
DOCX: Final = f"{_OOXML}wordprocessingml.document"
XLSX: Final = f"{_OOXML}spreadsheetml.sheet"
PPTX: Final = f"{_OOXML}presentationml.presentation"
_ODF: Final = "application/vnd.oasis.opendocument."
ODT: Final = f"{_ODF}text"
ODS: Final = f"{_ODF}spreadsheet"
ODP: Final = f"{_ODF}presentation"
UNKNOWN: Final = "application/octet-stream"

DOCUMENTS: Final = frozenset({PDF, JPEG, PNG, TIFF, TEXT, CSV, XML, JSON, DOCX, XLSX, PPTX, ODT, ODS, ODP})
"""What `put` takes unless told otherwise."""
ANYTHING: Final = DOCUMENTS | {ZIP, UNKNOWN}
"""Also archives and content of no known kind; kept as octet stream, which only ever is a download."""

# The extensions a type may carry. Text types are told apart by extension, once the content has proved to be text.
EXTENSIONS: Final[dict[str, frozenset[str]]] = {
    PDF: frozenset({".pdf"}),
    JPEG: frozenset({".jpg", ".jpeg", ".jpe", ".jfif"}),
    PNG: frozenset({".png"}),
    TIFF: frozenset({".tif", ".tiff"}),
    TEXT: frozenset({".txt", ".text", ".log", ".md"}),
    CSV: frozenset({".csv", ".tsv"}),
    XML: frozenset({".xml", ".xsd", ".gc"}),
    JSON: frozenset({".json"}),
    ZIP: frozenset({".zip"}),
    DOCX: frozenset({".docx"}),
    XLSX: frozenset({".xlsx"}),
    PPTX: frozenset({".pptx"}),
    ODT: frozenset({".odt"}),
    ODS: frozenset({".ods"}),
    ODP: frozenset({".odp"}),
}
_BY_EXTENSION: Final = {extension: kind for kind, extensions in EXTENSIONS.items() for extension in extensions}
_LABELS: Final = {
    **{kind: min(extensions, key=len).lstrip(".").upper() for kind, extensions in EXTENSIONS.items()},
    JPEG: "JPEG",
    TIFF: "TIFF",
    XML: "XML",
    TEXT: "TXT",
    CSV: "CSV",
}
_TEXTUAL: Final = frozenset({TEXT, CSV, XML, JSON})
_BY_SIGNATURE: Final = frozenset({JPEG, PNG, TIFF})
_OFFICE: Final = {"word/": DOCX, "xl/": XLSX, "ppt/": PPTX}

_HEAD: Final = 4096
_PIECE: Final = 1024 * 1024
_SPACE: Final = b" \t\r\n\x0c"
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_NOT_CP1252: Final = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
# The beginnings by which browsers take content for HTML (WHATWG MIME Sniffing, 7.1), and SVG.
_MARKUP: Final = re.compile(
    rb"(?i)<(!doctype|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|svg|math|object|embed)[\s>/]"
)
_RUNNING: Final = frozenset(
    {
        "http://www.w3.org/1999/xhtml",
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/XSL/Transform",
        "http://www.w3.org/1998/Math/MathML",
    }
)
_RUNNING_ROOTS: Final = frozenset({"html", "svg", "stylesheet", "transform"})

MOST_PARTS: Final = 5_000
MOST_DIRECTORY: Final = 1_000_000  # bytes
MOST_UNPACKED: Final = 500_000_000  # bytes
MOST_RATIO: Final = 200
_RATIO_COUNTS_FROM: Final = 10_000_000  # bytes; small parts full of blanks pack better than any bomb


class WrongType(Refused):
    """The content is of no kind that can be taken, or not of the kind its name says."""


def recognise(content: BinaryIO, *, filename: str, allow: frozenset[str]) -> str:
    """The media type of the content, from its bytes; the position of the stream is lost.

    Raises:
        WrongType: not one of `allow`, something that could run, damaged, or at odds with the extension of `filename`.
    """
    extension = extension_of(filename)
    kind = _kind(content, extension)
    if kind not in allow:
        if UNKNOWN in allow:
            return UNKNOWN
        raise WrongType(
            _("This kind of file cannot be taken. Please send it as one of: %(kinds)s.") % {"kinds": _names(allow)}
        )
    expected = _BY_EXTENSION.get(extension)
    if kind == UNKNOWN or not extension or extension in EXTENSIONS[kind]:
        return kind
    if expected is None and UNKNOWN in allow:
        return UNKNOWN
    raise WrongType(
        _(
            "The name of the file ends in “%(extension)s”, but its content is of another kind (%(kind)s). "
            "Please save it again and send that file."
        )
        % {"extension": extension, "kind": _names(frozenset({kind}))}
    )


def _names(kinds: frozenset[str]) -> str:
    return ", ".join(sorted(_LABELS[kind] for kind in kinds if kind in _LABELS))


def _kind(content: BinaryIO, extension: str) -> str:
    content.seek(0)
    head = content.read(_HEAD)
    if head.removeprefix(codecs.BOM_UTF8).lstrip(_SPACE).startswith(b"%PDF-"):
        return PDF
    if head.startswith(b"PK\x03\x04"):
        return _archive(content)
    guessed = filetype.guess(head)
    if guessed is not None and guessed.mime in _BY_SIGNATURE:
        return str(guessed.mime)
    if guessed is not None:
        return UNKNOWN
    return _text(content, head, extension)


def _text(content: BinaryIO, head: bytes, extension: str) -> str:
    """Text in UTF-8, or in the code page of older programs (windows-1252) for plain text and CSV."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise WrongType(_("The text is in UTF-16. Please save it as UTF-8 and send that file."))
    utf8 = codecs.getincrementaldecoder("utf-8")()
    is_utf8, is_cp1252 = True, True
    content.seek(0)
    while piece := content.read(_PIECE):
        if _CONTROL.search(piece):
            return UNKNOWN
        if is_utf8:
            try:
                utf8.decode(piece)
            except UnicodeDecodeError:
                is_utf8 = False
        if is_cp1252 and _NOT_CP1252.search(piece):
            is_cp1252 = False
    if is_utf8:
        try:
            utf8.decode(b"", final=True)
        except UnicodeDecodeError:
            is_utf8 = False
    beginning = head.removeprefix(codecs.BOM_UTF8).lstrip(_SPACE)
    if beginning.startswith((b"<?xml", b"<!--")) or (beginning.startswith(b"<") and extension in EXTENSIONS[XML]):
        return _xml(content)
    if _MARKUP.match(beginning):
        return UNKNOWN
    declared = _BY_EXTENSION.get(extension, TEXT)
    if declared not in _TEXTUAL or declared == XML:
        declared = TEXT
    if not is_utf8:
        return declared if is_cp1252 and declared in {TEXT, CSV} else UNKNOWN
    if declared == JSON:
        return _json(content)
    return declared


def _json(content: BinaryIO) -> str:
    content.seek(0)
    try:
        json.loads(content.read())
    except (ValueError, RecursionError) as error:
        raise WrongType(_("The file is not valid JSON. Please export it again and send that file.")) from error
    return JSON


def _xml(content: BinaryIO) -> str:
    """Well-formed XML without document type, style sheet and anything a browser would run."""
    content.seek(0)
    parser = etree.XMLPullParser(
        events=("start", "end", "pi"), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    first = True
    try:
        while piece := content.read(_PIECE):
            parser.feed(piece)
            for event, node in cast(Iterator[tuple[str, etree._Element]], parser.read_events()):
                if event == "pi":
                    if getattr(node, "target", "") == "xml-stylesheet":
                        return UNKNOWN
                elif event == "end":
                    node.clear()
                elif _runs(node, first=first):
                    return UNKNOWN
                elif first:
                    first = False
                    if cast(Any, node.getroottree()).docinfo.doctype:
                        raise WrongType(
                            _("XML files with a document type (DOCTYPE) are not taken. Please send it without.")
                        )
        parser.close()
    except etree.XMLSyntaxError as error:
        raise WrongType(_("The file is not well-formed XML. Please export it again and send that file.")) from error
    return XML


def _runs(element: etree._Element, *, first: bool) -> bool:
    name = etree.QName(element)
    return name.namespace in _RUNNING or (first and name.localname.lower() in _RUNNING_ROOTS)


def _archive(content: BinaryIO) -> str:
    """The kind of a zip archive, by its directory; nothing but the `mimetype` entry of OpenDocument is read."""
    damaged = WrongType(_("The file is damaged and cannot be opened. Please save it again and send that file."))
    if _directory_size(content) > MOST_DIRECTORY:
        raise WrongType(_("The file holds too many parts. Please split it and send the parts one by one."))
    try:
        with zipfile.ZipFile(content) as archive:
            parts = archive.infolist()
            _refuse_bomb(parts)
            names = {part.filename for part in parts}
            kind = _office_kind(archive, parts, names)
    except (zipfile.BadZipFile, struct.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise damaged from error
    if kind != ZIP:
        if any(part.flag_bits & 0x1 for part in parts):
            raise WrongType(_("The file is protected by a password. Please send it without one."))
        if _has_macros(names):
            raise WrongType(
                _("The file contains macros. Please save it without macros, best as PDF, and send that file.")
            )
    return kind


def _directory_size(content: BinaryIO) -> int:
    """Bytes of the central directory as the end record says (APPNOTE 4.3.16); a zip64 mark is beyond any limit."""
    size = content.seek(0, 2)
    content.seek(max(0, size - 65_557))
    tail = content.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        return 0  # zipfile will say that it is damaged
    return int(struct.unpack_from("<L", tail, at + 12)[0])


def _refuse_bomb(parts: list[zipfile.ZipInfo]) -> None:
    unpacked = sum(part.file_size for part in parts)
    packed = sum(part.compress_size for part in parts)
    if len(parts) > MOST_PARTS:
        raise WrongType(_("The file holds too many parts. Please split it and send the parts one by one."))
    if unpacked > MOST_UNPACKED or (unpacked > _RATIO_COUNTS_FROM and unpacked > MOST_RATIO * max(packed, 1)):
        raise WrongType(_("The file would become far too large when opened. Please send it as PDF."))


def _office_kind(archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo], names: set[str]) -> str:
    first = parts[0] if parts else None
    if first and first.filename == "mimetype" and first.compress_type == zipfile.ZIP_STORED and first.file_size <= 100:
        declared = archive.read(first).decode("ascii", errors="replace").strip()
        return declared if declared in {ODT, ODS, ODP} else ZIP
    if "[Content_Types].xml" in names:
        for folder, kind in _OFFICE.items():
            if any(name.startswith(folder) for name in names):
                return kind
    return ZIP


def _has_macros(names: set[str]) -> bool:
    lowered = {name.lower() for name in names}
    return any(
        n.endswith("vbaproject.bin") or "/activex/" in n or n.startswith(("basic/", "scripts/")) for n in lowered
    )
