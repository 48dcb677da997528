"""Taking a body's schema, role and contents away."""

from datetime import UTC, datetime, timedelta
from typing import Final

import psycopg
from psycopg import sql

_MOST: Final = 2000  # contents a batch


def remove_schema(address: str, schema: str) -> None:
    """Drop the schema with everything in it, and the body's role where no other database of the cluster needs it."""
    role = sql.Identifier(f"body_{schema}")
    with psycopg.connect(address) as connection:
        connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))
    with psycopg.connect(address, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [f"body_{schema}"]).fetchone() is None:
            return
        for (table,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall():
            connection.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(sql.Identifier("public", table), role))
        for (sequence,) in connection.execute(
            "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'"
        ).fetchall():
            connection.execute(
                sql.SQL("REVOKE ALL ON SEQUENCE {} FROM {}").format(sql.Identifier("public", sequence), role)
            )
        connection.execute(sql.SQL("REVOKE ALL ON SCHEMA public FROM {}").format(role))
        try:
            connection.execute(sql.SQL("DROP ROLE {}").format(role))
        except psycopg.errors.DependentObjectsStillExist:
            return  # another database of this cluster has a body of the same name


def remove_contents(schema: str) -> int:
    """Remove every stored content of a body; how many."""
    from verbund.platform.files.stores import store

    keeper = store()
    soon = datetime.now(UTC) + timedelta(days=1)
    removed = 0
    while batch := [
        sha256 for sha256, _number in zip(keeper.contents(schema, before=soon), range(_MOST), strict=False)
    ]:
        gone = sum(keeper.remove(schema, sha256, before=soon) for sha256 in batch)
        removed += gone
        if not gone:
            break
    keeper.clear_stage(schema, before=soon)
    return removed
