"""Deleting the demo: only from an embedded installation, and only where nothing but the demo lives."""

import os
import shutil
from pathlib import Path

import psycopg
from psycopg import sql

from verbund.commands import installation
from verbund.commands.texts import _

from .facts import schemas


def reset() -> None:
    """Drop the database, the files and the mail of the demo.

    Raises:
        installation.Unready: a server of one's own, or bodies that are not the demo's, or a running service.
    """
    if not installation.is_embedded():
        raise installation.Unready(_("Only the embedded installation can be reset. Drop your own database yourself."))
    from verbund.platform.tenancy import embedded
    from verbund.platform.tenancy.roles_sql import prepare_cluster

    var = installation.var()
    server = embedded.start(var)  # joins the one that runs
    with psycopg.connect(server.get_uri(), autocommit=True) as admin:
        known = schemas()
        there = _bodies()
        if there - known:
            raise installation.Unready(
                _("This installation has bodies of its own ({names}) and is not reset.").format(
                    names=", ".join(sorted(there - known))
                )
            )
        busy = admin.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = 'verbund' AND pid <> pg_backend_pid()"
        ).fetchone()
        if busy and busy[0]:
            raise installation.Unready(_("Somebody is working with the demo. Stop `verbund serve` and try again."))
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS verbund"))
        prepare_cluster(admin, "verbund")
    for name in ("files", "mail"):
        shutil.rmtree(Path(var) / name, ignore_errors=True)


def _bodies() -> set[str]:
    with psycopg.connect(os.environ["VERBUND_OWNER_DATABASE_URL"], autocommit=True) as connection:
        if connection.execute("SELECT to_regclass('public.tenancy_body')").fetchone() == (None,):
            return set()
        return {row[0] for row in connection.execute("SELECT schema_name FROM public.tenancy_body")}
