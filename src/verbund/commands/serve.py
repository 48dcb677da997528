"""`verbund serve`: web and worker as children of one process that starts them again and stops them together."""

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from . import installation, metrics, web
from .texts import _

STOP_SECONDS: Final = 30.0
PARENT: Final = "VERBUND_PARENT"


def main(argv: Sequence[str]) -> int:
    """`verbund serve [--host H] [--port P] …` until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(prog="verbund serve", description=_("Run web and worker until Ctrl-C."))
    web.add_arguments(parser)
    parser.add_argument("--metrics-port", type=int, default=metrics.default_port(9109), help=_("0: none"))
    chosen = parser.parse_args(argv)
    if installation.is_embedded():
        os.environ.setdefault("VERBUND_PUBLIC_PORT", str(chosen.port))
    installation.surroundings()
    web.require_setup()
    metrics.prepare("serve")
    metrics.serve(chosen.metrics_port)
    family = Family(
        [
            Child(
                "web",
                [
                    *("web", "--host", chosen.host, "--port", str(chosen.port), "--metrics-port", "0"),
                    *("--workers", str(chosen.workers), "--threads", str(chosen.threads)),
                ],
            ),
            Child("worker", ["worker", "--metrics-port", "0"]),
        ]
    )
    threading.Thread(target=_announce, args=(chosen.host, chosen.port), daemon=True).start()
    return family.run()


@dataclass
class Child:
    """One of the two processes, with what is known of its last start."""

    name: str
    arguments: list[str]
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    failures: int = 0
    due: float = 0.0

    def start(self) -> None:
        """Start the process in a group of its own, so that Ctrl-C reaches the parent alone, which stops in order."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "verbund.commands.cli", *self.arguments],
            env={**os.environ, PARENT: str(os.getpid())},
            stdin=subprocess.DEVNULL,
            process_group=0,
        )
        self.started = time.monotonic()


@dataclass
class Family:
    """The children and the signal to stop."""

    children: list[Child]
    stop: threading.Event = field(default_factory=threading.Event)
    code: int = 0

    def run(self) -> int:
        """Start, watch, restart; returns the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)
        try:
            for child in self.children:
                child.start()
            while not self.stop.wait(0.2):
                for child in self.children:
                    self._look_after(child)
        finally:
            self._end()
        return self.code

    def _asked_to_stop(self, _number: int, _frame: object) -> None:
        self.stop.set()

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.due:
                child.start()
            return
        code = child.process.poll()
        if code is None:
            return
        child.process = None
        child.failures = 0 if now - child.started > 60 else child.failures + 1
        if code == 2 or child.failures > 8:
            # Something is missing that a restart does not bring; the child has said what.
            self.code = 2 if code == 2 else 1
            self.stop.set()
            return
        wait = min(30.0, 0.5 * 2**child.failures)
        child.due = now + wait
        print(
            _("verbund: {name} ended with {code}; starting it again in {wait:.0f} s").format(
                name=child.name, code=code, wait=wait
            ),
            file=sys.stderr,
            flush=True,
        )

    def _end(self) -> None:
        running = [c.process for c in self.children if c.process is not None and c.process.poll() is None]
        for process in running:
            process.terminate()
        end = time.monotonic() + STOP_SECONDS
        for process in running:
            try:
                process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _announce(host: str, port: int) -> None:
    """Say where the pages are as soon as the first one can be had."""
    address = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104  # nosec B104 - compared, not bound
    for _attempt in range(600):
        try:
            with urllib.request.urlopen(f"http://{address}:{port}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    break
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    else:
        return
    print(_("Ready. Stop with Ctrl-C."), flush=True)
    for line in addresses(port):
        print(f"  {line}", flush=True)


def addresses(port: int) -> list[str]:
    """The bodies' addresses, the alliance first."""
    import psycopg

    scheme = "http" if os.environ.get("VERBUND_HTTPS") == "0" else "https"
    shown = f":{port}" if scheme == "http" else ""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        rows = connection.execute(
            "SELECT h.domain, b.name FROM public.tenancy_host h JOIN public.tenancy_body b ON b.id = h.tenant_id"
            " WHERE h.is_primary ORDER BY NOT b.is_alliance, b.name"
        ).fetchall()
    return [f"{scheme}://{domain}{shown}/  {name}" for domain, name in rows]
