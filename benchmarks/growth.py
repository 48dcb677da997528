"""`make bench-growth`: the same calls with 1,000,000 cases in one body, and with 200 bodies; `var/bench-growth.json`.

The base is measured in the same run: a body with 10,000 cases made by the same generator, while there are six bodies.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from . import multiplying
from .__main__ import fill, version_of
from .browsing import Browser
from .cpu import family_members, own_mb
from .driving import together
from .measuring import Bench, Scale, memory
from .pace import pace
from .place import ROOT, TOWN, Place, moment, root_folder, tell
from .rows import Row, printed, surroundings, write
from .service_calls import in_processes

BIG: Final = "bench_002"
_BASES: Final = {"search_all": "search_10k"}  # what a call without a base of its own is compared with
_PAGES: Final = ("/", "/anmelden/", "/stand/", "/antrag/fortsetzen/", "/konto/anmelden/")


def main() -> int:
    """Measure and write the figures down; 0 also when a target is missed: the table says which."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000, help="cases of the large body")
    parser.add_argument("--base-cases", type=int, default=10_000, help="cases of the body it is compared with")
    parser.add_argument("--lines", type=int, default=1_000_000, help="lines of the journal")
    parser.add_argument("--bodies", type=int, default=200)
    parser.add_argument("--base-bodies", type=int, default=6)
    parser.add_argument("--calls", type=float, default=0.5, help="how many calls; 1 is as many as make bench makes")
    parser.add_argument("--output", type=Path, default=root_folder() / "bench-growth.json")
    chosen = parser.parse_args()
    about: dict[str, Any] = {
        **surroundings(ROOT),
        "cases": chosen.cases,
        "bodies": chosen.bodies,
        "lines": chosen.lines,
        "calls": chosen.calls,
    }
    begun = time.monotonic()
    with Place() as place:
        rows = run(place, chosen, about)
        about["seconds"] = round(time.monotonic() - begun)
        about["load_at_end"] = surroundings(ROOT)["load"]
        write(chosen.output, rows, about)
    print(printed(rows))
    return 0


def run(place: Place, chosen: argparse.Namespace, about: dict[str, Any]) -> list[Row]:
    """Six bodies, one with 10,000 and one with 1,000,000 cases; then 200 bodies; then a migration of all."""
    small = Scale(chosen.base_cases, chosen.base_bodies, chosen.calls)
    large = Scale(chosen.cases, chosen.base_bodies, chosen.calls)
    tell(f"Making {small.bodies} bodies and the alliance …")
    base = [place.found_bodies(max(2, small.bodies))]
    for schema_name, scale in ((TOWN, small), (BIG, large)):
        place.furnish(schema_name, moment())
        begun = time.monotonic()
        fill(place, schema_name, scale)
        about[f"seconds_filling_{scale.cases}"] = round(time.monotonic() - begun)
        tell(f"A body has {scale.cases} cases after {time.monotonic() - begun:.0f} s.")
    _keep_books(place, chosen.lines)
    unfolded = chosen.lines // 100
    place.start()
    about["postgresql"] = version_of(place)
    about["idle_ms_per_s"] = {name: round(1000 * cost, 2) for name, cost in place.meter.idle.items()}

    few = Bench(place, place.towns[TOWN], small, with_floor=False)
    many = Bench(place, place.towns[BIG], large, "_1m", with_floor=False)
    _all([few, many], unfolded)
    base += [*few.rows, memory(place)]
    _at_pace(many, many.search_all)
    _at_pace(many, partial(many.balance, "trial_balance_day", as_of=True))
    rows = [*many.rows, _bytes_per_case(place, chosen.cases)]

    first = small.bodies + 1
    made = max(0, chosen.bodies - small.bodies)
    if made:
        tell(f"Making {made} bodies more …")
        work = {"owner": True, "first": first}
        rows.append(in_processes(place.meter, "new_body_200b", "found_body", [work], made, warm=0))
    place.calm()
    about["idle_ms_per_s_200b"] = {name: round(1000 * cost, 2) for name, cost in place.meter.idle.items()}
    _visit(place)
    rows += [memory(place, "_200b"), Row("backend_mb_200b", 4, value=_largest_backend(place))]
    spread = Bench(place, place.towns[TOWN], small, "_200b", with_floor=False)
    _all([spread], unfolded)
    rows += spread.rows
    rows += _migrations(place)
    about["base"] = [row.values() for row in base]
    return _compared(rows, base)


