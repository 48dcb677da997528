"""The interface for machines: every address × no key, a foreign, spent or wrong one, another unit, the right one.

As with the pages, what is expected follows from what the endpoint names; a new endpoint is judged without anybody
thinking of it.
"""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from verbund.config.api import API as INTERFACE
from verbund.modules.membership import queries as members
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.local.models import ApiKey
from verbund.platform.identity.roles import Role
from verbund.platform.rest import doors
from verbund.platform.tenancy import acting_for, local_date
from verbund.platform.tenancy import now as the_clock
from verbund.platform.tenancy.middleware import forget_hosts

from .addresses import API, UNIT, Route
from .unchanged import changed, look
from .world import World, taken_back

pytestmark = pytest.mark.usefixtures("unhurried")
OWN_ROUTES = [r for r in API if r.kind == "key"]
CALLS = [(r, part.split(" ")[0]) for r in OWN_ROUTES for part in r.policy.removeprefix("key: ").split("; ")]
IDS = [f"{method} {route.name}" for route, method in CALLS]
# What must be said to be heard at all; the world names the things.
CONTENT: dict[str, dict[str, Any]] = {
    "api:list_cases": {"title": "Baumfällung", "position": "32.10", "unit": "32"},
    "api:note": {"text": "Angerufen"},
    "api:list_documents": {"title": "Brief", "kind": "memo"},
    "api:raise_claim": {
        "ledger": "ALPHA",
        "product": "12201",
        "account": "4311",
        "cents": 100,
        "debtor": {"name": "Frieda Fuchs"},
        "due_on": "2026-12-24",
        "text": "Gebühr",
    },
}


def body_of(route: Route) -> str:
    return "alliance" if "members" in route.name else "alpha"


def needed(route: Route, method: str) -> frozenset[str]:
    parts = dict(part.split(" ", 1) for part in route.policy.removeprefix("key: ").split("; "))
    return frozenset(parts[method].split(" | "))


def holders(route: Route, method: str) -> list[Role]:
    return [role for role in Role if needed(route, method) & policy._grants[role]]


def somebody_right(world: World, route: Route, method: str) -> str:
    may = [role.value for role in holders(route, method) if (body_of(route), role.value) in world.keys]
    return next(iter([who for who in ("clerk", "treasurer") if who in may] or may))


def call(client: Client, method: str, url: str, route: Route) -> Any:
    if method == "GET":
        query = {"text": "Winterdienst"} if route.name == "api:search" else {}
        return client.get(url, query or ({"reference": "7"} if "claim" in route.name else {}))
    return client.generic(method, url, json.dumps(CONTENT.get(route.name, {})), content_type="application/json")


def assert_problem(answer: Any, status: int) -> None:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    told = json.loads(answer.content)
    assert (told["status"], told["type"], bool(told["detail"])) == (status, "about:blank", True)
    assert told["request_id"] == answer["X-Request-ID"]


def test_every_endpoint_is_judged(world: World) -> None:
    assert len(CALLS) >= 20
    assert [r.name for r in API if r.kind not in ("key", "public")] == []
    for route, method in CALLS:
        assert route.url(world.towns[body_of(route)])
        assert holders(route, method), "an endpoint that nobody may call"


@pytest.mark.parametrize(("route", "method"), CALLS, ids=IDS)
def test_a_key_that_does_not_fit_gets_nowhere_and_changes_nothing(
    route: Route, method: str, world: World, behind: "psycopg.Connection[Any]"
) -> None:
    body = body_of(route)
    url = route.url(world.towns[body])
    if method == "POST":
        look(behind)
    right = somebody_right(world, route, method)
    strangers = {
        "no key": world.machine(body),
        "a key of another body": world.machine("beta", right if body == "alpha" else "auditor", at=body),
        "made up": _with(world, body, "Bearer vbk_0123456789ab_" + "0" * 64),
        "of another kind": _with(world, body, f"Basic {world.keys[body, right]}"),
        "cut off": _with(world, body, f"Bearer {world.keys[body, right][:-1]}"),
        "one sign changed": _with(world, body, f"Bearer {_changed(world.keys[body, right])}"),
    }
    if body == "alpha":
        strangers |= {who: world.machine(body, who) for who in ("revoked", "expired")}
    for name, client in strangers.items():
        with taken_back():  # the counter of wrong keys too
            answer = call(client, method, url, route)
        assert_problem(answer, 401)
        assert answer["WWW-Authenticate"].startswith("Bearer"), name
    assert method == "GET" or changed(behind) == []


