"""The writes of records; the import path `verbund.modules.records.services` is the door."""

from .cases import (
    CaseClosed,
    CaseInvalid,
    CaseMoved,
    CaseRef,
    ClosedCase,
    assign_case,
    close_case,
    note,
    open_case,
    promise,
    seal_case,
    unseal_case,
)
from .documents import StaleVersion, add_version, file_document
from .fileplan import FilePlanInvalid, FilePlanReport, import_file_plan, sample_file_plan
from .filing import DocumentInvalid, DocumentRef, NewDocument
from .letters import (
    LetterAlreadyDelivered,
    LetterInvalid,
    LetterRef,
    Recipient,
    dispatch_letter,
    issue_letter,
    record_delivery,
    send_notice,
)
from .once import SentBefore

__all__ = [
    "CaseClosed",
    "CaseInvalid",
    "CaseMoved",
    "CaseRef",
    "ClosedCase",
    "DocumentInvalid",
    "DocumentRef",
    "FilePlanInvalid",
    "FilePlanReport",
    "LetterAlreadyDelivered",
    "LetterInvalid",
    "LetterRef",
    "NewDocument",
    "Recipient",
    "SentBefore",
    "StaleVersion",
    "add_version",
    "assign_case",
    "close_case",
    "dispatch_letter",
    "file_document",
    "import_file_plan",
    "issue_letter",
    "note",
    "open_case",
    "promise",
    "record_delivery",
    "sample_file_plan",
    "seal_case",
    "send_notice",
    "unseal_case",
]
