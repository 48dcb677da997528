"""Staff sign in with a password, and nothing more is said than a stranger may know."""

from typing import Any

import pytest

from verbund.platform.identity.roles import Role

from .people import PASSWORD, employ, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_second_factor(settings: Any) -> None:
    settings.VERBUND_REQUIRE_SECOND_FACTOR = False


def test_the_right_password_opens_the_workspace(client_of: Any) -> None:
    employ("alpha", "eva.eich@example.org", "Eva Eich", Role.CLERK)
    client = client_of("alpha")
    answer = sign_in(client, "Eva.Eich@Example.org ")
    assert (answer.status_code, answer["Location"]) == (302, "/arbeit/")
    page = client.get("/arbeit/konto/")
    assert page.status_code == 200
    assert "Eva Eich" in page.content.decode()


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(client_of: Any) -> None:
    employ("alpha")
    wrong = sign_in(client_of("alpha"), password="ganz falsch geraten")
    unknown = sign_in(client_of("alpha"), "niemand@example.org")
    assert wrong.status_code == unknown.status_code == 403
    assert "E-Mail-Adresse oder Passwort ist falsch." in wrong.content.decode()
    assert "E-Mail-Adresse oder Passwort ist falsch." in unknown.content.decode()
