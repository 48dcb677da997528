"""The job that brings an event to a hearer, and the clock that starts the rooms' timed work."""

import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

import structlog
from django.db import ProgrammingError, connection, transaction
from procrastinate import JobContext, RetryDecision, RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.jobs import Job

from verbund.platform.identity import jobs
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import acting_for, current_body
from verbund.platform.tenancy.closing import RoomClosed, room_of, room_refused

from . import crossing
from .models import EventReceipt
from .publishing import Hearer, hearers, name_of
from .values import from_values

log = structlog.get_logger("verbund.job")


# 3, 9, 27, 81, 243 … seconds: a mail server that is down over lunch is back before the last attempt (about 5 hours).
class Patience(RetryStrategy):
    """As the strategy says, but for a room that is closed no attempt will do: the operators see why, and try again when
    it is open."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, RoomClosed):
            return None
        return super().get_retry_decision(exception=exception, job=job)


RETRY: Final = Patience(max_attempts=9, exponential_wait=3)


class UnknownHearer(Exception):  # noqa: N818 - names what is wrong
    """A job names a hearer or an event that this release does not know."""


@contextmanager
def _failures_in_log() -> Iterator[None]:
    """Write into the log what failed and where: the error's class and places, never its words or the event's values."""
    try:
        yield
    except Exception as error:
        places = [
            f"{frame.name} {frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)
        ]
        log.error("job failed", error=type(error).__name__, places=places[-6:])
        raise


@cache
def _table() -> Mapping[tuple[str, str], tuple[type[Any], Hearer]]:
    return {(name_of(kind), name_of(h)): (kind, h) for kind, heard_by in hearers().items() for h in heard_by}


@app.task(name="verbund.hear", retry=RETRY, pass_context=True)
def hear(
    context: JobContext,
    body: str,
    sender: str,
    hearer: str,
    event: str,
    event_id: str,
    values: dict[str, Any],
    request_id: str = "",
) -> None:
    """Bring one event to one hearer, as the body's role, with effect at most once."""
    with jobs.noting_failures(context.job.id), _failures_in_log():
        _hear(body, sender, hearer, event, event_id, values, request_id)


def _hear(
    body: str, sender: str, hearer: str, event: str, event_id: str, values: dict[str, Any], request_id: str
) -> None:
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(
        body=body, sender=sender, hearer=hearer, event_id=event_id, request_id=request_id
    )
    try:
        kind, function = _table()[event, hearer]
    except KeyError:
        raise UnknownHearer(f"{event} -> {hearer}") from None
    told = from_values(kind, values)
    try:
        with acting_for(body), transaction.atomic():
            crossing.check(told, sender=sender, body=body)
            if (room := room_of(function.__module__)) in current_body().closed:
                raise RoomClosed(f"{body} may only read {room}")
            if _first_time(f"{event_id} {hearer}"):
                function(Actor.system(body, hearer, request_id), told)
                log.info("heard")
            else:
                log.info("heard before")
    except ProgrammingError as error:
        if room := room_refused(error, body):
            raise RoomClosed(f"{body} may only read {room}") from error
        raise
    finally:
        # The thread goes back to the worker; the connection must not go on in this body's name with the next body's
        # job.
        connection.close()


def _first_time(key: str) -> bool:
    """Whether this is the first delivery; a second one running at the same time waits here for the first to end."""
    table = EventReceipt._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (key, received_at) VALUES (%s, now()) ON CONFLICT DO NOTHING RETURNING key",  # noqa: S608
            [key],
        )
        return cursor.fetchone() is not None


@app.task(name="verbund.timed", retry=RetryStrategy(max_attempts=3, exponential_wait=5), pass_context=True)
def timed(context: JobContext, body: str, work: str, timestamp: int) -> None:
    """Run one piece of timed work (a function of a room's `tasks.py`, listed in the wiring) for one body."""
    with jobs.noting_failures(context.job.id), _failures_in_log():
        _timed(body, work)


def _timed(body: str, work: str) -> None:
    from .timing import work_named

    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(body=body, work=work)
    function: Callable[[Actor], None] = work_named(work)
    try:
        with acting_for(body):
            if room_of(function.__module__) in current_body().closed:
                log.info("timed work left out: the room is read-only")
                return
            function(Actor.system(body, work))
        log.info("timed work done")
    finally:
        connection.close()
