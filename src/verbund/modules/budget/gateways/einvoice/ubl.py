"""XRechnung 3.0 in UBL 2.1: invoice and credit note."""

from datetime import date
from decimal import Decimal
from typing import Any, Final

from lxml import etree

from .invoice import CURRENCY, Buyer, Invoice, InvoiceLine, Seller, TaxLine, TaxTreatment, TypeCode

CUSTOMIZATION: Final = "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0"
PROFILE: Final = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
TRANSFER: Final = "58"  # SEPA credit transfer, UNTDID 4461
OUTSIDE_CODE: Final = "VATEX-EU-O"

_UBL: Final = "urn:oasis:names:specification:ubl:schema:xsd:"
_CAC: Final = _UBL + "CommonAggregateComponents-2"
_CBC: Final = _UBL + "CommonBasicComponents-2"


def ubl(invoice: Invoice) -> bytes:
    """The invoice as UBL; the same invoice gives the same bytes."""
    credit = invoice.type_code is TypeCode.CREDIT_NOTE
    kind = "CreditNote" if credit else "Invoice"
    names: dict[Any, str] = {None: f"{_UBL}{kind}-2", "cac": _CAC, "cbc": _CBC}
    root = etree.Element(f"{{{_UBL}{kind}-2}}{kind}", nsmap=names)
    _basic(root, "CustomizationID", CUSTOMIZATION)
    _basic(root, "ProfileID", PROFILE)
    _basic(root, "ID", invoice.number)
    _basic(root, "IssueDate", invoice.issued_on.isoformat())
    if not credit:
        _basic(root, "DueDate", invoice.due_on.isoformat())
    _basic(root, "CreditNoteTypeCode" if credit else "InvoiceTypeCode", invoice.type_code)
    # UBL 2.1 takes one note (UBL-CR-…): several become paragraphs of it.
    _basic(root, "Note", "\n\n".join(note for note in invoice.notes if note.strip()))
    _basic(root, "DocumentCurrencyCode", CURRENCY)
    _basic(root, "BuyerReference", invoice.buyer.reference)
    _period(root, invoice.start, invoice.end)
    if invoice.preceding is not None:
        number, issued = invoice.preceding
        reference = _group(_group(root, "BillingReference"), "InvoiceDocumentReference")
        _basic(reference, "ID", number)
        _basic(reference, "IssueDate", issued.isoformat() if issued else "")
    if invoice.contract:
        _basic(_group(root, "ContractDocumentReference"), "ID", invoice.contract)
    _seller(_group(_group(root, "AccountingSupplierParty"), "Party"), invoice.seller)
    _buyer(_group(_group(root, "AccountingCustomerParty"), "Party"), invoice.buyer)
    _payment(root, invoice, due_here=credit)
    total = _group(root, "TaxTotal")
    _money(total, "TaxAmount", invoice.tax_cents)
    for tax in invoice.taxes:
        _tax(_group(total, "TaxSubtotal"), tax)
    sums = _group(root, "LegalMonetaryTotal")
    _money(sums, "LineExtensionAmount", invoice.net_cents)
    _money(sums, "TaxExclusiveAmount", invoice.net_cents)
    _money(sums, "TaxInclusiveAmount", invoice.gross_cents)
    if invoice.prepaid_cents:
        _money(sums, "PrepaidAmount", invoice.prepaid_cents)
    _money(sums, "PayableAmount", invoice.due_cents)
    for at, line in enumerate(invoice.lines, start=1):
        _line(_group(root, f"{kind}Line"), at, line, credit=credit)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _group(parent: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{_CAC}}}{name}")


def _basic(parent: etree._Element, name: str, text: str, **attributes: str) -> None:
    """An element with text; empty ones are not written (the standard forbids them)."""
    if text:
        etree.SubElement(parent, f"{{{_CBC}}}{name}", attributes).text = text


def _money(parent: etree._Element, name: str, cents: int) -> None:
    _basic(parent, name, euros(cents), currencyID=CURRENCY)


def euros(cents: int) -> str:
    """An amount in cents as the XML shows it: 1234.56."""
    return f"{Decimal(cents) / 100:.2f}"


