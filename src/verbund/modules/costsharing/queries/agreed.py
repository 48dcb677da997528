"""Agreements as days: who uses which service when, cut to what may be charged (M2, M8)."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from verbund.modules.costsharing.models.days import Span, common
from verbund.modules.costsharing.policies import Permission, in_alliance
from verbund.modules.membership import queries as membership
from verbund.platform.identity.actor import Actor

from .members import room

FAR = date(9999, 12, 31)


def carrier_days(actor: Actor, span: Span) -> dict[UUID, list[Span]]:
    """The days on which each member is a carrier (Träger), as known today; never before clearance (M2)."""
    if not in_alliance(actor, Permission.SEE):
        return {}
    found: dict[UUID, list[Span]] = {}
    for period in membership.carriers_between(room(actor), start=span.first, end=span.last):
        days = Span(period.valid_from, period.valid_until or FAR).within(span)
        if days is None:
            continue
        cleared = membership.cleared_on(room(actor), period.member_id)
        days = days.within(Span(cleared, FAR)) if cleared is not None else None
        if days:
            found.setdefault(period.member_id, []).append(days)
    return found


def agreed_between(actor: Actor, member_id: UUID, start: date, end: date) -> list[tuple[str, Span]]:
    """Services a member has agreed on days from `start` to `end`, as (code, those days)."""
    if not in_alliance(actor, Permission.SEE):
        return []
    return [
        (agreement.service_code, days)
        for agreement in membership.agreements(room(actor), start=start, end=end, member_id=member_id)
        if (days := Span(agreement.valid_from, agreement.valid_until or FAR).within(Span(start, end)))
    ]


def chargeable_days(
    actor: Actor, span: Span, carriers: Mapping[UUID, list[Span]]
) -> tuple[dict[str, dict[UUID, list[Span]]], dict[tuple[str, UUID], int]]:
    """Per service and member the days that may be charged, and the agreed limits of quantity.

    An agreement as a carrier counts only on days on which the member is one (M8), so never before clearance (M2); a
    co-user's agreement counts as it stands. `carriers` are `carrier_days`.
    """
    used: dict[str, dict[UUID, list[Span]]] = {}
    limits: dict[tuple[str, UUID], int] = {}
    if not in_alliance(actor, Permission.SEE):
        return used, limits
    for agreement in membership.agreements(room(actor), start=span.first, end=span.last):
        days = Span(agreement.valid_from, agreement.valid_until or FAR).within(span)
        if days is None:
            continue
        spans = common([days], carriers.get(agreement.member_id, [])) if agreement.as_carrier else [days]
        if spans:
            used.setdefault(agreement.service_code, {}).setdefault(agreement.member_id, []).extend(spans)
        if agreement.quantity_limit is not None:
            limits[agreement.service_code, agreement.member_id] = agreement.quantity_limit
    return used, limits
