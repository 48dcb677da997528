"""Filing documents and their versions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from verbund.modules.records.models import (
    CaseState,
    Document,
    DocumentVersion,
    TimelineKind,
)
from verbund.modules.records.policies import Permission, visible_cases
from verbund.modules.records.queries.documents import DocumentNotFound
from verbund.platform import audit
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, prepared_statements

from .cases import CaseClosed, case_for_change, open_case_for_change
from .filing import DocumentRef, NewDocument, check_documents, document_ref, new_version, prepare, take_in, version_deed
from .indexing import reindex_document
from .once import once
from .timeline import add_to_timeline


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
    idempotency_key: UUID | None = None,
    belated: bool = False,
) -> DocumentRef:
    """File a document (zu den Akten nehmen) in a case; the search finds it, text included, from the commit on.

    Args:
        kind: a `DocumentKind`.
        visible_to_party: whether the party sees it in the portal; by default what a citizen or guest brought, and
        nothing else. origin: of the process through which a citizen or guest comes; they must name it.
        idempotency_key: of the form; the same key again gives the document that is there already.
        belated: into a closed case, too; for the system alone, which owes a case a paper that was due before it closed.

    Raises:
        DocumentInvalid: no title, unknown kind.
        files.Refused: the content cannot be taken (too large, empty, wrong type, infected).
        SentBefore, CaseNotFound, CaseClosed, policy.Denied
    """
    new = NewDocument(title, kind, content, filename, dict(metadata or {}), visible_to_party)

    def known(key: UUID) -> DocumentRef | None:
        seen = Document.objects.filter(idempotency_key=key, case__in=visible_cases(actor, origin)).first()
        first = DocumentVersion.objects.filter(document=seen, number=1).first() if seen else None
        return document_ref(seen, first) if seen and first else None

    return once(
        idempotency_key,
        "document_filed_once_by_form",
        lambda: _file_document(actor, case_id, new, now, origin, idempotency_key, belated=belated),
        known,
    )


@prepared_statements()
@transaction.atomic
def _file_document(
    actor: Actor,
    case_id: UUID,
    new: NewDocument,
    now: datetime,
    origin: str | None,
    key: UUID | None,
    *,
    belated: bool,
) -> DocumentRef:
    policy.require(actor, Permission.FILE_BELATEDLY if belated else Permission.FILE_DOCUMENT)
    check_documents([new])
    # Before the content is read: nobody may use the reading of files in cases that do not exist for them.
    case = (case_for_change if belated else open_case_for_change)(actor, case_id, origin=origin)
    filing = prepare(actor, case, [new], now)
    filing.documents[0].idempotency_key = key
    case.save(update_fields=["documents"])
    filing.write()
    audit.record_many(actor, filing.deeds())
    return filing.refs()[0]


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
    version = new_version(actor, document, stored, filename, text, now)
    version.save(force_insert=True)
    reindex_document(case, document, text=text.text, filename=filename, at=now)
    add_to_timeline(
        actor,
        case,
        TimelineKind.VERSION_ADDED,
        now,
        values={"number": str(document.number), "title": document.title, "version": str(document.versions)},
        visible_to_party=document.visible_to_party,
    )
    audit.record_many(actor, [version_deed("records.document.versioned", case, document, version)])
    return document_ref(document, version)
