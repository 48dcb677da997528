"""The embedded server is shared, stops with its last user, heals what a crash left, and opens no private folder."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from verbund.platform.tenancy import embedded

_HOLDER = """
import sys
from pathlib import Path
from verbund.platform.tenancy import embedded
server = embedded.start(Path(sys.argv[1]))
embedded.addresses(server)
print(server.get_postmaster_info().pid, flush=True)
sys.stdin.readline()
"""


class Holder:
    """A process that holds the server of a folder until it is told to go."""

    def __init__(self, var: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _HOLDER, str(var)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the server did not start"
        self.server = int(line)

    def leave(self) -> None:
        """End in order."""
        self.process.communicate("\n", timeout=30)

    def kill(self) -> None:
        """End without a word."""
        self.process.kill()
        self.process.wait()


@pytest.fixture
def var() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="verbund-test-"))
    folder.chmod(0o755)
    yield folder
    for file in (embedded.data_directory(folder) / "postmaster.pid",):
        if file.exists():
            _end(int(file.read_text().split("\n", 1)[0]))
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def hold(var: Path) -> Iterator[Callable[[], Holder]]:
    holders: list[Holder] = []

    def make() -> Holder:
        holders.append(Holder(var))
        return holders[-1]

    yield make
    for holder in holders:
        if holder.process.poll() is None:
            holder.kill()


def _end(pid: int) -> None:
    """End a server of ours, if it is one."""
    try:
        process = psutil.Process(pid)
        if process.name().startswith("postgres"):
            process.send_signal(signal.SIGINT)
            process.wait(10)
    except psutil.Error:
        pass


def _gone(pid: int) -> bool:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_processes_share_one_server_and_the_last_one_stops_it(hold: Callable[[], Holder]) -> None:
    first, second = hold(), hold()
    assert first.server == second.server
    first.leave()
    assert psutil.pid_exists(second.server)
    second.leave()
    assert _gone(second.server)


@pytest.mark.faults
def test_a_killed_process_is_forgotten_by_the_next_one(hold: Callable[[], Holder]) -> None:
    killed = hold()
    killed.kill()
    assert psutil.pid_exists(killed.server)
    last = hold()
    assert last.server == killed.server
    last.leave()
    assert _gone(last.server)


@pytest.mark.faults
def test_the_server_comes_back_after_a_power_loss(var: Path, hold: Callable[[], Holder]) -> None:
    """Both are gone without a word, and the numbers they left belong to strangers now."""
    holder = hold()
    data = embedded.data_directory(var)
    server = psutil.Process(holder.server)
    family = [server, *server.children(recursive=True)]
    holder.kill()
    for process in family:
        with suppress(psutil.NoSuchProcess):  # the server's death ends its children, some of them before their turn
            process.kill()
    psutil.wait_procs(family, 10)
    stranger = str(os.getpid())
    left = (data / "postmaster.pid").read_text().split("\n", 1)
    (data / "postmaster.pid").write_text(f"{stranger}\n{left[1]}")
    (data / ".handle_pids.json").write_text(f"[{stranger}]")
    os.utime(data / ".handle_pids.json", (1, 1))  # written long before the stranger was born
    again = hold()
    assert again.server not in {holder.server, os.getpid()}
    again.leave()
    assert _gone(again.server)


@pytest.mark.parametrize("torn", ["", "[1", "nonsense"])
def test_a_torn_list_of_users_is_written_anew(tmp_path: Path, torn: str) -> None:
    handles = tmp_path / ".handle_pids.json"
    handles.write_text(torn)
    embedded._forget_the_dead(tmp_path)
    assert json.loads(handles.read_text()) == []


def test_living_users_are_kept_and_strangers_are_not(tmp_path: Path) -> None:
    handles = tmp_path / ".handle_pids.json"
    handles.write_text(json.dumps([os.getpid(), 2**22 + 1]))
    embedded._forget_the_dead(tmp_path)
    assert json.loads(handles.read_text()) == [os.getpid()]


def test_a_folder_that_was_half_made_is_set_aside(tmp_path: Path) -> None:
    data = tmp_path / "postgres"
    (data / "base").mkdir(parents=True)
    embedded._clear_half_made(data)
    assert not data.exists()
    assert [entry.name.startswith("postgres.unfinished-") for entry in tmp_path.iterdir()] == [True]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another user")
def test_root_opens_no_private_folder(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    data = embedded.data_directory(private / "var")
    assert data.is_relative_to(embedded.ROOT_HOME)
    open_folder = Path(tempfile.mkdtemp(prefix="verbund-test-"))
    try:
        open_folder.chmod(0o755)
        assert embedded.data_directory(open_folder) == open_folder / "postgres"
    finally:
        open_folder.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another user")
@pytest.mark.faults
def test_a_server_of_a_private_folder_leaves_it_private(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    before = {folder: folder.stat().st_mode for folder in (private, *private.parents)}
    holder = Holder(private)
    data = embedded.data_directory(private)
    try:
        assert (data / "PG_VERSION").exists()
        assert {folder: folder.stat().st_mode for folder in before} == before
    finally:
        holder.leave()
        assert _gone(holder.server)
        shutil.rmtree(data, ignore_errors=True)
        (data.parent / f".{data.name}.lock").unlink(missing_ok=True)
