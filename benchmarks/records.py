"""Measures records by hand: `.venv/bin/pytest benchmarks/records.py -s` (DOCUMENTS=10000 CASES=1000 LISTED=300000).

CPU is that of this process, of its PostgreSQL backend and of the process that reads PDFs; the time is a median.
"""

import os
import random
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection, transaction

from verbund.modules.records import queries, services
from verbund.modules.records.gateways.pdf import PdfProcess, reader
from verbund.modules.records.models import Case, Document, DocumentVersion, EntryKind
from verbund.modules.records.queries import words
from verbund.modules.records.services import indexing
from verbund.modules.records.tests import factories
from verbund.platform import files
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for, new_id, rows

DOCUMENTS = int(os.environ.get("DOCUMENTS", "10000"))
CASES = int(os.environ.get("CASES", "1000"))
LISTED = int(os.environ.get("LISTED", "300000"))
TEXT_WORDS = 300
TICK = os.sysconf("SC_CLK_TCK")
START = datetime(2026, 1, 2, tzinfo=UTC)
LATE = START.date()


def _cpu_of(pid: int) -> float:
    with Path(f"/proc/{pid}/stat").open() as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


class Meter:
    """CPU seconds of all that works for us."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            self.backend = cursor.fetchone()[0]

    def now(self) -> tuple[float, float, float]:
        helper = reader()._process if isinstance(reader(), PdfProcess) else None
        return time.process_time(), _cpu_of(self.backend), _cpu_of(helper.pid) if helper else 0.0

    def measure(self, name: str, work: Callable[[], Any], times: int) -> None:
        work()
        before, began, walls = self.now(), time.perf_counter(), []
        for _ in range(times):
            start = time.perf_counter()
            work()
            walls.append(time.perf_counter() - start)
        after = self.now()
        each = [1000 * (b - a) / times for a, b in zip(before, after, strict=True)]
        wall = 1000 * statistics.median(walls)
        print(
            f"{name:<48} CPU {sum(each):7.2f} ms (Python {each[0]:.2f}, PostgreSQL {each[1]:.2f}, PDF {each[2]:.2f});"
            f" median {wall:.2f} ms; {times / (time.perf_counter() - began):.0f}/s"
        )


def _vocabulary(chance: random.Random) -> list[str]:
    parts = [w for line in words._LEXICON.read_text().splitlines() if not line.startswith("#") for w in line.split()]
    simple = chance.sample(parts, len(parts))
    compounds = [a + chance.choice(["", "s", ""]) + b for a, b in zip(simple, chance.sample(parts, len(parts)))]
    longer = [a + b for a, b in zip(chance.sample(compounds, len(compounds)), simple)]
    common = ["der", "die", "das", "und", "mit", "von", "für", "ist", "auf", "dem", "wird", "nicht", "nach", "über"]
    return common * 40 + simple * 4 + compounds * 3 + longer


def _text(chance: random.Random, vocabulary: list[str]) -> str:
    return " ".join(chance.choices(vocabulary, k=TEXT_WORDS))


def _fill(actor: Actor, chance: random.Random) -> None:
    vocabulary = _vocabulary(chance)
    cases = [
        services.open_case(
            actor,
            title=f"Vorgang {n}",
            position="32.10",
            unit=str(32 + n % 8),
            origin="",
            party=f"Person {n}",
            now=START + timedelta(minutes=n),
        )
        for n in range(CASES)
    ]
    held = {c.id: c for c in Case.objects.all()}
    stored = files.put(b"Inhalt", filename="a.txt")
    for begin in range(0, DOCUMENTS, 500):
        documents, versions, entries = [], [], []
        for n in range(begin, min(begin + 500, DOCUMENTS)):
            case = held[cases[n % CASES].id]
            text = _text(chance, vocabulary) + " Gartenlaube"
            at = START + timedelta(minutes=CASES + n)
            document = Document(
                id=new_id(), case=case, number=n // CASES + 1, title=f"Blatt {n}", kind="memo", filed_at=at
            )
            documents.append(document)
            versions.append(
                DocumentVersion(
                    id=new_id(),
                    document=document,
                    number=1,
                    content=stored,
                    size=6,
                    media_type="text/plain",
                    filename="a.txt",
                    text=text,
                    created_at=at,
                    hash="0" * 64,
                )
            )
            found_by = indexing._document_words(case, document, text, "a.txt")
            entries.append(indexing._entry(case, document, EntryKind.DOCUMENT, at, found_by))
        with transaction.atomic():
            rows.write(documents, versions, entries)


def _size(owner: "psycopg.Connection[Any]", expression: str) -> int:
    row = owner.execute(f"SELECT {expression}").fetchone()
    return int(row[0]) if row else 0


_MORE_CASES = """
INSERT INTO records_case (id, file_id, position_id, reference, year, number, title, origin, unit, party, state,
                          is_sealed, assigned_name, opened_at, promised_on, metadata, documents, revision)
