"""Whether anything was changed: a digest of every table, of which only those are read anew that were written to.

Reading some four hundred tables takes longer than most of the requests after which it is asked. So every table of the
filled database notes by a trigger that a statement wrote to it; what was rolled back has written nothing. A table
without that trigger is read each time.
"""

from typing import Any

import psycopg
from psycopg import sql

# What may change when somebody is only looking: nothing but sessions and counters of attempts.
TRACES = {"identity_local_session", "identity_local_attempts"}
SCHEMAS = ["public", "alliance", "alpha", "beta"]

_WATCH = """
CREATE SCHEMA watched;
CREATE TABLE watched.written (name text NOT NULL);
CREATE FUNCTION watched.note() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = watched, pg_temp AS $$
BEGIN
    INSERT INTO written VALUES (TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME);
    RETURN NULL;
END $$;
GRANT USAGE ON SCHEMA watched TO PUBLIC;
GRANT SELECT ON watched.written TO PUBLIC;
"""
_TABLES = """
SELECT n.nspname, c.relname, EXISTS (
           SELECT 1 FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = 'zz_watched' AND t.tgenabled = 'O')
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY(%s)
"""
_known: dict[str, dict[str, str]] = {}

Connection = psycopg.Connection[Any]


def watch(connection: Connection) -> None:
    """Let every table note when it is written to; as its owner, once for a database and all its copies."""
    connection.execute(_WATCH)
    for schema, table, watched in connection.execute(_TABLES, [SCHEMAS]).fetchall():
        if not watched and table not in TRACES:
            connection.execute(
                sql.SQL(
                    "CREATE TRIGGER zz_watched AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {}"
                    " FOR EACH STATEMENT EXECUTE FUNCTION watched.note()"
                ).format(sql.Identifier(schema, table))
            )


def state_of(connection: Connection) -> dict[str, str]:
    """A digest of every table of every body and of `public`, apart from what looking leaves behind."""
    written = {name for (name,) in connection.execute("DELETE FROM watched.written RETURNING name").fetchall()}
    known = _known.get(connection.info.dbname, {})
    state, anew = {}, []
    for schema, table, watched in connection.execute(_TABLES, [SCHEMAS]).fetchall():
        name = f"{schema}.{table}"
        if table in TRACES:
            continue
        if watched and name in known and name not in written:
            state[name] = known[name]
        else:
            anew.append((schema, table))
    if anew:
        parts = sql.SQL(" UNION ALL ").join(
            sql.SQL(
                "SELECT {}, md5(coalesce(string_agg(md5(t::text), '' ORDER BY md5(t::text)), '')) FROM {} t"
            ).format(sql.Literal(f"{s}.{t}"), sql.Identifier(s, t))
            for s, t in sorted(anew)
        )
        state.update(connection.execute(parts).fetchall())
    return state


def look(connection: Connection) -> None:
    """Take the present state as the one to compare with."""
    _known[connection.info.dbname] = state_of(connection)


def before(connection: Connection) -> dict[str, str]:
    """The state as the last test left it: only `changed` looks anew."""
    if connection.info.dbname not in _known:
        look(connection)
    return _known[connection.info.dbname]


def changed(connection: Connection) -> list[str]:
    """The tables in which something is different since `before`."""
    was = before(connection)
    look(connection)
    now = _known[connection.info.dbname]
    return [name for name in now if was.get(name) != now[name]]
