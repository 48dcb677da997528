import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from verbund.platform.tenancy.middleware import FRONT_PATHS, forget_hosts
from verbund.platform.tenancy.models import Body


@pytest.fixture
def without_rooms(real_database: str, owner_connection: Any) -> None:
    owner_connection.execute("UPDATE public.tenancy_body SET rooms = '{records}' WHERE schema_name = 'alpha'")
    forget_hosts()
    assert Body.objects.get(schema_name="alpha").rooms == ["records"]


def test_a_room_that_is_switched_off_does_not_exist(without_rooms: None, client_of: Any) -> None:
    assert client_of("alpha").get("/arbeit/haushalt/").status_code == 404
    assert client_of("beta").get("/arbeit/haushalt/").status_code == 302


def test_without_a_portal_the_front_page_leads_to_the_sign_in(without_rooms: None, client_of: Any) -> None:
    answer = client_of("alpha").get("/", follow=True)
    assert [step for step, _ in answer.redirect_chain] == ["/willkommen/", "/anmelden/"]
    assert answer.status_code == 200


def _routes(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _routes(entry, prefix + str(entry.pattern))
        else:
            yield prefix + str(entry.pattern), entry


def _address(route: str) -> str:
    """An address of the route; what it names need not exist, the room must not be asked for it."""
    kinds = {"uuid": "00000000-0000-7000-8000-000000000000", "int": "7", "slug": "some", "str": "some", "path": "some"}
    filled = re.sub(r"<(?:(\w+):)?\w+>", lambda part: kinds.get(part[1] or "str", "some"), route)
    return "/" + filled.lstrip("^").rstrip("$")


def test_no_address_of_a_room_that_is_not_agreed_answers(
    real_database: str, owner_connection: Any, client_of: Any
) -> None:
    owner_connection.execute("UPDATE public.tenancy_body SET rooms = '{}' WHERE schema_name = 'alpha'")
    forget_hosts()
    client = client_of("alpha")
    answered, asked = {}, 0
    for route, entry in _routes(get_resolver()):
        module = getattr(entry.callback, "__module__", "")
        address = _address(route)
        if not module.startswith("verbund.modules.") or address in FRONT_PATHS:
            continue
        for method in (client.get, client.post):
            asked += 1
            status = method(address).status_code
            if status != 404:
                answered[f"{method.__name__} {address}"] = status
    assert answered == {}
    assert asked > 200
