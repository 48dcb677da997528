"""Error pages explain themselves in both faces and need no database."""

from http import HTTPStatus

import pytest
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import translation

from verbund.platform.ui import errors

# No `django_db` mark: pytest-django raises when one of these pages asks the database anything.

TEMPLATES = ["400", "403", "403_csrf", "404", "409", "429", "500", "503"]


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize(("path", "home"), [("/leistungen/", "/"), ("/arbeit/eingang/", "/arbeit/")])
def test_every_error_page_leads_back_into_its_own_face(name: str, path: str, home: str) -> None:
    request = RequestFactory().get(path)
    with translation.override("de"):
        page = render_to_string(f"{name}.html", {}, request)
    assert f'href="{home}"' in page
    assert page.count("<h1") == 1
    assert 'lang="de"' in page


@pytest.mark.parametrize("name", TEMPLATES)
def test_an_error_page_needs_no_request_either(name: str) -> None:
    assert "<h1" in render_to_string(f"{name}.html")


def test_the_second_of_two_is_told_what_changed() -> None:
    request = RequestFactory().post("/arbeit/x/", HTTP_REFERER="http://testserver/arbeit/vorgang/1/")
    answer: HttpResponse = errors.conflict(request, "Taken by <b>K. Muster</b>", ["State: granted"])
    text = answer.content.decode()
    assert answer.status_code == HTTPStatus.CONFLICT
    assert "Taken by &lt;b&gt;K. Muster&lt;/b&gt;" in text
    assert "<li>State: granted</li>" in text
    assert 'href="/arbeit/vorgang/1/"' in text


def test_the_way_back_never_leaves_the_house() -> None:
    request = RequestFactory().post("/arbeit/x/", HTTP_REFERER="https://evil.example/arbeit/")
    assert "evil.example" not in errors.conflict(request, "m").content.decode()


def test_maintenance_asks_to_come_back() -> None:
    answer = errors.maintenance(RequestFactory().get("/"))
    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert answer.headers["Retry-After"] == "300"
