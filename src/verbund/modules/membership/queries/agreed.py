"""Reads for the pages of the catalogue and of what is agreed: with names, states, and what an end brings about."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from verbund.modules.membership.models import MeasuredUnit, PriceBasis, ServiceAgreement, ServiceVersion
from verbund.modules.membership.policies import visible_agreements, visible_service_versions
from verbund.platform.identity.actor import Actor

from .agreements import AgreementFacts, AgreementNotFound, ServiceFacts, ServiceNotFound, overlapping

PLANNED, IN_FORCE, ENDED = "planned", "in_force", "ended"


def state_on(day: date, since: date, until: date | None) -> str:
    """Whether days lie ahead, hold `day`, or have passed."""
    return PLANNED if day < since else ENDED if until is not None and until < day else IN_FORCE


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """CatalogueRow (Zeile des Leistungskatalogs): a service as it is today, next, or was last; `bodies` have it today,
    as far as the actor may see them."""

    service: ServiceFacts
    unit_label: str
    price_label: str
    state: str
    bodies: int


@dataclass(frozen=True, slots=True)
class ServiceView:
    """ServiceView (Leistung mit ihren Fassungen): the version of today (or the next, or the last one), all versions the
    newest first, and who has it."""

    current: ServiceFacts
    state: str
    versions: tuple[CatalogueRow, ...]
    agreements: tuple["AgreementRow", ...]


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """AgreementRow (Zeile der Vereinbarungen): an agreement with the names and the state that people read."""

    facts: AgreementFacts
    member_name: str
    service_name: str
    unit_label: str
    state: str


@dataclass(frozen=True, slots=True)
class EndEffects:
    """EndEffects (Folgen der Beendigung): the rooms that fall away after a last day; they are read-only until
    `readable_until`, then they are gone. `kept` go on by other agreements."""

    lost: tuple[str, ...]
    kept: tuple[str, ...]
    readable_until: date


def catalogue(
    actor: Actor, *, day: date, text: str = "", room: str = "", unit: str = "", ended: bool = False
) -> list[CatalogueRow]:
    """The services of the catalogue that are offered on a day or later, by code; with `ended` also those of before.

    `text` is searched for in code, name, contents and level; `room` and `unit` must be what the service has.
    """
    chosen: dict[UUID, ServiceVersion] = {}
    for version in visible_service_versions(actor).select_related("service").order_by("valid_from"):
        there = chosen.get(version.service_id)
        if there is None or state_on(day, there.valid_from, there.valid_until) == ENDED:
            chosen[version.service_id] = version
    counts: dict[UUID, int] = {}
    for service in visible_agreements(actor).filter(overlapping(day, day)).values_list("service_id", flat=True):
        counts[service] = counts.get(service, 0) + 1
    rows = [_row(version, day, counts.get(version.service_id, 0)) for version in chosen.values()]
    words = text.casefold().split()
    return sorted(
        (
            row
            for row in rows
            if (ended or row.state != ENDED)
            and (not room or room in row.service.rooms)
            and (not unit or row.service.unit == unit)
            and all(word in _searched(row.service) for word in words)
        ),
        key=lambda row: row.service.code,
    )


def _searched(service: ServiceFacts) -> str:
    return " ".join((service.code, service.name, service.description, service.level)).casefold()


def _row(version: ServiceVersion, day: date, bodies: int = 0) -> CatalogueRow:
    return CatalogueRow(
        service=ServiceFacts.of(version),
        unit_label=str(MeasuredUnit(version.unit).label),
        price_label=str(PriceBasis(version.price_basis).label),
        state=state_on(day, version.valid_from, version.valid_until),
        bodies=bodies,
    )


def service(actor: Actor, code: str, *, day: date) -> ServiceView:
    """One service with its versions and the agreements on it that the actor may see.

    Raises:
        ServiceNotFound: also for an actor who may not see the catalogue.
    """
    found = visible_service_versions(actor).filter(service__code=code).select_related("service").order_by("valid_from")
    versions = [_row(version, day) for version in found]
    if not versions:
        raise ServiceNotFound
    current = next((row for row in versions if row.state != ENDED), versions[-1])
    agreed = agreement_rows(actor, day=day, service_code=code)
    return ServiceView(current.service, current.state, tuple(reversed(versions)), tuple(agreed))


def agreement_rows(
    actor: Actor, *, day: date, member_id: UUID | None = None, service_code: str = "", state: str = ""
) -> list[AgreementRow]:
    """The agreements by body, service and day; `state` (as seen from `day`) leaves the others out."""
    rows = visible_agreements(actor)
    if member_id is not None:
        rows = rows.filter(member_id=member_id)
    if service_code:
        rows = rows.filter(service__code=service_code)
    if state == PLANNED:
        rows = rows.filter(valid_from__gt=day)
    elif state == IN_FORCE:
        rows = rows.filter(overlapping(day, day))
    elif state == ENDED:
        rows = rows.filter(valid_until__lt=day)
    return _named(actor, rows.order_by("member__name", "member_id", "service__code", "valid_from"), day)


def agreement_view(actor: Actor, agreement_id: UUID, *, day: date) -> AgreementRow:
    """One agreement with its names.

    Raises:
        AgreementNotFound: also for an actor who may not see it.
    """
    rows = _named(actor, visible_agreements(actor).filter(id=agreement_id), day)
    if not rows:
        raise AgreementNotFound
    return rows[0]


def _named(actor: Actor, rows: QuerySet[ServiceAgreement], day: date) -> list[AgreementRow]:
    found = list(rows.select_related("member", "service"))
    versions: dict[UUID, list[ServiceVersion]] = {}
    wanted = {agreement.service_id for agreement in found}
    for version in visible_service_versions(actor).filter(service_id__in=wanted).order_by("valid_from"):
        versions.setdefault(version.service_id, []).append(version)
    shown = []
    for agreement in found:
        on = max(min(day, agreement.valid_until or day), agreement.valid_from)
        own = versions.get(agreement.service_id, [])
        in_force = (v for v in own if state_on(on, v.valid_from, v.valid_until) == IN_FORCE)
        chosen = next(in_force, own[-1] if own else None)
        shown.append(
            AgreementRow(
                facts=AgreementFacts.of(agreement),
                member_name=agreement.member.name,
                service_name=chosen.name if chosen else agreement.service.code,
                unit_label=str(MeasuredUnit(chosen.unit).label) if chosen else gettext("units"),
                state=state_on(day, agreement.valid_from, agreement.valid_until),
            )
        )
    return shown


def end_effects(actor: Actor, agreement_id: UUID, *, last_day: date) -> EndEffects:
    """What ends with an agreement: the rooms its service switches on and no other agreement of the body keeps.

    Raises:
        AgreementNotFound.
    """
    row = visible_agreements(actor).filter(id=agreement_id).first()
    if row is None:
        raise AgreementNotFound
    after = last_day + timedelta(days=1)
    own = _rooms(actor, [row.service_id], last_day)
    others = visible_agreements(actor).filter(overlapping(after, after), member_id=row.member_id).exclude(id=row.id)
    kept = own & _rooms(actor, others.values_list("service_id", flat=True), after)
    readable_until = last_day + timedelta(days=settings.VERBUND_HANDOVER_DAYS)
    return EndEffects(tuple(sorted(own - kept)), tuple(sorted(kept)), readable_until)


def _rooms(actor: Actor, services: Iterable[UUID], day: date) -> set[str]:
    versions = visible_service_versions(actor).filter(overlapping(day, day) & Q(service_id__in=list(services)))
    return {room for version in versions for room in version.rooms}
