"""File plan: read whole or not at all, with every error told at once."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from verbund.modules.records import queries, services
from verbund.modules.records.models import FilePlanPosition
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role

from .factories import NOW

pytestmark = pytest.mark.usefixtures("alpha")


@pytest.fixture
def registry(staff: Callable[..., Actor]) -> Actor:
    return staff(Role.REGISTRY)


def load(actor: Actor, text: str) -> services.FilePlanReport:
    return services.import_file_plan(actor, csv_text=text, now=NOW)


def test_the_sample_plan_is_imported_exported_and_imported_again_unchanged(registry: Actor) -> None:
    first = load(registry, services.sample_file_plan())
    plan = queries.file_plan(registry)
    assert first == services.FilePlanReport(added=len(plan), changed=0, unchanged=0)
    assert len(plan) > 50
    parking = queries.position(registry, "32.10.10")
    assert (parking.retention_years, parking.disposal, parking.parent, parking.takes_cases) == (5, "V", "32.10", True)
    assert parking.metadata_fields[0]["name"] == "kennzeichen"
    assert not queries.position(registry, "32").takes_cases
    exported = queries.file_plan_csv(registry)
    assert exported.startswith("\ufeffcode;title;parent;")
    assert load(registry, exported) == services.FilePlanReport(added=0, changed=0, unchanged=len(plan))
    assert queries.file_plan(registry) == plan


def test_the_plan_is_in_the_order_of_its_numbers(registry: Actor) -> None:
    load(registry, "code;title\n10;A\n2;B\n2.10;C\n2.9;D\n2.10.1;E\n")
    assert [p.code for p in queries.file_plan(registry)] == ["2", "2.9", "2.10", "2.10.1", "10"]


def test_every_error_is_told_with_its_line_and_nothing_is_imported(registry: Actor) -> None:
    load(registry, "code;title\n1;Bestand\n")
    text = (
        "Aktenzeichen;Bezeichnung;Aufbewahrungsfrist;Aussonderung;Gültig;Metadaten\n"
        "1;Umbenannt;;;1;\n"
        "x.1;Kein Zeichen;;;1;\n"
        "2.1;Ohne Oberposition;5;V;1;\n"
        "3;;5;V;1;\n"
        "4;Frist ohne Art;5;;1;\n"
        "5;Falsche Art;5;Z;1;\n"
        "6;Falsche Frist;-5;V;vielleicht;a:b:farbe\n"
        "1;Doppelt;;;1;\n"
    )
    with pytest.raises(services.FilePlanInvalid) as refused:
        load(registry, text)
    assert [line for line, _ in refused.value.lines] == [3, 4, 5, 6, 7, 8, 8, 8, 9]
    assert all(message for _, message in refused.value.lines)
    assert [(p.code, p.title) for p in queries.file_plan(registry)] == [("1", "Bestand")]


@pytest.mark.parametrize(
    "text", ["", "\n\n", "code\n1\n", "code;title;farbe\n1;A;rot\n", 'code;title\n1;"offen', "\x00\x00"]
)
def test_what_is_no_plan_is_refused_in_words(registry: Actor, text: str) -> None:
    if text.endswith("offen"):  # an open quote ends with the file: the title is what stands behind it
        assert load(registry, text).added == 1
        return
    with pytest.raises(services.FilePlanInvalid) as refused:
        load(registry, text)
    assert refused.value.lines
    assert FilePlanPosition.objects.count() == 0


def test_a_changed_line_changes_its_position_and_removes_none(registry: Actor) -> None:
    load(registry, "code,title,retention_years,disposal\n1,A,5,V\n2,B,5,V\n")
    assert load(registry, "code\ttitle\tretention_years\tdisposal\tvalid\n1\tA neu\t10\tB\tnein\n") == (
        services.FilePlanReport(added=0, changed=1, unchanged=0)
    )
    first, second = queries.file_plan(registry)
    assert (first.title, first.retention_years, first.is_valid, first.takes_cases) == ("A neu", 10, False, False)
    assert second.title == "B"


def test_only_the_registry_and_the_administration_import(staff: Callable[..., Actor], guest: Actor) -> None:
    for actor in (staff(Role.CLERK), staff(Role.AUDITOR), guest):
        with pytest.raises(policy.Denied):
            load(actor, "code;title\n1;A\n")
    assert FilePlanPosition.objects.count() == 0
    with pytest.raises(policy.Denied):
        queries.file_plan(guest)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.text(max_size=8), max_size=6), max_size=5))
def test_no_table_of_texts_raises_anything_but_a_list_of_errors(registry: Actor, cells: list[list[str]]) -> None:
    text = "code;title;retention_years;disposal;valid;metadata_fields\n" + "\n".join(";".join(row) for row in cells)
    before: list[Any] = queries.file_plan(registry)
    errors: list[tuple[int, str]] = []
    report = services.FilePlanReport(0, 0, 0)
    try:
        report = load(registry, text)
    except services.FilePlanInvalid as refused:
        errors = refused.lines
    if errors:
        assert queries.file_plan(registry) == before
    else:
        assert report.added == len(queries.file_plan(registry)) - len(before)
