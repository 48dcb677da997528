"""`verbund verify`: re-computes what must never change, with plain SQL and SHA-256, outside the application's models.

For each body: the audit chain, the journal's chain, the documents' rows against themselves and the audit, and every
stored content. Names the first broken entry of each chain. Exit code 0 when everything is as it was written, 1 when
not.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from verbund.commands import installation
from verbund.commands.texts import _

from .audit import audit_chain
from .documents import Reader, content_chain, document_chain, local_reader
from .finding import Chain
from .journal import journal_chain

NAMED = 20  # broken entries named one by one for each chain


def main(argv: Sequence[str]) -> int:
    """`verbund verify [--body SCHEMA] [--json] [--no-contents]`."""
    parser = argparse.ArgumentParser(prog="verbund verify", description=_("Re-compute the chains of all bodies."))
    parser.add_argument("--body", metavar="SCHEMA", help=_("only this body"))
    parser.add_argument("--json", action="store_true", help=_("print the result as JSON"))
    parser.add_argument("--no-contents", action="store_true", help=_("do not re-read the stored files"))
    chosen = parser.parse_args(argv)
    installation.surroundings()
    begun = time.monotonic()
    report: list[tuple[str, list[Chain]]] = []
    for body in bodies(os.environ["DATABASE_URL"], chosen.body):
        chains = verify_body(
            os.environ["DATABASE_URL"],
            body,
            None if chosen.no_contents else reader_of(body),
            progress=_progress(body) if sys.stderr.isatty() else lambda _chain, _number: None,
        )
        report.append((body, chains))
        if not chosen.json:
            _print(body, chains)
    ok = all(chain.ok for _body, chains in report for chain in chains)
    seconds = round(time.monotonic() - begun, 2)
    if chosen.json:
        values = [{"body": body, "chains": [chain.values() for chain in chains]} for body, chains in report]
        print(json.dumps({"ok": ok, "seconds": seconds, "bodies": values}, ensure_ascii=False, indent=2))
    elif ok:
        print(_("Everything is as it was written ({seconds:.1f} s).").format(seconds=seconds))
    else:
        print(_("BROKEN: see the lines above. Keep the database and the files as they are and call the operators."))
    return 0 if ok else 1


def bodies(address: str, only: str | None = None) -> list[str]:
    """The schema names of all bodies, or of the one asked for.

    Raises:
        Unready: when there is no such body.
    """
    with psycopg.connect(address, autocommit=True) as connection:
        found = [
            row[0] for row in connection.execute("SELECT schema_name FROM public.tenancy_body ORDER BY 1").fetchall()
        ]
    if only is not None:
        if only not in found:
            raise installation.Unready(_("There is no body with the schema {schema}.").format(schema=only))
        return [only]
    return found


def verify_body(
    address: str, body: str, read: Reader | None, progress: Callable[[str, int], None] = lambda _chain, _number: None
) -> list[Chain]:
    """All chains of one body, as they stand at one instant; `read` None leaves the contents out."""
    with _inside(address, body) as first, _inside(address, body, like=first) as second:
        chains = [
            audit_chain(first, lambda number: progress("audit", number)),
            journal_chain(first, second, lambda number: progress("journal", number)),
            document_chain(first, second, lambda number: progress("documents", number)),
        ]
        if read is not None:
            chains.append(content_chain(first, read, lambda number: progress("contents", number)))
    if read is not None:
        _forget_swept(address, body, chains[-1])
    return chains


@contextmanager
def _inside(
    address: str, body: str, like: "psycopg.Connection[Any] | None" = None
) -> Iterator["psycopg.Connection[Any]"]:
    """A connection in the body's name, seeing one instant (the same as `like` sees)."""
    with psycopg.connect(address) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        if like is not None:
            snapshot = like.execute("SELECT pg_export_snapshot()").fetchone()
            assert snapshot is not None
            connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot[0])))
        user = connection.execute("SELECT current_user").fetchone()
        if user and user[0] == "verbund_app":
            connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(f"body_{body}")))
        connection.execute(sql.SQL("SET LOCAL search_path TO {}").format(sql.Identifier(body)))
        yield connection
        connection.rollback()


def _forget_swept(address: str, body: str, contents: Chain) -> None:
    """A content that was properly swept away while we read is not missing."""
    missing = [broken for broken in contents.broken if broken.reason == "the file is missing"]
    if not missing:
        return
    with _inside(address, body) as connection:
        there = {
            row[0]
            for row in connection.execute(
                "SELECT sha256 FROM files_storedfile WHERE sha256 = ANY(%s)", [[broken.row for broken in missing]]
            ).fetchall()
        }
    contents.broken = [broken for broken in contents.broken if broken not in missing or broken.row in there]


def reader_of(body: str) -> Reader:
    """How the contents of a body are read: from the local folder, or through the store of the settings."""
    if os.environ.get("VERBUND_FILES_BACKEND", "local") == "local":
        root = os.environ.get("VERBUND_FILES_ROOT") or str(Path(os.environ["VERBUND_VAR"]) / "files")
        return local_reader(Path(root), body)
    import django

    django.setup()
    from verbund.platform.files.stores import ContentMissing, store

    def read(sha256: str) -> Any:
        try:
            return store().open(body, sha256)
        except ContentMissing as missing:
            raise FileNotFoundError(sha256) from missing

    return read


def _progress(body: str) -> Callable[[str, int], None]:
    last = 0.0

    def tell(chain: str, number: int) -> None:
        nonlocal last
        if time.monotonic() - last > 1:
            last = time.monotonic()
            print(f"\r{body} {chain} {number:,}\033[K", end="", file=sys.stderr, flush=True)

    return tell


def _print(body: str, chains: Sequence[Chain]) -> None:
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    for chain in chains:
        size = f", {chain.bytes / 1e6:,.1f} MB" if chain.bytes else ""
        state = _("ok") if chain.ok else _("BROKEN")
        print(f"{body:<32} {chain.name:<10} {state:<8} {chain.entries:>9,}{size}", flush=True)
        for broken in chain.broken[:NAMED]:
            print(f"    {broken.entry}: {broken.reason}" + (f"  [{broken.row}]" if broken.row else ""))
        if len(chain.broken) > NAMED:
            print("    " + _("and {number} more").format(number=len(chain.broken) - NAMED))
