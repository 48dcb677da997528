"""Measures what writes most: `.venv/bin/pytest benchmarks/submit.py -s` (SUBMISSIONS=100 POSTINGS=300 PROFILE=1).

CPU is that of this process and of its PostgreSQL backend, per call; the time is a median. Drafts are filled in before.
"""

import cProfile
import multiprocessing
import os
import pstats
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from django.db import connection, connections

from verbund.modules.budget import services as budget
from verbund.modules.budget.tests import factories as books
from verbund.modules.citizenservices import services
from verbund.modules.citizenservices.tests import factories
from verbund.modules.records import services as records
from verbund.platform.tenancy import acting_for

SUBMISSIONS = int(os.environ.get("SUBMISSIONS", "100"))
POSTINGS = int(os.environ.get("POSTINGS", "300"))
COUNTED = 25
CLIENTS = 4
TEMPLATE = os.environ.get("TEMPLATE", "hundesteuer_anmeldung")
PROFILE = bool(os.environ.get("PROFILE"))


def _cpu_of(pid: int) -> float:
    """Seconds on the processor, to the nanosecond (`proc(5)`, schedstat); the kernel counts them at each switch."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def _backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


class Statements:
    """Counts what goes to the database, by its first words, and what it costs there."""

    def __init__(self, backend: int) -> None:
        self.backend = backend
        self.seen: Counter[str] = Counter()
        self.cost: dict[str, float] = defaultdict(float)

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        name = " ".join(sql.split()[:6])[:70]
        began = _cpu_of(self.backend)
        try:
            return execute(sql, params, many, context)
        finally:
            self.seen[name] += 1
            self.cost[name] += _cpu_of(self.backend) - began


def measure(name: str, calls: Sequence[Callable[[], Any]]) -> None:
    """Make the calls one after the other and print what each has cost."""
    for call in calls[:5]:
        call()
    backend, profile = _backend(), cProfile.Profile(time.process_time)
    counted = Statements(backend)
    with connection.execute_wrapper(counted):
        for call in calls[5:COUNTED]:
            call()
    timed, calls_counted = calls[COUNTED:], COUNTED - 5
    walls = []
    python, database, began = time.process_time(), _cpu_of(backend), time.perf_counter()
    if PROFILE:
        profile.enable()
    for call in timed:
        start = time.perf_counter()
        call()
        walls.append(time.perf_counter() - start)
    profile.disable()
    each = [1000 * spent / len(timed) for spent in (time.process_time() - python, _cpu_of(backend) - database)]
    print(
        f"\n{name:<24} CPU {sum(each):6.2f} ms (Python {each[0]:.2f}, PostgreSQL {each[1]:.2f}); "
        f"p50 {1000 * statistics.median(walls):.2f} ms; {len(timed) / (time.perf_counter() - began):.0f}/s; "
        f"{counted.seen.total() / calls_counted:.0f} statements without begin and commit"
    )
    if PROFILE:
        for statement, times in counted.seen.most_common():
            cost = 1000 * counted.cost[statement] / calls_counted
            print(f"   {times / calls_counted:4.1f} {cost:6.3f} ms  {statement}")
        print(f"        {1000 * sum(counted.cost.values()) / calls_counted:6.3f} ms in all")
        pstats.Stats(profile).sort_stats("tottime").print_stats(45)
        pstats.Stats(profile).sort_stats("cumulative").print_stats(110)


def test_submit(real_database: str) -> None:
    with acting_for("alpha"):
        factories.town()
        service = factories.offer(TEMPLATE)
        drafts = []
        for seed in range(SUBMISSIONS + COUNTED):
            draft = services.start_draft(factories.GUEST, service_id=service, now=factories.NOW)
            factories.fill(factories.GUEST, draft, seed=seed, optional=0.0)
            drafts.append(draft)
        measure(
            "submit",
            [
                lambda d=draft: services.submit_application(factories.GUEST, draft=d, now=factories.NOW)  # type: ignore[misc]
                for draft in drafts
            ],
        )
        case = records.open_case(
            factories.SYSTEM, title="Vorgang", position="32.10", unit="32", origin="", party="", now=factories.NOW
        )
        measure(
            "file_document",
            [
                lambda n=n: records.file_document(  # type: ignore[misc]
                    factories.SYSTEM,
                    case_id=case.id,
                    title=f"Blatt {n}",
                    kind="memo",
                    content=f"Inhalt {n}".encode(),
                    filename="a.txt",
                    now=factories.NOW,
                )
                for n in range(SUBMISSIONS + COUNTED)
            ],
        )


def _post(town: books.Town, cents: int) -> None:
    day = books.NOW.date()
    budget.post_voucher(
        books.SYSTEM,
        ledger=town.ledger,
        year=town.year,
        series="A",
        posting_date=day,
        document_date=day,
        text="Umbuchung",
        lines=[budget.Line("5233", product="54100", debit=cents), budget.Line("2010", credit=cents)],
        now=books.NOW,
    )


def _client(town: books.Town) -> None:
    connections.close_all()
    with acting_for("alpha"):
        for cents in range(1, POSTINGS + 1):
            _post(town, cents)
    connections.close_all()


def test_posting(real_database: str) -> None:
    with acting_for("alpha"):
        town = books.make_town()
        measure("post_voucher", [partial(_post, town, n + 1) for n in range(POSTINGS + COUNTED)])
    connections.close_all()
    connection.close_pool()
    clients = [multiprocessing.get_context("fork").Process(target=_client, args=(town,)) for _ in range(CLIENTS)]
    began = time.perf_counter()
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    took = time.perf_counter() - began
    assert [client.exitcode for client in clients] == [0] * CLIENTS
    print(f"\n{CLIENTS} clients on one ledger: {CLIENTS * POSTINGS / took:.0f} postings/s, none refused")
