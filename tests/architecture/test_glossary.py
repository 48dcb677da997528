"""German legal term and English identifier: every word of the models has both, and no row speaks of what is not
there."""

import re
from functools import cache
from pathlib import Path

from django.apps import apps
from tools import glossary

SOURCE = Path(__file__).resolve().parents[2] / "src" / "verbund"
AREAS = {
    "tenancy",
    "identity",
    "identity_local",
    "audit",
    "events",
    "files",
    "membership",
    "records",
    "budget",
    "citizenservices",
    "costsharing",
}


@cache
def _words() -> frozenset[str]:
    words: set[str] = set()
    for path in SOURCE.rglob("*"):
        if path.suffix in {".py", ".html", ".typ"} and "tests" not in path.relative_to(SOURCE).parts:
            words.update(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", path.read_text(encoding="utf-8")))
    return frozenset(words)


def test_every_identifier_of_the_glossary_exists_in_the_source() -> None:
    unknown = {
        f"{row.area}: {row.identifier}"
        for row in glossary.rows()
        for part in re.findall(r"[A-Za-z_][A-Za-z0-9_]*", row.identifier)
        if part not in _words()
    }
    assert unknown == set()


def test_every_table_of_the_house_has_its_german_term() -> None:
    known = {part for row in glossary.rows() for part in re.findall(r"[A-Za-z_][A-Za-z0-9_]*", row.identifier)}
    missing = {
        model._meta.label
        for model in apps.get_models()
        if model._meta.app_label in AREAS and model.__name__ not in known
    }
    assert missing == set()


def test_no_term_stands_for_two_things_in_one_area() -> None:
    seen: dict[tuple[str, str], set[str]] = {}
    for row in glossary.rows():
        seen.setdefault((row.area, row.identifier), set()).add(row.german)
    assert {key: terms for key, terms in seen.items() if len(terms) > 1} == {}


def test_the_page_is_current() -> None:
    assert glossary.PAGE.read_text(encoding="utf-8") == glossary.page(), "run: python tools/glossary.py"