SELECT gen_random_uuid(), f.id, f.position_id, 'x-' || n, 2025, 100000 + n, 'Vorgang ' || n, '', (32 + n %% 8)::text,
       'Person ' || n, 'open', false, '', timestamptz '2025-01-01' + n * interval '1 minute',
       CASE WHEN n %% 5 = 0 THEN date '2025-02-01' + n %% 900 END, '{}', 0, 1
  FROM (SELECT id, position_id FROM records_file LIMIT 1) f, generate_series(1, %s) n
"""


def _lists(actor: Actor, meter: Meter, title: str) -> None:
    filters = queries.CaseFilters
    meter.measure(f"list page of 50, {title}", lambda: queries.cases(actor), 30)
    meter.measure(f"  state open, {title}", lambda: queries.cases(actor, filters=filters(state="open")), 30)
    meter.measure(f"  late, {title}", lambda: queries.cases(actor, filters=filters(deadline_before=LATE)), 30)
    key = f"{(START - timedelta(days=100)).isoformat()}~{new_id()}"
    meter.measure(f"  a page far behind, {title}", lambda: queries.cases(actor, after=key), 30)


def test_records(real_database: str, system: Actor, staff: Callable[..., Actor], owner_connection: Any) -> None:
    chance = random.Random(7)
    with acting_for("alpha"):
        factories.file_plan(system)
        began = time.perf_counter()
        _fill(system, chance)
        print(f"\n{CASES} cases, {DOCUMENTS} documents of {TEXT_WORDS} words in {time.perf_counter() - began:.0f} s")
        owner_connection.execute("SET search_path = alpha")
        owner_connection.execute("VACUUM ANALYZE")
        for name, expression in (
            ("search entries, table with vectors", "pg_table_size('records_searchentry')"),
            ("search index", "pg_relation_size('entry_by_word_and_mark')"),
            ("texts", "pg_table_size('records_documentversion')"),
        ):
            print(f"{name:<48} {_size(owner_connection, expression) / DOCUMENTS:9.0f} bytes a document")
        row = owner_connection.execute(
            "SELECT avg(length(vector)) FROM records_searchentry WHERE kind = 'document'"
        ).fetchone()
        print(f"{'lexemes a document':<48} {row[0]:9.0f}")

        clerk = staff(Role.CLERK, units={"32", "33"})
        registry = staff(Role.REGISTRY)
        meter = Meter()
        for title, actor in (("registry", registry), ("clerk of 2 of 8 units", clerk)):
            for typed in ("gartenlaube", "laube", "rat", "haus garten", '"gartenlaube"', "vertr*", "32.10-2026/0007"):
                page = queries.search(actor, typed)
                count = f"{len(page.rows)}{'+' if page.next else ''} hits shown"
                meter.measure(
                    f"search {typed!r} as {title}: {count}", lambda a=actor, t=typed: queries.search(a, t), 20
                )
        for title, actor in (("registry", registry), ("clerk", clerk)):
            _lists(actor, meter, f"{title}, {CASES} cases")
        owner_connection.execute(_MORE_CASES, [LISTED])
        owner_connection.execute("VACUUM ANALYZE records_case")
        for title, actor in (("registry", registry), ("clerk", clerk)):
            _lists(actor, meter, f"{title}, {LISTED} cases")

        def submit() -> None:
            with transaction.atomic():
                case = factories.open_case(system, origin="process:1")
                factories.file_text(system, case, _text(chance, ["Antrag", "Bewohner", "Parkausweis", "Straße"]))
                factories.file_text(system, case, f'{{"a": {chance.random()}}}', filename="a.json")

        meter.measure("open_case and two file_document", submit, 40)
        page = factories.pdf(*[_text(chance, ["Antrag", "Bewohner", "Parkausweis"])[:90] for _ in range(40)])
        case = factories.open_case(system)

        def upload() -> None:
            mark = "Wort" + "".join(chance.choices("bdfghklmn", k=9))
            content = factories.pdf(mark) + b"\n%" + chance.randbytes(40_000).hex().encode() + b"\n" + page[-1:]
            services.file_document(
                system, case_id=case.id, title="Blatt", kind="incoming", content=content, filename="a.pdf", now=START
            )
            assert len(queries.search(system, mark).rows) == 1

        meter.measure("upload of an 80 kB PDF until it is found", upload, 40)
