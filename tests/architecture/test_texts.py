"""Texts for people stand in the catalogues: no German in code, none in templates, and the German is complete."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "verbund"
_GERMAN = re.compile(r"[A-Za-zäöüÄÖÜß]*[äöüÄÖÜß][A-Za-zäöüÄÖÜß]*")

# Files that hold German on purpose: data of the language itself, or of the demo.
DATA = {
    "commands/demo/": "the invented alliance",
    "commands/walk/": "the invented town",
    "modules/citizenservices/models/sample.py": "invented answers to German forms",
    "modules/citizenservices/models/party.py": "names of address fields in German forms",
    "modules/records/queries/": "how German words are spelled",
    "modules/records/services/fileplan.py": "column names of file plans in circulation",
    "platform/identity/services/units.py": "letters allowed in codes of units",
}


def _strings(path: Path) -> Iterator[tuple[int, str]]:
    """String constants that are no docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.lineno, node.value


def test_no_german_stands_in_code() -> None:
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        place = str(path.relative_to(SOURCE))
        if {"migrations", "tests"}.intersection(path.parts) or any(place.startswith(known) for known in DATA):
            continue
        lines = [line for line, text in _strings(path) if any(len(word) > 3 for word in _GERMAN.findall(text))]
        if lines:
            found[place] = lines
    assert found == {}


def test_the_german_catalogues_are_complete() -> None:
    done = subprocess.run(
        [sys.executable, "tools/messages.py", "check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:]
