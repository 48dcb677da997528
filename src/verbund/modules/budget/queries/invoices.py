"""Reads of electronic invoices, written and received."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from verbund.modules.budget import policies
from verbund.modules.budget.models import InboundInvoice, OutgoingInvoice
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import NotFound


class InvoiceUnknown(NotFound):
    """There is no such invoice for this actor."""


@dataclass(frozen=True, slots=True)
class OutgoingRow:
    """Outgoing invoice (Ausgangsrechnung) in a list; amounts in cents."""

    id: UUID
    number: str
    type_code: str
    issued_on: date
    due_on: date
    buyer: str
    net_cents: int
    tax_cents: int
    gross_cents: int
    claim_id: UUID | None
    claim_state: str
    preceding: str
    voucher_label: str
    handed_over: bool
    xml_sha256: str
    pdf_sha256: str
    origin: str


@dataclass(frozen=True, slots=True)
class InboundRow:
    """Inbound invoice (Eingangsrechnung) in a list; amounts in cents."""

    id: UUID
    number: str
    type_code: str
    seller: str
    issued_on: date
    due_on: date | None
    gross_cents: int
    due_cents: int
    state: str
    state_label: str
    channel: str
    is_duplicate: bool
    received_at: datetime


@dataclass(frozen=True, slots=True)
class InboundLine:
    """Line of an inbound invoice (Rechnungsposition); quantity and rate as the supplier wrote them."""

    name: str
    quantity: str
    unit: str
    net_cents: int
    category: str
    rate: str


@dataclass(frozen=True, slots=True)
class InboundView:
    """Everything about an inbound invoice: what it says, what the rules say, and where the original is."""

    row: InboundRow
    filename: str
    sender: str
    buyer: str
    buyer_reference: str
    seller_iban: str
    payment_reference: str
    preceding: str
    currency: str
    net_cents: int
    tax_cents: int
    lines: tuple[InboundLine, ...]
    findings: tuple[tuple[str, str, bool], ...]
    duplicate_of: UUID | None
    reason: str
    received_by: str
    checked_at: datetime | None
    sha256: str
    pdf_sha256: str
    version: int


def outgoing_invoices(
    actor: Actor, ledger: str, *, after: UUID | None = None, limit: int = 50
) -> tuple[list[OutgoingRow], UUID | None]:
    """Invoices a ledger wrote, newest first, and the cursor of the next page."""
    rows = policies.visible_outgoing(actor).filter(ledger__code=ledger).select_related("claim", "preceding")
    if after is not None:
        rows = rows.filter(id__lt=after)
    found = list(rows.order_by("-id")[: limit + 1])
    return [_outgoing(row) for row in found[:limit]], found[limit - 1].id if len(found) > limit else None


def outgoing_invoice(actor: Actor, invoice_id: UUID) -> OutgoingRow:
    """One outgoing invoice. Raises: InvoiceUnknown."""
    row = policies.visible_outgoing(actor).select_related("claim", "preceding").filter(id=invoice_id).first()
    if row is None:
        raise InvoiceUnknown(str(invoice_id))
    return _outgoing(row)


def invoices_by_origin(actor: Actor, origins: list[str]) -> dict[str, OutgoingRow]:
    """The invoices of these matters, by their origin."""
    rows = policies.visible_outgoing(actor).filter(origin__in=origins).select_related("claim", "preceding")
    return {row.origin: _outgoing(row) for row in rows}


def inbound_invoices(
    actor: Actor, *, state: str = "", text: str = "", after: UUID | None = None, limit: int = 50
) -> tuple[list[InboundRow], UUID | None]:
    """Received invoices, newest first, and the cursor of the next page; `text` is found in number and supplier."""
    rows = policies.visible_inbound(actor)
    if state:
        rows = rows.filter(state=state)
    if text:
        rows = rows.filter(number__icontains=text) | rows.filter(seller__icontains=text)
    if after is not None:
        rows = rows.filter(id__lt=after)
    found = list(rows.order_by("-id")[: limit + 1])
    return [_inbound(row) for row in found[:limit]], found[limit - 1].id if len(found) > limit else None


def inbound_invoice(actor: Actor, invoice_id: UUID) -> InboundView:
    """One received invoice with its lines, as the kept original says them. Raises: InvoiceUnknown."""
    row = policies.visible_inbound(actor).filter(id=invoice_id).first()
    if row is None:
        raise InvoiceUnknown(str(invoice_id))
    return InboundView(
        row=_inbound(row),
        filename=row.filename,
        sender=row.sender,
        buyer=row.buyer,
        buyer_reference=row.buyer_reference,
        seller_iban=row.seller_iban,
        payment_reference=row.payment_reference,
        preceding=row.preceding,
        currency=row.currency,
        net_cents=row.net_cents,
        tax_cents=row.tax_cents,
        lines=tuple(InboundLine(**line) for line in row.lines),
        findings=tuple((f["rule"], f["text"], f["fatal"]) for f in row.findings),
        duplicate_of=row.duplicate_of_id,
        reason=row.reason,
        received_by=row.received_by,
        checked_at=row.checked_at,
        sha256=row.content_id,
        pdf_sha256=row.pdf_id or "",
        version=row.version,
    )


def _outgoing(row: OutgoingInvoice) -> OutgoingRow:
    return OutgoingRow(
        id=row.id,
        number=row.number,
        type_code=row.type_code,
        issued_on=row.issued_on,
        due_on=row.due_on,
        buyer=row.buyer,
        net_cents=row.net_cents,
        tax_cents=row.tax_cents,
        gross_cents=row.gross_cents,
        claim_id=row.claim_id,
        claim_state=row.claim.state if row.claim else "",
        preceding=row.preceding.number if row.preceding else "",
        voucher_label=row.voucher_label,
        handed_over=bool(row.buyer_body),
        xml_sha256=row.xml_id,
        pdf_sha256=row.pdf_id,
        origin=row.origin,
    )


def _inbound(row: InboundInvoice) -> InboundRow:
    return InboundRow(
        id=row.id,
        number=row.number,
        type_code=row.type_code,
        seller=row.seller,
        issued_on=row.issued_on,
        due_on=row.due_on,
        gross_cents=row.gross_cents,
        due_cents=row.due_cents,
        state=row.state,
        state_label=str(row.get_state_display()),
        channel=row.channel,
        is_duplicate=row.duplicate_of_id is not None,
        received_at=row.received_at,
    )
