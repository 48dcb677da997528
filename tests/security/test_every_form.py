"""Every form and every address of the installation, filled with what nobody means well: no answer of class 5xx."""

from functools import cache
from itertools import cycle
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils.datastructures import MultiValueDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from verbund.modules.citizenservices import queries
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import acting_for
from verbund.platform.tenancy import now as the_clock

from .addresses import ROUTES, Route
from .hostile import FILES, IN_PATH, TEXTS, Form, forms, named
from .test_permission_matrix import body_of, somebody_right
from .world import World, taken_back

GUESTS = {"/anmelden/", "/anmelden/passwort-vergessen/", "/konto/anmelden/", "/konto/registrieren/"}


def visitor(world: World, route: Route) -> Client:
    """Somebody who gets as far as possible on this page."""
    body = body_of(route)
    if route.kind == "public":
        guest = any(n == "secret" for n, _c in route.parameters) or route.pattern.startswith(("anmelden", "konto"))
        return world.client(body, "" if guest or body == "alliance" else "citizen")
    return world.client(body, somebody_right(route, "GET"))


def pages(world: World) -> list[tuple[Route, str]]:
    """The addresses of all pages, every page of the guided form among them."""
    found = []
    for route in ROUTES:
        town = world.towns[body_of(route)]
        if route.name != "portal_step":
            found.append((route, route.url(town)))
            continue
        with acting_for("alpha"):
            steps = len(
                queries.draft(
                    Actor.system("alpha", "test"),
                    draft=queries.DraftRef(town.ids["draft_id"], town.codes["draft"]),
                    now=the_clock(),
                ).form.steps
            )
        found += [(route, route.url(town, number=n)) for n in range(1, steps + 1)]
    return found


@cache
def _everything(key: int) -> list[tuple[Route, Form]]:
    world = _worlds[key]
    found: dict[tuple[str, tuple[str, ...]], tuple[Route, Form]] = {}
    for route, url in pages(world):
        with taken_back():
            answer = visitor(world, route).get(url)
            content = b"" if answer.streaming else answer.content
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            for form in forms(url, content):
                found.setdefault((form.action, tuple(form.names)), (route, form))
    return list(found.values())


_worlds: dict[int, World] = {}


def everything(world: World) -> list[tuple[Route, Form]]:
    """Every form on every page, with the route of the page."""
    _worlds[id(world)] = world
    return _everything(id(world))


def test_the_forms_of_the_house_are_found(world: World) -> None:
    actions = {urlsplit(form.action).path for _route, form in everything(world)}
    assert len(actions) > 45, sorted(actions)
    assert sum(bool(form.files) for _route, form in everything(world)) >= 5
    assert actions >= GUESTS


def send(client: Client, form: Form, values: dict[str, Any]) -> Any:
    with taken_back():
        answer = client.post(form.action, values)
        assert answer.status_code < 500, (form, values, answer.status_code)
        if answer.status_code >= 400 and not answer.streaming and answer.status_code != 405:
            assert len(answer.content) > 200, f"a bare refusal without words: {answer.status_code} {answer.content!r}"
    return answer


@pytest.mark.conformance
def test_no_form_breaks_when_every_field_holds_the_worst(world: World) -> None:
    """Every text comes to every field of every form once, all fields at a time."""
    for route, form in everything(world):
        client = visitor(world, route)
        names = list(form.values)
        for first in range(0, len(TEXTS), max(len(names), 1)):
            send(client, form, {n: TEXTS[(first + at) % len(TEXTS)] for at, n in enumerate(names)})


def test_no_form_breaks_when_one_field_holds_the_worst(world: World) -> None:
    """With all others as the page offers them, one text after the other gets behind the first check."""
    text = cycle(t for t in TEXTS if t.strip())
    for route, form in everything(world):
        client = visitor(world, route)
        for name in form.values:
            send(client, form, {n: next(text) if n == name else v[-1] for n, v in form.values.items()})


def test_no_form_breaks_whatever_file_is_sent(world: World) -> None:
    for route, form in everything(world):
        if form.files:
            client = visitor(world, route)
            values: dict[str, Any] = {n: v[0] for n, v in form.values.items() if v}
            for name in FILES:
                send(client, form, {**values, **{n: named(name) for n in form.files}})


