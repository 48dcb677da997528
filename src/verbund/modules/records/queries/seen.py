"""Whether an actor sees a case: a query that is put together once for each reader and kept."""

from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from verbund.modules.records.models import Case
from verbund.modules.records.policies import visible_cases
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy.kept import KeptQuery, given


def seen_case(actor: Actor, case_id: UUID, origin: str | None = None, *, lock: bool = False) -> Case | None:
    """The case with its file and position, if it exists for the actor (`policies.visible_cases`).

    With `lock` nobody else changes it until the transaction ends.
    """
    if origin is None:
        return _case_of(reader_of(actor), by_origin=False, lock=lock).first(case=case_id)
    if origin:
        return _case_of(reader_of(actor), by_origin=True, lock=lock).first(case=case_id, origin=origin)
    return _cases(actor, origin, lock=lock).filter(pk=case_id).first()


def reader_of(actor: Actor) -> Actor:
    """The actor by what decides which cases it sees: what queries are kept for."""
    return Actor(
        actor.kind, actor.id, "", actor.body, roles=actor.roles, units=actor.units, substitutes=actor.substitutes
    )


@lru_cache(maxsize=512)
def _case_of(reader: Actor, *, by_origin: bool, lock: bool) -> KeptQuery[Case]:
    origin: Any = given("origin") if by_origin else None
    return KeptQuery(lambda: _cases(reader, origin, lock=lock).filter(pk=given("case")))


def _cases(reader: Actor, origin: Any, *, lock: bool) -> "QuerySet[Case]":
    cases = visible_cases(reader, origin).select_related("file", "position")
    return cases.select_for_update(of=("self",)) if lock else cases
