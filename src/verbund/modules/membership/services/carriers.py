"""Writes: the carriers over time. Nothing is changed: recorded periods are closed and rows added."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.models import CarrierPeriod, Member, MemberKind, ShareCapital, in_force
from verbund.modules.membership.policies import Permission
from verbund.platform import audit
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, Invalid, current_body, local_date, new_id

from .members import MemberNotFound, NotTheAlliance


class CarrierConflict(Conflict):
    """The carriers as they stand forbid the step."""


class BadCarrier(Invalid):
    """What was entered about carriers cannot be taken."""


@dataclass(frozen=True, slots=True)
class Share:
    """Share (Anteil): a member's part of the share capital in cents, and its seats on the administrative board."""

    member_id: UUID
    share_cents: int
    seats: int


@transaction.atomic
def record_founding(
    actor: Actor,
    *,
    shares: Iterable[Share],
    chair: UUID,
    contract_on: date,
    effective_on: date,
    basis: str,
    now: datetime,
    note: str = "",
    date_known: bool = True,
) -> None:
    """Record the founding (Gründung, § 167b (1) KV M-V): the first carriers with their shares and seats.

    Raises:
        policy.Denied, NotTheAlliance, MemberNotFound, BadCarrier, CarrierConflict (there are carriers already).
    """
    policy.require(actor, Permission.MANAGE_ACCESSIONS)
    if not current_body().is_alliance:
        raise NotTheAlliance(_("Members are kept by the alliance only."))
    _lock()
    founders = list(shares)
    members = {m.id: m for m in Member.objects.filter(id__in=[s.member_id for s in founders])}
    errors: dict[str, Any] = {}
    if not founders or len(members) != len(founders):
        raise MemberNotFound
    if any(s.share_cents < 0 or s.seats < 0 for s in founders):
        errors["shares"] = _("Shares and seats cannot be negative.")
    if any(members[s.member_id].kind == MemberKind.STATE_AUTHORITY for s in founders):
        errors["shares"] = _("An authority of the state is no carrier.")
    if chair not in members:
        errors["chair"] = _("The chair must be one of the carriers.")
    if not contract_on <= effective_on <= local_date(now):
        errors["effective_on"] = _("The effect comes after the contract, and is recorded when it has come.")
    if not basis.strip():
        errors["basis"] = _("Name the contract.")
    if errors:
        raise BadCarrier(errors)
    if CarrierPeriod.objects.exists():
        raise CarrierConflict(_("The alliance has carriers already. Further ones join by an accession."))
    for share in founders:
        _add(share, effective_on, None, basis=basis, now=now, note=note, date_known=date_known)
    _add_capital(
        sum(s.share_cents for s in founders), sum(s.seats for s in founders), chair, effective_on, basis=basis, now=now
    )
    audit.record(
        actor,
        "membership.founding.recorded",
        "membership.carriers",
        effective_on.isoformat(),
        after={
            "contract_on": contract_on,
            "basis": basis,
            "shares": [{"member": s.member_id, "cents": s.share_cents, "seats": s.seats} for s in founders],
        },
    )


