"""What a received electronic invoice says: UBL, CII, or a PDF that carries one of them.

Read is what an office needs to find, pay and book it; the document itself is kept byte for byte. Whether it obeys the
rules is told by `rules.py`, not here: a reader that refused every fault could not even show it.
"""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

import pypdf
from django.utils.translation import gettext_lazy as _
from lxml import etree
from pypdf.errors import PyPdfError

from verbund.platform import xml
from verbund.platform.tenancy import Invalid

MAX_BYTES: Final = 20_000_000
MAX_LINES: Final = 10_000
# Names an invoice has inside a PDF: ZUGFeRD 2, Factur-X, XRechnung, ZUGFeRD 1.
EMBEDDED: Final = ("xrechnung.xml", "factur-x.xml", "zugferd-invoice.xml", "ZUGFeRD-invoice.xml")
# No exponents: 1E9999999 is short to write and long to compute.
_AMOUNT: Final = re.compile(r"[+-]?\d{1,13}(\.\d{1,20})?\Z")
_UBL: Final = "urn:oasis:names:specification:ubl:schema:xsd:"
_CII: Final = "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
_NAMES: Final = {
    "cac": _UBL + "CommonAggregateComponents-2",
    "cbc": _UBL + "CommonBasicComponents-2",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
    "rsm": _CII,
}


class Unreadable(Invalid):
    """The file is no electronic invoice, or says too little to be booked."""


@dataclass(frozen=True, slots=True)
class ReceivedLine:
    """Line of a received invoice (Rechnungsposition); `net_cents` in cents, `rate` in percent."""

    name: str
    quantity: str
    unit: str
    net_cents: int
    category: str
    rate: str


@dataclass(frozen=True, slots=True)
class Received:
    """What a received invoice says (Eingangsrechnung); money in cents, empty text where it says nothing.

    `syntax` is "ubl", "ubl-cn" or "cii", `xml` the bytes of the invoice itself: the file, or what lay in the PDF.
    """

    syntax: str
    xml: bytes
    customization: str
    number: str
    type_code: str
    issued_on: date
    due_on: date | None
    currency: str
    seller: str
    seller_vat: str
    seller_iban: str
    buyer: str
    buyer_reference: str
    payment_reference: str
    preceding: str
    net_cents: int
    tax_cents: int
    gross_cents: int
    due_cents: int
    lines: tuple[ReceivedLine, ...]

    @property
    def is_credit(self) -> bool:
        """Whether it gives money back (Gutschrift)."""
        return self.type_code == "381"


def read(content: bytes) -> Received:
    """What the invoice in `content` says.

    Raises:
        Unreadable, xml.Refused: neither XML nor PDF, no invoice inside, or without number, date, seller or amounts.
    """
    if len(content) > MAX_BYTES:
        raise Unreadable({"": _("The file is larger than 20 MB.")})
    document = _from_pdf(content) if content.startswith(b"%PDF") else content
    root = xml.parse(document, limit=MAX_BYTES)
    kind = etree.QName(root)
    if kind.namespace == _CII:
        return _read(root, document, "cii", _CII_PATHS, _CII_LINE)
    if kind.namespace == f"{_UBL}Invoice-2":
        return _read(root, document, "ubl", _UBL_PATHS, _UBL_LINE)
    if kind.namespace == f"{_UBL}CreditNote-2":
        return _read(root, document, "ubl-cn", _UBL_PATHS, _UBL_LINE)
    raise Unreadable({"": _("This XML file is no electronic invoice (expected: XRechnung in UBL or CII, ZUGFeRD).")})


def _from_pdf(content: bytes) -> bytes:
    try:
        attached = pypdf.PdfReader(io.BytesIO(content)).attachments
        by_name = {name.rpartition("/")[2]: name for name in attached}
        for name in EMBEDDED:
            if name in by_name:
                return bytes(attached[by_name[name]][0])
    except (PyPdfError, ValueError, KeyError, TypeError, RecursionError, OSError) as error:
        raise Unreadable({"": _("The PDF cannot be read. Ask the sender for a new file.")}) from error
    raise Unreadable(
        {"": _("There is no electronic invoice in this PDF. Ask the sender for an XRechnung or a ZUGFeRD file.")}
    )


Paths = Mapping[str, str]

