"""Rows of several tables in one statement, and queries compiled once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from verbund.modules.records.models import Case, Document, File, FilePlanPosition, TimelineEntry, TimelineKind
from verbund.modules.records.tests import factories
from verbund.platform import audit
from verbund.platform.audit.models import AuditEntry
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import new_id, part_of_transaction, rows, whole_transaction
from verbund.platform.tenancy.kept import KeptQuery, KeptRows, given

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 20, 9, 30, 0, 123456, tzinfo=UTC)


@pytest.fixture
def case(alpha: Any, system: Actor) -> Case:
    factories.file_plan(system)
    return Case.objects.get(pk=factories.open_case(system, origin="process:1").id)


def _document(case: Case, number: int, **values: Any) -> Document:
    return Document(id=new_id(), case=case, number=number, kind="memo", filed_at=AT, **{"title": "Blatt", **values})


def _entry(case: Case, **values: Any) -> TimelineEntry:
    return TimelineEntry(case=case, at=AT, kind=TimelineKind.NOTE, **values)


def test_rows_of_several_tables_are_written_as_they_stand_in_one_statement(case: Case) -> None:
    document = _document(
        case, 7, title="Straße „ü\\n“ 'x' {}", metadata={"a": [1, None, "ß"], "b": 12345678901234567890}
    )
    entries = [_entry(case, text="Zeile 1\nZeile 2"), _entry(case, actor_id=new_id(), values={"n": "1"})]

    with CaptureQueriesContext(connection) as asked:
        rows.write([document], entries, [])

    assert len(asked) == 1
    for written in (document, *entries):
        read: Any = type(written)._default_manager.get(pk=written.pk)
        assert {f.attname: getattr(read, f.attname) for f in read._meta.concrete_fields} == {
            f.attname: getattr(written, f.attname) for f in written._meta.concrete_fields
        }


def test_an_instance_to_be_written_is_what_the_constructor_makes(case: Case) -> None:
    values = {"id": new_id(), "case_id": case.id, "number": 7, "kind": "memo", "filed_at": AT, "title": "Blatt"}

    made, usual = rows.new(Document, **values), Document(**values)
    rows.write([made])

    for each in Document._meta.concrete_fields:
        assert getattr(made, each.attname) == getattr(usual, each.attname), each.attname
    assert made.metadata is not rows.new(Document, **values).metadata, "a default is made for each anew"
    assert made.case == case
    assert Document.objects.get(pk=made.pk).title == "Blatt"
    with pytest.raises(TypeError, match="Document has no column case"):
        rows.new(Document, case=case)


def test_what_several_services_write_goes_in_one_statement_at_the_end(case: Case, system: Actor) -> None:
    old, document = _document(case, 1), _document(case, 2)
    rows.write([old])

    with CaptureQueriesContext(connection) as asked, rows.at_once():
        rows.write([document], [_entry(case, text="1")])
        rows.write([_entry(case, text="2")], gone=[old])
        audit.record(system, "test.done", "test", "1")
        audit.record(system, "test.done", "test", "2")
        assert len(asked) == 0

    assert len(asked) == 1
    assert list(Document.objects.values_list("number", flat=True)) == [2]
    assert set(TimelineEntry.objects.filter(kind="note").values_list("text", flat=True)) == {"1", "2"}
    assert list(AuditEntry.objects.filter(action="test.done").order_by("id").values_list("object_id", flat=True)) == [
        "1",
        "2",
    ]


def test_of_what_was_to_be_written_at_once_nothing_is_when_a_service_fails(case: Case) -> None:
    def fail() -> None:
        with rows.at_once():
            rows.write([_document(case, 1)])
            raise ValueError("no more")

    with CaptureQueriesContext(connection) as asked:
        with pytest.raises(ValueError, match="no more"):
            fail()
        assert len(asked) == 0
    rows.write([_document(case, 2)])
    assert list(Document.objects.values_list("number", flat=True)) == [2]


def test_copied_rows_stand_as_a_model_would_write_them(case: Case) -> None:
    columns = [str(field.column) for field in Document._meta.concrete_fields]
    titles = ("Straße „ü\\n“ 'x' {}", "\\N", "zwei\tSpalten\nzwei Zeilen")
    wanted = [_document(case, n, title=title, metadata={"a": [1, None, title]}) for n, title in enumerate(titles)]

    rows.copy(Document, columns[::-1], ([getattr(row, name) for name in columns[::-1]] for row in wanted))

    for written in wanted:
        read = Document.objects.get(pk=written.pk)
        for each in Document._meta.concrete_fields:
            assert getattr(read, each.attname) == getattr(written, each.attname), each.attname


def test_copied_rows_are_written_all_or_none(case: Case) -> None:
    columns = [str(field.column) for field in Document._meta.concrete_fields]
    twice = [_document(case, 1), _document(case, 2), _document(case, 2)]
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.copy(Document, columns, ([getattr(row, name) for name in columns] for row in twice))
    with pytest.raises(TypeError, match="Document: title"):
        rows.copy(Document, [name for name in columns if name != "title"], [])
    assert not Document.objects.filter(case=case).exists()


def test_rows_go_in_the_statement_that_brings_others(case: Case) -> None:
    old, kept, new = _document(case, 1), _document(case, 2), _document(case, 1)
    rows.write([old, kept])

    rows.write([_document(case, 3)], gone=[old])
    rows.write([new])
    rows.write(gone=[kept, new])

    assert list(Document.objects.values_list("number", flat=True)) == [3]


def test_nothing_to_write_asks_nothing(case: Case) -> None:
    with CaptureQueriesContext(connection) as asked:
        rows.write([], [])

    assert len(asked) == 0


def test_one_bad_row_leaves_none(case: Case) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.write([_document(case, 1)], [_entry(case), _entry(case, id=None)])

    assert not Document.objects.exists()
    assert not TimelineEntry.objects.filter(kind=TimelineKind.NOTE).exists()


def test_a_value_that_json_cannot_say_is_refused(case: Case) -> None:
    with pytest.raises(TypeError, match="no JSON for bytes"):
        rows.write([_document(case, 1, title=b"x")])


def test_a_kept_query_gives_what_the_query_gives(case: Case) -> None:
    kept = KeptQuery(
        lambda: File.objects.select_related("position").filter(year=given("year"), opened_at__lt=given("before"))
    )
    asked = File.objects.select_related("position").filter(year=case.year)

    for _ in range(2):
        found = kept.all(year=case.year, before=case.opened_at + timedelta(days=1))
        assert found == list(asked)
        with CaptureQueriesContext(connection) as statements:
            assert found[0].position.metadata_fields == asked[0].position.metadata_fields
        assert len(statements) == 0, "the position came with the file"
    assert kept.first(year=case.year + 1, before=case.opened_at) is None
    assert not found[0]._state.adding


def test_a_kept_query_asks_for_its_values(case: Case) -> None:
    kept = KeptQuery(lambda: FilePlanPosition.objects.filter(code=given("code")))

    with pytest.raises(KeyError):
        kept.first(position="32.10")
    first = kept.first(code="32.10")
    assert first is not None
    assert first.code == "32.10"


def test_a_kept_query_never_builds_a_statement_of_a_value(case: Case) -> None:
    kept = KeptQuery(lambda: FilePlanPosition.objects.filter(code=given("code")))

    assert kept.all(code="' OR true --") == []


def test_a_part_of_a_whole_transaction_makes_no_savepoint_and_its_failure_undoes_the_whole(case: Case) -> None:
    @part_of_transaction
    def write(number: int) -> None:
        rows.write([_document(case, number)])
        if number > 2:
            raise ZeroDivisionError

    with CaptureQueriesContext(connection) as asked:
        write(1)
    assert any("SAVEPOINT" in query["sql"] for query in asked)

    @whole_transaction()
    def write_both() -> None:
        with CaptureQueriesContext(connection) as asked:
            write(2)
        assert not any("SAVEPOINT" in query["sql"] for query in asked)
        write(3)

    with pytest.raises(ZeroDivisionError):
        write_both()

    assert list(Document.objects.values_list("number", flat=True)) == [1]


def test_a_kept_query_that_no_row_can_fit_asks_nothing(case: Case) -> None:
    nothing = KeptQuery(lambda: Case.objects.filter(unit__in=[], pk=given("case")))
    no_rows = KeptRows(Case.objects.filter(unit__in=[]).values_list("title"))

    with CaptureQueriesContext(connection) as asked:
        assert nothing.first(case=case.id) is None
        assert no_rows.all() == []
    assert len(asked) == 0


def test_kept_rows_give_the_values_of_the_query(case: Case) -> None:
    kept = KeptRows(Case.objects.filter(opened_at__lt=given("before")).values_list("reference", "metadata")[:5])

    assert kept.all(before=case.opened_at + timedelta(days=1)) == [(case.reference, case.metadata)]
    assert kept.all(before=case.opened_at) == []
