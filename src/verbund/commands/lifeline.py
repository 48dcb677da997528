"""The lifeline of a worker (Lebensleine): it ends the process as soon as that can no longer do its work.

Whoever looks after the worker starts it again. The lifeline's threads stand beside the event loop, not in it: what
hangs there - a job, the queue's own tasks, which have been seen to wait for ever in stopping - does not hold them up.
They count what they see and never the clock, so that a machine that slept or was overloaded is not taken for one that
hangs.
"""

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

LOST: Final = 75  # the exit code of a worker that could not go on (EX_TEMPFAIL)
EVERY: Final = 2.0  # seconds from one look to the next
DATABASE_SILENT: Final = 15  # seconds without any answer
UNKNOWN: Final = 20  # looks at which the queue does not know this worker as one that lives
IDLE: Final = 15  # looks at which jobs were due, this worker had a place free, and began none

_LOOK: Final = """
    SELECT (SELECT extract(epoch FROM now() - last_heartbeat) FROM public.procrastinate_workers WHERE id = %s),
           EXISTS (SELECT 1 FROM public.procrastinate_jobs WHERE status = 'todo' AND lock IS NULL
                      AND (scheduled_at IS NULL OR scheduled_at <= now()))
"""


def _end(why: str, error: str) -> None:
    import structlog

    structlog.get_logger("verbund.worker").error(why, error=error)
    os._exit(LOST)


@dataclass
class Work:
    """What a worker does at the moment, as its middleware tells: which jobs run, and how many it has begun."""

    places: int
    running: set[int] = field(default_factory=set)
    begun: int = 0

    def begin(self, job: int) -> None:
        """A job starts."""
        self.begun += 1
        self.running.add(job)

    def finish(self, job: int) -> None:
        """A job has ended; that it did is not written down yet."""
        self.running.discard(job)


@dataclass
class Lifeline:
    """Two threads: one asks the database, the other sees whether there are answers.

    `known_as` is the number under which the queue knows this worker (None: not yet, or not any more), `silent` the
    seconds after which others take a worker without a heartbeat for dead.
    """

    database: Mapping[str, Any]
    work: Work
    known_as: Callable[[], int | None]
    silent: float
    end: Callable[[str, str], None] = _end
    _answers: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    def hold(self) -> None:
        """Start both threads; they end with the process."""
        for each in (self._ask, self._listen):
            threading.Thread(target=each, name=f"lifeline {each.__name__}", daemon=True).start()

    def let_go(self) -> None:
        """End the threads, for a process that goes on without a worker."""
        self._over.set()

    def _listen(self) -> None:
        heard, waited = -1, 0
        while not self._over.wait(1.0):
            waited = 0 if self._answers != heard else waited + 1
            heard = self._answers
            if waited >= DATABASE_SILENT:
                self.end("database lost", "Silence")

    def _ask(self) -> None:
        import psycopg

        unknown = idle = 0
        begun = self.work.begun
        try:
            with psycopg.connect(**self.database, autocommit=True, connect_timeout=10) as connection:
                while not self._over.wait(EVERY):
                    row = connection.execute(_LOOK, [self.known_as()]).fetchone()
                    self._answers += 1
                    age, due = row or (None, False)
                    unknown = unknown + 1 if age is None or age > self.silent else 0
                    free = len(self.work.running) < self.work.places
                    idle = idle + 1 if due and free and self.work.begun == begun else 0
                    begun = self.work.begun
                    if unknown >= UNKNOWN:
                        self.end("worker has no heartbeat", "Hung")
                    if idle >= IDLE:
                        self.end("worker begins none of the jobs that are due", "Hung")
        except (psycopg.Error, OSError) as error:
            self.end("database lost", type(error).__name__)
