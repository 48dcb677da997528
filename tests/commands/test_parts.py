"""The bill of materials and the question for known holes."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.validation.json import JsonStrictValidator
from tools import audit, locks, sbom


def test_the_bill_names_every_locked_part_once_and_fits_its_schema() -> None:
    bill = sbom.bill()
    assert JsonStrictValidator(sbom.VERSION).validate_str(json.dumps(bill)) is None
    refs = [part["bom-ref"] for part in bill["components"]]
    assert len(refs) == len(set(refs))
    running = {part["name"]: part["version"] for part in bill["components"] if part["scope"] == "required"}
    files = [sbom.ROOT / "requirements.lock", sbom.ROOT / "tools" / "rules.lock"]
    locked = {name: str(version) for file in files for name, version in locks.pins(file).items()}
    assert {name: version for name, version in running.items() if name != "@kern-ux/native"} == locked
    assert "@kern-ux/native" in running
    silent = [p["bom-ref"] for p in bill["components"] if p["scope"] == "required" and "licenses" not in p]
    assert silent == []


def test_the_same_lock_files_give_the_same_bill() -> None:
    assert json.dumps(sbom.bill(), sort_keys=True) == json.dumps(sbom.bill(), sort_keys=True)


def test_a_known_hole_is_a_finding_until_it_is_excepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hole = {"id": "PYSEC-2026-1", "aliases": ["CVE-2026-1"], "fix_versions": ["1.1"]}
    parts: list[dict[str, Any]] = [
        {"name": "part", "version": "1.0", "vulns": [hole]},
        {"name": "other", "skip_reason": "unknown"},
    ]
    assert audit.findings(parts, {}) == ["part 1.0: PYSEC-2026-1; mended in 1.1"]
    listed = tmp_path / "audit.toml"
    listed.write_text('[[exception]]\nid = "CVE-2026-1"\nreason = "never called"\nuntil = 2026-12-31\n')
    monkeypatch.setattr(audit, "EXCEPTIONS", listed)
    assert audit.findings(parts, audit.excepted(date(2026, 12, 31))) == []
    assert len(audit.findings(parts, audit.excepted(date(2027, 1, 1)))) == 1, "an exception ends"


def test_a_service_that_is_not_there_is_said_and_skipped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "asked", lambda lock, seconds: None)
    assert audit.main() == 0
    assert "not reachable, skipped" in capsys.readouterr().out


def test_a_finding_fails_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    hole = {"id": "PYSEC-2026-1", "aliases": [], "fix_versions": []}
    monkeypatch.setattr(audit, "asked", lambda lock, seconds: [{"name": "part", "version": "1.0", "vulns": [hole]}])
    assert audit.main() == 1
