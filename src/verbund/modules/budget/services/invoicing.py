"""Issuing invoices (Rechnungsstellung): claim, XRechnung and the paper for people, in one transaction.

The claim is the sum of the invoice (AL1): nobody books what was not billed, and nobody bills what was not booked. A
buyer inside the installation gets the invoice by an event addressed to it, and takes it in like any supplier's.
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from verbund.modules.budget import policies
from verbund.modules.budget.events import InvoiceHandedOver, InvoiceIssued
from verbund.modules.budget.gateways import einvoice
from verbund.modules.budget.gateways.einvoice import (
    Buyer,
    Invoice,
    InvoiceLine,
    InvoiceRefused,
    Seller,
    TaxTreatment,
    TypeCode,
)
from verbund.modules.budget.models import (
    Account,
    AccountRole,
    BankAccount,
    InvoiceCounter,
    Ledger,
    OpenItem,
    OutgoingInvoice,
    VoucherKind,
)
from verbund.modules.budget.policies import Permission
from verbund.platform import audit, events, files, printing
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, NotFound, current_body, local_date, new_id

from .books import Draft, Line, NewItem, find_ledger
from .claims import ClaimRef, Party, Tax, raise_claim
from .posting import post

SERIES = "GU"
"""Credit notes (Gutschriften) have a series of vouchers of their own."""


class InvoiceNotFound(NotFound):
    """There is no such invoice for this actor."""


class AlreadyInvoiced(Conflict):
    """For this matter an invoice with another amount was issued already."""


@dataclass(frozen=True, slots=True)
class InvoiceDraft:
    """What is to be billed (Rechnungsentwurf).

    Args:
        product, account: the revenue line of this year's plan that everything is booked on.
        buyer_body: schema of a body of this installation, which gets the invoice at once; else empty.
        tax_account: the account of VAT owed; needed as soon as a line is taxed.
        start, end: the period of the supplies; VAT follows it, not the day of the invoice (VAT4).
    """

    product: str
    account: str
    buyer: Buyer
    lines: Sequence[InvoiceLine]
    due_on: date
    subject: str
    type_code: TypeCode = TypeCode.INVOICE
    buyer_body: str = ""
    untaxed_reason: str = ""
    tax_account: str = ""
    start: date | None = None
    end: date | None = None
    contract: str = ""
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class InvoiceRef:
    """An issued invoice; `claim_id` and `payment_reference` are empty for a credit note."""

    id: UUID
    number: str
    claim_id: UUID | None
    payment_reference: str
    gross_cents: int
    xml_sha256: str
    pdf_sha256: str


@transaction.atomic
def issue_invoice(actor: Actor, *, ledger: str, draft: InvoiceDraft, origin: str, now: datetime) -> InvoiceRef:
    """Issue an invoice (Ausgangsrechnung) and book its claim; the same `origin` again gives the same invoice.

    Raises:
        policy.Denied: without the permission, and for everybody with a treasury role (A2).
        LedgerNotFound, InvoiceRefused (a message per field), ClaimRefused, PeriodClosed, AlreadyInvoiced.
    """
    policies.require_ordering(actor, Permission.ISSUE_INVOICE)
    books = find_ledger(ledger)
    if draft.type_code is TypeCode.CREDIT_NOTE:
        raise InvoiceRefused({"type_code": _("A credit note goes back to an invoice. Issue it there.")})
    counter = _counter(books, local_date(now).year)
    invoice = _invoice(books, draft, number=_next(books, counter), today=local_date(now))
    if (known := _known(origin, books, invoice.gross_cents)) is not None:
        return known
    if invoice.gross_cents <= 0:
        raise InvoiceRefused({"lines": _("An invoice asks for more than nothing.")})
    claim = raise_claim(
        actor,
        ledger=ledger,
        product=draft.product,
        account=draft.account,
        cents=invoice.gross_cents,
        debtor=Party(draft.buyer.name, draft.buyer.street, draft.buyer.postcode, draft.buyer.city, draft.buyer_body),
        due_on=draft.due_on,
        text=f"{invoice.number} {draft.subject}"[:300],
        origin=origin,
        purpose="invoice",
        tax=_tax(draft, invoice),
        now=now,
    )
    invoice = replace(invoice, payment_reference=claim.payment_reference)
    return _write(actor, books, draft, invoice, counter, origin, now, claim=claim, voucher=claim.voucher_label)


@transaction.atomic
def issue_credit_note(
    actor: Actor, *, invoice_id: UUID, lines: Sequence[InvoiceLine], subject: str, origin: str, now: datetime
) -> InvoiceRef:
    """Issue a credit note (Gutschrift, Rechnungskorrektur) on an invoice; `lines` carry what is given back, above zero.

    What is still open on the claim goes down by it; what is already paid becomes a liability, to be paid out.

    Raises:
        policy.Denied, InvoiceNotFound, InvoiceRefused (more than was billed, ...), PeriodClosed, AlreadyInvoiced.
    """
    policies.require_ordering(actor, Permission.ISSUE_INVOICE)
    billed = (
        policies.visible_outgoing(actor)
        .select_related("ledger", "claim__line__product", "claim__line__account")
        .filter(id=invoice_id, claim__isnull=False)
        .first()
    )
    if billed is None or billed.claim is None:
        raise InvoiceNotFound(str(invoice_id))
    item = OpenItem.objects.select_for_update().select_related("account").get(id=billed.claim.item_id)
    draft = _draft_of(billed, lines, subject)
    today = local_date(now)
    counter = _counter(billed.ledger, today.year)
    number = _next(billed.ledger, counter)
    invoice = _invoice(billed.ledger, draft, number=number, today=today, preceding=(billed.number, billed.issued_on))
    if (known := _known(origin, billed.ledger, invoice.gross_cents)) is not None:
        return known
    given = sum(OutgoingInvoice.objects.filter(preceding=billed).values_list("gross_cents", flat=True))
    if not 0 < invoice.gross_cents <= billed.gross_cents - given:
        raise InvoiceRefused({"lines": _("A credit note gives back more than nothing and not more than was billed.")})
    invoice = replace(invoice, payment_reference=item.payment_reference or "")
    voucher = post(actor, ledger=billed.ledger, drafts=[_credit(draft, invoice, item)], now=now)[0]
    return _write(actor, billed.ledger, draft, invoice, counter, origin, now, preceding=billed, voucher=voucher.label)


def _counter(ledger: Ledger, year: int) -> InvoiceCounter:
    """The counter of the year, locked: who issues next waits, so that numbers have no gaps, whatever is rolled back."""
    InvoiceCounter.objects.get_or_create(ledger=ledger, year=year, defaults={"id": new_id()})
    return InvoiceCounter.objects.select_for_update().get(ledger=ledger, year=year)


def _next(ledger: Ledger, counter: InvoiceCounter) -> str:
    return f"{ledger.code}-{counter.year}-{counter.last_no + 1:06d}"


def _known(origin: str, ledger: Ledger, gross_cents: int) -> InvoiceRef | None:
    if not origin:
        raise InvoiceRefused({"origin": _("An invoice belongs to a matter.")})
    row = OutgoingInvoice.objects.filter(origin=origin).select_related("claim__item").first()
    if row is None:
        return None
    if (row.ledger_id, row.gross_cents) != (ledger.id, gross_cents):
        raise AlreadyInvoiced(_("For this matter an invoice with another amount was issued. Credit it first."))
    return _ref(row, (row.claim.item.payment_reference or "") if row.claim else "")


def _ref(row: OutgoingInvoice, payment_reference: str) -> InvoiceRef:
    return InvoiceRef(row.id, row.number, row.claim_id, payment_reference, row.gross_cents, row.xml_id, row.pdf_id)


def _seller(ledger: Ledger) -> Seller:
    """The body as the seller, from its letterhead and the ledger's first bank account."""
    body = current_body()
    head = printing.Letterhead.of(body)
    bank = BankAccount.objects.filter(ledger=ledger).order_by("created_at").first()
    return Seller(
        name=body.name,
        street=head.street,
        postcode=head.postcode,
        city=head.city,
        contact=head.unit or head.head or body.name,
        phone=head.phone,
        email=head.email,
        iban=bank.iban if bank else "",
        registration=body.letterhead.get("registration", "") or body.slug,
        vat_id=body.letterhead.get("vat_id", ""),
        tax_number=body.letterhead.get("tax_number", ""),
    )


