"""Invoices leave for the books and the member: the document as values, the gateway, and a fake beside it."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID, uuid5

from verbund.modules.budget import services as budget
from verbund.platform.identity.actor import Actor

_NAMES = UUID("0195b6a0-6c2d-7d53-9a6b-8a4be9f3a111")


@dataclass(frozen=True, slots=True)
class InvoiceParty:
    """InvoiceParty (Rechnungsbeteiligte): seller or buyer of an invoice."""

    name: str
    street: str
    postcode: str
    city: str
    email: str = ""
    key: str = ""  # the member's short name


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """InvoiceLine (Rechnungszeile): `quantity` × `unit_price` euros is exactly `net_cents`; days both included."""

    number: int
    name: str
    description: str
    quantity: Decimal
    unit: str  # code of UN/ECE recommendation 20
    unit_price: Decimal
    net_cents: int
    category: str  # of tax: S, E, O
    rate: int
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class TaxLine:
    """TaxLine (Steuerzeile): tax of one category and rate on the sum of its lines; `reason` where none is due."""

    category: str
    rate: int
    net_cents: int
    tax_cents: int
    reason: str


@dataclass(frozen=True, slots=True)
class InvoiceDocument:
    """InvoiceDocument (Rechnungsdokument): everything an invoice or credit note says; amounts are above zero.

    `kind` is the code of UNTDID 1001: 380 invoice, 381 credit note. `number` and `payment_reference` are empty until
    the gateway has given them.
    """

    kind: str
    issued_on: date
    due_on: date
    seller: InvoiceParty
    buyer: InvoiceParty
    leitweg_id: str
    first_day: date
    last_day: date
    lines: tuple[InvoiceLine, ...]
    taxes: tuple[TaxLine, ...]
    net_cents: int
    tax_cents: int
    gross_cents: int
    subject: str
    notes: tuple[str, ...] = ()
    number: str = ""
    payment_reference: str = ""
    corrects: str = ""  # number of the invoice that a credit note takes back
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Issued:
    """Issued (Rechnungsausgang): what became of a document."""

    id: UUID  # the invoice in the books
    number: str
    claim_id: UUID | None
    payment_reference: str
    xml_sha256: str = ""
    pdf_sha256: str = ""
    handed_over: bool = False


@dataclass(frozen=True, slots=True)
class Books:
    """Where it is booked: codes of the alliance's ledger."""

    ledger: str
    product: str
    account: str
    tax_account: str


class InvoiceGateway(Protocol):
    """What issuing needs of the books. The calls stand in the transaction of the deed."""

    def issue(
        self, actor: Actor, *, document: InvoiceDocument, to_body: str | None, books: Books, now: datetime
    ) -> Issued:
        """Book an invoice as one claim (AL1), number it, write it and hand it over."""
        ...

    def credit(
        self, actor: Actor, *, document: InvoiceDocument, goes_back_to: UUID, books: Books, now: datetime
    ) -> Issued:
        """Give back (a part of) what an invoice of the books asked for."""
        ...


class BudgetInvoicing:
    """The budget room's invoices: claim, XRechnung, PDF/A-3 and handing over in one go."""

    def issue(
        self, actor: Actor, *, document: InvoiceDocument, to_body: str | None, books: Books, now: datetime
    ) -> Issued:
        buyer = document.buyer
        draft = budget.InvoiceDraft(
            product=books.product,
            account=books.account,
            buyer=budget.Buyer(
                buyer.name,
                buyer.street,
                buyer.postcode,
                buyer.city,
                reference=document.leitweg_id,
                endpoint=buyer.email,
                identifier=buyer.key,
            ),
            lines=_lines(document),
            due_on=document.due_on,
            subject=document.subject,
            buyer_body=to_body or "",
            untaxed_reason="; ".join(tax.reason for tax in document.taxes if tax.reason),
            tax_account=books.tax_account if document.tax_cents else "",
            start=document.first_day,
            end=document.last_day,
            notes=document.notes,
        )
        ref = budget.issue_invoice(actor, ledger=books.ledger, draft=draft, origin=document.origin, now=now)
        return _issued(ref, handed_over=bool(to_body))

    def credit(
        self, actor: Actor, *, document: InvoiceDocument, goes_back_to: UUID, books: Books, now: datetime
    ) -> Issued:
        ref = budget.issue_credit_note(
            actor,
            invoice_id=goes_back_to,
            lines=_lines(document),
            subject=document.subject,
            origin=document.origin,
            now=now,
        )
        return _issued(ref, handed_over=True)


def _lines(document: InvoiceDocument) -> list[budget.InvoiceLine]:
    return [
        budget.InvoiceLine(
            name=line.name,
            net_cents=line.net_cents,
            treatment=budget.TaxTreatment(line.category),
            rate=Decimal(line.rate),
            description=line.description,
            quantity=line.quantity,
            unit=line.unit,
            price=line.unit_price,
            start=line.first_day,
            end=line.last_day,
        )
        for line in document.lines
    ]


def _issued(ref: budget.InvoiceRef, *, handed_over: bool) -> Issued:
    return Issued(ref.id, ref.number, ref.claim_id, ref.payment_reference, ref.xml_sha256, ref.pdf_sha256, handed_over)


@dataclass
class FakeInvoicing:
    """Keeps what it was given; for tests without books."""

    documents: list[tuple[InvoiceDocument, str | None]] = field(default_factory=list)
    credits: list[tuple[InvoiceDocument, UUID]] = field(default_factory=list)

    def issue(
        self, actor: Actor, *, document: InvoiceDocument, to_body: str | None, books: Books, now: datetime
    ) -> Issued:
        self.documents.append((document, to_body))
        number = f"F-{len(self.documents):03d}"
        return Issued(uuid5(_NAMES, number), number, uuid5(_NAMES, f"claim {number}"), "12345678901234")

    def credit(
        self, actor: Actor, *, document: InvoiceDocument, goes_back_to: UUID, books: Books, now: datetime
    ) -> Issued:
        self.credits.append((document, goes_back_to))
        number = f"G-{len(self.credits):03d}"
        return Issued(uuid5(_NAMES, number), number, None, "")
