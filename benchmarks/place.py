"""The place that is measured: an instance of its own with bodies, people and books, served as `make demo` serves it."""

import os
import secrets
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg

from verbund.commands import installation, setup
from verbund.commands.walk.children import Children
from verbund.commands.walk.instance import Instance

from .cpu import family_seconds
from .driving import Meter, row_of, together
from .rows import Row

if TYPE_CHECKING:
    from verbund.commands.walk.town import Town

ROOT: Final = Path(__file__).resolve().parents[1]
TOWN: Final = "walk_town"
ROOMS: Final = ("citizenservices", "records", "budget")
APPROPRIATION: Final = 10_000_000_000_00  # cents; no measurement comes to its end


class _Served(Children):
    """Web and worker as `verbund serve` starts them: one web process for each core, eight threads in each."""

    def start_web(self) -> None:
        self._child("web", "--port", str(self.port), "--metrics-port", "0")

    def start_worker(self) -> None:
        self._child("worker", "--metrics-port", "0")

    def stop_worker(self) -> None:
        """End the worker, letting the jobs it is at come to their end."""
        worker = self.processes.pop("worker", None)
        if worker is not None:
            worker.terminate()
            worker.wait(40)


@dataclass
class Place:
    """A running installation and what is needed to measure it; a context manager that always ends what it began."""

    instance: Instance = field(default_factory=lambda: Instance(require_second_factor=False))
    meter: Meter = field(default_factory=lambda: Meter({}))
    towns: dict[str, "Town"] = field(default_factory=dict)
    _ends: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> "Place":
        signal.signal(signal.SIGTERM, _ended)
        os.environ["VERBUND_DEMO"] = "0"
        self._ends.enter_context(self.instance)
        try:
            self.served = self.instance.children = _Served(self.instance.var, self.instance.port)
            self.instance.prepare()
            setup.compile_messages()
            self._durable()
        except BaseException:
            self._ends.close()
            raise
        postmaster = self.postmaster
        self.meter.processes = {"postgres": partial(family_seconds, postmaster)}
        return self

    def __exit__(self, *_failure: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self._ends.close()

    @property
    def port(self) -> int:
        """The port of the web process."""
        return self.instance.port

    @property
    def postmaster(self) -> int:
        """The first process of the PostgreSQL server; all others descend from it."""
        pid: int = self.instance._server.get_postmaster_info().pid
        return pid

    def superuser(self) -> "psycopg.Connection[Any]":
        """A connection past all rights: for filling tables and for settings of the server."""
        return psycopg.connect(self.instance._server.get_uri(), dbname="verbund", autocommit=True)

    def _durable(self) -> None:
        """Refuse to measure a server that does not keep what it has accepted."""
        with self.superuser() as connection:
            for name in ("fsync", "synchronous_commit", "full_page_writes"):
                row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
                if row is None or row[0] != "on":
                    raise RuntimeError(f"{name} is not on: figures of such a server say nothing")

    # --- bodies

    def found_bodies(self, number: int) -> Row:
        """Make the alliance and so many bodies, as the owner of the tables; the row of making a body."""
        from verbund.commands.walk import town as towns
        from verbund.platform.tenancy.bodies import create_body

        alliance: dict[str, Any] = {**towns.ALLIANCE, "is_alliance": True, "rooms": [*ROOMS, "membership"]}
        create_body(**alliance, hosts=["verbund.localhost"], letterhead=towns.LETTERHEAD)
        wanted = [partial(_found_town, create_body, towns)]
        wanted += [partial(self.found_body, count) for count in range(2, number + 1)]
        meter = Meter({**self.meter.processes, "service": time.process_time})
        return row_of("new_body", 1, *together([wanted], meter))

    @staticmethod
    def found_body(number: int) -> None:
        """Make one more body, `body_<number>`."""
        from verbund.commands.walk import town as towns
        from verbund.platform.tenancy.bodies import create_body

        create_body(
            schema_name=f"bench_{number:03d}",
            slug=f"ort-{number:03d}",
            name=f"Gemeinde Probeort {number}",
            kind="town",
            hosts=[f"ort-{number:03d}.localhost"],
            rooms=list(ROOMS),
            letterhead=towns.LETTERHEAD,
        )

    def furnish(self, schema_name: str, now: datetime) -> "Town":
        """People, file plan, books and a service of a body; from here on the process is the role of the web."""
        from verbund.commands.body import as_app
        from verbund.commands.walk import town as towns
        from verbund.modules.budget import services as budget
        from verbund.modules.citizenservices import services
        from verbund.platform.identity import services as identity
        from verbund.platform.identity.actor import Actor
        from verbund.platform.identity.roles import Role
        from verbund.platform.tenancy import acting_for

        as_app()
        town = towns.furnish(schema_name, password=f"Probe-{secrets.token_hex(8)}", now=now)
        with acting_for(schema_name):
            actor = Actor.system(schema_name, "benchmarks")
            for code, name in (("10", "Zentrale Dienste"), ("40", "Bildung und Kultur"), ("60", "Bauen und Planen")):
                identity.create_unit(actor, code=code, name=name, now=now)
            for account in ("5233", "7233"):
                budget.set_appropriation(
                    actor,
                    ledger=town.ledger,
                    year=now.year,
                    product="54100",
                    account=account,
                    cents=APPROPRIATION,
                    now=now,
                )
            town.emails["small_unit"] = f"kultur@{schema_name.replace('_', '-')}.example"
            person = identity.create_person(
                actor,
                email=town.emails["small_unit"],
                display_name="Karla Kultur",
                role=Role.CLERK,
                unit="40",
                valid_from=now,
                now=now,
                invite=False,
            )
            identity.set_initial_password(actor, person_id=person.id, password=town.password, now=now)
            service = services.offer_template(
                actor, template="hundesteuer_anmeldung", now=now, changes={"ledger": town.ledger}
            )
            services.publish_service(actor, service_id=service, now=now)
        self.towns[schema_name] = town
        return town

    # --- processes

    def start(self) -> None:
        """Start web and worker, wait for the first page, and read what they cost at rest."""
        self.served.start()
        self.served.wait()
        self.meter.processes["web"] = partial(family_seconds, self.served.processes["web"].pid)
        self._watch_worker()
        self.calm()

    def _watch_worker(self) -> None:
        self.meter.processes["worker"] = partial(family_seconds, self.served.processes["worker"].pid)

    def calm(self, seconds: float = 3.0) -> None:
        """Let the processes come to rest and read what they cost then."""
        time.sleep(1.5)
        self.meter.rest(seconds)

    @contextmanager
    def without_worker(self) -> Iterator[None]:
        """The jobs of what is done inside wait in the queue; a worker takes them up afterwards."""
        self.served.stop_worker()
        self.meter.processes.pop("worker", None)
        self.calm(2.0)
        try:
            yield
        finally:
            self.served.start_worker()
            self._watch_worker()

    def forget_jobs(self) -> None:
        """Take the waiting jobs out of the queue, so that their work does not fall into the next measurement."""
        with self.superuser() as connection:
            connection.execute("UPDATE procrastinate_jobs SET status = 'cancelled' WHERE status = 'todo'")

    def jobs(self) -> dict[str, int]:
        """How many jobs wait or are under way, are done, and have failed."""
        with self.superuser() as connection:
            row = connection.execute(
                "SELECT count(*) FILTER (WHERE status IN ('todo', 'doing')),"
                " count(*) FILTER (WHERE status = 'succeeded'), count(*) FILTER (WHERE status = 'failed')"
                " FROM procrastinate_jobs"
            ).fetchone()
        assert row is not None
        return {"waiting": row[0], "done": row[1], "failed": row[2]}


def _found_town(create_body: Any, towns: Any) -> None:
    create_body(
        **towns.TOWN,
        hosts=["probestadt.localhost"],
        ags="13999999",
        rooms=list(ROOMS),
        letterhead=towns.LETTERHEAD,
    )


def _ended(_number: int, _frame: object) -> None:
    sys.exit(143)


def moment() -> datetime:
    """Now, as the services want it."""
    return datetime.now(UTC)


def tell(text: str) -> None:
    """A line of progress."""
    print(text, file=sys.stderr, flush=True)


def root_folder() -> Path:
    """Where the figures are kept: `var` of the checkout."""
    return installation.ROOT / "var"
