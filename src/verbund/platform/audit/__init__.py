"""Audit (Protokollierung): every write leaves an entry that nobody can change unseen.

    audit.record(actor, "records.case.opened", "records.case", case.id, after={"reference": case.reference})

is the last line of a service, in its transaction; `record_many` writes several entries at once. They are written by
the database function `audit_append_many`, which chains them; the bodies' roles may call it and read the entries,
nothing else.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder

from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import rows

_APPEND: Final = "audit_append_many(%s, %s, %s, %s, %s, %s::jsonb)"
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


_waiting: Final[ContextVar[list[tuple[Actor, Deed]] | None]] = ContextVar("waiting_audit_entries", default=None)


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


@contextmanager
def together() -> Iterator[None]:
    """Within, entries wait until the end and are written at once: for a service that calls others which record, too."""
    waiting: list[tuple[Actor, Deed]] = []
    token = _waiting.set(waiting)
    try:
        yield
    finally:
        _waiting.reset(token)
    for actor, deeds in groupby(waiting, key=itemgetter(0)):
        record_many(actor, [deed for _, deed in deeds])


def record_many(actor: Actor, deeds: Sequence[Deed]) -> None:
    """Write an audit entry for each deed, in this order and in one statement."""
    waiting = _waiting.get()
    if waiting is not None:
        waiting += [(actor, deed) for deed in deeds]
        return
    if not deeds:
        return
    rows.call(
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
