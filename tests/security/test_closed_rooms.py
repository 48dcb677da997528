"""A room whose agreement has ended is read and never written: by pages, keys, jobs or SQL; signing in goes on."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.db import ProgrammingError, transaction
from django.urls import resolve
from procrastinate.jobs import Job
from psycopg import sql

from verbund.modules.budget import subscribers as budget_subscribers
from verbund.modules.budget import tasks as budget_tasks
from verbund.modules.budget.events import InvoiceHandedOver
from verbund.modules.records import services as records
from verbund.platform.events import crossing, tasks
from verbund.platform.events.publishing import name_of
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for, new_id
from verbund.platform.tenancy import now as the_clock
from verbund.platform.tenancy.bodies import close_rooms
from verbund.platform.tenancy.closing import AGREEMENT_ENDED, LEFT, ClosedRoom, RoomClosed, room_of
from verbund.platform.tenancy.middleware import forget_hosts
from verbund.platform.tenancy.roles import rights_in, tenant_models

from .addresses import API, ROUTES, Route
from .test_permission_matrix import ask, somebody_right
from .unchanged import changed, look
from .world import PASSWORD, World, connection, taken_back

ROOMS = ("budget", "citizenservices", "records")
SINCE, UNTIL = date(2026, 11, 1), date(2027, 1, 30)
CLOSED = {
    "budget": ClosedRoom(SINCE, UNTIL, AGREEMENT_ENDED),
    "citizenservices": ClosedRoom(SINCE, UNTIL, AGREEMENT_ENDED),
    "records": ClosedRoom(SINCE, None, LEFT),
}
LOOKS = {"portal_enter"}  # takes a code and writes nothing of the room
RIGHTS = """
SELECT c.relname, a.privilege_type FROM pg_class c, aclexplode(c.relacl) a
 WHERE c.relnamespace = 'alpha'::regnamespace AND a.grantee = 'body_alpha'::regrole ORDER BY 1, 2
"""


def close(closed: dict[str, ClosedRoom]) -> bool:
    with acting_for("alliance"):
        return close_rooms("alpha", closed)


@pytest.fixture
def shut(world: World, behind: "psycopg.Connection[Any]") -> Iterator[World]:
    """Alpha's three rooms are closed, for all to see."""
    close(CLOSED)
    look(behind)
    yield world
    forget_hosts()


def room_routes() -> list[Route]:
    prefixes = ("records:", "budget:", "clerk_", "portal_", "citizen_")
    return [route for route in ROUTES if route.name.startswith(prefixes)]


def who_asks(world: World, route: Route) -> Any:
    if route.kind in ("public", "citizen"):
        return world.client("alpha", "citizen")
    return world.client("alpha", somebody_right(route, "POST"))


def view_room(route: Route, world: World) -> str:
    return room_of(resolve(route.url(world.towns["alpha"])).func.__module__)


@pytest.mark.parametrize("route", room_routes(), ids=str)
def test_no_page_writes_in_a_closed_room(route: Route, shut: World, behind: "psycopg.Connection[Any]") -> None:
    room = view_room(route, shut)
    if room not in CLOSED or route.name in LOOKS:
        pytest.skip("the platform's own page, or one that only looks")
    for method in ("post", "put", "delete"):
        answer = getattr(who_asks(shut, route), method)(route.url(shut.towns["alpha"]))
        assert answer.status_code == 403, method
        text = answer.content.decode()
        assert "Seit dem 1. November 2026 kann hier nichts mehr erfasst" in text
        reason = "aus dem Verbund ausgetreten" if room == "records" else "Vereinbarung mit dem Verbund"
        assert reason in text
    assert changed(behind) == []


@pytest.mark.parametrize("route", room_routes(), ids=str)
def test_every_page_of_a_closed_room_is_still_read(
    route: Route, shut: World, behind: "psycopg.Connection[Any]"
) -> None:
    url = route.url(shut.towns["alpha"])
    client = who_asks(shut, route) if route.kind in ("public", "citizen") else None
    client = client or shut.client("alpha", somebody_right(route, "GET"))
    shown = ask(client, "GET", url)
    now_open = open_answer(shut, route, url)
    assert shown.status_code == now_open, (shown.status_code, now_open)
    written = {name for name in changed(behind) if not name.startswith("alpha.identity_local_")}
    assert written == set()


def open_answer(world: World, route: Route, url: str) -> int:
    """What the page answers while the room is open; undone afterwards."""
    who = "citizen" if route.kind in ("public", "citizen") else somebody_right(route, "GET")
    with taken_back():
        close({})
        code: int = ask(world.client("alpha", who), "GET", url).status_code
    forget_hosts()
    return code


