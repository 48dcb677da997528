"""What a new body has on offer on its first day."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID, uuid5

from django.db import transaction

from verbund.modules.citizenservices.policies import Permission
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor

from .offers import offer_template


@transaction.atomic
def offer_templates(actor: Actor, *, templates: Iterable[str], ledger: str, origin: UUID, now: datetime) -> list[UUID]:
    """Take over several templates for a body that begins; the same `origin` again gives those of the first time.

    Returns the ids of the services, drafts all of them.

    Raises:
        ServiceInvalid, policy.Denied
    """
    policy.require(actor, Permission.CONFIGURE_SERVICE)
    changes = {"ledger": ledger} if ledger else {}
    return [
        offer_template(actor, template=name, now=now, changes=changes, idempotency_key=uuid5(origin, name))
        for name in templates
    ]
