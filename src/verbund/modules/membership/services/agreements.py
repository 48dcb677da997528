"""Writes of the catalogue of services and of what is agreed with whom."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.events import AgreementEnded, ServiceAgreed
from verbund.modules.membership.models import ROOMS, AllianceService, Member, ServiceAgreement, ServiceVersion
from verbund.modules.membership.policies import Permission, visible_agreements, visible_members
from verbund.modules.membership.queries.agreements import (
    AgreementFacts,
    AgreementNotFound,
    ServiceFacts,
    agreed_rooms,
    overlapping,
)
from verbund.platform import audit, events
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, Invalid, current_body, local_date, new_id

from .members import MemberNotFound, NotTheAlliance, switch_rooms

ALLIANCE_ROOMS = frozenset({"membership", "costsharing"})  # the alliance's own: no service hands them to a body


class BadService(Invalid):
    """What was entered for a service or an agreement cannot be taken."""


class ServiceConflict(Conflict):
    """The catalogue as it stands forbids the step."""


class AgreementConflict(Conflict):
    """What is agreed already forbids the step, or somebody else was quicker."""


@transaction.atomic
def define_service(
    actor: Actor,
    *,
    code: str,
    name: str,
    description: str,
    level: str = "",
    unit: str,
    price_basis: str,
    rooms: Iterable[str] = (),
    valid_from: date,
    valid_until: date | None = None,
    now: datetime,
) -> ServiceFacts:
    """Put a service (Leistung) into the catalogue, or a new version of it from a day on.

    An open version that began earlier ends on the day before; agreements go on and follow the new version. Tax
    treatment is not said here: the cost sharing keeps it with reviewer and document.

    Raises:
        policy.Denied, NotTheAlliance, BadService (per field), ServiceConflict (another version stands on these days).
    """
    policy.require(actor, Permission.MANAGE_CATALOGUE)
    _in_alliance()
    wanted = sorted(set(rooms))
    if unknown := [room for room in wanted if room not in ROOMS or room in ALLIANCE_ROOMS]:
        raise BadService({"rooms": _("No service can switch on: %(rooms)s") % {"rooms": ", ".join(unknown)}})
    if valid_until is not None and valid_until < valid_from:
        raise BadService({"valid_until": _("The last day must not lie before the first.")})
    service = AllianceService.objects.select_for_update().filter(code=code).first()
    fresh = service is None
    if service is None:
        service = AllianceService(id=new_id(), code=code)
    version = ServiceVersion(
        id=new_id(),
        service=service,
        name=" ".join(name.split()),
        description=description.strip(),
        level=level.strip(),
        unit=unit,
        price_basis=price_basis,
        rooms=wanted,
        valid_from=valid_from,
        valid_until=valid_until,
        recorded_at=now,
    )
    _check(service, version)
    if fresh:
        _insert(service)
    else:
        _end_open_version(service, valid_from)
    _insert(version)
    _refuse_uncovered(service)
    audit.record(
        actor,
        "membership.service.defined",
        "membership.service",
        service.id,
        after={"code": code, "name": version.name, "unit": unit, "price_basis": price_basis, "rooms": wanted}
        | {"valid_from": valid_from, "valid_until": valid_until},
    )
    return ServiceFacts.of(version)


def _end_open_version(service: AllianceService, from_day: date) -> None:
    open_one = service.versions.filter(valid_until__isnull=True, valid_from__lt=from_day).first()
    if open_one is not None:
        open_one.valid_until = from_day - timedelta(days=1)
        open_one.save(update_fields=["valid_until"])


def _refuse_uncovered(service: AllianceService) -> None:
    """Every day of every agreement must have a version that says what was agreed."""
    spans = list(service.versions.order_by("valid_from").values_list("valid_from", "valid_until"))
    for since, until in service.agreements.values_list("valid_from", "valid_until"):
        if not _covered(spans, since, until):
            raise ServiceConflict(
                _("There are agreements on this service for days on which the catalogue would not describe it.")
            )


def _covered(spans: list[tuple[date, date | None]], since: date, until: date | None) -> bool:
    """Whether spans of days, in order and apart, hold every day from `since` to `until` (None: for ever)."""
    needed = since
    for first, last in spans:
        if first > needed:
            return False
        if last is None:
            return True
        if last >= needed:
            needed = last + timedelta(days=1)
        if until is not None and needed > until:
            return True
    return False


@transaction.atomic
def agree_service(
    actor: Actor,
    *,
    member_id: UUID,
    service_code: str,
    valid_from: date,
    valid_until: date | None = None,
    as_carrier: bool,
    quantity_limit: int | None = None,
    basis: str,
    now: datetime,
) -> AgreementFacts:
    """Agree a service with a body (Leistungsvereinbarung), as a carrier or as a co-user (Mitnutzer).

    `basis` names the contract or resolution it rests on. What is in force today takes effect at once.

    Raises:
        policy.Denied, NotTheAlliance, MemberNotFound, BadService (per field),
        AgreementConflict (the body has this service on one of these days already).
    """
    policy.require(actor, Permission.MANAGE_AGREEMENTS)
    _in_alliance()
    member = visible_members(actor).select_for_update().filter(id=member_id).first()
    if member is None:
        raise MemberNotFound
    service = AllianceService.objects.select_for_update().filter(code=service_code).first()
    if service is None:
        raise BadService({"service_code": _("Choose a service from the catalogue.")})
    if valid_until is not None and valid_until < valid_from:
        raise BadService({"valid_until": _("The last day must not lie before the first.")})
    spans = list(service.versions.order_by("valid_from").values_list("valid_from", "valid_until"))
    if not _covered(spans, valid_from, valid_until):
        raise BadService({"valid_from": _("The catalogue does not offer this service on all of these days.")})
    agreement = ServiceAgreement(
        id=new_id(),
        member=member,
        service=service,
        valid_from=valid_from,
        valid_until=valid_until,
        as_carrier=as_carrier,
        quantity_limit=quantity_limit,
        basis=" ".join(basis.split()),
        recorded_at=now,
    )
    _check(agreement)
    rows = ServiceAgreement.objects.filter(member=member, service=service)
    if rows.filter(overlapping(valid_from, valid_until or date.max)).exists():
        raise AgreementConflict(
            _("This body has an agreement on the service for some of these days already. End that one first.")
        )
    _insert(agreement)
    _follow(actor, member, now)
    events.publish(actor, ServiceAgreed(agreement.id, member.id, service_code, valid_from, valid_until))
    audit.record(
        actor,
        "membership.agreement.made",
        "membership.agreement",
        agreement.id,
        after={
            "member": member.name,
            "service": service_code,
            "valid_from": valid_from,
            "valid_until": valid_until,
            "as_carrier": as_carrier,
            "quantity_limit": quantity_limit,
            "basis": agreement.basis,
        },
    )
    return AgreementFacts.of(agreement)


@transaction.atomic
def end_agreement(
    actor: Actor, *, agreement_id: UUID, last_day: date, reason: str, expected_version: int, now: datetime
) -> AgreementFacts:
    """End an agreement (Beendigung): `last_day` is the last one on which the service is rendered.

    Afterwards the rooms that fall away stay readable for VERBUND_HANDOVER_DAYS and then vanish.

    Raises:
        policy.Denied, AgreementNotFound, BadService (day in the past or before the beginning, no reason),
        AgreementConflict (somebody else was quicker, or it ends earlier already).
    """
    policy.require(actor, Permission.MANAGE_AGREEMENTS)
    _in_alliance()
    found = visible_agreements(actor).select_for_update(of=("self",)).filter(id=agreement_id)
    agreement = found.select_related("service", "member").first()
    if agreement is None:
        raise AgreementNotFound
    reason = " ".join(reason.split())
    errors = {}
    if last_day < agreement.valid_from:
        errors["last_day"] = _("The last day must not lie before the first.")
    elif last_day < local_date(now):
        errors["last_day"] = _("The last day must not lie in the past.")
    if not reason:
        errors["reason"] = _("Say why the agreement ends, for example the notice and its date.")
    elif len(reason) > 300:
        errors["reason"] = _("Use at most 300 characters.")
    if errors:
        raise BadService(errors)
    if agreement.version != expected_version:
        raise AgreementConflict(
            _("Somebody else has changed this agreement in the meantime. Look at the new state and decide again.")
        )
    if agreement.valid_until is not None and agreement.valid_until < last_day:
        raise AgreementConflict(_("This agreement ends earlier already. Make a new one to go on."))
    before = {"valid_until": agreement.valid_until}
    agreement.valid_until, agreement.end_reason = last_day, reason
    agreement.version += 1
    agreement.save(update_fields=["valid_until", "end_reason", "version"])
    events.publish(actor, AgreementEnded(agreement.id, agreement.member_id, agreement.service.code, last_day))
    audit.record(
        actor,
        "membership.agreement.ended",
        "membership.agreement",
        agreement.id,
        before=before,
        after={"valid_until": last_day, "reason": reason},
    )
    return AgreementFacts.of(agreement)


def follow_agreements(actor: Actor, *, now: datetime) -> int:
    """Switch every member's rooms to what is agreed for today; returns how many members changed. Run daily.

    Members whose first agreement has not begun keep what was switched on for them by hand.

    Raises:
        policy.Denied, NotTheAlliance.
    """
    policy.require(actor, Permission.SWITCH_ROOMS)
    _in_alliance()
    changed = 0
    begun = visible_agreements(actor).filter(valid_from__lte=local_date(now))
    for member_id in sorted(set(begun.values_list("member_id", flat=True))):
        with transaction.atomic():
            member = visible_members(actor).select_for_update().get(id=member_id)
            changed += _follow(actor, member, now)
    return changed


@transaction.atomic
def follow_one(actor: Actor, *, member_id: UUID, now: datetime) -> bool:
    """Switch one member's rooms to what is agreed for today; whether anything changed.

    Raises:
        policy.Denied, NotTheAlliance, MemberNotFound.
    """
    policy.require(actor, Permission.READ_MEMBERS)
    _in_alliance()
    member = visible_members(actor).select_for_update().filter(id=member_id).first()
    if member is None:
        raise MemberNotFound
    return _follow(actor, member, now)


def _follow(actor: Actor, member: Member, now: datetime) -> bool:
    """Switch the rooms of one member to today's agreements, those in their time of handing over included."""
    if not member.schema_name or member.schema_name == actor.body:
        return False
    today = local_date(now)
    if not member.agreements.filter(valid_from__lte=today).exists():
        return False
    handing_over = timedelta(days=settings.VERBUND_HANDOVER_DAYS)
    system = Actor.system(actor.body, "membership.agreements", actor.request_id)
    there = agreed_rooms(system, start=today - handing_over, end=today, members=[member.id])
    wanted = sorted(there.get(member.id, frozenset()))
    if wanted == list(member.rooms):
        return False
    switch_rooms(system, member_id=member.id, rooms=wanted, expected_version=member.version, now=now)
    return True


def _in_alliance() -> None:
    if not current_body().is_alliance:
        raise NotTheAlliance(_("Members are kept by the alliance only."))


def _check(*rows: AllianceService | ServiceVersion | ServiceAgreement) -> None:
    errors: dict[str, str] = {}
    for row in rows:
        try:
            row.full_clean(exclude=["service", "member"], validate_constraints=False, validate_unique=False)
        except ValidationError as error:
            errors |= {field: " ".join(messages) for field, messages in error.message_dict.items()}
    if errors:
        raise BadService(errors)


def _insert(row: AllianceService | ServiceVersion | ServiceAgreement) -> None:
    """Insert a row; what a constraint refuses was written by somebody else at the same moment, or stands there."""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        kind = AgreementConflict if isinstance(row, ServiceAgreement) else ServiceConflict
        raise kind(_("Another entry stands on some of these days. Look at the new state and decide again.")) from error
