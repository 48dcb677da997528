"""Absences and who stands in."""

from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from verbund.platform import audit
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor, ActorKind
from verbund.platform.identity.local.models import Absence
from verbund.platform.identity.models import Assignment
from verbund.platform.identity.policies import Permission, may_manage_absence_of
from verbund.platform.tenancy import Invalid, NotFound, current_body, local_date, new_id


class AbsenceInvalid(Invalid):
    """What was entered cannot be taken."""


class AbsenceNotFound(NotFound):
    """There is no such absence the actor may touch."""


def record_absence(
    actor: Actor, *, person_id: UUID, substitute_id: UUID, absent_from: date, absent_until: date, now: datetime
) -> UUID:
    """Note that a person is away from one day to another (both included) and who stands in. Returns the absence's id.

    One's own; the head of a unit and the administration also for others.

    Raises:
        AbsenceInvalid: per field. policy.Denied.
    """
    _may(actor, person_id, now)
    errors = {}
    if absent_until < absent_from:
        errors["absent_until"] = _("The last day must not lie before the first.")
    elif absent_until < local_date(now):
        errors["absent_until"] = _("This absence is already over. Choose days from today on.")
    if substitute_id == person_id:
        errors["substitute"] = _("Choose another person than the absent one.")
    elif not _current(substitute_id, now).exists():
        errors["substitute"] = _("Choose a person who works for this body at present.")
    if errors:
        raise AbsenceInvalid(errors)
    with transaction.atomic():
        clash = Absence.objects.select_for_update().filter(
            person=person_id, absent_from__lte=absent_until, absent_until__gte=absent_from
        )
        if clash.exists():
            raise AbsenceInvalid({"absent_from": _("There is already an absence on these days. End that one first.")})
        row = Absence.objects.create(
            id=new_id(),
            person=person_id,
            substitute=substitute_id,
            absent_from=absent_from,
            absent_until=absent_until,
            created_at=now,
        )
        audit.record(actor, "identity.absence_recorded", "person", person_id, after=_values(row))
    return row.id


def end_absence(actor: Actor, *, absence_id: UUID, now: datetime) -> None:
    """End an absence today: one that has not begun is deleted, one that runs ended yesterday,
    so the substitution stops at once.

    Raises:
        AbsenceNotFound, policy.Denied.
    """
    with transaction.atomic():
        row = Absence.objects.select_for_update().filter(pk=absence_id).first()
        if row is None:
            raise AbsenceNotFound
        _may(actor, row.person, now)
        before, today = _values(row), local_date(now)
        if row.absent_until < today:
            return
        if row.absent_from >= today:
            row.delete()
        else:
            row.absent_until = date.fromordinal(today.toordinal() - 1)
            row.save(update_fields=["absent_until"])
        audit.record(actor, "identity.absence_ended", "person", row.person, before, {"ended_on": today})


def _may(actor: Actor, person_id: UUID, now: datetime) -> None:
    if actor.id == person_id and actor.kind is ActorKind.STAFF:
        policy.require(actor, Permission.MANAGE_OWN_ACCESS)
        return
    policy.require(actor, Permission.MANAGE_ABSENCES)
    units = frozenset(_current(person_id, now).values_list("unit", flat=True)) - {""}
    policy.require(actor, Permission.MANAGE_ABSENCES, when=may_manage_absence_of(actor, person_id, units))


def _current(person_id: UUID, now: datetime) -> QuerySet[Assignment]:
    return Assignment.objects.filter(
        Q(valid_until=None) | Q(valid_until__gt=now),
        person_id=person_id,
        body_id=current_body().id,
        valid_from__lte=now,
    )


def _values(row: Absence) -> dict[str, object]:
    return {"substitute": row.substitute, "from": row.absent_from, "until": row.absent_until}
