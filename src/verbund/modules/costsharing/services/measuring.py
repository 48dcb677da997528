"""Measures: entered, counted by the platform, corrected with a reason; and costs that are charged as they are."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from verbund.modules.costsharing import policies
from verbund.modules.costsharing.models import CostItem, Measure, MeasureSource, UsageReading
from verbund.modules.costsharing.models.days import ONE_DAY
from verbund.modules.costsharing.policies import Permission
from verbund.modules.costsharing.queries import agreed_between, catalogue, parties
from verbund.platform import audit
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Invalid, local_date, new_id

from .once import write_once, write_once_beside

LARGEST = Decimal(10**10)
# What the platform counts, by the unit of a service: how the figure is taken from a reading.
METERED = {
    "person": lambda reading: Decimal(reading.people),
    "mailbox": lambda reading: Decimal(reading.mailboxes),
    "case": lambda reading: Decimal(reading.cases),
    "document": lambda reading: Decimal(reading.documents),
    "gigabyte": lambda reading: (Decimal(reading.stored_bytes) / 10**9).quantize(Decimal("0.001")),
}


class MeasureRefused(Invalid):
    """The figure cannot be taken; nothing was written."""


@transaction.atomic
def record_measure(
    actor: Actor,
    *,
    member_id: UUID,
    service_code: str,
    period_start: date,
    period_end: date,
    quantity: Decimal,
    now: datetime,
    reason: str = "",
    idempotency_key: UUID | None = None,
) -> int:
    """Record how much of a service a member used in a period (both days included).

    Another figure for the same period is a correction and needs its reason; the figure that counts, given once more
    with the same reason, is the one that is there. Periods that cross are refused.

    Raises:
        policy.Denied, MeasureRefused.
    """
    policies.require(actor, Permission.MEASURE)
    errors: dict[str, str] = {}
    if all(party.id != member_id for party in parties(actor)):
        errors["member_id"] = _("Choose a member.")
    if period_end < period_start or (period_end - period_start).days > 366:
        errors["period_end"] = _("The period ends on or after its first day, and is at most a year long.")
    elif all(service.code != service_code for service in catalogue(actor, period_start)):
        errors["service_code"] = _("The catalogue has no service %(code)s on %(day)s.") % {
            "code": service_code,
            "day": period_start.strftime("%d.%m.%Y"),
        }
    if not quantity.is_finite() or not 0 <= quantity < LARGEST or quantity != quantity.quantize(Decimal("0.001")):
        errors["quantity"] = _("Give a quantity of zero or more, with at most three places after the comma.")
    if len(reason) > 300:
        errors["reason"] = _("Give the reason in at most 300 characters.")
    if not errors:
        # Read before the last figure: what the same form brings in between is then found as that figure.
        known = _known_periods(member_id, service_code, period_start, period_end)
        last = (
            Measure.objects.filter(
                member_id=member_id, service_code=service_code, period_start=period_start, period_end=period_end
            )
            .order_by("-id")
            .first()
        )
        if last and (last.quantity, last.reason, last.source) == (quantity, reason.strip(), MeasureSource.ENTERED):
            return last.id
        if (period_start, period_end) in known and not reason.strip():
            errors["reason"] = _("There is a figure for this period. Say why it is corrected.")
        elif crossing := sorted(known - {(period_start, period_end)}):
            errors["period_start"] = crosses(*crossing[0])
    if errors:
        raise MeasureRefused(errors)
    row, new = write_once_beside(
        Measure,
        idempotency_key,
        member_id=member_id,
        service_code=service_code,
        period_start=period_start,
        period_end=period_end,
        quantity=quantity,
        source=MeasureSource.ENTERED,
        reason=reason.strip(),
        recorded_at=now,
        recorded_by=actor.name,
    )
    if not new:
        return row
    audit.record(
        actor,
        "costsharing.measure.recorded",
        "costsharing.measure",
        row,
        after={
            "member": str(member_id),
            "service": service_code,
            "period": f"{period_start}/{period_end}",
            "quantity": str(quantity),
            "reason": reason.strip(),
        },
    )
    return row


def crosses(start: date, end: date) -> str:
    """What is said of a period that crosses one which is there."""
    return _("There is a figure for %(start)s to %(end)s, which this period crosses.") % {
        "start": start.strftime("%d.%m.%Y"),
        "end": end.strftime("%d.%m.%Y"),
    }


def _known_periods(member_id: UUID, service_code: str, start: date, end: date) -> set[tuple[date, date]]:
    return set(
        Measure.objects.filter(
            member_id=member_id, service_code=service_code, period_start__lte=end, period_end__gte=start
        ).values_list("period_start", "period_end")
    )


@transaction.atomic
def record_cost_item(
    actor: Actor,
    *,
    member_id: UUID,
    service_code: str,
    kind: str,
    text: str,
    performed_on: date,
    cents: int,
    document: str,
    now: datetime,
    subsidy_cents: int = 0,
    grant: str = "",
    idempotency_key: UUID | None = None,
) -> UUID:
    """Record a project's or passed-on cost of a member (net), with the subsidy in it that is passed on. The same
    `idempotency_key` again records nothing.

    Raises:
        policy.Denied, MeasureRefused.
    """
    policies.require(actor, Permission.MEASURE)
    errors: dict[str, str] = {}
    if all(party.id != member_id for party in parties(actor)):
        errors["member_id"] = _("Choose a member.")
    if all(service.code != service_code for service in catalogue(actor, performed_on)):
        errors["service_code"] = _("The catalogue has no service %(code)s on %(day)s.") % {
            "code": service_code,
            "day": performed_on.strftime("%d.%m.%Y"),
        }
    if kind not in CostItem.Kind.values:
        errors["kind"] = _("Choose a project or a cost that is passed on.")
    if not text.strip() or len(text) > 300:
        errors["text"] = _("Say in at most 300 characters what it is for.")
    if not document.strip() or len(document) > 200:
        errors["document"] = _("Name the supplier's invoice or the account of the project.")
    if not 0 < cents <= 10**13:
        errors["cents"] = _("Give an amount above zero.")
    elif not 0 <= subsidy_cents <= cents:
        errors["subsidy_cents"] = _("The subsidy lies between nothing and the whole amount.")
    elif subsidy_cents and not grant.strip():
        errors["grant"] = _("Name the notice by which the subsidy was granted.")
    if errors:
        raise MeasureRefused(errors)
    row, new = write_once(
        CostItem,
        idempotency_key,
        member_id=member_id,
        service_code=service_code,
        kind=kind,
        text=text.strip(),
        performed_on=performed_on,
        cents=cents,
        subsidy_cents=subsidy_cents,
        grant=grant.strip()[:200],
        document=document.strip(),
        recorded_at=now,
        recorded_by=actor.name,
    )
    if new:
        audit.record(
            actor,
            "costsharing.item.recorded",
            "costsharing.item",
            row,
            after={"member": str(member_id), "cents": cents, "subsidy": subsidy_cents, "document": document.strip()},
        )
    return row


@transaction.atomic
def take_reading(
    actor: Actor,
    *,
    schema_name: str,
    month: date,
    people: int,
    mailboxes: int,
    cases: int,
    documents: int,
    stored_bytes: int,
    now: datetime,
) -> int:
    """Take a body's counts of a month (Zählerstand) and make measures of them where its agreements need them.

    A reading is taken once; a figure that somebody entered for the month stays. Returns how many measures were made.

    Raises:
        policy.Denied, MeasureRefused (no member has this schema, or the month has not ended).
    """
    policies.require(actor, Permission.MEASURE)
    month = month.replace(day=1)
    last = (month.replace(day=28) + 4 * ONE_DAY).replace(day=1) - ONE_DAY
    member = next((party for party in parties(actor) if party.schema_name == schema_name), None)
    if member is None:
        raise MeasureRefused({"schema_name": _("No member has this body.")})
    if last >= local_date(now):
        raise MeasureRefused({"month": _("The month has not ended yet.")})
    reading, new = UsageReading.objects.get_or_create(
        schema_name=schema_name,
        month=month,
        defaults={
            "id": new_id(),
            "people": people,
            "mailboxes": mailboxes,
            "cases": cases,
            "documents": documents,
            "stored_bytes": stored_bytes,
            "recorded_at": now,
        },
    )
    if not new:
        return 0
    units = {service.code: service.unit for service in catalogue(actor, month)}
    agreed = {code for code, _span in agreed_between(actor, member.id, month, last)}
    rows = [
        Measure(
            member_id=member.id,
            service_code=code,
            period_start=month,
            period_end=last,
            quantity=METERED[units[code]](reading),
            source=MeasureSource.METERED,
            recorded_at=now,
            recorded_by=actor.name,
        )
        for code in sorted(agreed)
        if units.get(code) in METERED and not _known_periods(member.id, code, month, last)
    ]
    Measure.objects.bulk_create(rows)
    audit.record(
        actor,
        "costsharing.reading.taken",
        "costsharing.reading",
        reading.id,
        after={"body": schema_name, "month": month.isoformat(), "measures": len(rows)},
    )
    return len(rows)
