"""`verbund worker`: runs the jobs of all bodies, each in the name of its own, and the timed work.

A stop signal lets running jobs end (at most 20 seconds); what a killed worker left half done is taken up again by the
next one within a quarter of a minute. A worker that loses the database, or hangs, is ended by its lifeline, and whoever
looks after it starts it again: it cannot know which of its jobs were noted as done.
"""

import argparse
import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from . import installation, metrics
from .lifeline import Lifeline, Work
from .taking_up import Queue
from .texts import _

GRACE: Final = 20.0  # seconds
HEARTBEAT: Final = 2.0
SILENT: Final = 10.0  # a worker without a heartbeat for so long is gone
UPKEEP: Final = 3.0
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
    from django.db import connections
    from procrastinate.contrib.django import app
    from procrastinate.worker import Worker

    connector: Any = app.connector
    # The jobs themselves go on deferring through Django's connection: `with_connector` leaves the global app as it is.
    worker_app: Any = app.with_connector(connector.get_worker_connector())
    worker_app.perform_import_paths()
    work = Work(places=concurrency)
    options: dict[str, Any] = {
        **worker_app.worker_defaults,
        "wait": wait,
        "concurrency": concurrency,
        "shutdown_graceful_timeout": GRACE,
        "update_heartbeat_interval": HEARTBEAT,
        "stalled_worker_timeout": SILENT,
        "worker_middleware": [measured(work)],
    }
    worker: Any = Worker(app=worker_app, **options)
    parameters = connections["default"].get_connection_params()
    given = {k: v for k, v in parameters.items() if k in ("dbname", "user", "password", "host", "port", "sslmode")}
    async with worker_app.open_async():  # has patience with a database that is not there yet
        Lifeline(given, work, known_as=lambda: worker.worker_id, silent=SILENT).hold()
        queue = Queue(worker_app, work, silent=SILENT)
        await queue.take_up()
        upkeep = asyncio.create_task(_upkeep(queue, known_as=lambda: worker.worker_id))
        try:
            await worker.run()
        finally:
            upkeep.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await upkeep


async def _upkeep(queue: Queue, known_as: Callable[[], int | None]) -> None:
    """Every few seconds take up what dead workers left; now and then forget what was done an hour ago."""
    import structlog

    log = structlog.get_logger("verbund.worker")
    forget_at = time.monotonic()
    while True:
        try:
            await queue.take_up()
            await queue.take_back(known_as())
            if time.monotonic() >= forget_at:
                await queue.forget(hours=KEEP_HOURS)
                forget_at = time.monotonic() + FORGET
        except Exception as error:  # noqa: BLE001 - a database that is away for a minute must not end the worker
            log.warning("upkeep failed", error=type(error).__name__)
        await asyncio.sleep(UPKEEP)


def measured(doing: Work) -> Callable[..., Awaitable[Any]]:
    """A middleware that counts and times jobs by what they do, and keeps `doing` up to date."""
    from prometheus_client import Histogram

    seconds = Histogram("verbund_job_seconds", "Time of jobs", ["work", "outcome"])

    async def measure(call_next: Callable[[], Awaitable[Any]], context: Any, worker: Any) -> Any:
        given = context.job.task_kwargs
        work = str(given.get("hearer") or given.get("work") or context.job.task_name)
        begun = time.perf_counter()
        outcome = "failed"
        doing.begin(context.job.id)
        try:
            result = await call_next()
            outcome = "done"
            return result
        finally:
            doing.finish(context.job.id)
            seconds.labels(work, outcome).observe(time.perf_counter() - begun)

    return measure
