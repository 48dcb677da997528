"""Jobs that nobody works at any more, though the queue says so: put back, each by itself, until it has cost too many
workers.

Being taken up is not a failure of the job: it counts no attempt, or a job that three crashes have hit would wait
minutes for its next one. A job that was begun ever again and never came to an end is given up as failed, and shown to
the operators: it may be what kills the workers.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from .lifeline import Work

BEGINNINGS: Final = 20  # that came to no end, neither a good nor a bad one
MISSED: Final = 5  # looks at which a job was said to run here and did not

_PUT_BACK: Final = """
    UPDATE public.procrastinate_jobs SET status = 'todo', scheduled_at = now(), worker_id = NULL
     WHERE id = %(job)s AND status = 'doing' AND worker_id IS NOT DISTINCT FROM %(worker)s
"""
_BEGINNINGS: Final = """
    SELECT count(*) AS number FROM public.procrastinate_events WHERE job_id = %(job)s AND type = 'started'
"""
_MINE: Final = """
    SELECT id, worker_id, attempts FROM public.procrastinate_jobs WHERE status = 'doing' AND worker_id = %(worker)s
"""
_NOTE: Final = "SELECT public.identity_note_failure(%(job)s, %(error)s)"


@dataclass
class Queue:
    """The queue as the upkeep sees it."""

    app: Any
    work: Work
    silent: float
    _missed: dict[int, int] = field(default_factory=dict)

    async def take_up(self) -> None:
        """Put jobs of workers that died back; hearers take effect once, however often they run."""
        for job in await self.app.job_manager.get_stalled_jobs(seconds_since_heartbeat=self.silent):
            if job.id not in self.work.running:
                await self._put_back(job.id, job.worker_id, job.attempts)

    async def take_back(self, worker: int | None) -> None:
        """Put back what this worker has ended without being able to write it down."""
        rows = await self.app.connector.execute_query_all_async(_MINE, worker=worker) if worker else []
        forsaken = {row["id"]: row for row in rows if row["id"] not in self.work.running}
        self._missed = {job: self._missed.get(job, 0) + 1 for job in forsaken}
        for job, looks in list(self._missed.items()):
            if looks >= MISSED:
                del self._missed[job]
                await self._put_back(job, worker, forsaken[job]["attempts"])

    async def forget(self, *, hours: int) -> None:
        """Delete done jobs; failed ones stay."""
        await self.app.job_manager.delete_old_jobs(nb_hours=hours)

    async def _put_back(self, job: int, worker: int | None, attempts: int) -> None:
        import structlog
        from procrastinate import exceptions
        from procrastinate.jobs import Status

        log = structlog.get_logger("verbund.worker")
        begun = (await self.app.connector.execute_query_one_async(_BEGINNINGS, job=job))["number"]
        if begun - attempts >= BEGINNINGS:
            await self.app.connector.execute_query_async(_NOTE, job=job, error="CameToNoEnd")
            await self.app.job_manager.finish_job_by_id_async(job_id=job, status=Status.FAILED, delete_job=False)
            log.error("job given up: it was begun ever again and came to no end", job=job, begun=begun)
            return
        try:
            await self.app.connector.execute_query_async(_PUT_BACK, job=job, worker=worker)
        except exceptions.UniqueViolation:
            # Timed work that waits once more in the queue: that one is enough.
            await self.app.job_manager.finish_job_by_id_async(job_id=job, status=Status.ABORTED, delete_job=False)
            log.info("job given up: the same work waits already", job=job)
        else:
            log.info("job taken up", job=job, begun=begun)
