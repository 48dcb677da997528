"""The web server and those who keep a connection and ask nothing: they take nobody's place."""

import http.client
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

IDLE = 300  # browsers that have got their page


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """One web process of two threads, started by somebody whose limit of open files is small; no database behind it."""
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "staticfiles.json").write_text('{"version": "1.1", "paths": {}, "hash": ""}')
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "verbund.commands.cli", "web", "--port", str(number), "--workers", "1"),
            *("--threads", "2", "--metrics-port", "0"),
        ],
        env={
            **{name: value for name, value in os.environ.items() if name != "VERBUND_OWNER_DATABASE_URL"},
            "VERBUND_VAR": str(tmp_path),
            "VERBUND_SECRET_KEY": "x" * 60,
            "DATABASE_URL": "postgresql://nobody@/nothing?host=/nowhere",
            "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=_few_files,
    )
    try:
        end = time.monotonic() + 40
        while not _answers(number):
            assert server.poll() is None
            assert time.monotonic() < end
            time.sleep(0.1)
        yield number
    finally:
        server.terminate()
        server.wait(40)


def _few_files() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (IDLE - 50, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def _answers(port: int) -> bool:
    try:
        with closing(_asked(port)):
            return True
    except OSError:
        return False


def _asked(port: int) -> http.client.HTTPConnection:
    """A connection over which a page was got, and which stays open."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"ok\n")
        assert connection.sock is not None, "the server has closed the connection"
    except BaseException:
        connection.close()
        raise
    return connection


def test_browsers_that_rest_keep_nobody_waiting(port: int) -> None:
    with ExitStack() as resting:
        for _browser in range(IDLE):
            resting.enter_context(closing(_asked(port)))
        begun = time.monotonic()
        resting.enter_context(closing(_asked(port)))
        assert time.monotonic() - begun < 2


def test_a_process_has_its_addresses_read_and_its_modules_settled_before_the_first_page(tmp_path: Path) -> None:
    script = (
        "import gc\n"
        "from verbund.commands import web\n"
        "web.load()\n"
        "from django.urls import get_resolver\n"
        "print(get_resolver()._populated, gc.get_freeze_count() > 100_000, len(gc.get_objects()) < 1_000)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={
            **{name: value for name, value in os.environ.items() if name != "VERBUND_OWNER_DATABASE_URL"},
            "VERBUND_VAR": str(tmp_path),
            "VERBUND_SECRET_KEY": "x" * 60,
            "DATABASE_URL": "postgresql://nobody@/nothing?host=/nowhere",
            "DJANGO_SETTINGS_MODULE": "verbund.config.settings",
            "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["True", "True", "True"], done.stderr[-2000:]
