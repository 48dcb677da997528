"""kill -9 of web, worker and PostgreSQL in the middle of the walk: nothing accepted is lost or doubled.

Five rounds by default, `make faults` makes thirty (VERBUND_FAULT_ROUNDS). VERBUND_FAULT_SEED repeats a run's choice of
victims and moments, VERBUND_FAULT_VICTIMS narrows it, VERBUND_FAULT_JOBS_WITHIN the patience with jobs;
VERBUND_FAULT_SOURCE names another source tree, to see a broken
one found out.
"""

import os
import random
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from verbund.modules.citizenservices.queries import service_templates

from . import evidence, riddle
from .instance import PATIENCE, VICTIMS, Instance, instance
from .people import Citizen, Clerk, Submission, Treasury

pytestmark = pytest.mark.faults

ROUNDS = int(os.environ.get("VERBUND_FAULT_ROUNDS", "5"))
SEED = int(os.environ.get("VERBUND_FAULT_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
CITIZENS, DRAFTS, CLERKS = 2, 2, 2
JOBS_DONE_WITHIN = float(os.environ.get("VERBUND_FAULT_JOBS_WITHIN", "300"))  # seconds, with orphans of killed workers


@dataclass
class Town:
    """The people, and what they were promised in all rounds."""

    house: Instance
    slug: str
    citizens: list[Citizen]
    clerks: list[Clerk]
    treasury: Treasury
    submissions: list[Submission] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)

    def paid(self) -> dict[str, int]:
        """What is asked for and not yet on any statement, as the debtors know it from their letters."""
        with self.house.owner() as connection:
            rows = connection.execute(
                f"SELECT i.payment_reference, i.open_cents FROM {evidence.TOWN}.budget_openitem i"
                f" JOIN {evidence.TOWN}.budget_claim c ON c.item_id = i.id WHERE i.open_cents > 0"
            ).fetchall()
        return dict(rows)


class Progress:
    """Counts what was answered, so that the moment of the kill lies in the middle on any machine."""

    def __init__(self) -> None:
        self.done, self._lock = 0, threading.Lock()

    def step(self) -> None:
        with self._lock:
            self.done += 1


def found_town(house: Instance) -> Town:
    """Found it, start the processes, bring the people to their desks."""
    town, slug = house.furnish()
    with house.owner() as connection:
        durable = [connection.execute(f"SHOW {name}").fetchone() for name in ("fsync", "synchronous_commit")]
    assert durable == [("on",), ("on",)]
    house.revive()
    form = service_templates()["bewohnerparkausweis"].form
    citizens = [Citizen(town, house.port, n, slug, form) for n in range(CITIZENS)]
    return Town(house, slug, citizens, [Clerk(town, house.port) for _ in range(CLERKS)], Treasury(town, house.port))


def play(town: Town, number: int, victim: str, chance: random.Random) -> str:
    """One round: everybody works, somebody is killed, everything starts again, everybody repeats. Tells what was."""
    house, progress = town.house, Progress()
    drafts = [[citizen.prepare() for _ in range(DRAFTS)] for citizen in town.citizens]
    new = [draft for mine in drafts for draft in mine]
    decided, town.undecided = town.undecided, []
    town.treasury.new_statement(town.paid())

    def citizen_works(mine: list[Submission]) -> None:
        for submission in mine:
            submission.send()
            progress.step()

    def clerk_works(clerk: Clerk, mine: list[str]) -> None:
        for application in mine:
            clerk.try_to_decide(application)
            progress.step()

    moment = chance.randrange(0, len(new) + len(decided) - 2)
    pause = chance.random() * 0.08
    with ThreadPoolExecutor(max_workers=8) as pool:
        work: list[Future[Any]] = [pool.submit(citizen_works, mine) for mine in drafts]
        work += [pool.submit(clerk_works, clerk, decided[n::CLERKS]) for n, clerk in enumerate(town.clerks)]
        work.append(pool.submit(town.treasury.import_waiting))
        end = time.monotonic() + 20
        while progress.done < moment and time.monotonic() < end:
            time.sleep(0.001)
        time.sleep(pause)
        hit = house.kill(victim)
        if victim != "web worker":  # granian starts that one again by itself
            house.look_after()
        for each in work:
            each.result()
    seconds = house.revive()
    lost = sum(s.lost for s in new)
    answered = sum(bool(s.promised) for s in new)
    with ThreadPoolExecutor(max_workers=CITIZENS + 1) as pool:
        again = [pool.submit(repeat, mine) for mine in drafts]
        again.append(pool.submit(finish, town, decided))
        for each in again:
            each.result()
    town.submissions += new
    town.undecided = [s.promised[0] for s in new]
    return (
        f"round {number}: killed {victim} ({hit} processes) after {moment} answers and {pause * 1000:.0f} ms;"
        f" {answered} of {len(new)} answered, {lost} lost; up again after {seconds:.1f} s"
    )


def repeat(submissions: list[Submission]) -> None:
    """Send everything once more, the answered too, until there is an answer."""
    for submission in submissions:
        end = time.monotonic() + PATIENCE
        while not submission.send():
            assert time.monotonic() < end, "the house does not answer any more"
            time.sleep(0.2)
        submission.confirm()


def finish(town: Town, applications: list[str]) -> None:
    """Decide what is not decided yet, and import what is not imported."""
    end = time.monotonic() + PATIENCE
    for application in applications:
        while not town.clerks[0].try_to_decide(application):
            assert time.monotonic() < end, f"{application} cannot be decided any more"
            time.sleep(0.2)
    while not town.treasury.import_waiting():
        assert time.monotonic() < end, "the statement cannot be imported any more"
        time.sleep(0.2)


def wait_for_jobs(house: Instance) -> float:
    """Until no job waits or runs any more; a dead worker's are taken up by the living one. Returns the seconds."""
    begun = time.monotonic()
    while True:
        house.look_after()
        with house.owner() as connection:
            open_jobs = connection.execute(
                "SELECT status, count(*) FROM public.procrastinate_jobs WHERE status IN ('todo', 'doing') GROUP BY 1"
            ).fetchall()
        if not open_jobs:
            return time.monotonic() - begun
        if time.monotonic() - begun > JOBS_DONE_WITHIN:
            pytest.fail(f"seed {SEED}: {open_jobs} after {JOBS_DONE_WITHIN:.0f} s\n{riddle.tell(house)}")
        time.sleep(0.2)


def test_nothing_accepted_is_lost_or_doubled(request: pytest.FixtureRequest) -> None:
    chance = random.Random(SEED)
    choice = [v for v in os.environ.get("VERBUND_FAULT_VICTIMS", "").split(",") if v] or list(VICTIMS)
    victims: list[str] = []
    while len(victims) < ROUNDS:
        victims += chance.sample(choice, len(choice))
    source = os.environ.get("VERBUND_FAULT_SOURCE")
    report = request.config.get_terminal_writer()

    def tell(line: str) -> None:
        report.line(f"  {line}")

    tell(f"seed {SEED}, {ROUNDS} rounds")
    with instance(source=Path(source) if source else None, keep=bool(os.environ.get("VERBUND_FAULT_KEEP"))) as house:
        town = found_town(house)
        for number, victim in enumerate(victims[:ROUNDS], 1):
            tell(play(town, number, victim, chance))
        finish(town, town.undecided)
        waited = wait_for_jobs(house)
        town.treasury.new_statement(town.paid())
        finish(town, [])
        waited += wait_for_jobs(house)
        found = evidence.look(house, town.submissions)
        tell(f"{found.counts}; jobs done after {waited:.1f} s")
    lost = sum(s.lost for s in town.submissions) + sum(c.lost for c in town.clerks) + town.treasury.lost
    tell(f"{lost} requests lost, {sum(c.refused for c in town.clerks)} second clicks of clerks refused")
    assert found.wrong == {}, f"seed {SEED}"
    assert found.counts["citizenservices_application"] == ROUNDS * CITIZENS * DRAFTS
    assert lost > 0, "no kill hit anything: the test proves nothing"
