"""How much a body keeps, as counts: for the alliance, which shares its cost by use."""

from dataclasses import dataclass

from django.db.models import Sum

from verbund.modules.records.models import Case, Document, DocumentVersion
from verbund.modules.records.policies import Permission
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor


@dataclass(frozen=True, slots=True)
class Usage:
    """Usage (Nutzung): counts of what is kept; nothing of what it says."""

    cases: int
    documents: int
    stored_bytes: int


def usage(actor: Actor) -> Usage:
    """Counts of cases and documents, and the bytes of all versions; of the platform's own jobs alone.

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.READ_CASE, when=actor.is_system)
    stored = DocumentVersion.objects.aggregate(total=Sum("size"))["total"] or 0
    return Usage(Case.objects.count(), Document.objects.count(), stored)
