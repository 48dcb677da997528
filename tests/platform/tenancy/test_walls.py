"""The wall between the bodies stands in PostgreSQL; these tests lean against it from every side that is known to
give way."""

import threading
import time
from contextlib import suppress
from functools import partial
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.db import DatabaseError, connection, connections, transaction
from django.db.utils import ProgrammingError
from tests.races import at_once

from verbund.platform.audit.models import AuditEntry
from verbund.platform.events.models import EventReceipt
from verbund.platform.tenancy import NestedSwitch, NoBody, acting_for, current_body, prepared_statements
from verbund.platform.tenancy.prepared import OutdatedPlan
from verbund.platform.tenancy.roles import tenant_models


def _who() -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_schema()")
        row: tuple[str, str] = cursor.fetchone()
        return row


@pytest.fixture
def own_threads(real_database: str) -> Any:
    """run(function) in a thread with a connection of its own that is given back at the end; re-raises what it
    raised."""

    def run(function: Any) -> Any:
        out: dict[str, Any] = {}

        def work() -> None:
            try:
                out["result"] = function()
            except BaseException as error:  # noqa: BLE001 - handed to the test
                out["error"] = error
            finally:
                connections.close_all()

        thread = threading.Thread(target=work)
        thread.start()
        thread.join(20)
        if "error" in out:
            raise out["error"]
        return out.get("result")

    return run


def test_work_for_a_body_runs_as_its_role_in_its_schema(alpha: Any) -> None:
    assert _who() == ("body_alpha", "alpha")
    assert current_body().name == "Stadt Alphausen"


@pytest.mark.parametrize("model", tenant_models(), ids=lambda m: m._meta.label)
def test_another_bodys_table_is_refused_by_postgresql(alpha: Any, model: Any) -> None:
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f'SELECT 1 FROM beta."{model._meta.db_table}"')


@pytest.mark.parametrize("model", tenant_models(), ids=lambda m: m._meta.label)
def test_with_no_body_set_a_rooms_query_fails(db: None, model: Any) -> None:
    with pytest.raises(ProgrammingError, match="does not exist"), transaction.atomic():
        list(model.objects.all()[:1])


def test_a_prepared_statement_looks_into_the_body_of_the_moment(real_database: str) -> None:
    keys: dict[str, set[str]] = {"alpha": set(), "beta": set()}
    for turn in range(4):
        for body, known in keys.items():
            with acting_for(body), prepared_statements():
                EventReceipt.objects.create(key=f"{body} {turn}")
                known.add(f"{body} {turn}")
                assert set(EventReceipt.objects.values_list("key", flat=True)) == known
                with connection.cursor() as cursor:
                    cursor.execute("SELECT count(*) FROM pg_prepared_statements")
                    assert turn == 0 or cursor.fetchone()[0] > 0
    assert connection.connection.prepare_threshold is None


def test_outside_of_a_body_there_is_no_current_body(db: None) -> None:
    with pytest.raises(NoBody):
        current_body()


def test_a_nested_switch_to_another_body_is_refused_and_leaves_the_first(alpha: Any) -> None:
    with pytest.raises(NestedSwitch), acting_for("beta"):
        pass
    assert _who() == ("body_alpha", "alpha")


def test_entering_the_same_body_twice_is_harmless(alpha: Any) -> None:
    with acting_for("alpha"):
        assert _who() == ("body_alpha", "alpha")
    assert _who() == ("body_alpha", "alpha")


