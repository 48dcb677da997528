"""An instance of its own: embedded PostgreSQL, files and mail in a folder that is gone afterwards, and its children.

Nothing of the installation beside it is touched; only its collected static files are read when they are there.
"""

import atexit
import json
import os
import shutil
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil

from verbund.commands import installation
from verbund.commands.texts import _

from .children import Children

_OWN: Final = (
    "DATABASE_URL",
    "VERBUND_OWNER_DATABASE_URL",
    "VERBUND_EMBEDDED",
    "VERBUND_SECRET_KEY",
    "VERBUND_VAR",
    "VERBUND_FILES_ROOT",
    "VERBUND_PUBLIC_PORT",
    "PROMETHEUS_MULTIPROC_DIR",
)


@dataclass
class Instance:
    """A running installation of Verbund for the length of a walk; a context manager that always ends what it began."""

    keep: bool = False
    require_second_factor: bool = True
    port: int = 0
    var: Path = Path()
    children: Children = field(init=False)
    _server: Any = None
    _environment: dict[str, str | None] = field(default_factory=dict)

    def __enter__(self) -> "Instance":
        """Make the folder and start the embedded server; tables and children come with `prepare` and `start`."""
        real = installation.var()
        above = real / "walks"
        above.mkdir(exist_ok=True)
        _clear_leftovers(above)
        self.var = above / f"{os.getpid()}-{os.urandom(3).hex()}"
        self.var.mkdir()
        self._environment = {name: os.environ.get(name) for name in _OWN}
        for name in _OWN:
            os.environ.pop(name, None)
        os.environ.update(
            VERBUND_VAR=str(self.var),
            VERBUND_HTTPS="0",
            VERBUND_REQUIRE_SECOND_FACTOR="1" if self.require_second_factor else "0",
        )
        try:
            if (real / "static" / "staticfiles.json").exists():
                (self.var / "static").symlink_to(real / "static", target_is_directory=True)
            from verbund.platform.tenancy import embedded

            self._server = embedded.start(self.var)
            os.environ.update(embedded.addresses(self._server), VERBUND_EMBEDDED="1")
            self.port = free_port()
            self.children = Children(self.var, self.port)
            os.environ["VERBUND_PUBLIC_PORT"] = str(self.port)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_failure: object) -> None:
        if hasattr(self, "children"):
            self.children.stop()
        with suppress(ImportError):
            from django.db import connections

            with suppress(Exception):  # whatever state a failed walk left the connection in, the server is stopped next
                connections.close_all()
                getattr(connections["default"], "close_pool", lambda: None)()
        if self._server is not None:
            with suppress(OSError, RuntimeError, subprocess.SubprocessError):
                self._server.cleanup()
            atexit.unregister(self._server._cleanup)  # it would make the lock anew, in a folder that is gone
        for name, value in self._environment.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        if self.keep:
            print(_("Kept: {folder}").format(folder=self.var), file=sys.stderr)
        else:
            _remove(self.var)

    def prepare(self) -> None:
        """Tables of `public` and, where the installation has none, the static files; Django is set up as the owner."""
        installation.enter(owner=True)
        if not (self.var / "static" / "staticfiles.json").exists():
            from verbund.commands.setup import collect_static, compile_messages

            compile_messages()
            collect_static()
        from verbund.platform.tenancy.bodies import migrate_public

        migrate_public()


def free_port() -> int:
    """A port of the loopback device that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _clear_leftovers(above: Path) -> None:
    """Remove what walks left behind that were killed without a word, their servers first."""
    for folder in above.iterdir():
        number = folder.name.partition("-")[0]
        if not number.isdigit() or psutil.pid_exists(int(number)):
            continue
        _stop_server(folder)
        _remove(folder)


def _data_of(var: Path) -> Path:
    from verbund.platform.tenancy import embedded

    return embedded.data_directory(var)


def _stop_server(var: Path) -> None:
    data = _data_of(var)
    handles = data / ".handle_pids.json"
    with suppress(OSError, ValueError):
        if any(psutil.pid_exists(int(p)) for p in json.loads(handles.read_text() or "[]")):
            return
    with suppress(OSError, ValueError, psutil.Error):
        process = psutil.Process(int((data / "postmaster.pid").read_text().split("\n", 1)[0]))
        if process.name().startswith("postgres") and Path(process.cwd()).resolve() == data.resolve():
            process.terminate()
            process.wait(10)


def _remove(var: Path) -> None:
    """Remove a walk's folder, and its server's data where they had to lie elsewhere."""
    with suppress(ImportError):
        data = _data_of(var)
        if data.parent != var.resolve():
            shutil.rmtree(data, ignore_errors=True)
            (data.parent / f".{data.name}.lock").unlink(missing_ok=True)
    shutil.rmtree(var, ignore_errors=True)
