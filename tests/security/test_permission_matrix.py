"""Every address × everybody: nobody, a citizen, another body's staff, the wrong role, the wrong unit, the right role.

What is expected follows from the policy that the view names and from whose the thing in the address is; nothing is
listed page by page, so that a new page is judged without anybody thinking of it.
"""

from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import psycopg
import pytest
from django.http import HttpResponseBase
from django.test import Client

from verbund.config import wiring  # noqa: F401 - registers every room's grants
from verbund.platform.identity import policy
from verbund.platform.identity.roles import Role

from .addresses import BODY, HOLDER, OWN, ROUTES, SENDING_NEEDS, UNIT, Route
from .unchanged import before, changed
from .world import ALLIANCE_ONLY, World, taken_back

METHODS = ("GET", "POST")
REFUSED_METHOD = 405
SIGN_IN = {"staff": "/anmelden/", "operator": "/anmelden/", "citizen": "/konto/anmelden/"}
# The session that is ended is the one that asks; a citizen without a password proves it by signing in anew.
ENDS_ITSELF = {"staff_revoke", "citizen_revoke", "citizen_prove"}


def body_of(route: Route) -> str:
    """The body on whose host the page has its readers."""
    return "alliance" if route.kind == "operator" or route.name.startswith(("membership:", "costsharing:")) else "alpha"


def holders(route: Route, method: str) -> set[Role]:
    """The roles that may come in."""
    if route.kind == "operator":
        return {Role.OPERATOR}
    wanted = {str(SENDING_NEEDS[route.name])} if method == "POST" and route.name in SENDING_NEEDS else route.permissions
    if not wanted:
        return set(Role)
    return {role for role in Role if wanted & policy._grants[role]}


def roles_at(body: str) -> list[Role]:
    return [role for role in Role if body == "alliance" or role not in ALLIANCE_ONLY]


def ask(client: Client, method: str, url: str) -> Any:
    return client.get(url) if method == "GET" else client.post(url, {})


def is_sign_in(route: Route, answer: Any) -> bool:
    if answer.status_code != 302:
        return False
    target = urlsplit(answer["Location"])
    return bool(target.path == SIGN_IN[route.kind] and parse_qs(target.query).get("next", ["/"])[0].startswith("/"))


@cache
def guarded() -> list[Route]:
    return [r for r in ROUTES if r.kind in ("staff", "citizen", "operator")]


def test_every_address_is_judged(world: World) -> None:
    """An address without a policy, or with a thing that the world does not hold, fails here."""
    assert len(ROUTES) > 140
    assert [r.name for r in ROUTES if r.kind not in ("public", "citizen", "staff", "operator")] == []
    for route in ROUTES:
        assert route.url(world.towns[body_of(route)]), route.name
        assert route.whose
    unheld = [r.name for r in guarded() if not any(role in holders(r, "GET") for role in roles_at(body_of(r)))]
    assert unheld == [], "a page that nobody may open"


@pytest.mark.parametrize("route", guarded(), ids=str)
def test_who_has_not_the_right_gets_nowhere_and_changes_nothing(
    route: Route, world: World, behind: "psycopg.Connection[Any]"
) -> None:
    body = body_of(route)
    url = route.url(world.towns[body])
    before(behind)
    strangers = {
        "guest": world.client(body),
        "staff of another body": world.client("beta", "body_admin", at=body),
        "citizen of another body": world.client("beta", "citizen", at=body),
    }
    if route.kind == "citizen":
        strangers["staff"] = world.client("alpha", "clerk")
    elif body == "alpha":
        strangers["citizen"] = world.client("alpha", "citizen")
    else:
        strangers["staff of a member"] = world.client("alpha", "body_admin", at="alliance")
    wrong = []
    for name, client in strangers.items():
        answers = [ask(client, method, url) for method in METHODS]
        if not any(is_sign_in(route, a) for a in answers) or not all(
            is_sign_in(route, a) or a.status_code == REFUSED_METHOD for a in answers
        ):
            wrong.append((name, [a.status_code for a in answers]))
    if route.kind != "citizen":
        for role in roles_at(body):
            client = world.client(body, role.value)
            codes = [ask(client, m, url).status_code for m in METHODS if role not in holders(route, m)]
            if codes and (403 not in codes or set(codes) - {403, REFUSED_METHOD}):
                wrong.append((role.value, codes))
    assert wrong == []
    assert changed(behind) == []


