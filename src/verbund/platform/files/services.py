"""The store's doors. They take no actor: the room that calls has asked its policy, and the body is the connection's."""

import hashlib
import io
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import BinaryIO, Final

from django.conf import settings
from django.db import connection, models, transaction

from verbund.platform.tenancy import NotFound, clock, current_body
from verbund.platform.tenancy.rows import new
from verbund.platform.tenancy.transactions import before_commit, in_whole_transaction

from . import beside
from .models import ScanResult, StoredFile
from .recognition import DOCUMENTS, recognise
from .refusals import Empty, TooLarge
from .scanners import scanner
from .stores import Store, store

PIECE: Final = 1024 * 1024
DEFAULT_LIMIT: Final = 25 * 1024 * 1024  # bytes
# A put locks its contents and writes their rows in one statement: the lock is taken before the row is looked for, and
# what a sweep or a discard has removed while it was waited for is written anew.
_PUT: Final = """
INSERT INTO files_storedfile (sha256, size, media_type, scanned_at, scan_result, created_at)
SELECT w.sha256, w.size, w.media_type, w.scanned_at, w.scan_result, w.created_at
  FROM (SELECT n.*, pg_advisory_xact_lock_shared(hashtextextended(%s::text || n.sha256, 0)) AS held
          FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::timestamptz[], %s::text[], %s::timestamptz[])
            AS n (sha256, size, media_type, scanned_at, scan_result, created_at)
        OFFSET 0) w
 WHERE w.held IS NOT NULL
ON CONFLICT (sha256) DO NOTHING
RETURNING sha256
"""
_EXCLUSIVE: Final = "SELECT pg_advisory_xact_lock(hashtextextended(%s::text, 0))"
_TRY_EXCLUSIVE: Final = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s::text, 0))"
ORPHAN_AGE: Final = timedelta(days=1)


class FileNotFound(NotFound):
    """The body has no such content."""


class Damaged(Exception):  # noqa: N818 - reads as the answer
    """The bytes on the store are not those that were put in."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep removed: contents without a row, and leftovers of writers that were killed."""

    contents: int
    staged: int


def put(
    content: bytes | BinaryIO,
    *,
    filename: str,
    limit: int | None = None,
    allow: frozenset[str] | None = None,
) -> StoredFile:
    """Take content into the body's store: checked, scanned, on stable storage, once per body.

    The row belongs to the caller's transaction. If that is rolled back, the bytes stay until a sweep removes them.

    Args:
        content: bytes, or a binary stream read from its present position.
        filename: the name it came with; only its extension counts here.
        limit: most bytes; default VERBUND_UPLOAD_LIMIT (25 MB).
        allow: media types that may be taken; default `DOCUMENTS`.

    Raises:
        Empty, TooLarge, WrongType, Infected, ScannerUnreachable: all `Refused`; nothing was written.
    """
    return put_many([(content, filename)], limit=limit, allow=allow)[0]


def put_many(
    contents: Sequence[tuple[bytes | BinaryIO, str]],
    *,
    limit: int | None = None,
    allow: frozenset[str] | None = None,
) -> list[StoredFile]:
    """Take several contents, each with its file name, with one statement: all or none. Else as `put`.

    In a whole transaction bytes are written while it goes on; its commit waits until they are on stable storage.

    Raises: as `put`, for the first content that cannot be taken.
    """
    body = current_body().schema_name
    most = limit if limit is not None else int(getattr(settings, "VERBUND_UPLOAD_LIMIT", DEFAULT_LIMIT))
    kinds = DOCUMENTS if allow is None else allow
    keeper = store()
    with ExitStack() as stages:
        taken: dict[str, tuple[StoredFile, Callable[[], None]]] = {}
        order = []
        for content, filename in contents:
            keep: Callable[[], None]
            if isinstance(content, bytes):
                sha256, size, judged = _measured(content, most)
                keep = partial(_keep_bytes, keeper, body, sha256, content)
            else:
                judged = stages.enter_context(keeper.stage(body))
                sha256, size = _copy(content, judged, most)
                keep = partial(keeper.keep, body, sha256, judged)
            taken[sha256] = _check(judged, sha256, size, filename, kinds), keep
            order.append(sha256)
        # No savepoint: what fails in here leaves a transaction that cannot be committed any more.
        with transaction.atomic(savepoint=False):
            rows = _write(body, {sha256: taken[sha256][0] for sha256 in sorted(taken)})
            for _row, keep in taken.values():
                keep()
    return [rows[sha256] for sha256 in order]


def _measured(content: bytes, most: int) -> tuple[str, int, BinaryIO]:
    """Digest, size and stream of bytes."""
    if len(content) > most:
        raise TooLarge(most)
    if not content:
        raise Empty
    return hashlib.sha256(content).hexdigest(), len(content), io.BytesIO(content)


def _keep_bytes(keeper: Store, body: str, sha256: str, content: bytes) -> None:
    """Write the content: now, or beside the rest of a whole transaction, whose commit waits for it."""
    if keeper.beside and in_whole_transaction():
        before_commit(beside.begin((body, sha256), partial(keeper.write, body, sha256, content)))
    else:
        keeper.write(body, sha256, content)


