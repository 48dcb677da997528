from typing import Any

import pytest


@pytest.mark.django_db
def test_an_unknown_host_gets_404_and_no_body(client_of: Any) -> None:
    answer = client_of("nobody").get("/")
    assert (answer.status_code, answer.content) == (404, b"404")


@pytest.mark.django_db
def test_a_malformed_host_is_refused(client_of: Any) -> None:
    from django.test import Client

    assert Client(headers={"host": "alpha.localhost/../x"}).get("/").status_code == 400
