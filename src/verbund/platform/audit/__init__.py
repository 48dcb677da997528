"""Audit (Protokollierung): every write leaves an entry that nobody can change unseen.

    audit.record(actor, "records.case.opened", "records.case", case.id, after={"reference": case.reference})

is the last line of a service, in its transaction; `record_many` writes several entries at once. They are written by
the database function `audit_append_many`, which chains them; the bodies' roles may call it and read the entries,
nothing else.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection

from verbund.platform.identity.actor import Actor

_APPEND: Final = "SELECT audit_append_many(%s, %s, %s, %s, %s, %s::jsonb)"
_CHANGES: Final = DjangoJSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_DEEDS: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Deed:
    """Deed (Vorgang der Protokollierung): what was done to which object, for `record_many`."""

    action: str
    obj_type: str
    obj_id: UUID | str | int
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


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
    record_many(actor, [Deed(action, obj_type, obj_id, before, after)])


def record_many(actor: Actor, deeds: Sequence[Deed]) -> None:
    """Write an audit entry for each deed, in this order and in one statement."""
    if not deeds:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _APPEND,
            [
                actor.kind.value,
                str(actor.id or ""),
                actor.name,
                ",".join(sorted(map(str, actor.substitutes))),
                actor.request_id,
                _DEEDS.encode([[d.action, d.obj_type, str(d.obj_id), _changes(d)] for d in deeds]),
            ],
        )


def _changes(deed: Deed) -> str:
    changes: dict[str, Any] = {}
    if deed.before is not None:
        changes["before"] = dict(deed.before)
    if deed.after is not None:
        changes["after"] = dict(deed.after)
    return _CHANGES.encode(changes)