VALUES = st.one_of(st.sampled_from(TEXTS), st.text(max_size=40), st.integers().map(str), st.uuids().map(str))


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_no_form_breaks_whatever_is_filled_in(world: World, data: st.DataObject) -> None:
    """Each field keeps what it had, is left out, is sent twice, or holds something hostile."""
    route, form = data.draw(st.sampled_from(everything(world)))
    values: dict[str, Any] = {}
    for name in form.values:
        had = [v for v in form.values[name] if v is not None] or [""]
        choice = data.draw(st.sampled_from(("keep", "keep", "leave", "twice", "hostile", "hostile")))
        if choice == "keep":
            values[name] = data.draw(st.sampled_from(had))
        elif choice == "twice":
            values[name] = [data.draw(VALUES), data.draw(VALUES)]
        elif choice == "hostile":
            values[name] = data.draw(VALUES)
    for name in form.files:
        if data.draw(st.booleans()):
            values[name] = named(data.draw(st.sampled_from(sorted(FILES))))
        elif data.draw(st.booleans()):
            values[name] = data.draw(VALUES)  # a text where a file is expected
    send(visitor(world, route), form, values)


@pytest.mark.parametrize("route", [r for r in ROUTES if r.parameters], ids=str)
def test_no_address_breaks_whatever_stands_in_it(world: World, route: Route) -> None:
    town = world.towns[body_of(route)]
    good = {n: str(v) for n, v in route.kwargs(town).items()}
    client = visitor(world, route)
    codes = {}
    for parameter, converter in route.parameters:
        for value in IN_PATH[converter]:
            path = "/" + route.pattern
            for name, kind in route.parameters:
                path = path.replace(f"<{kind}:{name}>", value if name == parameter else good[name])
            for method in ("get", "post"):
                with taken_back():
                    codes[method, path[:200]] = getattr(client, method)(path).status_code
    assert {k: c for k, c in codes.items() if c >= 500} == {}


def asked_of(client: Client, url: str) -> set[str]:
    """The names in the query string that a page looks at."""
    seen: set[str] = set()

    def noting(name: str) -> Any:
        original = getattr(MultiValueDict, name)

        def method(self: Any, key: str, *more: Any) -> Any:
            if isinstance(self, QueryDict) and isinstance(key, str):
                seen.add(key)
            return original(self, key, *more)

        return mock.patch.object(MultiValueDict, name, method)

    with noting("__getitem__"), noting("getlist"), taken_back():
        client.get(url, {"csv": "1", "as_of": "2026-11-20"})
    return seen - {"csrfmiddlewaretoken"}


KEYS = (
    "2026-11-20T09:30:00+00:00~x",
    "9999-99-99~" + "0" * 36,
    "2026-11-20~00000000-0000-0000-0000-000000000000",
    "9999-12-31T23:59:59-23:59~00000000-0000-0000-0000-000000000000",
    "0001-01-01T00:00:00+23:59~00000000-0000-0000-0000-000000000000",
    "00000000-0000-0000-0000-000000000000.9999999999",
    "00000000-0000-0000-0000-000000000000.-1",
    "1.2",
    "99999999999999999999",
    "a~b~c",
)


@pytest.mark.conformance
@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_no_page_breaks_whatever_is_asked(world: World, route: Route) -> None:
    """Whatever a page reads from its query string, made-up keys of lists among it."""
    url = route.url(world.towns[body_of(route)])
    client = visitor(world, route)
    names = asked_of(client, url)
    codes = {}
    for value in (*TEXTS, *KEYS) if names else ():
        with taken_back():
            codes[value[:80]] = client.get(url, dict.fromkeys(names, value)).status_code
    for query in ("&".join(f"p{n}={'x' * 50}" for n in range(3000)), "q=%ff%fe%00&after=%ed%a0%80&=&&&==&text[]=1&q=%"):
        with taken_back():
            codes[query[:80]] = client.get(f"{url}?{query}").status_code
    assert {k: c for k, c in codes.items() if c >= 500} == {}