def _with(world: World, body: str, authorization: str) -> Client:
    client = world.machine(body)
    client.defaults["HTTP_AUTHORIZATION"] = authorization
    return client


def _changed(key: str) -> str:
    return key[:-1] + ("0" if key[-1] != "0" else "1")


@pytest.mark.parametrize(("route", "method"), CALLS, ids=IDS)
def test_a_session_in_a_cookie_counts_for_nothing(route: Route, method: str, world: World) -> None:
    body = body_of(route)
    who = next(role.value for role in holders(route, method) if (body, role.value) in world.cookies)
    assert_problem(call(world.client(body, who), method, route.url(world.towns[body]), route), 401)


@pytest.mark.parametrize(("route", "method"), CALLS, ids=IDS)
def test_a_key_with_the_wrong_role_is_refused_and_changes_nothing(
    route: Route, method: str, world: World, behind: "psycopg.Connection[Any]"
) -> None:
    body = body_of(route)
    if method == "POST":
        look(behind)
    wrong = [role for role in Role if (body, role.value) in world.keys and role not in holders(route, method)]
    assert wrong
    for role in wrong:
        assert_problem(call(world.machine(body, role.value), method, route.url(world.towns[body]), route), 403)
    assert method == "GET" or set(changed(behind)) <= {f"{body}.identity_local_apikey"}  # the day of the last use


@pytest.mark.parametrize(("route", "method"), [c for c in CALLS if c[1] == "POST"], ids=str)
def test_a_key_that_may_only_read_sends_nothing(
    route: Route, method: str, world: World, behind: "psycopg.Connection[Any]"
) -> None:
    look(behind)
    answer = call(world.machine("alpha", "reading"), method, route.url(world.towns["alpha"]), route)
    assert_problem(answer, 403)
    assert set(changed(behind)) <= {"alpha.identity_local_apikey"}


@pytest.mark.parametrize(("route", "method"), [c for c in CALLS if c[0].whose == UNIT], ids=str)
def test_what_belongs_to_another_unit_does_not_exist(
    route: Route, method: str, world: World, behind: "psycopg.Connection[Any]"
) -> None:
    if method == "POST":
        look(behind)
    client = world.machine("alpha", "clerk elsewhere")
    answer = send_whole(client, method, route.url(world.towns["alpha"]), route)
    assert_problem(answer, 404)
    assert method == "GET" or set(changed(behind)) <= {"alpha.identity_local_apikey"}


@pytest.mark.parametrize(
    ("route", "method"), [c for c in CALLS if any(k == "uuidstr" for _n, k in c[0].parameters)], ids=str
)
def test_another_bodys_thing_and_an_invented_one_do_not_exist(
    route: Route, method: str, world: World, behind: "psycopg.Connection[Any]"
) -> None:
    if method == "POST":
        look(behind)
    client = world.machine("alpha", somebody_right(world, route, method))
    for parameter, _kind in route.parameters:
        for foreign in (world.towns["beta"].ids[route.thing(parameter)], uuid4()):
            url = route.url(world.towns["alpha"], **{parameter: foreign})
            assert_problem(send_whole(client, method, url, route), 404)
    assert method == "GET" or set(changed(behind)) <= {"alpha.identity_local_apikey"}


def send_whole(client: Client, method: str, url: str, route: Route) -> Any:
    """A request with nothing missing, so that only the thing itself can be the reason of a refusal."""
    if method == "GET":
        return call(client, method, url, route)
    if route.name == "api:list_documents":
        file = SimpleUploadedFile("a.txt", b"Guten Tag", "text/plain")
        return client.post(url, {"title": "Brief", "kind": "memo", "file": file})
    content = {
        "api:take_over": {"expected_version": 0},
        "api:decide": {"outcome": "granted", "reason": "", "expected_version": 0},
    } | CONTENT
    return client.generic(method, url, json.dumps(content[route.name]), content_type="application/json")


