"""One filled database for all these tests: built once, copied for every module, so that none sees another's traces.

With VERBUND_TEST_WORLD, a folder, it is built once for several runs: tools/mutations.py makes many short ones.
"""

import os
import pickle
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import _point_at
from django.conf import settings as django_settings
from django.test import override_settings
from psycopg import sql

from verbund.platform.identity.local.sessions import SessionStore
from verbund.platform.identity.recognition import PROVED
from verbund.platform.rest import doors

from . import filling, unchanged
from . import world as worlds
from .world import World


@pytest.fixture(scope="session")
def filled(
    cluster: Any,
    template_database: str,
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, World, Path]]:
    """The filled database, by name; nobody works in it, everybody works in a copy."""
    kept = os.environ.get("VERBUND_TEST_WORLD")
    # The name begins with the process that may go on using it: when that is gone, it is swept away with the next run.
    name = f"verbund_test_run_{Path(kept).name if kept else os.getpid()}_filled"
    files = (Path(kept) if kept else tmp_path_factory.mktemp("filled")) / "files"
    if kept and (Path(kept) / "world").exists():
        yield name, pickle.loads((Path(kept) / "world").read_bytes()), files
        return
    cluster.copy(template_database, name)
    with django_db_blocker.unblock(), override_settings(VERBUND_FILES_ROOT=files):
        hashers = ["django.contrib.auth.hashers.MD5PasswordHasher", *django_settings.PASSWORD_HASHERS]
        _point_at(cluster, name)
        with override_settings(PASSWORD_HASHERS=hashers):
            made = filling.build()
        _point_at(cluster, cluster.run_database)
    with psycopg.connect(cluster.url(name, "verbund_owner"), autocommit=True) as connection:
        unchanged.watch(connection)
    if kept:
        (Path(kept) / "world").write_bytes(pickle.dumps(made))
    yield name, made, files
    if not kept:
        cluster.drop(name)


@pytest.fixture(scope="module")
def _copy(filled: tuple[str, World, Path], cluster: Any, django_db_blocker: Any) -> Iterator[str]:
    name = f"{filled[0]}_{os.urandom(3).hex()}"
    cluster.copy(filled[0], name)
    with cluster.admin() as connection:  # as `prepare_cluster` does; a copy does not inherit it
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
    with psycopg.connect(cluster.url(name, "verbund_owner"), autocommit=True) as connection:
        for schema in ("alliance", "alpha", "beta"):
            _wake(connection, sql.Identifier(schema, "identity_local_session"))
    with django_db_blocker.unblock():
        _point_at(cluster, name)
        yield name
        worlds.connection.set_schema_to_public()
        _point_at(cluster, cluster.run_database)
    cluster.drop(name)


def _wake(connection: "psycopg.Connection[Any]", sessions: sql.Identifier) -> None:
    """Who signed in when the world was built, perhaps half an hour ago, has just come and given the password."""
    store = SessionStore()
    rows = connection.execute(sql.SQL("SELECT id, data FROM {} WHERE last_seen_at < now()").format(sessions)).fetchall()
    for number, data in rows:
        kept = {**store.decode(data), PROVED: int(time.time())}
        connection.execute(
            sql.SQL("UPDATE {} SET last_seen_at = now(), data = %s WHERE id = %s").format(sessions),
            [store.encode(kept), number],
        )


@pytest.fixture
def world(filled: tuple[str, World, Path], _copy: str, settings: Any) -> World:
    """The filled world, as this module finds and leaves it."""
    settings.VERBUND_FILES_ROOT = filled[2]
    return filled[1]


@pytest.fixture
def behind(_copy: str, cluster: Any) -> Iterator[Any]:
    """A plain connection as the owner, to look behind the application."""
    with psycopg.connect(cluster.url(_copy, "verbund_owner"), autocommit=True) as connection:
        yield connection


@pytest.fixture
def unhurried(settings: Any) -> Iterator[None]:
    """Keys may ask as often as the tests do, and what they have asked counts for no other test."""
    settings.VERBUND_API_RATE = 100_000
    doors._rate._buckets.clear()
    yield
    doors._rate._buckets.clear()
