"""The measurements of one body: each call with one client and with four, and its floor."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from . import floor, web_calls
from .browsing import Browser, signed_in
from .cpu import largest_resident_mb
from .driving import LONGEST, Call, row_of, together
from .models import SELDOM, WORD
from .place import Place, tell
from .rows import Row
from .service_calls import BATCH, in_processes

if TYPE_CHECKING:
    from verbund.commands.walk.town import Town

CLIENTS: Final = (1, 4)
# Calls before the first that counts: every process has then made its parts of pages, every connection its plans.
WARM: Final = 40


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured: cases the clerk sees, bodies, and how many calls (1 is the full number)."""

    cases: int = 10_000
    bodies: int = 6
    calls: float = 1.0

    def times(self, number: int) -> int:
        """How often to do what is done `number` times at full length."""
        return max(2, round(number * self.calls))

    @property
    def models(self) -> int:
        """Cases that are opened through the services before they are multiplied."""
        return max(4, min(self.cases // 20, 500))


@dataclass
class Bench:
    """Measures one body of a place. `suffix` is added to the ids."""

    place: Place
    town: "Town"
    scale: Scale
    suffix: str = ""
    with_floor: bool = True
    rows: list[Row] = field(default_factory=list)
    _desks: list[Browser] = field(default_factory=list)
    _used: int = 0

    def __post_init__(self) -> None:
        town = self.town
        self._desks = [
            signed_in(town.host, self.place.port, town.emails["clerk"], town.password)
            for _client in range(max(CLIENTS))
        ]
        with self.place.superuser() as connection:
            self.units = sorted(_units())
            found = connection.execute(
                sql.SQL(
                    "SELECT id::text FROM {}.records_case WHERE unit = ANY(%s) AND NOT is_sealed AND state = 'open'"
                    " AND documents > 0 ORDER BY hashtext(id::text) LIMIT 2000"
                ).format(sql.Identifier(town.schema_name)),
                [self.units],
            ).fetchall()
            self.cases = [case for (case,) in found]
            middle = connection.execute(
                sql.SQL(
                    "SELECT opened_at, id FROM {0}.records_case WHERE opened_at <"
                    " (SELECT min(opened_at) + (max(opened_at) - min(opened_at)) / 2 FROM {0}.records_case)"
                    " ORDER BY opened_at DESC LIMIT 1"
                ).format(sql.Identifier(town.schema_name))
            ).fetchone()
        self.after = f"?after={middle[0].isoformat().replace('+', '%2B')}~{middle[1]}" if middle else ""

    # --- over HTTP

    def read(self) -> None:
        """The list, one case, and a search with many hits."""
        rows = min(50, self.scale.cases // 3)
        pages = [partial(web_calls.list_page, query=query, rows=rows) for query in ("", self.after)]
        self._pages("list_10k", pages, floor.LIST, [self.units])
        self._pages("read_one", [partial(web_calls.read_case, case=case) for case in self.cases], None, [])
        if self.suffix == "_1m":
            self._search("search_10k", SELDOM, min(50, self.scale.cases // 300))
        else:
            self._search("search_10k", WORD, rows)

    def search_all(self) -> None:
        """At 1,000,000 cases: the word that stands in every one of them."""
        self._search("search_all", WORD, min(50, self.scale.cases // 3))

    def filtered(self) -> None:
        """The list as people narrow it: open ones, late ones, by a word; and a clerk of one small unit."""
        rows = min(50, self.scale.cases // 30)
        for name, query in (
            ("list_open", "?state=open"),
            ("list_late", "?deadline=late"),
            ("list_unit", f"?unit={self.units[0]}"),
            ("list_text", f"?text={quote(self._title_word())}"),
            ("list_position", f"?position={self._position()}"),
        ):
            self._pages(name, [partial(web_calls.list_page, query=query, rows=rows)], None, [])
        self._search("search_common", "Schriftstück", rows)
        own, town = self._desks, self.town
        self._desks = [signed_in(town.host, self.place.port, town.emails["small_unit"], town.password) for _desk in own]
        self._search("search_small_unit", "Schriftstück", rows // 10)
        self._pages("files_small_unit", [web_calls.files_page], None, [])
        self._desks = own

    def _title_word(self) -> str:
        """A word that stands in the titles of about one case of twenty that the clerk sees."""
        with self.place.superuser() as connection:
            row = connection.execute(
                sql.SQL(
                    "SELECT w FROM (SELECT unnest(regexp_split_to_array(title, '[^[:alpha:]]+')) AS w"
                    " FROM (SELECT title FROM {}.records_case WHERE id::text = ANY(%s)) c) t"
                    " WHERE length(w) > 6 GROUP BY w"
                    " ORDER BY abs(count(*) - %s / 20.0), w LIMIT 1"
                ).format(sql.Identifier(self.town.schema_name)),
                [self.cases, len(self.cases)],
            ).fetchone()
        assert row is not None
        return str(row[0])

    def _position(self) -> str:
        """The position at which most of the cases lie."""
        with self.place.superuser() as connection:
            row = connection.execute(
                sql.SQL(
                    "SELECT p.code FROM {0}.records_case c JOIN {0}.records_fileplanposition p ON p.id = c.position_id"
                    " WHERE c.id::text = ANY(%s) GROUP BY p.code ORDER BY count(*) DESC, p.code LIMIT 1"
                ).format(sql.Identifier(self.town.schema_name)),
                [self.cases],
            ).fetchone()
        assert row is not None
        return str(row[0])

    def _search(self, name: str, word: str, rows: int) -> None:
        found = [partial(web_calls.search_page, word=quote(word), rows=rows)]
        self._pages(name, found, floor.SEARCH, [_lexeme(word), self.units])

    def _pages(
        self, name: str, pages: Sequence[Callable[[Browser], object]], statement: str | None, parameters: list[Any]
    ) -> None:
        warming = [partial(afresh, self._desks[n % len(self._desks)], pages[n % len(pages)]) for n in range(WARM)]
        together([warming], self.place.meter, LONGEST / 2)
        for clients in CLIENTS:
            number = self.scale.times(200 if clients == 1 else 100)
            self._measure(
                name, [[partial(pages[n % len(pages)], self._desks[c]) for n in range(number)] for c in range(clients)]
            )
            if self.with_floor:
                reads: dict[str, Any] = {"statements": [(statement, parameters)]}
                if statement is None:
                    reads = {
                        "statements": [(each, []) for each in floor.CASE],
                        "may_be_empty": floor.CASE_MAY_BE_EMPTY,
                        "each": self.cases,
                    }
                self._floor("floor_reads", [reads] * clients)

    def upload(self) -> None:
        """A letter of 100 kB, from its upload until the search finds it."""
        for clients in CLIENTS:
            number = self.scale.times(60 if clients == 1 else 40)
            made = web_calls.uploads(number * clients + WARM, self.cases, f"{self.town.schema_name} {clients}")
            for each in made[1:WARM]:
                self._desks[0].close()
                each.until_found(self._desks[0])
            with self._watched() as written:
                made[0].until_found(self._desks[0])
            work = [
                [partial(each.until_found, self._desks[client]) for each in made[WARM + client :: clients]]
                for client in range(clients)
            ]
            self._measure("upload_found", work)
            self._write_floor(written, clients)

    def submit(self) -> None:
        """The last step of an application. The jobs it leaves wait: no worker runs meanwhile."""
        for clients in CLIENTS:
            number = self.scale.times(100)
            ready = web_calls.applications(
                self.town.schema_name, self.town.host, self.place.port, number * clients + WARM, seed=1000 * clients
            )
            for each in ready[1:WARM]:
                each.send()
            with self._watched() as written:
                ready[0].send()
            timed = ready[WARM:]
            self._measure("submit", [[each.send for each in timed[c::clients]] for c in range(clients)])
            self._write_floor(written, clients)

    # --- services in processes of their own

    def letters(self) -> None:
        """A letter of one page. Its dispatch waits: no worker runs meanwhile."""
        self._services(
            "letter",
            "clerk",
            lambda client: {"cases": self.cases[client :: max(CLIENTS)]},
            {1: self.scale.times(100), 4: self.scale.times(50)},
        )

    def post(self) -> None:
        """Vouchers one by one and in batches, all clients on one ledger and one series."""
        ledger = self.town.ledger
        self._services(
            "posting",
            "budget_officer",
            lambda _client: {"ledger": ledger},
            {1: self.scale.times(300), 4: self.scale.times(300)},
        )
        self._services(
            "posting_batch",
            "budget_officer",
            lambda _client: {"ledger": ledger},
            {1: self.scale.times(20), 4: self.scale.times(10)},
            of_each=BATCH,
        )

    def balance(self, name: str, *, as_of: bool = False) -> None:
        """The trial balance of the year."""
        given = {"ledger": self.town.ledger, "as_of": as_of}
        self._services(name, "budget_officer", lambda _client: given, {1: self.scale.times(40)}, writes=False)

    def _services(
        self,
        name: str,
        role: str,
        given: Callable[[int], dict[str, Any]],
        calls: dict[int, int],
        *,
        of_each: int = 1,
        writes: bool = True,
    ) -> None:
        for clients, number in calls.items():
            jobs = [
                {"body": self.town.schema_name, "email": self.town.emails[role], "client": client, **given(client)}
                for client in range(clients)
            ]
            written: list[floor.Written] = []
            if writes and self.with_floor:
                with self._watched() as written:
                    in_processes(self.place.meter, name, name, jobs[:1], 1, warm=0)
            task = name if writes else "trial_balance"
            row = in_processes(self.place.meter, name + self.suffix, task, jobs, number, of_each=of_each)
            self._keep(row)
            if written:
                self._write_floor(written, clients, of_each=of_each)

    # --- what all have in common

    def _measure(self, name: str, work: Sequence[Sequence[Call]]) -> None:
        for desk in self._desks:  # the server closes connections that have rested too long
            desk.close()
        self._keep(row_of(name + self.suffix, len(work), *together(work, self.place.meter, LONGEST)))

    def _keep(self, row: Row) -> None:
        self.rows.append(row)
        tell(
            f"  {row.id:<22} {row.clients} client{'s' if row.clients > 1 else ' '}  CPU {row.cpu_ms or 0:8.2f} ms"
            f"  p50 {row.p50_ms or 0:8.2f} ms  p95 {row.p95_ms or 0:8.2f} ms  {row.per_s or 0:8.1f}/s"
        )

    def _watched(self) -> AbstractContextManager[list[floor.Written]]:
        if not self.with_floor:  # looking for the rows reads every table
            return nullcontext([])
        return floor.watched(self.place.superuser, self.town.schema_name)

    def _write_floor(self, written: list[floor.Written], clients: int, *, of_each: int = 1) -> None:
        if not self.with_floor:
            return
        with self.place.superuser() as connection:
            floor.prepare(connection, written)
        self._floor("floor_writes", [floor.job(written, client) for client in range(clients)], of_each=of_each)

    def _floor(self, task: str, jobs: Sequence[dict[str, Any]], *, of_each: int = 1) -> None:
        named = [{"body": self.town.schema_name, **job} for job in jobs]
        number = max(20, self.scale.times(200 if of_each == 1 else 20))
        row = in_processes(self.place.meter, task, task, named, number, of_each=of_each)
        self.rows[-1].floor_cpu_ms = row.cpu_ms


def memory(place: Place, suffix: str = "") -> Row:
    """The largest resident memory among the web processes, in megabytes."""
    web = place.served.processes["web"].pid
    return Row("web_rss_mb" + suffix, max(CLIENTS), value=largest_resident_mb(web, "multiprocessing"))


def plain_body(place: Place, schema_name: str) -> float:
    """Processor milliseconds of making a body's tables by plain SQL: the dump of one that exists, read in anew."""
    programs = Path(psutil.Process(place.postmaster).exe()).parent
    with place.superuser() as connection:
        info = connection.info
        dumped = psutil.subprocess.run(
            [
                *(str(programs / "pg_dump"), "-h", info.host, "-U", info.user, "--no-owner", "--no-privileges"),
                *("--inserts", "-n", schema_name, "verbund"),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        lines = [line for line in dumped.stdout.splitlines() if not line.startswith("\\")]
        statements = "\n".join(lines)
        copies = [f"bench_plain_{number}" for number in range(3)]
        row = row_of(
            "floor",
            1,
            *together(
                [[partial(_read_in, connection, statements.replace(schema_name, name)) for name in copies]], place.meter
            ),
        )
        for name in copies:
            connection.execute(f"DROP SCHEMA {name} CASCADE".encode())
    return row.cpu_ms or 0.0


def _read_in(connection: "psycopg.Connection[Any]", statements: str) -> None:
    with connection.transaction():
        connection.execute(statements.encode())
    connection.execute("RESET ALL")


def afresh(desk: Browser, page: Callable[[Browser], object]) -> None:
    """Ask for a page over a new connection, so that every web process has its turn."""
    desk.close()
    page(desk)


def _lexeme(word: str) -> str:
    """The word in the one spelling that is indexed."""
    from verbund.modules.records.queries.words import canonical

    return canonical(word)


def _units() -> frozenset[str]:
    from verbund.commands.walk.town import UNITS

    return frozenset(UNITS)
