"""The body's organisational units."""

import re
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from verbund.platform import audit
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.local.models import OrgUnit
from verbund.platform.identity.policies import Permission
from verbund.platform.tenancy import Conflict, Invalid, NotFound

_CODE: Final = re.compile(r"[A-Za-z0-9ÄÖÜäöüß][A-Za-z0-9ÄÖÜäöüß./_-]{0,39}\Z")


class UnitInvalid(Invalid):
    """What was entered cannot be taken."""


class UnitConflict(Conflict):
    """The present state forbids the step."""


class UnitNotFound(NotFound):
    """There is no such unit."""


def create_unit(actor: Actor, *, code: str, name: str, parent: str = "", now: datetime) -> str:
    """Add a unit (Organisationseinheit). Returns its code.

    Raises:
        UnitInvalid: per field. UnitConflict: the code is taken. policy.Denied.
    """
    policy.require(actor, Permission.MANAGE_UNITS)
    code, name = code.strip(), " ".join(name.split())
    errors = {}
    if not _CODE.match(code):
        errors["code"] = _("Use letters, digits and . / _ - only, for example 32 or FD32.1.")
    if not 2 <= len(name) <= 200:
        errors["name"] = _("Enter the name of the unit.")
    if parent and not OrgUnit.objects.filter(pk=parent).exists():
        errors["parent"] = _("Choose a unit from the list.")
    if errors:
        raise UnitInvalid(errors)
    with transaction.atomic():
        row, created = OrgUnit.objects.get_or_create(code=code, defaults={"name": name, "parent_id": parent or None})
        if not created:
            raise UnitConflict(gettext_lazy("There is already a unit with this code."))
        audit.record(actor, "identity.unit_created", "unit", row.code, after={"name": name, "parent": parent})
    return row.code


def change_unit(actor: Actor, *, code: str, name: str, parent: str = "", is_active: bool = True, now: datetime) -> None:
    """Rename a unit, hang it elsewhere, or close it. Codes never change: files and cases carry them.

    Raises:
        UnitNotFound, UnitInvalid (also a unit below itself), policy.Denied.
    """
    policy.require(actor, Permission.MANAGE_UNITS)
    name = " ".join(name.split())
    with transaction.atomic():
        units = {u.code: u for u in OrgUnit.objects.select_for_update()}
        row = units.get(code)
        if row is None:
            raise UnitNotFound
        if not 2 <= len(name) <= 200:
            raise UnitInvalid({"name": _("Enter the name of the unit.")})
        above: str | None = parent or None
        if above is not None and above not in units:
            raise UnitInvalid({"parent": _("Choose a unit from the list.")})
        while above is not None:
            if above == code:
                raise UnitInvalid({"parent": _("A unit cannot stand below itself. Choose another superior unit.")})
            above = units[above].parent_id
        before = {"name": row.name, "parent": row.parent_id or "", "is_active": row.is_active}
        row.name, row.parent_id, row.is_active = name, parent or None, is_active
        row.save(update_fields=["name", "parent", "is_active"])
        audit.record(
            actor,
            "identity.unit_changed",
            "unit",
            code,
            before,
            {"name": name, "parent": parent, "is_active": is_active},
        )
