"""Writes: a carrier leaves. Notice, last day, settlement, hand-back of the data, erasure, and then it has left."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.events import MemberLeft
from verbund.modules.membership.models import (
    CarrierPeriod,
    Leaving,
    LeavingAction,
    LeavingState,
    LegalParameter,
    Member,
    ParameterKey,
    ParameterNotSet,
    ShareCapital,
    in_force,
    months_later,
)
from verbund.modules.membership.policies import Permission, visible_leavings, visible_members
from verbund.modules.membership.queries.leaving import RETURN_OR_ERASE, LeavingNotFound
from verbund.platform import audit, events
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import new_id

from .acts import NONE, BadStep, Evidence, StepRefused, record_act, require_after, require_past
from .agreements.following import follow
from .carriers import dismiss, reinstate
from .members import MemberNotFound


@transaction.atomic
def give_leave_notice(
    actor: Actor,
    *,
    member_id: UUID,
    exit_on: date,
    on: date,
    now: datetime,
    new_chair: UUID | None = None,
    evidence: Evidence = NONE,
) -> UUID:
    """Record a carrier's notice to leave (Kündigung); `exit_on` is its last day as a carrier. Returns the leaving's id.

    `new_chair` is needed when the member chairs the board.

    Raises:
        policy.Denied, MemberNotFound, BadStep (the period of notice is not kept), StepRefused, CarrierConflict.
    """
    policy.require(actor, Permission.MANAGE_ACCESSIONS)
    member = visible_members(actor).select_for_update().filter(id=member_id).first()
    if member is None:
        raise MemberNotFound
    require_past(on, now)
    carrier = CarrierPeriod.objects.filter(in_force(on), recorded_until__isnull=True, member=member).first()
    if carrier is None or carrier.valid_until is not None:
        raise StepRefused(_("Only a carrier leaves, and once."))
    try:
        months = LegalParameter.value_on(ParameterKey.LEAVE_NOTICE_MONTHS, on)
    except ParameterNotSet as error:
        raise StepRefused(_("No period of notice is set for this day. Enter the legal parameter.")) from error
    earliest = months_later(on, months)
    if exit_on < earliest:
        raise BadStep(
            {"exit_on": _("The period of notice ends on %(day)s at the earliest.") % {"day": f"{earliest:%d.%m.%Y}"}}
        )
    staying = CarrierPeriod.objects.filter(recorded_until__isnull=True, valid_until__isnull=True)
    if not staying.exclude(member=member).exists():
        raise StepRefused(_("The last carrier cannot leave: the alliance would have to be dissolved."))
    chairs = ShareCapital.objects.filter(recorded_until__isnull=True, valid_until__isnull=True, chair=member).exists()
    if chairs and (new_chair is None or not staying.exclude(member=member).filter(member_id=new_chair).exists()):
        raise BadStep({"new_chair": _("The member chairs the board: name the carrier that takes the chair.")})
    leaving = Leaving(id=new_id(), member=member, notice_on=on, exit_on=exit_on, recorded_at=now)
    try:
        with transaction.atomic():
            leaving.save(force_insert=True)
    except IntegrityError as error:
        raise StepRefused(_("Notice has been given already.")) from error
    dismiss(
        member.id,
        last_day=exit_on,
        new_chair=new_chair if chairs else None,
        basis=evidence.document or gettext("Notice to leave"),
        now=now,
    )
    _finish(
        actor,
        leaving,
        LeavingAction.GIVE_LEAVE_NOTICE,
        on=on,
        now=now,
        evidence=evidence,
        details={"exit_on": exit_on},
    )
    return leaving.id


def _begin(actor: Actor, leaving_id: UUID, action: LeavingAction, *, on: date, now: datetime) -> Leaving:
    policy.require(actor, Permission.MANAGE_ACCESSIONS)
    leaving = (
        Leaving.objects.select_for_update(of=("self",))
        .select_related("member")
        .filter(id=leaving_id, id__in=visible_leavings(actor).values("id"))
        .first()
    )
    if leaving is None:
        raise LeavingNotFound
    require_past(on, now)
    if leaving.state != LeavingState.NOTICE_GIVEN:
        raise StepRefused(
            gettext("“%(step)s” is not possible at “%(state)s”. Possible now: %(possible)s.")
            % {
                "step": action.label,
                "state": LeavingState(leaving.state).label,
                "possible": gettext("nothing, it is closed"),
            }
        )
    return leaving


def _finish(
    actor: Actor,
    leaving: Leaving,
    action: LeavingAction,
    *,
    on: date,
    now: datetime,
    evidence: Evidence,
    fields: tuple[str, ...] = (),
    details: Mapping[str, Any] | None = None,
    legal_basis: str = "",
) -> None:
    if fields:
        leaving.version += 1
        leaving.save(update_fields=["version", *fields])
    record_act(
        actor,
        action.value,
        leaving=leaving,
        on=on,
        now=now,
        evidence=evidence,
        legal_basis=legal_basis,
        details=details,
        state_after=leaving.state,
    )
    # Past the last day the rooms are read-only at once, and gone with the erasure.
    follow(actor, Member.objects.select_for_update().get(id=leaving.member_id), now)
    audit.record(
        actor,
        f"membership.leaving.{action.value}",
        "membership.leaving",
        leaving.id,
        after={"state": leaving.state, "on": on, "member": leaving.member_id, **(details or {})},
    )


def _require_exit(leaving: Leaving, on: date) -> None:
    require_after(on, leaving.exit_on, gettext("the last day as a carrier"))


@transaction.atomic
def withdraw_leave_notice(
    actor: Actor, *, leaving_id: UUID, on: date, now: datetime, evidence: Evidence = NONE
) -> None:
    """The member stays after all (Rücknahme der Kündigung), up to its last day as a carrier.

    Raises:
        policy.Denied, LeavingNotFound, BadStep, StepRefused.
    """
    leaving = _begin(actor, leaving_id, LeavingAction.WITHDRAW_LEAVE_NOTICE, on=on, now=now)
    if on > leaving.exit_on:
        raise StepRefused(_("The member is no carrier any more. It can join again by an accession."))
    require_after(on, leaving.notice_on, gettext("the notice"))
    reinstate(
        leaving.member_id,
        last_day=leaving.exit_on,
        basis=evidence.document or gettext("Notice to leave withdrawn"),
        now=now,
    )
    leaving.state = LeavingState.WITHDRAWN
    _finish(actor, leaving, LeavingAction.WITHDRAW_LEAVE_NOTICE, on=on, now=now, evidence=evidence, fields=("state",))


@transaction.atomic
def settle(actor: Actor, *, leaving_id: UUID, cents: int, on: date, now: datetime, evidence: Evidence = NONE) -> None:
    """Record the settlement (Auseinandersetzung): what the member pays (positive) or gets (negative), in cents.

    Raises:
        policy.Denied, LeavingNotFound, BadStep, StepRefused (before the last day, or settled already).
    """
    leaving = _begin(actor, leaving_id, LeavingAction.SETTLE, on=on, now=now)
    _require_exit(leaving, on)
    if leaving.settled_on is not None:
        raise StepRefused(_("It has been settled already."))
    if abs(cents) >= 10**12:
        raise BadStep({"cents": _("Enter the amount of the settlement.")})
    leaving.settled_on, leaving.settlement_cents = on, cents
    _finish(
        actor,
        leaving,
        LeavingAction.SETTLE,
        on=on,
        now=now,
        evidence=evidence,
        fields=("settled_on", "settlement_cents"),
        details={"cents": cents},
    )


@transaction.atomic
def hand_back_data(
    actor: Actor,
    *,
    leaving_id: UUID,
    export_reference: str,
    manifest_sha256: str,
    on: date,
    now: datetime,
    evidence: Evidence = NONE,
) -> None:
    """Record that the member has its data back (Rückgabe der Daten): which export, known by its manifest's hash.

    Raises:
        policy.Denied, LeavingNotFound, BadStep, StepRefused.
    """
    leaving = _begin(actor, leaving_id, LeavingAction.HAND_BACK_DATA, on=on, now=now)
    _require_exit(leaving, on)
    if leaving.handed_back_on is not None:
        raise StepRefused(_("The data has been handed back already."))
    errors = {}
    if not export_reference.strip():
        errors["export_reference"] = _("Name the export.")
    if len(manifest_sha256) != 64 or set(manifest_sha256) - set("0123456789abcdef"):
        errors["manifest_sha256"] = _("The hash has 64 characters 0-9 and a-f.")
    if errors:
        raise BadStep(errors)
    leaving.handed_back_on = on
    leaving.export_reference, leaving.export_sha256 = export_reference.strip()[:300], manifest_sha256
    _finish(
        actor,
        leaving,
        LeavingAction.HAND_BACK_DATA,
        on=on,
        now=now,
        evidence=evidence,
        fields=("handed_back_on", "export_reference", "export_sha256"),
        details={"export": export_reference, "sha256": manifest_sha256},
        legal_basis=RETURN_OR_ERASE,
    )


@transaction.atomic
def certify_erasure(
    actor: Actor, *, leaving_id: UUID, certificate: str, on: date, now: datetime, evidence: Evidence = NONE
) -> None:
    """Record the certificate of erasure (Löschbescheinigung); only after the data has been handed back.

    Raises:
        policy.Denied, LeavingNotFound, BadStep, StepRefused.
    """
    leaving = _begin(actor, leaving_id, LeavingAction.CERTIFY_ERASURE, on=on, now=now)
    if leaving.handed_back_on is None:
        raise StepRefused(_("Nothing is erased before the data has been handed back."))
    require_after(on, leaving.handed_back_on, gettext("the hand-back of the data"))
    if leaving.erased_on is not None:
        raise StepRefused(_("The erasure has been certified already."))
    if not certificate.strip():
        raise BadStep({"certificate": _("Name the certificate.")})
    leaving.erased_on, leaving.certificate = on, certificate.strip()[:300]
    _finish(
        actor,
        leaving,
        LeavingAction.CERTIFY_ERASURE,
        on=on,
        now=now,
        evidence=evidence,
        fields=("erased_on", "certificate"),
        details={"certificate": certificate},
        legal_basis=RETURN_OR_ERASE,
    )


@transaction.atomic
def leave(actor: Actor, *, leaving_id: UUID, on: date, now: datetime, evidence: Evidence = NONE) -> None:
    """Complete the leaving (Ausscheiden): settled, handed back and erased.

    Raises:
        policy.Denied, LeavingNotFound, BadStep, StepRefused (naming what is missing).
    """
    leaving = _begin(actor, leaving_id, LeavingAction.LEAVE, on=on, now=now)
    _require_exit(leaving, on)
    parts = (
        (leaving.settled_on, gettext("the settlement")),
        (leaving.handed_back_on, gettext("the hand-back of the data")),
        (leaving.erased_on, gettext("the certificate of erasure")),
    )
    if missing := [name for day, name in parts if day is None]:
        raise StepRefused(gettext("Missing: %(missing)s.") % {"missing": ", ".join(missing)})
    for day, name in parts:
        require_after(on, day, name)
    leaving.state, leaving.left_on = LeavingState.LEFT, on
    events.publish(actor, MemberLeft(leaving.member_id, leaving.exit_on))
    _finish(actor, leaving, LeavingAction.LEAVE, on=on, now=now, evidence=evidence, fields=("state", "left_on"))
