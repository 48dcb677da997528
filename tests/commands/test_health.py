"""Health is told in one word on every host, and the word is right."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from verbund.config import health


@pytest.fixture
def client() -> Client:
    return Client(headers={"host": "anything.example"})


def test_a_living_process_says_so_without_a_database(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert "no-store" in answer["Cache-Control"]


def test_a_ready_process_says_so_on_any_host(client: Client, real_database: str) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.content) == (200, b"ready\n")


def test_tables_of_another_release_are_not_ready(client: Client, real_database: str, owner_connection: Any) -> None:
    owner_connection.execute(
        "DELETE FROM public.django_migrations WHERE id = (SELECT max(id) FROM public.django_migrations)"
    )
    assert health.not_ready() == "migrations: 1 missing"
    answer = client.get("/readyz")
    assert (answer.status_code, answer.content) == (503, b"not ready\n")


def test_a_store_that_cannot_be_written_is_not_ready(
    client: Client, real_database: str, settings: Any, tmp_path: Path
) -> None:
    blocked = tmp_path / "files"
    blocked.write_text("a file where the folder should be")
    settings.VERBUND_FILES_ROOT = blocked
    assert health.not_ready().startswith("files: ")
    assert client.get("/readyz").status_code == 503
