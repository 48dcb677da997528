"""The command line on a folder of its own: set up, serve, survive kills, stop together; one clear line for what is
missing."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from verbund.platform.tenancy import embedded

Run = Callable[..., "subprocess.CompletedProcess[str]"]
_DATABASE = {"DATABASE_URL", "VERBUND_OWNER_DATABASE_URL", "VERBUND_EMBEDDED", "VERBUND_SECRET_KEY", "VERBUND_AS_OWNER"}


def _environment(var: Path, **more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in _DATABASE}
    return {
        **kept,
        "VERBUND_VAR": str(var),
        "LANGUAGE": "en",
        "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        **more,
    }


def _verbund(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "verbund.commands.cli", *arguments]


@pytest.fixture(scope="module")
def var() -> Iterator[Path]:
    """A folder in which `verbund setup` has run."""
    folder = Path(tempfile.mkdtemp(prefix="verbund-test-"))
    folder.chmod(0o755)
    done = subprocess.run(_verbund("setup"), env=_environment(folder), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def run(var: Path) -> Run:
    def verbund(*arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            _verbund(*arguments),
            env=_environment(var, **more),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return verbund


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _get(port: int, path: str, host: str = "127.0.0.1") -> tuple[int, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def _until(condition: Callable[[], bool], seconds: float = 40) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False


@pytest.mark.faults
def test_an_installation_lives_survives_kills_and_ends_together(var: Path, run: Run) -> None:
    alliance = ("--name", "Probeverbund AöR", "--kind", "alliance", "--slug", "probe")
    assert run("body", "add", "--name", "Stadt Probe", "--kind", "town", "--slug", "stadt").returncode == 2
    added = run("body", "add", *alliance, "--admin-name", "Ada Amsel", "--admin-email", "ada@example.org")
    assert added.returncode == 0, added.stderr
    assert "/anmelden/" in added.stdout or "probe.localhost" in added.stdout
    again = run("body", "add", *alliance, "--admin-name", "Ada Amsel", "--admin-email", "ada@example.org")
    assert again.returncode == 0, again.stderr
    assert run("body", "list").stdout.split("\n")[0].startswith("probe")

    port, metrics = _free_port(), _free_port()
    server = subprocess.Popen(
        _verbund("serve", "--port", str(port), "--metrics-port", str(metrics), "--workers", "1"),
        env=_environment(var),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert _until(lambda: _get(port, "/readyz") == (200, "ready\n"))
        assert _get(port, "/healthz") == (200, "ok\n")
        assert _get(port, "/", host="nobody.localhost")[0] == 404
        assert _get(port, "/metrics", host="probe.localhost")[0] == 404
        assert 'verbund_request_seconds_count{method="GET",route="healthz"} ' in _get(metrics, "/metrics")[1]
        assert "verbund_database_up 1.0" in _get(metrics, "/metrics")[1]

        family = psutil.Process(server.pid).children()
        web = next(child for child in family if "web" in child.cmdline())
        below = web.children(recursive=True)
        web.kill()
        assert _until(lambda: not any(_alive(process) for process in below)), "workers outlive their server"
        assert _until(lambda: _get(port, "/healthz")[0] == 200), "the web server was not started again"

        postgres = int((embedded.data_directory(var) / "postmaster.pid").read_text().split("\n", 1)[0])
        family = psutil.Process(server.pid).children(recursive=True)
        server.terminate()
        assert server.wait(40) == 0
        assert _until(lambda: not any(_alive(p) for p in family if p.is_running() and "postgres" not in p.name()))
        assert _until(lambda: not _alive(psutil.Process(postgres)) if psutil.pid_exists(postgres) else True)
    finally:
        if server.poll() is None:
            server.kill()


@pytest.mark.faults
def test_children_die_with_a_killed_parent(var: Path) -> None:
    port = _free_port()
    server = subprocess.Popen(
        _verbund("serve", "--port", str(port), "--metrics-port", "0", "--workers", "1"),
        env=_environment(var),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert _until(lambda: _get(port, "/readyz")[0] == 200)
        family = [p for p in psutil.Process(server.pid).children(recursive=True) if "postgres" not in p.name()]
        assert len(family) >= 3
    finally:
        server.kill()
        server.wait()
    assert _until(lambda: not any(_alive(process) for process in family))
    # The server of the database is taken over, and stopped, by the next command.
    assert (
        subprocess.run(_verbund("body", "list"), env=_environment(var), capture_output=True, check=False).returncode
        == 0
    )


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


@pytest.mark.faults
def test_a_body_that_does_not_exist_and_a_wrong_call_are_said_in_one_line(run: Run) -> None:
    for arguments in (
        ("migrate", "--body", "nobody"),
        ("body", "add", "--name", "X", "--kind", "alliance", "--slug", "x", "--admin-name", "Y"),
    ):
        answer = run(*arguments)
        assert answer.returncode == 2
        assert len(answer.stderr.strip().splitlines()) == 1
        assert answer.stderr.startswith("verbund: ")


def test_serving_before_setting_up_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        _verbund("web"),
        env=_environment(
            tmp_path, DATABASE_URL="postgresql://nobody@/nothing?host=/nowhere", VERBUND_SECRET_KEY="x" * 50
        ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.strip()) == (2, "verbund: Nothing is set up yet. Run `verbund setup` first.")


def test_a_server_of_ones_own_needs_a_secret_key(tmp_path: Path) -> None:
    done = subprocess.run(
        _verbund("web"),
        env=_environment(tmp_path, DATABASE_URL="postgresql://nobody@/nothing?host=/nowhere"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "VERBUND_SECRET_KEY" in done.stderr


@pytest.mark.faults
def test_the_secret_key_is_made_once_and_for_its_owner_only(var: Path) -> None:
    key = var / "secret-key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert len(key.read_text()) >= 60


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    done = subprocess.run(_verbund("setup"), env=_environment(tmp_path), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert str(tmp_path) in done.stderr
