"""What is put in stays in, once per body, or is not there at all."""

import hashlib
import io
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import translation
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tests.platform.files import samples
from tests.races import at_once

from verbund.modules.records.tests import factories
from verbund.platform import files
from verbund.platform.files import stores
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import NotFound, acting_for, whole_transaction

LATER = timedelta(days=2)


def on_disk(root: Path, body: str = "alpha") -> list[str]:
    return sorted(p.name for p in (root / body / "content").rglob("*") if p.is_file())


def staged(root: Path, body: str = "alpha") -> list[str]:
    return sorted(p.name for p in (root / body / "stage").glob("*"))


def put_and_roll_back() -> str:
    with transaction.atomic():
        digest = files.put(samples.PDF, filename="a.pdf").sha256
        transaction.set_rollback(True)
    return digest


@pytest.fixture
def root(settings: Any) -> Path:
    return Path(settings.VERBUND_FILES_ROOT)


def test_a_content_is_kept_under_its_digest_with_what_was_found_out(alpha: Any, root: Path) -> None:
    stored = files.put(samples.PDF, filename="bescheid.pdf")

    digest = hashlib.sha256(samples.PDF).hexdigest()
    assert (stored.sha256, stored.size, stored.media_type) == (digest, len(samples.PDF), "application/pdf")
    assert (stored.scan_result, stored.scanned_at) == ("not_scanned", None)
    path = root / "alpha" / "content" / digest[:2] / digest
    assert path.read_bytes() == samples.PDF
    assert path.stat().st_mode & 0o777 == 0o440
    assert staged(root) == []
    assert files.read(digest) == samples.PDF
    with files.open(digest, verify=True) as file:
        assert file.read() == samples.PDF


def test_the_same_content_is_stored_once_in_a_body(alpha: Any, root: Path) -> None:
    first = files.put(samples.PDF, filename="a.pdf")
    second = files.put(io.BytesIO(samples.PDF), filename="b.pdf")
    assert first == second
    assert files.StoredFile.objects.count() == 1
    assert on_disk(root) == [first.sha256]


def test_the_same_content_of_two_bodies_is_stored_twice_and_neither_reads_the_others(
    real_database: str, root: Path
) -> None:
    with acting_for("alpha"):
        ours = files.put(samples.PDF, filename="a.pdf").sha256
    with acting_for("beta"):
        with pytest.raises(files.FileNotFound):
            files.read(ours)
        with pytest.raises(NotFound):
            files.download(ours, "a.pdf")
        files.put(samples.PDF, filename="a.pdf")
    assert on_disk(root, "alpha") == on_disk(root, "beta") == [ours]
    assert not (root / "alpha/content" / ours[:2] / ours).samefile(root / "beta/content" / ours[:2] / ours)


@pytest.mark.parametrize(
    ("content", "name", "refusal", "message"),
    [
        (b"", "leer.pdf", files.Empty, "The file is empty."),
        (samples.PDF + b" " * 1000, "gross.pdf", files.TooLarge, "At most 500 bytes"),
        (samples.SVG, "bild.svg", files.WrongType, "cannot be taken"),
        (samples.EICAR, "virus.txt", files.Infected, "harmful content"),
    ],
)
def test_a_refused_content_leaves_nothing(
    alpha: Any, root: Path, settings: Any, content: bytes, name: str, refusal: type[files.Refused], message: str
) -> None:
    settings.VERBUND_CLAMD = "fake"
    with pytest.raises(refusal, match=message) as refused:
        files.put(content, filename=name, limit=500)
    assert refused.value.errors == {"": refused.value.message}
    assert files.StoredFile.objects.count() == 0
    assert on_disk(root) == staged(root) == []


def test_a_refusal_speaks_german_to_a_german(alpha: Any) -> None:
    with translation.override("de"), pytest.raises(files.TooLarge) as refused:
        files.put(samples.PDF, filename="a.pdf", limit=50)
    assert str(refused.value.message) == (
        "Die Datei ist zu groß. Höchstens 50 Byte können angenommen werden. Bitte senden Sie eine kleinere Datei."
    )


def test_a_stream_beyond_the_limit_is_not_read_to_its_end(alpha: Any, settings: Any) -> None:
    settings.VERBUND_UPLOAD_LIMIT = 3 * 1024 * 1024

    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            assert self.given < 10 * 1024 * 1024, "read on beyond the limit"
            self.given += size
            return b"x" * size

    with pytest.raises(files.TooLarge, match="At most 3 MB"):
        files.put(Endless(), filename="a.txt")  # type: ignore[arg-type]


