"""The threat model and the list of requirements name tests: each must be there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHORT = {
    "matrix": "test_permission_matrix.py",
    "forms": "test_every_form.py",
    "requests": "test_requests.py",
    "told": "test_what_is_told.py",
    "apart": "test_bodies_apart.py",
    "twice": "test_double_clicks.py",
    "kill": "test_kill_rounds.py",
    "rules": "test_accession_rules.py",
    "invariants": "test_accession_invariants.py",
    "signing": "test_signing.py",
    "measures": "test_measures.py",
    "provisioning": "test_provisioning.py",
}
_TEST = re.compile(r"([\w/.]*\w)?::(test_\w+)")
_FILE = re.compile(r"\b(?:[\w]+/)*test_\w+\.py\b")


def _files() -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for folder in ("tests", "src"):
        for path in (ROOT / folder).rglob("test_*.py"):
            found.setdefault(path.name, []).append(path)
    return found


@pytest.mark.parametrize("document", ["THREAT_MODEL.md", "docs/security/asvs.md", "docs/security/faults.md"])
def test_every_test_that_is_named_exists(document: str) -> None:
    files = _files()
    missing = []
    for line in (ROOT / document).read_text(encoding="utf-8").splitlines():
        last = ""
        for file, test in _TEST.findall(line):
            last = SHORT.get(file, file or last)
            texts = [p.read_text(encoding="utf-8") for p in files.get(Path(last).name, [])]
            if not any(f"def {test}(" in text for text in texts):
                missing.append(f"{last}::{test}")
        missing += [name for name in _FILE.findall(line) if Path(name).name not in files]
    assert missing == []
    assert document.count("/") or len(_TEST.findall((ROOT / document).read_text(encoding="utf-8"))) > 40


def test_every_guard_stands_where_the_table_says_and_in_the_list_of_faults() -> None:
    """A guard that was moved or renamed is entered anew; a fault without one says so with a dash."""
    from tools import mutations

    known = mutations.guards()
    assert [problem for guard in known for problem in guard.problems(ROOT)] == []
    text = (ROOT / "docs/security/faults.md").read_text(encoding="utf-8")
    named = {
        name
        for line in text.splitlines()
        if line.startswith("| ") and not line.startswith("| fault")
        for name in line.split(" | ")[-1].strip("| ").split(", ")
    }
    assert named - {"–"} == {guard.name for guard in known}
