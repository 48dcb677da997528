"""What the models declare is what PostgreSQL enforces, table by table."""

from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from verbund.platform.tenancy.rights import APPEND_ONLY, FULL, PUBLIC_RIGHTS
from verbund.platform.tenancy.roles import tenant_models

MODELS = tenant_models()
RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")


def _declared(model: Any) -> tuple[str, ...]:
    rights: tuple[str, ...] = tuple(getattr(model, "database_rights", FULL))
    return rights


APPEND_ONLY_MODELS = [m for m in MODELS if set(_declared(m)) == set(APPEND_ONLY)] + [
    m for m in MODELS if m._meta.label == "audit.AuditEntry"
]


@pytest.mark.parametrize("schema", ["alpha", "beta", "alliance"])
def test_a_bodys_role_holds_exactly_the_declared_rights(
    owner_connection: "psycopg.Connection[Any]", schema: str
) -> None:
    wrong = []
    for model in MODELS:
        table = model._meta.db_table
        held = owner_connection.execute(
            "SELECT array_agg(r ORDER BY r) FROM unnest(%s::text[]) r WHERE has_table_privilege(%s, %s, r)",
            [list(RIGHTS), f"body_{schema}", f'{schema}."{table}"'],
        ).fetchone()
        if held is None or set(held[0] or ()) != set(_declared(model)):
            wrong.append(f"{table}: {held and held[0]}")
    assert wrong == []


def test_a_bodys_role_holds_nothing_in_any_other_body(owner_connection: "psycopg.Connection[Any]") -> None:
    held = owner_connection.execute(
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname IN ('beta', 'alliance') AND c.relkind IN ('r', 'v', 'm', 'p')"
        " AND has_table_privilege('body_alpha', c.oid, 'SELECT, INSERT, UPDATE, DELETE')"
    ).fetchall()
    assert held == []


def test_every_table_of_a_body_is_a_models_table(owner_connection: "psycopg.Connection[Any]") -> None:
    there = {
        row[0]
        for row in owner_connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'alpha'").fetchall()
    }
    known = {m._meta.db_table for m in MODELS}
    assert there - known == {"django_migrations"}
    assert known - there == set()


def test_public_holds_no_room(owner_connection: "psycopg.Connection[Any]") -> None:
    there = {
        row[0]
        for row in owner_connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    }
    assert there & {m._meta.db_table for m in MODELS} == set()


def test_a_bodys_role_holds_in_public_what_is_listed(owner_connection: "psycopg.Connection[Any]") -> None:
    wrong = []
    for (table,) in owner_connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall():
        held = owner_connection.execute(
            "SELECT array_agg(r) FROM unnest(%s::text[]) r WHERE has_table_privilege('body_alpha', %s, r)",
            [list(RIGHTS), f'public."{table}"'],
        ).fetchone()
        if held is None or set(held[0] or ()) != set(PUBLIC_RIGHTS.get(table, ())):
            wrong.append(f"{table}: {held and held[0]}")
    assert wrong == []


def test_no_foreign_key_leaves_its_schema(owner_connection: "psycopg.Connection[Any]") -> None:
    crossing = owner_connection.execute(
        "SELECT k.conrelid::regclass::text, k.conname FROM pg_constraint k JOIN pg_class a ON a.oid = k.conrelid"
        " JOIN pg_class b ON b.oid = k.confrelid WHERE k.contype = 'f' AND a.relnamespace <> b.relnamespace"
    ).fetchall()
    assert crossing == []


@pytest.mark.parametrize("model", APPEND_ONLY_MODELS, ids=lambda m: m._meta.label)
def test_an_append_only_table_refuses_change_for_its_owner_too(
    owner_connection: "psycopg.Connection[Any]", model: Any
) -> None:
    table = f'alpha."{model._meta.db_table}"'
    # 2: before, 8: delete, 16: update, 32: truncate (pg_trigger.tgtype); a row trigger for change, a statement one
    # for truncate.
    triggers = owner_connection.execute(
        "SELECT bool_or(tgtype & 2 > 0 AND tgtype & 16 > 0), bool_or(tgtype & 2 > 0 AND tgtype & 8 > 0),"
        " bool_or(tgtype & 2 > 0 AND tgtype & 32 > 0) FROM pg_trigger"
        " WHERE tgrelid = %s::regclass AND NOT tgisinternal AND tgenabled IN ('O', 'A')",
        [table],
    ).fetchone()
    assert triggers == (True, True, True)
    with pytest.raises(psycopg.Error, match="append-only"):
        owner_connection.execute(f"TRUNCATE {table} CASCADE")


def test_an_audit_entry_refuses_update_and_delete_for_its_owner(
    real_database: str, owner_connection: "psycopg.Connection[Any]"
) -> None:
    from verbund.platform import audit
    from verbund.platform.identity.actor import Actor
    from verbund.platform.tenancy import acting_for

    with acting_for("alpha"):
        audit.record(Actor.system("alpha", "test"), "test.happened", "test.thing", "1", after={"a": 1})
    before = owner_connection.execute("SELECT * FROM alpha.audit_auditentry").fetchall()
    assert len(before) == 1
    for statement in ("UPDATE alpha.audit_auditentry SET action = 'x'", "DELETE FROM alpha.audit_auditentry"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
            owner_connection.execute(statement)
    assert owner_connection.execute("SELECT * FROM alpha.audit_auditentry").fetchall() == before


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m._meta.label)
def test_the_login_role_reads_no_body_without_entering_it(db: None, model: Any) -> None:
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f'SELECT 1 FROM alpha."{model._meta.db_table}"')


def test_the_login_role_owns_nothing_and_can_become_no_owner(owner_connection: "psycopg.Connection[Any]") -> None:
    facts = owner_connection.execute(
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolinherit, rolbypassrls,"
        " pg_has_role('verbund_app', 'verbund_owner', 'MEMBER'),"
        " (SELECT count(*) FROM pg_class WHERE relowner = r.oid) FROM pg_roles r WHERE rolname = 'verbund_app'"
    ).fetchone()
    assert facts == (False, False, False, False, False, False, 0)


@pytest.mark.parametrize("role", ["body_alpha", "body_beta", "body_alliance"])
def test_a_bodys_role_cannot_log_in_and_is_nothing_more(owner_connection: "psycopg.Connection[Any]", role: str) -> None:
    facts = owner_connection.execute(
        "SELECT rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls,"
        " (SELECT count(*) FROM pg_auth_members WHERE member = r.oid),"
        " (SELECT count(*) FROM pg_class WHERE relowner = r.oid) FROM pg_roles r WHERE rolname = %s",
        [role],
    ).fetchone()
    assert facts == (False, False, False, False, False, 0, 0)
