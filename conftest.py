"""The test bench: a real PostgreSQL (embedded, or the one named by DATABASE_URL), three bodies, actors and clients.

A template database is migrated once per state of the migrations; every test run copies it, so several runs do not
disturb each other.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import fasteners
import psutil
import psycopg
import pytest
from psycopg import sql

ROOT = Path(__file__).resolve().parent
VAR = Path(os.environ.get("VERBUND_VAR", ROOT / "var"))
SHARED = ROOT.parent / "shared"
_NAMES = UUID("6f1f2a52-0f1b-4a51-9df5-0a7f0c2b9b7e")


class Cluster:
    """The PostgreSQL the tests run on."""

    run_database = ""  # this run's own

    def __init__(self) -> None:
        superuser = os.environ.get("VERBUND_TEST_SUPERUSER_URL")
        if superuser:
            self.superuser = superuser
            self.server = None
        else:
            from verbund.platform.tenancy import embedded

            VAR.mkdir(parents=True, exist_ok=True)
            self.server = embedded.start(VAR / "tests")
            self.superuser = self.server.get_uri()
            # A cluster of the tests' own: what it holds may be lost with the machine's power, not with a killed
            # process.
            with self.admin() as connection:
                connection.execute("ALTER SYSTEM SET fsync = off")
                connection.execute("ALTER SYSTEM SET full_page_writes = off")
                connection.execute("SELECT pg_reload_conf()")

    def admin(self) -> "psycopg.Connection[Any]":
        return psycopg.connect(self.superuser, autocommit=True)

    def settings(self, database: str, user: str) -> dict[str, str]:
        with psycopg.connect(self.superuser) as connection:
            info = connection.info
            return {"NAME": database, "USER": user, "PASSWORD": "", "HOST": info.host, "PORT": str(info.port)}

    def url(self, database: str, user: str) -> str:
        s = self.settings(database, user)
        return f"postgresql://{user}@/{database}?host={s['HOST']}&port={s['PORT']}"

    def copy(self, template: str, name: str) -> None:
        with self.admin() as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER verbund_owner").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )
            # A copy has none of its template's rights: as `prepare_cluster` gives them.
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
            connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO verbund_app").format(sql.Identifier(name)))

    def drop(self, name: str) -> None:
        with self.admin() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _migrations_digest() -> str:
    digest = hashlib.sha256()
    root = Path(os.environ.get("VERBUND_TEST_SCHEMA_OF", ROOT))  # tools/mutations.py changes a copy, not its tables
    source = root / "src" / "verbund"
    files = sorted(source.rglob("migrations/*.py")) + sorted((source / "platform" / "tenancy").glob("*.py"))
    for file in [
        *files,
        source / "config" / "settings.py",
        root / "tests" / "bodies.py",
        *sorted(source.rglob("models.py")),
        *sorted(source.rglob("models/*.py")),
    ]:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _template(cluster: Cluster) -> str:
    """The name of the migrated template database, made if this state of the migrations has none yet."""
    from verbund.platform.tenancy.roles_sql import prepare_cluster

    name = f"verbund_test_template_{_migrations_digest()}"
    with fasteners.InterProcessLock(VAR / "test-template.lock") if VAR.exists() else nullcontext():
        with cluster.admin() as connection:
            known = [row[0] for row in connection.execute("SELECT datname FROM pg_database ORDER BY oid").fetchall()]
            for stale in [n for n in known if n.startswith("verbund_test_run_")]:
                if not psutil.pid_exists(int(stale.split("_")[3])):
                    cluster.drop(stale)
            if name in known:
                return name
            unfinished = f"{name}_unfinished"
            cluster.drop(unfinished)
            prepare_cluster(connection, unfinished)
        done = subprocess.run(
            [sys.executable, "-P", str(ROOT / "tests" / "bodies.py")],
            env={
                **os.environ,
                "VERBUND_AS_OWNER": "1",
                "VERBUND_OWNER_DATABASE_URL": cluster.url(unfinished, "verbund_owner"),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.exit(f"the template database could not be made:\n{done.stdout}\n{done.stderr}", returncode=3)
        with cluster.admin() as connection:
            connection.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(unfinished), sql.Identifier(name))
            )
            older = [n for n in known if n.startswith("verbund_test_template_") and n != name]
            for old in older[:-12]:
                with suppress(psycopg.Error):
                    cluster.drop(old)
    return name


_NEEDS_DATABASE = {"cluster", "db", "transactional_db", "real_database", "owner_connection", "_database"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With VERBUND_TEST_DATABASE_ONLY, for a run on another PostgreSQL, leave out what would not come near it."""
    if os.environ.get("VERBUND_TEST_DATABASE_ONLY") != "1":
        return
    near: list[pytest.Item] = []
    far: list[pytest.Item] = []
    for item in items:
        asks = _NEEDS_DATABASE & set(getattr(item, "fixturenames", ())) or item.get_closest_marker("django_db")
        (near if asks else far).append(item)
    config.hook.pytest_deselected(items=far)
    items[:] = near


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture(scope="session")
def template_database(cluster: Cluster) -> str:
    return _template(cluster)


