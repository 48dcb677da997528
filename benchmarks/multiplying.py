"""Filling a body by plain SQL: copies of its model cases, spread over ten years, and a journal of any length.

A copy is a row that the services wrote, with new keys, numbers, days and hands; all else stays, the search vectors
too, in which only the references are exchanged. Numbers are without gaps, the counters stand behind the last. What is
left out: entries of the audit chain, and the anchors of the documents' versions in it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import sql

YEARS: Final = 10
_BIG: Final = 5_000  # cases or lines, from which on the server is hurried and indexes are built at the end
_TABLES: Final = (
    *("records_case", "records_document", "records_documentversion", "records_searchentry", "records_timelineentry"),
)
_LINES: Final = 10  # of a voucher of the journal
_BATCH: Final = 500  # vouchers of one call

_MODELS: Final = """
CREATE UNLOGGED TABLE bench_model AS
SELECT c.id, c.unit = ANY(%(units)s) AS seen, c.position_id, p.code, p.title AS position_title, c.reference,
       f.reference AS file_reference, c.opened_at,
       row_number() OVER (PARTITION BY c.unit = ANY(%(units)s) ORDER BY c.id) - 1 AS m
  FROM records_case c JOIN records_file f ON f.id = c.file_id JOIN records_fileplanposition p ON p.id = c.position_id;
CREATE UNLOGGED TABLE bench_entry AS
SELECT e.*, m.id AS model, ts_delete(e.vector, ARRAY['#' || lower(m.reference), '#' || lower(m.file_reference)]) AS bare
  FROM records_searchentry e JOIN bench_model m ON m.id = e.case_id;
CREATE UNIQUE INDEX ON bench_model (seen, m);
CREATE INDEX ON bench_entry (model);
ANALYZE bench_model, bench_entry
"""

# The n-th case is the n-th of the ten years; `others` of them, evenly, belong to units the clerk does not work for.
_COPIES: Final = """
CREATE UNLOGGED TABLE bench_copy AS
WITH spread AS (
  SELECT n, n * %(others)s::bigint / %(total)s = (n - 1) * %(others)s::bigint / %(total)s AS seen,
         now() - make_interval(secs => %(span)s * (1 - n::float / %(total)s) + 86400) AS opened_at
    FROM generate_series(1, %(total)s) n),
dealt AS (
  SELECT s.*, (s.n * 7919::bigint) %% k.models AS m,
         extract(year FROM s.opened_at AT TIME ZONE 'Europe/Berlin')::int AS year
    FROM spread s JOIN (SELECT seen, count(*) AS models FROM bench_model GROUP BY seen) k ON k.seen = s.seen)
SELECT d.n, d.seen, d.opened_at, d.year, b.id AS model, b.position_id, b.code, b.position_title,
       b.opened_at AS model_at, uuidv7(d.opened_at - clock_timestamp()) AS id,
       row_number() OVER (PARTITION BY b.position_id, d.year ORDER BY d.n) + coalesce(k.last, 0) AS number,
       abs(hashint4(d.n)) %% 100 AS dice,
       d.opened_at < now() - interval '240 days' AND abs(hashint4(d.n + 1)) %% 10 < 7 AS closed
  FROM dealt d JOIN bench_model b ON b.seen = d.seen AND b.m = d.m
  LEFT JOIN records_referencecounter k ON k.position_id = b.position_id AND k.year = d.year
 ORDER BY d.n
"""

_FILES: Final = """
INSERT INTO records_file (id, position_id, reference, title, year, number, opened_at)
SELECT uuidv7(min(c.opened_at) - clock_timestamp()), c.position_id, c.code || '-' || c.year,
       left(c.position_title || ' ' || c.year, 300), c.year, NULL, min(c.opened_at)
  FROM bench_copy c
 WHERE NOT EXISTS (SELECT 1 FROM records_file f WHERE f.position_id = c.position_id AND f.year = c.year)
 GROUP BY c.position_id, c.code, c.position_title, c.year
