"""Writes: members and their rooms."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.events import BodyRegistered, RoomsSwitched
from verbund.modules.membership.models import ROOMS, Member, rooms_for
from verbund.modules.membership.policies import Permission, visible_members
from verbund.modules.membership.queries import MemberFacts
from verbund.platform import audit, events
from verbund.platform.identity import policy
from verbund.platform.identity import queries as people
from verbund.platform.identity import services as identity
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, Invalid, NotFound, current_body, new_id
from verbund.platform.tenancy.bodies import set_rooms

UNIT_LENGTH: Final = 40  # what the code of a unit may have


class NotTheAlliance(Conflict):
    """Members are kept in the alliance's own body only."""


class AlreadyRegistered(Conflict):
    """There is a member of this name already."""


class NotProvisioned(Conflict):
    """The body has no tenant yet."""


class BadMember(Invalid):
    """A name, kind or key that cannot be."""


class MemberNotFound(NotFound):
    """No such member."""


@transaction.atomic
def register_body(
    actor: Actor,
    *,
    name: str,
    kind: str,
    ags: str,
    ars: str,
    slug: str,
    schema_name: str | None = None,
    rooms: Iterable[str] = (),
    now: datetime,
) -> MemberFacts:
    """Enter a body (Körperschaft) in the alliance's list; the same body again is answered with what stands there.

    Raises:
        policy.Denied, NotTheAlliance, AlreadyRegistered (another body has the slug), BadMember.
    """
    policy.require(actor, Permission.REGISTER_BODY)
    if not current_body().is_alliance:
        raise NotTheAlliance(_("Members are kept by the alliance only."))
    there = Member.objects.filter(schema_name=schema_name).first() if schema_name else None
    if there is not None:
        return MemberFacts.of(there)
    if len(slug) > UNIT_LENGTH:
        raise BadMember({"slug": _("The short name has at most %(length)s characters.") % {"length": UNIT_LENGTH}})
    if Member.objects.filter(slug=slug).exists():
        raise AlreadyRegistered(_("Another member already uses this short name. Choose a different one."))
    member = Member(
        id=new_id(),
        schema_name=schema_name or None,
        slug=slug,
        name=name,
        kind=kind,
        ags=ags,
        ars=ars,
        rooms=_known(rooms, kind),
        registered_at=now,
    )
    if not keys_agree(ags, ars):
        raise BadMember({"ars": _("The regional key does not belong to the official key. Check both.")})
    try:
        member.full_clean()
    except ValidationError as error:
        raise BadMember({field: " ".join(messages) for field, messages in error.message_dict.items()}) from error
    member.save(force_insert=True)
    if slug not in people.unit_names([slug]):
        # The unit its representatives are assigned to; it comes with the body, whoever registers it.
        keeper = Actor.system(actor.body, actor.name, actor.request_id)
        identity.create_unit(keeper, code=slug, name=name, now=now)
    events.publish(actor, BodyRegistered(member.id, schema_name or ""))
    audit.record(
        actor,
        "membership.body.registered",
        "membership.member",
        member.id,
        after={"name": name, "kind": kind, "ags": ags, "ars": ars, "slug": slug, "rooms": member.rooms},
    )
    return MemberFacts.of(member)


@transaction.atomic
def switch_rooms(actor: Actor, *, member_id: UUID, rooms: Iterable[str], expected_version: int, now: datetime) -> None:
    """Switch rooms (Verfahren) of a member on and off; takes effect within seconds on the member's host.

    Raises:
        policy.Denied, MemberNotFound, BadMember (unknown room, or one of the alliance alone), Conflict (somebody else
        was quicker).
    """
    policy.require(actor, Permission.SWITCH_ROOMS)
    member = visible_members(actor).select_for_update().filter(id=member_id).first()
    if member is None:
        raise MemberNotFound
    if member.version != expected_version:
        raise Conflict(
            _("Somebody else has changed this member in the meantime. Look at the new state and decide again.")
        )
    if member.schema_name is None:
        raise NotProvisioned(_("This body is not set up yet: there is nothing to switch on."))
    wanted = _known(rooms, member.kind)
    before = list(member.rooms)
    member.rooms = wanted
    member.version += 1
    member.save(update_fields=["rooms", "version"])
    set_rooms(member.schema_name, wanted)
    events.publish(actor, RoomsSwitched(member.id, member.schema_name, tuple(wanted)))
    audit.record(
        actor,
        "membership.rooms.switched",
        "membership.member",
        member.id,
        before={"rooms": before},
        after={"rooms": wanted},
    )


def keys_agree(ags: str, ars: str) -> bool:
    """Whether AGS and ARS name the same body: the ARS is the AGS with the association's four digits after the county.

    True while one of them is missing, or has a length that its own check refuses.
    """
    if len(ags) == 8 and len(ars) == 12:
        return ars[:5] + ars[9:] == ags
    if len(ags) >= 5 and len(ars) >= 5:
        return ags[:5] == ars[:5]
    return True


def _known(rooms: Iterable[str], kind: str) -> list[str]:
    wanted = sorted(set(rooms))
    if unknown := [r for r in wanted if r not in ROOMS]:
        raise BadMember({"rooms": _("Unknown: %(rooms)s") % {"rooms": ", ".join(unknown)}})
    if not set(wanted) <= set(rooms_for(kind)):
        raise BadMember({"rooms": _("Cost sharing and the management of the alliance are the alliance's own rooms.")})
    return wanted