def _point_at(cluster: Cluster, database: str) -> None:
    from django.db import connections

    connection: Any = connections["default"]
    connection.close()
    connection.close_pool()
    connection.settings_dict.update(cluster.settings(database, "verbund_app"))


@pytest.fixture(scope="session")
def django_db_setup(cluster: Cluster, template_database: str, django_db_blocker: Any) -> Iterator[None]:
    """pytest-django's fixture, replaced: the run's own copy of the template, used as the role verbund_app."""
    name = f"verbund_test_run_{os.getpid()}"
    cluster.copy(template_database, name)
    with django_db_blocker.unblock():
        _point_at(cluster, name)
    cluster.run_database = name
    yield
    with django_db_blocker.unblock():
        from django.db import connections

        connection: Any = connections["default"]
        connection.close()
        connection.close_pool()
    cluster.drop(name)


@pytest.fixture
def real_database(
    cluster: Cluster, template_database: str, django_db_setup: None, django_db_blocker: Any
) -> Iterator[str]:
    """A fresh database of the test's own, without the rolled-back transaction: for threads, commits and crashes."""
    name = f"verbund_test_run_{os.getpid()}_{os.urandom(3).hex()}"
    cluster.copy(template_database, name)
    from django.db import connections

    with django_db_blocker.unblock():
        _point_at(cluster, name)
        try:
            yield name
        finally:
            connection: Any = connections["default"]
            connection.set_schema_to_public()
            _point_at(cluster, cluster.run_database)
            cluster.drop(name)


@pytest.fixture
def owner_connection(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator["psycopg.Connection[Any]"]:
    """A plain connection as the owner of the tables, to look behind the application and to tamper."""
    if "real_database" in request.fixturenames:
        name = request.getfixturevalue("real_database")
    else:
        request.getfixturevalue("django_db_setup")
        name = cluster.run_database
    with psycopg.connect(cluster.url(name, "verbund_owner"), autocommit=True) as connection:
        yield connection


@pytest.fixture(autouse=True)
def _fresh_surroundings(tmp_path: Path, settings: Any) -> Iterator[None]:
    """Files and mail of a test lie in its own folder; hosts kept from another test are forgotten."""
    settings.VERBUND_FILES_ROOT = tmp_path / "files"
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]
    settings.SECURE_SSL_REDIRECT = False
    from verbund.platform.tenancy.middleware import forget_hosts

    forget_hosts()
    yield


@pytest.fixture
def _database(request: pytest.FixtureRequest) -> None:
    """The database in whichever form the test asked for."""
    request.getfixturevalue("real_database" if "real_database" in request.fixturenames else "db")


@contextmanager
def _entered(schema_name: str) -> Iterator[Any]:
    from verbund.platform.tenancy import acting_for

    with acting_for(schema_name) as facts:
        yield facts


@pytest.fixture
def alpha(_database: None) -> Iterator[Any]:
    """The town the test works for: the connection is in its body for the length of the test."""
    with _entered("alpha") as facts:
        yield facts


@pytest.fixture
def alliance(_database: None) -> Iterator[Any]:
    """The alliance, entered for the length of the test (not together with `alpha`)."""
    with _entered("alliance") as facts:
        yield facts


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@pytest.fixture
def staff() -> Callable[..., Any]:
    """staff(Role.CLERK, …, body="alpha", units={"32"}, name="Eva Eich") -> Actor; the same name is the same person."""
    from verbund.platform.identity.actor import Actor, ActorKind

    def make(*roles: Any, body: str = "alpha", units: Any = (), name: str = "Eva Eich") -> Actor:
        return Actor(
            kind=ActorKind.STAFF,
            id=uuid5(_NAMES, f"{body} {name}"),
            name=name,
            body=body,
            roles=frozenset(roles),
            units=frozenset(units),
            request_id="test",
        )

    return make


@pytest.fixture
def system() -> Any:
    from verbund.platform.identity.actor import Actor

    return Actor.system("alpha", "test")


@pytest.fixture
def guest() -> Any:
    from verbund.platform.identity.actor import Actor

    return Actor.guest("alpha", "test")


@pytest.fixture
def client_of() -> Callable[[str], Any]:
    """client_of("alpha") -> a Django test client that speaks to that body's host. Enter no body in the same test's
    connection."""
    from django.test import Client

    def make(slug: str, **extra: Any) -> Client:
        return Client(headers={"host": f"{slug}.localhost"}, **extra)

    return make


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The standards' samples beside the project; tests that need them skip without, and fail without in CI."""
    if not SHARED.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail("../shared with the standards' samples is missing, and CI=true")
        pytest.skip("../shared with the standards' samples is not there")
    return SHARED
