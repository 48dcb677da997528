"""Writes of the catalogue of services (Leistungskatalog)."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.models import ALLIANCE_ROOMS, ROOMS, AllianceService, ServiceVersion
from verbund.modules.membership.policies import Permission
from verbund.modules.membership.queries.agreements import ServiceFacts, ServiceNotFound, overlapping
from verbund.platform import audit
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import local_date, new_id

from .entering import BadService, ServiceConflict, check, covered, in_alliance, insert, spans_of


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
    expected_version: int | None = None,
    now: datetime,
) -> ServiceFacts:
    """Put a service (Leistung) into the catalogue, or a new version of it from a day on.

    An open version that began earlier ends on the day before; agreements go on and follow the new version. Tax
    treatment is not said here: the cost sharing keeps it with reviewer and document. `expected_version` is the
    `version` of the service as its editor saw it, 0 for one that is to be new; None does not ask.

    Raises:
        policy.Denied, NotTheAlliance, BadService (per field),
        ServiceConflict (another version stands on these days, or somebody else was quicker).
    """
    policy.require(actor, Permission.MANAGE_CATALOGUE)
    in_alliance()
    wanted = sorted(set(rooms))
    if unknown := [room for room in wanted if room not in ROOMS or room in ALLIANCE_ROOMS]:
        raise BadService({"rooms": _("No service can switch on: %(rooms)s") % {"rooms": ", ".join(unknown)}})
    if valid_until is not None and valid_until < valid_from:
        raise BadService({"valid_until": _("The last day must not lie before the first.")})
    service = AllianceService.objects.select_for_update().filter(code=code).first()
    fresh = service is None
    if service is None:
        service = AllianceService(id=new_id(), code=code)
    _require_version(0 if fresh else service.version, expected_version)
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
    check(service, version)
    if fresh:
        insert(service)
    else:
        _end_open_version(service, valid_from)
        _count_up(service)
    insert(version)
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


@transaction.atomic
def end_service(
    actor: Actor, *, code: str, last_day: date, reason: str, expected_version: int, now: datetime
) -> ServiceFacts:
    """Take a service out of the catalogue: `last_day` is the last one on which it is offered.

    Raises:
        policy.Denied, NotTheAlliance, ServiceNotFound, BadService (per field),
        ServiceConflict (agreements go on beyond that day, or somebody else was quicker).
    """
    policy.require(actor, Permission.MANAGE_CATALOGUE)
    in_alliance()
    service = AllianceService.objects.select_for_update().filter(code=code).first()
    if service is None:
        raise ServiceNotFound
    _require_version(service.version, expected_version)
    reason = " ".join(reason.split())
    errors = {}
    if last_day < local_date(now):
        errors["last_day"] = _("The last day must not lie in the past.")
    if not 0 < len(reason) <= 300:
        errors["reason"] = _("Say why the service ends, in at most 300 characters.")
    if errors:
        raise BadService(errors)
    version = service.versions.filter(overlapping(last_day, last_day)).select_related("service").first()
    if version is None or version.valid_until == last_day:
        raise BadService({"last_day": _("The catalogue offers this service up to an earlier or to this very day.")})
    if service.versions.filter(valid_from__gt=last_day).exists():
        raise ServiceConflict(_("A further version of this service begins after that day."))
    beyond = service.agreements.exclude(valid_until__lte=last_day).select_related("member")
    if names := sorted({agreement.member.name for agreement in beyond}):
        raise ServiceConflict(
            gettext("There are agreements beyond that day. End them first: %(names)s.") % {"names": ", ".join(names)}
        )
    before = {"valid_until": version.valid_until}
    version.valid_until = last_day
    version.save(update_fields=["valid_until"])
    _count_up(service)
    audit.record(
        actor,
        "membership.service.ended",
        "membership.service",
        service.id,
        before=before,
        after={"code": code, "valid_until": last_day, "reason": reason},
    )
    return ServiceFacts.of(version)


def _require_version(there: int, expected: int | None) -> None:
    if expected is None or expected == there:
        return
    if expected == 0:
        raise BadService({"code": _("The catalogue has a service with this code already. Choose another one.")})
    raise ServiceConflict(
        _("Somebody else has changed this service in the meantime. Look at the new state and decide again.")
    )


def _count_up(service: AllianceService) -> None:
    service.version += 1
    service.save(update_fields=["version"])


def _end_open_version(service: AllianceService, from_day: date) -> None:
    open_one = service.versions.filter(valid_until__isnull=True, valid_from__lt=from_day).first()
    if open_one is not None:
        open_one.valid_until = from_day - timedelta(days=1)
        open_one.save(update_fields=["valid_until"])


def _refuse_uncovered(service: AllianceService) -> None:
    """Every day of every agreement must have a version that says what was agreed."""
    spans = spans_of(service)
    for since, until in service.agreements.values_list("valid_from", "valid_until"):
        if not covered(spans, since, until):
            raise ServiceConflict(
                _("There are agreements on this service for days on which the catalogue would not describe it.")
            )
