"""The coast of cost sharing: where invoices leave it."""

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from .invoicing import (
    Books,
    BudgetInvoicing,
    FakeInvoicing,
    InvoiceDocument,
    InvoiceGateway,
    InvoiceLine,
    InvoiceParty,
    Issued,
    TaxLine,
)

__all__ = [
    "Books",
    "BudgetInvoicing",
    "FakeInvoicing",
    "InvoiceDocument",
    "InvoiceGateway",
    "InvoiceLine",
    "InvoiceParty",
    "Issued",
    "TaxLine",
    "invoicing",
]


@cache
def _made(path: str) -> InvoiceGateway:
    gateway: InvoiceGateway = import_string(path)()
    return gateway


def invoicing() -> InvoiceGateway:
    """The gateway of the settings (`VERBUND_COSTSHARING_INVOICING`), by default the budget room's books."""
    default = "verbund.modules.costsharing.gateways.BudgetInvoicing"
    return _made(getattr(settings, "VERBUND_COSTSHARING_INVOICING", default))
