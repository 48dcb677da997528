"""Every letter is PDF/A-2a and PDF/UA-1, says veraPDF."""

import os
from pathlib import Path

import pytest
from tests.platform.printing import samples, verapdf

from verbund.platform import printing

pytestmark = pytest.mark.conformance


@pytest.fixture(autouse=True)
def _checker() -> None:
    if reason := verapdf.missing():
        if os.environ.get("CI") == "true":
            pytest.fail(f"veraPDF cannot run, and CI=true: {reason}")
        pytest.skip(f"veraPDF cannot run: {reason}")


@pytest.mark.parametrize("case", samples.CASES)
@pytest.mark.parametrize("language", ["de", "en"])
def test_letters_conform(case: str, language: str) -> None:
    template, data = samples.CASES[case]
    assert verapdf.failures(printing.letter(template, data, samples.HEAD, language=language)) == []


def test_a_letter_without_anything_in_the_letterhead_conforms() -> None:
    head = printing.Letterhead(name="Gemeinde Gammadorf")
    assert verapdf.failures(printing.letter("printing/letter.typ", samples.whole(), head)) == []


@pytest.mark.parametrize(
    ("folder", "flavour"), [("PDF_A-1b", "1b"), ("PDF_A-2a", "2a"), ("PDF_A-2b", "2b"), ("PDF_UA-1", "ua1")]
)
def test_the_checker_knows_good_files_from_bad_ones(shared_dir: Path, folder: str, flavour: str) -> None:
    corpus = sorted((shared_dir / "standards/pdfa/samples/verapdf-corpus" / folder).rglob("*.pdf"))
    bad = [f for f in corpus if "-fail-" in f.name]
    good = [f for f in corpus if "-pass-" in f.name]
    assert bad
    assert good
    for file in bad[:4]:
        assert verapdf.failures(file, [flavour]), file
    for file in good[:4]:
        assert verapdf.failures(file, [flavour]) == [], file
