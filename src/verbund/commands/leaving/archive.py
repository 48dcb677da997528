"""The archive: a folder of plain files with a manifest that names every one of them with size and SHA-256.

It may come from a stranger. Paths are matched against the shapes an archive has, nothing but plain files is opened, no
link is followed, and whatever is not in the manifest is refused.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO, Final

from verbund.commands.texts import _

FORMAT: Final = "verbund-body-1"
MANIFEST: Final = "manifest.json"
BODY: Final = "body.json"
PEOPLE: Final = "people.json"
ANCHORS: Final = "anchors.json"
TABLES: Final = "tables.json"
DUMP: Final = "body.sql"
README: Final = "LIESMICH.txt"
PIECE: Final = 1024 * 1024
LARGEST_JSON: Final = 512 * 1024 * 1024  # bytes; the manifest of some three million files
NAMED: Final = 20  # faults named one by one

_PATHS: Final = re.compile(
    r"(?:body\.json|people\.json|anchors\.json|tables\.json|body\.sql|LIESMICH\.txt"
    r"|data/[a-z][a-z0-9_]{0,62}\.csv|contents/[0-9a-f]{2}/[0-9a-f]{64})\Z"
)
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")
_SHA256: Final = re.compile(r"[0-9a-f]{64}\Z")

Progress = Callable[[str], None]


class Spoilt(Exception):  # noqa: N818 - says what the archive is
    """The archive is not what its manifest says, or not one of ours. `faults` names each place with the reason."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults[:NAMED]))
        self.faults = list(faults)


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an archive."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """Manifest (Verzeichnis der Herausgabe): what the archive is and every file in it."""

    software: str
    taken_at: str
    body: dict[str, str]  # id, schema_name, slug, name
    tables: dict[str, int]  # rows of each table
    migrations: list[tuple[str, str]]
    left_out: dict[str, str]
    entries: dict[str, Entry] = field(default_factory=dict)

    def values(self) -> dict[str, Any]:
        """As JSON values, entries in the order of their paths."""
        return {
            "format": FORMAT,
            "software": self.software,
            "taken_at": self.taken_at,
            "body": self.body,
            "tables": dict(sorted(self.tables.items())),
            "migrations": sorted(self.migrations),
            "left_out": self.left_out,
            "entries": [
                {"path": entry.path, "size": entry.size, "sha256": entry.sha256}
                for _path, entry in sorted(self.entries.items())
            ],
        }

    @property
    def bytes(self) -> int:
        """The size of all files together."""
        return sum(entry.size for entry in self.entries.values())


class Writer:
    """Writes the files of an archive into a folder and remembers size and hash of each; the same bytes are on stable
    storage before the manifest is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entries: dict[str, Entry] = {}

    @contextmanager
    def file(self, path: str) -> Iterator["Hashing"]:
        """A new file of the archive, open for writing.

        Raises:
            ValueError: for a path that no archive has.
        """
        if not _PATHS.match(path):
            raise ValueError(path)
        target = self.folder / path
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as raw:
            hashing = Hashing(raw)
            yield hashing
            raw.flush()
            os.fsync(raw.fileno())
        self.entries[path] = Entry(path, hashing.size, hashing.digest.hexdigest())

    def json(self, path: str, values: Any) -> None:
        """A JSON file, readable for people too."""
        with self.file(path) as out:
            out.write(as_json(values))

    def finish(self, manifest: Manifest) -> str:
        """Write the manifest, last of all; returns its SHA-256."""
        manifest.entries.update(self.entries)
        content = as_json(manifest.values())
        descriptor = os.open(self.folder / MANIFEST, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        for folder, _folders, _files in os.walk(self.folder):
            sync_folder(Path(folder))
        return hashlib.sha256(content).hexdigest()


class Hashing:
    """An open file that knows what went through it: size and SHA-256."""

    def __init__(self, raw: "BinaryIO | IO[bytes]") -> None:
        self._raw = raw
        self.size = 0
        self.digest = hashlib.sha256()

    def write(self, piece: bytes | bytearray | memoryview) -> None:
        """Write all of it."""
        self._raw.write(piece)
        self.size += len(piece)
        self.digest.update(piece)

    def read(self, size: int = PIECE) -> bytes:
        """Read at most `size` bytes."""
        piece = self._raw.read(size)
        self.size += len(piece)
        self.digest.update(piece)
        return piece


def as_json(values: Any) -> bytes:
    """JSON as it stands in an archive: UTF-8, sorted only where the values are, one value a line where it helps."""
    return (json.dumps(values, ensure_ascii=False, indent=1) + "\n").encode()


def sync_folder(folder: Path) -> None:
    """Have the folder's entries on stable storage."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def unfinished(target: Path) -> Iterator[Path]:
    """A folder beside `target` that becomes it when the work inside is done, and vanishes when it is not.

    What a killed writer has left is cleared away; a living one is not disturbed.

    Raises:
        FileExistsError: `target` is there already.
        BlockingIOError: somebody else is writing it at this moment.
    """
    if os.path.lexists(target):
        raise FileExistsError(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    lock = target.with_name(f".{target.name}.lock")
    folder = target.with_name(f".{target.name}.unfinished")
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
            try:
                yield folder
                if os.path.lexists(target):
                    raise FileExistsError(target)
                folder.rename(target)
                sync_folder(target.parent)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            with suppress(FileNotFoundError):
                lock.unlink()


class Archive:
    """An archive that was made elsewhere, opened for reading."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest_sha256 = ""
        self.manifest = self._manifest()

    def _manifest(self) -> Manifest:
        if self.folder.is_symlink() or not self.folder.is_dir():
            raise Spoilt([_("{path} is not a folder").format(path=self.folder)])
        with self._plain(MANIFEST) as raw:
            content = raw.read(LARGEST_JSON + 1)
        if len(content) > LARGEST_JSON:
            raise Spoilt([_("{path}: too large").format(path=MANIFEST)])
        self.manifest_sha256 = hashlib.sha256(content).hexdigest()
        try:
            return _manifest_of(json.loads(content.decode()))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise Spoilt([_("{path}: not the manifest of a body of this format").format(path=MANIFEST)]) from error

    @contextmanager
    def _plain(self, path: str) -> Iterator[BinaryIO]:
        """A plain file below the folder, no link on the way to it."""
        opened: list[int] = []
        try:
            where = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            opened.append(where)
            *folders, name = path.split("/")
            for part in folders:
                where = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=where)
                opened.append(where)
            # Not to block on a pipe somebody has put there
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=where)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                raise Spoilt([_("{path}: not a plain file").format(path=path)])
            with os.fdopen(descriptor, "rb") as file:
                yield file
        except FileNotFoundError as error:
            raise Spoilt([_("{path}: missing").format(path=path)]) from error
        except OSError as error:
            raise Spoilt([_("{path}: cannot be read ({reason})").format(path=path, reason=error.strerror)]) from error
        finally:
            for descriptor in opened:
                os.close(descriptor)

    @contextmanager
    def open(self, path: str) -> Iterator[Hashing]:
        """A file of the manifest for reading; when it was read to its end it must have been what the manifest says.

        Raises:
            Spoilt: it is not, or it is not there.
        """
        entry = self.manifest.entries.get(path)
        if entry is None:
            raise Spoilt([_("{path}: not in the manifest").format(path=path)])
        with self._plain(path) as raw:
            hashing = Hashing(raw)
            yield hashing
            if fault := _fault(entry, hashing):
                raise Spoilt([fault])

    def beginning(self, path: str, size: int) -> bytes:
        """The first bytes of a file."""
        with self._plain(path) as raw:
            return raw.read(size)

    def json(self, path: str) -> Any:
        """The values of a JSON file of the archive."""
        with self.open(path) as file:
            content = file.read(LARGEST_JSON + 1)
            if len(content) > LARGEST_JSON:
                raise Spoilt([_("{path}: too large").format(path=path)])
        try:
            return json.loads(content.decode())
        except (ValueError, RecursionError) as error:
            raise Spoilt([_("{path}: not JSON").format(path=path)]) from error

    def verify(self, progress: Progress = lambda _text: None) -> None:
        """Read every file; all that differs from the manifest is named.

        Raises:
            Spoilt.
        """
        faults = [_("{path}: not in the manifest").format(path=path) for path in self._strangers()]
        for number, (path, entry) in enumerate(sorted(self.manifest.entries.items())):
            if number % 200 == 0:
                progress(path)
            try:
                with self._plain(path) as raw:
                    hashing = Hashing(raw)
                    while hashing.size <= entry.size and hashing.read():
                        pass
                if fault := _fault(entry, hashing):
                    faults.append(fault)
            except Spoilt as spoilt:
                faults += spoilt.faults
        if faults:
            raise Spoilt(faults)

    def _strangers(self) -> Iterator[str]:
        for folder, folders, files in os.walk(self.folder, followlinks=False):
            for name in [*files, *(f for f in folders if (Path(folder) / f).is_symlink())]:
                path = (Path(folder) / name).relative_to(self.folder).as_posix()
                if path != MANIFEST and path not in self.manifest.entries:
                    yield path


