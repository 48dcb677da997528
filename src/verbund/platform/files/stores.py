"""Where the bytes lie: a folder or an S3 bucket. Each class is a gateway; `store()` gives the one of the settings.

A store knows contents by body (schema name) and SHA-256 only. `stage` gives a file to write into, `keep` makes it the
content in one step: whatever happens in between, a content is there whole or not at all.
"""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, Protocol, cast
from uuid import uuid4

from django.conf import settings
from django.core.files.base import ContentFile, File

_BODY = re.compile(r"\A[a-z][a-z0-9_]{0,62}\Z")
_SHA256 = re.compile(r"\A[0-9a-f]{64}\Z")
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class ContentMissing(Exception):  # noqa: N818 - reads as the answer
    """The body has a row for this content, but the store has no bytes: a broken restore or a lost disk."""


class Store(Protocol):
    """What a store of contents can do. All moments are aware."""

    @property
    def beside(self) -> bool:
        """Whether a content may be written in a thread of its own while the transaction goes on."""

    @contextmanager
    def stage(self, body: str) -> Iterator[BinaryIO]:
        """An empty file to write and read; it is gone afterwards unless it was kept."""

    def keep(self, body: str, sha256: str, staged: BinaryIO) -> None:
        """Make the staged bytes the content; on return they are on stable storage."""

    def write(self, body: str, sha256: str, content: bytes) -> None:
        """Make these bytes the content, as `keep` does with staged ones."""

    def open(self, body: str, sha256: str) -> BinaryIO:
        """The content for reading. Raises ContentMissing."""

    def contents(self, body: str, *, before: datetime) -> Iterator[str]:
        """SHA-256 of all contents of the body last kept before the moment."""

    def remove(self, body: str, sha256: str, *, before: datetime) -> bool:
        """Take the content away if it was last kept before the moment; False if it is younger or not there."""

    def clear_stage(self, body: str, *, before: datetime) -> int:
        """Remove what writers that were killed have left before the moment; how many."""


def _checked(body: str, sha256: str) -> None:
    if not _BODY.match(body) or not _SHA256.match(sha256):
        raise ValueError("not a body and a SHA-256")


class LocalStore:
    """Contents below a folder: `<root>/<body>/content/<aa>/<sha256>`, staged in `<root>/<body>/stage/`.

    Both lie in one file system, so that a rename is atomic. A write is: bytes, fsync, rename, fsync of the folder.
    There is one level of folders: a second one would nearly always be new, and a new folder is an fsync more.
    """

    beside: Final = True

    def __init__(self, root: Path) -> None:
        self.root = root

    def _path(self, body: str, sha256: str) -> Path:
        _checked(body, sha256)
        return self.root / body / "content" / sha256[:2] / sha256

    def _stage(self, body: str) -> Path:
        if not _BODY.match(body):
            raise ValueError("not a body")
        return self.root / body / "stage"

    @contextmanager
    def stage(self, body: str) -> Iterator[BinaryIO]:
        folder = self._stage(body)
        _make_folder(folder)
        path = folder / uuid4().hex
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "w+b") as file:
                yield cast(BinaryIO, _Staged(file, path))
        finally:
            path.unlink(missing_ok=True)

    def keep(self, body: str, sha256: str, staged: BinaryIO) -> None:
        target = self._path(body, sha256)
        staged.flush()
        os.fchmod(staged.fileno(), 0o440)
        os.fsync(staged.fileno())
        _settle(cast(_Staged, staged).path, target)

    def write(self, body: str, sha256: str, content: bytes) -> None:
        target = self._path(body, sha256)
        folder = self._stage(body)
        staged = folder / uuid4().hex
        try:
            descriptor = os.open(staged, _NEW, 0o600)
        except FileNotFoundError:  # the body's first content
            _make_folder(folder)
            descriptor = os.open(staged, _NEW, 0o600)
        try:
            try:
                rest = memoryview(content)
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
                os.fchmod(descriptor, 0o440)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            _settle(staged, target)
        except BaseException:
            staged.unlink(missing_ok=True)
            raise

    def open(self, body: str, sha256: str) -> BinaryIO:
        try:
            return self._path(body, sha256).open("rb")
        except FileNotFoundError as missing:
            raise ContentMissing(sha256) from missing

    def contents(self, body: str, *, before: datetime) -> Iterator[str]:
        base = self.root / body / "content"
        for path in base.glob("*/*"):
            if _SHA256.match(path.name) and _changed(path) < before:
                yield path.name

    def remove(self, body: str, sha256: str, *, before: datetime) -> bool:
        path = self._path(body, sha256)
        with suppress(FileNotFoundError):
            if _changed(path) < before:
                path.unlink()
                return True
        return False

    def clear_stage(self, body: str, *, before: datetime) -> int:
        removed = 0
        for path in self._stage(body).glob("*"):
            with suppress(FileNotFoundError):
                if _changed(path) < before:
                    path.unlink()
                    removed += 1
        return removed