"""

_NAMED: Final = """
CREATE UNLOGGED TABLE bench_case AS
SELECT c.*, f.id AS file, f.reference AS file_reference,
       c.code || '-' || c.year || '/' || lpad(c.number::text, greatest(4, length(c.number::text)), '0') AS reference,
       CASE WHEN c.dice < 2 THEN %(clerk)s::uuid
            WHEN c.dice < 60 THEN ('00000000-0000-7000-8000-0000000000' || lpad(c.dice::text, 2, '0'))::uuid
            END AS assigned,
       NOT c.seen AND c.dice = 99 AS sealed
  FROM bench_copy c JOIN records_file f ON f.position_id = c.position_id AND f.year = c.year
 ORDER BY c.n;
DROP TABLE bench_copy;
ANALYZE bench_case;
CREATE UNLOGGED TABLE bench_document AS
SELECT c.n, c.id AS case_id, d.id AS model, uuidv7(c.opened_at - clock_timestamp()) AS id,
       c.opened_at + (d.filed_at - c.model_at) AS at, c.reference, c.seen, c.assigned, c.sealed
  FROM bench_case c JOIN records_document d ON d.case_id = c.model
 ORDER BY c.n, d.number;
ANALYZE bench_document
"""

_COUNTERS: Final = """
INSERT INTO records_referencecounter (position_id, year, last)
SELECT c.position_id, c.year, max(c.number) FROM bench_case c GROUP BY 1, 2
ON CONFLICT (position_id, year) DO UPDATE SET last = greatest(records_referencecounter.last, excluded.last)
"""


def multiply(
    connection: "psycopg.Connection[Any]", schema_name: str, *, seen: int, others: int, units: list[str], clerk: str
) -> None:
    """Make copies of the body's model cases until the clerk of `units` sees `seen`, and others see `others` more.

    Args:
        connection: of the superuser, in autocommit; left with the search_path it came with.
        clerk: id of the person to whom two of a hundred cases are assigned.
    """
    with _within(connection, schema_name), _hurried(connection, seen >= _BIG):
        connection.execute(_literal(_MODELS, connection, units=units))
        counted = dict(connection.execute("SELECT seen, count(*) FROM bench_model GROUP BY seen").fetchall())
        wanted = {"total": seen + others - sum(counted.values()), "others": max(0, others - counted.get(False, 0))}
        if wanted["total"] > 0:
            values = {**wanted, "span": YEARS * 365.25 * 86400}
            connection.execute(_literal(_COPIES, connection, **values))
            connection.execute(_FILES)
            connection.execute(_literal(_NAMED, connection, clerk=clerk))
            with _without_indexes(connection, schema_name, seen >= _BIG):
                _copy_all(connection)
            connection.execute(_COUNTERS)
        connection.execute("DROP TABLE IF EXISTS bench_model, bench_entry, bench_case, bench_document")
        for table in (*_TABLES, "records_file", "records_referencecounter"):
            connection.execute(sql.SQL("VACUUM (ANALYZE, FREEZE) {}").format(sql.Identifier(table)))


def _copy_all(connection: "psycopg.Connection[Any]") -> None:
    """Cases, documents, versions, entries of the search, timeline: in the order of the years."""
    _copy(
        connection,
        "records_case",
        "bench_case b JOIN records_case s ON s.id = b.model ORDER BY b.n",
        id="b.id",
        file_id="b.file",
        reference="b.reference",
        year="b.year",
        number="b.number",
        opened_at="b.opened_at",
        is_sealed="b.sealed",
        assigned_to="b.assigned",
        assigned_name="CASE WHEN b.assigned IS NULL THEN '' ELSE 'Sachbearbeitung ' || b.dice END",
        state="CASE WHEN b.closed THEN 'closed' ELSE 'open' END",
        closed_at="CASE WHEN b.closed THEN b.opened_at + interval '90 days' END",
        retention_until="CASE WHEN b.closed THEN make_date(b.year + 11, 12, 31) END",
        promised_on="CASE WHEN b.dice % 2 = 0 THEN (b.opened_at + interval '28 days')::date END",
    )
    _copy(
        connection,
        "records_document",
        "bench_document b JOIN records_document s ON s.id = b.model ORDER BY b.n, s.number",
        id="b.id",
        case_id="b.case_id",
        filed_at="b.at",
    )
    _copy(
        connection,
        "records_documentversion",
        "bench_document b JOIN records_documentversion s ON s.document_id = b.model ORDER BY b.n",
        id="uuidv7(b.at - clock_timestamp())",
        document_id="b.id",
        created_at="b.at",
    )
    shared = {"is_sealed": "b.sealed", "assigned_to": "b.assigned", "id": "uuidv7(b.at - clock_timestamp())"}
    reference = "'#' || lower(b.reference)"
    _copy(
        connection,
        "records_searchentry",
        "bench_document b JOIN bench_entry s ON s.document_id = b.model ORDER BY b.n",
        **shared,
        case_id="b.case_id",
        document_id="b.id",
        happened_at="b.at",
        year="extract(year FROM b.at AT TIME ZONE 'Europe/Berlin')::int",
        vector=f"s.bare || array_to_tsvector(ARRAY[{reference}])",
    )
    _copy(
        connection,
        "records_searchentry",
        "bench_case b JOIN bench_entry s ON s.model = b.model AND s.document_id IS NULL ORDER BY b.n",
        **{**shared, "id": "uuidv7(b.opened_at - clock_timestamp())"},
        case_id="b.id",
        happened_at="b.opened_at",
        year="b.year",
        vector=f"s.bare || array_to_tsvector(ARRAY[{reference}, '#' || lower(b.file_reference)])",
    )
    _copy(
        connection,
        "records_timelineentry",
        "bench_case b JOIN records_timelineentry s ON s.case_id = b.model ORDER BY b.n",
        id="uuidv7(b.opened_at - clock_timestamp())",
        case_id="b.id",
        at="b.opened_at + (s.at - b.model_at)",
        values="CASE WHEN s.values ? 'reference' THEN jsonb_set(s.values, '{reference}', to_jsonb(b.reference))"
        " ELSE s.values END",
    )


def _copy(connection: "psycopg.Connection[Any]", table: str, source: str, **changed: str) -> None:
    """`INSERT INTO table SELECT … FROM source`: every column of the model's row `s`, but for those `changed`."""
    rows = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
        " AND attgenerated = '' ORDER BY attnum",
        [table],
    ).fetchall()
    columns = [name for (name,) in rows]
    unknown = set(changed) - set(columns)
    if unknown:
        raise RuntimeError(f"{table} has no column {sorted(unknown)}: the generator has to follow the models")
    taken = [f"{changed[name]} AS {name}" if name in changed else f's."{name}"' for name in columns]
    named = ", ".join(f'"{name}"' for name in columns)
    connection.execute(f"INSERT INTO {table} ({named}) SELECT {', '.join(taken)} FROM {source}".encode())


