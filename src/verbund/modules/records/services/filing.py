"""Filing several documents of a case at once: one statement for each kind of row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Model
from django.utils.translation import gettext as _

from verbund.modules.records.models import (
    Case,
    Document,
    DocumentKind,
    DocumentVersion,
    SearchEntry,
    TimelineEntry,
    TimelineKind,
    version_hash,
)
from verbund.platform import audit, files
from verbund.platform.files import StoredFile
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Invalid, new_id, rows

from .indexing import document_entry
from .reading import ContentText, read_text
from .texts import check_title
from .timeline import timeline_entry


class DocumentInvalid(Invalid):
    """A document cannot be filed like this."""


@dataclass(frozen=True, slots=True)
class NewDocument:
    """NewDocument (abzulegendes Dokument): `kind` is a `DocumentKind`; `content` bytes, or what the body's store has
    taken in already.

    `visible_to_party` is whether the party sees it in the portal; by default what a citizen or guest brought.
    `repeats_another`: it says for machines what another document of the case says for people; the search finds it by
    its title and the case, and what it says in the other one.
    """

    title: str
    kind: str
    content: bytes | StoredFile
    filename: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    visible_to_party: bool | None = None
    repeats_another: bool = False


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


@dataclass(slots=True)
class Filing:
    """Rows that belong together, made and not yet written."""

    case: Case
    opened: list[Case] = field(default_factory=list)  # the case itself, if it is new
    documents: list[Document] = field(default_factory=list)
    versions: list[DocumentVersion] = field(default_factory=list)
    entries: list[SearchEntry] = field(default_factory=list)
    timeline: list[TimelineEntry] = field(default_factory=list)

    def add(
        self,
        actor: Actor,
        new: NewDocument,
        text: ContentText,
        now: datetime,
        *,
        told: TimelineKind = TimelineKind.DOCUMENT_FILED,
        values: Mapping[str, str] | None = None,
    ) -> Document:
        """Make the rows of a document whose content the store has taken in; the timeline tells of it as `told`, with
        these `values` beside number and title. `case.documents` counts on and is saved by the caller.
        """
        stored, case, shown = new.content, self.case, bool(new.visible_to_party)
        assert isinstance(stored, StoredFile)
        case.documents += 1
        document = rows.new(
            Document,
            id=new_id(),
            case_id=case.id,
            number=case.documents,
            title=new.title,
            kind=new.kind,
            metadata=dict(new.metadata),
            filed_at=now,
            filed_by=actor.name[:200],
            visible_to_party=shown,
        )
        self.documents.append(document)
        self.versions.append(new_version(actor, document, stored, new.filename, text, now))
        searched = "" if new.repeats_another else text.text
        self.entries.append(document_entry(case, document, text=searched, filename=new.filename, at=now))
        said = {"number": str(document.number), "title": new.title, **(values or {})}
        self.timeline.append(timeline_entry(actor, case, told, now, values=said, visible_to_party=shown))
        return document

    def write(self, *more: Sequence[Model]) -> None:
        """Write the rows, and those that refer to them."""
        rows.write(self.opened, self.documents, self.versions, self.entries, self.timeline, *more)

    def deeds(self) -> list[audit.Deed]:
        """What the audit chain says of them."""
        return [
            version_deed("records.document.filed", self.case, document, version)
            for document, version in zip(self.documents, self.versions, strict=True)
        ]

    def refs(self) -> list[DocumentRef]:
        """How they are named."""
        return [document_ref(d, v) for d, v in zip(self.documents, self.versions, strict=True)]


def check_documents(documents: Sequence[NewDocument]) -> None:
    """Title and kind of each.

    Raises:
        DocumentInvalid
    """
    errors: dict[str, str] = {}
    for new in documents:
        check_title(new.title, errors)
        if new.kind not in DocumentKind.values:
            errors["kind"] = _("Choose a kind of document.")
    if errors:
        raise DocumentInvalid(errors)


def prepare(actor: Actor, case: Case, documents: Sequence[NewDocument], now: datetime) -> Filing:
    """Take the contents in and make the rows; `case.documents` counts on and is saved by the caller, who has locked
    the case's row or has made it.

    Raises:
        files.Refused
    """
    filing = Filing(case)
    by_hand = actor.is_staff or actor.is_system
    for new, (stored, filename, text) in zip(documents, _take_in(documents), strict=True):
        shown = not by_hand if new.visible_to_party is None else new.visible_to_party
        filing.add(
            actor,
            replace(new, content=stored, title=check_title(new.title, {}), filename=filename, visible_to_party=shown),
            text,
            now,
        )
    return filing


def _take_in(documents: Sequence[NewDocument]) -> list[tuple[StoredFile, str, ContentText]]:
    names = [files.clean_filename(new.filename) for new in documents]
    raw = [(new.content, name) for new, name in zip(documents, names, strict=True) if isinstance(new.content, bytes)]
    put = iter(files.put_many(raw) if raw else [])
    taken = []
    for new, name in zip(documents, names, strict=True):
        if isinstance(new.content, bytes):
            stored, content = next(put), new.content
        else:
            stored = new.content
            content = files.read(stored.sha256)
        taken.append((stored, name, read_text(content, stored.media_type)))
    return taken


def take_in(content: bytes, filename: str) -> tuple[StoredFile, str, ContentText]:
    """Put content into the store and read its text.

    Raises:
        files.Refused
    """
    return _take_in([NewDocument("", "", content, filename)])[0]


def new_version(
    actor: Actor, document: Document, stored: StoredFile, filename: str, text: ContentText, now: datetime
) -> DocumentVersion:
    """The row of the document's present version, not yet written."""
    version_id, created_by = new_id(), actor.name[:200]
    return rows.new(
        DocumentVersion,
        id=version_id,
        document_id=document.id,
        number=document.versions,
        content_id=stored.sha256,
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


def version_deed(action: str, case: Case, document: Document, version: DocumentVersion) -> audit.Deed:
    """The anchor of the version in the audit chain: `verbund verify` compares these values with the rows and the
    store.
    """
    return audit.Deed(
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


def document_ref(document: Document, version: DocumentVersion) -> DocumentRef:
    """How a document is named in its present version."""
    return DocumentRef(
        id=document.id,
        version_id=version.id,
        number=document.number,
        version=version.number,
        sha256=version.content_id,
        size=version.size,
        media_type=version.media_type,
    )