@transaction.atomic
def correct_carrier(
    actor: Actor, *, member_id: UUID, recorded_from: date, valid_from: date, reason: str, now: datetime
) -> None:
    """Correct the day from which a member carries (Berichtigung): what stood here stays, closed at `now`.

    `recorded_from` names the period to correct by the first day that stands here. The new first day must not reach
    into another period of the member; share capital and board move with it.

    Raises:
        policy.Denied, MemberNotFound (no such period), BadCarrier, CarrierConflict (the periods would overlap).
    """
    policy.require(actor, Permission.MANAGE_ACCESSIONS)
    _lock()
    row = CarrierPeriod.objects.filter(
        member_id=member_id, valid_from=recorded_from, recorded_until__isnull=True
    ).first()
    if row is None:
        raise MemberNotFound
    errors: dict[str, Any] = {}
    if not reason.strip():
        errors["reason"] = _("Say why the date is corrected and where the right one stands.")
    if valid_from > local_date(now) or (row.valid_until is not None and valid_from > row.valid_until):
        errors["valid_from"] = _("The first day must not lie after the last one, nor in the future.")
    others = CarrierPeriod.objects.filter(member_id=member_id, recorded_until__isnull=True).exclude(id=row.id)
    if errors:
        raise BadCarrier(errors)
    if (
        others.filter(valid_from__lt=recorded_from, valid_until__gte=valid_from).exists()
        or others.filter(valid_from__lt=recorded_from, valid_from__gte=valid_from).exists()
    ):
        raise CarrierConflict(_("The member has another period on these days. Correct that one first."))
    if others.filter(valid_until=recorded_from - timedelta(days=1)).exists():
        raise CarrierConflict(_("The period continues an earlier one of the member. Correct the first one."))
    _close(row, now)
    share = Share(member_id, row.share_cents, row.seats)
    _add(share, valid_from, row.valid_until, basis=row.basis, now=now, note=reason, date_known=row.date_known)
    retell_capital(now=now, basis=row.basis)
    audit.record(
        actor,
        "membership.carrier.corrected",
        "membership.member",
        member_id,
        before={"valid_from": recorded_from},
        after={"valid_from": valid_from, "reason": reason},
    )


def _lock() -> None:
    """One change of the carriers at a time: everything is reckoned from what stands here."""
    list(ShareCapital.objects.select_for_update().filter(recorded_until__isnull=True).order_by("valid_from"))


def admit(
    share: Share,
    *,
    on: date,
    changes: Mapping[UUID, Share],
    chair: UUID | None,
    basis: str,
    now: datetime,
    note: str = "",
    date_known: bool = True,
) -> None:
    """Add a carrier from `on` on, with what changes for the others; called by the accession that takes effect."""
    _lock()
    current = {row.member_id: row for row in CarrierPeriod.objects.filter(in_force(on), recorded_until__isnull=True)}
    if share.member_id in current:
        raise CarrierConflict(_("The member is a carrier on that day already."))
    if strangers := set(changes) - set(current):
        raise CarrierConflict(
            _("The contract changes shares of %(count)s members who are no carriers on that day.")
            % {"count": len(strangers)}
        )
    for member_id, change in changes.items():
        row = current[member_id]
        if (row.share_cents, row.seats) != (change.share_cents, change.seats):
            _divide(row, on, change, basis=basis, now=now)
    _add(share, on, None, basis=basis, now=now, note=note, date_known=date_known)
    retell_capital(now=now, basis=basis, chair_from=None if chair is None else (on, chair))


def dismiss(member_id: UUID, *, last_day: date, new_chair: UUID | None, basis: str, now: datetime) -> None:
    """End a carrier's open period with `last_day`; called by the leaving."""
    _lock()
    row = CarrierPeriod.objects.get(member_id=member_id, valid_until__isnull=True, recorded_until__isnull=True)
    _close(row, now)
    share = Share(member_id, row.share_cents, row.seats)
    _add(share, row.valid_from, last_day, basis=row.basis, now=now, note=row.note, date_known=row.date_known)
    change = None if new_chair is None else (last_day + timedelta(days=1), new_chair)
    retell_capital(now=now, basis=basis, chair_from=change)


def reinstate(member_id: UUID, *, last_day: date, basis: str, now: datetime) -> None:
    """Open a carrier's period again that was to end with `last_day`; called when a notice to leave is withdrawn."""
    _lock()
    row = CarrierPeriod.objects.get(member_id=member_id, valid_until=last_day, recorded_until__isnull=True)
    _close(row, now)
    share = Share(member_id, row.share_cents, row.seats)
    _add(share, row.valid_from, None, basis=row.basis, now=now, note=row.note, date_known=row.date_known)
    retell_capital(now=now, basis=basis)


