"""Forms of the standard: released samples import, broken ones are refused by reason, made-up answers are valid."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verbund.modules.citizenservices.gateways.xdatenfelder import BrokenSchema, NotXDatenfelder3, read_form
from verbund.modules.citizenservices.models.checking import EXECUTED_RULES, check
from verbund.modules.citizenservices.models.form import FormDefinition
from verbund.modules.citizenservices.models.sample import sample_files, valid_answers
from verbund.modules.citizenservices.queries.forms import FORMS
from verbund.platform import xml

OWN = sorted(FORMS.glob("*.xdf3.xml"))
OWN_FORMS = {file.name: read_form(file.read_bytes()).definition for file in OWN}
HEAD = '<x:xdatenfelder.stammdatenschema.0102 xmlns:x="urn:xoev-de:fim:standard:xdatenfelder_3.0.0">'
FOOT = "</x:xdatenfelder.stammdatenschema.0102>"


@pytest.fixture
def samples(shared_dir: Path) -> Path:
    return shared_dir / "standards" / "fim" / "samples"


def _released(samples: Path) -> Iterator[tuple[str, FormDefinition]]:
    files = sorted((samples / "xdf3").glob("*.xml"))
    assert len(files) >= 16
    for file in files:
        yield file.name, read_form(file.read_bytes()).definition


def _schema(inside: str, *, kind: str = "input", data_type: str = "text", extra: str = "", count: str = "1:1") -> bytes:
    """A schema of one field; `inside` stands in the field, `extra` in the schema."""
    text = f"""{HEAD}<x:stammdatenschema>
    <x:identifikation><x:id>S1</x:id><x:version>1.0.0</x:version></x:identifikation>
    <x:name>Probe</x:name>{extra}<x:struktur><x:anzahl>{count}</x:anzahl><x:enthaelt><x:datenfeld>
    <x:identifikation><x:id>F1</x:id><x:version>1.0.0</x:version></x:identifikation><x:name>Feld</x:name>
    <x:feldart><code>{kind}</code></x:feldart><x:datentyp><code>{data_type}</code></x:datentyp>{inside}
    </x:datenfeld></x:enthaelt></x:struktur></x:stammdatenschema>{FOOT}"""
    return text.encode()


def test_every_released_sample_imports_and_survives_its_json(samples: Path) -> None:
    fields = 0
    for name, form in _released(samples):
        assert FormDefinition.from_json(form.to_json()) == form, name
        asked = [f for f in form.fields() if f.asked]
        assert asked, name
        fields += len(list(form.fields()))
    assert fields == 742


def test_made_up_answers_fill_every_sample_without_a_problem(samples: Path) -> None:
    for name, form in _released(samples):
        for seed in range(5):
            for optional in (0.0, 0.4, 1.0):
                answers = valid_answers(form, seed, optional=optional)
                assert check(form, answers) == [], (name, seed, optional)
                assert {f.path for f in sample_files(form, answers)} == {
                    p for p in answers if (f := form.field_at(p)) is not None and f.is_file
                }


@given(seed=st.integers(0, 10_000), optional=st.floats(0, 1), name=st.sampled_from(sorted(OWN_FORMS)))
@settings(max_examples=60, deadline=None)
def test_made_up_answers_fill_the_own_forms_and_each_stands_on_one_page(seed: int, optional: float, name: str) -> None:
    form = OWN_FORMS[name]
    answers = valid_answers(form, seed, optional=optional)
    assert check(form, answers) == []
    steps = form.steps()
    for path in answers:
        assert sum(step.holds(path) for step in steps) == 1, path


def test_the_five_own_forms_import_without_anything_unsupported() -> None:
    assert len(OWN) == 5
    for file in OWN:
        assert read_form(file.read_bytes()).unsupported == [], file.name


def test_a_page_holds_one_group_of_questions_and_no_question_is_lost(samples: Path) -> None:
    for name, form in _released(samples):
        steps = form.steps()
        everything = valid_answers(form, 1, optional=1.0)
        assert all(sum(step.holds(path) for step in steps) == 1 for path in everything), name
        assert [step.number for step in steps] == list(range(1, len(steps) + 1))
        assert len({step.title for step in steps}) == len(steps), name


@pytest.mark.parametrize(
    ("file", "error", "words"),
    [
        ("missing-id-node.xml", BrokenSchema, "no valid “id”"),
        ("unexpected-node.xml", BrokenSchema, "“unknown”"),
        ("unknown-namespace.xml", NotXDatenfelder3, "xdatenfelder_unknown"),
    ],
)
def test_broken_files_are_refused_with_the_reason(
    samples: Path, file: str, error: type[Exception], words: str, settings: object
) -> None:
    from django.utils import translation

    with translation.override("en"), pytest.raises(error, match=words):
        read_form((samples / "parser-unit" / "v3-data" / file).read_bytes())


def test_older_versions_are_refused_by_name(samples: Path) -> None:
    files = [*(samples / "parser-unit" / "v2-data").glob("*.xml"), *(samples / "xdf2-xdf1").glob("*.xml")]
    assert len(files) >= 9
    for file in files:
        with pytest.raises(NotXDatenfelder3, match=r"XDatenfelder 2\.0"):
            read_form(file.read_bytes())
    first = b'<x:a xmlns:x="urn:xoev-de:fim:standard:xdatenfelder_1"/>'
    with pytest.raises(NotXDatenfelder3, match=r"XDatenfelder 1\.0"):
        read_form(first)


def test_a_group_message_is_taken_and_what_is_odd_in_it_named(samples: Path) -> None:
    read = read_form((samples / "parser-unit" / "v3-data" / "input.xml").read_bytes())
    assert [f.name for f in read.definition.fields()] == ["Straße"]
    assert any("„inhalt“" in line for line in read.unsupported)
    assert any("F60000000243" in line and "Codeliste" in line for line in read.unsupported)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"   ",
        b"not xml",
        b"<a>",
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b"<html/>",
        b"\xff\xfe\x00",
    ],
)
def test_hostile_or_foreign_files_are_refused(content: bytes) -> None:
    with pytest.raises(xml.Refused):
        read_form(content)


def test_too_large_a_file_is_refused() -> None:
    with pytest.raises(xml.Refused, match="20"):
        read_form(b"<a>" + b" " * 20_000_001)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (_schema("<x:neu>1</x:neu>"), "„neu“"),
        (_schema('<x:praezisierung maxlength="3"/>'), "„maxlength“"),
        (_schema("", data_type="geo"), "„geo“"),
        (_schema("", kind="slider"), "„slider“"),
        (_schema("", kind="select"), "Auswahl ohne Liste"),
        (_schema('<x:praezisierung pattern="(?=a)b"/>'), "(?=a)b"),
        (_schema("<x:vorbefuellung><code>verpflichtend</code></x:vorbefuellung>"), "„verpflichtend“"),
        (
            _schema(
                "<x:regel><x:identifikation><x:id>R1</x:id></x:identifikation><x:name>N</x:name>"
                "<x:skript>return 1</x:skript></x:regel>"
            ),
            "„skript“",
        ),
        (_schema("<x:maxSize>viel</x:maxSize>", data_type="file"), "„viel“"),
        (_schema('<x:bezug link="javascript:alert(1)">§ 1</x:bezug>'), "javascript"),
    ],
)
def test_whatever_has_no_effect_is_named(content: bytes, words: str) -> None:
    read = read_form(content)
    assert any(words in line for line in read.unsupported), read.unsupported


def test_a_link_that_is_no_address_is_not_kept() -> None:
    read = read_form(_schema('<x:bezug link="javascript:alert(1)">§ 1</x:bezug>'))
    assert [r.link for f in read.definition.fields() for r in f.references] == [""]


@pytest.mark.parametrize("count", ["", "1", "2:1", "0:0", "x:*", "60:*", "-1:1"])
def test_impossible_numbers_of_occurrences_are_refused(count: str) -> None:
    with pytest.raises(BrokenSchema):
        read_form(_schema("", count=count))


def test_rules_that_we_know_are_checked_and_all_others_shown(samples: Path) -> None:
    form = read_form((samples / "xdf3" / "S07000000227.xdf3.xml").read_bytes()).definition
    assert {"R60000000023", "R60000000024"} == EXECUTED_RULES
    birth = "G07000000817.0.G60000000083.0"
    answers = valid_answers(form, 1, optional=0.0)
    day, month, year = f"{birth}.F60000000231.0", f"{birth}.F60000000232.0", f"{birth}.F60000000233.0"
    answers |= {day: "30", month: "2", year: "1980"}
    assert [p.path for p in check(form, answers)] == [day]
    del answers[month]
    assert [p.path for p in check(form, answers)] == [month]