def _invoice(
    ledger: Ledger,
    draft: InvoiceDraft,
    *,
    number: str,
    today: date,
    preceding: tuple[str, date | None] | None = None,
) -> Invoice:
    seller = _seller(ledger)
    if all(line.treatment is TaxTreatment.OUTSIDE for line in draft.lines):
        seller = replace(seller, vat_id="")  # BR-O-02: outside the tax no VAT number stands on the invoice
    return Invoice(
        number=number,
        issued_on=today,
        due_on=draft.due_on,
        seller=seller,
        buyer=draft.buyer,
        lines=tuple(draft.lines),
        payment_reference="",
        type_code=draft.type_code,
        untaxed_reason=draft.untaxed_reason,
        start=draft.start,
        end=draft.end,
        preceding=preceding,
        contract=draft.contract,
        notes=tuple(draft.notes),
    )


def _tax(draft: InvoiceDraft, invoice: Invoice) -> Tax | None:
    if not invoice.tax_cents:
        return None
    if not draft.tax_account:
        raise InvoiceRefused({"tax_account": _("Name the account on which the VAT is owed.")})
    return Tax(draft.tax_account, invoice.tax_cents)


def _draft_of(billed: OutgoingInvoice, lines: Sequence[InvoiceLine], subject: str) -> InvoiceDraft:
    """The draft of a credit note: buyer, reason and accounts are those of the invoice it goes back to."""
    assert billed.claim is not None
    return InvoiceDraft(
        product=billed.claim.line.product.code,
        account=billed.claim.line.account.code,
        buyer=Buyer(**billed.buyer_facts),
        buyer_body=billed.buyer_body,
        lines=tuple(lines),
        due_on=billed.due_on,
        subject=subject,
        type_code=TypeCode.CREDIT_NOTE,
        untaxed_reason=billed.untaxed_reason,
        tax_account=billed.tax_account,
    )


