"""Writes of what is agreed with whom (Leistungsvereinbarungen)."""

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.events import AgreementEnded, ServiceAgreed
from verbund.modules.membership.models import AllianceService, ServiceAgreement
from verbund.modules.membership.policies import Permission, visible_agreements, visible_members
from verbund.modules.membership.queries.agreements import AgreementFacts, AgreementNotFound, overlapping
from verbund.modules.membership.services.members import MemberNotFound
from verbund.platform import audit, events
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import local_date, new_id

from .entering import AgreementConflict, BadService, check, covered, in_alliance, insert, spans_of
from .following import follow


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
    in_alliance()
    member = visible_members(actor).select_for_update().filter(id=member_id).first()
    if member is None:
        raise MemberNotFound
    service = AllianceService.objects.select_for_update().filter(code=service_code).first()
    if service is None:
        raise BadService({"service_code": _("Choose a service from the catalogue.")})
    if valid_until is not None and valid_until < valid_from:
        raise BadService({"valid_until": _("The last day must not lie before the first.")})
    if not covered(spans_of(service), valid_from, valid_until):
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
    check(agreement)
    rows = ServiceAgreement.objects.filter(member=member, service=service)
    if rows.filter(overlapping(valid_from, valid_until or date.max)).exists():
        raise AgreementConflict(
            _("This body has an agreement on the service for some of these days already. End that one first.")
        )
    insert(agreement)
    follow(actor, member, now)
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
def change_agreement(
    actor: Actor,
    *,
    agreement_id: UUID,
    from_day: date,
    as_carrier: bool,
    quantity_limit: int | None = None,
    basis: str,
    expected_version: int,
    now: datetime,
) -> AgreementFacts:
    """Change an agreement from a day on (Vertragsänderung): the one before ends on the day before, a new one follows it
    to the same last day. Returns the new one.

    Raises:
        policy.Denied, NotTheAlliance, AgreementNotFound, BadService (per field),
        AgreementConflict (somebody else was quicker, or it has ended by then).
    """
    policy.require(actor, Permission.MANAGE_AGREEMENTS)
    in_alliance()
    agreement = _locked(actor, agreement_id, expected_version)
    if from_day <= agreement.valid_from:
        raise BadService({"from_day": _("The change must begin after the first day of the agreement.")})
    if from_day < local_date(now):
        raise BadService({"from_day": _("The change must not begin in the past.")})
    if agreement.valid_until is not None and agreement.valid_until < from_day:
        raise AgreementConflict(_("This agreement ends earlier already. Make a new one to go on."))
    following = ServiceAgreement(
        id=new_id(),
        member=agreement.member,
        service=agreement.service,
        valid_from=from_day,
        valid_until=agreement.valid_until,
        as_carrier=as_carrier,
        quantity_limit=quantity_limit,
        basis=" ".join(basis.split()),
        recorded_at=now,
    )
    check(following)
    before = {
        "as_carrier": agreement.as_carrier,
        "quantity_limit": agreement.quantity_limit,
        "basis": agreement.basis,
        "valid_until": agreement.valid_until,
    }
    agreement.valid_until = from_day - timedelta(days=1)
    agreement.version += 1
    agreement.save(update_fields=["valid_until", "version"])
    insert(following)
    follow(actor, agreement.member, now)
    code = agreement.service.code
    events.publish(actor, AgreementEnded(agreement.id, agreement.member_id, code, agreement.valid_until))
    events.publish(actor, ServiceAgreed(following.id, agreement.member_id, code, from_day, following.valid_until))
    audit.record(
        actor,
        "membership.agreement.changed",
        "membership.agreement",
        agreement.id,
        before=before,
        after={
            "following": following.id,
            "valid_from": from_day,
            "as_carrier": as_carrier,
            "quantity_limit": quantity_limit,
            "basis": following.basis,
        },
    )
    return AgreementFacts.of(following)


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
    in_alliance()
    agreement = _locked(actor, agreement_id, expected_version)
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


def _locked(actor: Actor, agreement_id: UUID, expected_version: int) -> ServiceAgreement:
    found = visible_agreements(actor).select_for_update(of=("self", "member")).filter(id=agreement_id)
    agreement = found.select_related("service", "member").first()
    if agreement is None:
        raise AgreementNotFound
    if agreement.version != expected_version:
        raise AgreementConflict(
            _("Somebody else has changed this agreement in the meantime. Look at the new state and decide again.")
        )
    return agreement