def post_journal(connection: "psycopg.Connection[Any]", schema_name: str, *, ledger: str, lines: int) -> None:
    """Post vouchers of ten lines each, until the ledger has `lines` more, by the database's own function.

    It gives the numbers and chains the hashes; the checks at commit are left out, as the lines balance by their making.
    """
    with _within(connection, schema_name), _hurried(connection, lines >= _BIG):
        for begin in range(0, lines // _LINES, _BATCH):
            end = min(begin + _BATCH, lines // _LINES)
            connection.execute(_literal(_POST, connection, ledger=ledger, begin=begin, end=end - 1))
        for table in ("budget_voucher", "budget_voucherline", "budget_unfoldedvoucher"):
            connection.execute(sql.SQL("VACUUM (ANALYZE, FREEZE) {}").format(sql.Identifier(table)))


_POST: Final = f"""
WITH y AS (
  SELECT y.id, y.year, y.ledger_id FROM budget_fiscalyear y JOIN budget_ledger l ON l.id = y.ledger_id
   WHERE l.code = %(ledger)s ORDER BY y.year DESC LIMIT 1),
a AS (
  SELECT array_agg(a.id ORDER BY a.code) AS ids FROM budget_account a, y
   WHERE a.ledger_id = y.ledger_id AND a.kind IN ('expense', 'revenue') AND a.closed_from IS NULL),
p AS (SELECT array_agg(p.id ORDER BY p.code) AS ids FROM budget_product p, y WHERE p.ledger_id = y.ledger_id),
e AS (
  SELECT a.id FROM budget_account a, y
   WHERE a.ledger_id = y.ledger_id AND a.kind = 'equity' ORDER BY a.code LIMIT 1),
v AS (
  SELECT jsonb_agg(jsonb_build_object(
      'id', uuidv7(), 'year_id', y.id, 'series', 'A', 'kind', 'transfer', 'text', 'Umbuchung ' || n, 'reverses', NULL,
      'posting_date', make_date(y.year, 1, 1) + n %% 300, 'document_date', make_date(y.year, 1, 1) + n %% 300,
      'posted_at', now(), 'posted_by', 'benchmarks',
      'lines', (SELECT jsonb_agg(jsonb_build_object(
          'account', CASE WHEN k < {_LINES} THEN a.ids[1 + (n * 13 + k * 7) %% cardinality(a.ids)] ELSE e.id END,
          'product', CASE WHEN k < {_LINES} THEN p.ids[1 + (n + k) %% cardinality(p.ids)] END,
          'debit', CASE WHEN k < {_LINES} THEN 100 + n %% 900 + k ELSE 0 END,
          'credit', CASE WHEN k < {_LINES} THEN 0
                         ELSE {_LINES - 1} * (100 + n %% 900) + {_LINES * (_LINES - 1) // 2} END,
          'finance', NULL, 'deduction', false, 'open_item', NULL, 'project', '', 'cost_center', '') ORDER BY k)
        FROM generate_series(1, {_LINES}) k)) ORDER BY n) AS made
    FROM generate_series(%(begin)s, %(end)s) n, y, a, p, e)
SELECT count(r.*) FROM v, budget_post(v.made, NULL) r
"""


@contextmanager
def _within(connection: "psycopg.Connection[Any]", schema_name: str) -> Iterator[None]:
    connection.execute("SELECT set_config('search_path', %s, false)", [f'"{schema_name}", public'])
    try:
        yield
    finally:
        connection.execute("RESET search_path")


@contextmanager
def _hurried(connection: "psycopg.Connection[Any]", much: bool) -> Iterator[None]:
    """No checks of keys between the rows, which are right by their making; for much also a server that does not wait
    for the disk. All is as before when this is left, and on the disk.
    """
    hurry = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off", "max_wal_size": "16GB"} if much else {}
    connection.execute(
        "SET session_replication_role = replica; SET work_mem = '256MB'; SET maintenance_work_mem = '1GB'"
    )
    before = {name: _setting(connection, name) for name in hurry}
    _set_all(connection, hurry)
    try:
        yield
    finally:
        _set_all(connection, before)
        if hurry:
            connection.execute("CHECKPOINT")
        connection.execute("RESET session_replication_role; RESET work_mem; RESET maintenance_work_mem")


def _setting(connection: "psycopg.Connection[Any]", name: str) -> str:
    row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
    assert row is not None
    return str(row[0])


def _set_all(connection: "psycopg.Connection[Any]", settings: Mapping[str, str]) -> None:
    for name, value in settings.items():
        connection.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
    if settings:
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("SELECT pg_sleep(0.3)")


@contextmanager
def _without_indexes(connection: "psycopg.Connection[Any]", schema_name: str, much: bool) -> Iterator[None]:
    """For much: the tables without the indexes that no constraint needs; the same ones are built at the end."""
    made: list[tuple[str, str, bool]] = []
    if much:
        made = connection.execute(
            "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid), EXISTS (SELECT 1 FROM pg_attribute a"
            " WHERE a.attrelid = i.indexrelid AND a.attstattarget = 0) FROM pg_index i"
            " JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace"
            " WHERE n.nspname = %s AND t.relname = ANY(%s)"
            " AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid)",
            [schema_name, list(_TABLES)],
        ).fetchall()
        for name, _definition, _unread in made:
            connection.execute(f"DROP INDEX {name}".encode())
    yield
    for name, definition, unread in made:
        connection.execute(definition.encode())
        if unread:  # no statistics are kept of what it says
            connection.execute(f"ALTER INDEX {name} ALTER COLUMN 1 SET STATISTICS 0".encode())


def _literal(statement: str, connection: "psycopg.Connection[Any]", **values: Any) -> bytes:
    """The statement (or several) with its values written in: PostgreSQL takes no parameters beside CREATE TABLE AS."""
    quoted = {name: sql.Literal(value).as_string(connection) for name, value in values.items()}
    return (statement % quoted).encode()
