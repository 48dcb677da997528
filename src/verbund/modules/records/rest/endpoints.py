"""Endpoints of records: cases, documents, timeline, search."""

from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from ninja import File, Form, Query, Router, Status
from ninja.files import UploadedFile

from verbund.modules.records import queries, services
from verbund.modules.records.policies import Permission
from verbund.platform import files
from verbund.platform.rest.doors import MachineRequest, needs
from verbund.platform.tenancy import now

from .schemas import (
    CaseOpened,
    CasePage,
    CaseQuery,
    CaseRead,
    ContentQuery,
    DocumentFiled,
    DocumentRead,
    HitPage,
    NewCase,
    NewDocument,
    NewNote,
    Noted,
    SearchQuery,
    TimelineEntry,
)

router = Router(tags=["records"])
_CONTENT: dict[str, Any] = {
    "responses": {
        200: {
            "description": "The content as it was filed",
            "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
        }
    }
}


@router.get("/cases", response=CasePage, operation_id="list_cases")
@needs(Permission.READ_CASE)
def list_cases(request: MachineRequest, asked: Query[CaseQuery]) -> Any:
    """Cases that the key may see, the newest first."""
    filters = queries.CaseFilters(
        state=asked.state or "", unit=asked.unit, position=asked.position, mine=asked.mine, text=asked.text
    )
    page = queries.cases(request.actor, filters=filters, after=asked.after, limit=asked.limit)
    return {"items": page.rows, "next": page.next}


@router.post("/cases", response={201: CaseOpened}, operation_id="open_case")
@needs(Permission.OPEN_CASE)
def open_case(request: MachineRequest, sent: NewCase) -> Any:
    """Open a case; it gets its reference here."""
    made = services.open_case(request.actor, now=now(), origin="", **sent.model_dump())
    return Status(201, made)


@router.get("/cases/{uuid:case_id}", response=CaseRead, operation_id="read_case")
@needs(Permission.READ_CASE)
def read_case(request: MachineRequest, case_id: UUID) -> Any:
    """One case."""
    return queries.case(request.actor, case_id)


@router.get("/cases/{uuid:case_id}/timeline", response=list[TimelineEntry], operation_id="read_timeline")
@needs(Permission.READ_CASE)
def read_timeline(request: MachineRequest, case_id: UUID) -> Any:
    """What happened in a case, the newest first."""
    return queries.timeline(request.actor, case_id)


@router.post("/cases/{uuid:case_id}/notes", response={201: Noted}, operation_id="note")
@needs(Permission.FILE_DOCUMENT)
def note(request: MachineRequest, case_id: UUID, sent: NewNote) -> Any:
    """Write a note into the timeline; it is kept for good."""
    services.note(request.actor, case_id=case_id, now=now(), **sent.model_dump())
    return Status(201, {"case_id": case_id})


@router.get("/cases/{uuid:case_id}/documents", response=list[DocumentRead], operation_id="list_documents")
@needs(Permission.READ_CASE)
def list_documents(request: MachineRequest, case_id: UUID) -> Any:
    """The documents of a case in their current versions."""
    return queries.documents(request.actor, case_id)


@router.post("/cases/{uuid:case_id}/documents", response={201: DocumentFiled}, operation_id="file_document")
@needs(Permission.FILE_DOCUMENT)
def file_document(request: MachineRequest, case_id: UUID, about: Form[NewDocument], file: File[UploadedFile]) -> Any:
    """File a document in a case; the search finds it from then on."""
    made = services.file_document(
        request.actor,
        case_id=case_id,
        content=file.read(),
        filename=file.name or "",
        now=now(),
        **about.model_dump(),
    )
    return Status(201, made)


@router.get("/documents/{uuid:document_id}", response=DocumentRead, operation_id="read_document")
@needs(Permission.READ_CASE)
def read_document(request: MachineRequest, document_id: UUID) -> Any:
    """One document in its current version."""
    return queries.document(request.actor, document_id)


@router.get("/documents/{uuid:document_id}/content", operation_id="read_content", openapi_extra=_CONTENT)
@needs(Permission.READ_CASE)
def read_content(request: MachineRequest, document_id: UUID, asked: Query[ContentQuery]) -> HttpResponseBase:
    """The content of a document, as a download."""
    content = queries.document_content(request.actor, document_id, asked.version)
    return files.download(content.sha256, content.filename, content.media_type)


@router.get("/search", response=HitPage, operation_id="search")
@needs(Permission.READ_CASE)
def search(request: MachineRequest, asked: Query[SearchQuery]) -> Any:
    """Search cases and documents, their text included; what the key may not see takes no part."""
    filters = queries.SearchFilters(year=asked.year, unit=asked.unit, kind=asked.kind or "")
    page = queries.search(request.actor, asked.text, asked.after, asked.limit, filters=filters)
    return {
        "items": [
            {
                "kind": hit.kind,
                "case_id": hit.case_id,
                "document_id": hit.document_id,
                "reference": hit.reference,
                "document_number": hit.document_number,
                "party": hit.party,
                "unit": hit.unit,
                "state": hit.state,
                "at": hit.at,
                "title": "".join(part for part, _marked in hit.title),
                "excerpt": "".join(f"**{part}**" if marked else part for part, marked in hit.excerpt),
            }
            for hit in page.rows
        ],
        "next": page.next,
        "ranked": page.ranked,
        "note": page.note.message if page.note else "",
    }
