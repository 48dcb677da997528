"""Cases: lists by key, closing with retention, notes for good."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from verbund.modules.records import queries, services
from verbund.modules.records.models import Case, TimelineEntry
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role

from . import factories
from .factories import NOW

pytestmark = pytest.mark.usefixtures("alpha")


@pytest.fixture
def clerk(staff: Callable[..., Actor], system: Actor) -> Actor:
    factories.file_plan(system)
    return staff(Role.CLERK, units={"32", "33"})


def walk(actor: Actor, limit: int, **filters: Any) -> list[str]:
    """The references of all pages of a list."""
    found, after = [], None
    for _ in range(20):
        page = queries.cases(actor, filters=queries.CaseFilters(**filters), after=after, limit=limit)
        assert len(page.rows) <= limit
        found += [row.reference for row in page.rows]
        after = page.next
        if after is None:
            return found
    raise AssertionError("the list does not end")


def test_a_list_is_walked_page_by_page_without_loss_or_repetition(clerk: Actor, system: Actor) -> None:
    opened = [
        factories.open_case(system, unit=("32", "33", "60")[n % 3], now=NOW + timedelta(minutes=n // 2)).reference
        for n in range(13)
    ]
    services.assign_case(system, case_id=Case.objects.get(reference=opened[2]).id, person=clerk.id, now=NOW)
    visible = [r for n, r in enumerate(opened) if n % 3 != 2 or n == 2]
    for limit in (1, 3, 4, 50):
        assert walk(clerk, limit) == list(reversed(visible))
    assert walk(clerk, 2, unit="33") == list(reversed(opened[1::3]))
    assert walk(clerk, 2, mine=True) == [opened[2]]
    assert walk(clerk, 2, unit="60") == [opened[2]]
    assert walk(system, 5) == list(reversed(opened))


def test_a_list_is_narrowed_by_state_position_text_and_deadline(clerk: Actor) -> None:
    first = factories.open_case(clerk, title="Parkausweis", promised_on=date(2026, 12, 1))
    second = factories.open_case(clerk, title="Gewerbe", position="32.20", metadata={"beginn": "2026-12-01"})
    third = factories.open_case(clerk, title="Ausweis", promised_on=date(2026, 11, 20))
    services.close_case(clerk, case_id=second.id, now=NOW)
    assert walk(clerk, 1, state="closed") == [second.reference]
    assert walk(clerk, 1, state="open") == [third.reference, first.reference]
    assert walk(clerk, 1, position="32.20") == [second.reference]
    assert walk(clerk, 1, text="ausweis") == [third.reference, first.reference]
    assert walk(clerk, 1, text="der die das") == []
    assert walk(clerk, 1, deadline_before=date(2026, 12, 2)) == [third.reference, first.reference]
    assert walk(clerk, 1, deadline_before=date(2026, 12, 1)) == [third.reference]
    assert queries.cases(clerk, after="of no list").rows[0].reference == third.reference


def test_closing_starts_the_retention_period_at_the_end_of_the_legal_year(clerk: Actor) -> None:
    case = factories.open_case(clerk)
    closed = services.close_case(clerk, case_id=case.id, now=datetime(2026, 12, 31, 23, 30, tzinfo=UTC))
    assert closed.retention_until == date(2032, 12, 31)  # 2027 in Berlin, and five years
    view = queries.case(clerk, case.id)
    assert (view.state, view.is_open, view.retention_until) == ("closed", False, date(2032, 12, 31))
    again = services.close_case(clerk, case_id=case.id, now=NOW, retention_years=99)
    assert again == closed
    assert [e.kind for e in queries.timeline(clerk, case.id)] == ["closed", "opened"]


@pytest.mark.parametrize("years", [-1, 121])
def test_a_retention_period_that_cannot_be_leaves_the_case_open(clerk: Actor, years: int) -> None:
    case = factories.open_case(clerk)
    with pytest.raises(services.CaseInvalid):
        services.close_case(clerk, case_id=case.id, now=NOW, retention_years=years)
    assert queries.case(clerk, case.id).is_open


def test_a_named_period_replaces_that_of_the_position(clerk: Actor) -> None:
    case = factories.open_case(clerk)
    assert services.close_case(clerk, case_id=case.id, now=NOW, retention_years=0).retention_until == date(2026, 12, 31)


def test_a_note_is_kept_as_written_and_an_empty_one_is_refused(clerk: Actor) -> None:
    case = factories.open_case(clerk)
    services.note(clerk, case_id=case.id, text=" Rückruf\r\nam Montag\x07 ", now=NOW)
    newest = queries.timeline(clerk, case.id)[0]
    assert (newest.kind, newest.text, newest.actor_name) == ("note", "Rückruf\nam Montag", "Eva Eich")
    assert not newest.visible_to_party
    for text in ("", " \n", "x" * 10_001):
        with pytest.raises(services.CaseInvalid):
            services.note(clerk, case_id=case.id, text=text, now=NOW)
    assert TimelineEntry.objects.filter(kind="note").count() == 1


def test_who_assigns_a_case_that_somebody_else_has_changed_is_told(clerk: Actor) -> None:
    case = factories.open_case(clerk)
    seen = queries.case(clerk, case.id).revision
    services.assign_case(
        clerk, case_id=case.id, person=clerk.id, person_name="Eva Eich", now=NOW, expected_revision=seen
    )
    with pytest.raises(services.CaseMoved):
        services.assign_case(clerk, case_id=case.id, person=None, now=NOW, expected_revision=seen)
    assert queries.case(clerk, case.id).assigned_name == "Eva Eich"


def test_a_case_needs_a_title_and_a_unit(clerk: Actor) -> None:
    with pytest.raises(services.CaseInvalid) as refused:
        factories.open_case(clerk, title="\n", unit=" ")
    assert set(refused.value.errors) == {"title", "unit"}
    assert Case.objects.count() == 0


def test_cases_are_found_by_their_origin(clerk: Actor) -> None:
    case = factories.open_case(clerk, origin="process:7")
    factories.open_case(clerk)
    assert [r.reference for r in queries.cases_by_origin(clerk, "process:7")] == [case.reference]
    assert queries.cases_by_origin(clerk, "") == []
