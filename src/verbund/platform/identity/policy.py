"""Policy (Berechtigung): the one question every door asks.

A room lists its permissions in a `StrEnum` and grants them to roles in `policies.py`:

    class Permission(StrEnum):
        READ_CASE = "records.read_case"

    policy.grant({Role.CLERK: {Permission.READ_CASE}})

Permissions for citizens and guests are granted to their `ActorKind`. The system actor may do what a job does:
everything, in its own body.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from django.utils.translation import gettext as _

from verbund.platform.tenancy.context import connection

from .actor import Actor, ActorKind
from .roles import Role

_grants: Final[dict[Role | ActorKind, set[str]]] = defaultdict(set)


class Denied(Exception):  # noqa: N818 - reads as the sentence a door says
    """The actor lacks the permission (403). Carries the permission's value, never data of the object."""

    def __init__(self, permission: str) -> None:
        super().__init__(permission)
        self.permission = permission

    @property
    def message(self) -> str:
        """The refusal in words for the person who asked."""
        return _("You do not have the permission for this. Ask the administration of your body if you need it.")


def grant(table: Mapping[Role | ActorKind, Iterable[StrEnum]]) -> None:
    """Register a room's grants; called once at import of its `policies.py`."""
    for holder, permissions in table.items():
        _grants[holder].update(str(p) for p in permissions)


def allows(actor: Actor, permission: StrEnum) -> bool:
    """Whether `actor` holds `permission` in the body the connection works for."""
    if actor.body != connection.schema_name:
        return False
    if actor.kind is ActorKind.SYSTEM:
        return True
    wanted = str(permission)
    if wanted in _grants[actor.kind]:
        return True
    return any(wanted in _grants[role] for role in actor.roles)


def require(actor: Actor, permission: StrEnum, *, when: bool = True) -> None:
    """Raise `Denied` unless `actor` holds `permission` and the rule on the object (`when`) is true.

    Raises:
        Denied: also for an actor of another body than the connection's.
    """
    if not (when and allows(actor, permission)):
        raise Denied(str(permission))
