"""The documents: each version's row against its own hash and the hash anchored in the audit chain; each content
against its SHA-256."""

import hashlib
import json
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO, Final

import psycopg

from .finding import Broken, Chain

PIECE: Final = 1024 * 1024

VERSIONS = """
SELECT v.document_id::text, v.number, v.id::text, v.sha256, v.size, v.media_type, v.filename,
       to_char(v.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
       v.created_by, v.hash, d.versions, c.reference, d.number
  FROM records_documentversion v
  LEFT JOIN records_document d ON d.id = v.document_id
  LEFT JOIN records_case c ON c.id = d.case_id
 ORDER BY v.document_id::text COLLATE "C", v.number
"""
ANCHORS = """
SELECT object_id, changes FROM audit_auditentry WHERE object_type = 'records.document'
 ORDER BY object_id COLLATE "C", id
"""
CONTENTS = """
SELECT f.sha256, f.size,
       (SELECT v.document_id::text || ' version ' || v.number FROM records_documentversion v
         WHERE v.sha256 = f.sha256 ORDER BY v.id LIMIT 1)
  FROM files_storedfile f ORDER BY f.sha256
"""

Reader = Callable[[str], BinaryIO]  # raises FileNotFoundError


def document_chain(
    connection: "psycopg.Connection[Any]",
    anchors_connection: "psycopg.Connection[Any]",
    progress: Callable[[int], None],
) -> Chain:
    """Every version's row; versions and anchors are read as two streams in the order of the documents."""
    chain = Chain("documents")
    with (
        connection.cursor(name="verify_versions") as versions,
        anchors_connection.cursor(name="verify_anchors") as anchors,
    ):
        versions.itersize = anchors.itersize = 2000
        rows = groupby(versions.execute(VERSIONS), key=lambda row: str(row[0]))
        entries = groupby(anchors.execute(ANCHORS), key=lambda row: str(row[0]))
        for document, own, told in _side_by_side(rows, entries):
            chain.entries += len(own)
            if chain.entries % 2000 < len(own):
                progress(chain.entries)
            found = _fault(document, own, told)
            if found:
                chain.broken.append(found)
    return chain


def _side_by_side(left: Any, right: Any) -> Iterator[tuple[str, list[Any], list[Any]]]:
    """Merge two streams grouped by the same ordered key; only the rows of one key are held."""
    a, b = next(left, None), next(right, None)
    while a is not None or b is not None:
        if b is None or (a is not None and a[0] < b[0]):
            assert a is not None
            yield a[0], list(a[1]), []
            a = next(left, None)
        elif a is None or b[0] < a[0]:
            yield b[0], [], list(b[1])
            b = next(right, None)
        else:
            yield a[0], list(a[1]), list(b[1])
            a, b = next(left, None), next(right, None)


def _fault(document: str, own: list[Any], told: list[Any]) -> Broken | None:
    anchored: dict[str, dict[str, Any]] = {}
    for _document, changes in told:
        try:
            after = json.loads(changes).get("after") or {}
        except (ValueError, AttributeError):
            continue  # the audit chain names it
        if "version_id" in after:
            anchored[str(after["version_id"])] = after
    for expected, row in enumerate(own, start=1):
        version_id, number = row[2], row[1]
        name = _name(row)
        if number != expected:
            return Broken(name, f"version {expected} is missing", version_id)
        if row[10] is None:
            return Broken(name, "the document itself is missing", version_id)
        if _row_hash(row) != row[9]:
            return Broken(name, "the entry is not what was written", version_id)
        anchor = anchored.pop(version_id, None)
        if anchor is None:
            return Broken(name, "the audit knows nothing of it", version_id)
        if (anchor.get("hash"), anchor.get("sha256"), anchor.get("size"), anchor.get("number")) != (
            row[9],
            row[3],
            row[4],
            number,
        ):
            return Broken(name, "the entry is not what the audit says", version_id)
    if anchored:
        first = min(anchored.values(), key=lambda after: int(after.get("number") or 0))
        return Broken(
            f"{first.get('case', '?')} document {first.get('document_number', '?')}"
            f" version {first.get('number', '?')} ({document})",
            "it was filed, and is missing",
            str(first["version_id"]),
        )
    if own and own[0][10] != len(own):
        return Broken(_name(own[-1]), f"the document says it has {own[0][10]} versions", own[-1][2])
    return None


def _row_hash(row: Any) -> str:
    fields = ["verbund.document-version.1", row[2], row[0], row[1], row[3], row[4], row[5], row[6], row[7], row[8]]
    return hashlib.sha256("\n".join(map(str, fields)).encode()).hexdigest()


def _name(row: Any) -> str:
    return f"{row[11] or '?'} document {row[12] or '?'} version {row[1]} ({row[0]})"


def content_chain(connection: "psycopg.Connection[Any]", read: Reader, progress: Callable[[int], None]) -> Chain:
    """Every stored content, re-read byte by byte."""
    chain = Chain("contents")
    with connection.cursor(name="verify_contents") as cursor:
        cursor.itersize = 500
        for sha256, size, document in cursor.execute(CONTENTS):
            chain.entries += 1
            if chain.entries % 200 == 0:
                progress(chain.entries)
            reason, length = _content_fault(read, sha256, size)
            chain.bytes += length
            if reason:
                chain.broken.append(
                    Broken(f"content {sha256}" + (f", document {document}" if document else ""), reason, sha256)
                )
    return chain


def _content_fault(read: Reader, sha256: str, size: int) -> tuple[str, int]:
    digest, length = hashlib.sha256(), 0
    try:
        with read(sha256) as file:
            while piece := file.read(PIECE):
                digest.update(piece)
                length += len(piece)
    except FileNotFoundError:
        return "the file is missing", 0
    except OSError as error:
        return f"the file cannot be read: {error.strerror}", length
    if digest.hexdigest() != sha256:
        return "the file is not what was stored", length
    if length != size:
        return f"the file has {length} bytes, {size} are recorded", length
    return "", length


def local_reader(root: Path, body: str) -> Reader:
    """Reads from the folder of the local store (ADR of the files: `<body>/content/aa/<sha256>`)."""

    def read(sha256: str) -> BinaryIO:
        return (root / body / "content" / sha256[:2] / sha256).open("rb")

    return read
