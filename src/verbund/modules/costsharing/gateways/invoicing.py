"""Invoices leave for the books and the member: the document as values, the gateway, and a fake beside it."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID, uuid5

from django.utils.translation import gettext as _

from verbund.modules.budget import services as budget
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict

_NAMES = UUID("0195b6a0-6c2d-7d53-9a6b-8a4be9f3a111")


class NotBookable(Conflict):
    """The invoice cannot be booked as the settings stand."""


@dataclass(frozen=True, slots=True)
class InvoiceParty:
    """InvoiceParty (Rechnungsbeteiligte): seller or buyer of an invoice."""

    name: str
    street: str
    postcode: str
    city: str
    email: str = ""
    country: str = "DE"
    vat_id: str = ""
    tax_number: str = ""
    contact: str = ""
    phone: str = ""
    key: str = ""  # of the party account: the member's id


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
    iban: str
    bic: str
    bank: str
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
    prepaid_cents: int = 0
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Issued:
    """Issued (Rechnungsausgang): what became of a document."""

    number: str
    claim_id: UUID | None
    payment_reference: str
    voucher_label: str
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
    payable_account: str


class InvoiceGateway(Protocol):
    """What issuing needs of the books. The call stands in the transaction of the deed."""

    def issue(
        self,
        actor: Actor,
        *,
        document: InvoiceDocument,
        to_body: str | None,
        books: Books,
        now: datetime,
        takes_back: UUID | None = None,
    ) -> Issued:
        """Book the document and hand it over: one claim per invoice (AL1); a credit note takes back the claim it names,
        on which nothing may be paid, or else is a debt of the alliance."""
        ...


class BookedClaim:
    """Books in the alliance's ledger through the budget room's doors."""

    def issue(
        self,
        actor: Actor,
        *,
        document: InvoiceDocument,
        to_body: str | None,
        books: Books,
        now: datetime,
        takes_back: UUID | None = None,
    ) -> Issued:
        if document.tax_cents and not books.tax_account:
            raise NotBookable(_("The invoice shows value added tax, but no account for it is set."))
        if takes_back is not None:
            ref = budget.cancel_claim(actor, claim_id=takes_back, reason=document.subject, now=now)
            if document.tax_cents:
                self._shift_tax(actor, document, books, now, back=True)
            return Issued(document.number, None, "", ref.label)
        if document.kind == "381":
            return Issued(document.number, None, "", self._owe(actor, document, books, now))
        buyer = document.buyer
        claim = budget.raise_claim(
            actor,
            ledger=books.ledger,
            product=books.product,
            account=books.account,
            cents=document.gross_cents,
            debtor=budget.Party(buyer.name, buyer.street, buyer.postcode, buyer.city, buyer.key),
            due_on=document.due_on,
            text=f"{document.number} {document.subject}"[:300],
            origin=document.origin,
            now=now,
            purpose="alliance_invoice",
        )
        if document.tax_cents:
            self._shift_tax(actor, document, books, now)
        return Issued(document.number, claim.id, claim.payment_reference, claim.voucher_label)

    def _owe(self, actor: Actor, document: InvoiceDocument, books: Books, now: datetime) -> str:
        """A credit note of a settlement: revenue goes down, the alliance owes the member."""
        if not books.payable_account:
            raise NotBookable(_("A credit note is to be paid back, but no account for payables is set."))
        buyer = document.buyer
        text = f"{document.number} {buyer.name}"[:300]
        item = budget.NewItem(text=text, due_on=document.due_on, product=books.product)
        lines = [budget.Line(books.account, books.product, debit=document.net_cents)]
        if document.tax_cents:
            lines.append(budget.Line(books.tax_account, books.product, debit=document.tax_cents))
        lines.append(budget.Line(books.payable_account, books.product, credit=document.gross_cents, new_item=item))
        return self._post(actor, document, books, lines, now)

    def _shift_tax(
        self, actor: Actor, document: InvoiceDocument, books: Books, now: datetime, *, back: bool = False
    ) -> None:
        """The claim is booked gross on the revenue line; the tax in it is owed to the tax office."""
        debit, credit = (books.tax_account, books.account) if back else (books.account, books.tax_account)
        lines = [
            budget.Line(debit, books.product, debit=document.tax_cents),
            budget.Line(credit, books.product, credit=document.tax_cents),
        ]
        self._post(actor, document, books, lines, now)

    def _post(
        self, actor: Actor, document: InvoiceDocument, books: Books, lines: list[budget.Line], now: datetime
    ) -> str:
        return budget.post_voucher(
            actor,
            ledger=books.ledger,
            year=document.issued_on.year,
            series="KV",
            posting_date=document.issued_on,
            document_date=document.issued_on,
            text=f"{document.number} {document.subject}"[:300],
            lines=lines,
            now=now,
            kind=budget.VoucherKind.TRANSFER,
        ).label


@dataclass
class FakeInvoicing:
    """Keeps what it was given; for tests without books."""

    documents: list[tuple[InvoiceDocument, str | None]] = field(default_factory=list)
    claims: dict[UUID, int] = field(default_factory=dict)

    def issue(
        self,
        actor: Actor,
        *,
        document: InvoiceDocument,
        to_body: str | None,
        books: Books,
        now: datetime,
        takes_back: UUID | None = None,
    ) -> Issued:
        self.documents.append((document, to_body))
        if takes_back is not None:
            self.claims.pop(takes_back)
        if document.kind == "381":
            return Issued(document.number, None, "", f"KV/{len(self.documents)}")
        claim = uuid5(_NAMES, document.number)
        self.claims[claim] = document.gross_cents
        return Issued(document.number, claim, "", f"SO/{len(self.documents)}")
