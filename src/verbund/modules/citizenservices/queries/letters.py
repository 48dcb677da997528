"""The letter of a decision: its data, and the preview before it is signed."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from verbund.modules.citizenservices.models import (
    Application,
    Outcome,
)
from verbund.modules.citizenservices.models.official import official_language
from verbund.modules.citizenservices.policies import (
    Permission,
    visible_applications,
)
from verbund.platform import printing
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.printing import Payment
from verbund.platform.tenancy import current_body, local_date

from .views import ApplicationNotFound


def letter_preview(actor: Actor, application_id: UUID, *, outcome: str, reason: str, now: datetime) -> bytes:
    """The decision as it would be issued now, as PDF; nothing is written. Raises ApplicationNotFound, policy.Denied."""
    policy.require(actor, Permission.READ_APPLICATION)
    found = visible_applications(actor).filter(pk=application_id).select_related("service").first()
    if found is None:
        raise ApplicationNotFound
    with official_language():
        data = letter_data(actor, found, outcome=outcome, reason=reason, now=now, payment=None)
    fee = found.service.fee_cents if outcome == Outcome.GRANTED else 0
    if fee:
        due = local_date(now) + timedelta(days=found.service.payment_days)
        data["payment"] = payment_of(fee, "00000000000000", due)
    values = {
        "date": local_date(now),
        "recipient": recipient_lines(found),
        "reference": found.case_reference,
        **data,
    }
    return printing.letter("printing/letter.typ", values)


def recipient_lines(found: Application) -> list[str]:
    """Name and address as they stand in the window of the envelope."""
    party = found.party
    person = party.get("name", "") if party.get("name") != party.get("organisation") else ""
    town = f"{party.get('postcode', '')} {party.get('city', '')}".strip()
    return [line for line in (party.get("organisation"), person, party.get("street"), town) if line] or [
        found.party_name
    ]


def payment_of(cents: int, reference: str, due_on: date) -> Payment | None:
    """The payment part of a letter; None if the body has no bank account in its letterhead (or cents are 0)."""
    body = current_body()
    iban = body.letterhead.get("iban", "")
    if not iban or cents <= 0:
        return None
    return Payment(
        payee=body.name,
        iban=iban,
        cents=cents,
        reference=reference,
        due_on=due_on,
        bic=body.letterhead.get("bic", ""),
        bank=body.letterhead.get("bank", ""),
    )


def letter_data(
    actor: Actor, found: Application, *, outcome: str, reason: str, now: datetime, payment: Payment | None
) -> dict[str, Any]:
    """What the decision's letter shows (see `printing/base.typ`); used for the preview and for the letter itself."""
    service, texts = found.service, found.service.letters
    granted = outcome == Outcome.GRANTED
    paragraphs: list[Any] = list(texts.get("grant", []) if granted else texts.get("refuse", []))
    paragraphs.append(
        {
            "facts": [
                (_("Service"), found.service_title),
                (_("Application of"), local_date(found.submitted_at).strftime("%d.%m.%Y")),
                (_("Applicant"), found.party_name or "–"),
            ]
        }
    )
    if reason.strip():
        paragraphs.append({"heading": _("Additional provisions") if granted else _("Reasons")})
        paragraphs.extend(part.strip() for part in reason.split("\n\n") if part.strip())
    if texts.get("legal_basis"):
        paragraphs.append(_("Legal basis: %(basis)s.") % {"basis": texts["legal_basis"].rstrip(".")})
    if granted and service.fee_cents:
        paragraphs.append({"heading": _("Fee")})
        paragraphs.append(
            _("For this decision we charge a fee of %(amount)s.") % {"amount": printing.euro(service.fee_cents)}
        )
    data: dict[str, Any] = {
        "subject": texts.get("subject_grant" if granted else "subject_refuse") or found.service_title,
        "salutation": _("Good day %(name)s,") % {"name": found.party_name}
        if found.party_name
        else _("Dear Sir or Madam,"),
        "paragraphs": paragraphs,
        "closing": _("Yours sincerely"),
        "signature": [actor.name],
        "contact": {"name": actor.name, "unit": found.unit},
        "remedy": texts.get("remedy", ""),
    }
    if payment is not None:
        data["payment"] = payment
    return data
