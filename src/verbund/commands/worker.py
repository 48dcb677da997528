"""`verbund worker`: runs the jobs of all bodies, each in the name of its own, and the timed work.

A stop signal lets running jobs end (at most 20 seconds); what a killed worker left half done is taken up again by the
next one within a quarter of a minute. A worker that loses the database ends at once, and whoever looks after it starts
it again: it cannot know which of its jobs were noted as done.
"""

import argparse
import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from . import installation, metrics
from .texts import _

GRACE: Final = 20.0  # seconds
HEARTBEAT: Final = 2.0
SILENT: Final = 10.0  # a worker without a heartbeat for so long is gone
UPKEEP: Final = 3.0
LOST: Final = 75  # the exit code of a worker whose database went away (EX_TEMPFAIL)
KEEP_HOURS: Final = 1  # done jobs; failed ones stay until an operator has decided
FORGET: Final = 600.0  # seconds from one forgetting to the next


def main(argv: Sequence[str]) -> int:
    """`verbund worker [--concurrency N] [--once]`."""
    parser = argparse.ArgumentParser(prog="verbund worker", description=_("Run the jobs of all bodies."))
    parser.add_argument(
        "--concurrency", type=int, default=int(os.environ.get("VERBUND_WORKER_THREADS", "4")), help=_("jobs at a time")
    )
    parser.add_argument("--once", action="store_true", help=_("stop when nothing is left to do"))
    parser.add_argument("--metrics-port", type=int, default=metrics.default_port(9110), help=_("0: none"))
    chosen = parser.parse_args(argv)
    installation.surroundings()
    os.environ.setdefault("VERBUND_POOL_MAX", str(chosen.concurrency + 2))
    metrics.prepare("worker")
    metrics.serve(chosen.metrics_port)
    import django

    django.setup()
    from verbund.config import outgoing

    outgoing.enforce()
    asyncio.run(_work(chosen.concurrency, wait=not chosen.once))
    return 0


async def _work(concurrency: int, *, wait: bool) -> None:
    from procrastinate.contrib.django import app

    connector: Any = app.connector
    # The jobs themselves go on deferring through Django's connection: `with_connector` leaves the global app as it is.
    worker_app = app.with_connector(connector.get_worker_connector())
    async with worker_app.open_async():
        await _take_up(worker_app)
        upkeep = asyncio.create_task(_upkeep(worker_app))
        lifeline = asyncio.create_task(_lifeline())
        try:
            await worker_app.run_worker_async(
                wait=wait,
                concurrency=concurrency,
                shutdown_graceful_timeout=GRACE,
                update_heartbeat_interval=HEARTBEAT,
                stalled_worker_timeout=SILENT,
                worker_middleware=[measured()],
            )
        finally:
            for task in (upkeep, lifeline):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task


async def _lifeline() -> None:
    """End the process as soon as the database was away, be it for an instant.

    What the queue's own tasks then do is not to be relied upon: they stop, and have been seen to wait for ever in
    stopping; a job whose end could not be written stays "doing" as long as its worker lives.
    """
    import psycopg
    import structlog
    from django.db import connections

    parameters = connections["default"].get_connection_params()
    given = {k: v for k, v in parameters.items() if k in ("dbname", "user", "password", "host", "port", "sslmode")}
    try:
        async with await psycopg.AsyncConnection.connect(**given, autocommit=True, connect_timeout=10) as connection:
            while True:
                await asyncio.wait_for(connection.execute("SELECT 1"), SILENT)
                await asyncio.sleep(HEARTBEAT)
    except (psycopg.Error, OSError, TimeoutError) as error:
        structlog.get_logger("verbund.worker").error("database lost", error=type(error).__name__)
        os._exit(LOST)


async def _upkeep(app: Any) -> None:
    """Every few seconds take up what dead workers left; now and then forget what was done an hour ago."""
    import structlog

    log = structlog.get_logger("verbund.worker")
    forget_at = time.monotonic()
    while True:
        try:
            await _take_up(app)
            if time.monotonic() >= forget_at:
                await app.job_manager.delete_old_jobs(nb_hours=KEEP_HOURS)
                forget_at = time.monotonic() + FORGET
        except Exception as error:  # noqa: BLE001 - a database that is away for a minute must not end the worker
            log.warning("upkeep failed", error=type(error).__name__)
        await asyncio.sleep(UPKEEP)


async def _take_up(app: Any) -> None:
    """Put jobs of workers that died back into the queue; hearers take effect once, however often they run."""
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=SILENT):
        await app.job_manager.retry_job(job)


def measured() -> Callable[..., Awaitable[Any]]:
    """A middleware that counts and times jobs by what they do."""
    from prometheus_client import Histogram

    seconds = Histogram("verbund_job_seconds", "Time of jobs", ["work", "outcome"])

    async def measure(call_next: Callable[[], Awaitable[Any]], context: Any, worker: Any) -> Any:
        given = context.job.task_kwargs
        work = str(given.get("hearer") or given.get("work") or context.job.task_name)
        begun = time.perf_counter()
        outcome = "failed"
        try:
            result = await call_next()
            outcome = "done"
            return result
        finally:
            seconds.labels(work, outcome).observe(time.perf_counter() - begun)

    return measure