def _check(judged: BinaryIO, sha256: str, size: int, filename: str, allow: frozenset[str]) -> StoredFile:
    """The row of a content, judged but not yet written."""
    media_type = recognise(judged, filename=filename, allow=allow)
    judged.seek(0)
    scanned = scanner().scan(judged)
    now = clock.now()
    return new(
        StoredFile,
        sha256=sha256,
        size=size,
        media_type=media_type,
        scanned_at=now if scanned else None,
        scan_result=ScanResult.CLEAN if scanned else ScanResult.NOT_SCANNED,
        created_at=now,
    )


def _copy(source: BinaryIO, staged: BinaryIO, most: int) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while piece := source.read(PIECE):
        size += len(piece)
        if size > most:
            raise TooLarge(most)
        digest.update(piece)
        staged.write(piece)
    if not size:
        raise Empty
    staged.flush()
    return digest.hexdigest(), size


def _write(body: str, wanted: dict[str, StoredFile]) -> dict[str, StoredFile]:
    """The rows, locked and written in the order given; for a content that is there already, the row that is there."""
    rows = list(wanted.values())
    with connection.cursor() as cursor:
        cursor.execute(
            _PUT,
            [
                f"files:{body}:",
                [row.sha256 for row in rows],
                [row.size for row in rows],
                [row.media_type for row in rows],
                [row.scanned_at for row in rows],
                [str(row.scan_result) for row in rows],
                [row.created_at for row in rows],
            ],
        )
        new = {sha256 for (sha256,) in cursor.fetchall()}
    found = {sha256: row for sha256, row in wanted.items() if sha256 in new}
    if len(found) < len(wanted):
        found |= StoredFile.objects.in_bulk([sha256 for sha256 in wanted if sha256 not in new])
    return found


def read(sha256: str, *, verify: bool = True) -> bytes:
    """The whole content.

    Raises:
        FileNotFound: not a content of this body.
        ContentMissing: the store has lost it.
        Damaged: it is not what was put in.
    """
    with open(sha256) as file:
        content = file.read()
    if verify and hashlib.sha256(content).hexdigest() != sha256:
        raise Damaged(sha256)
    return content


def open(sha256: str, *, verify: bool = False) -> BinaryIO:  # noqa: A001 - the door's name is files.open
    """The content as a stream. With `verify` it is read once before it is given.

    Raises:
        FileNotFound, ContentMissing, Damaged: as `read`.
    """
    if not StoredFile.objects.filter(sha256=sha256).exists():
        raise FileNotFound
    body = current_body().schema_name
    beside.finish((body, sha256))
    file = store().open(body, sha256)
    if verify:
        digest = hashlib.sha256()
        while piece := file.read(PIECE):
            digest.update(piece)
        if digest.hexdigest() != sha256:
            file.close()
            raise Damaged(sha256)
        file.seek(0)
    return file


def discard(sha256: str) -> bool:
    """Give a content up that nobody refers to any more; a sweep removes its bytes.

    False if a row of any room still refers to it (or it is not there): then nothing happens. Part of the caller's
    transaction.
    """
    body = current_body().schema_name
    try:
        with transaction.atomic():
            _hold(body, sha256)
            deleted, _rows = StoredFile.objects.filter(sha256=sha256).delete()
    except models.ProtectedError:
        return False
    return bool(deleted)


def sweep(*, now: datetime, older_than: timedelta = ORPHAN_AGE) -> Swept:
    """Remove contents without a row, and staged leftovers, last touched before `now - older_than`.

    Safe against a put of the same content at the same time: a put holds a shared lock on the content from before it
    writes to the store until its transaction ends; the sweep takes the exclusive one, or leaves the content alone, and
    only then looks for the row.
    """
    body = current_body().schema_name
    before = now - older_than
    keeper = store()
    removed = 0
    for batch in _batches(keeper.contents(body, before=before)):
        known = set(StoredFile.objects.filter(sha256__in=batch).values_list("sha256", flat=True))
        for sha256 in batch:
            if sha256 in known:
                continue
            with transaction.atomic():
                # If a put holds it, this content is wanted. Not waiting also keeps a sweep out of every deadlock.
                if not _try_hold(body, sha256):
                    continue
                if not StoredFile.objects.filter(sha256=sha256).exists() and keeper.remove(body, sha256, before=before):
                    removed += 1
    return Swept(contents=removed, staged=keeper.clear_stage(body, before=before))


def _batches(digests: Iterator[str], size: int = 500) -> Iterator[list[str]]:
    while batch := list(itertools.islice(digests, size)):
        yield batch


def _hold(body: str, sha256: str) -> None:
    """Lock a content of a body exclusively until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(_EXCLUSIVE, [f"files:{body}:{sha256}"])


def _try_hold(body: str, sha256: str) -> bool:
    """Lock a content of a body exclusively until the transaction ends, if nobody holds it now."""
    with connection.cursor() as cursor:
        cursor.execute(_TRY_EXCLUSIVE, [f"files:{body}:{sha256}"])
        return bool(cursor.fetchone()[0])