def _credit(draft: InvoiceDraft, invoice: Invoice, item: OpenItem) -> Draft:
    """The voucher of a credit note: revenue and VAT go back, the claim goes down, the rest is owed to the buyer."""
    tax = _tax(draft, invoice)
    off_claim = min(item.open_cents, invoice.gross_cents)
    rest = invoice.gross_cents - off_claim
    lines = [Line(draft.account, draft.product, debit=invoice.net_cents)]
    if tax is not None:
        lines.append(Line(tax.account, draft.product, debit=tax.cents))
    if off_claim:
        lines.append(Line(item.account.code, draft.product, credit=off_claim, open_item=item.id))
    if rest:
        payable = Account.objects.filter(ledger=item.ledger_id, role=AccountRole.PAYABLE).order_by("code").first()
        if payable is None:
            raise InvoiceRefused({"ledger": _("The chart of accounts has no account for payables.")})
        owed = NewItem(
            text=f"{invoice.number} {draft.subject}"[:300],
            party=item.party_id,
            due_on=invoice.issued_on,
            product=draft.product,
        )
        lines.append(Line(payable.code, draft.product, credit=rest, new_item=owed))
    return Draft(
        year=invoice.issued_on.year,
        series=SERIES,
        posting_date=invoice.issued_on,
        document_date=invoice.issued_on,
        kind=VoucherKind.ASSESSMENT,
        text=f"{invoice.number} {draft.subject}"[:300],
        lines=tuple(lines),
    )


def _write(
    actor: Actor,
    ledger: Ledger,
    draft: InvoiceDraft,
    invoice: Invoice,
    counter: InvoiceCounter,
    origin: str,
    now: datetime,
    *,
    voucher: str,
    claim: ClaimRef | None = None,
    preceding: OutgoingInvoice | None = None,
) -> InvoiceRef:
    """The documents, the row, and the way to the buyer."""
    xml = einvoice.ubl(invoice)
    pdf = einvoice.hybrid(_paper(draft, invoice))
    stored_xml, stored_pdf = files.put_many([(xml, f"{invoice.number}.xml"), (pdf, f"{invoice.number}.pdf")])
    InvoiceCounter.objects.filter(id=counter.id).update(last_no=counter.last_no + 1)
    row = OutgoingInvoice.objects.create(
        id=new_id(),
        ledger=ledger,
        number=invoice.number,
        type_code=invoice.type_code,
        issued_on=invoice.issued_on,
        due_on=invoice.due_on,
        buyer=invoice.buyer.name,
        buyer_facts=asdict(invoice.buyer),
        buyer_body=draft.buyer_body,
        untaxed_reason=invoice.untaxed_reason,
        tax_account=draft.tax_account,
        net_cents=invoice.net_cents,
        tax_cents=invoice.tax_cents,
        gross_cents=invoice.gross_cents,
        claim_id=claim.id if claim else None,
        preceding=preceding,
        voucher_label=voucher,
        origin=origin,
        xml=stored_xml,
        pdf=stored_pdf,
        issued_at=now,
        issued_by=actor.name,
    )
    events.publish(actor, InvoiceIssued(row.id, origin, row.number, row.gross_cents, row.claim_id))
    if draft.buyer_body:
        events.publish(
            actor,
            InvoiceHandedOver(
                number=row.number,
                sender=invoice.seller.name,
                filename=f"{row.number}.xml",
                xml=base64.b64encode(xml).decode(),
                pdf=base64.b64encode(pdf).decode(),
            ),
            to_body=draft.buyer_body,
        )
    audit.record(
        actor,
        "budget.invoice.issued",
        "budget.invoice",
        row.id,
        after={
            "number": row.number,
            "type": row.type_code,
            "gross_cents": row.gross_cents,
            "buyer": row.buyer,
            "voucher": voucher,
            "xml": row.xml_id,
            "pdf": row.pdf_id,
        },
    )
    return _ref(row, claim.payment_reference if claim else "")


