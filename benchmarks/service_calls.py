"""What is measured without HTTP: services called in processes of their own, as a job or an interface would call them.

Run as `python -m benchmarks.service_calls`: the first line of the standard input is the job as JSON; the process
answers "ready", waits for a line, makes its calls, and answers the seconds of each as JSON.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from .cpu import family_seconds, peak_mb
from .driving import Meter, row_of
from .place import ROOT
from .rows import Row

_WARM: Final = 5
BATCH: Final = 100  # vouchers of a batch

_PARAGRAPHS: Final = (
    "wir haben Ihren Antrag geprüft und bewilligen ihn. Die Erlaubnis gilt ab dem Tag der Bekanntgabe für ein Jahr.",
    "Sie ist nicht übertragbar. Änderungen Ihrer Verhältnisse teilen Sie uns bitte innerhalb von zwei Wochen mit.",
    {"facts": [["Leistung", "Hund zur Hundesteuer anmelden"], ["Antrag vom", "20.11.2026"]]},
    {"heading": "Nebenbestimmungen"},
    "Die Marke ist außerhalb der Wohnung sichtbar zu tragen. Ihr Verlust ist unverzüglich anzuzeigen.",
    "Rechtsgrundlage: § 3 KAG M-V in Verbindung mit der Satzung der Stadt.",
)


def in_processes(
    meter: Meter,
    name: str,
    task: str,
    jobs: Sequence[Mapping[str, Any]],
    calls: int,
    *,
    of_each: int = 1,
    warm: int = _WARM,
    with_peak: bool = False,
) -> Row:
    """Make `calls` calls of a task in one process for each job, all at the same time; the row of them.

    `with_peak`: its value is the most memory that one of the processes has taken, in megabytes.

    Raises:
        RuntimeError: a process has failed; what it said stands in the message.
    """
    environment = {key: value for key, value in os.environ.items() if key != "VERBUND_AS_OWNER"}
    clients: list[subprocess.Popen[str]] = []
    try:
        for job in jobs:
            client = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.service_calls"],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            clients.append(client)
            _say(client, json.dumps({**job, "task": task, "calls": calls, "warm": warm}))
        for client in clients:
            _hear(client, "ready")
        costs = {"service": lambda: sum(family_seconds(client.pid) for client in clients)}
        both = Meter({**meter.processes, **costs}, meter.idle)
        before, began = both.read(), time.perf_counter()
        for client in clients:
            _say(client, "go")
        durations = [seconds for client in clients for seconds in json.loads(_hear(client))]
        elapsed = time.perf_counter() - began
        spent = both.spent(before, both.read(), elapsed)
        peak = max(peak_mb(client.pid) for client in clients)
    finally:
        for client in clients:
            with suppress(OSError):
                client.terminate()
            client.wait()
    row = row_of(name, len(jobs), durations, elapsed, spent, of_each=of_each)
    row.value = peak if with_peak else None
    return row


def _say(client: "subprocess.Popen[str]", line: str) -> None:
    assert client.stdin is not None
    client.stdin.write(line + "\n")
    client.stdin.flush()


def _hear(client: "subprocess.Popen[str]", expected: str = "") -> str:
    assert client.stdout is not None
    assert client.stderr is not None
    line = client.stdout.readline().strip()
    if not line or (expected and line != expected):
        raise RuntimeError(f"a process of the measurement has failed: {line} {client.stderr.read()[-3000:]}")
    return line


# --- in the process of its own

Call = Callable[[int], object]


def _posting(job: Mapping[str, Any]) -> Call:
    """One voucher of two lines, an expense that the budget has to bear."""
    return partial(_post, job, _actor(job), 1)


def _posting_batch(job: Mapping[str, Any]) -> Call:
    """A hundred such vouchers in one call."""
    return partial(_post, job, _actor(job), BATCH)


def _post(job: Mapping[str, Any], actor: Any, number: int, call: int) -> None:
    from verbund.modules.budget import services as budget

    now = datetime.now(UTC)
    day = now.date()
    postings = [
        budget.Posting(
            day.year,
            "A",
            day,
            day,
            f"Umbuchung {job['client']} {call} {place}",
            [budget.Line("5233", product="54100", debit=100 + place), budget.Line("2010", credit=100 + place)],
        )
        for place in range(number)
    ]
    budget.post_vouchers(actor, ledger=job["ledger"], postings=postings, now=now)


def _letter(job: Mapping[str, Any]) -> Call:
    """A decision of one page, set, filed and told of."""
    from verbund.modules.records import services as records

    actor = _actor(job)
    cases = [UUID(case) for case in job["cases"]]
    data = {
        "salutation": "Guten Tag Erika Beispiel,",
        "paragraphs": list(_PARAGRAPHS),
        "closing": "Mit freundlichen Grüßen",
        "signature": [actor.name],
        "contact": {"name": actor.name, "unit": "20"},
        "remedy": "Gegen diesen Bescheid kann innerhalb eines Monats nach Bekanntgabe Widerspruch erhoben werden.",
    }
    to = records.Recipient(
        "Erika Beispiel",
        ("Beispielstraße 7", "19999 Probestadt"),
        email="erika@buergerin.example",
        mailbox="benchmarks",
    )

    def call(number: int) -> None:
        records.issue_letter(
            actor,
            case_id=cases[number % len(cases)],
            title=f"Bescheid {job['client']}-{number}",
            template="printing/letter.typ",
            data=data,
            recipient=to,
            now=datetime.now(UTC),
        )

    return call


def _trial_balance(job: Mapping[str, Any]) -> Call:
    """The trial balance of the year; with `as_of` up to a day in its midst."""
    from verbund.modules.budget import queries as budget

    actor, today = _actor(job), datetime.now(UTC).date()
    day = today.replace(month=6, day=15) if job.get("as_of") else None

    def call(_number: int) -> None:
        found = budget.trial_balance(actor, job["ledger"], today.year, as_of=day)
        if found.total != 0 or not found.rows:
            raise RuntimeError("the books do not balance")

    return call


def _charge_run(job: Mapping[str, Any]) -> Call:
    """An advance over the whole year, proposed; the one before it is discarded."""
    from verbund.modules.costsharing import services
    from verbund.platform.identity.actor import Actor

    actor = Actor.system(job["body"], "benchmarks")
    first, last = date(job["year"], 1, 1), date(job["year"], 12, 31)
    proposed: list[UUID] = []

    def call(_number: int) -> None:
        now = datetime.now(UTC)
        if proposed:
            services.discard_run(actor, run_id=proposed.pop(), reason="noch einmal", now=now)
        run = services.propose_run(actor, kind="advance", period_start=first, period_end=last, now=now)
        if run.lines < job["members"]:
            raise RuntimeError(f"the run has {run.lines} lines only")
        proposed.append(run.id)

    return call


def _found_body(job: Mapping[str, Any]) -> Call:
    """One more body."""
    from .place import Place

    return lambda number: Place.found_body(job["first"] + number)


def _migrate(_job: Mapping[str, Any]) -> Call:
    """`public` and every body, brought to what the settings' apps know."""
    from verbund.platform.tenancy import bodies

    def call(_number: int) -> None:
        bodies.migrate_public()
        failed = [each for each in bodies.migrate_bodies() if each.error]
        if failed:
            raise RuntimeError(f"{len(failed)} bodies could not be migrated: {failed[0]}")

    return call


