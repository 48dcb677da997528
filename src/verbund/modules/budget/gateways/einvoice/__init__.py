"""Electronic invoices (E-Rechnung, EN 16931): one model, written as XRechnung 3.0 in UBL and CII, read from both.

invoice.py   what an invoice says, and the sums that follow from it (§ 14 UStG)
ubl.py       as XRechnung in UBL 2.1: the document that is sent
cii.py       as XRechnung in CII D16B: the twin inside a ZUGFeRD PDF
reading.py   what a received invoice says, in UBL, CII or inside a PDF
rules.py     the official rules: schema first, then the rules of EN 16931
zugferd.py   the invoice for people and machines in one file: PDF/A-3 with the CII twin
"""

from .cii import cii
from .invoice import Buyer, Invoice, InvoiceLine, InvoiceRefused, Seller, TaxLine, TaxTreatment, TypeCode
from .reading import MAX_BYTES, Received, ReceivedLine, Unreadable, read
from .rules import Finding, check
from .ubl import ubl
from .zugferd import FILENAME as EMBEDDED_AS
from .zugferd import hybrid

__all__ = [
    "EMBEDDED_AS",
    "MAX_BYTES",
    "Buyer",
    "Finding",
    "Invoice",
    "InvoiceLine",
    "InvoiceRefused",
    "Received",
    "ReceivedLine",
    "Seller",
    "TaxLine",
    "TaxTreatment",
    "TypeCode",
    "Unreadable",
    "check",
    "cii",
    "hybrid",
    "read",
    "ubl",
]
