"""Blueprints (Baupläne): what the migrations do, written down once as SQL, so that a body need not run them again.

Running the migrations costs seconds of Python per body; what they send to PostgreSQL costs tenths of a second. So they
are run once, in a schema that is thrown away, and every statement is kept in `public.tenancy_blueprint`, together with
the rights of the body's role. The database function `verbund_found_body` makes a body of it. A blueprint is found by a
digest of all migrations and rights: new code finds none of the old ones.

The same in small for bodies that exist: what a release changes is recorded at the first body and repeated at the
others.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import psycopg
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import models, transaction
from django.db.migrations.state import ProjectState
from psycopg import sql

from .context import connection
from .models import Blueprint
from .roles import rights_in

SCRATCH: Final = "verbund_blueprint"  # the schema that is thrown away, and what stands for a body's name in the rights
KEPT: Final = 3  # releases whose blueprints stay: processes of the one before may still found bodies
_FORM: Final = b"1"  # of what is kept here
_RECORDED: Final = re.compile(r'\s*INSERT INTO "django_migrations"', re.IGNORECASE)
# What only looks, and what the backends send to enter a schema.
_PASSING: Final = re.compile(
    r"\s*(SELECT\s.*\b(pg_catalog|django_migrations)\b|SELECT set_config\('search_path'|SET search_path\s|SHOW\s"
    r"|SAVEPOINT\s|RELEASE\s)",
    re.IGNORECASE | re.DOTALL,
)
# Between two migrations lies a commit; in one script this settles what it would have settled.
_BORDER: Final = "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED"


@dataclass(frozen=True, slots=True)
class Recording:
    """What one run of the migrations has sent: the statements as one script, and the migrations it was."""

    script: str
    migrations: tuple[tuple[str, str], ...]


def run_migrations(schema_name: str, verbosity: int = 0) -> None:
    """Migrate one schema as Django does it; the connection is in `public` afterwards."""
    with _without_content_types(), _without_drawing_anew():
        call_command("migrate_schemas", schema_name=schema_name, interactive=False, verbosity=verbosity)
    connection.set_schema_to_public()


def record_migrations(schema_name: str, verbosity: int = 0) -> Recording:
    """Migrate one schema as Django does it, and write down what was sent."""
    statements: list[str] = []
    migrations: list[tuple[str, str]] = []

    def listen(execute: Callable[..., Any], statement: Any, params: Any, many: bool, context: Any) -> Any:
        result = execute(statement, params, many, context)
        text = str(statement)
        if _RECORDED.match(text):
            migrations.append((str(params[0]), str(params[1])))
            if statements and statements[-1] != _BORDER:
                statements.append(_BORDER)
        elif not _PASSING.match(text):
            statements.extend(_plain(text, params, many))
        return result

    with connection.execute_wrapper(listen):
        run_migrations(schema_name, verbosity)
    return Recording("\n;\n".join(statements), tuple(migrations))


def _plain(text: str, params: Any, many: bool) -> list[str]:
    """The statement with its values in it."""
    if params is None:
        return [text]
    with psycopg.ClientCursor(connection.connection) as cursor:
        return [cursor.mogrify(text, values) for values in (params if many else [params])]


def repeat(schema_name: str, recording: Recording) -> None:
    """Do in another schema what was recorded, in the present transaction; the caller gives the rights."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SET LOCAL search_path = {}, public").format(sql.Identifier(schema_name)))
        cursor.execute(recording.script)
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied)"
            " SELECT m.app, m.name, now() FROM unnest(%s::text[], %s::text[]) AS m (app, name)",
            [[app for app, _ in recording.migrations], [name for _, name in recording.migrations]],
        )
        cursor.execute("SET LOCAL search_path = public")


@cache
def digest() -> str:
    """What stands for all migrations and rights of this code."""
    found = hashlib.sha256(_FORM)
    for config in sorted(apps.get_app_configs(), key=lambda c: c.label):
        for file in sorted(Path(config.path, "migrations").glob("*.py")):
            found.update(f"\n{config.label} {file.name} ".encode())
            found.update(hashlib.sha256(file.read_bytes()).digest())
    found.update(repr(settings.TENANT_APPS).encode())
    found.update(_rights(None).encode())
    return found.hexdigest()


