"""Many hits: whatever way is taken to the newest, it shows all that the actor may see, in order, and nothing else."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import TextField

from verbund.modules.records import policies, queries, services
from verbund.modules.records.models import SearchEntry
from verbund.modules.records.models.search import day_marks, findable, kind_mark, person_mark, unit_mark
from verbund.modules.records.queries.tsquery import Found, quoted
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


def person(**facts: object) -> Actor:
    given = {"kind": ActorKind.STAFF, "id": uuid4(), "name": "X", "body": "alpha", "roles": frozenset({Role.CLERK})}
    return Actor(**{**given, **facts})


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
        case = factories.open_case(system, title=f"Linde {number}", unit=unit, now=at)
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


def paged(actor: Actor, filters: queries.SearchFilters | None) -> list[tuple[str, object, datetime]]:
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
def test_the_list_narrowed_by_a_word_is_the_list(readers: dict[str, Actor], given: dict[str, object]) -> None:
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
        assert set(visible.filter(Found(" | ".join(map(quoted, marks))))) == set(visible), who


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
                    [case.kind, case.unit, at, " | ".join(map(quoted, marks))],
                )
                assert cursor.fetchone() == (True,)
