"""Checking of answers: what is accepted, what is named, and that nobody can make it slow."""

import random
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verbund.modules.citizenservices.models.checking import canonical, check, check_value, shown, typed
from verbund.modules.citizenservices.models.form import (
    Cardinality,
    Code,
    DataType,
    Field,
    FieldKind,
    FormDefinition,
    Group,
)
from verbund.modules.citizenservices.models.latin import Repertoire, normalised, refused_character
from verbund.modules.citizenservices.models.pattern import PatternUnsupported, compiled


def field(data_type: DataType = DataType.TEXT, *, key: str = "F1", count: str = "1:1", **values: object) -> Field:
    least, most = count.split(":")
    cardinality = Cardinality(int(least), None if most == "*" else int(most))
    made = Field(key, key, "1.0.0", "Feld", "Feld", "Feld", FieldKind.INPUT, data_type, cardinality)
    return replace(made, **values)  # type: ignore[arg-type]


def group(*elements: Field | Group, key: str = "G1", count: str = "1:1", choice: bool = False) -> Group:
    least, most = count.split(":")
    cardinality = Cardinality(int(least), None if most == "*" else int(most))
    return Group(key, key, "1.0.0", "Gruppe", "Gruppe", "Gruppe", cardinality, elements, choice)


def form(*elements: Field | Group) -> FormDefinition:
    return FormDefinition("S1", "1.0.0", "Probe", "Probe", elements)


def paths(definition: FormDefinition, answers: dict[str, str]) -> list[str]:
    return [problem.path for problem in check(definition, answers)]


@pytest.mark.parametrize(
    ("data_type", "text", "kept"),
    [
        (DataType.DATE, "21.11.2026", "2026-11-21"),
        (DataType.DATE, "1. 2. 2026", "2026-02-01"),
        (DataType.DATE, "2026-11-21", "2026-11-21"),
        (DataType.DATE, "morgen", "morgen"),
        (DataType.NUMBER, "1.234,50", "1234.50"),
        (DataType.NUMBER, "1.234", "1234"),
        (DataType.NUMBER, "0,125", "0.125"),
        (DataType.NUMBER, "12.5", "12.5"),
        (DataType.NUMBER, "-3", "-3"),
        (DataType.NUMBER, "1,2,3", "1,2,3"),
        (DataType.CURRENCY, "1.234,50 €", "1234.50"),
        (DataType.INTEGER, " 007 ", "7"),
        (DataType.BOOL, "Ja", "true"),
        (DataType.TEXT, "  u\u0308ber  ", "über"),
        (DataType.TEXT, "a\r\nb", "a\nb"),
        (DataType.TEXT, "a\x00b", "a\ufffdb"),
    ],
)
def test_what_people_type_is_kept_in_one_form(data_type: DataType, text: str, kept: str) -> None:
    assert canonical(field(data_type), text) == kept


@settings(deadline=None)
@given(st.text(max_size=60), st.sampled_from(list(DataType)))
def test_keeping_never_fails_and_is_stable_when_typed_again(text: str, data_type: DataType) -> None:
    asked = field(data_type)
    kept = canonical(asked, text)
    check_value(asked, kept) if kept else None
    if kept and check_value(asked, kept) is None:
        assert canonical(asked, typed(asked, kept)) == kept


@settings(deadline=None)
@given(st.decimals(-(10**6), 10**6, places=3))
def test_a_number_shown_in_german_is_the_same_number_when_read_again(number: object) -> None:
    asked = field(DataType.NUMBER)
    kept = canonical(asked, str(number).replace(".", ","))
    assert canonical(asked, typed(asked, kept)) == kept