def _floor_writes(job: Mapping[str, Any]) -> Call:
    from .floor import replay

    return replay(os.environ["DATABASE_URL"], job)


def _floor_reads(job: Mapping[str, Any]) -> Call:
    from .floor import read_again

    return read_again(os.environ["DATABASE_URL"], job)


def _actor(job: Mapping[str, Any]) -> Any:
    """The colleague who works here, recognised as a request would recognise them."""
    from verbund.platform.identity.models import Person
    from verbund.platform.identity.recognition import staff_actor

    actor = staff_actor(Person.objects.get(email=job["email"]).id, now=datetime.now(UTC), request_id="benchmarks")
    if actor is None:
        raise RuntimeError(f"{job['email']} works here no more")
    return actor


_TASKS: Final[dict[str, Callable[[Mapping[str, Any]], Call]]] = {
    "posting": _posting,
    "posting_batch": _posting_batch,
    "letter": _letter,
    "trial_balance": _trial_balance,
    "charge_run": _charge_run,
    "found_body": _found_body,
    "migrate": _migrate,
    "floor_writes": _floor_writes,
    "floor_reads": _floor_reads,
}


def main() -> int:
    """Do one job and wait to be ended, so that its time can still be read."""
    job = json.loads(sys.stdin.readline())
    with nullcontext() if job["task"].startswith("floor_") else _entered(job):  # plain SQL needs nothing of the house
        call = _TASKS[job["task"]](job)
        for number in range(job["warm"]):
            call(-1 - number)
        print("ready", flush=True)
        sys.stdin.readline()
        durations = []
        for number in range(job["calls"]):
            start = time.perf_counter()
            call(number)
            durations.append(time.perf_counter() - start)
    print(json.dumps(durations), flush=True)
    sys.stdin.readline()
    return 0


def _entered(job: Mapping[str, Any]) -> AbstractContextManager[object]:
    """The body in which the job is done, or none for a job of the owner of the tables."""
    from verbund.commands import installation

    if job.get("settings"):
        os.environ["DJANGO_SETTINGS_MODULE"] = job["settings"]
    installation.enter(owner=bool(job.get("owner")))
    from verbund.platform.tenancy import acting_for

    return nullcontext() if job.get("owner") else acting_for(job["body"])


if __name__ == "__main__":
    sys.exit(main())