def test_the_body_survives_an_error_and_a_rollback(alpha: Any) -> None:
    with suppress(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")
    assert _who() == ("body_alpha", "alpha")


def test_after_an_error_inside_a_body_the_next_body_is_entered_cleanly(own_threads: Any) -> None:
    def work() -> list[tuple[str, str]]:
        seen = []
        with suppress(DatabaseError), acting_for("alpha"), transaction.atomic():
            seen.append(_who())
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")
        with acting_for("beta"):
            seen.append(_who())
        return seen

    assert own_threads(work) == [("body_alpha", "alpha"), ("body_beta", "beta")]


def test_a_body_entered_inside_a_transaction_that_rolls_back_does_not_stick(own_threads: Any) -> None:
    def work() -> tuple[str, str]:
        with suppress(RuntimeError), transaction.atomic(), acting_for("alpha"):
            _who()
            raise RuntimeError
        with acting_for("beta"):
            return _who()

    assert own_threads(work) == ("body_beta", "beta")


def test_a_connection_goes_back_to_the_pool_without_role_and_path(own_threads: Any) -> None:
    def first() -> int:
        with acting_for("alpha"):
            _who()
            return int(connection.connection.info.backend_pid)

    pid = own_threads(first)
    assert _in_pool(pid) == ("verbund_app", "public")


def _in_pool(pid: int) -> tuple[str, str]:
    """Who the pooled connection with this backend is, as the next one to take it would find it."""
    connection: Any = connections["default"]
    pool = connection.pool
    for _ in range(50):
        taken = [pool.getconn() for _ in range(pool.get_stats()["pool_available"] or 1)]
        try:
            for raw in taken:
                if raw.info.backend_pid == pid:
                    found: tuple[str, str] = raw.execute(
                        "SELECT current_user::text, current_setting('search_path')"
                    ).fetchone()
                    return found
        finally:
            for raw in taken:
                pool.putconn(raw)
        time.sleep(0.02)  # the pool cleans in a thread of its own
    raise AssertionError("the connection did not come back to the pool")


def test_the_same_connection_serves_two_bodies_one_after_the_other(own_threads: Any) -> None:
    def both() -> list[tuple[str, str]]:
        seen = []
        for name in ("alpha", "beta", "alpha"):
            with acting_for(name):
                seen.append(_who())
        return seen

    assert own_threads(both) == [("body_alpha", "alpha"), ("body_beta", "beta"), ("body_alpha", "alpha")]


def test_a_server_side_cursor_reads_its_own_body(own_threads: Any) -> None:
    def work() -> list[str]:
        seen = []
        for name in ("alpha", "beta"):
            with acting_for(name), transaction.atomic():
                EventReceipt.objects.create(key=f"{name} receipt")
                seen += [r.key for r in EventReceipt.objects.iterator(chunk_size=1)]
        return seen

    assert own_threads(work) == ["alpha receipt", "beta receipt"]


def test_a_pooled_connection_survives_a_migration_of_the_tables_it_has_read(
    own_threads: Any, owner_connection: "psycopg.Connection[Any]"
) -> None:
    def read() -> list[Any]:
        with acting_for("alpha"):
            return list(EventReceipt.objects.all())

    for _ in range(8):  # beyond psycopg's threshold for preparing a statement
        assert own_threads(read) == []
    owner_connection.execute("ALTER TABLE alpha.events_eventreceipt ALTER COLUMN key TYPE varchar(250)")
    owner_connection.execute("ALTER TABLE alpha.events_eventreceipt ADD COLUMN later integer")
    assert own_threads(read) == []


def test_threads_of_two_bodies_never_see_each_others_rows(real_database: str) -> None:
    def work(name: str) -> list[str]:
        wrong: list[str] = []
        for number in range(40):
            with acting_for(name), transaction.atomic():
                EventReceipt.objects.create(key=f"{name} {threading.get_ident()} {number}")
                wrong.extend(k for k in EventReceipt.objects.values_list("key", flat=True) if not k.startswith(name))
        return wrong

    assert at_once([partial(work, name) for name in ("alpha", "beta") * 3]) == [[]] * 6
    with acting_for("alpha"):
        assert EventReceipt.objects.count() == 120


def test_several_statements_in_one_call_with_values_are_refused(alpha: Any) -> None:
    with (
        pytest.raises(ProgrammingError, match="multiple commands"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SET ROLE body_beta; SELECT %s", [1])


def test_an_unknown_body_cannot_be_entered_and_nothing_is_read(own_threads: Any) -> None:
    from dataclasses import replace

    def work() -> None:
        with acting_for("alpha") as facts:
            pass
        with acting_for(replace(facts, schema_name="niemandsland")):
            list(AuditEntry.objects.all())

    with pytest.raises(DatabaseError, match="niemandsland"):
        own_threads(work)


def test_the_login_role_owns_nothing_and_is_no_superuser(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolinherit FROM pg_roles"
            " WHERE rolname = session_user"
        )
        assert cursor.fetchone() == (False, False, False, False, False)
        cursor.execute(
            "SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE r.rolname = session_user"
        )
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("table", ["procrastinate_jobs", "procrastinate_events"])
def test_a_body_cannot_read_the_shared_queue(alpha: Any, table: str) -> None:
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"SELECT 1 FROM public.{table}")


def test_every_tenant_table_is_known_to_the_wall() -> None:
    assert {m._meta.label for m in tenant_models()} >= {"audit.AuditEntry", "audit.AuditLane", "events.EventReceipt"}
    assert apps.get_model("tenancy.Body") not in tenant_models()


def test_a_kept_plan_that_a_migration_outdated_costs_one_attempt_and_nothing_else(
    real_database: str, owner_connection: "psycopg.Connection[Any]"
) -> None:
    def read() -> list[str]:
        with acting_for("alpha"), prepared_statements(), transaction.atomic():
            return list(EventReceipt.objects.values_list("key", flat=True))

    for _ in range(3):
        assert read() == []
    owner_connection.execute("ALTER TABLE alpha.events_eventreceipt ALTER COLUMN key TYPE varchar(250)")
    with pytest.raises(OutdatedPlan):
        read()
    connection.close()  # as at the end of a request
    assert read() == []
