"""Making calls from one or several clients at the same time, and reading what they cost the server."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from .rows import Row

Call = Callable[[], object]
Cost = Callable[[], float]  # processor seconds so far
_REST: Final = 3.0  # seconds in which the idle cost is read
LONGEST: Final = 20.0  # seconds, after which a measurement makes do with the calls it has


@dataclass
class Meter:
    """The processes whose time counts, by name, and what each of them uses a second without any call."""

    processes: dict[str, Cost]
    idle: dict[str, float] = field(default_factory=dict)

    def rest(self, seconds: float = _REST) -> None:
        """Read what the processes cost while nobody calls: polling, heartbeats, timers."""
        self.idle = {}
        before = self.read()
        time.sleep(seconds)
        after = self.read()
        self.idle = {name: (after[name] - before[name]) / seconds for name in before}

    def read(self) -> dict[str, float]:
        """The times so far."""
        return {name: cost() for name, cost in self.processes.items()}

    def spent(self, before: Mapping[str, float], after: Mapping[str, float], seconds: float) -> dict[str, float]:
        """What was used between two readings beyond the idle cost of that time."""
        return {
            name: max(0.0, after[name] - before[name] - self.idle.get(name, 0.0) * seconds)
            for name in after
            if name in before
        }


def together(
    calls: Sequence[Sequence[Call]], meter: Meter, longest: float = 3600.0
) -> tuple[list[float], float, dict[str, float]]:
    """Each client makes its calls one after the other, all clients at once; none is begun after `longest` seconds.

    Returns the seconds of every call, those of the whole, and the processor seconds of each process.

    Raises:
        whatever a call raises: a measurement with a failed call is none.
    """
    durations: list[list[float]] = [[] for _client in calls]
    failures: list[BaseException] = []
    barrier = threading.Barrier(len(calls) + 1)

    def client(number: int) -> None:
        barrier.wait()
        end = time.perf_counter() + longest
        try:
            for call in calls[number]:
                start = time.perf_counter()
                if start > end:
                    return
                call()
                durations[number].append(time.perf_counter() - start)
        except BaseException as failure:  # noqa: BLE001 - it is raised below, in the thread that waits
            failures.append(failure)

    threads = [threading.Thread(target=client, args=(number,), daemon=True) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    before = meter.read()
    began = time.perf_counter()
    barrier.wait()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - began
    spent = meter.spent(before, meter.read(), elapsed)
    if failures:
        raise failures[0]
    return [each for own in durations for each in own], elapsed, spent


def row_of(
    name: str,
    clients: int,
    durations: Sequence[float],
    elapsed: float,
    spent: Mapping[str, float],
    *,
    of_each: int = 1,
) -> Row:
    """The row of a measurement; with `of_each`, CPU and rate are those of one of so many things done in each call."""
    number = len(durations) * of_each
    parts = {name: 1000 * seconds / number for name, seconds in spent.items() if seconds}
    return Row(
        name,
        clients,
        cpu_ms=sum(parts.values()),
        p50_ms=1000 * quantile(durations, 0.5),
        p95_ms=1000 * quantile(durations, 0.95),
        per_s=number / elapsed,
        calls=len(durations),
        parts=parts,
    )


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which the share of the values lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered)) - 1))]