def _all(benches: Sequence[Bench], unfolded: int) -> None:
    """Every call of `make bench`, and some that are likely to grow, side by side; so many lines of the journal are not
    folded."""
    place = benches[0].place
    for bench in benches:
        _at_pace(bench, bench.read)
    for bench in benches:
        _at_pace(bench, bench.filtered)
    for bench in benches:
        _at_pace(bench, bench.upload)
    with place.without_worker():
        for bench in benches:
            _at_pace(bench, bench.submit)
        for bench in benches:
            _at_pace(bench, bench.letters)
        for bench in benches:
            _at_pace(bench, bench.post)
        for bench in benches:
            _fold(place, bench.town.schema_name)
            _post(place, bench.town.schema_name, unfolded)
            place.calm()
            _at_pace(bench, partial(bench.balance, "trial_balance"))
        place.forget_jobs()
    place.calm()


def _at_pace(bench: Bench, measure: Callable[[], None]) -> None:
    """Measure, with a reading of the machine's own speed before and after."""
    known = len(bench.rows)
    with bench.place.superuser() as connection:
        before = pace(connection)
        measure()
        both = (before + pace(connection)) / 2
    for row in bench.rows[known:]:
        row.pace_ms = both


def _keep_books(place: Place, lines: int) -> None:
    """A journal of so many lines, folded into the monthly totals."""
    begun = time.monotonic()
    _post(place, BIG, lines)
    _fold(place, BIG)
    tell(f"Its journal has {lines} lines after {time.monotonic() - begun:.0f} s.")


def _post(place: Place, schema_name: str, lines: int) -> None:
    with place.superuser() as connection:
        multiplying.post_journal(connection, schema_name, ledger=place.towns[schema_name].ledger, lines=lines)


def _fold(place: Place, schema_name: str) -> None:
    """Fold what was posted into the totals, as the worker does by its timer."""
    from verbund.modules.budget import services as budget
    from verbund.platform.identity.actor import Actor
    from verbund.platform.tenancy import acting_for

    with acting_for(schema_name):
        budget.fold_totals(Actor.system(schema_name, "benchmarks"))


def _bytes_per_case(place: Place, cases: int) -> Row:
    """What a case with its two documents, their text, the search and the timeline takes on the disk, in bytes."""
    with place.superuser() as connection:
        row = connection.execute(
            "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = %s AND c.relkind = 'r' AND c.relname LIKE 'records\\_%%'",
            [BIG],
        ).fetchone()
        counted = connection.execute(f"SELECT count(*) FROM {BIG}.records_case".encode()).fetchone()
    assert row is not None
    assert counted is not None
    return Row("bytes_per_case_1m", 1, value=float(row[0]) / float(counted[0] or cases))


def _visit(place: Place) -> None:
    """Every body's public pages, from four browsers, each page over a connection of its own."""
    with place.superuser() as connection:
        found = connection.execute("SELECT domain FROM tenancy_host WHERE is_primary ORDER BY domain").fetchall()
    work = [partial(_open, host, place.port, path) for _round in range(2) for (host,) in found for path in _PAGES]
    together([work[client::4] for client in range(4)], place.meter)


def _open(host: str, port: int, path: str) -> None:
    browser = Browser(host, port)
    browser.get(path)
    browser.close()


def _largest_backend(place: Place) -> float:
    """Private memory of the largest database connection that works for web or worker, in megabytes."""
    with place.superuser() as connection:
        found = connection.execute("SELECT pid FROM pg_stat_activity WHERE usename = 'verbund_app'").fetchall()
    living = set(family_members(place.postmaster))
    return max((own_mb(pid) for (pid,) in found if pid in living), default=0.0)


def _migrations(place: Place) -> list[Row]:
    """Migrating every body: with nothing to do, and with a column and an index more; `value` in seconds."""
    rows = []
    with place.without_worker():
        for name, settings in (("migration_none_200b", ""), ("migration_200b", "benchmarks.growing.settings")):
            row = in_processes(place.meter, name, "migrate", [{"owner": True, "settings": settings}], 1, warm=0)
            row.value = (row.p50_ms or 0) / 1000
            rows.append(row)
            tell(f"  {name:<22} {row.value:.1f} s")
    return rows


def _compared(rows: Sequence[Row], base: Sequence[Row]) -> list[Row]:
    """The rows with the figures they are to be compared with."""
    known = {(row.id, row.clients): row for row in base}
    for row in rows:
        name = row.id.removesuffix("_1m").removesuffix("_200b")
        found = known.get((_BASES.get(name, name), row.clients))
        if found is not None:
            row.base_p50_ms, row.base_cpu_ms, row.base_pace_ms = found.p50_ms, found.cpu_ms, found.pace_ms
    return list(rows)


if __name__ == "__main__":
    sys.exit(main())
