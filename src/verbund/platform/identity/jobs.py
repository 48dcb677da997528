"""Jobs (Aufträge): what the operators of the installation see of the queue of all bodies, and what they can do.

They see who was to hear what in which body and the class of the last error - never the values an event carries.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy

from verbund.platform import audit
from verbund.platform.tenancy import Conflict, NotFound
from verbund.platform.tenancy.models import Body

from . import policy
from .actor import Actor
from .policies import Permission

_LARGEST: Final = 2**63 - 1  # of a bigint


class JobNotFound(NotFound):
    """There is no such job in trouble any more: it has run, or somebody else has discarded it."""


class JobConflict(Conflict):
    """The job cannot be tried again now."""


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job in trouble; `failed` false: it is tried again by itself at `next_try`."""

    id: int
    failed: bool
    body: str
    hearer: str
    event: str
    attempts: int
    next_try: datetime | None
    error: str
    failed_at: datetime | None
    request_id: str


@dataclass(frozen=True, slots=True)
class JobPage:
    """One page of jobs, the newest first; `next` is the key of the following page, empty on the last one."""

    rows: tuple[JobRow, ...]
    next: str


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """How many jobs wait, run, wait for another try, and failed for good.

    `oldest` is since when the first one waits.
    """

    waiting: int
    running: int
    retrying: int
    failed: int
    oldest: datetime | None


def note_failure(job_id: int, error: BaseException) -> None:
    """Remember the class of a job's last error; called by the worker, in no body's name."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT public.identity_note_failure(%s, %s)", [job_id, type(error).__name__])


@contextmanager
def noting_failures(job_id: int | None) -> Iterator[None]:
    """Around the work of a job: what fails is noted, and raised on. The connection is in no body's name afterwards."""
    try:
        yield
    except Exception as error:
        if job_id is not None:
            connection.close()
            connection.set_schema_to_public()  # type: ignore[attr-defined]  # django-tenants' own
            note_failure(job_id, error)
            connection.close()
        raise


def troubled_jobs(actor: Actor, *, failed: bool = True, before: int | None = None, limit: int = 50) -> JobPage:
    """Jobs that failed for good, or those that wait for another try.

    Raises:
        policy.Denied: for everybody but the operators; the database refuses every role but the alliance's.
    """
    policy.require(actor, Permission.RUN_JOBS)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, failed, body, hearer, event, attempts, next_try, error, failed_at, request_id"
            " FROM public.identity_troubled_jobs(%s, %s, %s)",
            [failed, before, limit + 1],
        )
        rows = tuple(JobRow(*row) for row in cursor.fetchall())
    names = dict(Body.objects.filter(schema_name__in={row.body for row in rows}).values_list("schema_name", "name"))
    rows = tuple(replace(row, body=names.get(row.body, row.body)) for row in rows)
    return JobPage(rows[:limit], str(rows[limit - 1].id) if len(rows) > limit else "")


def queue_depth(actor: Actor) -> QueueDepth:
    """How full the queue is.

    Raises:
        policy.Denied.
    """
    policy.require(actor, Permission.RUN_JOBS)
    with connection.cursor() as cursor:
        cursor.execute("SELECT waiting, running, retrying, failed, oldest FROM public.identity_queue_depth()")
        return QueueDepth(*cursor.fetchone())


def retry_job(actor: Actor, *, job_id: int) -> None:
    """Have a job tried again at once.

    Raises:
        JobNotFound, JobConflict (the same timed work waits already), policy.Denied.
    """
    _handle(actor, job_id, "retry")


def discard_job(actor: Actor, *, job_id: int) -> None:
    """Give a job up for good; it stays in the queue's history as cancelled.

    Raises:
        JobNotFound, policy.Denied.
    """
    _handle(actor, job_id, "discard")


def _handle(actor: Actor, job_id: int, action: str) -> None:
    policy.require(actor, Permission.RUN_JOBS)
    if job_id > _LARGEST:
        raise JobNotFound
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT body, hearer, event, attempts FROM public.identity_handle_job(%s, %s)", [job_id, action]
                )
                row = cursor.fetchone()
            if row is None:
                raise JobNotFound
            facts = dict(zip(("body", "hearer", "event", "attempts"), row, strict=True))
            done = {"retry": "identity.job_retried", "discard": "identity.job_discarded"}[action]
            audit.record(actor, done, "job", job_id, after=facts)
    except IntegrityError:
        raise JobConflict(gettext_lazy("The same work is already waiting in the queue. Discard this job.")) from None
