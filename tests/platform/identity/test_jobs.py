"""Operators see the jobs in trouble of all bodies, nobody else does, and nobody sees what they carry."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from verbund.platform.audit.models import AuditEntry
from verbund.platform.identity import jobs, policy
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for

from .people import employ, sign_in

NEXT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def put(
    owner: "psycopg.Connection[Any]", body: str, status: str, attempts: int, hearer: str = "records.subscribers.file"
) -> int:
    """A job as the worker leaves it behind."""
    values = {
        "body": body,
        "hearer": hearer,
        "event": "citizenservices.events.Sent",
        "values": {"name": "Geheim Heimlich"},
        "request_id": "r1",
    }
    row = owner.execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, attempts, scheduled_at)"
        " VALUES ('default', 'verbund.hear', %s, %s, %s, %s) RETURNING id",
        [json.dumps(values), status, attempts, NEXT if status == "todo" and attempts else None],
    ).fetchone()
    assert row is not None
    return int(row[0])


def state(owner: "psycopg.Connection[Any]", job: int) -> tuple[Any, ...]:
    row = owner.execute("SELECT status::text, attempts, scheduled_at FROM procrastinate_jobs WHERE id = %s", [job])
    found = row.fetchone()
    assert found is not None
    return tuple(found)


@pytest.fixture
def operator(staff: Any) -> Actor:
    actor: Actor = staff(Role.OPERATOR, body="alliance", name="Olga Orange")
    return actor


@pytest.fixture
def queue(real_database: str, owner_connection: "psycopg.Connection[Any]") -> dict[str, int]:
    made = {
        "failed": put(owner_connection, "alpha", "failed", 9),
        "failed too": put(owner_connection, "beta", "failed", 9),
        "retrying": put(owner_connection, "beta", "todo", 3),
        "waiting": put(owner_connection, "alpha", "todo", 0),
        "done": put(owner_connection, "alpha", "succeeded", 1),
    }
    jobs.note_failure(made["failed"], ValueError("Geheim Heimlich"))
    return made


def test_operators_see_who_was_to_hear_what_where_and_the_kind_of_error(queue: dict[str, int], operator: Actor) -> None:
    with acting_for("alliance"):
        page = jobs.troubled_jobs(operator)
        assert [row.id for row in page.rows] == [queue["failed too"], queue["failed"]]
        first = page.rows[1]
        assert (first.body, first.hearer, first.event) == (
            "Stadt Alphausen",
            "records.subscribers.file",
            "citizenservices.events.Sent",
        )
        assert (first.error, first.attempts, first.request_id) == ("ValueError", 9, "r1")
        assert "Geheim" not in repr(page)
        (retrying,) = jobs.troubled_jobs(operator, failed=False).rows
        assert (retrying.id, retrying.attempts, retrying.next_try) == (queue["retrying"], 3, NEXT)
        depth = jobs.queue_depth(operator)
        assert (depth.waiting, depth.running, depth.retrying, depth.failed) == (1, 0, 1, 2)


def test_the_list_goes_on_where_the_page_ended(queue: dict[str, int], operator: Actor) -> None:
    with acting_for("alliance"):
        first = jobs.troubled_jobs(operator, limit=1)
        second = jobs.troubled_jobs(operator, limit=1, before=int(first.next))
        assert [r.id for r in first.rows + second.rows] == [queue["failed too"], queue["failed"]]
        assert second.next == ""


def test_a_failed_job_is_tried_again_and_a_retrying_one_at_once(
    queue: dict[str, int], operator: Actor, owner_connection: "psycopg.Connection[Any]"
) -> None:
    with acting_for("alliance"):
        jobs.retry_job(operator, job_id=queue["failed"])
        jobs.retry_job(operator, job_id=queue["retrying"])
        assert AuditEntry.objects.filter(action="identity.job_retried", actor_name="Olga Orange").count() == 2
    status, _, scheduled = state(owner_connection, queue["failed"])
    assert (status, scheduled < datetime.now(UTC) + timedelta(seconds=5)) == ("todo", True)
    status, attempts, scheduled = state(owner_connection, queue["retrying"])
    assert (status, attempts) == ("todo", 3)
    assert scheduled > NEXT


def test_a_discarded_job_is_never_tried_again_and_stays_in_the_history(
    queue: dict[str, int], operator: Actor, owner_connection: "psycopg.Connection[Any]"
) -> None:
    with acting_for("alliance"):
        jobs.discard_job(operator, job_id=queue["failed"])
        jobs.discard_job(operator, job_id=queue["retrying"])
        for job in (queue["failed"], queue["done"], queue["waiting"], 10**12):
            with pytest.raises(jobs.JobNotFound):
                jobs.discard_job(operator, job_id=job)
    assert state(owner_connection, queue["failed"])[0] == "cancelled"
    assert state(owner_connection, queue["retrying"])[0] == "cancelled"
    assert state(owner_connection, queue["waiting"])[0] == "todo"


def test_what_fails_in_a_bodys_name_is_noted_in_nobodys(queue: dict[str, int], operator: Actor) -> None:
    with pytest.raises(ZeroDivisionError), jobs.noting_failures(queue["retrying"]), acting_for("beta"):
        raise ZeroDivisionError("Geheim Heimlich")
    with acting_for("alliance"):
        (row,) = jobs.troubled_jobs(operator, failed=False).rows
        assert (row.error, row.body) == ("ZeroDivisionError", "Landkreis Betaland")


@pytest.mark.parametrize("role", [Role.BODY_ADMIN, Role.ALLIANCE_MANAGER, Role.AUDITOR, Role.CLERK])
def test_nobody_but_operators_comes_near(
    queue: dict[str, int], staff: Any, role: Role, owner_connection: "psycopg.Connection[Any]"
) -> None:
    actor = staff(role, body="alliance")
    before = [state(owner_connection, job) for job in queue.values()]
    with acting_for("alliance"):
        for attempt in (
            lambda: jobs.troubled_jobs(actor),
            lambda: jobs.queue_depth(actor),
            lambda: jobs.retry_job(actor, job_id=queue["failed"]),
            lambda: jobs.discard_job(actor, job_id=queue["failed"]),
        ):
            with pytest.raises(policy.Denied):
                attempt()
        assert not AuditEntry.objects.exists()
    assert [state(owner_connection, job) for job in queue.values()] == before


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM public.identity_troubled_jobs(true, NULL, 50)",
        "SELECT * FROM public.identity_queue_depth()",
        "SELECT * FROM public.identity_handle_job(1, 'discard')",
        "SELECT public.identity_note_failure(1, 'x')",
        "SELECT * FROM public.procrastinate_jobs",
    ],
)
def test_the_database_refuses_the_role_of_a_member_whatever_the_application_says(
    queue: dict[str, int], staff: Any, statement: str
) -> None:
    with acting_for("alpha"), pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db
def test_the_page_exists_on_the_alliances_host_only_and_for_operators_only(client_of: Any, settings: Any) -> None:
    settings.VERBUND_REQUIRE_SECOND_FACTOR = False
    employ("alliance", "olga.orange@example.org", "Olga Orange", Role.OPERATOR)
    employ("alliance", "max.mond@example.org", "Max Mond", Role.ALLIANCE_MANAGER)
    employ("alpha", "anna.ahorn@example.org", "Anna Ahorn", Role.BODY_ADMIN)
    olga, boss, anna = client_of("verbund"), client_of("verbund"), client_of("alpha")
    sign_in(olga, "olga.orange@example.org")
    sign_in(boss, "max.mond@example.org")
    sign_in(anna, "anna.ahorn@example.org")
    page = olga.get("/arbeit/betrieb/auftraege/")
    assert page.status_code == 200
    assert "0 Aufträge sind endgültig gescheitert." in page.content.decode()
    assert olga.get("/arbeit/betrieb/auftraege/?stand=warten&after=x").status_code == 200
    assert boss.get("/arbeit/betrieb/auftraege/").status_code == 403
    assert anna.get("/arbeit/betrieb/auftraege/").status_code == 404
    assert anna.post("/arbeit/betrieb/auftraege/1/verwerfen/").status_code == 404
    assert client_of("verbund").get("/arbeit/betrieb/auftraege/").status_code == 302
    gone = olga.post("/arbeit/betrieb/auftraege/4711/wiederholen/", follow=True)
    assert "Dieser Auftrag ist inzwischen gelaufen oder wurde verworfen." in gone.content.decode()
