import hashlib
import threading
from datetime import UTC
from itertools import pairwise
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from tests.races import at_once

from verbund.platform import audit
from verbund.platform.audit.models import AuditEntry, AuditLane
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import acting_for


def expected_hash(entry: AuditEntry) -> bytes:
    """The chain's rule, written a second time."""
    fields = [
        str(entry.lane),
        str(entry.lane_no),
        entry.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        entry.actor_kind,
        entry.actor_id,
        entry.actor_name,
        entry.substitutes,
        entry.action,
        entry.object_type,
        entry.object_id,
        entry.request_id,
        entry.changes,
    ]
    text = "".join(f"{len(f.encode())}:{f}," for f in fields)
    return hashlib.sha256(bytes(entry.hash_prev) + text.encode()).digest()


def test_an_entry_says_who_did_what_on_which_object(alpha: Any, staff: Any) -> None:
    actor = staff(name="Jörg Ünal")
    audit.record(actor, "test.thing.changed", "test.thing", 7, before={"name": "alt"}, after={"name": "neu"})
    entry = AuditEntry.objects.get()
    assert (entry.actor_kind, entry.actor_id, entry.actor_name) == ("staff", str(actor.id), "Jörg Ünal")
    assert (entry.action, entry.object_type, entry.object_id, entry.request_id) == (
        "test.thing.changed",
        "test.thing",
        "7",
        "test",
    )
    assert entry.changes == '{"after":{"name":"neu"},"before":{"name":"alt"}}'


def test_the_entries_of_a_lane_are_chained(alpha: Any, system: Actor) -> None:
    for number in range(3):
        audit.record(system, "test.counted", "test.thing", number)
    entries = list(AuditEntry.objects.order_by("lane_no"))
    assert [e.lane_no for e in entries] == [1, 2, 3]
    assert {e.lane for e in entries} == {entries[0].lane}
    assert bytes(entries[0].hash_prev) == bytes(32)
    for earlier, later in pairwise(entries):
        assert bytes(later.hash_prev) == bytes(earlier.hash)
    assert [bytes(e.hash) for e in entries] == [expected_hash(e) for e in entries]
    assert bytes(AuditLane.objects.get(lane=entries[0].lane).last_hash) == bytes(entries[-1].hash)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_auditentry SET action = 'x'",
        "DELETE FROM audit_auditentry",
        "TRUNCATE audit_auditentry",
        "INSERT INTO audit_auditentry (lane) VALUES (1)",
        "UPDATE audit_auditlane SET last_no = 0",
    ],
)
def test_the_bodys_role_can_neither_change_nor_forge_entries(alpha: Any, system: Actor, statement: str) -> None:
    audit.record(system, "test.kept", "test.thing", 1)
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert AuditEntry.objects.get().action == "test.kept"


@pytest.mark.parametrize("statement", ["UPDATE {} SET action = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
def test_even_the_owner_is_refused_by_the_trigger(real_database: str, owner_connection: Any, statement: str) -> None:
    with acting_for("alpha"):
        audit.record(Actor.system("alpha", "test"), "test.kept", "test.thing", 1)
    with pytest.raises(Exception, match="append-only"):
        owner_connection.execute(statement.format("alpha.audit_auditentry"))


def test_parallel_transactions_take_lanes_of_their_own_and_do_not_wait(real_database: str) -> None:
    both_inside = threading.Barrier(2, timeout=10)

    def work() -> None:
        with transaction.atomic():
            audit.record(Actor.system("alpha", "test"), "test.parallel", "test.thing", 1)
            both_inside.wait()  # would break if the second had to wait for the first one's commit

    assert at_once([work] * 2, body="alpha") == [None, None]
    with acting_for("alpha"):
        assert sorted(AuditEntry.objects.values_list("lane", "lane_no")) == [(0, 1), (1, 1)]


def test_a_rolled_back_deed_leaves_neither_entry_nor_gap(real_database: str) -> None:
    system = Actor.system("alpha", "test")
    with acting_for("alpha"):
        with pytest.raises(RuntimeError), transaction.atomic():  # noqa: PT012 - the deed and its failure
            audit.record(system, "test.undone", "test.thing", 1)
            raise RuntimeError
        audit.record(system, "test.done", "test.thing", 2)
        assert list(AuditEntry.objects.values_list("action", "lane", "lane_no")) == [("test.done", 0, 1)]


def test_many_entries_in_one_statement_are_chained_in_their_order(alpha: Any, system: Actor) -> None:
    audit.record(system, "test.counted", "test.thing", 0)
    audit.record_many(system, [audit.Deed("test.counted", "test.thing", n, after={"ä": n}) for n in range(1, 9)])
    audit.record_many(system, [])
    entries = list(AuditEntry.objects.order_by("lane_no"))
    assert [e.object_id for e in entries] == [str(n) for n in range(9)]
    assert [e.lane_no for e in entries] == list(range(1, 10))
    assert entries[8].changes == '{"after":{"ä":8}}'
    for earlier, later in pairwise(entries):
        assert bytes(later.hash_prev) == bytes(earlier.hash)
    assert [bytes(e.hash) for e in entries] == [expected_hash(e) for e in entries]


def test_entries_of_the_release_before_and_of_this_one_make_one_chain(alpha: Any, system: Actor) -> None:
    audit.record(system, "test.first", "test.thing", 1, after={"name": "Straße"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_append('system', '', 'test', '', 'test.second', 'test.thing', '2', 'x', '{}')")
    audit.record_many(system, [audit.Deed("test.third", "test.thing", 3), audit.Deed("test.fourth", "test.thing", 4)])

    entries = list(AuditEntry.objects.order_by("lane", "lane_no"))
    assert [e.action for e in entries] == ["test.first", "test.second", "test.third", "test.fourth"]
    assert [bytes(e.hash) for e in entries] == [expected_hash(e) for e in entries]
    assert all(bytes(later.hash_prev) == bytes(earlier.hash) for earlier, later in pairwise(entries))


def test_entries_made_together_are_written_at_the_end_in_their_order(alpha: Any, system: Actor, staff: Any) -> None:
    clerk = staff(name="Jörg Ünal")
    with audit.together():
        audit.record(system, "test.first", "test.thing", 1)
        audit.record(clerk, "test.second", "test.thing", 2)
        audit.record(system, "test.third", "test.thing", 3)
        assert not AuditEntry.objects.exists()

    entries = list(AuditEntry.objects.order_by("lane", "lane_no"))
    assert [(e.action, e.actor_kind) for e in entries] == [
        ("test.first", "system"),
        ("test.second", "staff"),
        ("test.third", "system"),
    ]
    assert [bytes(e.hash) for e in entries] == [expected_hash(e) for e in entries]


def test_entries_of_a_failed_service_are_not_written(alpha: Any, system: Actor) -> None:
    @audit.together()
    def fail() -> None:
        audit.record(system, "test.first", "test.thing", 1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    audit.record(system, "test.second", "test.thing", 2)

    assert [e.action for e in AuditEntry.objects.all()] == ["test.second"]
