"""Reading XML that strangers wrote: the one parser of the house.

    root = xml.parse(content, limit=20_000_000)    # -> lxml element, or xml.Refused with a message for people

No document type (and so no entities and no external files), no network, no other encoding than the listed ones, a
limit of size, of depth and of the number of nodes. Comments and processing instructions are dropped.
"""

import codecs
import re
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from lxml import etree

from verbund.platform.tenancy import Invalid

MAX_BYTES: Final = 20_000_000
# A node of libxml2 is some thirty times larger than its shortest text, `<a/>`.
MAX_NODES: Final = 2_500_000
ENCODINGS: Final = frozenset(
    codecs.lookup(name).name for name in ("utf-8", "utf-16", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252")
)
_DECLARATION: Final = re.compile(
    r"<\?xml\s+version\s*=\s*(?:\"[^\"<>]{1,8}\"|'[^'<>]{1,8}')"
    r"(?:\s+encoding\s*=\s*(?:\"(?P<a>[A-Za-z][\w.\-]{0,40})\"|'(?P<b>[A-Za-z][\w.\-]{0,40})'))?"
    r"(?:\s+standalone\s*=\s*(?:\"[a-z]{2,3}\"|'[a-z]{2,3}'))?\s*\?>",
    re.ASCII,
)
_TYPE_DECLARED: Final = re.compile(r"(?:\s++|<\?(?:[^?]|\?(?!>))*+\?>|<!--(?:[^\-]|-(?!->))*+-->)*+<!DOCTYPE", re.ASCII)


class Refused(Invalid):
    """The file is not XML that we take; `message` says why and what to do."""

    def __init__(self, message: str | Promise) -> None:
        super().__init__({"": message})
        self.message = message


def parse(content: bytes, *, limit: int = MAX_BYTES) -> etree._Element:
    """The root element of a document somebody sent.

    `limit` is the most bytes taken. Attributes keep the order of the file; comments and processing instructions are
    gone.

    Raises:
        Refused: empty, larger than `limit`, in another encoding than `ENCODINGS`, with a document type, more than
            `MAX_NODES` nodes, nested deeper than libxml2 takes (256), or not well formed.
    """
    if not content.strip():
        raise Refused(_("The file is empty. Please choose another file."))
    if len(content) > limit:
        raise Refused(_("The file is larger than %(limit)s MB.") % {"limit": f"{limit / 1_000_000:.3g}"})
    text = _decoded(content)
    if _TYPE_DECLARED.match(text):
        raise Refused(_("The file carries a document type declaration (DOCTYPE). Such files are refused."))
    if text.count("<") + text.count("=") > MAX_NODES:
        raise Refused(_("The file has more elements than can be read. Please split it into smaller files."))
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Refused(_("The file is not readable as XML: %(detail)s") % {"detail": str(error)[:200]}) from None
    info: Any = root.getroottree().docinfo  # the stubs leave its attributes out
    if info.doctype or info.internalDTD is not None:
        raise Refused(_("The file carries a document type declaration (DOCTYPE). Such files are refused."))
    return root


def _decoded(content: bytes) -> str:
    """The text without its XML declaration; the parser then reads UTF-8 and nothing else."""
    encoding = "utf-8"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif content.startswith(codecs.BOM_UTF8):
        content = content[len(codecs.BOM_UTF8) :]
    else:
        head = _DECLARATION.match(content[:200].decode("latin-1"))
        declared = (head["a"] or head["b"] or "") if head else ""
        encoding = _known(declared) if declared else "utf-8"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise Refused(
            _("The file is not written in its encoding (%(encoding)s). Please save it as UTF-8.")
            % {"encoding": encoding.upper()}
        ) from None
    head = _DECLARATION.match(text)
    return text[head.end() :] if head else text


def _known(declared: str) -> str:
    try:
        name = codecs.lookup(declared).name
    except LookupError:
        name = ""
    if name not in ENCODINGS or name == "utf-16":  # without its mark no UTF-16 begins with "<?xml" in single bytes
        raise Refused(
            _("The encoding %(encoding)s is not taken. Please save the file as UTF-8.") % {"encoding": declared}
        )
    return name
