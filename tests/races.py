"""Races: several pieces of work that begin at one moment, as those of people who do the same thing at once."""

import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

from django.db import connections

from verbund.platform.tenancy import acting_for

_PATIENCE = 120  # seconds; who waits longer hangs


def at_once(jobs: Sequence[Callable[[], Any]], *, body: str | None = None, threads: int | None = None) -> list[Any]:
    """Run the jobs in threads that begin together, each with a connection of its own that works for `body`.

    Returns what each job gave, or the exception it ended with, in the order of the jobs. With fewer threads than jobs,
    a thread that is done takes the next one.
    """
    count = min(threads or len(jobs), len(jobs))
    results: list[Any] = [NotDone() for _job in jobs]
    begin, numbers, lock = threading.Barrier(count), iter(range(len(jobs))), threading.Lock()

    def work() -> None:
        try:
            with acting_for(body) if body else nullcontext():
                begin.wait(_PATIENCE)
                while True:
                    with lock:
                        number = next(numbers, None)
                    if number is None:
                        return
                    try:
                        results[number] = jobs[number]()
                    except Exception as error:  # noqa: BLE001 - the test looks at the outcome of the race
                        results[number] = error
        finally:
            connections.close_all()

    people = [threading.Thread(target=work, daemon=True) for _ in range(count)]
    for person in people:
        person.start()
    for person in people:
        person.join(_PATIENCE)
    assert not any(person.is_alive() for person in people), results
    return results


class NotDone(Exception):  # noqa: N818 - stands where a job's outcome is missing
    """The job did not come to its end."""
