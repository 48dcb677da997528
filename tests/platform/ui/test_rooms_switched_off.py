from typing import Any

import pytest

from verbund.platform.tenancy.middleware import forget_hosts
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