def _divide(row: CarrierPeriod, day: date, change: Share, *, basis: str, now: datetime) -> None:
    """From `day` on the carrier has another share or other seats."""
    _close(row, now)
    before = Share(row.member_id, row.share_cents, row.seats)
    if row.valid_from < day:
        _add(
            before,
            row.valid_from,
            day - timedelta(days=1),
            basis=row.basis,
            now=now,
            note=row.note,
            date_known=row.date_known,
        )
    _add(change, day, row.valid_until, basis=basis, now=now)


def retell_capital(*, now: datetime, basis: str, chair_from: tuple[date, UUID] | None = None) -> None:
    """Write the share capital and the board anew, as the carriers' periods recorded now add up; rows that say the same
    stay as they are. `chair_from` names a new chair from a day on."""
    rows = list(CarrierPeriod.objects.filter(recorded_until__isnull=True))
    standing = list(ShareCapital.objects.filter(recorded_until__isnull=True).order_by("valid_from"))
    days = {r.valid_from for r in rows} | {r.valid_until + timedelta(days=1) for r in rows if r.valid_until}
    days |= {r.valid_from for r in standing if r.valid_from >= min(days)}
    days |= {chair_from[0]} if chair_from else set()
    wanted: list[tuple[date, int, int, UUID]] = []
    for day in sorted(days):
        there = [r for r in rows if r.valid_from <= day and (r.valid_until is None or day <= r.valid_until)]
        chair = _chair_on(day, standing, chair_from)
        if not there or chair not in {r.member_id for r in there}:
            raise CarrierConflict(_("Every day needs carriers and a chair among them (from %(day)s).") % {"day": day})
        entry = (day, sum(r.share_cents for r in there), sum(r.seats for r in there), chair)
        if not wanted or wanted[-1][1:] != entry[1:]:
            wanted.append(entry)
    kept: set[tuple[date, date | None]] = set()
    plan = []
    for number, (day, total, seats, chair) in enumerate(wanted):
        until = wanted[number + 1][0] - timedelta(days=1) if number + 1 < len(wanted) else None
        plan.append((day, until, total, seats, chair))
    for row in standing:
        if (row.valid_from, row.valid_until, row.total_cents, row.board_size, row.chair_id) in plan:
            kept.add((row.valid_from, row.valid_until))
        else:
            ShareCapital.objects.filter(id=row.id).update(recorded_until=now)
    for day, until, total, seats, chair in plan:
        if (day, until) not in kept:
            _add_capital(total, seats, chair, day, until, basis=basis, now=now)


def _chair_on(day: date, standing: list[ShareCapital], chair_from: tuple[date, UUID] | None) -> UUID | None:
    """Who chairs on `day`: the one newly named, or who stands here; before the first row its chair."""
    if chair_from is not None and day >= chair_from[0]:
        return chair_from[1]
    found = [r for r in standing if r.valid_from <= day] or standing[:1]
    return found[-1].chair_id if found else None


def _close(row: CarrierPeriod, now: datetime) -> None:
    CarrierPeriod.objects.filter(id=row.id, recorded_until__isnull=True).update(recorded_until=now)


def _add(
    share: Share,
    valid_from: date,
    valid_until: date | None,
    *,
    basis: str,
    now: datetime,
    note: str = "",
    date_known: bool = True,
) -> None:
    CarrierPeriod.objects.create(
        id=new_id(),
        member_id=share.member_id,
        share_cents=share.share_cents,
        seats=share.seats,
        valid_from=valid_from,
        valid_until=valid_until,
        basis=basis,
        note=note,
        date_known=date_known,
        recorded_at=now,
    )


def _add_capital(
    total: int, seats: int, chair: UUID, day: date, until: date | None = None, *, basis: str, now: datetime
) -> None:
    ShareCapital.objects.create(
        id=new_id(),
        total_cents=total,
        board_size=seats,
        chair_id=chair,
        valid_from=day,
        valid_until=until,
        basis=basis,
        recorded_at=now,
    )