@pytest.mark.parametrize("route", [r for r in guarded() if r.kind == "operator"], ids=str)
def test_an_operators_page_does_not_exist_on_the_host_of_a_member(route: Route, world: World) -> None:
    url = route.url(world.towns["alliance"])
    for who in ("", "body_admin", "citizen"):
        client = world.client("alpha", who)
        assert {ask(client, m, url).status_code for m in METHODS} <= {404, REFUSED_METHOD}


@pytest.mark.parametrize("route", [r for r in guarded() if r.whose == UNIT], ids=str)
def test_what_belongs_to_another_unit_does_not_exist(
    route: Route, world: World, behind: "psycopg.Connection[Any]"
) -> None:
    before(behind)
    url = route.url(world.towns["alpha"])
    asked = {}
    for role in (Role.CLERK, Role.HEAD_OF_UNIT):
        if role in holders(route, "GET"):
            client = world.client("alpha", f"{role.value} elsewhere")
            asked[role] = [ask(client, m, url).status_code for m in METHODS]
    assert asked, "nobody of another unit holds the permission: choose a role"
    assert [x for x in asked.items() if 404 not in x[1] or set(x[1]) - {404, REFUSED_METHOD}] == []
    assert changed(behind) == []


def somebody_right(route: Route, method: str) -> str:
    """Who works with the things of the world: the clerk where clerks may, else the first role that may."""
    if route.kind == "citizen":
        return "citizen"
    if route.kind == "operator":
        return Role.OPERATOR.value
    may = holders(route, method)
    order = [Role.CLERK, Role.BODY_ADMIN, Role.BUDGET_OFFICER, Role.TREASURER, *Role]
    return str(next(r.value for r in order if r in may and r in roles_at(body_of(route))))


NAMES = [r for r in guarded() if any(c == "uuid" for _n, c in r.parameters)]


@pytest.mark.parametrize("route", NAMES, ids=str)
def test_another_bodys_thing_and_an_invented_one_do_not_exist(
    route: Route, world: World, behind: "psycopg.Connection[Any]"
) -> None:
    """The right role, with the id of a real thing of another body, and with one nobody has given out."""
    body = body_of(route)
    before(behind)
    wrong = []
    for parameter, converter in route.parameters:
        if converter != "uuid":
            continue
        for foreign in (world.towns["beta"].ids[route.thing(parameter)], uuid4()):
            url = route.url(world.towns[body], **{parameter: foreign})
            codes = [ask(world.client(body, somebody_right(route, m)), m, url).status_code for m in METHODS]
            if 404 not in codes or set(codes) - {404, REFUSED_METHOD}:
                wrong.append((parameter, foreign, codes))
    assert wrong == []
    assert changed(behind) == []


@pytest.mark.parametrize("route", [r for r in guarded() if r.whose == OWN], ids=str)
def test_a_colleagues_own_thing_does_not_exist(route: Route, world: World, behind: "psycopg.Connection[Any]") -> None:
    """Sessions, factors, absences are their owner's: the head of the body's administration is a stranger there."""
    before(behind)
    who = "other citizen" if route.kind == "citizen" else "colleague"
    client = world.client("alpha", who)
    codes = [ask(client, m, route.url(world.towns["alpha"])).status_code for m in METHODS]
    assert set(codes) <= {403, 404, REFUSED_METHOD} or (codes[0] == 200 and codes[1] in (403, 404))
    assert changed(behind) == []


@pytest.mark.parametrize("route", guarded(), ids=str)
def test_who_has_the_right_comes_in(route: Route, world: World) -> None:
    """Otherwise all the refusals above would prove nothing."""
    body = body_of(route)
    url = route.url(world.towns[body])
    codes = {}
    for method in METHODS:
        with taken_back():
            answer: HttpResponseBase = ask(world.client(body, somebody_right(route, method)), method, url)
        codes[method] = answer.status_code
        assert route.name in ENDS_ITSELF or not is_sign_in(route, answer), method
    assert codes["GET"] in (200, 302, REFUSED_METHOD), codes
    assert codes["POST"] in (200, 302, 400, 405, 409, 422), codes
    assert set(codes.values()) != {REFUSED_METHOD}


