"""Cases, documents and hits as JSON says them."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field

from verbund.platform.rest.values import Day, Line, Listed, LongText, Paged, Sent, ShortText

State = Literal["open", "closed"]
Kind = Literal["application", "attachment", "incoming", "outgoing", "decision", "receipt", "memo", "other"]


class CaseQuery(Paged):
    """Which cases are asked for; an empty value does not narrow."""

    state: State | None = None
    unit: ShortText = ""
    position: ShortText = ""
    text: Line = ""
    mine: bool = False


class SearchQuery(Paged):
    """What is searched for."""

    text: Line
    year: Annotated[int, Field(ge=1900, le=2200)] | None = None
    unit: ShortText = ""
    kind: Kind | None = None


class ContentQuery(Schema):
    """Which version of a document; by default the current one."""

    version: Annotated[int, Field(ge=1, le=100_000)] | None = None


class CaseListed(Schema):
    """A case in a list."""

    id: UUID
    reference: str = Field(description="Reference of the case, without gaps")
    title: str
    party: str
    unit: str
    state: str
    is_sealed: bool
    assigned_to: UUID | None
    assigned_name: str
    opened_at: datetime
    promised_on: date | None
    closed_at: datetime | None
    retention_until: date | None


class CasePage(Listed[CaseListed]):
    """A page of cases."""


class CaseRead(Schema):
    """A case (Vorgang)."""

    id: UUID
    reference: str = Field(description="Reference of the case, without gaps")
    file_reference: str = Field(description="Reference of the file")
    file_title: str
    position_code: str
    position_title: str
    title: str
    origin: str = Field(description="What opened the case; empty for a person or machine")
    unit: str
    party: str
    state: str
    is_sealed: bool
    assigned_to: UUID | None
    assigned_name: str
    opened_at: datetime
    promised_on: date | None
    closed_at: datetime | None
    retention_until: date | None
    metadata: dict[str, Any]
    documents: int
    revision: int


class NewCase(Sent):
    """A case to be opened."""

    title: Line
    position: ShortText = Field(description="Code of the file plan position")
    unit: ShortText = Field(description="Code of the organisational unit that works on it")
    party: Line = Field(default="", description="Name of the person or body concerned")
    file_title: Line | None = Field(default=None, description="Subject file; by default the collecting file")
    metadata: dict[str, str] = Field(default_factory=dict, description="Values of the position's own fields")
    promised_on: Day | None = None


class CaseOpened(Schema):
    """How the new case is named."""

    id: UUID
    reference: str
    file_reference: str


class TimelineEntry(Schema):
    """A line of the timeline."""

    id: UUID
    at: datetime
    kind: str
    title: str
    text: str
    by: str
    visible_to_party: bool


class NewNote(Sent):
    """A note for the timeline."""

    text: LongText
    visible_to_party: bool = False


class Noted(Schema):
    """The note is written."""

    case_id: UUID


class DocumentRead(Schema):
    """A document in its current version."""

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
    sha256: str
    size: int
    media_type: str
    filename: str
    pages: int | None


class DocumentFiled(Schema):
    """The document as it was filed; `sha256` is what the house received."""

    id: UUID
    version_id: UUID
    number: int
    version: int
    sha256: str
    size: int
    media_type: str


class NewDocument(Sent):
    """What is said of a document beside its file."""

    title: Line
    kind: Kind = "memo"
    visible_to_party: bool = False


class Hit(Schema):
    """A case or document that was found; marked parts of the excerpt are put in **."""

    kind: str
    case_id: UUID
    document_id: UUID | None
    reference: str
    document_number: int | None
    party: str
    unit: str
    state: str
    at: datetime
    title: str
    excerpt: str


class HitPage(Listed[Hit]):
    """A page of hits; `ranked` is false when there are so many that the newest come first."""

    ranked: bool
    note: str = Field(description="Why there is no list; empty if there is one")