def _paper(draft: InvoiceDraft, invoice: Invoice) -> bytes:
    """The invoice as a letter, PDF/A-3 with the twin for machines inside."""
    with translation.override("de"):
        return printing.letter(
            "printing/letter.typ",
            {
                "subject": f"{_title(invoice)} {invoice.number}: {draft.subject}",
                "date": invoice.issued_on,
                "recipient": [
                    invoice.buyer.name,
                    invoice.buyer.street,
                    f"{invoice.buyer.postcode} {invoice.buyer.city}",
                ],
                "reference": invoice.number,
                "your_reference": invoice.buyer.reference,
                "paragraphs": list(_paragraphs(invoice)),
                "payment": None if invoice.type_code is TypeCode.CREDIT_NOTE else _payment(invoice),
                "enclosures": [],
            },
            attached=printing.Attached(
                einvoice.EMBEDDED_AS, "text/xml", einvoice.cii(invoice).decode(), _("Invoice as XRechnung (CII)")
            ),
        )


def _title(invoice: Invoice) -> str:
    return {
        TypeCode.INVOICE: _("Invoice"),
        TypeCode.CREDIT_NOTE: _("Credit note"),
        TypeCode.CORRECTED: _("Corrected invoice"),
        TypeCode.PARTIAL: _("Invoice for an advance"),
    }[invoice.type_code]


def _payment(invoice: Invoice) -> printing.Payment:
    return printing.Payment(
        payee=invoice.seller.name,
        iban=invoice.seller.iban,
        cents=invoice.due_cents,
        reference=invoice.payment_reference,
        due_on=invoice.due_on,
    )


def _paragraphs(invoice: Invoice) -> Iterator[Any]:
    facts = []
    if invoice.start and invoice.end:
        facts.append((_("Period"), f"{invoice.start:%d.%m.%Y} – {invoice.end:%d.%m.%Y}"))
    if invoice.contract:
        facts.append((_("Contract"), invoice.contract))
    if invoice.preceding:
        facts.append((_("For the invoice"), invoice.preceding[0]))
    if facts:
        yield {"facts": facts}
    yield {
        "table": {
            "columns": [
                {"title": _("Service"), "wide": True},
                {"title": _("Quantity"), "align": "right"},
                {"title": _("Price"), "align": "right"},
                {"title": _("Amount"), "align": "right"},
            ],
            "rows": [_row(line) for line in invoice.lines],
            "total": [_("Net amount"), "", "", printing.euro(invoice.net_cents)],
        }
    }
    sums = [
        (_("VAT %(rate)s %%") % {"rate": f"{tax.rate:n}"}, printing.euro(tax.tax_cents))
        for tax in invoice.taxes
        if tax.tax_cents
    ]
    if invoice.untaxed_reason:
        sums.append((_("VAT"), invoice.untaxed_reason))
    yield {"facts": [*sums, (_("Amount of the invoice"), printing.euro(invoice.gross_cents))]}
    yield from (note for note in invoice.notes if note.strip())


def _row(line: InvoiceLine) -> list[str]:
    quantity, price = line.shown
    name = "\n".join(part for part in (line.name, line.description, _span(line)) if part)
    return [
        name,
        f"{quantity.normalize():f}".replace(".", ","),
        _price(price),
        printing.euro(line.net_cents),
    ]


def _price(price: Decimal) -> str:
    """To the cent, and further where the price goes further: quantity times what is read here is the amount."""
    exponent = price.normalize().as_tuple().exponent
    further = f"{price:.{-exponent}f}".partition(".")[2][2:] if isinstance(exponent, int) and exponent < -2 else ""
    return printing.euro(int(price * 100)).replace("\u00a0", f"{further}\u00a0")


def _span(line: InvoiceLine) -> str:
    return f"{line.start:%d.%m.%Y} – {line.end:%d.%m.%Y}" if line.start and line.end else ""