@pytest.mark.parametrize(
    ("asked", "value", "fine"),
    [
        (field(DataType.DATE), "2026-02-29", False),
        (field(DataType.DATE), "2024-02-29", True),
        (field(DataType.DATE), "20260229", False),
        (field(DataType.DATE, min_value="2026-01-01"), "2025-12-31", False),
        (field(DataType.INTEGER, min_value="1", max_value="12"), "13", False),
        (field(DataType.INTEGER), "1.5", False),
        (field(DataType.NUMBER, min_value="0.1"), "0.1", True),
        (field(DataType.NUMBER, min_value="0.1"), "0.09", False),
        (field(DataType.NUMBER), "NaN", False),
        (field(DataType.NUMBER), "1e9", False),
        (field(DataType.NUMBER), "٣", False),
        (field(DataType.CURRENCY), "1.005", False),
        (field(DataType.BOOL), "vielleicht", False),
        (field(DataType.TIME), "24:01", False),
        (field(DataType.TIME), "23:59", True),
        (field(min_length=3), "ab", False),
        (field(max_length=3), "abcd", False),
        (field(max_length=3), "äöü", True),
        (field(pattern="[0-9]{5}"), "19055", True),
        (field(pattern="[0-9]{5}"), "19055\n", False),
        (field(pattern="[0-9]{5}$"), "190555", False),
        (field(kind=FieldKind.SELECT, codes=(Code("1", "eins"),)), "2", False),
        (field(), "Đorđe O’Neill-Müller", True),
        (field(), "Übung – „gut“ …", True),
        (field(DataType.TEXT_LATIN), "Дмитрий", False),
        (field(), "😀", False),
        (field(), "'; DROP TABLE x; --", True),
        (field(), "{% load x %}{{ y }}<script>", True),
        (field(), "x" * 10_000, False),
        (field(), "\u202eabc", False),
        (field(), "\ufffd", False),
    ],
)
def test_values_are_judged(asked: Field, value: str, fine: bool) -> None:
    assert (check_value(asked, value) is None) is fine


def test_a_missing_answer_is_named_where_it_is_missing() -> None:
    definition = form(group(field(), field(key="F2", count="0:1")))
    assert paths(definition, {}) == ["G1.0.F1.0"]
    assert paths(definition, {"G1.0.F1.0": "a"}) == []


def test_inside_an_optional_group_nothing_is_missed_until_it_is_begun() -> None:
    definition = form(group(field(), field(key="F2"), count="0:1"))
    assert paths(definition, {}) == []
    assert paths(definition, {"G1.0.F2.0": "a"}) == ["G1.0.F1.0"]


def test_an_optional_group_within_an_optional_group() -> None:
    inner = group(field(key="F2"), key="G2", count="1:1")
    definition = form(group(field(count="0:1"), inner, count="0:1"))
    assert paths(definition, {}) == []
    assert paths(definition, {"G1.0.F1.0": "a"}) == ["G1.0.G2.0.F2.0"]


def test_repetitions_are_counted() -> None:
    definition = form(field(count="2:3"))
    assert paths(definition, {"F1.0": "a"}) == ["F1.1"]
    assert paths(definition, {"F1.0": "a", "F1.2": "b"}) == []
    assert paths(definition, {f"F1.{n}": "a" for n in range(4)}) == ["F1.3", "F1.3"]


def test_of_a_choice_one_part_is_filled_in() -> None:
    definition = form(group(field(), field(key="F2"), choice=True))
    assert paths(definition, {}) == ["G1.0"]
    assert paths(definition, {"G1.0.F1.0": "a"}) == []
    assert paths(definition, {"G1.0.F1.0": "a", "G1.0.F2.0": "b"}) == ["G1.0.F2.0"]


@pytest.mark.parametrize("path", ["F9.0", "F1", "F1.x", "F1.-1", "F1.01", "F1.0.F1.0", "F1.999", "", "."])
def test_an_answer_to_no_question_is_a_problem(path: str) -> None:
    definition = form(field())
    assert path in paths(definition, {"F1.0": "a", path: "b"})


