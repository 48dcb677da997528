"""Typst: one compiler per thread, fonts once per process, nothing of the machine in the result."""

import threading
from datetime import UTC, date, datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import typst
from fontTools.ttLib import TTFont

import verbund

ROOT: Final = Path(verbund.__file__).parent
"""What templates may read. They lie in the source; no data does."""
STANDARDS: "Final[list[typst.PDFStandard]]" = ["a-2a", "ua-1"]
CARRYING: "Final[list[typst.PDFStandard]]" = ["a-3a", "ua-1"]
"""PDF/A-3 is PDF/A-2 that may carry other files."""
# Fira Sans is the face of the portal too. Noto Sans steps in for the letters of DIN 91379 that it lacks.
_FONTS: Final = {"fontpkg_fira_sans": "FiraSans-Regular.ttf", "fontpkg_noto_sans": "NotoSans[[]wdth,wght[]].ttf"}
_NO_PACKAGES: Final = ROOT / "platform" / "printing" / "no-packages"  # does not exist: templates use no packages

_own = threading.local()


def _font_folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ImportError(f"the font package {package} is not installed")
    return Path(spec.origin).parent / "files"


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[_font_folder(package) for package in _FONTS],
    )


@cache
def printable() -> frozenset[int]:
    """The code points for which the letter fonts have a glyph."""
    points: set[int] = set()
    for package, name in _FONTS.items():
        for file in _font_folder(package).glob(name):
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


def to_pdf(template: Path, inputs: dict[str, str], dated: date, *, carrying: bool = False) -> bytes:
    """Set the template with the inputs; the PDF carries the date as its own, and a file if it is `carrying` one.

    Raises:
        typst.TypstError: an error in the template, or data it cannot take.
    """
    moment = datetime(dated.year, dated.month, dated.day, tzinfo=UTC)
    pdf = _compiler().compile(
        input=template,
        format="pdf",
        sys_inputs=inputs,
        pdf_standards=CARRYING if carrying else STANDARDS,
        timestamp=moment,
    )
    assert isinstance(pdf, bytes)
    return pdf
