"""The tables of records; the import path `verbund.modules.records.models` is the door for the room itself."""

from .cases import Case, CaseReader, CaseState, File, ReferenceCounter, TimelineEntry, TimelineKind
from .documents import Document, DocumentKind, DocumentVersion, version_hash
from .fileplan import Disposal, FilePlanPosition, MetadataField, MetadataKind
from .letters import Channel, Letter, LetterState
from .search import EntryKind, SearchEntry

__all__ = [
    "Case",
    "CaseReader",
    "CaseState",
    "Channel",
    "Disposal",
    "Document",
    "DocumentKind",
    "DocumentVersion",
    "EntryKind",
    "File",
    "FilePlanPosition",
    "Letter",
    "LetterState",
    "MetadataField",
    "MetadataKind",
    "ReferenceCounter",
    "SearchEntry",
    "TimelineEntry",
    "TimelineKind",
    "version_hash",
]
