"""Database roles (Datenbankrollen): owner, login role, and one role per body.

`verbund_owner`  owns every table and runs the migrations; never used by web or worker.
`verbund_app`    the login of web and worker: NOINHERIT, owns nothing, member of every body's role so that it can SET
ROLE. `body_<schema>`  the rights of one body; cannot log in.
"""

from collections import defaultdict
from collections.abc import Iterable

from django.apps import apps
from django.conf import settings
from django.db import connection, models
from psycopg import sql

from .rights import APP_RIGHTS, FULL, PUBLIC_RIGHTS
from .roles_sql import APP


def body_role(schema_name: str) -> str:
    """The name of the database role of the body with this schema."""
    return f"body_{schema_name}"


def tenant_models() -> list[type[models.Model]]:
    """Every model whose table stands in the bodies' schemas, many-to-many tables included."""
    names = set(settings.TENANT_APPS)
    found: list[type[models.Model]] = []
    for config in apps.get_app_configs():
        if config.name in names:
            found.extend(config.get_models(include_auto_created=True))
    return [m for m in found if m._meta.managed and not m._meta.proxy]


def create_body_role(schema_name: str) -> None:
    """Create the role of a body and let the login role take it; called as the owner, again and again without harm."""
    role = body_role(schema_name)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        if cursor.fetchone() is None:
            # Another database of the same cluster may create the same role at this moment.
            cursor.execute(
                sql.SQL(
                    "DO $$ BEGIN CREATE ROLE {} NOLOGIN NOINHERIT;"
                    " EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
                ).format(sql.Identifier(role))
            )
        cursor.execute(
            "SELECT 1 FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid JOIN pg_roles u ON u.oid = m.member"
            " WHERE r.rolname = %s AND u.rolname = %s",
            [role, APP],
        )
        if cursor.fetchone() is None:
            cursor.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), sql.Identifier(APP)))


def grant_rights(schema_name: str) -> None:
    """Give the body's role its rights in its own schema and in `public`, and take away what is no longer listed."""
    _all_there(PUBLIC_RIGHTS)
    _run(rights_in(schema_name, _tables(schema_name)))


def rights_in(schema_name: str, tables: "set[str] | None" = None) -> list[sql.Composable]:
    """The statements that give a body's role its rights; `tables` are those of its schema, None for all there should
    be."""
    role = sql.Identifier(body_role(schema_name))
    schema = sql.Identifier(schema_name)
    statements: list[sql.Composable] = [
        sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, role),
        sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(role),
        sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA {} FROM {}").format(schema, role),
        sql.SQL("GRANT USAGE ON ALL SEQUENCES IN SCHEMA {} TO {}").format(schema, role),
        sql.SQL("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {} TO {}").format(schema, role),
        sql.SQL("GRANT SELECT ON {}.django_migrations TO {}").format(schema, role),
    ]
    alike: dict[tuple[str, ...], list[sql.Composable]] = defaultdict(list)
    for model in tenant_models():
        table = model._meta.db_table
        if tables is None or table in tables:  # a room without its migration yet; `makemigrations --check` names it
            alike[tuple(getattr(model, "database_rights", FULL))].append(sql.Identifier(schema_name, table))
    for rights, targets in alike.items():
        statements.append(_grant(rights, sql.SQL(", ").join(targets), role))
    # What the body may only read loses again what the lines above have given (`closing.py`).
    kept = sql.SQL("SELECT public.verbund_keep_closed({})").format(sql.Literal(schema_name))
    return [*statements, *_public(role, PUBLIC_RIGHTS), kept]


def grant_app_rights() -> None:
    """Give the login role what the middleware and the worker need before a body is known."""
    role = sql.Identifier(APP)
    statements: list[sql.Composable] = [
        sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(role),
        sql.SQL("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}").format(role),
        sql.SQL("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {}").format(role),
    ]
    _all_there(PUBLIC_RIGHTS)
    _all_there(APP_RIGHTS)
    _run(statements + _public(role, PUBLIC_RIGHTS) + _public(role, APP_RIGHTS))


def _all_there(table: dict[str, tuple[str, ...]]) -> None:
    missing = set(table) - _tables("public")
    if missing:
        raise RuntimeError(f"rights are listed for tables that do not exist in public: {sorted(missing)}")


def _public(role: sql.Composable, table: dict[str, tuple[str, ...]]) -> list[sql.Composable]:
    statements: list[sql.Composable] = []
    for name, rights in table.items():
        target = sql.Identifier("public", name)
        statements.append(sql.SQL("REVOKE ALL ON {} FROM {}").format(target, role))
        statements.append(_grant(rights, target, role))
        statements.append(
            sql.SQL(
                "DO $$ DECLARE s text; BEGIN FOR s IN SELECT pg_get_serial_sequence({lit}, a.attname)"
                " FROM pg_attribute a"
                " WHERE a.attrelid = {lit}::regclass AND a.attnum > 0 AND NOT a.attisdropped LOOP"
                " IF s IS NOT NULL THEN EXECUTE 'GRANT USAGE ON SEQUENCE ' || s || ' TO ' || {role};"
                " END IF; END LOOP; END $$"
            ).format(lit=sql.Literal(f"public.{name}"), role=sql.Literal(role.as_string(None)))
        )
    return statements


def _tables(schema_name: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema_name])
        return {name for (name,) in cursor.fetchall()}


def _grant(rights: Iterable[str], target: sql.Composable, role: sql.Composable) -> sql.Composable:
    return sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(", ").join(map(sql.SQL, rights)), target, role)


def _run(statements: Iterable[sql.Composable]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(";\n").join(statements))
