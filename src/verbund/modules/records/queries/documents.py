"""Reads of documents, their versions, their content, and of letters."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import F, QuerySet

from verbund.modules.records.models import Channel, Document, DocumentKind, DocumentVersion, Letter, LetterState
from verbund.modules.records.policies import Permission, visible_cases
from verbund.platform import files
from verbund.platform.files import StoredFile
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import NotFound
from verbund.platform.tenancy.kept import KeptQuery, given

from .cases import CaseNotFound
from .pages import Page, date_key, read_instant_key
from .seen import seen_case

PICTURES: Final = frozenset({"image/png", "image/jpeg"})
PDF: Final = "application/pdf"


class DocumentNotFound(NotFound):
    """There is no such document, version or letter for this actor."""


@dataclass(frozen=True, slots=True)
class DocumentView:
    """DocumentView (Dokument) in its current version. `preview` is pages, picture, text or ""."""

    id: UUID
    case_id: UUID
    number: int
    title: str
    kind: str
    metadata: dict[str, Any]
    versions: int
    filed_at: datetime
    filed_by: str
    visible_to_party: bool
    version_id: UUID
    sha256: str
    size: int
    media_type: str
    filename: str
    pages: int | None
    text_note: str

    @property
    def kind_label(self) -> str:
        return str(DocumentKind(self.kind).label)

    @property
    def preview(self) -> str:
        if self.media_type == PDF and self.pages:
            return "pages"
        if self.media_type in PICTURES:
            return "picture"
        return "text" if self.media_type.startswith("text/") else ""


@dataclass(frozen=True, slots=True)
class VersionView:
    """VersionView (Dokumentversion)."""

    id: UUID
    number: int
    sha256: str
    size: int
    media_type: str
    filename: str
    text: str
    text_note: str
    pages: int | None
    created_at: datetime
    created_by: str
    hash: str


@dataclass(frozen=True, slots=True)
class DocumentContent:
    """DocumentContent (Inhalt einer Version): the stored content and the name under which it is handed out."""

    stored: StoredFile
    filename: str
    media_type: str
    version: int

    @property
    def sha256(self) -> str:
        return self.stored.sha256

    @property
    def size(self) -> int:
        return self.stored.size


@dataclass(frozen=True, slots=True)
class PageImage:
    """PageImage (Seitenbild): what is needed to draw a page of a PDF."""

    content: bytes
    page: int


@dataclass(frozen=True, slots=True)
class LetterView:
    """LetterView (Schreiben) with the proof of its delivery."""

    id: UUID
    case_id: UUID
    case_reference: str
    document_id: UUID
    title: str
    recipient: dict[str, Any]
    state: str
    channel: str
    issued_at: datetime
    delivered_at: datetime | None
    deemed_on: date | None
    sha256: str
    proof: dict[str, str]

    @property
    def state_label(self) -> str:
        return str(LetterState(self.state).label)

    @property
    def channel_label(self) -> str:
        return str(Channel(self.channel).label) if self.channel else ""


def documents(actor: Actor, case_id: UUID, *, origin: str | None = None) -> list[DocumentView]:
    """The documents of a case in their current versions, by number; for citizens and guests only those meant for the
    party.

    Raises:
        CaseNotFound, policy.Denied
    """
    policy.require(actor, Permission.READ_CASE)
    if seen_case(actor, case_id, origin) is None:
        raise CaseNotFound(case_id)
    return documents_of(actor, case_id)


def documents_of(actor: Actor, case_id: UUID) -> list[DocumentView]:
    """The documents of a case that the actor sees."""
    sees_all = actor.is_staff or actor.is_system
    return [_document(v) for v in _CURRENT.all(case=case_id) if sees_all or v.document.visible_to_party]


_CURRENT: Final = KeptQuery(
    lambda: (
        DocumentVersion.objects.filter(document__case=given("case"), number=F("document__versions"))
        .select_related("document")
        .defer("text")
        .order_by("document__number")
    )
)


def document(actor: Actor, document_id: UUID, *, origin: str | None = None) -> DocumentView:
    """One document in its current version.

    Raises:
        DocumentNotFound, policy.Denied
    """
    return _document(_version(actor, document_id, None, origin))


def versions(actor: Actor, document_id: UUID, *, origin: str | None = None) -> list[VersionView]:
    """The versions of a document, the newest first, without their text.

    Raises:
        DocumentNotFound, policy.Denied
    """
    policy.require(actor, Permission.READ_CASE)
    if not _visible_documents(actor, origin).filter(pk=document_id).exists():
        raise DocumentNotFound(document_id)
    found = DocumentVersion.objects.filter(document_id=document_id).defer("text").order_by("-number")
    return [_version_view(v, text="") for v in found]


def document_text(
    actor: Actor, document_id: UUID, *, version: int | None = None, origin: str | None = None
) -> VersionView:
    """A version with the text that was read out of it."""
    found = _version(actor, document_id, version, origin)
    return _version_view(found, text=found.text)


def document_content(
    actor: Actor, document_id: UUID, version: int | None = None, *, origin: str | None = None
) -> DocumentContent:
    """The content of a document, of its current version if none is named.

    Raises:
        DocumentNotFound, policy.Denied
    """
    found = _version(actor, document_id, version, origin)
    return DocumentContent(
        stored=found.content, filename=found.filename, media_type=found.media_type, version=found.number
    )


def page_image(
    actor: Actor, document_id: UUID, *, version: int | None, page: int, origin: str | None = None
) -> PageImage:
    """What `gateways.pdf` needs to draw page `page` (from 1) of a PDF.

    Raises:
        DocumentNotFound, policy.Denied
    """
    found = _version(actor, document_id, version, origin)
    if found.media_type != PDF or not 1 <= page <= (found.pages or 0):
        raise DocumentNotFound(document_id)
    return PageImage(files.read(found.content_id), page - 1)


def letter(actor: Actor, letter_id: UUID, *, origin: str | None = None) -> LetterView:
    """One letter.

    Raises:
        DocumentNotFound, policy.Denied
    """
    policy.require(actor, Permission.READ_CASE)
    found = _letters(actor, origin).filter(pk=letter_id).first()
    if found is None:
        raise DocumentNotFound(letter_id)
    return _letter(found)


def letters(actor: Actor, case_id: UUID, *, origin: str | None = None) -> list[LetterView]:
    """The letters of a case, the newest first."""
    policy.require(actor, Permission.READ_CASE)
    if seen_case(actor, case_id, origin) is None:
        return []
    return letters_of(case_id)


def letters_of(case_id: UUID) -> list[LetterView]:
    """The letters of a case that was found to be seen."""
    return [_letter(x) for x in _LETTERS.all(case=case_id)]


_LETTERS: Final = KeptQuery(
    lambda: Letter.objects.filter(case=given("case")).select_related("document", "case").order_by("-issued_at", "-id")
)


def letters_to_print(actor: Actor, *, after: str | None = None, limit: int = 50) -> Page[LetterView]:
    """A page of the letters that wait for the print room, the oldest first."""
    policy.require(actor, Permission.DELIVER_LETTER)
    waiting = _letters(actor, None).filter(state=LetterState.AT_PRINT_ROOM)
    at = read_instant_key(after)
    if at is not None:
        waiting = waiting.filter(issued_at__gte=at[0]).exclude(issued_at=at[0], id__lte=at[1])
    rows = [_letter(x) for x in waiting.order_by("issued_at", "id")[: limit + 1]]
    following = date_key(rows[limit - 1].issued_at, rows[limit - 1].id) if len(rows) > limit else None
    return Page(tuple(rows[:limit]), following)


def _visible_documents(actor: Actor, origin: str | None) -> "QuerySet[Document]":
    found = Document.objects.filter(case__in=visible_cases(actor, origin))
    return found if actor.is_staff or actor.is_system else found.filter(visible_to_party=True)


def _version(actor: Actor, document_id: UUID, version: int | None, origin: str | None) -> DocumentVersion:
    policy.require(actor, Permission.READ_CASE)
    wanted = F("document__versions") if version is None else version
    found = (
        DocumentVersion.objects.filter(
            document__in=_visible_documents(actor, origin).filter(pk=document_id), number=wanted
        )
        .select_related("document", "content")
        .first()
    )
    if found is None:
        raise DocumentNotFound(document_id)
    return found


def _letters(actor: Actor, origin: str | None) -> "QuerySet[Letter]":
    return Letter.objects.filter(case__in=visible_cases(actor, origin)).select_related("document", "case")


def _document(v: DocumentVersion) -> DocumentView:
    d = v.document
    return DocumentView(
        id=d.id,
        case_id=d.case_id,
        number=d.number,
        title=d.title,
        kind=d.kind,
        metadata=d.metadata,
        versions=d.versions,
        filed_at=d.filed_at,
        filed_by=d.filed_by,
        visible_to_party=d.visible_to_party,
        version_id=v.id,
        sha256=v.content_id,
        size=v.size,
        media_type=v.media_type,
        filename=v.filename,
        pages=v.pages,
        text_note=v.text_note,
    )


def _version_view(v: DocumentVersion, *, text: str) -> VersionView:
    return VersionView(
        id=v.id,
        number=v.number,
        sha256=v.content_id,
        size=v.size,
        media_type=v.media_type,
        filename=v.filename,
        text=text,
        text_note=v.text_note,
        pages=v.pages,
        created_at=v.created_at,
        created_by=v.created_by,
        hash=v.hash,
    )


def _letter(x: Letter) -> LetterView:
    return LetterView(
        id=x.id,
        case_id=x.case_id,
        case_reference=x.case.reference,
        document_id=x.document_id,
        title=x.document.title,
        recipient=x.recipient,
        state=x.state,
        channel=x.channel,
        issued_at=x.issued_at,
        delivered_at=x.delivered_at,
        deemed_on=x.deemed_on,
        sha256=x.sha256,
        proof=x.proof,
    )
