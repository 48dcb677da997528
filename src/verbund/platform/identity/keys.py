"""Keys of machines (API-Schlüssel): what one looks like, and whom it lets in."""

import secrets
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from verbund.platform.tenancy import current_body, local_date

from .actor import Actor, ActorKind
from .local.models import ApiKey
from .roles import Role

PREFIX: Final = "vbk"
_LOOKUP: Final = 12
_LONGEST: Final = 100
_ROLES: Final = frozenset(role.value for role in Role)


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that showed a valid key: whom it acts as, and whether it may write."""

    key_id: UUID
    actor: Actor
    may_write: bool


def new_key() -> tuple[str, str]:
    """A key as it is handed out once, `vbk_<lookup>_<secret>`, and its lookup part. The secret has 256 bits."""
    lookup = secrets.token_hex(_LOOKUP // 2)
    return f"{PREFIX}_{lookup}_{secrets.token_hex(32)}", lookup


def digest_of(key: str, secret: str | None = None) -> str:
    """The keyed digest that is stored; `secret` is the installation's, by default the present one."""
    return salted_hmac("verbund.identity.api_key", key, secret=secret, algorithm="sha256").hexdigest()


def machine_of(key: str, *, now: datetime, request_id: str = "") -> Machine | None:
    """Who stands behind `key` in the present body; None for an unknown, foreign, revoked or expired one.

    The day of the last use is noted once a day. A key made before a change of the installation's secret still fits
    while the old secret is among the fallbacks.
    """
    parts = key.split("_")
    if len(key) > _LONGEST or len(parts) != 3 or parts[0] != PREFIX or not key.isascii():
        return None
    row = ApiKey.objects.filter(lookup=parts[1][:16], revoked_at=None, expires_at__gt=now).first()
    found = row.digest if row is not None else ""
    known = [
        constant_time_compare(found, digest_of(key, secret))
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    ]
    if row is None or not any(known):
        return None
    _note_use(row, local_date(now))
    actor = Actor(
        kind=ActorKind.STAFF,
        id=row.id,
        name=row.name,
        body=current_body().schema_name,
        roles=frozenset(Role(role) for role in row.roles if role in _ROLES),
        units=frozenset(row.units),
        request_id=request_id,
    )
    return Machine(row.id, actor, row.may_write)


def _note_use(row: ApiKey, today: date) -> None:
    if row.last_used_on is None or row.last_used_on < today:
        ApiKey.objects.filter(pk=row.pk).update(last_used_on=today)
