"""XRechnung 3.0 in CII D16B: the twin that lies inside a ZUGFeRD PDF."""

from datetime import date
from typing import Final

from lxml import etree

from .invoice import CURRENCY, Buyer, Invoice, InvoiceLine, Seller, TaxLine, TaxTreatment
from .ubl import CUSTOMIZATION, OUTSIDE_CODE, PROFILE, TRANSFER, euros, plain

_STANDARD: Final = "urn:un:unece:uncefact:data:standard:"
_RSM: Final = _STANDARD + "CrossIndustryInvoice:100"
_RAM: Final = _STANDARD + "ReusableAggregateBusinessInformationEntity:100"
_UDT: Final = _STANDARD + "UnqualifiedDataType:100"
_DAY: Final = "102"  # YYYYMMDD


def cii(invoice: Invoice) -> bytes:
    """The invoice as CII; the same invoice gives the same bytes."""
    root = etree.Element(f"{{{_RSM}}}CrossIndustryInvoice", nsmap={"rsm": _RSM, "ram": _RAM, "udt": _UDT})
    context = etree.SubElement(root, f"{{{_RSM}}}ExchangedDocumentContext")
    _text(_group(context, "BusinessProcessSpecifiedDocumentContextParameter"), "ID", PROFILE)
    _text(_group(context, "GuidelineSpecifiedDocumentContextParameter"), "ID", CUSTOMIZATION)
    document = etree.SubElement(root, f"{{{_RSM}}}ExchangedDocument")
    _text(document, "ID", invoice.number)
    _text(document, "TypeCode", invoice.type_code)
    _day(document, "IssueDateTime", invoice.issued_on)
    for note in invoice.notes:
        if note.strip():
            _text(_group(document, "IncludedNote"), "Content", note)
    deal = etree.SubElement(root, f"{{{_RSM}}}SupplyChainTradeTransaction")
    for at, line in enumerate(invoice.lines, start=1):
        _line(_group(deal, "IncludedSupplyChainTradeLineItem"), at, line)
    agreement = _group(deal, "ApplicableHeaderTradeAgreement")
    _text(agreement, "BuyerReference", invoice.buyer.reference)
    _seller(_group(agreement, "SellerTradeParty"), invoice.seller)
    _buyer(_group(agreement, "BuyerTradeParty"), invoice.buyer)
    if invoice.contract:
        _text(_group(agreement, "ContractReferencedDocument"), "IssuerAssignedID", invoice.contract)
    _group(deal, "ApplicableHeaderTradeDelivery")
    _settlement(_group(deal, "ApplicableHeaderTradeSettlement"), invoice)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _group(parent: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{_RAM}}}{name}")


def _text(parent: etree._Element, name: str, text: str, **attributes: str) -> None:
    if text:
        etree.SubElement(parent, f"{{{_RAM}}}{name}", attributes).text = text


def _day(parent: etree._Element, name: str, day: date | None) -> None:
    if day is not None:
        shown = etree.SubElement(_group(parent, name), f"{{{_UDT}}}DateTimeString", {"format": _DAY})
        shown.text = f"{day:%Y%m%d}"


def _period(parent: etree._Element, start: date | None, end: date | None) -> None:
    if start or end:
        period = _group(parent, "BillingSpecifiedPeriod")
        _day(period, "StartDateTime", start)
        _day(period, "EndDateTime", end)


def _address(party: etree._Element, street: str, postcode: str, city: str) -> None:
    address = _group(party, "PostalTradeAddress")
    _text(address, "PostcodeCode", postcode)
    _text(address, "LineOne", street)
    _text(address, "CityName", city)
    _text(address, "CountryID", "DE")


def _endpoint(party: etree._Element, address: str) -> None:
    _text(_group(party, "URIUniversalCommunication"), "URIID", address, schemeID="EM")


def _seller(party: etree._Element, seller: Seller) -> None:
    _text(party, "Name", seller.name)
    if seller.registration:
        _text(_group(party, "SpecifiedLegalOrganization"), "ID", seller.registration)
    contact = _group(party, "DefinedTradeContact")
    _text(contact, "PersonName", seller.contact)
    _text(_group(contact, "TelephoneUniversalCommunication"), "CompleteNumber", seller.phone)
    _text(_group(contact, "EmailURIUniversalCommunication"), "URIID", seller.email)
    _address(party, seller.street, seller.postcode, seller.city)
    _endpoint(party, seller.email)
    for number, scheme in ((seller.vat_id, "VA"), (seller.tax_number, "FC")):
        if number:
            _text(_group(party, "SpecifiedTaxRegistration"), "ID", number, schemeID=scheme)


