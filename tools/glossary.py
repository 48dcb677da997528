"""The glossary: one page out of `docs/glossary/*.tsv` (German term, identifier, meaning), by area.

python tools/glossary.py          writes docs/glossary.md
python tools/glossary.py check    exit 1 when it is not current, or a row is wrong
"""

import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROWS = ROOT / "docs" / "glossary"
PAGE = ROOT / "docs" / "glossary.md"
HEAD = """# Glossary

German legal and administrative terms, and the identifiers that stand for them in the source. Each area keeps its own
rows in `docs/glossary/`; this page is put together by `python tools/glossary.py` and checked by the tests.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One term of an area."""

    area: str
    german: str
    identifier: str
    meaning: str


class WrongRow(Exception):  # noqa: N818 - names the mistake
    """A line that is not `german<TAB>identifier<TAB>meaning`."""


def rows() -> list[Row]:
    """All rows, by area and German term.

    Raises:
        WrongRow: naming file and line.
    """
    found = []
    for file in sorted(ROWS.glob("*.tsv")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            if not line.strip() or line.startswith("#"):
                continue
            parts = [part.strip() for part in line.split("\t")]
            if len(parts) != 3 or not all(parts):
                raise WrongRow(f"{file.relative_to(ROOT)}:{number}: german<TAB>identifier<TAB>meaning is expected")
            if parts[1] == "identifier":
                continue
            found.append(Row(file.stem, *parts))
    return sorted(found, key=lambda row: (row.area, row.german.casefold()))


def page() -> str:
    """The whole page."""
    lines = [HEAD]
    area = ""
    for row in rows():
        if row.area != area:
            area = row.area
            lines += [f"\n## {area}\n", "| German | Identifier | Meaning |", "|---|---|---|"]
        meaning = row.meaning.replace("|", "\\|")
        lines.append(f"| {row.german} | `{row.identifier}` | {meaning} |")
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """The command line."""
    try:
        text = page()
    except WrongRow as error:
        print(error)
        return 1
    if arguments == ["check"]:
        if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
            print("docs/glossary.md is not current: python tools/glossary.py")
            return 1
        return 0
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