# ---- what is opened by a code


def holding() -> list[Route]:
    return [r for r in ROUTES if r.kind == "public" and r.whose == HOLDER]


@pytest.mark.parametrize("route", holding(), ids=str)
def test_what_an_applicant_holds_exists_for_nobody_else(
    route: Route, world: World, behind: "psycopg.Connection[Any]"
) -> None:
    """Drafts, applications and links of e-mails: their id in the address is worth nothing without code or account."""
    before(behind)
    secret = any(n == "secret" for n, _c in route.parameters)
    town, foreign = world.towns["alpha"], world.towns["beta"]
    urls = [route.url(foreign)] + ([] if secret else [route.url(town)])
    wrong = []
    for url in urls:
        for who in ("", "other citizen", "clerk", "body_admin"):
            client = world.client("alpha", who)
            codes = [ask(client, m, url).status_code for m in METHODS]
            expected = {410, REFUSED_METHOD} if secret else {404, REFUSED_METHOD}
            if set(codes) - expected or set(codes) == {REFUSED_METHOD}:
                wrong.append((url, who, codes))
    assert wrong == []
    assert changed(behind) == []


@pytest.mark.parametrize("route", holding(), ids=str)
def test_an_applicant_comes_to_what_is_theirs(route: Route, world: World) -> None:
    url = route.url(world.towns["alpha"])
    codes = []
    for method in METHODS:
        with taken_back():
            codes.append(ask(world.client("alpha", "citizen"), method, url).status_code)
    assert codes[0] in (200, 302, REFUSED_METHOD), codes
    assert codes[1] in (200, 302, 400, REFUSED_METHOD, 409, 422), codes


@pytest.mark.parametrize("route", [r for r in ROUTES if r.kind == "public" and r.whose == BODY], ids=str)
def test_a_public_page_is_open_to_everybody(route: Route, world: World) -> None:
    body = body_of(route)
    url = route.url(world.towns[body])
    for who in ("", "citizen", "clerk") if body == "alpha" else ("", "clerk"):
        for method in METHODS:
            with taken_back():
                code = ask(world.client(body, who), method, url).status_code
            assert code in (200, 302, 400, REFUSED_METHOD, 422), (who, method, code)


# ---- for all of them


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_looking_changes_nothing(route: Route, world: World, behind: "psycopg.Connection[Any]") -> None:
    """GET is safe on every page; what is written by reading is named here."""
    written = {
        "portal_document": {"alpha.citizenservices_mailboxmessage", "alpha.audit_auditentry", "alpha.audit_auditlane"}
    }
    body = body_of(route)
    who = "citizen" if route.kind in ("public", "citizen") else somebody_right(route, "GET")
    before(behind)
    world.client(body, "" if body == "alliance" and who == "citizen" else who).get(route.url(world.towns[body]))
    assert set(changed(behind)) <= written.get(route.name, set())


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_nothing_is_sent_without_the_token_of_the_form(
    route: Route, world: World, behind: "psycopg.Connection[Any]"
) -> None:
    """Another site that makes the browser send a form gets a refusal, whatever the form, whoever is signed in."""
    body = body_of(route)
    who = "citizen" if route.kind in ("public", "citizen") else somebody_right(route, "POST")
    client = world.client(body, "" if body == "alliance" and who == "citizen" else who, enforce_csrf_checks=True)
    before(behind)
    answer = client.post(route.url(world.towns[body]), {}, headers={"origin": "https://evil.example.org"})
    assert answer.status_code == 403, answer.status_code
    assert changed(behind) == []


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_other_methods_change_nothing_and_break_nothing(
    route: Route, world: World, behind: "psycopg.Connection[Any]"
) -> None:
    body = body_of(route)
    who = "citizen" if route.kind in ("public", "citizen") else somebody_right(route, "GET")
    client = world.client(body, "" if body == "alliance" and who == "citizen" else who)
    url = route.url(world.towns[body])
    before(behind)
    codes = {
        method: client.generic(method, url).status_code
        for method in ("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND")
    }
    assert [m for m, code in codes.items() if code >= 500] == []
    written = {"alpha.citizenservices_mailboxmessage", "alpha.audit_auditentry", "alpha.audit_auditlane"}
    assert set(changed(behind)) <= (written if route.name == "portal_document" else set())