def _buyer(party: etree._Element, buyer: Buyer) -> None:
    _text(party, "ID", buyer.identifier)
    _text(party, "Name", buyer.name)
    _address(party, buyer.street, buyer.postcode, buyer.city)
    _endpoint(party, buyer.endpoint)


def _settlement(part: etree._Element, invoice: Invoice) -> None:
    _text(part, "PaymentReference", invoice.payment_reference)
    _text(part, "InvoiceCurrencyCode", CURRENCY)
    means = _group(part, "SpecifiedTradeSettlementPaymentMeans")
    _text(means, "TypeCode", TRANSFER)
    account = _group(means, "PayeePartyCreditorFinancialAccount")
    _text(account, "IBANID", invoice.seller.iban)
    _text(account, "AccountName", invoice.seller.name)
    if invoice.seller.bic:
        _text(_group(means, "PayeeSpecifiedCreditorFinancialInstitution"), "BICID", invoice.seller.bic)
    for tax in invoice.taxes:
        _tax(_group(part, "ApplicableTradeTax"), tax)
    _period(part, invoice.start, invoice.end)
    _day(_group(part, "SpecifiedTradePaymentTerms"), "DueDateDateTime", invoice.due_on)
    sums = _group(part, "SpecifiedTradeSettlementHeaderMonetarySummation")
    _text(sums, "LineTotalAmount", euros(invoice.net_cents))
    _text(sums, "TaxBasisTotalAmount", euros(invoice.net_cents))
    _text(sums, "TaxTotalAmount", euros(invoice.tax_cents), currencyID=CURRENCY)
    _text(sums, "GrandTotalAmount", euros(invoice.gross_cents))
    if invoice.prepaid_cents:
        _text(sums, "TotalPrepaidAmount", euros(invoice.prepaid_cents))
    _text(sums, "DuePayableAmount", euros(invoice.due_cents))
    if invoice.preceding is not None:
        number, issued = invoice.preceding
        reference = _group(part, "InvoiceReferencedDocument")
        _text(reference, "IssuerAssignedID", number)
        if issued is not None:
            shown = _group(reference, "FormattedIssueDateTime")
            etree.SubElement(
                shown, "{urn:un:unece:uncefact:data:standard:QualifiedDataType:100}DateTimeString", {"format": _DAY}
            ).text = f"{issued:%Y%m%d}"


def _tax(group: etree._Element, tax: TaxLine) -> None:
    _text(group, "CalculatedAmount", euros(tax.tax_cents))
    _text(group, "TypeCode", "VAT")
    _text(group, "ExemptionReason", tax.reason)
    _text(group, "BasisAmount", euros(tax.net_cents))
    _text(group, "CategoryCode", tax.treatment)
    if tax.treatment is TaxTreatment.OUTSIDE:
        _text(group, "ExemptionReasonCode", OUTSIDE_CODE)
    _text(group, "RateApplicablePercent", plain(tax.rate))


def _line(group: etree._Element, at: int, line: InvoiceLine) -> None:
    quantity, price = line.shown
    _text(_group(group, "AssociatedDocumentLineDocument"), "LineID", str(at))
    product = _group(group, "SpecifiedTradeProduct")
    _text(product, "Name", line.name)
    _text(product, "Description", line.description)
    _text(
        _group(_group(group, "SpecifiedLineTradeAgreement"), "NetPriceProductTradePrice"), "ChargeAmount", plain(price)
    )
    _text(_group(group, "SpecifiedLineTradeDelivery"), "BilledQuantity", plain(quantity), unitCode=line.shown_unit)
    settled = _group(group, "SpecifiedLineTradeSettlement")
    tax = _group(settled, "ApplicableTradeTax")
    _text(tax, "TypeCode", "VAT")
    _text(tax, "CategoryCode", line.treatment)
    if line.treatment is not TaxTreatment.OUTSIDE:
        _text(tax, "RateApplicablePercent", plain(line.rate))
    _period(settled, line.start, line.end)
    _text(_group(settled, "SpecifiedTradeSettlementLineMonetarySummation"), "LineTotalAmount", euros(line.net_cents))
