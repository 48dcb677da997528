"""Writes: what the alliance knows of a body."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.models import (
    Administration,
    CompetenceThreshold,
    Contact,
    Facility,
    InhabitantFigure,
    Member,
    MemberKind,
    Organ,
    PublicationMedium,
    TermOfOffice,
)
from verbund.modules.membership.policies import Permission, visible_members
from verbund.platform import audit
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, Invalid, NotFound, local_date, new_id

from .members import MemberNotFound


class BadBody(Invalid):
    """What was entered about a body cannot be taken."""


class BodyConflict(Conflict):
    """What stands here already forbids the entry."""


class EntryNotFound(NotFound):
    """There is no such entry about a body."""


def _member(actor: Actor, member_id: UUID) -> Member:
    policy.require(actor, Permission.MANAGE_MEMBERS)
    member = visible_members(actor).filter(id=member_id).first()
    if member is None:
        raise MemberNotFound
    return member


def _enter(actor: Actor, action: str, member_id: UUID, row: models.Model) -> UUID:
    """Check and write a row; overlaps with one that stands here are told as such."""
    try:
        row.full_clean(validate_constraints=False)
    except ValidationError as error:
        raise BadBody({field: " ".join(messages) for field, messages in error.message_dict.items()}) from error
    if (until := getattr(row, "valid_until", None)) is not None and until < row.valid_from:  # type: ignore[attr-defined]
        raise BadBody({"valid_until": _("The last day must not lie before the first one.")})
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise BodyConflict(_("This is entered already for these days. End the older entry first.")) from error
    plain = {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields}
    audit.record(actor, f"membership.body.{action}", "membership.member", member_id, after=plain)
    return UUID(str(row.pk))


@transaction.atomic
def administer(
    actor: Actor,
    *,
    amt_id: UUID,
    town_id: UUID,
    valid_from: date,
    valid_until: date | None = None,
    now: datetime,
) -> UUID:
    """Enter that an Amt administers a town (Amtszugehörigkeit, § 125 KV M-V).

    Raises:
        policy.Denied, MemberNotFound, BadBody, BodyConflict (another Amt does on these days).
    """
    amt, town = _member(actor, amt_id), _member(actor, town_id)
    if amt.kind != MemberKind.MUNICIPAL_ASSOCIATION or town.kind != MemberKind.TOWN:
        raise BadBody({"town_id": _("An Amt administers towns.")})
    row = Administration(
        id=new_id(), amt=amt, town=town, valid_from=valid_from, valid_until=valid_until, recorded_at=now
    )
    return _enter(actor, "administration", amt_id, row)


@transaction.atomic
def record_inhabitants(
    actor: Actor, *, member_id: UUID, reference_date: date, count: int, source: str, now: datetime
) -> UUID:
    """Enter the inhabitants (Einwohnerzahl) on a reference date; entered again, the later entry counts.

    Raises:
        policy.Denied, MemberNotFound, BadBody.
    """
    member = _member(actor, member_id)
    errors = {}
    if not 0 <= count <= 10_000_000:
        errors["count"] = _("Enter the number of inhabitants.")
    if not source.strip():
        errors["source"] = _("Name the source, for example the statistical office and its report.")
    if reference_date > local_date(now):
        errors["reference_date"] = _("The reference date lies in the future.")
    if errors:
        raise BadBody(errors)
    counts = InhabitantFigure.objects.filter(member=member, reference_date=reference_date).order_by("-recorded_at")
    last = counts.first()
    if last is not None and (last.count, last.source) == (count, source.strip()[:200]):
        return last.id  # it stands here already
    row = InhabitantFigure(
        id=new_id(),
        member=member,
        reference_date=reference_date,
        count=count,
        source=source.strip()[:200],
        recorded_at=now,
    )
    return _enter(actor, "inhabitants", member_id, row)


@transaction.atomic
def add_facility(
    actor: Actor,
    *,
    member_id: UUID,
    kind: str,
    name: str,
    valid_from: date,
    now: datetime,
    street: str = "",
    postcode: str = "",
    place: str = "",
    workplaces: int = 0,
) -> UUID:
    """Enter a facility (Einrichtung) with its workplaces.

    Raises:
        policy.Denied, MemberNotFound, BadBody, BodyConflict.
    """
    member = _member(actor, member_id)
    row = Facility(
        id=new_id(),
        member=member,
        kind=kind,
        name=" ".join(name.split()),
        street=street,
        postcode=postcode,
        place=place,
        workplaces=workplaces,
        valid_from=valid_from,
    )
    return _enter(actor, "facility", member_id, row)


@transaction.atomic
def add_organ(actor: Actor, *, member_id: UUID, kind: str, name: str, now: datetime) -> UUID:
    """Enter an organ (Organ) of a body.

    Raises:
        policy.Denied, MemberNotFound, BadBody, BodyConflict.
    """
    member = _member(actor, member_id)
    return _enter(actor, "organ", member_id, Organ(id=new_id(), member=member, kind=kind, name=" ".join(name.split())))


@transaction.atomic
def add_term(
    actor: Actor,
    *,
    organ_id: UUID,
    person_name: str,
    function: str,
    valid_from: date,
    valid_until: date | None = None,
    now: datetime,
) -> UUID:
    """Enter who holds a function in an organ (Amtszeit); `valid_until` is the last day.

    Raises:
        policy.Denied, EntryNotFound, BadBody, BodyConflict.
    """
    organ = _organ(actor, organ_id)
    row = TermOfOffice(
        id=new_id(),
        organ=organ,
        person_name=" ".join(person_name.split()),
        function=" ".join(function.split()),
        valid_from=valid_from,
        valid_until=valid_until,
    )
    return _enter(actor, "term", organ.member_id, row)


def _organ(actor: Actor, organ_id: UUID) -> Organ:
    policy.require(actor, Permission.MANAGE_MEMBERS)
    organ = Organ.objects.filter(id=organ_id, member__in=visible_members(actor)).first()
    if organ is None:
        raise EntryNotFound
    return organ


@transaction.atomic
def set_threshold(
    actor: Actor,
    *,
    organ_id: UUID,
    matter: str,
    amount_cents: int,
    provision: str,
    valid_from: date,
    now: datetime,
) -> UUID:
    """Enter up to which amount an organ decides a matter (Wertgrenze der Hauptsatzung); an open earlier one ends.

    Raises:
        policy.Denied, EntryNotFound, BadBody, BodyConflict.
    """
    organ = _organ(actor, organ_id)
    named = " ".join(matter.split())
    CompetenceThreshold.objects.filter(
        organ=organ, matter=named, valid_until__isnull=True, valid_from__lt=valid_from
    ).update(valid_until=valid_from - timedelta(days=1))
    row = CompetenceThreshold(
        id=new_id(),
        organ=organ,
        matter=named,
        amount_cents=amount_cents,
        provision=provision,
        valid_from=valid_from,
    )
    return _enter(actor, "threshold", organ.member_id, row)


@transaction.atomic
def add_contact(
    actor: Actor, *, member_id: UUID, name: str, now: datetime, function: str = "", email: str = "", phone: str = ""
) -> UUID:
    """Enter whom to call or write to (Ansprechperson).

    Raises:
        policy.Denied, MemberNotFound, BadBody, BodyConflict (the same contact).
    """
    member = _member(actor, member_id)
    facts = {"name": " ".join(name.split()), "function": function, "email": email, "phone": phone}
    if Contact.objects.filter(member=member, ended_on__isnull=True, **facts).exists():
        raise BodyConflict(_("This contact stands here already."))
    row = Contact(id=new_id(), member=member, **facts)
    return _enter(actor, "contact", member_id, row)


@transaction.atomic
def add_medium(
    actor: Actor, *, member_id: UUID, name: str, valid_from: date, now: datetime, provision: str = ""
) -> UUID:
    """Enter where the Hauptsatzung says that the body publishes (Bekanntmachungsmedium).

    Raises:
        policy.Denied, MemberNotFound, BadBody, BodyConflict.
    """
    member = _member(actor, member_id)
    row = PublicationMedium(
        id=new_id(), member=member, name=" ".join(name.split()), provision=provision, valid_from=valid_from
    )
    return _enter(actor, "medium", member_id, row)


_ENDS: dict[str, Callable[[UUID], models.QuerySet[Any]]] = {
    "facility": lambda member: Facility.objects.filter(member=member),
    "term": lambda member: TermOfOffice.objects.filter(organ__member=member),
    "contact": lambda member: Contact.objects.filter(member=member, ended_on__isnull=True),
    "medium": lambda member: PublicationMedium.objects.filter(member=member),
    "administration": lambda member: Administration.objects.filter(amt=member),
}


@transaction.atomic
def end_entry(actor: Actor, *, member_id: UUID, what: str, entry_id: UUID, last_day: date, now: datetime) -> None:
    """End a facility, a term of office, a contact, a medium or an Amt's administration (`what`) with its last day.

    Raises:
        policy.Denied, MemberNotFound, EntryNotFound, BadBody, BodyConflict.
    """
    member = _member(actor, member_id)
    rows = _ENDS[what](member.id) if what in _ENDS else None
    row = rows.select_for_update(of=("self",)).filter(id=entry_id).first() if rows is not None else None
    if row is None:
        raise EntryNotFound
    if last_day < getattr(row, "valid_from", last_day):
        raise BadBody({"last_day": _("The last day must not lie before the first one.")})
    column = "ended_on" if what == "contact" else "valid_until"
    before = getattr(row, column)
    if before == last_day:
        return
    setattr(row, column, last_day)
    try:
        with transaction.atomic():
            row.save(update_fields=[column])
    except IntegrityError as error:
        raise BodyConflict(_("This is entered already for these days. End the older entry first.")) from error
    audit.record(
        actor,
        f"membership.body.{what}_ended",
        f"membership.{what}",
        entry_id,
        before={column: before},
        after={column: last_day},
    )
