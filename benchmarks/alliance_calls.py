"""The measurements of the alliance: its pages, a charge run, and a body that is made ready."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from . import alliance
from .browsing import Browser, Unexpected, signed_in
from .driving import LONGEST, row_of, together
from .measuring import CLIENTS, WARM, Scale, afresh
from .place import Place, moment, tell
from .rows import Row
from .service_calls import in_processes

BODIES: Final = 200
SERVICES: Final = 60
_READY: Final = 5  # bodies that are made ready
_PATIENCE: Final = 60.0  # seconds until a body that is not ready is a failure
_PAUSE: Final = 0.02
_MAP: Final = (
    "SELECT a.member_id, k.name, t.scope, t.transferred_on, t.date_known FROM membership_tasktransfer t"
    " JOIN membership_accession a ON a.id = t.accession_id JOIN membership_taskkind k ON k.code = t.task_id"
    " WHERE t.transferred_on IS NOT NULL ORDER BY t.transferred_on, k.name",
    "SELECT c.*, m.name FROM membership_carrierperiod c JOIN membership_member m ON m.id = c.member_id"
    " WHERE c.recorded_until IS NULL ORDER BY c.valid_from, m.name",
)
_YEAR: Final = (
    _MAP[1],
    "SELECT p.*, m.name FROM membership_procedureact p JOIN membership_accession a ON a.id = p.accession_id"
    " JOIN membership_member m ON m.id = a.member_id"
    " WHERE p.on >= date_trunc('year', now()) AND p.on < date_trunc('year', now()) + interval '1 year'"
    " ORDER BY p.on, p.recorded_at, p.number",
    "SELECT t.*, o.*, m.* FROM membership_termofoffice t JOIN membership_organ o ON o.id = t.organ_id"
    " JOIN membership_member m ON m.id = o.member_id"
    " WHERE t.valid_until >= date_trunc('year', now())"
    " AND t.valid_until < date_trunc('year', now()) + interval '1 year'",
)
_YEAR_MAY_BE_EMPTY: Final = (1, 2)  # in an alliance of a few bodies there are years in which nothing happens
_A_FEW: Final = 20


def measure(place: Place, scale: Scale) -> list[Row]:
    """Fill the alliance and measure it; web and worker run."""
    bodies, services = scale.times(BODIES), scale.times(SERVICES)
    tell(f"Filling the alliance with {bodies} bodies and {services} services …")
    made = alliance.furnish(bodies=bodies, services=services, now=moment())
    place.calm()
    rows = [
        *_pages(place, scale, made, "carrier_map", "/arbeit/traeger/", bodies, _MAP),
        *_pages(
            place,
            scale,
            made,
            "year_view",
            f"/arbeit/jahr/{moment().year}/",
            max(1, bodies // 20),
            _YEAR,
            _YEAR_MAY_BE_EMPTY if bodies < _A_FEW else (),
        ),
        _charge_run(place, made),
        _body_ready(place, scale.times(_READY)),
    ]
    for row in rows:
        tell(f"  {row.id:<22} {row.clients}  CPU {row.cpu_ms or 0:8.2f} ms  p50 {row.p50_ms or 0:8.2f} ms")
    return rows


def _pages(
    place: Place,
    scale: Scale,
    made: alliance.Alliance,
    name: str,
    path: str,
    least: int,
    statements: tuple[str, ...],
    may_be_empty: tuple[int, ...] = (),
) -> list[Row]:
    desks = [signed_in(alliance.HOST, place.port, made.manager, made.password) for _client in range(max(CLIENTS))]
    page = partial(_page, path=path, least=least)
    together([[partial(afresh, desks[n % len(desks)], page) for n in range(WARM)]], place.meter)
    rows = []
    for clients in CLIENTS:
        for desk in desks:
            desk.close()
        number = scale.times(100 if clients == 1 else 50)
        work = [[partial(page, desks[client])] * number for client in range(clients)]
        row = row_of(name, clients, *together(work, place.meter, LONGEST))
        reads = {
            "body": alliance.SCHEMA,
            "statements": [(statement, []) for statement in statements],
            "may_be_empty": may_be_empty,
        }
        floor = in_processes(place.meter, "floor", "floor_reads", [reads] * clients, max(20, scale.times(100)))
        row.floor_cpu_ms = floor.cpu_ms
        rows.append(row)
    return rows


def _page(desk: Browser, path: str, least: int) -> None:
    page = desk.get(path)
    if page.count("<tr") < least:
        raise Unexpected(f"{path} shows {page.count('<tr')} rows instead of {least}")


def _charge_run(place: Place, made: alliance.Alliance) -> Row:
    """A run over the whole year, gathered, reckoned, frozen and written; and the most memory its process took."""
    job: dict[str, Any] = {"body": alliance.SCHEMA, "year": made.year, "members": len(made.members)}
    return in_processes(place.meter, "charge_run", "charge_run", [job], 2, warm=0, with_peak=True)


def _body_ready(place: Place, number: int) -> Row:
    """From the commit of the effect until the worker is done and the first page to sign in at answers."""
    waiting = alliance.joining(number, moment())
    place.calm()
    before, began = place.meter.read(), time.perf_counter()
    durations = []
    with place.superuser() as connection:
        for each in waiting:
            alliance.take_effect(each.accession, moment())
            start = time.perf_counter()
            _until(partial(_is_provisioned, connection, each.schema_name), each.schema_name)
            _until(partial(_answers, Browser(each.host, place.port)), each.host)
            durations.append(time.perf_counter() - start)
    elapsed = time.perf_counter() - began
    return row_of("body_ready", 1, durations, elapsed, place.meter.spent(before, place.meter.read(), elapsed))


def _until(done: Callable[[], bool], what: str) -> None:
    end = time.perf_counter() + _PATIENCE
    while not done():
        if time.perf_counter() > end:
            raise RuntimeError(f"{what} is not ready")
        time.sleep(_PAUSE)


def _is_provisioned(connection: Any, schema_name: str) -> bool:
    row = connection.execute(
        f"SELECT p.ended_at IS NOT NULL, (SELECT string_agg(s.reason, '; ') FROM {alliance.SCHEMA}"
        ".membership_provisioningstep s WHERE s.provisioning_id = p.id AND s.state = 'failed')"
        f" FROM {alliance.SCHEMA}.membership_provisioning p WHERE p.schema_name = %s",
        [schema_name],
    ).fetchone()
    if row is not None and row[1]:
        raise RuntimeError(f"{schema_name} cannot be made ready: {row[1]}")
    return row is not None and bool(row[0])


def _answers(browser: Browser) -> bool:
    try:
        return "password" in browser.get("/anmelden/")
    except Unexpected:
        return False
