"""Where a scanner is set it must answer, and its answer counts."""

import io
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core import checks
from django.test import override_settings
from tests.platform.files import samples

from verbund.platform import files
from verbund.platform.files.checks import uploads_are_scanned
from verbund.platform.files.scanners import ClamdScanner, FakeScanner, NoScanner, scanner


class Clamd:
    """A daemon that speaks INSTREAM, hears everything and answers what it is told to."""

    def __init__(self, answer: bytes, *, hang_up_after: int | None = None) -> None:
        self.answer, self.hang_up_after = answer, hang_up_after
        self.heard = bytearray()
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.server.getsockname()[1]}"
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        connection, _ = self.server.accept()
        with connection, connection.makefile("rb") as stream:
            assert stream.read(10) == b"zINSTREAM\0"
            while size := struct.unpack("!L", stream.read(4))[0]:
                self.heard += stream.read(size)
                if self.hang_up_after is not None and len(self.heard) > self.hang_up_after:
                    break
            connection.sendall(self.answer)

    def close(self) -> None:
        self.server.close()
        self.thread.join(5)


@pytest.fixture
def clamd(request: pytest.FixtureRequest) -> Iterator[Clamd]:
    daemon = Clamd(**request.param)
    yield daemon
    daemon.close()


@pytest.mark.parametrize("clamd", [{"answer": b"stream: OK\0"}], indirect=True)
def test_the_daemon_hears_every_byte_and_says_clean(clamd: Clamd) -> None:
    content = bytes(range(256)) * 1000
    assert ClamdScanner(clamd.address).scan(io.BytesIO(content)) is True
    assert bytes(clamd.heard) == content


@pytest.mark.parametrize("clamd", [{"answer": b"stream: Win.Test.EICAR_HDB-1 FOUND\0"}], indirect=True)
def test_a_virus_is_refused_and_its_name_kept_for_the_log(alpha: Any, settings: Any, clamd: Clamd) -> None:
    settings.VERBUND_CLAMD = clamd.address
    with pytest.raises(files.Infected) as refused:
        files.put(samples.PDF, filename="a.pdf")
    assert refused.value.signature == "Win.Test.EICAR_HDB-1"
    assert "EICAR" not in str(refused.value.message)
    assert not files.StoredFile.objects.exists()


@pytest.mark.parametrize(
    "clamd",
    [
        {"answer": b"INSTREAM size limit exceeded. ERROR\0", "hang_up_after": 100_000},
        {"answer": b""},
        {"answer": b"what?\0"},
    ],
    indirect=True,
)
def test_any_other_answer_means_not_scanned_and_so_not_taken(clamd: Clamd) -> None:
    with pytest.raises(files.ScannerUnreachable, match="cannot be checked for viruses at the moment"):
        ClamdScanner(clamd.address).scan(io.BytesIO(b"x" * 5_000_000))


@pytest.mark.parametrize("address", ["127.0.0.1:1", "/nowhere/clamd.ctl", "unix:/nowhere/clamd.ctl", "nonsense"])
def test_without_an_answer_nothing_is_taken(alpha: Any, settings: Any, address: str) -> None:
    settings.VERBUND_CLAMD = address
    with pytest.raises(files.ScannerUnreachable):
        files.put(samples.PDF, filename="a.pdf")
    assert not files.StoredFile.objects.exists()


def test_a_daemon_that_stays_silent_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(files.ScannerUnreachable):
        ClamdScanner(f"127.0.0.1:{server.getsockname()[1]}", timeout=0.2).scan(io.BytesIO(b"x"))


@pytest.mark.parametrize(
    ("address", "kind"),
    [("", NoScanner), ("fake", FakeScanner), ("/run/clamd", ClamdScanner), ("host:3310", ClamdScanner)],
)
def test_the_setting_chooses_the_scanner(address: str, kind: type) -> None:
    with override_settings(VERBUND_CLAMD=address):
        assert type(scanner()) is kind


def test_an_installation_without_a_scanner_is_told_so() -> None:
    with override_settings(VERBUND_CLAMD=""):
        assert [(m.id, m.level) for m in uploads_are_scanned(None)] == [("files.W001", checks.WARNING)]
    with override_settings(VERBUND_CLAMD="fake"):
        assert [(m.id, m.level) for m in uploads_are_scanned(None)] == [("files.E001", checks.ERROR)]
    with override_settings(VERBUND_CLAMD="/run/clamav/clamd.ctl"):
        assert list(uploads_are_scanned(None)) == []


@pytest.mark.conformance
def test_the_real_daemon_refuses_eicar_and_takes_a_document(tmp_path: Path) -> None:
    daemon = shutil.which("clamd")
    if daemon is None:
        pytest.skip("clamd is not installed (apt-get install clamav-daemon)")
    database = tmp_path / "database"
    database.mkdir()
    (database / "own.ndb").write_text(f"Own.Eicar:0:0:{samples.EICAR.hex()}\n")
    socket_path = tmp_path / "clamd.ctl"
    config = tmp_path / "clamd.conf"
    config.write_text(f"DatabaseDirectory {database}\nLocalSocket {socket_path}\nForeground yes\nStreamMaxLength 2M\n")
    tmp_path.chmod(0o777)
    process = subprocess.Popen([daemon, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 30
        while not socket_path.exists() and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.1)
        assert socket_path.exists(), f"clamd did not start ({process.poll()})"
        real = ClamdScanner(str(socket_path))
        assert real.scan(io.BytesIO(samples.PDF)) is True
        with pytest.raises(files.Infected, match="harmful"):
            real.scan(io.BytesIO(samples.EICAR))
        with pytest.raises(files.ScannerUnreachable):
            real.scan(io.BytesIO(b"x" * 3_000_000))
    finally:
        process.terminate()
        process.wait()
