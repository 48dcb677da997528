"""Writes: what law and contract set from a day on, and the list of tasks that may pass."""

import csv
import io
from datetime import date, datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.models import LegalParameter, ParameterKey, TaskKind
from verbund.modules.membership.policies import Permission
from verbund.platform import audit
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, Invalid, new_id


class BadParameter(Invalid):
    """What was entered for a parameter or a task cannot be taken."""


class ParameterConflict(Conflict):
    """Another value stands on these days."""


@transaction.atomic
def set_parameter(actor: Actor, *, key: str, value: int, valid_from: date, source: str, now: datetime) -> None:
    """Set a legal parameter (Rechtsparameter) from a day on; the value before ends on the day before.

    Raises:
        policy.Denied, BadParameter, ParameterConflict (a later value is set already).
    """
    policy.require(actor, Permission.MANAGE_ACCESSIONS)
    errors: dict[str, str | Promise] = {}
    if key not in ParameterKey.values:
        errors["key"] = _("Choose a parameter from the list.")
    if not 0 <= value < 10**12:
        errors["value"] = _("Enter a figure that is not negative.")
    if not source.strip():
        errors["source"] = _("Name the provision or the contract.")
    if errors:
        raise BadParameter(errors)
    standing = LegalParameter.objects.select_for_update().filter(key=key)
    if standing.filter(valid_from__gte=valid_from).exists():
        raise ParameterConflict(_("A value from this day on, or from a later one, is set already."))
    for row in standing.filter(valid_until__isnull=True):
        row.valid_until = valid_from - timedelta(days=1)
        row.save(update_fields=["valid_until"])
    row = LegalParameter.objects.create(
        id=new_id(), key=key, value=value, valid_from=valid_from, source=source.strip()[:200], recorded_at=now
    )
    audit.record(
        actor,
        "membership.parameter.set",
        "membership.parameter",
        row.id,
        after={"key": key, "value": value, "valid_from": valid_from, "source": source},
    )


@transaction.atomic
def import_task_kinds(actor: Actor, *, csv_text: str, now: datetime) -> int:
    """Extend the list of tasks (Aufgabenarten) by a CSV with the columns `code;name;description`. Returns how many.

    A code there already gets the new name. All errors are told at once by line; then nothing is taken.

    Raises:
        policy.Denied, BadParameter.
    """
    policy.require(actor, Permission.MANAGE_ACCESSIONS)
    reader = csv.DictReader(io.StringIO(csv_text.lstrip("\ufeff")), delimiter=";")
    if not {"code", "name"} <= set(reader.fieldnames or ()):
        raise BadParameter({"csv_text": _("The first line must read: code;name;description")})
    kinds: dict[str, TaskKind] = {}
    problems = []
    for line, row in enumerate(reader, start=2):
        kind = TaskKind(
            code=(row["code"] or "").strip(),
            name=(row["name"] or "").strip(),
            description=(row.get("description") or "").strip(),
        )
        try:
            kind.full_clean(validate_unique=False)
        except ValidationError as error:
            problems.append(gettext("Line %(line)s: %(what)s") % {"line": line, "what": " ".join(error.messages)})
        if kind.code in kinds:
            problems.append(
                gettext("Line %(line)s: the code %(code)s stands twice") % {"line": line, "code": kind.code}
            )
        kinds[kind.code] = kind
    if problems:
        raise BadParameter({"csv_text": " ".join(problems)})
    for kind in kinds.values():
        kind.save()
    audit.record(actor, "membership.tasks.imported", "membership.taskkind", "", after={"codes": sorted(kinds)})
    return len(kinds)