@pytest.mark.parametrize(("route", "method"), CALLS, ids=IDS)
def test_the_right_key_comes_in(route: Route, method: str, world: World) -> None:
    """Otherwise all the refusals above would prove nothing."""
    body = body_of(route)
    with taken_back():
        answer = call(
            world.machine(body, somebody_right(world, route, method)), method, route.url(world.towns[body]), route
        )
    assert answer.status_code in ((200,) if method == "GET" else (200, 201, 409, 422)), answer.content


@pytest.mark.parametrize("route", API, ids=str)
def test_other_methods_are_refused_as_problems_and_break_nothing(route: Route, world: World) -> None:
    client = world.machine(body_of(route), "auditor" if body_of(route) == "alliance" else "clerk")
    known = {method for r, method in CALLS if r.name == route.name} | {"HEAD", "OPTIONS"}
    for method in ("PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "OPTIONS"):
        answer = client.generic(method, route.url(world.towns[body_of(route)]))
        assert answer.status_code in ({404} if route.name == "api:nothing" else {405, 200}), (method, known)
        if answer.status_code == 405:
            assert_problem(answer, 405)
            assert "GET" in answer["Allow"] or "POST" in answer["Allow"]


def test_reading_changes_nothing_but_the_day_of_the_last_use(world: World, behind: "psycopg.Connection[Any]") -> None:
    look(behind)
    for route, method in CALLS:
        if method == "GET":
            who = somebody_right(world, route, method)
            call(world.machine(body_of(route), who), method, route.url(world.towns[body_of(route)]), route)
    assert set(changed(behind)) <= {"alpha.identity_local_apikey", "alliance.identity_local_apikey"}


def test_what_does_not_exist_says_so_in_json(world: World) -> None:
    for url in ("/api/v1/", "/api/v1/records/cases/no-uuid", "/api/v1/nothing/at/all", "/api/v2/"):
        assert_problem(world.machine("alpha", "clerk").get(url), 404)
    assert_problem(world.machine("alpha", "clerk").get("/api/v1/records/cases?text=%00"), 400)


def test_members_are_read_at_the_alliance_alone(world: World) -> None:
    url = "/api/v1/membership/members"
    at_home = world.machine("alliance", "alliance_manager").get(url)
    with acting_for("alliance"):
        every = [m.name for m in members.list_members(Actor.system("alliance", "test"))]
    assert "Stadt Alphausen" in every
    assert [m["name"] for m in at_home.json()] == every
    assert world.machine("alpha", "clerk").get(url).status_code in (403, 404)


def test_the_description_fits_the_body_and_names_every_permission(world: World) -> None:
    told = world.machine("alpha").get("/api/v1/openapi.json").json()
    described = {(path, method.upper()) for path, ops in told["paths"].items() for method in ops}
    assert len(described) >= 20
    for path, operations in told["paths"].items():
        for method, operation in operations.items():
            assert operation["description"], (path, method)
            assert operation.get("x-permission") or "security" not in operation
    assert told["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    assert {op.operation_id for op in _operations()} >= {"open_case", "decide", "raise_claim"}


def _operations() -> Iterator[Any]:
    for bound in INTERFACE._get_bound_routers():
        for view in bound.path_operations.values():
            yield from view.operations


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b'{"title": NaN}',
        b"\xff\xfe",
        b'{"title": "\\u0000", "position": "32.10", "unit": "32"}',
        b'{"title": "\\ud800", "position": "32.10", "unit": "32"}',
        b'{"title": 1' + b"0" * 5000 + b"}",
        b"[" * 100_000,
        b'{"title": "x", "position": "32.10", "unit": "32", "colour": "red"}',
        b'{"title": "x", "position": "32.10", "unit": "32", "promised_on": "99999-01-01"}',
    ],
    ids=lambda content: repr(content[:30]),
)
def test_a_broken_request_is_refused_in_words(content: bytes, world: World, behind: "psycopg.Connection[Any]") -> None:
    look(behind)
    answer = world.machine("alpha", "clerk").generic(
        "POST", "/api/v1/records/cases", content, content_type="application/json"
    )
    assert answer.status_code in (400, 422), answer.content
    assert_problem(answer, answer.status_code)
    assert set(changed(behind)) <= {"alpha.identity_local_apikey"}


