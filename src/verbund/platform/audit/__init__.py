"""Audit (Protokollierung): every write leaves an entry that nobody can change unseen.

    audit.record(actor, "records.case.opened", "records.case", case.id, after={"reference": case.reference})

is the last line of a service, in its transaction. Entries are written by the database function `audit_append`, which
chains them; the bodies' roles may call it and read the entries, nothing else.
"""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection

from verbund.platform.identity.actor import Actor

_APPEND = "SELECT audit_append(%s, %s, %s, %s, %s, %s, %s, %s, %s)"


def record(
    actor: Actor,
    action: str,
    obj_type: str,
    obj_id: UUID | str | int,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write one audit entry (Protokolleintrag) in the present transaction.

    `before` and `after` hold the changed fields only. Values must be what JSON, dates, UUIDs and Decimals can say.
    """
    changes: dict[str, Any] = {}
    if before is not None:
        changes["before"] = dict(before)
    if after is not None:
        changes["after"] = dict(after)
    text = json.dumps(changes, cls=DjangoJSONEncoder, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    with connection.cursor() as cursor:
        cursor.execute(
            _APPEND,
            [
                actor.kind.value,
                str(actor.id or ""),
                actor.name,
                ",".join(sorted(map(str, actor.substitutes))),
                action,
                obj_type,
                str(obj_id),
                actor.request_id,
                text,
            ],
        )
