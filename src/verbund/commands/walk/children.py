"""Web and worker as children: started on a free port, watched, and always ended."""

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from verbund.commands import installation
from verbund.commands.texts import _

_END_OF_MAIL: Final = re.compile(r"^-{79}$", re.MULTILINE)
_PATIENCE: Final = 60.0  # seconds until the first page


@dataclass
class Children:
    """The two processes of an installation; their output lies in `var`; they run in `environment`, or in ours."""

    var: Path
    port: int
    environment: dict[str, str] | None = None
    processes: "dict[str, subprocess.Popen[bytes]]" = field(default_factory=dict)

    def start(self) -> None:
        """Start web and worker; `wait` waits for the first page."""
        self.start_web()
        self.start_worker()

    def start_web(self) -> None:
        """Start the web process alone."""
        self._child("web", "--port", str(self.port), "--workers", "1", "--threads", "4", "--metrics-port", "0")

    def start_worker(self) -> None:
        """Start the worker; its timed work goes to every body there is, so the bodies should be complete."""
        self._child("worker", "--concurrency", "2", "--metrics-port", "0")

    def wait(self) -> float:
        """Wait until the web process answers; the seconds it took since this call.

        Raises:
            installation.Unready: it ended, or did not answer in time; its last lines stand in the message.
        """
        begun = time.monotonic()
        while time.monotonic() - begun < _PATIENCE:
            self.check()
            if self._answers():
                return time.monotonic() - begun
            time.sleep(0.05)
        raise installation.Unready(_("The web process does not answer: {lines}").format(lines=self.log("web")))

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def check(self) -> None:
        """Raise when a child has ended.

        Raises:
            installation.Unready
        """
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise installation.Unready(
                    _("The {name} process ended with {code}: {lines}").format(
                        name=name, code=process.returncode, lines=self.log(name)
                    )
                )

    def log(self, name: str, lines: int = 12) -> str:
        """The last lines a child has written."""
        file = self.var / f"{name}.log"
        return "\n".join(file.read_text(errors="replace").splitlines()[-lines:]) if file.exists() else ""

    def errors(self) -> list[str]:
        """Lines of the children's logs that tell of an error or a traceback."""
        found = []
        for name in self.processes:
            file = self.var / f"{name}.log"
            for line in file.read_text(errors="replace").splitlines() if file.exists() else ():
                if '"level": "error"' in line or line.startswith("Traceback") or '"exception"' in line:
                    found.append(f"{name}: {line[:400]}")
        return found

    def mails(self) -> list[str]:
        """The e-mails sent so far, as text; Django may write several of them into one file."""
        folder = self.var / "mail"
        files = sorted(folder.glob("*")) if folder.is_dir() else []
        parts = (part.lstrip("\n") for f in files for part in _END_OF_MAIL.split(f.read_text(errors="replace")))
        return [part for part in parts if part.strip()]

    def stop(self) -> None:
        """End the children: first asked, then made to."""
        running = [p for p in self.processes.values() if p.poll() is None]
        for process in running:
            process.terminate()
        end = time.monotonic() + 10
        for process in running:
            try:
                process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                _kill_family(process)
        self.processes.clear()

    def _child(self, name: str, *arguments: str) -> None:
        environment = {k: v for k, v in (self.environment or os.environ).items() if k != "VERBUND_AS_OWNER"}
        with (self.var / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-P", "-m", "verbund.commands.cli", name, *arguments],
                env={**environment, "VERBUND_PARENT": str(os.getpid()), "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,  # Ctrl-C reaches the parent alone, which stops them in order
            )


def _kill_family(process: "subprocess.Popen[bytes]") -> None:
    with suppress(psutil.Error):
        for child in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.Error):
                child.kill()
    process.kill()
    process.wait()
