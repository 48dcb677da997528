"""Tariffs, keys, rules of charging and reviewed tax treatments."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from verbund.modules.costsharing import policies
from verbund.modules.costsharing.models import (
    AllocationKey,
    AllocationKeyPart,
    BillingAddress,
    BillingSettings,
    ChargeRule,
    Charging,
    Component,
    KeyKind,
    KeyValue,
    LegalBasis,
    Tariff,
    TaxTreatment,
)
from verbund.modules.costsharing.models.taxes import TREATMENTS
from verbund.modules.costsharing.policies import Permission
from verbund.modules.costsharing.queries import catalogue, parties
from verbund.platform import audit
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Invalid, local_date, new_id

from .once import write_once_beside

TYPED_KINDS = (KeyKind.WORKPLACES, KeyKind.FTE)  # the others come from membership and from the invoices


class PriceRefused(Invalid):
    """What was given cannot be a tariff, key, rule or treatment; nothing was written."""


def _known_service(actor: Actor, code: str, day: date, errors: dict[str, str]) -> None:
    if all(service.code != code for service in catalogue(actor, day)):
        errors["service_code"] = _("The catalogue has no service %(code)s on %(day)s.") % {
            "code": code,
            "day": day.strftime("%d.%m.%Y"),
        }


def _said(text: str, errors: dict[str, str], field: str, limit: int) -> str:
    text = text.strip()
    if not text or len(text) > limit:
        errors[field] = _("This is needed, with at most %(limit)d characters.") % {"limit": limit}
    return text


@transaction.atomic
def set_tariff(
    actor: Actor,
    *,
    service_code: str,
    component: str,
    euros: Decimal,
    valid_from: date,
    basis: str,
    now: datetime,
    charging: str = Charging.STOCK,
    idempotency_key: UUID | None = None,
) -> int:
    """Set the price (Tarif) of a service's component from a day on; 0 ends it. The day's newest row counts; the same
    once more is that row.

    Raises:
        policy.Denied, PriceRefused.
    """
    policies.require(actor, Permission.SET_PRICES)
    errors: dict[str, str] = {}
    _known_service(actor, service_code, valid_from, errors)
    basis = _said(basis, errors, "basis", 200)
    if component not in (Component.BASE, Component.QUANTITY):
        errors["component"] = _("Choose base amount or quantity.")
    if charging not in Charging.values or (component == Component.BASE and charging != Charging.STOCK):
        errors["charging"] = _("A base amount is charged by the year.")
    if not euros.is_finite() or not Decimal(0) <= euros < Decimal(10**8) or euros != euros.quantize(Decimal("1e-6")):
        errors["euros"] = _("Give a price of zero or more, with at most six places after the comma.")
    other = Tariff.objects.filter(service_code=service_code, component=component).exclude(charging=charging)
    if other.exists():
        errors["charging"] = _("This service has been charged in another way so far. Agree a new service for it.")
    if errors:
        raise PriceRefused(errors)
    days = {"service_code": service_code, "component": component, "valid_from": valid_from}
    last = Tariff.objects.filter(**days).order_by("-id").first()
    if last and (last.charging, last.euros, last.basis) == (charging, euros, basis):
        return last.id
    row, new = write_once_beside(
        Tariff,
        idempotency_key,
        **days,
        charging=charging,
        euros=euros,
        basis=basis,
        recorded_at=now,
        recorded_by=actor.name,
    )
    if not new:
        return row
    audit.record(
        actor,
        "costsharing.tariff.set",
        "costsharing.tariff",
        row,
        after={"service": service_code, "component": component, "euros": str(euros), "from": valid_from.isoformat()},
    )
    return row


@transaction.atomic
def define_key(
    actor: Actor, *, code: str, name: str, parts: Mapping[str, Decimal], justification: str, now: datetime
) -> UUID:
    """Define a key (Umlageschlüssel) of weighted parts, with the use that it mirrors as its justification.

    A key is never changed, for invoices rest on it: another mix is another key. Raises policy.Denied, PriceRefused.
    """
    policies.require(actor, Permission.SET_PRICES)
    errors: dict[str, str] = {}
    code, name = code.strip().upper(), _said(name, errors, "name", 200)
    justification = _said(justification, errors, "justification", 4000)
    if not code or len(code) > 40 or AllocationKey.objects.filter(code=code).exists():
        errors["code"] = _("Give a code of at most 40 characters that no other key has.")
    if not parts or any(kind not in KeyKind.values for kind in parts):
        errors["parts"] = _("Choose what the key counts.")
    elif any(not Decimal(0) < weight < Decimal(10**6) for weight in parts.values()):
        errors["parts"] = _("Every part needs a weight above zero.")
    if errors:
        raise PriceRefused(errors)
    key = AllocationKey.objects.create(id=new_id(), code=code, name=name, justification=justification, created_at=now)
    AllocationKeyPart.objects.bulk_create(
        AllocationKeyPart(id=new_id(), key=key, kind=kind, weight=weight) for kind, weight in sorted(parts.items())
    )
    audit.record(
        actor,
        "costsharing.key.defined",
        "costsharing.key",
        key.id,
        after={"code": code, "parts": {kind: str(weight) for kind, weight in parts.items()}},
    )
    return key.id


@transaction.atomic
def record_key_value(
    actor: Actor, *, kind: str, member_id: UUID, reference_date: date, value: Decimal, source: str, now: datetime
) -> None:
    """Record a member's value of a key (Schlüsselwert) on a reference date; the newest of a date counts.

    Raises:
        policy.Denied, PriceRefused (inhabitants and capital are membership's, turnover comes from the invoices).
    """
    policies.require(actor, Permission.MEASURE)
    errors: dict[str, str] = {}
    source = _said(source, errors, "source", 200)
    if kind not in TYPED_KINDS:
        errors["kind"] = _("Only workplaces and full-time equivalents are entered here.")
    if not value.is_finite() or not Decimal(0) <= value < Decimal(10**10):
        errors["value"] = _("Give a number of zero or more.")
    if all(party.id != member_id for party in parties(actor)):
        errors["member_id"] = _("Choose a member.")
    if errors:
        raise PriceRefused(errors)
    row = KeyValue.objects.create(
        kind=kind, member_id=member_id, reference_date=reference_date, value=value, source=source, recorded_at=now
    )
    audit.record(
        actor,
        "costsharing.key_value.recorded",
        "costsharing.key_value",
        row.id,
        after={"kind": kind, "member": str(member_id), "date": reference_date.isoformat(), "value": str(value)},
    )


@transaction.atomic
def set_rule(
    actor: Actor,
    *,
    service_code: str,
    legal_basis: str,
    provision: str,
    now: datetime,
    settled_by: str = ChargeRule.SettledBy.USE,
    bearers: str = ChargeRule.Bearers.USERS,
    key: str = "",
    levied: bool = False,
) -> bool:
    """Set how a service is charged (Abrechnungsregel). Returns True when a lawyer should look at it again: a key of
    inhabitants alone on a service that is charged by contract (SächsOVG 4 A 508/16). A rule that stands is left.

    Raises:
        policy.Denied, PriceRefused.
    """
    policies.require(actor, Permission.SET_PRICES)
    errors: dict[str, str] = {}
    _known_service(actor, service_code, local_date(now), errors)
    provision = _said(provision, errors, "provision", 300)
    if legal_basis not in LegalBasis.values:
        errors["legal_basis"] = _("Choose the legal basis.")
    if settled_by not in ChargeRule.SettledBy.values:
        errors["settled_by"] = _("Choose how the year is settled.")
    if bearers not in ChargeRule.Bearers.values:
        errors["bearers"] = _("Choose who bears the cost.")
    chosen = AllocationKey.objects.filter(code=key).first() if key else None
    if (levied or settled_by == ChargeRule.SettledBy.KEY or key) and chosen is None:
        errors["key"] = _("Choose the key by which the cost is shared.")
    if errors:
        raise PriceRefused(errors)
    doubtful = rests_on_inhabitants_alone(chosen) and legal_basis == LegalBasis.CONTRACT
    said = {
        "legal_basis": legal_basis,
        "provision": provision,
        "settled_by": settled_by,
        "bearers": bearers,
        "key": chosen,
        "levied": levied,
    }
    if ChargeRule.objects.select_for_update().filter(service_code=service_code, **said).exists():
        return doubtful
    values = {**said, "changed_at": now}
    rule, _made = ChargeRule.objects.select_for_update().update_or_create(
        service_code=service_code, defaults=values, create_defaults={"id": new_id(), **values}
    )
    audit.record(
        actor,
        "costsharing.rule.set",
        "costsharing.rule",
        rule.id,
        after={"service": service_code, "basis": legal_basis, "settled": settled_by, "bearers": bearers, "key": key},
    )
    return doubtful


def rests_on_inhabitants_alone(key: AllocationKey | None) -> bool:
    """Whether a key counts nothing but inhabitants."""
    return key is not None and {part.kind for part in key.parts.all()} == {KeyKind.INHABITANTS.value}


@transaction.atomic
def review_tax(
    actor: Actor,
    *,
    service_code: str,
    treatment: str,
    valid_from: date,
    reasoning: str,
    document: str,
    reviewer: str,
    reviewed_on: date,
    now: datetime,
    recipient_kind: str = "",
    idempotency_key: UUID | None = None,
) -> int:
    """Record how a service is to be treated (§ 2b UStG), who reviewed it and where the review is filed; the review
    that counts, given once more, is the one that is there.

    Raises:
        policy.Denied, PriceRefused.
    """
    policies.require(actor, Permission.SET_PRICES)
    errors: dict[str, str] = {}
    _known_service(actor, service_code, valid_from, errors)
    reasoning = _said(reasoning, errors, "reasoning", 4000)
    document = _said(document, errors, "document", 300)
    reviewer = _said(reviewer, errors, "reviewer", 200)
    if treatment not in TREATMENTS:
        errors["treatment"] = _("Choose the treatment that the review came to.")
    if reviewed_on > local_date(now):
        errors["reviewed_on"] = _("The review cannot lie in the future.")
    if errors:
        raise PriceRefused(errors)
    days = {"service_code": service_code, "recipient_kind": recipient_kind, "valid_from": valid_from}
    said = {
        "treatment": treatment,
        "reasoning": reasoning,
        "document": document,
        "reviewer": reviewer,
        "reviewed_on": reviewed_on,
    }
    last = TaxTreatment.objects.filter(**days).order_by("-id").first()
    if last and said == {name: getattr(last, name) for name in said}:
        return last.id
    row, new = write_once_beside(TaxTreatment, idempotency_key, **days, **said, recorded_at=now, recorded_by=actor.name)
    if not new:
        return row
    audit.record(
        actor,
        "costsharing.tax.reviewed",
        "costsharing.treatment",
        row,
        after={
            "service": service_code,
            "treatment": treatment,
            "from": valid_from.isoformat(),
            "reviewer": reviewer,
            "document": document,
        },
    )
    return row


@transaction.atomic
def set_billing(
    actor: Actor,
    *,
    ledger: str,
    product: str,
    account: str,
    now: datetime,
    tax_account: str = "",
    days_to_pay: int = 30,
) -> None:
    """Set where in the alliance's books invoices are booked (Rechnungsstellung). Raises policy.Denied, PriceRefused."""
    policies.require(actor, Permission.SET_PRICES)
    errors: dict[str, str] = {}
    for field, text in (("ledger", ledger), ("product", product), ("account", account)):
        _said(text, errors, field, 30)
    if not 0 <= days_to_pay <= 365:
        errors["days_to_pay"] = _("Give a number of days from 0 to 365.")
    if errors:
        raise PriceRefused(errors)
    values = {
        "ledger": ledger.strip(),
        "product": product.strip(),
        "account": account.strip(),
        "tax_account": tax_account.strip(),
        "days_to_pay": days_to_pay,
    }
    BillingSettings.objects.update_or_create(id=1, defaults={**values, "changed_at": now})
    audit.record(actor, "costsharing.billing.set", "costsharing.billing", "1", after=values)


@transaction.atomic
def set_address(
    actor: Actor,
    *,
    member_id: UUID,
    street: str,
    postcode: str,
    city: str,
    leitweg_id: str,
    email: str,
    now: datetime,
    shows_name: bool = False,
) -> None:
    """Set where a member's invoices go (Rechnungsanschrift), and whether others see its name beside its unit cost.

    Raises:
        policy.Denied, PriceRefused.
    """
    policies.require(actor, Permission.SET_PRICES)
    errors: dict[str, str] = {}
    _said(street, errors, "street", 200)
    _said(postcode, errors, "postcode", 12)
    _said(city, errors, "city", 100)
    _said(leitweg_id, errors, "leitweg_id", 46)
    if "@" not in email or len(email) > 254:
        errors["email"] = _("Give the e-mail address to which electronic invoices go.")
    if all(party.id != member_id for party in parties(actor)):
        errors["member_id"] = _("Choose a member.")
    if errors:
        raise PriceRefused(errors)
    values = {
        "street": street.strip(),
        "postcode": postcode.strip(),
        "city": city.strip(),
        "leitweg_id": leitweg_id.strip(),
        "email": email.strip(),
        "shows_name": shows_name,
    }
    if BillingAddress.objects.filter(member_id=member_id, **values).exists():
        return
    BillingAddress.objects.update_or_create(member_id=member_id, defaults={**values, "changed_at": now})
    audit.record(actor, "costsharing.address.set", "membership.member", member_id, after=values)