_UBL_PARTY = "cac:Accounting{}Party/cac:Party/"
_UBL_SELLER: Final = _UBL_PARTY.format("Supplier")
_UBL_BUYER: Final = _UBL_PARTY.format("Customer")
_UBL_PATHS: Final[Paths] = {
    "customization": "cbc:CustomizationID",
    "number": "cbc:ID",
    "type_code": "cbc:InvoiceTypeCode | cbc:CreditNoteTypeCode",
    "issued_on": "cbc:IssueDate",
    "due_on": "cbc:DueDate | cac:PaymentMeans/cbc:PaymentDueDate",
    "currency": "cbc:DocumentCurrencyCode",
    "seller": f"{_UBL_SELLER}cac:PartyLegalEntity/cbc:RegistrationName | {_UBL_SELLER}cac:PartyName/cbc:Name",
    "seller_vat": f"{_UBL_SELLER}cac:PartyTaxScheme[cac:TaxScheme/cbc:ID='VAT']/cbc:CompanyID",
    "seller_iban": "cac:PaymentMeans/cac:PayeeFinancialAccount/cbc:ID",
    "buyer": f"{_UBL_BUYER}cac:PartyLegalEntity/cbc:RegistrationName | {_UBL_BUYER}cac:PartyName/cbc:Name",
    "buyer_reference": "cbc:BuyerReference",
    "payment_reference": "cac:PaymentMeans/cbc:PaymentID",
    "preceding": "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID",
    "net_cents": "cac:LegalMonetaryTotal/cbc:TaxExclusiveAmount",
    "tax_cents": "cac:TaxTotal[cbc:TaxAmount/@currencyID=/*/cbc:DocumentCurrencyCode]/cbc:TaxAmount",
    "gross_cents": "cac:LegalMonetaryTotal/cbc:TaxInclusiveAmount",
    "due_cents": "cac:LegalMonetaryTotal/cbc:PayableAmount",
    "lines": "cac:InvoiceLine | cac:CreditNoteLine",
}
_UBL_LINE: Final[Paths] = {
    "name": "cac:Item/cbc:Name",
    "quantity": "cbc:InvoicedQuantity | cbc:CreditedQuantity",
    "net_cents": "cbc:LineExtensionAmount",
    "category": "cac:Item/cac:ClassifiedTaxCategory/cbc:ID",
    "rate": "cac:Item/cac:ClassifiedTaxCategory/cbc:Percent",
}

_AGREEMENT: Final = "rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTradeAgreement/"
_SETTLEMENT: Final = "rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTradeSettlement/"
_SUMS: Final = _SETTLEMENT + "ram:SpecifiedTradeSettlementHeaderMonetarySummation/"
_ACCOUNT: Final = _SETTLEMENT + "ram:SpecifiedTradeSettlementPaymentMeans/ram:PayeePartyCreditorFinancialAccount/"
_CII_PATHS: Final[Paths] = {
    "customization": "rsm:ExchangedDocumentContext/ram:GuidelineSpecifiedDocumentContextParameter/ram:ID",
    "number": "rsm:ExchangedDocument/ram:ID",
    "type_code": "rsm:ExchangedDocument/ram:TypeCode",
    "issued_on": "rsm:ExchangedDocument/ram:IssueDateTime/udt:DateTimeString",
    "due_on": _SETTLEMENT + "ram:SpecifiedTradePaymentTerms/ram:DueDateDateTime/udt:DateTimeString",
    "currency": _SETTLEMENT + "ram:InvoiceCurrencyCode",
    "seller": _AGREEMENT + "ram:SellerTradeParty/ram:Name",
    "seller_vat": _AGREEMENT + "ram:SellerTradeParty/ram:SpecifiedTaxRegistration/ram:ID[@schemeID='VA']",
    "seller_iban": _ACCOUNT + "ram:IBANID",
    "buyer": _AGREEMENT + "ram:BuyerTradeParty/ram:Name",
    "buyer_reference": _AGREEMENT + "ram:BuyerReference",
    "payment_reference": _SETTLEMENT + "ram:PaymentReference",
    "preceding": _SETTLEMENT + "ram:InvoiceReferencedDocument/ram:IssuerAssignedID",
    "net_cents": _SUMS + "ram:TaxBasisTotalAmount",
    "tax_cents": f"{_SUMS}ram:TaxTotalAmount[not(@currencyID) or @currencyID=//ram:InvoiceCurrencyCode]",
    "gross_cents": _SUMS + "ram:GrandTotalAmount",
    "due_cents": _SUMS + "ram:DuePayableAmount",
    "lines": "rsm:SupplyChainTradeTransaction/ram:IncludedSupplyChainTradeLineItem",
}
_CII_TAX: Final = "ram:SpecifiedLineTradeSettlement/ram:ApplicableTradeTax/"
_CII_LINE: Final[Paths] = {
    "name": "ram:SpecifiedTradeProduct/ram:Name",
    "quantity": "ram:SpecifiedLineTradeDelivery/ram:BilledQuantity",
    "net_cents": "ram:SpecifiedLineTradeSettlement/ram:SpecifiedTradeSettlementLineMonetarySummation/"
    "ram:LineTotalAmount",
    "category": _CII_TAX + "ram:CategoryCode",
    "rate": _CII_TAX + "ram:RateApplicablePercent",
}