def _settle(staged: Path, target: Path) -> None:
    """Give the bytes, which are on stable storage, their place and name.

    Also when the content is there already: it costs nothing more, renews the date and heals a damaged copy.
    """
    folder = target.parent
    try:
        staged.replace(target)
    except FileNotFoundError:  # the first content with this beginning
        _make_folder(folder)
        staged.replace(target)
    _sync_folder(folder)


class _Staged:
    """An open file that knows its path."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file = file
        self.path = path

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._file)


def _changed(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _make_folder(folder: Path) -> None:
    """Make the folder and those above it, each entry on stable storage before it is used."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class S3Store:
    """Contents in an S3 bucket by django-storages: `<body>/<aa>/<sha256>`. An object appears whole or not at all."""

    PIECE: Final = 1024 * 1024
    beside: Final = False  # the client of the bucket belongs to its thread

    def __init__(self, options: dict[str, Any]) -> None:
        from storages.backends.s3 import S3Storage

        # One object per digest: an object with this name has this content, so that writing it again changes nothing.
        self.storage = S3Storage(**{**options, "file_overwrite": True, "querystring_auth": False, "default_acl": None})

    def _key(self, body: str, sha256: str) -> str:
        _checked(body, sha256)
        return f"{body}/{sha256[:2]}/{sha256}"

    @contextmanager
    def stage(self, body: str) -> Iterator[BinaryIO]:
        with tempfile.TemporaryFile() as file:  # nameless: a killed writer leaves nothing
            yield cast(BinaryIO, file)

    def keep(self, body: str, sha256: str, staged: BinaryIO) -> None:
        staged.seek(0)
        # django-storages closes what it uploads; the caller still needs the staged file
        with os.fdopen(os.dup(staged.fileno()), "rb") as copy:
            self.storage.save(self._key(body, sha256), File(copy))

    def write(self, body: str, sha256: str, content: bytes) -> None:
        self.storage.save(self._key(body, sha256), ContentFile(content))

    def open(self, body: str, sha256: str) -> BinaryIO:
        from botocore.exceptions import ClientError

        bucket_object = self.storage.bucket.Object(self.storage._normalize_name(self._key(body, sha256)))
        file = tempfile.SpooledTemporaryFile(max_size=8 * self.PIECE)  # noqa: SIM115 - handed to the caller
        try:
            for piece in bucket_object.get()["Body"].iter_chunks(self.PIECE):
                file.write(piece)
        except ClientError as error:
            file.close()
            if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
                raise ContentMissing(sha256) from error
            raise
        file.seek(0)
        return cast(BinaryIO, file)

    def contents(self, body: str, *, before: datetime) -> Iterator[str]:
        prefix = self.storage._normalize_name(f"{body}/")
        for found in self.storage.bucket.objects.filter(Prefix=prefix.rstrip("/") + "/"):
            digest = found.key.rpartition("/")[2]
            if _SHA256.match(digest) and found.last_modified < before:
                yield digest

    def remove(self, body: str, sha256: str, *, before: datetime) -> bool:
        key = self._key(body, sha256)
        try:
            if self.storage.get_modified_time(key) >= before:
                return False
        except FileNotFoundError:
            return False
        self.storage.delete(key)
        return True

    def clear_stage(self, body: str, *, before: datetime) -> int:
        return 0


@cache
def _store(backend: str, root: str, options: tuple[tuple[str, Any], ...]) -> Store:
    if backend == "s3":
        return S3Store(dict(options))
    return LocalStore(Path(root))


def store() -> Store:
    """The store of the settings: VERBUND_FILES_BACKEND ("local" or "s3"), VERBUND_FILES_ROOT, VERBUND_S3."""
    backend = getattr(settings, "VERBUND_FILES_BACKEND", "local")
    options: dict[str, Any] = getattr(settings, "VERBUND_S3", {})
    return _store(backend, str(getattr(settings, "VERBUND_FILES_ROOT", "var/files")), tuple(sorted(options.items())))
