import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection, connections, transaction
from procrastinate.contrib.django import app
from psycopg.types.json import Jsonb

from verbund.platform import events
from verbund.platform.audit.models import AuditEntry
from verbund.platform.events import crossing, publishing, tasks
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


@dataclass(frozen=True)
class CountTaken:
    schema_name: str


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
    monkeypatch.setattr(crossing, "crossings", lambda: {LampLit: events.Crossing(events.Way.FROM_ALLIANCE)})
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


def test_an_event_may_be_addressed_to_another_body_if_the_wiring_says_so(work: Callable[[], None]) -> None:
    with acting_for("alliance"):
        events.publish(Actor.system("alliance", "test"), LAMP, to_body="beta")
    work()
    assert [who for who, _ in heard] == ["body_beta"]


@pytest.mark.parametrize(
    ("way", "sender", "body", "passes"),
    [
        (None, "alliance", "beta", False),
        (None, "alpha", "alpha", True),
        (events.Way.FROM_ALLIANCE, "alpha", "beta", False),
        (events.Way.FROM_ALLIANCE, "alpha", "alliance", False),
        (events.Way.TO_ALLIANCE, "alpha", "alliance", True),
        (events.Way.TO_ALLIANCE, "alpha", "beta", False),
        (events.Way.ANY, "alpha", "beta", True),
    ],
)
def test_what_may_cross_is_asked_before_it_is_written(
    real_database: str, monkeypatch: pytest.MonkeyPatch, way: events.Way | None, sender: str, body: str, passes: bool
) -> None:
    table = {LampLit: events.Crossing(way)} if way else {}
    monkeypatch.setattr(crossing, "crossings", lambda: table)
    with acting_for(sender):
        if passes:
            events.publish(Actor.system(sender, "test"), LAMP, to_body=body)
        else:
            with pytest.raises(events.MayNotCross):
                events.publish(Actor.system(sender, "test"), LAMP, to_body=body)
    assert len(jobs()) == passes


def test_an_event_that_crosses_names_its_true_sender(real_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    table = {CountTaken: events.Crossing(events.Way.TO_ALLIANCE, names_sender="schema_name")}
    monkeypatch.setattr(crossing, "crossings", lambda: table)
    with acting_for("alpha"):
        actor = Actor.system("alpha", "test")
        events.publish(actor, CountTaken("alpha"), to_body="alliance")
        with pytest.raises(events.MayNotCross, match="another sender"):
            events.publish(actor, CountTaken("beta"), to_body="alliance")


HOSTILE: dict[str, dict[str, Any]] = {
    "to a neighbour": {"body": "beta"},
    "to the alliance, which only sends": {"body": "alliance"},
    "to the alliance in a neighbour's name": {"body": "alliance", "sender": "beta"},
    "to a neighbour in the alliance's name": {"body": "beta", "sender": "alliance"},
    "to a neighbour in nobody's name": {"body": "beta", "sender": None},
    "to nobody": {"body": "gamma"},
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_body_makes_nobody_else_hear(work: Callable[[], None], what: str) -> None:
    """With statements of its own as its own role: written or not, no hearer of another body is called."""
    arguments = {
        "body": "alpha",
        "sender": "alpha",
        "hearer": f"{__name__}.hear_lamp",
        "event": f"{__name__}.LampLit",
        "event_id": str(uuid4()),
        "values": events.to_values(LAMP),
        **HOSTILE[what],
    }
    parameters: list[Any] = [Jsonb(arguments)]
    with acting_for("alpha"), suppress(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT public.verbund_defer(%s)", parameters)
    work()
    assert heard == []
    assert [json.loads(j["args"])["sender"] for j in jobs()] in ([], ["alpha"])
    assert all(j["status"] != "succeeded" for j in jobs())


def test_the_house_lets_cross_what_it_lists_and_knows_its_hearers() -> None:
    from verbund.config import wiring

    assert set(wiring.CROSSINGS) <= set(wiring.HEARERS)
    for kind, listed in wiring.CROSSINGS.items():
        assert not listed.names_sender or listed.names_sender in {f.name for f in fields(kind)}


# What a queue that all bodies share may not hold: whoever it is about is found by id, in the body it belongs to.
PERSONAL = re.compile(r"name|mail|address|street|text|title|phone|birth|recipient|party|person(?!_id)|iban")
WHY_STILL = {
    "BodyPrepared.people": "the first people of a body that does not know anybody yet",
    "BodyPrepared.name": "of a public body",
    "FirstPerson.email": "the first people of a body that does not know anybody yet",
    "FirstPerson.name": "the first people of a body that does not know anybody yet",
    "InvoiceHandedOver.filename": "made of the number",
    "RoomPrepared.schema_name": "of a public body",
    "UsageMeasured.schema_name": "of a public body",
    "UsageMeasured.people": "a count",
    "UsageMeasured.mailboxes": "a count",
    "EmailChanged.sealed_address": "sealed under the secret of the installation",
}


def test_no_event_that_is_heard_carries_what_is_about_a_person() -> None:
    from verbund.config import wiring

    found = {
        f"{kind.__name__}.{field.name}"
        for kind in wiring.HEARERS
        for field in fields(kind)
        if PERSONAL.search(field.name)
    }
    assert found - set(WHY_STILL) == set()


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
