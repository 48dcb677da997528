"""`make bench`: measures an instance with six bodies and 10,000 cases, prints the table, writes `var/bench.json`."""

import argparse
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import alliance_calls, models, multiplying
from .measuring import Bench, Scale, memory, plain_body
from .place import ROOT, TOWN, Place, moment, root_folder, tell
from .rows import IDS, Row, printed, surroundings, write


def main() -> int:
    """Measure and write the figures down; 0 also when a target is missed: the table says which."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000, help="cases that the clerk sees")
    parser.add_argument("--bodies", type=int, default=6)
    parser.add_argument("--calls", type=float, default=1.0, help="how many calls; 0.1 is a tenth")
    parser.add_argument("--output", type=Path, default=root_folder() / "bench.json")
    chosen = parser.parse_args()
    scale = Scale(chosen.cases, chosen.bodies, chosen.calls)
    about: dict[str, Any] = {**surroundings(ROOT), "cases": scale.cases, "bodies": scale.bodies, "calls": scale.calls}
    begun = time.monotonic()
    with Place() as place:
        rows = run(place, scale, about)
        about["seconds"] = round(time.monotonic() - begun)
        about["load_at_end"] = surroundings(ROOT)["load"]
        write(chosen.output, rows, about)
    print(printed(rows))
    return 0


def run(place: Place, scale: Scale, about: dict[str, Any]) -> list[Row]:
    """Found, fill, serve and measure."""
    tell(f"Making {scale.bodies} bodies and the alliance …")
    new_body = place.found_bodies(scale.bodies)
    new_body.floor_cpu_ms = plain_body(place, TOWN)
    town = place.furnish(TOWN, moment())
    tell(f"Filling one of them with {scale.cases} cases …")
    fill(place, town.schema_name, scale)
    place.start()
    about["postgresql"] = version_of(place)
    about["idle_ms_per_s"] = {name: round(1000 * cost, 2) for name, cost in place.meter.idle.items()}
    bench = Bench(place, town, scale)
    bench.read()
    bench.upload()
    with place.without_worker():
        bench.submit()
        bench.letters()
        bench.post()
        jobs = place.jobs()
    rows = [*bench.rows, new_body, jobs_done(place, jobs, max(10, scale.times(30)))]
    place.forget_jobs()
    rows += [*alliance_calls.measure(place, scale), memory(place)]
    if place.jobs()["failed"] or place.served.errors():
        raise RuntimeError(f"jobs have failed, or the logs tell of errors: {place.served.errors()[:3]}")
    return sorted(rows, key=_order)


def jobs_done(place: Place, before: Mapping[str, int], patience: float) -> Row:
    """What the worker does for submissions and letters afterwards: the receipt as a PDF, mailbox, e-mail; per job."""
    end = time.perf_counter() + patience
    while time.perf_counter() < end and place.jobs()["done"] == before["done"]:
        time.sleep(0.2)  # until the worker has read its fonts and forms
    first, spent_before, began = place.jobs()["done"], place.meter.read(), time.perf_counter()
    while time.perf_counter() < end and place.jobs()["waiting"]:
        time.sleep(0.2)
    elapsed = time.perf_counter() - began
    done = max(1, place.jobs()["done"] - first)
    spent = place.meter.spent(spent_before, place.meter.read(), elapsed)
    parts = {name: 1000 * seconds / done for name, seconds in spent.items() if name != "web"}
    return Row("job", 1, cpu_ms=sum(parts.values()), per_s=done / elapsed, calls=done, parts=parts)


def fill(place: Place, schema_name: str, scale: Scale, *, brief: bool = False) -> None:
    """So many cases that the clerk sees, and a tenth more that others see, with two documents each."""
    from verbund.commands.walk.town import UNITS
    from verbund.platform.identity.models import Person
    from verbund.platform.tenancy import acting_for

    models.open_models(
        schema_name,
        seen=scale.models,
        others=max(2, scale.models // 10),
        units=frozenset(UNITS),
        now=moment(),
        brief=brief,
    )
    with acting_for(schema_name):
        clerk = str(Person.objects.get(email=place.towns[schema_name].emails["clerk"]).id)
    with place.superuser() as connection:
        multiplying.multiply(
            connection,
            schema_name,
            seen=scale.cases,
            others=max(scale.cases // 10, scale.models // 10),
            units=sorted(UNITS),
            clerk=clerk,
        )


def _order(row: Row) -> tuple[int, int]:
    return (IDS.index(row.id) if row.id in IDS else len(IDS)), row.clients


def version_of(place: Place) -> str:
    """The version of the database server."""
    with place.superuser() as connection:
        number = connection.info.server_version
    return f"{number // 10000}.{number % 10000}"


if __name__ == "__main__":
    sys.exit(main())
