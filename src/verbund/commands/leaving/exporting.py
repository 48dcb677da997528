"""Handing a body over (Herausgabe): everything that is its own, at one instant, in open formats."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from verbund.commands.installation import Unready
from verbund.commands.texts import _
from verbund.commands.verify.audit import HEADS as AUDIT_HEADS
from verbund.commands.verify.journal import HEADS as JOURNAL_HEADS

from . import archive as parts
from .archive import Manifest, Progress, Writer
from .dumping import dump
from .tables import BLANKED, LEFT_OUT, Table, description, selection, tables_of

SESSION: Final = """
SELECT set_config('datestyle', 'ISO, YMD', false), set_config('timezone', 'UTC', false),
       set_config('intervalstyle', 'iso_8601', false), set_config('bytea_output', 'hex', false),
       set_config('extra_float_digits', '3', false), set_config('statement_timeout', '0', false),
       set_config('search_path', 'pg_catalog', false)
"""
_BODY: Final = """
SELECT id::text, schema_name, slug, name, kind, ags, ars, is_alliance, rooms, accent_colour, letterhead,
       to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
  FROM public.tenancy_body WHERE slug = %s
"""
_HOSTS: Final = "SELECT domain FROM public.tenancy_host WHERE tenant_id = %s ORDER BY is_primary DESC, domain"
_PEOPLE: Final = """
SELECT id::text, email, display_name, is_active, home_body_id = %(body)s,
       to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
  FROM public.identity_person p
 WHERE home_body_id = %(body)s
    OR EXISTS (SELECT 1 FROM public.identity_assignment a WHERE a.person_id = p.id AND a.body_id = %(body)s)
 ORDER BY id
