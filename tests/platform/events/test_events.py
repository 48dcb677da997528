from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection, connections, transaction
from procrastinate.contrib.django import app

from verbund.platform import events
from verbund.platform.audit.models import AuditEntry
from verbund.platform.events import publishing, tasks
from verbund.platform.events.models import EventReceipt
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor, ActorKind
from verbund.platform.identity.jobs import troubled_jobs
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for


@dataclass(frozen=True)
class LampLit:
    lamp_id: UUID
    lit_on: date
    watts: int
    places: tuple[str, ...] = ()


heard: list[tuple[str, Any]] = []
failing = {"times": 0}


def hear_lamp(actor: Actor, event: LampLit) -> None:
    if failing["times"] > 0:
        failing["times"] -= 1
        raise RuntimeError("the lamp room is closed")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        heard.append((cursor.fetchone()[0], event))


@pytest.fixture(autouse=True)
def wired(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    heard.clear()
    failing["times"] = 0
    monkeypatch.setattr(publishing, "hearers", lambda: {LampLit: (hear_lamp,)})
    monkeypatch.setattr(tasks, "hearers", lambda: {LampLit: (hear_lamp,)})
    tasks._table.cache_clear()
    yield
    tasks._table.cache_clear()


def jobs() -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT status::text, attempts, args FROM public.procrastinate_jobs"
            " WHERE task_name = 'verbund.hear' ORDER BY id"
        )
        return [{"status": s, "attempts": a, "args": x} for s, a, x in cursor.fetchall()]


@pytest.fixture
def work(real_database: str) -> Callable[[], None]:
    """Run a worker until the queue is empty."""

    def run() -> None:
        connection.close()
        connector: Any = app.connector
        with app.replace_connector(connector.get_worker_connector()) as worker:
            worker.run_worker(wait=False, install_signal_handlers=False, listen_notify=False)
        connections.close_all()

    return run


LAMP = LampLit(uuid4(), date(2026, 11, 20), 60, ("Markt", "Hof"))


def test_an_event_of_a_rolled_back_deed_was_never_told(real_database: str) -> None:
    with acting_for("alpha"), pytest.raises(RuntimeError), transaction.atomic():  # noqa: PT012 - the deed and its failure
        events.publish(Actor.system("alpha", "test"), LAMP)
        raise RuntimeError
    assert jobs() == []


def test_a_hearer_gets_the_event_as_the_role_of_the_body(work: Callable[[], None]) -> None:
    with acting_for("alpha"):
        events.publish(Actor.system("alpha", "test"), LAMP)
    work()
    assert heard == [("body_alpha", LAMP)]
    assert [j["status"] for j in jobs()] == ["succeeded"]


def test_jobs_of_two_bodies_in_one_worker_each_run_as_their_own_role(work: Callable[[], None]) -> None:
    for body in ("alpha", "beta", "alpha"):
        with acting_for(body):
            events.publish(Actor.system(body, "test"), LAMP)
    work()
    assert [who for who, _ in heard] == ["body_alpha", "body_beta", "body_alpha"]


def test_an_event_may_be_addressed_to_another_body(work: Callable[[], None]) -> None:
    with acting_for("alpha"):
        events.publish(Actor.system("alpha", "test"), LAMP, to_body="beta")
    work()
    assert [who for who, _ in heard] == ["body_beta"]


def test_a_job_delivered_twice_takes_effect_once(work: Callable[[], None]) -> None:
    with acting_for("alpha"):
        events.publish(Actor.system("alpha", "test"), LAMP)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO public.procrastinate_jobs (queue_name, task_name, args, status)"
            " SELECT queue_name, task_name, args, 'todo' FROM public.procrastinate_jobs"
        )
    work()
    assert len(heard) == 1
    with acting_for("alpha"):
        assert EventReceipt.objects.count() == 1


def test_a_failed_hearer_is_tried_again_later_and_leaves_no_receipt(work: Callable[[], None]) -> None:
    failing["times"] = 1
    with acting_for("alpha"):
        events.publish(Actor.system("alpha", "test"), LAMP)
    work()
    assert heard == []
    (job,) = jobs()
    assert (job["status"], job["attempts"]) == ("todo", 1)
    with acting_for("alpha"):
        assert EventReceipt.objects.count() == 0
    with connection.cursor() as cursor:
        cursor.execute("UPDATE public.procrastinate_jobs SET scheduled_at = now() - interval '1 second'")
    work()
    assert len(heard) == 1
    assert [j["status"] for j in jobs()] == ["succeeded"]


def test_operators_learn_the_class_of_what_failed_and_nothing_of_its_words(work: Callable[[], None]) -> None:
    failing["times"] = 1
    with acting_for("alpha"):
        events.publish(Actor.system("alpha", "test"), LAMP)
    work()
    operator = Actor(ActorKind.STAFF, uuid4(), "Ole Operator", "alliance", frozenset({Role.OPERATOR}))
    with acting_for("alliance"):
        (row,) = troubled_jobs(operator, failed=False).rows
    assert (row.body, row.attempts, row.error) == ("Stadt Alphausen", 1, "RuntimeError")


def test_a_body_cannot_write_a_job_in_another_bodys_name(alpha: Any) -> None:
    with pytest.raises(DatabaseError, match="in the name of its sender"), connection.cursor() as cursor:
        cursor.execute("""SELECT public.verbund_defer('{"sender": "beta", "body": "beta"}')""")


def test_an_actor_of_another_body_cannot_publish(alpha: Any) -> None:
    with pytest.raises(policy.Denied):
        events.publish(Actor.system("beta", "test"), LAMP)
    assert AuditEntry.objects.count() == 0


def test_an_event_goes_to_values_and_back() -> None:
    assert events.from_values(LampLit, events.to_values(LAMP)) == LAMP
