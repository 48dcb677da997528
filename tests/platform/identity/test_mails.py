"""The mails of identity go the whole way: told by the page, made and sent by the worker."""

import json
from datetime import datetime
from hashlib import sha256
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core import mail
from django.db import connection, connections
from django.test import override_settings
from procrastinate.contrib.django import app

from verbund.platform.identity import factors, services
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.models import Person, RecoveryCode
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for

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


def test_a_changed_address_is_told_to_the_old_one_and_the_queue_can_read_neither(
    real_database: str, owner_connection: "psycopg.Connection[Any]", now: datetime
) -> None:
    with acting_for("alpha"):
        system = Actor.system("alpha", "test")
        made = services.create_person(
            system,
            email="alt@example.org",
            display_name="Udo Umzug",
            role=Role.CLERK,
            unit="",
            valid_from=now,
            now=now,
            invite=False,
        )
        services.change_person(system, person_id=made.id, email="neu@example.org", display_name="Udo Umzug", now=now)
        services.change_person(system, person_id=made.id, email="neu@example.org", display_name="Udo Umzog", now=now)
    told = json.dumps([row[0] for row in owner_connection.execute("SELECT args FROM procrastinate_jobs").fetchall()])
    assert "@" not in told
    assert "Udo" not in told
    work()
    (message,) = mail.outbox
    assert message.to == ["alt@example.org"]
    assert "neu@example.org" not in f"{message.subject}{message.body}"


def test_a_recovery_code_cannot_be_guessed_by_whoever_has_the_database(real_database: str, now: datetime) -> None:
    """118 bits, and a digest under the secret of the installation; a fallback of it still opens."""
    with acting_for("alpha"):
        system = Actor.system("alpha", "test")
        made = services.create_person(
            system, email="r@example.org", display_name="Rita Rest", role=Role.CLERK, unit="", valid_from=now, now=now,
            invite=False,
        )  # fmt: skip
        codes = factors.renew_recovery_codes(Person.objects.get(pk=made.id))
        assert {len(code.replace("-", "")) for code in codes} == {24}
        kept = set(RecoveryCode.objects.filter(person_id=made.id).values_list("digest", flat=True))
        plain = [code.replace("-", "") for code in codes]
        tries = [f"{made.id}:{code}" for code in plain] + [f"verbund.recovery:{made.id}:{code}" for code in plain]
        known = {sha256(text.encode()).hexdigest() for text in tries}
        assert not kept & known
        with override_settings(SECRET_KEY="another one", SECRET_KEY_FALLBACKS=[]), pytest.raises(factors.WrongFactor):
            factors.prove_recovery_code(made.id, codes[0], now=now)
        with override_settings(SECRET_KEY="another one", SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
            factors.prove_recovery_code(made.id, codes[0].upper(), now=now)