def test_the_page_of_a_closed_room_says_so_on_top(shut: World) -> None:
    page = shut.client("alpha", Role.CLERK.value).get("/arbeit/akten/", follow=True).content.decode()
    assert "seit 01.11.2026 nur noch lesbar" in page
    assert "Eingeben oder ändern können Sie dort nichts mehr." in page
    portal = shut.client("alpha").get("/").content.decode()
    assert "Seit dem 01.11.2026 können Sie hier keine Online-Anträge mehr stellen" in portal
    assert "Bitte wenden Sie sich direkt an: Stadt Alphausen." in portal
    assert "nur noch lesbar" not in portal


def test_a_closed_room_does_not_offer_what_it_would_refuse(shut: World) -> None:
    offer = "/arbeit/akten/neu/"
    pages = ("/arbeit/akten/", "/arbeit/akten/?text=nirgends", "/arbeit/akten/verzeichnis/")
    clerk = shut.client("alpha", Role.CLERK.value)
    assert [offer in clerk.get(page).content.decode() for page in pages] == [False, False, False]
    close({})
    forget_hosts()
    assert offer in shut.client("alpha", Role.CLERK.value).get("/arbeit/akten/").content.decode()


def test_no_key_writes_in_a_closed_room(shut: World, behind: "psycopg.Connection[Any]") -> None:
    asked = 0
    for route in API:
        if route.kind != "key":
            continue
        methods = [part.split()[0] for part in route.policy.partition(": ")[2].split("; ")]
        url = route.url(shut.towns["alpha"])
        for method in set(methods) - {"GET"}:
            needed = next(p for p in route.policy.partition(": ")[2].split("; ") if p.startswith(method))
            key = next(
                role.value
                for role in Role
                if ("alpha", role.value) in shut.keys and _holds(role, needed.partition(" ")[2])
            )
            answer = shut.machine("alpha", key).generic(method, url, "{}", content_type="application/json")
            if view_room_of_api(route, method) in CLOSED:
                asked += 1
                assert (answer.status_code, answer.json()["code"]) == (403, "read_only"), (route.name, answer.content)
                assert "01.11.2026" in answer.json()["detail"]
    assert asked >= 2
    assert {name for name in changed(behind) if not name.startswith("alpha.identity_local_")} == set()


def _holds(role: Role, named: str) -> bool:
    return bool(set(named.split(" | ")) & {str(p) for p in policy._grants[role]})


def view_room_of_api(route: Route, method: str) -> str:
    view: Any = resolve("/" + route.pattern).func if not route.parameters else None
    endpoints: dict[str, Any] = view.endpoints if view else {}
    if endpoints:
        return room_of(endpoints[method].__module__)
    return "records" if "cases" in route.pattern or "documents" in route.pattern else ""


def test_sql_of_ones_own_reads_and_never_writes(shut: World, behind: "psycopg.Connection[Any]") -> None:
    tables = [m._meta.db_table for m in tenant_models() if m._meta.app_label in ROOMS]
    assert len(tables) > 40
    for table in tables:
        with acting_for("alpha"), connection.cursor() as cursor:
            cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))
            for statement in ("DELETE FROM {}", "INSERT INTO {} DEFAULT VALUES", "TRUNCATE {} CASCADE"):
                with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                    cursor.execute(sql.SQL(statement).format(sql.Identifier(table)))
    rights = behind.execute(RIGHTS).fetchall()
    writing = {table for table, right in rights if right != "SELECT"}
    assert writing & set(tables) == set()
    others = {m._meta.db_table for m in tenant_models() if m._meta.app_label in ("identity_local", "files")}
    assert others - writing == set()
    assert changed(behind) == []


def test_every_table_of_a_room_is_found_by_its_name() -> None:
    for model in apps.get_models():
        if model._meta.app_label in ROOMS:
            assert model._meta.db_table.startswith(f"{model._meta.app_label}_"), model


def test_a_service_called_from_elsewhere_writes_nothing(shut: World, behind: "psycopg.Connection[Any]") -> None:
    with acting_for("alpha"), pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        records.open_case(
            Actor.system("alpha", "test"),
            title="Neu",
            position="32.10",
            unit="32",
            origin="",
            party="X",
            now=the_clock(),
        )
    assert changed(behind) == []


