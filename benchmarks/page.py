"""`python -m benchmarks.page`: writes the figures of the last runs into docs/benchmarks.md, between its markers."""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from .place import ROOT, root_folder
from .rows import Row, read, table

PAGE: Final = ROOT / "docs" / "benchmarks.md"
_FILES: Final = {"bench": "bench.json", "bench-growth": "bench-growth.json"}


def main() -> int:
    """Fill in what there is; a run that has not been made leaves its part of the page as it is."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else root_folder()
    text = PAGE.read_text(encoding="utf-8")
    for name, file in _FILES.items():
        try:
            rows, about = read(folder / file)
        except FileNotFoundError as missing:
            print(f"{name}: left as it is, there is no {missing.filename}")
            continue
        text = filled(text, name, figures(rows, about))
        print(f"{name}: {len(rows)} rows of commit {about['commit']}")
    PAGE.write_text(text, encoding="utf-8")
    return 0


def filled(text: str, name: str, figures: str) -> str:
    """The page with what stands between the markers of `name` exchanged.

    Raises:
        ValueError: it has no such markers.
    """
    begin, end = f"<!-- figures: {name} -->", f"<!-- end: {name} -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"the page has no markers for {name}")
    return pattern.sub(lambda _found: f"{begin}\n{figures}\n{end}", text)


def figures(rows: Sequence[Row], about: Mapping[str, Any]) -> str:
    """What the run was made on, and its table in Markdown."""
    changed = " (with changes not committed)" if about.get("changed_since_commit") else ""
    lines = [
        f"Measured {about['date']} on commit `{about['commit'] or '?'}`{changed}: {about['machine']}, {about['cores']}"
        f" cores, {about['memory_gb']} GB, {about['system']}, Python {about['python']}, PostgreSQL"
        f" {about['postgresql']}; {about['cases']:,} cases, {about['bodies']} bodies; {about['seconds']} s in all;"
        f" load of the machine before the run {about['load'][0]}, at its end {about['load_at_end'][0]}.",
        "",
    ]
    heading, *body = table(rows)
    lines += [f"| {' | '.join(heading)} |", f"|{'|'.join('---' for _cell in heading)}|"]
    lines += [f"| {' | '.join(line)} |" for line in body]
    idle = ", ".join(f"{name} {cost:g}" for name, cost in about.get("idle_ms_per_s", {}).items())
    many = ", ".join(f"{name} {cost:g}" for name, cost in about.get("idle_ms_per_s_200b", {}).items())
    lines += ["", f"At rest, in milliseconds of CPU a second (taken off the figures above): {idle}."]
    if many:
        lines += [f"With {about['bodies']} bodies: {many}."]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