def test_scanned_content_says_when_it_was_scanned(alpha: Any, settings: Any) -> None:
    settings.VERBUND_CLAMD = "fake"
    stored = files.put(samples.PDF, filename="a.pdf")
    assert stored.scan_result == "clean"
    assert stored.scanned_at is not None


def test_what_the_caller_rolls_back_was_never_there_but_its_bytes_wait_for_the_sweep(
    alpha: Any, root: Path, now: datetime
) -> None:
    put_and_roll_back()
    digest = hashlib.sha256(samples.PDF).hexdigest()
    assert not files.StoredFile.objects.exists()
    with pytest.raises(files.FileNotFound):
        files.read(digest)
    assert on_disk(root) == [digest]

    present = datetime.now(UTC)
    assert files.sweep(now=present).contents == 0, "a day is not over"
    assert files.sweep(now=present + LATER).contents == 1
    assert on_disk(root) == []


def test_a_sweep_leaves_what_has_a_row_and_what_belongs_to_others(real_database: str, root: Path) -> None:
    with acting_for("beta"):
        theirs = files.put(samples.PDF, filename="a.pdf").sha256
        files.StoredFile.objects.all().delete()
    with acting_for("alpha"):
        ours = files.put(samples.PDF, filename="a.pdf").sha256
        assert files.sweep(now=datetime.now(UTC) + LATER).contents == 0
        assert files.read(ours) == samples.PDF
    assert on_disk(root, "beta") == [theirs]


def test_a_sweep_removes_what_killed_writers_left(alpha: Any, root: Path) -> None:
    files.put(samples.PDF, filename="a.pdf")
    (root / "alpha/stage/left").write_bytes(b"half")
    assert files.sweep(now=datetime.now(UTC)).staged == 0
    assert files.sweep(now=datetime.now(UTC) + LATER).staged == 1
    assert staged(root) == []


def test_a_sweep_never_takes_what_a_put_is_about_to_commit(real_database: str, root: Path) -> None:
    """The content lies there as an old orphan; a put takes it up and has not committed when the sweep comes."""
    with acting_for("alpha"):
        digest = put_and_roll_back()
    put_done, sweep_done = threading.Event(), threading.Event()
    problems: list[BaseException] = []

    def putter() -> None:
        try:
            with acting_for("alpha"), transaction.atomic():
                files.put(samples.PDF, filename="a.pdf")
                put_done.set()
                assert sweep_done.wait(10)
        except BaseException as problem:  # noqa: BLE001 - shown in the main thread
            problems.append(problem)
        finally:
            connection.close()

    thread = threading.Thread(target=putter)
    thread.start()
    assert put_done.wait(10)
    with acting_for("alpha"):
        assert files.sweep(now=datetime.now(UTC) + LATER).contents == 0
    sweep_done.set()
    thread.join()
    assert problems == []
    with acting_for("alpha"):
        assert files.read(digest) == samples.PDF
        assert files.sweep(now=datetime.now(UTC) + LATER).contents == 0


def test_many_at_once_putting_the_same_content_end_with_one(real_database: str, root: Path) -> None:
    def putter() -> None:
        for _ in range(5):
            files.put(samples.PDF, filename="a.pdf")

    assert at_once([putter] * 4, body="alpha") == [None] * 4
    with acting_for("alpha"):
        assert files.StoredFile.objects.count() == 1
    assert len(on_disk(root)) == 1


def test_a_discarded_content_goes_with_the_next_sweep(alpha: Any, root: Path) -> None:
    digest = files.put(samples.PDF, filename="a.pdf").sha256
    assert files.discard(digest) is True
    assert files.discard(digest) is False
    with pytest.raises(files.FileNotFound):
        files.open(digest)
    files.sweep(now=datetime.now(UTC) + LATER)
    assert on_disk(root) == []


def test_a_content_that_a_document_names_is_never_discarded(alpha: Any, staff: Any, system: Any) -> None:
    clerk = staff(Role.CLERK, units={"32"})
    factories.file_plan(system)
    document = factories.file_text(clerk, factories.open_case(clerk), "Notiz")
    assert files.discard(document.sha256) is False
    assert files.sweep(now=datetime.now(UTC) + LATER).contents == 0
    assert files.read(document.sha256) == b"Notiz"


