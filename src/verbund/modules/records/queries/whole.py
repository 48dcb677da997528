"""A case with everything that stands on its page: whether the actor sees it is asked once."""

from dataclasses import dataclass
from uuid import UUID

from verbund.modules.records.policies import Permission
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor

from .cases import CaseNotFound, CaseView, TimelineRow, timeline_of, view_of
from .documents import DocumentView, LetterView, documents_of, letters_of
from .seen import seen_case


@dataclass(frozen=True, slots=True)
class WholeCase:
    """WholeCase (Vorgang mit Schriftstücken, Schreiben und Verlauf)."""

    case: CaseView
    documents: list[DocumentView]
    letters: list[LetterView]
    timeline: list[TimelineRow]


def whole_case(actor: Actor, case_id: UUID, *, origin: str | None = None) -> WholeCase:
    """One case with its documents by number, its letters and its timeline, the newest first; for citizens and guests
    only what is meant for the party. Four queries.

    Raises:
        CaseNotFound, policy.Denied
    """
    policy.require(actor, Permission.READ_CASE)
    found = seen_case(actor, case_id, origin)
    if found is None:
        raise CaseNotFound(case_id)
    return WholeCase(view_of(found), documents_of(actor, case_id), letters_of(case_id), timeline_of(actor, case_id))
