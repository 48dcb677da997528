"""Take one guard out after the other and see its tests go red (Mutationsprobe): `make mutations`.

    python tools/mutations.py [NAME ...] [--list] [--green]

`tests/mutations.toml` names the guards: where each stands, what stands there without it, and the tests that must then
fail. Everything happens in a copy of the source; the tree itself is never touched. `--green` runs the tests of the
guards first as they are, and wants them green. The exit code is 1 when a guard is missed by no test.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "tests" / "mutations.toml"
COPIED = ("src", "tests", "tools", "benchmarks", "docs", "conftest.py", "pyproject.toml")
LINKED = ("node_modules", ".venv")
TOO_LONG = 124
FAILED = 1  # pytest: tests ran, and some failed; anything above is no answer
AS_IT_IS = "as-it-is"  # the source that no guard is taken out of: the test database is made of it
SECURITY = "tests/security/"
PATIENCE = 600.0  # seconds for the tests of one guard


@dataclass(frozen=True)
class Change:
    """What stands in a file, and what stands there without the guard."""

    file: str
    old: str
    new: str

    def problem(self, root: Path) -> str:
        """Why it cannot be made in this tree, or ""."""
        path = root / self.file
        times = path.read_text(encoding="utf-8").count(self.old) if path.exists() else 0
        return "" if times == 1 else f"{self.file}: the text of the guard stands there {times} times"


@dataclass(frozen=True)
class Guard:
    """A guard (Sicherung): what it holds off, how it is taken out, and which tests miss it."""

    name: str
    what: str
    tests: tuple[str, ...]
    changes: tuple[Change, ...]

    def problems(self, root: Path) -> list[str]:
        """What is wrong with the entry in this tree."""
        missing = [t for t in self.tests if not (root / t.partition("::")[0]).exists()]
        return [p for p in (c.problem(root) for c in self.changes) if p] + [f"{t}: no such test" for t in missing]


def guards(table: Path = TABLE) -> list[Guard]:
    """The guards of the table."""
    read = tomllib.loads(table.read_text(encoding="utf-8"))
    return [
        Guard(name, entry["what"], tuple(entry["tests"]), tuple(Change(**change) for change in entry["change"]))
        for name, entry in read.items()
    ]


def copied(place: Path) -> Path:
    """The source as it is now, in a folder of its own."""
    root = place / "verbund"
    root.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, root / name)
    for name in LINKED:
        (root / name).symlink_to(ROOT / name)
    for name in ("src", "tests"):
        shutil.copytree(root / name, place / AS_IT_IS / name)
    return root


def run(root: Path, tests: tuple[str, ...]) -> tuple[int, str]:
    """The exit code of pytest, and its last lines. The world of the security tests is built by the first run."""
    world = root.parent / str(os.getpid())
    world.mkdir(exist_ok=True)
    var = os.environ.get("VERBUND_VAR", str(ROOT / "var"))
    environment = {
        **os.environ,
        "VERBUND_VAR": var,
        "VERBUND_TEST_SCHEMA_OF": str(root.parent / AS_IT_IS),
        "VERBUND_TEST_WORLD": str(world),
        "VERBUND_STAFF_IDLE_MINUTES": "600",  # its sessions are as old as the world
        "VERBUND_CITIZEN_IDLE_MINUTES": "600",
        "PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        return TOO_LONG, f"no end within {PATIENCE:.0f} seconds"
    return done.returncode, "\n".join(done.stdout.splitlines()[-4:])


def without(root: Path, guard: Guard) -> tuple[int, str]:
    """The tests of a guard, while it is taken out."""
    before = {change.file: (root / change.file).read_text(encoding="utf-8") for change in guard.changes}
    try:
        for change in guard.changes:
            path = root / change.file
            path.write_text(path.read_text(encoding="utf-8").replace(change.old, change.new), encoding="utf-8")
        return run(root, guard.tests)
    finally:
        for file, text in before.items():
            (root / file).write_text(text, encoding="utf-8")


def main() -> int:
    """Run what was asked for; tells each guard in a line."""
    parser = argparse.ArgumentParser(description="Take guards out and see their tests go red.")
    parser.add_argument("names", nargs="*", help="guards of the table; none: all")
    parser.add_argument("--list", action="store_true", help="name the guards and do nothing")
    parser.add_argument("--green", action="store_true", help="first run their tests as they are")
    asked = parser.parse_args()
    chosen = [g for g in guards() if not asked.names or g.name in asked.names]
    wrong = [f"{guard.name}: {problem}" for guard in chosen for problem in guard.problems(ROOT)]
    wrong += [f"{name}: no such guard" for name in set(asked.names) - {g.name for g in chosen}]
    for line in wrong:
        print(line)
    if asked.list or wrong:
        if asked.list:
            print("\n".join(f"{guard.name}: {guard.what}" for guard in chosen))
        return int(bool(wrong))
    missed = []
    with tempfile.TemporaryDirectory(prefix="verbund-mutations-") as folder:
        root = copied(Path(folder))
        if asked.green:
            code, said = run(root, tuple(dict.fromkeys(t for guard in chosen for t in guard.tests)))
            print(f"{'green' if code == 0 else 'NOT GREEN'} as they are: {said.splitlines()[-1] if said else code}")
            if code:
                print(said)
                return 1
        elif any(SECURITY in test for guard in chosen for test in guard.tests):
            run(root, (f"{SECURITY}test_requests.py::test_a_form_without_its_token_is_explained",))  # builds the world
        for guard in chosen:
            begun = time.monotonic()
            code, said = without(root, guard)
            seen = {0: "NOT MISSED", FAILED: "red"}.get(code, f"NO ANSWER ({code})")
            missed += [guard.name] if code == FAILED else []
            print(f"{seen:11} {guard.name} ({time.monotonic() - begun:.0f} s)", flush=True)
            if code != FAILED:
                print(said, flush=True)
    print(f"{len(missed)} of {len(chosen)} guards were missed by their tests")
    return int(len(missed) != len(chosen))


if __name__ == "__main__":
    sys.exit(main())
