"""Reads: members."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from verbund.modules.membership.models import Member
from verbund.modules.membership.policies import Permission, visible_members
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import NotFound


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """MemberFacts (Mitgliedsdaten): a member as values."""

    id: UUID
    schema_name: str | None  # None until the body is provisioned
    slug: str
    name: str
    kind: str
    kind_label: str
    ags: str
    ars: str
    rooms: tuple[str, ...]
    registered_at: datetime
    version: int

    @classmethod
    def of(cls, member: Member) -> "MemberFacts":
        """A member's row as values."""
        return cls(
            id=member.id,
            schema_name=member.schema_name,
            slug=member.slug,
            name=member.name,
            kind=member.kind,
            kind_label=str(member.get_kind_display()),
            ags=member.ags,
            ars=member.ars,
            rooms=tuple(member.rooms),
            registered_at=member.registered_at,
            version=member.version,
        )


def list_members(actor: Actor) -> list[MemberFacts]:
    """The members by name (an alliance has dozens to a few hundred: one page).

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.READ_MEMBERS)
    return [MemberFacts.of(m) for m in visible_members(actor).order_by("name", "id")]


def member(actor: Actor, member_id: UUID) -> MemberFacts:
    """One member.

    Raises:
        NotFound: also for an actor who may not see members.
    """
    found = visible_members(actor).filter(id=member_id).first()
    if found is None:
        raise NotFound
    return MemberFacts.of(found)
