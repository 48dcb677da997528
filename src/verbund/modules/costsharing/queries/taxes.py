"""Reads: what was reviewed about the tax on a service, for the pages of the catalogue."""

from dataclasses import dataclass
from datetime import date

from verbund.modules.costsharing.models import TaxTreatment
from verbund.modules.costsharing.policies import Permission, in_alliance
from verbund.platform.identity.actor import Actor


@dataclass(frozen=True, slots=True)
class TaxReview:
    """TaxReview (geprüfte umsatzsteuerliche Behandlung): how a service is taxed for performance from `valid_from` on,
    as somebody reviewed it; `recipient_kind` empty: for all kinds of bodies that have no review of their own."""

    treatment: str
    recipient_kind: str
    valid_from: date
    reviewer: str
    reviewed_on: date
    document: str


def tax_reviews(actor: Actor, *, day: date) -> dict[str, tuple[TaxReview, ...]] | None:
    """The reviews that count on a day or later, by code of the service; None for who may not see them.

    A service that is not named was not reviewed: nothing is inferred.
    """
    if not in_alliance(actor, Permission.SEE) and not in_alliance(actor, Permission.SEE_OWN):
        return None
    newest: dict[tuple[str, str, date], TaxTreatment] = {}
    for row in TaxTreatment.objects.order_by("id"):
        newest[row.service_code, row.recipient_kind, row.valid_from] = row
    begun: dict[tuple[str, str], date] = {}
    for code, kind, since in newest:
        if since <= day:
            begun[code, kind] = max(since, begun.get((code, kind), since))
    found: dict[str, list[TaxReview]] = {}
    for (code, kind, since), row in sorted(newest.items()):
        if since >= begun.get((code, kind), since):
            found.setdefault(code, []).append(
                TaxReview(row.treatment, kind, since, row.reviewer, row.reviewed_on, row.document)
            )
    return {code: tuple(rows) for code, rows in found.items()}
