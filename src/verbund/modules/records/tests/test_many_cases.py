"""Many cases: whichever way a list or a search takes, it shows what the actor may see, in order, and nothing else."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.models import TextField

from verbund.modules.records import policies, queries, services
from verbund.modules.records.models import File, SearchEntry
from verbund.modules.records.models.search import day_marks, findable, kind_mark, person_mark, unit_mark
from verbund.modules.records.queries.tsquery import Found, one_of, quoted
from verbund.platform.identity.actor import Actor, ActorKind
from verbund.platform.identity.roles import Role

from . import factories
from .factories import NOW

pytestmark = pytest.mark.usefixtures("alpha")
RANKED = 5
DAYS = (0, 0, 0, 1, 2, 3, 31, 32, 33, 64, 65, 200, 201, 202, 203, 400, 700, 701, 1100)


@pytest.fixture
def day_by_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is asked at once: one day first, twice as many days next."""
    monkeypatch.setattr("verbund.modules.records.queries.hits.RANKED", RANKED)
    monkeypatch.setattr("verbund.modules.records.queries.newest.FEW", -1)
    monkeypatch.setattr("verbund.modules.records.queries.newest.MORE", 1e-9)
    monkeypatch.setattr("verbund.modules.records.queries.newest.GROWS", 2)


def person(**facts: Any) -> Actor:
    given: dict[str, Any] = {
        "kind": ActorKind.STAFF,
        "id": uuid4(),
        "name": "X",
        "body": "alpha",
        "roles": frozenset({Role.CLERK}),
    }
    return Actor(**{**given, "roles": frozenset({Role.CLERK}), **facts})


@pytest.fixture
def readers(system: Actor, staff: Callable[..., Actor]) -> dict[str, Actor]:
    """Years of cases in three units: some assigned, some sealed, some closed; and all kinds of people."""
    factories.file_plan(system)
    ours, elsewhere = person(units=frozenset({"32", "o'hara"})), person(units=frozenset({"99"}))
    stands_in = person(substitutes=frozenset({elsewhere.id} if elsewhere.id else ()))
    named, head = person(units=frozenset({"32"})), staff(Role.HEAD_OF_UNIT, units={"60"}, name="Hanna Hasel")
    assert elsewhere.id is not None
    assert named.id is not None
    for number, days in enumerate(DAYS):
        at = NOW - timedelta(days=days, minutes=number)
        unit = ("32", "60", "o'hara")[number % 3]
        case = factories.open_case(
            system,
            title=f"Linde {number}",
            unit=unit,
            position="32.20" if number % 7 == 1 else "32.10",
            metadata={"beginn": "2026-12-01"} if number % 7 == 1 else {},
            promised_on=at.date() + timedelta(days=28) if number % 3 else None,
            now=at,
        )
        factories.file_text(system, case, "Unter der Linde", now=at + timedelta(hours=20))
        if number % 5 == 1:
            services.assign_case(system, case_id=case.id, person=elsewhere.id, person_name="E", now=at)
        if unit == "60" and number % 2:
            services.seal_case(head, case_id=case.id, readers=[named.id] if number % 4 == 1 else [], now=at)
        if number % 4 == 0:
            services.close_case(system, case_id=case.id, now=at + timedelta(days=1))
    return {
        "clerk of two units": ours,
        "assignee elsewhere": elsewhere,
        "who stands in": stands_in,
        "reader of sealed cases": named,
        "head who sealed": head,
        "registry": staff(Role.REGISTRY, name="Gerd Ginster"),
        "nobody": person(),
    }


def paged(actor: Actor, filters: queries.SearchFilters | None) -> list[tuple[str, UUID, datetime]]:
    found, after = [], None
    while True:
        page = queries.search(actor, "linde", after, 4, filters=filters)
        found += [(hit.kind, hit.document_id or hit.case_id, hit.at) for hit in page.rows]
        after = page.next
        if after is None:
            return found


@pytest.mark.usefixtures("day_by_day")
def test_every_actor_finds_page_by_page_what_is_visible_and_nothing_else(readers: dict[str, Actor]) -> None:
    sizes = set()
    for who, actor in readers.items():
        for filters in (
            queries.SearchFilters(),
            queries.SearchFilters(year=2025),
            queries.SearchFilters(year=2026, kind="document"),
            queries.SearchFilters(unit="60"),
            queries.SearchFilters(unit="o'hara", kind="case"),
        ):
            visible = policies.visible_entries(actor).order_by("-happened_at", "-id")
            if filters.year:
                visible = visible.filter(year=filters.year)
            if filters.unit:
                visible = visible.filter(unit=filters.unit)
            if filters.kind:
                visible = visible.filter(kind=filters.kind)
            expected = [(e.kind, e.document_id or e.case_id, e.happened_at) for e in visible]
            found = paged(actor, filters)
            assert sorted(found, key=str) == sorted(expected, key=str), (who, filters)
            if len(expected) > RANKED:  # fewer are in order of relevance
                assert found == expected, (who, filters)
            sizes.add(len(expected))
    assert {0} < sizes
    assert max(sizes) > 4 * RANKED


