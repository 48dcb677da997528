"""What a superuser does once per cluster and database; the same statements stand in docs/operations/postgresql.md."""

from typing import Any, Final

import psycopg
from psycopg import sql

OWNER: Final = "verbund_owner"
APP: Final = "verbund_app"

# The owner inherits, or PostgreSQL 15 would not count it as the owner of the schema `public` of its own database.
_CLUSTER: Final = f"""
DO $$ BEGIN CREATE ROLE {OWNER} LOGIN CREATEROLE INHERIT;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN IF NOT (SELECT rolinherit FROM pg_roles WHERE rolname = '{OWNER}') THEN
ALTER ROLE {OWNER} INHERIT; END IF; END $$;
DO $$ BEGIN CREATE ROLE {APP} LOGIN NOINHERIT NOCREATEDB NOCREATEROLE NOSUPERUSER;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
"""  # noqa: S608 - names of our own


def prepare_cluster(connection: "psycopg.Connection[Any]", database: str) -> None:
    """Roles `verbund_owner` and `verbund_app` and the database, as superuser and in autocommit; harmless when
    repeated."""
    connection.execute(_CLUSTER)
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone() is None:
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0").format(
                sql.Identifier(database), sql.Identifier(OWNER)
            )
        )
    name = sql.Identifier(database)
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, sql.Identifier(APP)))
