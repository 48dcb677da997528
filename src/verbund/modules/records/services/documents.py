"""Filing documents and their versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from verbund.modules.records.models import (
    Case,
    CaseState,
    Document,
    DocumentKind,
    DocumentVersion,
    TimelineKind,
    version_hash,
)
from verbund.modules.records.policies import Permission, visible_cases
from verbund.modules.records.queries.documents import DocumentNotFound
from verbund.platform import audit, files
from verbund.platform.files import StoredFile
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, Invalid, new_id

from .cases import CaseClosed, add_to_timeline, open_case_for_change
from .indexing import index_document, reindex_document
from .reading import ContentText, read_text
from .texts import check_title


class DocumentInvalid(Invalid):
    """A document cannot be filed like this."""


class StaleVersion(Conflict):
    """Somebody else has added a version since the document was read."""

    def __init__(self, current: int) -> None:
        super().__init__(
            _(
                "Version %(current)d of this document has been added in the meantime. Look at it first, then add yours"
                " once more if it is still needed."
            )
            % {"current": current}
        )
        self.current = current


@dataclass(frozen=True, slots=True)
class DocumentRef:
    """DocumentRef (Dokument, wie es abgelegt wurde): `number` within the case; `version` counts from 1."""

    id: UUID
    version_id: UUID
    number: int
    version: int
    sha256: str
    size: int
    media_type: str


@transaction.atomic
def file_document(
    actor: Actor,
    *,
    case_id: UUID,
    title: str,
    kind: str,
    content: bytes,
    filename: str,
    now: datetime,
    metadata: Mapping[str, Any] | None = None,
    visible_to_party: bool | None = None,
    origin: str | None = None,
) -> DocumentRef:
    """File a document (zu den Akten nehmen) in a case; the search finds it, text included, from the commit on.

    Args:
        kind: a `DocumentKind`.
        visible_to_party: whether the party sees it in the portal; by default what a citizen or guest brought, and
        nothing else. origin: of the process through which a citizen or guest comes; they must name it.

    Raises:
        DocumentInvalid: no title, unknown kind.
        files.Refused: the content cannot be taken (too large, empty, wrong type, infected).
        CaseNotFound, CaseClosed, policy.Denied
    """
    policy.require(actor, Permission.FILE_DOCUMENT)
    errors: dict[str, str] = {}
    title = check_title(title, errors)
    if kind not in DocumentKind.values:
        errors["kind"] = _("Choose a kind of document.")
    if errors:
        raise DocumentInvalid(errors)
    # Before the content is read: nobody may use the reading of files in cases that do not exist for them.
    case = open_case_for_change(actor, case_id, origin=origin)
    stored, filename, text = take_in(content, filename)
    shown = (not actor.is_staff and not actor.is_system) if visible_to_party is None else visible_to_party
    document, version = add_document(
        actor,
        case,
        title=title,
        kind=kind,
        stored=stored,
        filename=filename,
        text=text,
        metadata=dict(metadata or {}),
        visible_to_party=shown,
        now=now,
    )
    add_to_timeline(
        actor,
        case,
        TimelineKind.DOCUMENT_FILED,
        now,
        values={"number": str(document.number), "title": title},
        visible_to_party=shown,
    )
    record_version(actor, "records.document.filed", case, document, version)
    return _ref(document, version)


@transaction.atomic
def add_version(
    actor: Actor,
    *,
    document_id: UUID,
    content: bytes,
    filename: str,
    expected_version: int,
    now: datetime,
    origin: str | None = None,
) -> DocumentRef:
    """Add a version to a document (neue Version); `expected_version` is the one that was read before.

    Raises:
        StaleVersion: somebody else was faster.
        files.Refused, DocumentNotFound, CaseClosed, policy.Denied
    """
    policy.require(actor, Permission.FILE_DOCUMENT)
    seen = Document.objects.filter(pk=document_id, case__in=visible_cases(actor, origin))
    if not actor.is_staff and not actor.is_system:
        seen = seen.filter(visible_to_party=True)
    document = seen.select_related("case").select_for_update(of=("self", "case")).first()
    if document is None:
        raise DocumentNotFound(document_id)
    case = document.case
    if case.state != CaseState.OPEN:
        raise CaseClosed
    if document.versions != expected_version:
        raise StaleVersion(document.versions)
    stored, filename, text = take_in(content, filename)
    document.versions += 1
    document.save(update_fields=["versions"])
    version = _version(actor, document, stored, filename, text, now)
    reindex_document(case, document, text=text.text, filename=filename, at=now)
    add_to_timeline(
        actor,
        case,
        TimelineKind.VERSION_ADDED,
        now,
        values={"number": str(document.number), "title": document.title, "version": str(document.versions)},
        visible_to_party=document.visible_to_party,
    )
    record_version(actor, "records.document.versioned", case, document, version)
    return _ref(document, version)


def take_in(content: bytes, filename: str) -> tuple[StoredFile, str, ContentText]:
    """Put content into the store and read its text.

    Raises:
        files.Refused
    """
    filename = files.clean_filename(filename)
    stored = files.put(content, filename=filename)
    return stored, filename, read_text(content, stored.media_type)


def add_document(
    actor: Actor,
    case: Case,
    *,
    title: str,
    kind: str,
    stored: StoredFile,
    filename: str,
    text: ContentText,
    metadata: dict[str, Any],
    visible_to_party: bool,
    now: datetime,
) -> tuple[Document, DocumentVersion]:
    """Write document, first version and search entry; the case's row is locked by the caller."""
    case.documents += 1
    case.save(update_fields=["documents"])
    document = Document(
        id=new_id(),
        case=case,
        number=case.documents,
        title=title,
        kind=kind,
        metadata=metadata,
        filed_at=now,
        filed_by=actor.name[:200],
        visible_to_party=visible_to_party,
    )
    document.save(force_insert=True)
    version = _version(actor, document, stored, filename, text, now)
    index_document(case, document, text=text.text, filename=filename, at=now)
    return document, version


def _version(
    actor: Actor, document: Document, stored: StoredFile, filename: str, text: ContentText, now: datetime
) -> DocumentVersion:
    version_id, created_by = new_id(), actor.name[:200]
    version = DocumentVersion(
        id=version_id,
        document=document,
        number=document.versions,
        content=stored,
        size=stored.size,
        media_type=stored.media_type,
        filename=filename,
        text=text.text,
        text_note=text.note,
        pages=text.pages,
        created_at=now,
        created_by=created_by,
        hash=version_hash(
            version_id=version_id,
            document_id=document.id,
            number=document.versions,
            sha256=stored.sha256,
            size=stored.size,
            media_type=stored.media_type,
            filename=filename,
            created_at=now,
            created_by=created_by,
        ),
    )
    version.save(force_insert=True)
    return version


def record_version(actor: Actor, action: str, case: Case, document: Document, version: DocumentVersion) -> None:
    """The anchor of the version in the audit chain: `verbund verify` compares these values with the rows and the
    store.
    """
    audit.record(
        actor,
        action,
        "records.document",
        document.id,
        after={
            "case": case.reference,
            "document_number": document.number,
            "version_id": str(version.id),
            "number": version.number,
            "sha256": version.content_id,
            "size": version.size,
            "hash": version.hash,
        },
    )


def _ref(document: Document, version: DocumentVersion) -> DocumentRef:
    return DocumentRef(
        id=document.id,
        version_id=version.id,
        number=document.number,
        version=version.number,
        sha256=version.content_id,
        size=version.size,
        media_type=version.media_type,
    )
