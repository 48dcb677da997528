"""The mails of identity go the whole way: told by the page, made and sent by the worker."""

import json
from typing import Any

import psycopg
from django.core import mail
from django.db import connection, connections
from procrastinate.contrib.django import app

from .people import PASSWORD
from .test_citizens import link_in


def work() -> None:
    connection.close()
    connector: Any = app.connector
    with app.replace_connector(connector.get_worker_connector()) as worker:
        worker.run_worker(wait=False, install_signal_handlers=False, listen_notify=False)
    connections.close_all()


def test_the_link_is_made_and_sent_by_the_worker_and_the_queue_holds_no_secret(
    real_database: str, client_of: Any, owner_connection: "psycopg.Connection[Any]"
) -> None:
    client = client_of("alpha")
    client.post("/konto/registrieren/", {"email": "clara@example.org", "name": "Clara Clément"})
    assert mail.outbox == []
    work()
    (message,) = mail.outbox
    assert message.to == ["clara@example.org"]
    link = link_in(message)
    row = owner_connection.execute("SELECT args, status::text FROM procrastinate_jobs").fetchone()
    assert row is not None
    assert row[1] == "succeeded"
    text = json.dumps(row[0])
    assert link.split("/")[-2] not in text
    assert "clara" not in text
    assert client.post(link, {"password": PASSWORD, "again": PASSWORD}).status_code == 302