def _read(root: etree._Element, document: bytes, syntax: str, paths: Paths, line_paths: Paths) -> Received:
    lines = _nodes(root, paths["lines"])
    if len(lines) > MAX_LINES:
        raise Unreadable({"": _("The invoice has more than 10,000 lines.")})
    issued = _day(_text(root, paths["issued_on"]))
    needed = {name: _text(root, paths[name]) for name in ("number", "seller", "currency")}
    if issued is None or not all(needed.values()):
        raise Unreadable({"": _("The invoice names no number, no date, no seller or no currency. Send it back.")})
    return Received(
        syntax=syntax,
        xml=document,
        customization=_text(root, paths["customization"]),
        number=needed["number"],
        type_code=_text(root, paths["type_code"]) or "380",
        issued_on=issued,
        due_on=_day(_text(root, paths["due_on"])),
        currency=needed["currency"],
        seller=needed["seller"],
        seller_vat=_text(root, paths["seller_vat"]),
        seller_iban=_text(root, paths["seller_iban"]).replace(" ", ""),
        buyer=_text(root, paths["buyer"]),
        buyer_reference=_text(root, paths["buyer_reference"]),
        payment_reference=_text(root, paths["payment_reference"]),
        preceding=_text(root, paths["preceding"]),
        net_cents=_cents(_text(root, paths["net_cents"])),
        tax_cents=_cents(_text(root, paths["tax_cents"]) or "0"),
        gross_cents=_cents(_text(root, paths["gross_cents"])),
        due_cents=_cents(_text(root, paths["due_cents"])),
        lines=tuple(_line(line, line_paths) for line in lines),
    )


def _line(node: etree._Element, paths: Paths) -> ReceivedLine:
    quantity = _nodes(node, paths["quantity"])
    return ReceivedLine(
        name=_text(node, paths["name"]),
        quantity=_text(node, paths["quantity"]),
        unit=quantity[0].get("unitCode", "") if quantity else "",
        net_cents=_cents(_text(node, paths["net_cents"]) or "0"),
        category=_text(node, paths["category"]),
        rate=_text(node, paths["rate"]),
    )


def _nodes(node: etree._Element, path: str) -> list[etree._Element]:
    found = node.xpath(path, namespaces=_NAMES)
    return [item for item in found if isinstance(item, etree._Element)] if isinstance(found, list) else []


def _text(node: etree._Element, path: str) -> str:
    """The first text at the path, in the order of the alternatives: of two names the legal one goes first."""
    for alternative in path.split(" | "):
        for found in _nodes(node, alternative):
            if text := " ".join((found.text or "").split()):
                return text
    return ""


def _day(text: str) -> date | None:
    compact = text.replace("-", "")[:8]
    try:
        return date(int(compact[:4]), int(compact[4:6]), int(compact[6:8]))
    except ValueError:
        return None


def _cents(text: str) -> int:
    if not _AMOUNT.match(text):
        raise Unreadable({"": _("The invoice has no readable amount. Send it back.")})
    amount = Decimal(text) * 100
    if amount != int(amount):
        raise Unreadable({"": _("An amount of the invoice has fractions of a cent. Send it back.")})
    return int(amount)
