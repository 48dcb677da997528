"""An installation whose processes may be killed one by one: PostgreSQL (fsync on), web and worker, all its own."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg

from verbund.commands.walk.children import Children
from verbund.commands.walk.instance import _clear_leftovers, _remove, free_port
from verbund.commands.walk.town import Town
from verbund.platform.tenancy import embedded

ROOT = Path(__file__).resolve().parents[2]
VICTIMS = ("web worker", "web", "worker", "postgres", "everything")
PATIENCE = 240.0  # seconds: also where many others share the processors and the disk


class Instance:
    """The processes, and how they are killed and started again."""

    def __init__(self, var: Path, source: Path) -> None:
        self.var = var
        self.port = free_port()
        self.server: Any = embedded.start(var)
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("VERBUND_", "DATABASE_", "PROMETHEUS_"))},
            **embedded.addresses(self.server),
            "VERBUND_VAR": str(var),
            "VERBUND_SECRET_KEY": "faults" * 12,
            "VERBUND_HTTPS": "0",
            "VERBUND_PUBLIC_PORT": str(self.port),
            "VERBUND_REQUIRE_SECOND_FACTOR": "0",
            "FAULTS_PASSWORD": "Absturz-und-Neustart-2026!",
            "PYTHONPATH": f"{source}:{ROOT}",
            "PYTHONWARNINGS": "ignore",
            "PYTHONFAULTHANDLER": "1",  # what hangs tells where, see riddle.py
        }
        self.children = Children(var, self.port, self.environment)
        self.lives: dict[str, int] = {"web": 0, "worker": 0}

    def furnish(self) -> tuple[Town, str]:
        """Found the town; its facts and the slug of its service."""
        self.run(str(ROOT / "tests" / "faults" / "furnish.py"), module=False)
        told = json.loads(self._said.splitlines()[-1])
        return Town(**told["town"]), told["slug"]

    def command(self, *arguments: str) -> str:
        """What `verbund …` prints; it must succeed."""
        self.run(*arguments, module=True)
        return self._said

    def run(self, *arguments: str, module: bool) -> None:
        first = ["-m", "verbund.commands.cli"] if module else []
        done = subprocess.run(
            [sys.executable, "-P", *first, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (arguments, done.stdout[-3000:], done.stderr[-3000:])
        self._said = done.stdout

    @contextmanager
    def owner(self) -> Iterator["psycopg.Connection[Any]"]:
        """A plain connection as the owner of the tables."""
        with psycopg.connect(self.environment["VERBUND_OWNER_DATABASE_URL"], autocommit=True) as connection:
            yield connection

    # ---- life and death

    def start(self, name: str) -> None:
        """Start web or worker; the log of the life before stays beside it."""
        log = self.var / f"{name}.log"
        if log.exists():
            log.rename(self.var / f"{name}.{self.lives[name]}.log")
        self.lives[name] += 1
        self.children.start_web() if name == "web" else self.children.start_worker()

    def kill(self, victim: str) -> int:
        """SIGKILL, without a word before; how many processes it hit."""
        hit = self._victims(victim)
        for process in hit:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(hit, timeout=10)
        return len(hit)

    def _victims(self, victim: str) -> list[psutil.Process]:
        if victim == "web worker":
            return _family(self.children.processes["web"].pid)[1:]
        if victim in ("web", "worker"):
            return _family(self.children.processes[victim].pid)
        if victim == "postgres":
            return _family(self.server.get_pid())
        return [p for one in ("web", "worker", "postgres") for p in self._victims(one)]

    def revive(self) -> float:
        """Start again what is dead, as a supervisor would; the seconds until the first page."""
        begun = time.monotonic()
        while not self._answers():
            assert time.monotonic() - begun < PATIENCE, self.children.log("web", 40)
            self.look_after()
            time.sleep(0.05)
        return time.monotonic() - begun

    def look_after(self) -> None:
        """Start what has ended: PostgreSQL first, then web and worker."""
        if not psutil.pid_exists(self.server.get_pid()) or _is_zombie(self.server.get_pid()):
            self.server = embedded.start(self.var)
        for name in ("web", "worker"):
            process = self.children.processes.get(name)
            if process is None or process.poll() is not None:
                self.start(name)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def end(self) -> None:
        """Stop everything that still lives."""
        self.children.stop()
        with suppress(OSError, RuntimeError, subprocess.SubprocessError):
            self.server.cleanup()


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _is_zombie(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


@contextmanager
def instance(*, source: Path | None = None, keep: bool = False) -> Iterator[Instance]:
    """A furnished-to-be instance in a folder of its own; nothing of it is left afterwards."""
    real = Path(os.environ.get("VERBUND_VAR", ROOT / "var"))
    above = real / "walks"
    above.mkdir(parents=True, exist_ok=True)
    _clear_leftovers(above)
    var = above / f"{os.getpid()}-{os.urandom(3).hex()}"
    var.mkdir()
    code = source or ROOT / "src"
    collected = var if source else real  # of the sources here they are shared, of others they are this instance's own
    done = subprocess.run(
        [sys.executable, "-P", "-m", "verbund.commands.cli", "setup", "--no-database"],
        env={**os.environ, "VERBUND_VAR": str(collected), "PYTHONPATH": str(code)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    if collected != var:
        (var / "static").symlink_to(collected / "static", target_is_directory=True)
    made = Instance(var, code)
    try:
        yield made
    finally:
        made.end()
        if not keep:
            _remove(var)
