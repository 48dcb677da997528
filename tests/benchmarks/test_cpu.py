"""Processor time of other processes: read to less than a step of the kernel's clock, nothing lost when a child ends."""

import os
import subprocess
import sys
import time

from benchmarks.cpu import family_seconds, own_seconds

BUSY = (
    "import time; end = time.process_time() + 0.2\n"
    "while time.process_time() < end: pass\n"
    "print('done', flush=True); input()"
)


def test_the_time_of_another_process_is_read_finer_than_in_steps_of_ten_milliseconds() -> None:
    begun, before = time.process_time(), own_seconds(os.getpid())
    while time.process_time() < begun + 0.004:
        pass
    used = own_seconds(os.getpid()) - before
    assert 0.003 < used < 0.1
    assert round(used * 1e6) % 10_000 != 0


def test_what_a_child_used_is_counted_while_it_lives_and_when_it_has_ended() -> None:
    before = family_seconds(os.getpid())
    child = subprocess.Popen([sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "done\n"
    assert own_seconds(child.pid) >= 0.2
    alive = family_seconds(os.getpid()) - before
    child.communicate("\n")
    ended = family_seconds(os.getpid()) - before
    assert own_seconds(child.pid) == 0.0
    assert alive >= 0.2
    assert ended >= alive - 0.02  # the sum of the ended is shown in steps of 10 ms


def test_a_process_that_never_was_has_used_nothing() -> None:
    assert own_seconds(2**22 - 1) == 0.0
