"""Actor (handelnde Person oder Stelle): who asks at a door, for which body, with which roles and units."""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from .roles import Role


class ActorKind(StrEnum):
    STAFF = "staff"
    CITIZEN = "citizen"
    GUEST = "guest"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Actor (handelnde Person): the first argument of every service and query.

    `body` is the schema name of the body acted for, `units` the codes of the organisational units whose work the
    actor may do (those of an absent colleague included), `substitutes` the ids of the people stood in for.
    """

    kind: ActorKind
    id: UUID | None
    name: str
    body: str
    roles: frozenset[Role] = frozenset()
    units: frozenset[str] = frozenset()
    request_id: str = ""
    substitutes: frozenset[UUID] = field(default_factory=frozenset)

    @classmethod
    def system(cls, body: str, purpose: str, request_id: str = "") -> "Actor":
        """The machine itself, acting for `body`; `purpose` stands in the audit trail as its name."""
        return cls(kind=ActorKind.SYSTEM, id=None, name=purpose, body=body, request_id=request_id)

    @classmethod
    def guest(cls, body: str, request_id: str = "") -> "Actor":
        """Somebody who has not signed in."""
        return cls(kind=ActorKind.GUEST, id=None, name="", body=body, request_id=request_id)

    @property
    def is_staff(self) -> bool:
        return self.kind is ActorKind.STAFF

    @property
    def is_system(self) -> bool:
        return self.kind is ActorKind.SYSTEM

    def holds(self, *roles: Role) -> bool:
        """Whether one of `roles` is among the actor's."""
        return not self.roles.isdisjoint(roles)
