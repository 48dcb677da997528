"""Invoice (Rechnung, § 14 UStG; EN 16931): what it says, and the sums that follow from it.

The names in brackets are the business terms (BT) of EN 16931. Money is integer cents, prices and quantities are
`Decimal`. Two things are refused here, because no rule of the standard could mend them later: a mixture of supplies
inside and outside the tax (BR-O-11: such an invoice has one treatment only; make two), and a tax rate on a supply
that is not taxed (VAT2, § 14c UStG: whoever shows a tax owes it).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from verbund.platform.tenancy import Invalid

CURRENCY: Final = "EUR"


class InvoiceRefused(Invalid):
    """The invoice cannot be written like this; a message per field."""


class TypeCode(StrEnum):
    """Type of invoice (Rechnungsart, BT-3; UNTDID 1001)."""

    INVOICE = "380"
    CREDIT_NOTE = "381"
    CORRECTED = "384"
    PARTIAL = "326"  # Abschlag


class TaxTreatment(StrEnum):
    """VAT category (Umsatzsteuerkategorie, BT-151; UNTDID 5305)."""

    STANDARD = "S"
    EXEMPT = "E"
    OUTSIDE = "O"  # not subject to VAT, § 2b UStG


@dataclass(frozen=True, slots=True)
class Seller:
    """Seller (Rechnungssteller, BG-4). One of `registration` and `vat_id` is needed (BR-CO-26); a supply inside the
    tax needs `vat_id` or `tax_number` (BR-DE-16)."""

    name: str
    street: str
    postcode: str
    city: str
    contact: str
    phone: str
    email: str
    iban: str
    registration: str = ""
    vat_id: str = ""
    tax_number: str = ""
    bic: str = ""


@dataclass(frozen=True, slots=True)
class Buyer:
    """Buyer (Rechnungsempfänger, BG-7); `reference` is the Leitweg-ID or what else the buyer asked for (BT-10)."""

    name: str
    street: str
    postcode: str
    city: str
    reference: str
    endpoint: str
    identifier: str = ""


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """Line (Rechnungsposition, BG-25); `net_cents` is what counts (BT-131) and may be below zero.

    With `quantity` × `price` within a cent of it the line shows them, otherwise one piece at its amount: what was
    split over days or shares exactly to the cent is no multiple of a price.
    """

    name: str
    net_cents: int
    treatment: TaxTreatment
    rate: Decimal = Decimal(0)
    description: str = ""
    quantity: Decimal = Decimal(1)
    unit: str = "C62"
    price: Decimal | None = None
    start: date | None = None
    end: date | None = None

    @property
    def shown(self) -> tuple[Decimal, Decimal]:
        """Quantity (BT-129) and net price (BT-146) as they stand in the document; a price is never below zero."""
        if self.price is not None and self.price >= 0:
            exact = (self.quantity * self.price * 100).quantize(Decimal(1), ROUND_HALF_UP)
            if exact == self.net_cents:
                return self.quantity, self.price
        amount = Decimal(abs(self.net_cents)) / 100
        return (Decimal(-1) if self.net_cents < 0 else Decimal(1)), amount

    @property
    def shown_unit(self) -> str:
        """The unit (BT-130), a code of UN/ECE Rec. 20: pieces where the quantity is not shown."""
        return self.unit if self.shown[0] == self.quantity else "C62"


@dataclass(frozen=True, slots=True)
class TaxLine:
    """Tax of one category and rate (Steueraufschlüsselung, BG-23), in cents."""

    treatment: TaxTreatment
    rate: Decimal
    net_cents: int
    tax_cents: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Invoice:
    """Invoice (Rechnung): everything that XRechnung 3.0 asks of it.

    Args:
        number: BT-1. issued_on: BT-2. due_on: BT-9. payment_reference: BT-83.
        untaxed_reason: why nothing is taxed (BT-120); needed for lines that are exempt or outside the tax.
        preceding: number and date of the invoice a credit note or correction goes back to (BT-25, BT-26).
        contract: BT-12. notes: free text, such as the legal basis of the charge (BT-22).
        prepaid_cents: advances already asked for (BT-113).

    Raises:
        InvoiceRefused: a message per field.
    """

    number: str
    issued_on: date
    due_on: date
    seller: Seller
    buyer: Buyer
    lines: Sequence[InvoiceLine]
    payment_reference: str
    type_code: TypeCode = TypeCode.INVOICE
    untaxed_reason: str = ""
    start: date | None = None
    end: date | None = None
    preceding: tuple[str, date | None] | None = None
    contract: str = ""
    notes: Sequence[str] = field(default=())
    prepaid_cents: int = 0

    def __post_init__(self) -> None:
        errors = dict(self._faults())
        if errors:
            raise InvoiceRefused(errors)

    @property
    def taxes(self) -> list[TaxLine]:
        """One tax line per category and rate; the tax is computed on the sum (VAT1), half a cent goes up."""
        sums: dict[tuple[TaxTreatment, Decimal], int] = {}
        for line in self.lines:
            key = (line.treatment, line.rate)
            sums[key] = sums.get(key, 0) + line.net_cents
        return [
            TaxLine(
                treatment,
                rate,
                net,
                int((Decimal(net) * rate / 100).quantize(Decimal(1), ROUND_HALF_UP)),
                "" if treatment is TaxTreatment.STANDARD else self.untaxed_reason,
            )
            for (treatment, rate), net in sorted(sums.items())
        ]

    @property
    def net_cents(self) -> int:
        """Sum of the lines (BT-106, BT-109)."""
        return sum(line.net_cents for line in self.lines)

    @property
    def tax_cents(self) -> int:
        """Sum of the tax (BT-110)."""
        return sum(tax.tax_cents for tax in self.taxes)

    @property
    def gross_cents(self) -> int:
        """With tax (BT-112)."""
        return self.net_cents + self.tax_cents

    @property
    def due_cents(self) -> int:
        """What is to be paid (BT-115)."""
        return self.gross_cents - self.prepaid_cents

    def _faults(self) -> list[tuple[str, str | Promise]]:
        seller, faults = self.seller, list[tuple[str, str | Promise]]()
        needed = {
            "number": self.number,
            "seller.name": seller.name,
            "seller.street": seller.street,
            "seller.postcode": seller.postcode,
            "seller.city": seller.city,
            "seller.contact": seller.contact,
            "seller.phone": seller.phone,
            "seller.email": seller.email,
            "seller.iban": seller.iban,
            "buyer.name": self.buyer.name,
            "buyer.postcode": self.buyer.postcode,
            "buyer.city": self.buyer.city,
            "buyer.reference": self.buyer.reference,
            "buyer.endpoint": self.buyer.endpoint,
        }
        faults += [(name, _("An electronic invoice needs this.")) for name, text in needed.items() if not text.strip()]
        if not seller.registration.strip() and not seller.vat_id.strip():
            faults.append(("seller.registration", _("The seller needs a register number or a VAT number.")))
        if not self.lines:
            faults.append(("lines", _("An invoice needs at least one line.")))
        kinds = {line.treatment for line in self.lines}
        if TaxTreatment.OUTSIDE in kinds and len(kinds) > 1:
            faults.append(
                ("lines", _("Supplies inside and outside the VAT cannot stand on one invoice. Make two invoices."))
            )
        if kinds - {TaxTreatment.STANDARD} and not self.untaxed_reason.strip():
            faults.append(("untaxed_reason", _("Say why no VAT is due.")))
        if kinds & {TaxTreatment.STANDARD, TaxTreatment.EXEMPT} and not (seller.vat_id or seller.tax_number):
            faults.append(("seller.vat_id", _("Supplies inside the VAT need the seller's VAT or tax number.")))
        for line in self.lines:
            if not line.name.strip():
                faults.append(("lines", _("Every line needs a name.")))
            if line.treatment is TaxTreatment.STANDARD and line.rate <= 0:
                faults.append(("lines", _("A taxed line needs a rate above zero.")))
            if line.treatment is not TaxTreatment.STANDARD and line.rate != 0:
                faults.append(("lines", _("A line that is not taxed shows no VAT (§ 14c UStG).")))
            if line.start and line.end and line.end < line.start:
                faults.append(("lines", _("A period ends before it begins.")))
        if self.start and self.end and self.end < self.start:
            faults.append(("end", _("A period ends before it begins.")))
        if self.type_code is TypeCode.CREDIT_NOTE and self.preceding is None:
            faults.append(("preceding", _("A credit note names the invoice it goes back to.")))
        if self.due_cents < 0:
            faults.append(("lines", _("An invoice cannot ask for less than nothing. Make a credit note.")))
        return faults
