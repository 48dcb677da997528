"""Keys with which other systems of the body sign in."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from verbund.platform import audit
from verbund.platform.identity import keys, policy
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.local.models import ApiAnswer, ApiKey, OrgUnit
from verbund.platform.identity.policies import Permission
from verbund.platform.identity.roles import ALLIANCE_ROLES, Role
from verbund.platform.tenancy import Conflict, Invalid, NotFound, current_body, new_id

LONGEST: Final = timedelta(days=366)
# No machine administers people, keys or the installation.
NOT_FOR_MACHINES: Final = frozenset({Role.BODY_ADMIN, Role.OPERATOR})
ANSWERS_KEPT: Final = timedelta(days=7)


class KeyInvalid(Invalid):
    """What was entered cannot be taken."""


class KeyNotFound(NotFound):
    """There is no such key."""


class KeyConflict(Conflict):
    """The key is revoked already."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made; `key` is shown this once and never again."""

    id: UUID
    key: str


def roles_for_machines() -> list[Role]:
    """The roles a key can carry in the present body."""
    alliance = current_body().is_alliance
    return [role for role in Role if role not in NOT_FOR_MACHINES and (alliance or role not in ALLIANCE_ROLES)]


def create_key(
    actor: Actor,
    *,
    name: str,
    roles: Iterable[str],
    units: Iterable[str] = (),
    may_write: bool = False,
    expires_at: datetime,
    now: datetime,
) -> NewKey:
    """Make a key (API-Schlüssel) for another system of the body.

    Args:
        roles, units: as an assignment gives them to a person; roles that administer are not given to machines.
        expires_at: at most a year ahead.

    Raises:
        KeyInvalid: per field. policy.Denied
    """
    policy.require(actor, Permission.MANAGE_KEYS)
    name, wanted, working = " ".join(name.split()), sorted(set(roles)), sorted(set(units))
    errors: dict[str, str] = {}
    if not 3 <= len(name) <= 100:
        errors["name"] = _("Name the system that will use the key, with 3 to 100 characters.")
    if not wanted or not set(wanted) <= {role.value for role in roles_for_machines()}:
        errors["roles"] = _("Choose at least one role from the list.")
    if OrgUnit.objects.filter(code__in=working, is_active=True).count() != len(working):
        errors["units"] = _("Choose units from the list.")
    if not now < expires_at <= now + LONGEST:
        errors["last_day"] = _("Choose a last day within the coming year.")
    if errors:
        raise KeyInvalid(errors)
    key, lookup = keys.new_key()
    with transaction.atomic():
        row = ApiKey.objects.create(
            id=new_id(),
            name=name,
            lookup=lookup,
            digest=keys.digest_of(key),
            roles=wanted,
            units=working,
            may_write=may_write,
            created_at=now,
            created_by=actor.id,
            created_name=actor.name[:200],
            expires_at=expires_at,
        )
        audit.record(
            actor,
            "identity.api_key_created",
            "api_key",
            row.id,
            after={"name": name, "roles": wanted, "units": working, "may_write": may_write, "expires_at": expires_at},
        )
    return NewKey(row.id, key)


def revoke_key(actor: Actor, *, key_id: UUID, now: datetime) -> None:
    """Revoke a key: the very next request with it is refused.

    Raises:
        KeyNotFound, KeyConflict (revoked already), policy.Denied
    """
    policy.require(actor, Permission.MANAGE_KEYS)
    with transaction.atomic():
        row = ApiKey.objects.select_for_update().filter(pk=key_id).first()
        if row is None:
            raise KeyNotFound
        if row.revoked_at is not None:
            raise KeyConflict(gettext_lazy("This key is revoked already."))
        row.revoked_at = now
        row.save(update_fields=["revoked_at"])
        audit.record(actor, "identity.api_key_revoked", "api_key", row.id, after={"name": row.name})


def forget_answers(actor: Actor, *, now: datetime) -> int:
    """Nightly: delete the answers kept for repeated requests of machines; returns how many. Raises policy.Denied."""
    policy.require(actor, Permission.TIDY_UP)
    with transaction.atomic():
        gone = ApiAnswer.objects.filter(created_at__lt=now - ANSWERS_KEPT).delete()[0]
        audit.record(actor, "identity.api_answers_forgotten", "body", current_body().id, after={"answers": gone})
    return gone