def test_a_job_of_a_closed_room_ends_and_says_why(shut: World, behind: "psycopg.Connection[Any]") -> None:
    event = dict.fromkeys(InvoiceHandedOver.__dataclass_fields__, "")
    heard = name_of(budget_subscribers.take_invoice_in)
    from verbund.platform.events.values import from_values

    try:
        from_values(InvoiceHandedOver, event)
    except Exception:  # noqa: BLE001 - whatever the event needs, any value of the right kind will do
        event = _some(InvoiceHandedOver)
    with pytest.raises(RoomClosed, match="alpha may only read budget") as refusal:
        tasks._hear("alpha", "alliance", heard, name_of(InvoiceHandedOver), str(new_id()), event, "")
    assert tasks.RETRY.get_retry_decision(exception=refusal.value, job=_job()) is None
    assert tasks.RETRY.get_retry_decision(exception=OSError(), job=_job()) is not None
    assert changed(behind) == []


def _some(kind: type[Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, part in kind.__dataclass_fields__.items():
        text = str(part.type)
        made[name] = (
            str(new_id()) if "UUID" in text else "2026-11-20" if "date" in text else 1 if "int" in text else "x"
        )
    return made


def _job() -> Any:
    return Job(id=1, queue="default", lock=None, queueing_lock=None, task_name="x", attempts=0)


def test_a_write_by_way_of_an_open_room_ends_the_job_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    close({"records": CLOSED["records"]})

    def writes(actor: Actor, _event: Any) -> None:
        records.open_case(actor, title="Neu", position="32.10", unit="32", origin="", party="X", now=the_clock())

    writes.__module__ = "verbund.modules.budget.subscribers"
    monkeypatch.setattr(tasks, "_table", lambda: {("e", "h"): (InvoiceHandedOver, writes)})
    monkeypatch.setattr(tasks, "from_values", lambda _kind, values: values)
    monkeypatch.setattr(crossing, "check", lambda *_a, **_k: None)
    with pytest.raises(RoomClosed, match="alpha may only read records"):
        tasks._hear("alpha", "alpha", "h", "e", str(new_id()), {}, "")


def test_timed_work_of_a_closed_room_is_left_out(shut: World, behind: "psycopg.Connection[Any]") -> None:
    tasks._timed("alpha", name_of(budget_tasks.fold_totals))
    assert changed(behind) == []


def test_who_may_read_still_signs_in(shut: World, behind: "psycopg.Connection[Any]", settings: Any) -> None:
    settings.VERBUND_REQUIRE_SECOND_FACTOR = False
    before = behind.execute("SELECT count(*) FROM alpha.identity_local_session").fetchall()
    answer = shut.client("alpha").post("/anmelden/", {"email": "clerk@alpha.example.org", "password": PASSWORD})
    assert answer.status_code == 302
    assert behind.execute("SELECT count(*) FROM alpha.identity_local_session").fetchall() != before


def test_what_opens_again_has_exactly_the_rights_of_before(world: World, behind: "psycopg.Connection[Any]") -> None:
    close({})
    before = behind.execute(RIGHTS).fetchall()
    assert close(CLOSED)
    assert not close(CLOSED)
    assert behind.execute(RIGHTS).fetchall() != before
    assert close({"budget": CLOSED["budget"]})
    half = behind.execute(RIGHTS).fetchall()
    assert [row for row in half if not row[0].startswith("budget_")] == [r for r in before if r[0][:7] != "budget_"]
    assert {right for table, right in half if table.startswith("budget_")} == {"SELECT"}
    assert close({})
    assert behind.execute(RIGHTS).fetchall() == before


def test_an_update_gives_no_right_back(shut: World, behind: "psycopg.Connection[Any]") -> None:
    """`verbund migrate` grants the rights anew; what is closed stays closed."""
    before = behind.execute(RIGHTS).fetchall()
    tables = {name for (name,) in behind.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'alpha'")}
    behind.execute(sql.SQL(";\n").join(rights_in("alpha", tables)))
    assert behind.execute(RIGHTS).fetchall() == before


def test_only_the_alliance_closes_rooms_and_never_its_own(world: World, behind: "psycopg.Connection[Any]") -> None:
    close({})
    for body in ("alpha", "beta"):
        with acting_for(body), pytest.raises(ProgrammingError, match="only the alliance"), transaction.atomic():
            close_rooms(body, {})
    with acting_for("alliance"):
        assert not close_rooms("alliance", CLOSED)
    assert behind.execute("SELECT schema_name FROM public.tenancy_body WHERE closed <> '{}'").fetchall() == []
