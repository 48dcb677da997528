"""Known holes of the locked parts: asks the advisory service, and fails on what is not excepted for a time.

    python tools/audit.py

A service that cannot be reached, or that knows none of the parts, is said and skipped: a check must not fail because a
network does. Exceptions stand in tools/audit.toml, each with its reason and its last day:

    [[exception]]
    id = "PYSEC-2026-1"
    reason = "the function is never called here"
    until = 2027-01-31
"""

import json
import subprocess
import sys
import tempfile
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.lock", "requirements-dev.lock", "tools/rules.lock")
EXCEPTIONS = ROOT / "tools" / "audit.toml"
PROBE = "django==5.2.1"  # a version with known holes: a service that is there has something to say about it


def asked(lock: Path, seconds: float) -> list[dict[str, Any]] | None:
    """What the service says of every part of a lock file; None if it said nothing in time."""
    command = [
        *(sys.executable, "-m", "pip_audit", "-r", str(lock), "--no-deps", "--disable-pip", "-f", "json"),
        *("--progress-spinner", "off", "--timeout", "5"),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds)
    except subprocess.TimeoutExpired:
        return None
    try:
        parts: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return None
    return parts if any("vulns" in part for part in parts) else None


def reachable() -> bool:
    """Whether the service answers, and knows what everybody knows."""
    with tempfile.TemporaryDirectory() as folder:
        lock = Path(folder) / "probe.txt"
        lock.write_text(PROBE + "\n", encoding="utf-8")
        parts = asked(lock, 20)
    return parts is not None and any(part["vulns"] for part in parts if "vulns" in part)


def excepted(today: date) -> dict[str, str]:
    """The exceptions that still hold: id -> reason."""
    if not EXCEPTIONS.exists():
        return {}
    listed = tomllib.loads(EXCEPTIONS.read_text(encoding="utf-8")).get("exception", [])
    return {e["id"]: e["reason"] for e in listed if e["until"] >= today and e["reason"].strip()}


def findings(parts: list[dict[str, Any]], excused: dict[str, str]) -> list[str]:
    """One line for every hole that is not excepted, by any of its names."""
    return [
        f"{part['name']} {part['version']}: {hole['id']}; {_mended(hole['fix_versions'])}"
        for part in parts
        for hole in part.get("vulns", [])
        if not {hole["id"], *hole.get("aliases", [])} & set(excused)
    ]


def _mended(versions: list[str]) -> str:
    return f"mended in {', '.join(versions)}" if versions else "not mended in any version yet"


def main() -> int:
    """1 on a finding without an exception."""
    if not reachable():
        print("audit: the advisory service is not reachable, skipped")
        return 0
    excused = excepted(datetime.now(UTC).date())
    found: set[str] = set()
    for name in LOCKS:
        parts = asked(ROOT / name, 120)
        if parts is None:
            print(f"audit: no answer about {name} in time, skipped")
            continue
        found |= set(findings(parts, excused))
    for line in sorted(found):
        print(f"audit: {line}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
