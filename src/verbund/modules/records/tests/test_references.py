"""References: gap-free per position and year, under threads and rollbacks."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

import pytest
from django.db import transaction
from tests.races import at_once

from verbund.modules.records import queries, services
from verbund.modules.records.models import Case, File, ReferenceCounter
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for

from . import factories
from .factories import NOW


class GivenUpError(Exception):
    pass


@pytest.mark.usefixtures("alpha")
def test_a_case_is_numbered_per_position_and_legal_year(system: Actor) -> None:
    factories.file_plan(system)
    new_years_eve_in_berlin = datetime(2026, 12, 31, 22, 59, tzinfo=UTC)
    new_year_in_berlin = datetime(2026, 12, 31, 23, 0, tzinfo=UTC)
    given = [
        factories.open_case(system).reference,
        factories.open_case(system).reference,
        factories.open_case(system, position="32.20", metadata={"beginn": "2026-12-24"}).reference,
        factories.open_case(system, now=new_years_eve_in_berlin).reference,
        factories.open_case(system, now=new_year_in_berlin).reference,
    ]
    assert given == ["32.10-2026/0001", "32.10-2026/0002", "32.20-2026/0001", "32.10-2026/0003", "32.10-2027/0001"]


@pytest.mark.usefixtures("alpha")
def test_a_number_of_a_transaction_that_failed_is_given_again(system: Actor) -> None:
    factories.file_plan(system)
    factories.open_case(system)
    with transaction.atomic():
        assert factories.open_case(system).reference == "32.10-2026/0002"
        transaction.set_rollback(True)
    assert factories.open_case(system).reference == "32.10-2026/0002"
    assert Case.objects.count() == 2


@pytest.mark.usefixtures("alpha")
def test_cases_without_a_subject_share_the_file_of_the_year_and_subjects_have_files_of_their_own(system: Actor) -> None:
    factories.file_plan(system)
    first, second = factories.open_case(system), factories.open_case(system)
    third = factories.open_case(system, file_title="Marktplatz 1")
    fourth = factories.open_case(system, file_title=" Marktplatz  1 ")
    fifth = factories.open_case(system, file_title="Marktplatz 2")
    assert [c.file_reference for c in (first, second)] == ["32.10-2026"] * 2
    assert [c.file_reference for c in (third, fourth, fifth)] == ["32.10/1", "32.10/1", "32.10/2"]
    assert queries.case(system, fourth.id).file_title == "Marktplatz 1"
    assert {f.reference for f in queries.files(system).rows} == {"32.10-2026", "32.10/1", "32.10/2"}


def test_threads_that_open_and_give_up_leave_no_gap_and_no_number_twice(
    real_database: str, system: Actor, staff: Callable[..., Actor]
) -> None:
    with acting_for("alpha"):
        factories.file_plan(system)

    def work(number: int) -> None:
        for turn in range(6):
            with suppress(GivenUpError), transaction.atomic():
                factories.open_case(system, file_title="Haus 7" if turn % 2 else None)
                if (number + turn) % 3 == 0:
                    raise GivenUpError

    assert at_once([partial(work, number) for number in range(4)], body="alpha") == [None] * 4
    with acting_for("alpha"):
        numbers = sorted(Case.objects.values_list("number", flat=True))
        assert numbers == list(range(1, 17))
        assert sorted(File.objects.values_list("reference", flat=True)) == ["32.10-2026", "32.10/1"]
        assert dict(ReferenceCounter.objects.values_list("year", "last")) == {2026: 16, 0: 1}


@pytest.mark.usefixtures("alpha")
def test_documents_are_numbered_within_their_case(system: Actor) -> None:
    factories.file_plan(system)
    first, second = factories.open_case(system), factories.open_case(system)
    numbers = [factories.file_text(system, c, "x").number for c in (first, second, first)]
    assert numbers == [1, 1, 2]


@pytest.mark.usefixtures("alpha")
@pytest.mark.parametrize("position", ["32", "99.9", "", "32.10.1"])
def test_a_position_that_takes_no_cases_is_named(system: Actor, position: str) -> None:
    factories.file_plan(system)
    with pytest.raises(services.CaseInvalid) as refused:
        factories.open_case(system, position=position)
    assert set(refused.value.errors) == {"position"}
    assert Case.objects.count() == File.objects.count() == ReferenceCounter.objects.count() == 0


@pytest.mark.usefixtures("alpha")
def test_metadata_are_checked_by_the_fields_of_the_position(system: Actor, staff: Callable[..., Actor]) -> None:
    factories.file_plan(system)
    for metadata in ({}, {"beginn": "morgen"}):
        with pytest.raises(services.CaseInvalid) as refused:
            factories.open_case(system, position="32.20", metadata=metadata)
        assert set(refused.value.errors) == {"beginn"}
    case = factories.open_case(staff(Role.CLERK, units={"32"}), position="32.20", metadata={"beginn": "2026-12-24"})
    assert queries.case(system, case.id).metadata == {"beginn": "2026-12-24"}
    assert factories.open_case(system, now=NOW).reference == "32.10-2026/0001"
