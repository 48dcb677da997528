"""The store's doors. They take no actor: the room that calls has asked its policy, and the body is the connection's."""

import hashlib
import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO, Final

from django.conf import settings
from django.db import connection, models, transaction

from verbund.platform.tenancy import NotFound, clock, current_body

from .models import ScanResult, StoredFile
from .recognition import DOCUMENTS, recognise
from .refusals import Empty, TooLarge
from .scanners import scanner
from .stores import store

PIECE: Final = 1024 * 1024
DEFAULT_LIMIT: Final = 25 * 1024 * 1024  # bytes
_SHARED: Final = "SELECT pg_advisory_xact_lock_shared(hashtextextended(%s::text, 0))"
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
    body = current_body().schema_name
    most = limit if limit is not None else int(getattr(settings, "VERBUND_UPLOAD_LIMIT", DEFAULT_LIMIT))
    source: BinaryIO = io.BytesIO(content) if isinstance(content, bytes) else content
    keeper = store()
    with keeper.stage(body) as staged:
        sha256, size = _copy(source, staged, most)
        media_type = recognise(staged, filename=filename, allow=DOCUMENTS if allow is None else allow)
        staged.seek(0)
        scanned = scanner().scan(staged)
        now = clock.now()
        with transaction.atomic():
            _hold(body, sha256, shared=True)
            keeper.keep(body, sha256, staged)
            StoredFile.objects.bulk_create(
                [
                    StoredFile(
                        sha256=sha256,
                        size=size,
                        media_type=media_type,
                        scanned_at=now if scanned else None,
                        scan_result=ScanResult.CLEAN if scanned else ScanResult.NOT_SCANNED,
                        created_at=now,
                    )
                ],
                ignore_conflicts=True,
            )
            return StoredFile.objects.get(sha256=sha256)


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
    file = store().open(current_body().schema_name, sha256)
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
            _hold(body, sha256, shared=False)
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


def _hold(body: str, sha256: str, *, shared: bool) -> None:
    """Lock a content of a body until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(_SHARED if shared else _EXCLUSIVE, [f"files:{body}:{sha256}"])


def _try_hold(body: str, sha256: str) -> bool:
    """Lock a content of a body exclusively until the transaction ends, if nobody holds it now."""
    with connection.cursor() as cursor:
        cursor.execute(_TRY_EXCLUSIVE, [f"files:{body}:{sha256}"])
        return bool(cursor.fetchone()[0])
