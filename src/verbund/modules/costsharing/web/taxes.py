"""What a page of a room below shows of the tax reviews that are kept here (ADR 0140); wired in `config/wiring.py`."""

from datetime import date

from verbund.modules.costsharing import queries
from verbund.modules.costsharing.web.forms import TREATMENT_NAMES
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy.models import BodyKind


def tax_lines(actor: Actor, *, day: date) -> dict[str, list[dict[str, object]]] | None:
    """The reviews by code of the service, in words; None for who may not see them."""
    found = queries.tax_reviews(actor, day=day)
    if found is None:
        return None
    kinds = dict(BodyKind.choices)
    return {
        code: [
            {
                "treatment": TREATMENT_NAMES[row.treatment],
                "kind": kinds.get(row.recipient_kind, ""),
                "valid_from": row.valid_from,
                "reviewer": row.reviewer,
                "reviewed_on": row.reviewed_on,
                "document": row.document,
            }
            for row in rows
        ]
        for code, rows in found.items()
    }