def test_refusals_speak_the_callers_language(world: World) -> None:
    machine = world.machine("alpha")
    english = machine.get("/api/v1/records/cases").json()["detail"]
    german = machine.get("/api/v1/records/cases", headers={"accept-language": "de"}).json()["detail"]
    assert english.startswith("A valid key")
    assert german.startswith("Ein gültiger Schlüssel")


def test_plain_http_is_refused_and_not_led_on(world: World, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    refused = world.machine("alpha", "clerk").get("/api/v1/records/cases")
    assert_problem(refused, 403)
    assert refused.json()["code"] == "https"


def test_a_key_that_asks_too_often_waits(world: World, settings: Any) -> None:
    settings.VERBUND_API_RATE = 3
    doors._rate._buckets.clear()
    machine = world.machine("alpha", "clerk")
    codes = [machine.get("/api/v1/records/cases").status_code for _n in range(5)]
    assert codes == [200, 200, 200, 429, 429]
    refused = machine.get("/api/v1/records/cases")
    assert_problem(refused, 429)
    assert 1 <= int(refused["Retry-After"]) <= 20
    assert world.machine("alpha", "registry").get("/api/v1/records/cases").status_code == 200


def test_who_guesses_keys_is_kept_out(world: World) -> None:
    with taken_back():
        guessing = _with(world, "alpha", "Bearer vbk_0123456789ab_" + "1" * 64)
        guessing.defaults["REMOTE_ADDR"] = "198.51.100.77"
        codes = [guessing.get("/api/v1/records/cases").status_code for _n in range(22)]
        assert codes[0] == 401
        assert codes[-1] == 429
        honest = world.machine("alpha", "clerk")
        honest.defaults["REMOTE_ADDR"] = "198.51.100.77"
        assert honest.get("/api/v1/records/cases").status_code == 200, "a neighbour with a good key is not concerned"


def test_a_room_that_is_switched_off_has_no_endpoints(world: World, behind: "psycopg.Connection[Any]") -> None:
    [rooms] = behind.execute("SELECT rooms FROM public.tenancy_body WHERE schema_name = 'alpha'").fetchall()[0]
    change = "UPDATE public.tenancy_body SET rooms = %s WHERE schema_name = 'alpha'"
    behind.execute(change, [["records"]])
    forget_hosts()
    try:
        machine = world.machine("alpha", "clerk")
        assert machine.get("/api/v1/records/cases").status_code == 200
        assert_problem(machine.get("/api/v1/budget/ledgers"), 404)
        told = machine.get("/api/v1/openapi.json").json()
        assert {path.split("/")[3] for path in told["paths"]} == {"records"}
    finally:
        behind.execute(change, [rooms])
        forget_hosts()


def test_a_key_is_made_shown_once_and_revoked_on_its_pages(world: World) -> None:
    pages = "/arbeit/verwaltung/schnittstellen/"
    with taken_back():
        admin = world.client("alpha", "body_admin")
        wanted: dict[str, Any] = {"name": "Gewerberegister", "roles": ["clerk"], "units": ["32"], "may_write": "on"}
        assert admin.post(f"{pages}neu/", {**wanted, "last_day": "2099-01-01"}).status_code == 422
        last_day = (local_date(the_clock()) + timedelta(days=90)).isoformat()
        assert admin.post(f"{pages}neu/", {**wanted, "roles": ["body_admin"], "last_day": last_day}).status_code == 200
        made = admin.post(f"{pages}neu/", {**wanted, "last_day": last_day})
        [key] = re.findall(r"vbk_[0-9a-f]{12}_[0-9a-f]{64}", made.content.decode())
        assert key not in admin.get(pages).content.decode()
        machine = _with(world, "alpha", f"Bearer {key}")
        assert machine.get("/api/v1/records/cases").status_code == 200
        with acting_for("alpha"):
            row = ApiKey.objects.get(name="Gewerberegister")
        assert key not in (row.digest, row.lookup)
        assert admin.post(f"{pages}{row.id}/widerrufen/").status_code == 302
        assert_problem(machine.get("/api/v1/records/cases"), 401)


def test_every_endpoint_stands_behind_the_guard() -> None:
    patterns = INTERFACE.patterns()
    assert len(patterns) >= 20
    unguarded = [p.name for p in patterns if not getattr(p.callback, "policy", "")]
    assert unguarded == []
    assert reverse("api:openapi") == "/api/v1/openapi.json"
