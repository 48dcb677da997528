"""What processes have cost so far: processor time of a whole family, and memory."""

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

_TICK: Final = os.sysconf("SC_CLK_TCK")
_WHOLE_PROCESS: Final = (
    2  # the clock of user and system time of all threads, those that have ended too (CPUCLOCK_SCHED)
)


def family_seconds(root: int) -> float:
    """Processor seconds (user and system) of a process, of its living descendants and of those that have ended.

    What lives is read to the nanosecond. The kernel adds what an ended child has used to its parent once that has
    waited for it, and shows that sum in steps of 10 ms: a database connection that came and went between two readings
    is not lost.
    """
    return sum(own_seconds(pid) + _ended_seconds(pid) for pid in family_members(root))


def family_members(root: int) -> list[int]:
    """A process and its living descendants."""
    pids = [root]
    with suppress(psutil.Error):
        pids += [child.pid for child in psutil.Process(root).children(recursive=True)]
    return pids


def own_seconds(pid: int) -> float:
    """Processor seconds of all threads of a process; 0 for one that is gone: its parent has it then.

    Linux gives every process a clock, whose number is made of its own (clock_getcpuclockid(3)).
    """
    try:
        return time.clock_gettime((~pid << 3) | _WHOLE_PROCESS)
    except OSError:
        return 0.0


def _ended_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(int(field) for field in fields[13:15]) / _TICK


def resident_mb(pid: int) -> float:
    """Resident memory of one process, in megabytes of 1,000,000 bytes; shared pages count in full."""
    return float(psutil.Process(pid).memory_info().rss) / 1e6


def largest_resident_mb(root: int, name: str = "") -> float:
    """The largest resident memory among a process and its descendants whose command line holds `name`."""
    sizes = [0.0]
    for process in [psutil.Process(root), *psutil.Process(root).children(recursive=True)]:
        with suppress(psutil.Error):
            if name in " ".join(process.cmdline()):
                sizes.append(resident_mb(process.pid))
    return max(sizes)


def peak_mb(pid: int) -> float:
    """The most resident memory that one process has had so far, in megabytes of 1,000,000 bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e6


def own_mb(pid: int) -> float:
    """Memory that is this process's alone (private pages), in megabytes: what a further one of its kind would cost."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    kilobytes = [int(line.split()[1]) for line in lines if line.startswith(("Private_Clean", "Private_Dirty"))]
    return sum(kilobytes) * 1024 / 1e6
