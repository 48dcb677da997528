"""What a worker that dies, hangs or cannot write leaves behind is taken up, and a worker that hangs is ended."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeAlias

import psycopg
import pytest
from django.db import connection
from procrastinate.contrib.django import app

from verbund.commands import lifeline
from verbund.commands.lifeline import Lifeline, Work
from verbund.commands.taking_up import BEGINNINGS, MISSED, Queue
from verbund.platform.events import tasks

Owner: TypeAlias = psycopg.Connection[Any]
Upkeep = Callable[[Callable[[Queue], Awaitable[Any]]], None]
SILENT = 10.0


@pytest.fixture
def work() -> Work:
    return Work(places=2)


@pytest.fixture
def upkeep(real_database: str, work: Work) -> Upkeep:
    """Do something with the queue as a worker of this database does."""
    connector: Any = app.connector

    async def within(deed: Callable[[Queue], Awaitable[Any]]) -> None:
        worker_app: Any = app.with_connector(connector.get_worker_connector())
        async with worker_app.open_async():
            await deed(Queue(worker_app, work, silent=SILENT))

    return lambda deed: asyncio.run(within(deed))


def worker_of(owner: Owner, *, silent_for: float = 0) -> int:
    row = owner.execute(
        "INSERT INTO public.procrastinate_workers (last_heartbeat) VALUES (now() - make_interval(secs => %s))"
        " RETURNING id",
        [silent_for],
    ).fetchone()
    assert row is not None
    return int(row[0])


def job(owner: Owner, *, worker: int | None = None, lock: str | None = None) -> int:
    """A job, begun by `worker`."""
    row = owner.execute(
        "INSERT INTO public.procrastinate_jobs (queue_name, task_name, queueing_lock, args)"
        " VALUES ('default', 'verbund.timed', %s, %s) RETURNING id",
        [lock, json.dumps({"body": "alpha", "work": "w", "timestamp": 0})],
    ).fetchone()
    assert row is not None
    if worker is not None:
        begin(owner, row[0], worker)
    return int(row[0])


def begin(owner: Owner, number: int, worker: int) -> None:
    owner.execute(
        "UPDATE public.procrastinate_jobs SET status = 'doing', worker_id = %s WHERE id = %s", [worker, number]
    )


def jobs(owner: Owner) -> list[tuple[int, str, int]]:
    found: list[tuple[int, str, int]] = owner.execute(
        "SELECT id, status::text, attempts FROM public.procrastinate_jobs ORDER BY id"
    ).fetchall()
    return found


def test_a_job_is_taken_up_as_often_as_its_workers_die_without_waiting_longer_for_it(
    upkeep: Upkeep, owner_connection: Owner
) -> None:
    number = job(owner_connection)
    for _ in range(6):
        begin(owner_connection, number, worker_of(owner_connection, silent_for=11))
        upkeep(lambda queue: queue.take_up())
        assert jobs(owner_connection) == [(number, "todo", 0)]
        (due,) = owner_connection.execute("SELECT scheduled_at <= now() FROM public.procrastinate_jobs").fetchall()
        assert due == (True,)
    taken = app.job_manager.connector.execute_query_one("SELECT * FROM public.procrastinate_jobs")
    from procrastinate.jobs import Job

    decision = tasks.RETRY.get_retry_decision(exception=OSError(), job=Job.from_row(taken))
    assert decision is not None
    assert decision.retry_at is not None
    assert decision.retry_at.timestamp() - time.time() < 4  # the first failure is the first, whatever crashed before


def test_the_job_of_a_living_worker_and_one_that_runs_here_stay_where_they_are(
    upkeep: Upkeep, owner_connection: Owner, work: Work
) -> None:
    living = job(owner_connection, worker=worker_of(owner_connection, silent_for=8))
    here = job(owner_connection, worker=worker_of(owner_connection, silent_for=60))
    work.begin(here)
    upkeep(lambda queue: queue.take_up())
    assert jobs(owner_connection) == [(living, "doing", 0), (here, "doing", 0)]


def test_timed_work_that_waits_once_more_does_not_keep_the_others_from_being_taken_up(
    upkeep: Upkeep, owner_connection: Owner
) -> None:
    dead = worker_of(owner_connection, silent_for=11)
    first = job(owner_connection, worker=dead, lock="alpha w")
    again = job(owner_connection, lock="alpha w")
    other = job(owner_connection, worker=dead)
    upkeep(lambda queue: queue.take_up())
    assert jobs(owner_connection) == [(first, "aborted", 1), (again, "todo", 0), (other, "todo", 0)]


def test_a_job_that_never_comes_to_an_end_is_given_up_and_shown(upkeep: Upkeep, owner_connection: Owner) -> None:
    number = job(owner_connection)
    for turn in range(BEGINNINGS):
        assert jobs(owner_connection) == [(number, "todo", 0)], turn
        begin(owner_connection, number, worker_of(owner_connection, silent_for=11))
        upkeep(lambda queue: queue.take_up())
    assert jobs(owner_connection) == [(number, "failed", 1)]
    noted = owner_connection.execute("SELECT job_id, error FROM public.identity_jobfailure").fetchall()
    assert noted == [(number, "CameToNoEnd")]


def test_what_this_worker_ended_and_could_not_write_down_is_put_back(
    upkeep: Upkeep, owner_connection: Owner, work: Work
) -> None:
    mine = worker_of(owner_connection)
    ended, running = job(owner_connection, worker=mine), job(owner_connection, worker=mine)
    other = job(owner_connection, worker=worker_of(owner_connection))
    work.begin(running)
    seen = []

    async def look(queue: Queue) -> None:
        for _ in range(MISSED):
            seen.append(jobs(owner_connection))
            await queue.take_back(mine)

    upkeep(look)
    assert seen == [[(ended, "doing", 0), (running, "doing", 0), (other, "doing", 0)]] * MISSED
    assert jobs(owner_connection) == [(ended, "todo", 0), (running, "doing", 0), (other, "doing", 0)]


# ---- the lifeline


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    monkeypatch.setattr(lifeline, "EVERY", 0.02)
    monkeypatch.setattr(lifeline, "DATABASE_SILENT", 2)
    monkeypatch.setattr(lifeline, "UNKNOWN", 4)
    monkeypatch.setattr(lifeline, "IDLE", 4)
    return []


@pytest.fixture
def hold(real_database: str, work: Work, ends: list[tuple[str, str]]) -> Iterator[Callable[..., Lifeline]]:
    """A lifeline that notes down instead of ending the process, and then lets go."""
    held: list[Lifeline] = []
    given = connection.get_connection_params()
    database = {k: v for k, v in given.items() if k in ("dbname", "user", "host", "port")}

    def make(known_as: int | None) -> Lifeline:
        def end(why: str, error: str) -> None:
            ends.append((why, error))
            line.let_go()

        line = Lifeline(database, work, lambda: known_as, silent=SILENT, end=end)
        held.append(line)
        line.hold()
        return line

    yield make
    for line in held:
        line.let_go()


def looked(line: Lifeline, times: int) -> None:
    until(lambda: line._answers >= times)


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_worker_that_lives_and_works_is_left_alone(
    hold: Callable[..., Lifeline], owner_connection: Owner, work: Work, ends: list[tuple[str, str]]
) -> None:
    line = hold(worker_of(owner_connection, silent_for=5))
    looked(line, 20)  # nothing is due
    later = job(owner_connection)
    owner_connection.execute("UPDATE public.procrastinate_jobs SET scheduled_at = now() + interval '1 hour'")
    looked(line, 40)
    owner_connection.execute("UPDATE public.procrastinate_jobs SET scheduled_at = NULL")
    work.begin(later)
    work.begin(later + 1)  # both places are taken: what is due has to wait
    looked(line, 80)
    assert ends == []


def test_a_worker_that_begins_none_of_the_jobs_that_are_due_is_ended(
    hold: Callable[..., Lifeline], owner_connection: Owner, work: Work, ends: list[tuple[str, str]]
) -> None:
    hold(worker_of(owner_connection))
    work.begin(job(owner_connection))
    until(lambda: bool(ends))
    assert ends == [("worker begins none of the jobs that are due", "Hung")]


@pytest.mark.parametrize("silent_for", [None, 11.0], ids=["unknown to the queue", "without a heartbeat"])
def test_a_worker_that_the_queue_takes_for_dead_is_ended(
    hold: Callable[..., Lifeline], owner_connection: Owner, ends: list[tuple[str, str]], silent_for: float | None
) -> None:
    hold(None if silent_for is None else worker_of(owner_connection, silent_for=silent_for))
    until(lambda: bool(ends))
    assert ends == [("worker has no heartbeat", "Hung")]


def test_a_worker_whose_connection_breaks_is_ended_be_the_database_back_at_once(
    hold: Callable[..., Lifeline], owner_connection: Owner, cluster: Any, ends: list[tuple[str, str]]
) -> None:
    line = hold(worker_of(owner_connection))
    looked(line, 2)
    with cluster.admin() as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = %s AND query LIKE '%%last_heartbeat)%%EXISTS%%'",
            [connection.settings_dict["NAME"]],
        )
    until(lambda: bool(ends))
    assert ends == [("database lost", "AdminShutdown")]


def test_a_worker_whose_database_says_nothing_any_more_is_ended(
    hold: Callable[..., Lifeline], owner_connection: Owner, ends: list[tuple[str, str]]
) -> None:
    line = hold(worker_of(owner_connection))
    looked(line, 2)
    with owner_connection.transaction():
        owner_connection.execute("LOCK TABLE public.procrastinate_workers IN ACCESS EXCLUSIVE MODE")
        until(lambda: bool(ends))
    assert ends == [("database lost", "Silence")]


def test_the_process_really_ends(tmp_path: Any) -> None:
    import subprocess
    import sys

    code = "from verbund.commands import lifeline; lifeline._end('worker has no heartbeat', 'Hung')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 75
    assert "worker has no heartbeat" in done.stdout + done.stderr
