"""Tables of the room, and the form engine (`form`, `checking`, `sample`), which knows no table."""

from .applications import (
    Application,
    ApplicationAttachment,
    ApplicationState,
    Decision,
    MailboxMessage,
    MessageKind,
    Outcome,
    Question,
)
from .drafts import Draft, DraftAttachment
from .offers import OnlineService, ServiceState
from .versions import CodeList, FormVersion

__all__ = [
    "Application",
    "ApplicationAttachment",
    "ApplicationState",
    "CodeList",
    "Decision",
    "Draft",
    "DraftAttachment",
    "FormVersion",
    "MailboxMessage",
    "MessageKind",
    "OnlineService",
    "Outcome",
    "Question",
    "ServiceState",
]
