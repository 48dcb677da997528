"""The floor: the same rows written, or read, by plain SQL.

What a call writes is found by its transactions, whatever the tables: rows that a snapshot from before does not see.
They are written again into copies of their tables (same columns, indexes and checks; no foreign keys, no triggers), in
one transaction, one statement for each kind of row, with new keys each time. A row that was there before is updated.
What a call reads is written down here as SQL.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg import sql
from uuid_utils.compat import uuid7

SCHEMA: Final = "bench_floor"
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}\Z")
_MOST: Final = 1000  # calls of one client
_BEFORE: Final = 100  # calls before the first that counts have numbers below 0


@dataclass
class Written:
    """The rows of one table that a call has written, as text; `unique`: the columns of each unique index."""

    table: str
    columns: list[str]
    types: list[str]
    key: list[str]
    unique: list[list[str]]
    inserted: list[list[str | None]]
    updated: list[list[str | None]]


@contextmanager
def watched(connect: Callable[[], "psycopg.Connection[Any]"], schema_name: str) -> Iterator[list[Written]]:
    """Fills the list it gives with what is written into the body and into `public` while the block runs."""
    found: list[Written] = []
    with connect() as before, connect() as after:
        before.autocommit = False
        before.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        row = before.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text").fetchone()
        assert row is not None
        yield found
        tables = after.execute(
            "SELECT n.nspname, c.relname, c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind = 'r' AND n.nspname = ANY(%s) ORDER BY 1, 2",
            [[schema_name, "public"]],
        ).fetchall()
        for schema, table, oid in tables:
            written = _written(before, after, schema, table, oid, row[0])
            if written is not None:
                found.append(written)


def _written(
    before: "psycopg.Connection[Any]", after: "psycopg.Connection[Any]", schema: str, table: str, oid: int, first: str
) -> Written | None:
    columns = after.execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
        [oid],
    ).fetchall()
    names = [name for name, _type in columns]
    indexes = after.execute(
        "SELECT i.indisprimary, array_agg(a.attname::text) FROM pg_index i"
        " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey::int2[])"
        " WHERE i.indrelid = %s AND i.indisunique GROUP BY i.indexrelid, i.indisprimary",
        [oid],
    ).fetchall()
    key = next((list(found) for primary, found in indexes if primary), [])
    whole = sql.Identifier(schema, table)
    shown = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in names)
    query = sql.SQL("SELECT {} FROM {} WHERE xmin::text::bigint >= %s::bigint").format(shown, whole)
    rows = [list(row) for row in after.execute(query, [first]).fetchall()]
    if not rows:
        return None
    matches = sql.SQL(" AND ").join(sql.SQL("{}::text = %s").format(sql.Identifier(name)) for name in key)
    asked = sql.SQL("SELECT 1 FROM {} WHERE {}").format(whole, matches)
    places = [names.index(name) for name in key]
    there = [bool(key) and before.execute(asked, [row[p] for p in places]).fetchone() is not None for row in rows]
    return Written(
        f"{schema}.{table}",
        names,
        [kind for _name, kind in columns],
        key,
        [list(found) for _primary, found in indexes],
        [row for row, known in zip(rows, there) if not known],
        [row for row, known in zip(rows, there) if known],
    )


def prepare(connection: "psycopg.Connection[Any]", written: Sequence[Written], app: str = "verbund_app") -> None:
    """Make the copies of the tables, with the rows that are updated; for the role that will write."""
    connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA}".encode())
    for each in written:
        schema, _dot, table = each.table.partition(".")
        copy = sql.Identifier(SCHEMA, table)
        connection.execute(
            sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(copy, sql.Identifier(schema, table))
        )
        for row in each.updated:
            connection.execute(_insert(each, 1), row)
    connection.execute(
        f"GRANT USAGE ON SCHEMA {SCHEMA} TO {app}; GRANT ALL ON ALL TABLES IN SCHEMA {SCHEMA} TO {app};"
        f" ANALYZE".encode()
    )


def job(written: Sequence[Written], client: int) -> dict[str, Any]:
    """What a process needs to write the rows again and again."""
    return {"written": [asdict(each) for each in written], "client": client}


def replay(url: str, given: Mapping[str, Any]) -> Callable[[int], object]:
    """A call that writes the rows once more, under new keys, and commits."""
    written = [Written(**each) for each in given["written"]]
    fresh = {
        row[each.columns.index(name)]
        for each in written
        for row in each.inserted
        for name in each.key
        if _UUID.match(row[each.columns.index(name)] or "")
    }
    changed = {each.table: _to_be_changed(each, fresh) for each in written}
    rows = {each.table: _apart(each, changed[each.table]) for each in written}
    connection = psycopg.connect(url, prepare_threshold=0)

    def call(number: int) -> None:
        at = given["client"] * _MOST + number + _BEFORE
        keys = {old: str(uuid7()) for old in fresh}
        for each in written:
            if each.inserted:
                values = [
                    _again(value, name, keys, changed[each.table], at * len(each.inserted) + place)
                    for place, row in enumerate(rows[each.table])
                    for name, value in zip(each.columns, row)
                ]
                connection.execute(_insert(each, len(each.inserted)), values)
            for row in each.updated:
                connection.execute(_update(each), [row[each.columns.index(name)] for name in (*_rest(each), *each.key)])
        connection.commit()

    return call


def _to_be_changed(each: Written, fresh: set[str | None]) -> set[str]:
    """One column of every unique index that no new key makes unique already."""
    chosen: set[str] = set()
    for index in each.unique:
        if any(
            name in chosen or (row[each.columns.index(name)] in fresh) for name in index for row in each.inserted[:1]
        ):
            continue
        texts = [name for name in index if each.types[each.columns.index(name)].startswith(("character", "text"))]
        numbers = [name for name in index if "int" in each.types[each.columns.index(name)]]
        chosen.update(texts[:1] or numbers[-1:])
    return chosen


def _apart(each: Written, changed: set[str]) -> list[list[str | None]]:
    """The rows, with the highest of their numbers in the columns that are counted on: what others wrote between two
    rows of the call must not lead to the same number twice."""
    places = [at for at, name in enumerate(each.columns) if name in changed]
    rows = [list(row) for row in each.inserted]
    for at in places:
        numbers = [int(value) for row in rows if (value := row[at]) is not None and value.isdecimal()]
        if len(numbers) == len(rows):
            for row in rows:
                row[at] = str(max(numbers))
    return rows


def _again(value: str | None, name: str, keys: Mapping[str | None, str], changed: set[str], at: int) -> str | None:
    if value in keys:
        return keys[value]
    if value is None or name not in changed:
        return value
    if _DIGEST.match(value):
        return f"{value[:48]}{at:016x}"
    return str(int(value) + at) if value.isdecimal() else f"{value[:20]}~{at}"


def _insert(each: Written, number: int) -> sql.Composed:
    row = sql.SQL("({})").format(sql.SQL(", ").join(sql.SQL("%s::" + kind) for kind in each.types))
    return sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES {}").format(
        sql.Identifier(SCHEMA, each.table.partition(".")[2]),
        sql.SQL(", ").join(map(sql.Identifier, each.columns)),
        sql.SQL(", ").join([row] * number),
    )


def _rest(each: Written) -> list[str]:
    """The columns beside the key."""
    return [name for name in each.columns if name not in each.key]


def _update(each: Written) -> sql.Composed:
    kinds = dict(zip(each.columns, each.types))
    place = sql.SQL("{} = %s::{}")
    pairs = [place.format(sql.Identifier(name), sql.SQL(kinds[name])) for name in _rest(each)]
    where = [place.format(sql.Identifier(name), sql.SQL(kinds[name])) for name in each.key]
    return sql.SQL("UPDATE {} SET {} WHERE {}").format(
        sql.Identifier(SCHEMA, each.table.partition(".")[2]), sql.SQL(", ").join(pairs), sql.SQL(" AND ").join(where)
    )


def summary(written: Sequence[Written]) -> str:
    """What a call has written, in one line."""
    counts: dict[str, int] = defaultdict(int)
    for each in written:
        counts[each.table.partition(".")[2]] += len(each.inserted) + len(each.updated)
    return ", ".join(f"{number} {table}" for table, number in sorted(counts.items()))


# --- reading

LIST: Final = """
SELECT id, reference, title, party, unit, state, is_sealed, assigned_to, assigned_name, opened_at, promised_on,
       closed_at, retention_until
  FROM records_case WHERE unit = ANY(%s) AND NOT is_sealed ORDER BY opened_at DESC, id DESC LIMIT 51