def test_changed_bytes_are_noticed_and_lost_ones_named(alpha: Any, root: Path) -> None:
    digest = files.put(samples.PDF, filename="a.pdf").sha256
    path = root / "alpha/content" / digest[:2] / digest
    path.chmod(0o640)
    path.write_bytes(samples.PDF.replace(b"1.7", b"1.6"))
    with pytest.raises(files.Damaged):
        files.read(digest)
    with pytest.raises(files.Damaged):
        files.open(digest, verify=True)
    path.unlink()
    with pytest.raises(files.ContentMissing):
        files.read(digest)
    files.put(samples.PDF, filename="a.pdf")
    assert files.read(digest) == samples.PDF, "putting it again heals it"


def test_the_bodys_role_may_not_change_what_was_recorded(alpha: Any) -> None:
    files.put(samples.PDF, filename="a.pdf")
    with pytest.raises(Exception, match="permission denied"), transaction.atomic():
        files.StoredFile.objects.update(media_type="text/html")


@pytest.mark.parametrize("given_as", [bytes, io.BytesIO])
def test_the_bytes_are_on_stable_storage_before_the_name_is(
    alpha: Any, monkeypatch: pytest.MonkeyPatch, given_as: Callable[[bytes], Any]
) -> None:
    files.put(samples.PDF, filename="a.pdf")  # makes the folders
    order: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def noted_fsync(descriptor: int) -> None:
        order.append("folder" if Path(f"/proc/self/fd/{descriptor}").resolve().is_dir() else "bytes")
        fsync(descriptor)

    def noted_replace(self: Path, target: Path) -> Path:
        order.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    files.put(given_as(samples.PDF), filename="a.pdf")
    assert order == ["bytes", "rename", "folder"]


