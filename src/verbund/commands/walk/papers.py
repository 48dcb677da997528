"""Looking at the PDFs the house sends: what they claim, what they say, what they weigh."""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

import pypdfium2

from .report import true
from .visitor import Page

_PART: Final = re.compile(rb"pdfaid:part(?:>|=[\"'])(\d)")
_CONFORMANCE: Final = re.compile(rb"pdfaid:conformance(?:>|=[\"'])([A-Z])")
_UA: Final = re.compile(rb"pdfuaid:part(?:>|=[\"'])(\d)")


@dataclass(frozen=True, slots=True)
class Paper:
    """A PDF: size in bytes, SHA-256, pages, text, and what its metadata claim."""

    size: int
    sha256: str
    pages: int
    text: str
    claims: str
    content: bytes

    def evidence(self) -> str:
        """One line."""
        return f"{self.size} bytes, {self.pages} p., {self.claims}, SHA-256 {self.sha256}"


def paper(page: Page) -> Paper:
    """The PDF that was answered; it must claim PDF/A-2a and PDF/UA-1.

    Raises:
        Untrue: it is none, or claims less.
    """
    true(page.media_type == "application/pdf", f"{page.path}: {page.media_type} instead of a PDF")
    true(page.headers.get("x-content-type-options") == "nosniff", f"{page.path}: sent without nosniff")
    content = page.content
    part, conformance, ua = _PART.search(content), _CONFORMANCE.search(content), _UA.search(content)
    true(part and conformance and ua, f"{page.path}: the PDF claims neither PDF/A nor PDF/UA")
    assert part is not None
    assert conformance is not None
    assert ua is not None
    claims = f"PDF/A-{part[1].decode()}{conformance[1].decode().lower()} PDF/UA-{ua[1].decode()}"
    true(claims == "PDF/A-2a PDF/UA-1", f"{page.path}: claims {claims}")
    document = pypdfium2.PdfDocument(content)
    try:
        text = " ".join(document[n].get_textpage().get_text_range() for n in range(len(document)))
        pages = len(document)
    finally:
        document.close()
    return Paper(len(content), hashlib.sha256(content).hexdigest(), pages, " ".join(text.split()), claims, content)