"""
_ASSIGNMENTS: Final = """
SELECT id::text, person_id::text, unit, role, to_char(valid_from AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
       to_char(valid_until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
       to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
  FROM public.identity_assignment WHERE body_id = %s ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    folder: Path
    manifest_sha256: str
    tables: int
    rows: int
    contents: int
    bytes: int


def export_body(
    address: str, slug: str, target: Path, *, now: datetime, progress: Progress = lambda _text: None
) -> Exported:
    """Write everything of the body with this short name into the folder `target`, which appears when it is complete.

    `address` is that of the owner of the tables: what is read is read in one transaction, at one instant.

    Raises:
        Unready: no such body, the folder is there, a content is missing or damaged, pg_dump refuses.
    """
    try:
        with parts.unfinished(target) as folder, _instant(address) as (connection, snapshot):
            return _export(connection, address, snapshot, slug, Writer(folder), target, now, progress)
    except FileExistsError as error:
        raise Unready(_("{folder} is there already. Choose another place with --to.").format(folder=target)) from error
    except BlockingIOError as error:
        raise Unready(_("Another export is writing to {folder} at this moment.").format(folder=target)) from error
    except psycopg.Error as error:
        raise Unready(_("The database refuses: {reason}").format(reason=str(error).splitlines()[0])) from error
    except OSError as error:
        raise Unready(_("{folder} cannot be written: {reason}").format(folder=target, reason=error.strerror)) from error


@contextmanager
def _instant(address: str) -> Iterator[tuple["psycopg.Connection[Any]", str]]:
    with psycopg.connect(address) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        connection.execute(SESSION)
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
        assert row is not None
        yield connection, row[0]
        connection.rollback()


def _export(
    connection: "psycopg.Connection[Any]",
    address: str,
    snapshot: str,
    slug: str,
    writer: Writer,
    target: Path,
    now: datetime,
    progress: Progress,
) -> Exported:
    facts = _facts(connection, slug)
    schema = facts["schema_name"]
    tables = tables_of(connection, schema)
    handed_over = {name: table for name, table in sorted(tables.items()) if name not in LEFT_OUT}
    _room_for(connection, schema, target)
    progress(_("SQL dump"))
    with writer.file(parts.DUMP) as out:
        dump(connection, address, schema, snapshot, tables, out)
    rows: dict[str, int] = {}
    for name, table in handed_over.items():
        progress(name)
        rows[name] = _rows(connection, schema, table, writer)
    contents = _contents(connection, schema, writer, progress)
    writer.json(parts.BODY, facts)
    writer.json(parts.PEOPLE, _people(connection, facts["id"]))
    writer.json(parts.ANCHORS, anchors(connection, schema))
    writer.json(parts.TABLES, description(list(handed_over.values()), rows))
    with writer.file(parts.README) as out:
        out.write(_readme(facts, now).encode())
    manifest = Manifest(
        software=_software(),
        taken_at=now.astimezone(UTC).isoformat(),
        body={key: facts[key] for key in ("id", "schema_name", "slug", "name")},
        tables=rows,
        migrations=migrations_of(connection, schema),
        left_out=LEFT_OUT | {f"{table}.{column}": why for (table, column), why in BLANKED.items()},
    )
    sha256 = writer.finish(manifest)
    return Exported(target, sha256, len(rows), sum(rows.values()), contents, manifest.bytes)


def _facts(connection: "psycopg.Connection[Any]", slug: str) -> dict[str, Any]:
    row = connection.execute(_BODY, [slug]).fetchone()
    if row is None:
        raise Unready(_("There is no body with the short name {slug}.").format(slug=slug))
    keys = ("id", "schema_name", "slug", "name", "kind", "ags", "ars", "is_alliance", "rooms")
    facts: dict[str, Any] = dict(zip((*keys, "accent_colour", "letterhead", "created_at"), row, strict=True))
    facts["hosts"] = [host for (host,) in connection.execute(_HOSTS, [facts["id"]]).fetchall()]
    return facts


def _room_for(connection: "psycopg.Connection[Any]", schema: str, target: Path) -> None:
    query = sql.SQL(
        "SELECT (SELECT coalesce(sum(size), 0) FROM {files})"
        " + (SELECT coalesce(sum(pg_table_size(oid)), 0) FROM pg_class"
        " WHERE relnamespace = {schema}::regnamespace AND relkind = 'r')"
    ).format(
        files=sql.Identifier(schema, "files_storedfile"),
        schema=sql.Literal(sql.Identifier(schema).as_string(connection)),
    )
    row = connection.execute(query).fetchone()
    needed = int(row[0]) if row else 0
    free = shutil.disk_usage(target.parent).free
    if free < needed:
        raise Unready(
            _("There is too little room at {folder}: about {needed:.0f} MB are needed, {free:.0f} MB free.").format(
                folder=target.parent, needed=needed / 1e6, free=free / 1e6
            )
        )


def _rows(connection: "psycopg.Connection[Any]", schema: str, table: Table, writer: Writer) -> int:
    """Write the rows of a table as CSV (RFC 4180, UTF-8, header line; empty means NULL, "" the empty text)."""
    query = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, HEADER true)").format(selection(schema, table))
    with writer.file(parts.data_path(table.name)) as out, connection.cursor() as cursor:
        with cursor.copy(query) as rows:
            for piece in rows:
                out.write(piece)
        return max(cursor.rowcount, 0)


def _contents(connection: "psycopg.Connection[Any]", schema: str, writer: Writer, progress: Progress) -> int:
    """Copy the stored contents; each must be what its name says."""
    from verbund.platform.files.stores import ContentMissing, store

    keeper = store()
    number = 0
    names = sql.SQL("SELECT sha256 FROM {} ORDER BY sha256").format(sql.Identifier(schema, "files_storedfile"))
    with connection.cursor(name="export_contents") as cursor:
        cursor.itersize = 2000
        for (sha256,) in cursor.execute(names):
            if number % 50 == 0:
                progress(_("file {number}").format(number=number + 1))
            path = parts.content_path(sha256)
            try:
                with keeper.open(schema, sha256) as source, writer.file(path) as out:
                    while piece := source.read(parts.PIECE):
                        out.write(piece)
            except ContentMissing as missing:
                raise Unready(
                    _("The stored file {sha256} is missing. Run `verbund verify`.").format(sha256=sha256)
                ) from missing
            if writer.entries[path].sha256 != sha256:
                raise Unready(_("The stored file {sha256} is damaged. Run `verbund verify`.").format(sha256=sha256))
            number += 1
    return number


def _people(connection: "psycopg.Connection[Any]", body: str) -> dict[str, Any]:
    """The people who work for the body and their assignments in it; no means to sign in, nothing of other bodies."""
    keys = ("id", "email", "display_name", "is_active", "at_home", "created_at")
    people = [dict(zip(keys, row, strict=True)) for row in connection.execute(_PEOPLE, {"body": body}).fetchall()]
    keys_of = ("id", "person", "unit", "role", "valid_from", "valid_until", "created_at")
    assignments = [dict(zip(keys_of, row, strict=True)) for row in connection.execute(_ASSIGNMENTS, [body]).fetchall()]
    return {"people": people, "assignments": assignments}


def anchors(connection: "psycopg.Connection[Any]", schema: str) -> dict[str, Any]:
    """The ends of the hash chains of audit and journal: two of them compared say whether a body is the same."""
    connection.execute(sql.SQL("SET LOCAL search_path TO {}").format(sql.Identifier(schema)))
    audit = [
        {"lane": lane, "last_no": number, "last_hash": bytes(end).hex()}
        for lane, number, end in connection.execute(AUDIT_HEADS).fetchall()
    ]
    journal = [
        {"ledger": ledger, "year": year, "series": series, "last_no": number, "last_hash": bytes(end).hex()}
        for ledger, year, series, number, end in connection.execute(JOURNAL_HEADS).fetchall()
    ]
    connection.execute("SET LOCAL search_path TO pg_catalog")
    return {"audit": audit, "journal": journal}


def migrations_of(connection: "psycopg.Connection[Any]", schema: str) -> list[tuple[str, str]]:
    """The migrations that made the tables of a body."""
    query = sql.SQL("SELECT app, name FROM {} ORDER BY app, name").format(sql.Identifier(schema, "django_migrations"))
    return [(app, name) for app, name in connection.execute(query).fetchall()]


def _software() -> str:
    from importlib.metadata import version

    return f"verbund {version('verbund')}"


def _readme(facts: dict[str, Any], now: datetime) -> str:
    text: Callable[[str], str] = _
    return text(
        "Everything that {name} has stored in Verbund, as it stood at {moment} UTC.\n"
        "\n"
        "manifest.json   every file with size and SHA-256, rows of each table, version of the software\n"
        "body.json       name, keys, hosts, letterhead, rooms\n"
        "people.json     people and their roles; without passwords and second factors\n"
        "anchors.json    ends of the hash chains of audit and journal\n"
        "tables.json     what each table and column means, types, keys\n"
        'data/           the rows of each table as CSV (RFC 4180, UTF-8; empty is NULL, "" is the empty text)\n'
        "contents/       the stored files, each named by its SHA-256; their file names stand in the tables\n"
        "body.sql        the same rows as an SQL dump for PostgreSQL\n"
        "\n"
        "Another installation of Verbund takes this folder in with `verbund body import`.\n"
    ).format(name=facts["name"], moment=now.astimezone(UTC).strftime("%Y-%m-%d %H:%M"))