def prepare(verbosity: int = 0) -> bool:
    """Make the blueprint of this code unless there is one; called as the owner, after `public` was migrated.

    Returns whether there is one: migrations that are not atomic cannot be repeated in one transaction, and bodies are
    then founded by running them.
    """
    if not repeatable_from_nothing():
        return False
    with _alone():
        if Blueprint.objects.filter(digest=digest()).exists():
            return True
        _drop_scratch()
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(SCRATCH)))
        recorded = record_migrations(SCRATCH, verbosity)
        with connection.cursor() as cursor:
            cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [SCRATCH])
            tables = {name for (name,) in cursor.fetchall()}
        with transaction.atomic():
            Blueprint.objects.create(
                digest=digest(),
                tables=recorded.script,
                rights=_rights(tables),
                migrations=[list(pair) for pair in recorded.migrations],
            )
            kept = Blueprint.objects.order_by("-made_at").values("digest")[:KEPT]
            Blueprint.objects.exclude(digest__in=[row["digest"] for row in kept]).delete()
        _drop_scratch()
    return True


def _rights(tables: set[str] | None) -> str:
    return ";\n".join(statement.as_string(None) for statement in rights_in(SCRATCH, tables))


def _drop_scratch() -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(SCRATCH)))


@contextmanager
def _alone() -> Iterator[None]:
    """Only one process makes a blueprint; the lock is of the session of its own, for Django's is closed by each run."""
    with psycopg.connect(**_address(), autocommit=True) as own:
        own.execute("SELECT pg_advisory_lock(hashtext('verbund_blueprint'))")
        yield


def _address() -> dict[str, Any]:
    wanted: Mapping[str, Any] = connection.get_connection_params()
    return {
        k: v for k, v in wanted.items() if k in {"dbname", "user", "password", "host", "port", "sslmode", "sslrootcert"}
    }


def repeatable_from_nothing() -> bool:
    """Whether all migrations may run in one transaction."""
    return all(migration.atomic is not False for migration in _loader().disk_migrations.values())


def repeatable(missing: Sequence[tuple[str, str]]) -> bool:
    """Whether these migrations send the same to every body: only operations that change the shape, none that looks at
    the rows."""
    known = _loader().disk_migrations
    return not _loader().replacements and all(
        key in known and known[key].atomic is not False and all(map(_shapes_only, known[key].operations))
        for key in missing
    )


def _shapes_only(operation: Any) -> bool:
    kind = type(operation)
    if kind.__name__ == "SeparateDatabaseAndState":
        return all(map(_shapes_only, operation.database_operations))
    return kind.__module__.startswith("django.db.migrations.operations") and kind.__name__ != "RunPython"


def all_migrations() -> frozenset[tuple[str, str]]:
    """Every migration of this code, as (app, name)."""
    return frozenset(_loader().disk_migrations)


@cache
def _loader() -> Any:
    from django.db.migrations.loader import MigrationLoader

    return MigrationLoader(None)


@contextmanager
def _without_content_types() -> Iterator[None]:
    """Migrate without the rows of content types and permissions that nobody here reads; they cost seconds per body."""
    from django.contrib.auth.management import create_permissions
    from django.contrib.contenttypes.management import create_contenttypes

    signal = models.signals.post_migrate
    signal.disconnect(create_contenttypes)
    signal.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")
    try:
        yield
    finally:
        signal.connect(create_contenttypes)
        signal.connect(create_permissions, dispatch_uid="django.contrib.auth.management.create_permissions")


@contextmanager
def _without_drawing_anew() -> Iterator[None]:
    """Migrate without drawing up models anew where PostgreSQL's statements do not depend on it.

    Django draws up a model and all that is related to it, however far, after every new table, constraint and index:
    more than half of what migrating costs. A constraint and an index say themselves what they are, and a new table
    needs those that it names itself. Python in a migration still gets all models as they are (`is_delayed`).
    """
    drawn: Any = ProjectState
    append, add = drawn._append_option, drawn.add_model

    def append_option(state: Any, app_label: str, model_name: str, option: str, value: Any) -> None:
        options = state.models[app_label, model_name].options
        options[option] = [*options[option], value]
        if "apps" in state.__dict__:  # else they are not drawn up yet
            state.is_delayed = True

    def add_model(state: Any, model: Any) -> None:
        key = model.app_label, model.name_lower
        state.models[key] = model
        if state._relations is not None:
            state.resolve_model_relations(key)
        state.reload_model(*key, delay=True)

    drawn._append_option, drawn.add_model = append_option, add_model
    try:
        yield
    finally:
        drawn._append_option, drawn.add_model = append, add