"""
CASE: Final = (  # a case may be without documents and letters; none is without a beginning
    "SELECT c.*, f.reference, f.title, p.* FROM records_case c JOIN records_file f ON f.id = c.file_id"
    " JOIN records_fileplanposition p ON p.id = c.position_id WHERE c.id = %s",
    "SELECT d.*, v.id, v.number, v.size, v.media_type, v.filename, v.pages, v.created_at FROM records_document d"
    " JOIN records_documentversion v ON v.document_id = d.id AND v.number = d.versions WHERE d.case_id = %s"
    " ORDER BY d.number",
    "SELECT * FROM records_timelineentry WHERE case_id = %s ORDER BY at DESC, id DESC",
    "SELECT * FROM records_letter WHERE case_id = %s ORDER BY issued_at DESC",
)
CASE_MAY_BE_EMPTY: Final = (1, 3)
SEARCH: Final = """
SELECT e.kind, e.case_id, e.document_id, e.happened_at, c.reference, c.party, c.unit, c.state, c.title,
       d.number, d.kind, d.title, left(v.text, 4000)
  FROM (SELECT * FROM records_searchentry WHERE vector @@ to_tsquery('pg_catalog.german', %s) AND unit = ANY(%s)
           AND NOT is_sealed ORDER BY happened_at DESC, id DESC LIMIT 51) e
  JOIN records_case c ON c.id = e.case_id
  LEFT JOIN records_document d ON d.id = e.document_id
  LEFT JOIN records_documentversion v ON v.document_id = d.id AND v.number = d.versions
 ORDER BY e.happened_at DESC, e.id DESC
"""


def read_again(url: str, given: Mapping[str, Any]) -> Callable[[int], object]:
    """A call that makes the statements of the job, each with its parameters; with `each` the next one of these ids.

    A statement that reads nothing ends the measurement, but for those whose number stands in `may_be_empty`.
    """
    connection = psycopg.connect(url, autocommit=True)
    connection.execute(
        "SELECT set_config('search_path', %s, false), set_config('role', %s, false)",
        [f'"{given["body"]}", public', f"body_{given['body']}"],
    )
    ids = [UUID(each) for each in given.get("each", ())]

    may_be_empty = frozenset(given.get("may_be_empty", ()))

    def call(number: int) -> None:
        for at, (statement, parameters) in enumerate(given["statements"]):
            values = [ids[number % len(ids)]] if ids else parameters
            if not connection.execute(statement, values).fetchall() and at not in may_be_empty:
                raise RuntimeError(f"the floor reads nothing: {statement}")

    return call


def as_json(written: Sequence[Written]) -> str:
    """The rows as JSON, to look at."""
    return json.dumps([asdict(each) for each in written], ensure_ascii=False, indent=1)
