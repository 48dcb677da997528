"""Reading XML that strangers wrote: no document type, no entities, no network, a limit of size and depth."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from lxml import etree

from verbund.platform.tenancy import Invalid

MAX_BYTES = 20_000_000


class Unreadable(Invalid):
    """The file is not one that we take; `message` says why and what to do. Nothing was written."""

    def __init__(self, message: str | Promise) -> None:
        super().__init__({"": message})
        self.message = message


def root_of(content: bytes, *, limit: int = MAX_BYTES) -> etree._Element:
    """The root element of a hostile document.

    Raises Unreadable if it is empty, larger than `limit` bytes, not well formed, or carries a document type (the way to
    entities and external files).
    """
    if not content.strip():
        raise Unreadable(_("The file is empty. Please choose another file."))
    if len(content) > limit:
        raise Unreadable(_("The file is larger than %(limit)s MB.") % {"limit": limit // 1_000_000})
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Unreadable(_("The file is not readable as XML: %(detail)s") % {"detail": str(error)[:200]}) from None
    info: Any = root.getroottree().docinfo
    if info.doctype or info.internalDTD is not None:
        raise Unreadable(_("The file carries a document type declaration (DOCTYPE). Such files are refused."))
    return root