def _fault(entry: Entry, read: Hashing) -> str:
    if read.size != entry.size:
        return _("{path}: has another size than the manifest says").format(path=entry.path)
    if read.digest.hexdigest() != entry.sha256:
        return _("{path}: its content is not what the manifest says").format(path=entry.path)
    return ""


def _manifest_of(values: Mapping[str, Any]) -> Manifest:
    """The manifest as values that can be trusted in shape; raises what a wrong shape raises."""
    if values["format"] != FORMAT:
        raise ValueError("format")
    entries: dict[str, Entry] = {}
    for row in values["entries"]:
        entry = Entry(_text(row["path"]), _number(row["size"]), _text(row["sha256"]))
        if not _PATHS.match(entry.path) or not _SHA256.match(entry.sha256) or entry.path in entries:
            raise ValueError("entry")
        if entry.path.startswith("contents/") and entry.path != content_path(entry.sha256):
            raise ValueError("content")
        entries[entry.path] = entry
    tables = {_text(name): _number(rows) for name, rows in values["tables"].items()}
    if not all(_NAME.match(name) for name in tables):
        raise ValueError("table")
    return Manifest(
        software=_text(values["software"]),
        taken_at=_text(values["taken_at"]),
        body={key: _text(values["body"][key]) for key in ("id", "schema_name", "slug", "name")},
        tables=tables,
        migrations=[(_text(app), _text(name)) for app, name in values["migrations"]],
        left_out={_text(key): _text(value) for key, value in values["left_out"].items()},
        entries=entries,
    )


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 4000:
        raise TypeError("text")
    return value


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise TypeError("number")
    return value


def content_path(sha256: str) -> str:
    """Where a stored content lies in an archive."""
    return f"contents/{sha256[:2]}/{sha256}"


def data_path(table: str) -> str:
    """Where the rows of a table lie in an archive."""
    return f"data/{table}.csv"
