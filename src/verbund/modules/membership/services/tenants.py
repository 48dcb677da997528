"""Writes about tenants that come from elsewhere, or go."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.models import rooms_for
from verbund.modules.membership.policies import Permission, visible_members
from verbund.platform import audit
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import current_body

from .members import NotTheAlliance, switch_rooms


@transaction.atomic
def tie_tenant(actor: Actor, *, slug: str, schema_name: str, rooms: Iterable[str], now: datetime) -> bool:
    """Tie a member that is known without a tenant to one that was taken in; whether there was such a member.

    Raises:
        policy.Denied, NotTheAlliance, BadMember (unknown room).
    """
    policy.require(actor, Permission.PROVISION)
    if not current_body().is_alliance:
        raise NotTheAlliance(_("Members are kept by the alliance only."))
    member = visible_members(actor).select_for_update().filter(slug=slug, schema_name=None).first()
    if member is None:
        return False
    member.schema_name = schema_name
    member.version += 1
    member.save(update_fields=["schema_name", "version"])
    audit.record(actor, "membership.tenant.tied", "membership.member", member.id, after={"schema": schema_name})
    own = set(rooms) & set(rooms_for(member.kind))  # it may come from where it was an alliance's
    switch_rooms(actor, member_id=member.id, rooms=own, expected_version=member.version, now=now)
    return True


@transaction.atomic
def note_erasure(
    actor: Actor, *, schema_name: str, manifest_sha256: str, certificate_sha256: str, now: datetime
) -> None:
    """A member's tenant has been erased (Löschung): it is known here without one again. Told twice it changes nothing.

    Raises:
        policy.Denied, NotTheAlliance.
    """
    policy.require(actor, Permission.PROVISION)
    if not current_body().is_alliance:
        raise NotTheAlliance(_("Members are kept by the alliance only."))
    member = visible_members(actor).select_for_update().filter(schema_name=schema_name).first()
    if member is None:
        return
    member.schema_name, member.rooms = None, []
    member.version += 1
    member.save(update_fields=["schema_name", "rooms", "version"])
    after = {"schema": schema_name, "manifest": manifest_sha256, "certificate": certificate_sha256}
    audit.record(actor, "membership.tenant.erased", "membership.member", member.id, after=after)