def _period(parent: etree._Element, start: date | None, end: date | None) -> None:
    if start or end:
        period = _group(parent, "InvoicePeriod")
        _basic(period, "StartDate", start.isoformat() if start else "")
        _basic(period, "EndDate", end.isoformat() if end else "")


def _address(party: etree._Element, street: str, postcode: str, city: str) -> None:
    address = _group(party, "PostalAddress")
    _basic(address, "StreetName", street)
    _basic(address, "CityName", city)
    _basic(address, "PostalZone", postcode)
    _basic(_group(address, "Country"), "IdentificationCode", "DE")


def _seller(party: etree._Element, seller: Seller) -> None:
    _basic(party, "EndpointID", seller.email, schemeID="EM")
    _address(party, seller.street, seller.postcode, seller.city)
    for number, scheme in ((seller.vat_id, "VAT"), (seller.tax_number, "FC")):
        if number:
            tax = _group(party, "PartyTaxScheme")
            _basic(tax, "CompanyID", number)
            _basic(_group(tax, "TaxScheme"), "ID", scheme)
    entity = _group(party, "PartyLegalEntity")
    _basic(entity, "RegistrationName", seller.name)
    _basic(entity, "CompanyID", seller.registration)
    contact = _group(party, "Contact")
    _basic(contact, "Name", seller.contact)
    _basic(contact, "Telephone", seller.phone)
    _basic(contact, "ElectronicMail", seller.email)


def _buyer(party: etree._Element, buyer: Buyer) -> None:
    _basic(party, "EndpointID", buyer.endpoint, schemeID="EM")
    if buyer.identifier:
        _basic(_group(party, "PartyIdentification"), "ID", buyer.identifier)
    _address(party, buyer.street, buyer.postcode, buyer.city)
    _basic(_group(party, "PartyLegalEntity"), "RegistrationName", buyer.name)


def _payment(root: etree._Element, invoice: Invoice, *, due_here: bool) -> None:
    means = _group(root, "PaymentMeans")
    _basic(means, "PaymentMeansCode", TRANSFER)
    if due_here:  # a credit note has no due date of its own in UBL 2.1
        _basic(means, "PaymentDueDate", invoice.due_on.isoformat())
    _basic(means, "PaymentID", invoice.payment_reference)
    account = _group(means, "PayeeFinancialAccount")
    _basic(account, "ID", invoice.seller.iban)
    _basic(account, "Name", invoice.seller.name)
    if invoice.seller.bic:
        _basic(_group(account, "FinancialInstitutionBranch"), "ID", invoice.seller.bic)


def _tax(group: etree._Element, tax: TaxLine) -> None:
    _money(group, "TaxableAmount", tax.net_cents)
    _money(group, "TaxAmount", tax.tax_cents)
    category = _group(group, "TaxCategory")
    _basic(category, "ID", tax.treatment)
    _basic(category, "Percent", plain(tax.rate))  # BR-DE-14: even outside the tax; BR-O-05: but not on the lines
    if tax.treatment is TaxTreatment.OUTSIDE:
        _basic(category, "TaxExemptionReasonCode", OUTSIDE_CODE)
    _basic(category, "TaxExemptionReason", tax.reason)
    _basic(_group(category, "TaxScheme"), "ID", "VAT")


def plain(number: Decimal) -> str:
    """A decimal without exponent and trailing zeros."""
    return f"{number.normalize():f}"


def _line(group: etree._Element, at: int, line: InvoiceLine, *, credit: bool) -> None:
    quantity, price = line.shown
    _basic(group, "ID", str(at))
    _basic(group, "CreditedQuantity" if credit else "InvoicedQuantity", plain(quantity), unitCode=line.shown_unit)
    _money(group, "LineExtensionAmount", line.net_cents)
    _period(group, line.start, line.end)
    item = _group(group, "Item")
    _basic(item, "Description", line.description)
    _basic(item, "Name", line.name)
    category = _group(item, "ClassifiedTaxCategory")
    _basic(category, "ID", line.treatment)
    if line.treatment is not TaxTreatment.OUTSIDE:
        _basic(category, "Percent", plain(line.rate))
    _basic(_group(category, "TaxScheme"), "ID", "VAT")
    _basic(_group(group, "Price"), "PriceAmount", plain(price), currencyID=CURRENCY)