class TestBesideATransaction:
    """In a whole transaction the disk is waited for at the end."""

    def test_the_commit_waits_until_the_bytes_are_on_stable_storage(
        self, real_database: str, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write, may_go_on, done = stores.LocalStore.write, threading.Event(), threading.Event()

        def slow(store: stores.LocalStore, body: str, sha256: str, content: bytes) -> None:
            assert may_go_on.wait(10)
            write(store, body, sha256, content)
            done.set()

        monkeypatch.setattr(stores.LocalStore, "write", slow)
        with acting_for("alpha"):
            with whole_transaction():
                stored = files.put(b"eins", filename="a.txt")
                assert not done.is_set(), "the disk was waited for"
                threading.Timer(0.2, may_go_on.set).start()
                assert files.StoredFile.objects.filter(sha256=stored.sha256).exists()
                assert not done.is_set()
            assert done.is_set()
            assert files.read(stored.sha256) == b"eins"

    def test_who_reads_what_is_being_written_waits_for_it(
        self, real_database: str, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write, may_go_on = stores.LocalStore.write, threading.Event()

        def slow(store: stores.LocalStore, body: str, sha256: str, content: bytes) -> None:
            assert may_go_on.wait(10)
            write(store, body, sha256, content)

        monkeypatch.setattr(stores.LocalStore, "write", slow)
        with acting_for("alpha"), whole_transaction():
            stored = files.put(b"eins", filename="a.txt")
            threading.Timer(0.2, may_go_on.set).start()
            assert files.read(stored.sha256) == b"eins"

    def test_a_full_disk_lets_the_transaction_fail(
        self, real_database: str, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: Any) -> None:
            raise OSError("the disk is full")

        monkeypatch.setattr(stores.LocalStore, "write", full)
        with acting_for("alpha"):
            with pytest.raises(OSError, match="disk is full"), whole_transaction():
                files.put(b"eins", filename="a.txt")
            assert not files.StoredFile.objects.exists()


_WRITER = """
    import sys
    from pathlib import Path
    from verbund.platform.files.stores import LocalStore
    import hashlib
    store = LocalStore(Path(sys.argv[1]))
    number = 0
    while True:
        content = str(number).encode() * 40_000
        with store.stage("alpha") as staged:
            staged.write(content)
            store.keep("alpha", hashlib.sha256(content).hexdigest(), staged)
        print(number, flush=True)
        number += 1
"""


@pytest.mark.faults
@pytest.mark.parametrize("after", [0.05, 0.11, 0.23])
def test_a_writer_killed_at_any_point_leaves_whole_contents_only(tmp_path: Path, after: float) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_WRITER), str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "0\n"
    threading.Event().wait(after)
    writer.send_signal(signal.SIGKILL)
    said = [int(line) for line in writer.stdout.read().split()]
    writer.wait()

    store = stores.LocalStore(tmp_path)
    there = on_disk(tmp_path)
    for digest in there:
        with store.open("alpha", digest) as file:
            assert hashlib.sha256(file.read()).hexdigest() == digest
    assert len(there) >= len(said) + 1, "what was said to be kept is kept"
    assert len(staged(tmp_path)) <= 1
    assert (
        store.clear_stage("alpha", before=datetime.now(UTC) + LATER) == len(staged(tmp_path)) or staged(tmp_path) == []
    )


@given(st.binary(min_size=1, max_size=200).map(lambda b: b"%PDF-" + b))
@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_goes_in_comes_out(alpha: Any, content: bytes) -> None:
    assert files.read(files.put(content, filename="a.pdf").sha256) == content


class TestS3:
    """The same promises from a bucket."""

    @pytest.fixture(autouse=True)
    def bucket(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
        import boto3
        from moto import mock_aws

        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        with mock_aws():
            bucket = boto3.resource("s3", region_name="eu-central-1").create_bucket(
                Bucket="contents", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
            )
            settings.VERBUND_FILES_BACKEND = "s3"
            settings.VERBUND_S3 = {"bucket_name": "contents", "region_name": "eu-central-1"}
            stores._store.cache_clear()
            yield bucket
        stores._store.cache_clear()

    def test_a_content_is_kept_once_under_its_body_and_read_back(self, alpha: Any, bucket: Any) -> None:
        stored = files.put(samples.PDF, filename="a.pdf")
        files.put(samples.PDF, filename="b.pdf")
        assert [o.key for o in bucket.objects.all()] == [f"alpha/{stored.sha256[:2]}/{stored.sha256}"]
        assert files.read(stored.sha256) == samples.PDF
        response = files.download(stored.sha256, "a.pdf")
        assert b"".join(response) == samples.PDF

    def test_orphans_are_swept_and_lost_contents_named(self, alpha: Any, bucket: Any) -> None:
        put_and_roll_back()
        kept = files.put(samples.png(), filename="a.png").sha256
        assert files.sweep(now=datetime.now(UTC)).contents == 0
        assert files.sweep(now=datetime.now(UTC) + LATER).contents == 1
        assert [o.key.split("/")[-1] for o in bucket.objects.all()] == [kept]
        bucket.objects.all().delete()
        with pytest.raises(files.ContentMissing):
            files.read(kept)

    def test_a_refused_content_leaves_nothing(self, alpha: Any, bucket: Any) -> None:
        with pytest.raises(files.WrongType):
            files.put(samples.SVG, filename="a.svg")
        assert list(bucket.objects.all()) == []


def test_several_contents_are_taken_at_once_and_in_their_order(alpha: Any, root: Path) -> None:
    there = files.put(b"zwei", filename="a.txt")
    stored = files.put_many(
        [(b"eins", "a.txt"), (b"zwei", "b.txt"), (io.BytesIO(b"drei"), "c.txt"), (b"eins", "d.txt")]
    )
    assert [s.sha256 for s in stored] == [hashlib.sha256(c).hexdigest() for c in (b"eins", b"zwei", b"drei", b"eins")]
    assert stored[1].created_at == there.created_at
    assert [files.read(s.sha256) for s in stored] == [b"eins", b"zwei", b"drei", b"eins"]
    assert len(on_disk(root)) == files.StoredFile.objects.count() == 3
    assert staged(root) == []


def test_of_several_contents_all_are_taken_or_none(alpha: Any, root: Path) -> None:
    with pytest.raises(files.WrongType):
        files.put_many([(b"eins", "a.txt"), (b"<html><script>", "b.html")])
    assert (on_disk(root), staged(root), files.StoredFile.objects.count()) == ([], [], 0)


def test_a_content_whose_bytes_could_not_be_kept_has_no_row(
    real_database: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError("the disk is full")

    def put_and_take_no_notice() -> None:
        with transaction.atomic():
            with pytest.raises(OSError, match="disk is full"):
                files.put(b"eins", filename="a.txt")
            files.StoredFile.objects.count()

    monkeypatch.setattr(stores.LocalStore, "write", full)
    with acting_for("alpha"):
        with pytest.raises(transaction.TransactionManagementError):
            put_and_take_no_notice()
        assert not files.StoredFile.objects.exists()
