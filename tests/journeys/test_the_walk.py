"""The walk over HTTP: every page as a browser without scripts reads it, every fact read back."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.platform.printing import verapdf

from verbund.commands.walk.report import Report

from .conftest import Live

if TYPE_CHECKING:
    from verbund.commands.walk.journey import Walk

SAMPLES = Path("standards") / "fim" / "samples" / "xdf3"
KNOWN = (
    "S00000000362", "S00000000367", "S00000000371", "S00000000372", "S00000000373", "S00000000377", "S00000000380",
    "S00000000385", "S00000000389", "S00000000390", "S00000000395", "S05000001195", "S07000000200", "S07000000210",
    "S07000000227", "S07000000263",
)  # fmt: skip


def walked(site: object, schema: Path | None = None) -> Report:
    """Walk once and return what was found; the first untruth is raised."""
    return walk_of(site, schema).report


def walk_of(site: object, schema: Path | None = None) -> "Walk":
    from verbund.commands.walk.journey import Walk
    from verbund.commands.walk.site import Site

    assert isinstance(site, Site)
    report = Report(quiet=True)
    walk = Walk(site, report, schema)
    walk.run()
    return walk


def test_the_parking_permit_goes_all_the_way(live: Live, site: object) -> None:
    report = walked(site)
    assert report.ok
    assert len(report.steps) == 12
    verified = live.command("verify", "--json")
    assert verified.returncode == 0, verified.stdout
    assert json.loads(verified.stdout)["ok"] is True


@pytest.mark.conformance
@pytest.mark.skipif(bool(verapdf.missing()), reason=verapdf.missing())
def test_receipt_and_decision_are_archivable_and_accessible(site: object) -> None:
    walk = walk_of(site)
    assert walk.letter is not None
    for paper in (walk.receipt, walk.letter):
        assert verapdf.failures(paper.content) == []


@pytest.mark.conformance
@pytest.mark.parametrize("form", KNOWN)
def test_any_form_of_the_federation_goes_all_the_way(site: object, shared_dir: Path, form: str) -> None:
    assert walked(site, shared_dir / SAMPLES / f"{form}.xdf3.xml").ok


@pytest.mark.conformance
def test_no_sample_form_is_left_out(shared_dir: Path) -> None:
    assert {file.name.split(".")[0] for file in (shared_dir / SAMPLES).glob("*.xdf3.xml")} == set(KNOWN)
