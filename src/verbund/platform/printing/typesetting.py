"""Typst: one compiler per thread, fonts once per process, nothing of the machine in the result."""

import threading
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Final

import fontpkg_fira_sans
import fontpkg_noto_sans
import typst
from fontTools.ttLib import TTFont

import verbund

ROOT: Final = Path(verbund.__file__).parent
"""What templates may read. They lie in the source; no data does."""
STANDARDS: "Final[list[typst.PDFStandard]]" = ["a-2a", "ua-1"]
_FONTS: Final = (Path(fontpkg_fira_sans.__file__).parent / "files", Path(fontpkg_noto_sans.__file__).parent / "files")
_NO_PACKAGES: Final = ROOT / "platform" / "printing" / "no-packages"  # does not exist: templates use no packages

_own = threading.local()


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=list(_FONTS))


@cache
def printable() -> frozenset[int]:
    """The code points for which the letter fonts have a glyph."""
    points: set[int] = set()
    for folder, name in zip(_FONTS, ("FiraSans-Regular.ttf", "NotoSans[[]wdth,wght[]].ttf"), strict=True):
        for file in folder.glob(name):
            with TTFont(file, lazy=True) as font:
                points.update(font.getBestCmap())
    return frozenset(points)


def _compiler() -> typst.Compiler:
    """The thread's compiler: it keeps parsed templates and may not be entered twice at a time."""
    compiler: typst.Compiler | None = getattr(_own, "compiler", None)
    if compiler is None:
        compiler = _own.compiler = typst.Compiler(
            root=ROOT,
            font_paths=_fonts(),
            ignore_system_fonts=True,
            package_path=_NO_PACKAGES,
            package_cache_path=_NO_PACKAGES,
        )
    return compiler


def to_pdf(template: Path, inputs: dict[str, str], dated: date) -> bytes:
    """Set the template with the inputs; the PDF carries the date as its own.

    Raises:
        typst.TypstError: an error in the template, or data it cannot take.
    """
    moment = datetime(dated.year, dated.month, dated.day, tzinfo=UTC)
    pdf = _compiler().compile(
        input=template, format="pdf", sys_inputs=inputs, pdf_standards=STANDARDS, timestamp=moment
    )
    assert isinstance(pdf, bytes)
    return pdf