def test_a_page_names_its_own_problems_only() -> None:
    definition = form(group(field()), group(field(key="F2"), key="G2"))
    first, second = definition.steps()
    assert [p.path for p in check(definition, {}, first)] == ["G1.0.F1.0"]
    assert [p.path for p in check(definition, {}, second)] == ["G2.0.F2.0"]


def test_answers_are_shown_in_words() -> None:
    assert shown(field(kind=FieldKind.SELECT, codes=(Code("w", "weiblich"),)), "w") == "weiblich"
    assert shown(field(DataType.BOOL), "true") == "Ja"
    assert shown(field(DataType.DATE), "2026-11-21") == "21. November 2026"
    assert shown(field(DataType.CURRENCY), "1234.5") == "1234,5 €"


# ---- Characters ----------------------------------------------------------------------------------------------------


def test_the_repertoire_is_that_of_the_published_list(shared_dir: Path) -> None:
    text = (shared_dir / "standards/din91379/catalogue/latin_list_1.3.txt").read_text(encoding="utf-8")
    seen = 0
    for line in text.splitlines():
        kind, form_, points, *_ = (part.strip() for part in line.split(";"))
        entry = "".join(chr(int(point, 16)) for point in points.replace("+", " ").split())
        seen += 1
        if kind == "dc":  # a combining mark stands only in the listed sequences
            assert refused_character(entry, Repertoire.TEXT) is not None, line
            continue
        allowed = refused_character(entry, Repertoire.TEXT) is None
        assert allowed, (form_, line)
        latin = refused_character(entry, Repertoire.LATIN) is None
        assert latin is (kind not in ("gl", "cl", "enl")), line
        assert normalised(entry) == entry or entry == "\r", line
    assert seen == 930


def test_a_decomposed_letter_is_composed_at_the_edge_and_refused_behind_it() -> None:
    assert refused_character("u\u0308") == "u\u0308"
    assert refused_character(normalised("u\u0308")) is None


# ---- Patterns ------------------------------------------------------------------------------------------------------


def test_a_pattern_cannot_be_driven_into_backtracking() -> None:
    began = time.perf_counter()
    assert not compiled(r"(a+)+(a|aa)*b").matches("a" * 3_000)
    assert time.perf_counter() - began < 1.0


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        (r"\d{2,3}-[A-F\-]+", ["12-A-", "123-F"], ["1-A", "12-G"]),
        (r"[^\s]*", ["", "abc"], ["a b"]),
        (r"[a-z-[aeiou]]+", ["xyz"], ["xa"]),
        (r"\p{Lu}\p{Ll}*", ["Ärger"], ["ärger"]),
        (r"(ab|c)?d", ["abd", "cd", "d"], ["ab", "abcd"]),
        (r"a.c", ["abc"], ["a\nc"]),
        (r"\.\*\\", [".*\\"], ["ab"]),
        (r"x{0}", [""], ["x"]),
    ],
)
def test_patterns_of_xml_schema(pattern: str, yes: list[str], no: list[str]) -> None:
    automaton = compiled(pattern)
    assert [t for t in yes if not automaton.matches(t)] == []
    assert [t for t in no if automaton.matches(t)] == []


@pytest.mark.parametrize(
    "pattern", ["(", "[", "a{", "a**", "(?!a)", r"\b", "[z-a]", "a{1,99999}", "((a{900}){900}){900}", "(){999999}"]
)
def test_what_is_no_pattern_or_too_much_is_said(pattern: str) -> None:
    with pytest.raises(PatternUnsupported):
        compiled(pattern)


@settings(deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([r"[A-Z]{2,4}-[0-9]{3}", r"(a|bc)+d?", r"\p{L}{3,}[0-9]*"]))
def test_examples_match_their_pattern(seed: int, pattern: str) -> None:
    example = compiled(pattern).example(random.Random(seed), 3, 20)
    assert example is not None
    assert compiled(pattern).matches(example)
    assert 3 <= len(example) <= 20