@pytest.mark.usefixtures("day_by_day")
@pytest.mark.parametrize("given", [{}, {"unit": "60"}, {"mine": True}, {"state": "open"}, {"position": "32.10"}])
def test_the_list_narrowed_by_a_word_is_the_list(readers: dict[str, Actor], given: dict[str, Any]) -> None:
    for who, actor in readers.items():
        listed = [row.id for row in queries.cases_csv_rows(actor, filters=queries.CaseFilters(**given))]
        found, after = [], None
        while True:
            page = queries.cases(actor, filters=queries.CaseFilters(text="linde", **given), after=after, limit=3)
            found += [row.id for row in page.rows]
            after = page.next
            if after is None:
                break
        assert found == listed, (who, given)


def test_the_marks_of_an_actor_lose_nothing_that_is_visible(readers: dict[str, Actor]) -> None:
    for who, actor in readers.items():
        marks = policies.visible_marks(actor)
        visible = policies.visible_entries(actor)
        if not marks:
            assert policies.sees_all_units(actor)
            continue
        assert set(visible.filter(Found(one_of(marks)))) == set(visible), who


def test_an_entry_bears_the_marks_of_its_columns_and_its_words(readers: dict[str, Actor]) -> None:
    vector = findable()
    vector.output_field = TextField()
    for entry in SearchEntry.objects.annotate(found_by=vector):
        for mark in (unit_mark(entry.unit), kind_mark(entry.kind), *day_marks(entry.happened_at, entry.happened_at)):
            assert f"{quoted(mark)}" in entry.found_by, mark
        assert ("'@s'" in entry.found_by) == entry.is_sealed
        assert ("'@p" in entry.found_by) == (entry.assigned_to is not None)
        if entry.assigned_to is not None:
            assert quoted(person_mark(entry.assigned_to)) in entry.found_by
        assert "'lind'" in entry.found_by


def test_the_marks_of_a_time_cover_it_without_a_gap() -> None:
    begin = datetime(2026, 3, 28, 22, 30, tzinfo=UTC)
    for length in (timedelta(), timedelta(hours=2), timedelta(days=31), timedelta(days=32), timedelta(days=900)):
        marks = day_marks(begin, begin + length)
        numbers = [int(mark[2:]) for mark in marks]
        assert len({mark[:2] for mark in marks}) == 1
        assert all(later == earlier + 1 for earlier, later in pairwise(numbers))
        for at in (begin, begin + length / 2, begin + length):
            case = SearchEntry(kind="case", unit="32", happened_at=at, vector="")
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT records_findable('', %s, %s, false, NULL, %s) @@ %s::tsquery",
                    [case.kind, case.unit, at, one_of(marks)],
                )
                assert cursor.fetchone() == (True,)


@pytest.mark.parametrize(
    ("filters", "narrowed"),
    [
        ({}, {}),
        ({"unit": "32"}, {"unit": "32"}),
        ({"unit": "60"}, {"unit": "60"}),
        ({"position": "32.10"}, {"position__code": "32.10"}),
        ({"position": "32.20"}, {"position__code": "32.20"}),
        ({"position": "99"}, {"position__code": "99"}),
        ({"state": "open", "unit": "60"}, {"state": "open", "unit": "60"}),
        ({"deadline_before": NOW.date()}, {"state": "open", "promised_on__lt": NOW.date()}),
        ({"deadline_before": NOW.date(), "unit": "60"}, {"state": "open", "unit": "60", "promised_on__lt": NOW.date()}),
    ],
)
def test_every_list_shows_page_by_page_what_is_visible_and_nothing_else(
    readers: dict[str, Actor], filters: dict[str, Any], narrowed: dict[str, Any]
) -> None:
    order = ("promised_on", "id") if "deadline_before" in filters else ("-opened_at", "-id")
    for who, actor in readers.items():
        for mine in (False, True):
            visible = policies.visible_cases(actor).filter(**narrowed, **({"assigned_to": actor.id} if mine else {}))
            found: list[UUID] = []
            after = None
            while True:
                page = queries.cases(actor, filters=queries.CaseFilters(**filters, mine=mine), after=after, limit=3)
                found += [row.id for row in page.rows]
                after = page.next
                if after is None:
                    break
            assert found == list(visible.order_by(*order).values_list("id", flat=True)), (who, mine)


def test_a_file_is_listed_for_those_who_see_a_case_in_it_and_for_nobody_else(readers: dict[str, Actor]) -> None:
    sizes = set()
    for who, actor in readers.items():
        expected = set(policies.visible_cases(actor).values_list("file_id", flat=True))
        found: list[queries.FileRow] = []
        after = None
        while True:
            page = queries.files(actor, after=after, limit=2)
            found += page.rows
            after = page.next
            if after is None:
                break
        assert {file.id for file in found} == expected, who
        assert found == sorted(found, key=lambda file: (file.opened_at, file.id), reverse=True)
        listed = {code: {f.id for f in queries.files(actor, position=code).rows} for code in ("32.10", "32.20")}
        assert listed["32.10"] | listed["32.20"] == expected
        assert not listed["32.10"] & listed["32.20"]
        for row in File.objects.all():
            if row.id in expected:
                assert queries.file(actor, row.id).reference == row.reference
            else:
                with pytest.raises(queries.FileNotFound):
                    queries.file(actor, row.id)
        sizes.add(len(expected))
    assert len(sizes) > 3
