"""Receiving invoices (Rechnungseingang, ERechVO M-V): taken in byte for byte, checked by the official rules, ready to
be certified.

One way in for everybody: a supplier's file that a clerk uploads and the alliance's invoice that an event brings. What
is taken in is kept as it came, even when it breaks the rules: only then can it be sent back with the reasons.
"""

import base64
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from verbund.modules.budget import policies
from verbund.modules.budget.events import InvoiceReceived
from verbund.modules.budget.gateways import einvoice
from verbund.modules.budget.models import InboundInvoice
from verbund.modules.budget.policies import Permission
from verbund.platform import audit, events, files
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, Invalid, NotFound, new_id


class InboundNotFound(NotFound):
    """There is no such inbound invoice for this actor."""


class ReturnRefused(Invalid):
    """An invoice cannot be sent back like this."""


@dataclass(frozen=True, slots=True)
class InboundRef:
    """A received invoice; `known` when this very file was there before, `duplicate_of` another file of the same
    number from the same supplier."""

    id: UUID
    number: str
    state: str
    known: bool
    duplicate_of: UUID | None


@transaction.atomic
def receive_invoice(
    actor: Actor,
    *,
    content: bytes,
    filename: str,
    now: datetime,
    channel: str = InboundInvoice.Channel.UPLOAD,
    sender: str = "",
    pdf: bytes = b"",
) -> InboundRef:
    """Take an invoice in (Eingangsrechnung): XRechnung in UBL or CII, or ZUGFeRD; `pdf` is what came along to be read.

    The same file again is the same invoice. Another file with the number and supplier of one that is there is taken
    in and marked: it may be a correction, and only people can tell.

    Raises:
        policy.Denied; einvoice.Unreadable, xml.Refused, files.Refused: nothing was taken in.
    """
    policy.require(actor, Permission.RECEIVE_INVOICE)
    said = einvoice.read(content)
    stored = files.put(content, filename=filename, limit=einvoice.MAX_BYTES)
    known = InboundInvoice.objects.filter(content=stored).first()
    if known is not None:
        return InboundRef(known.id, known.number, known.state, True, known.duplicate_of_id)
    xml = stored if said.xml == content else files.put(said.xml, filename=einvoice.EMBEDDED_AS)
    paper = files.put(pdf, filename="invoice.pdf") if pdf else (None if xml is stored else stored)
    seller_key = _seller_key(said)
    earlier = (
        InboundInvoice.objects.filter(seller_key=seller_key, number=said.number[:200])
        .exclude(state=InboundInvoice.State.REFUSED)
        .order_by("id")
        .first()
    )
    row = InboundInvoice.objects.create(
        id=new_id(),
        channel=channel,
        sender=sender,
        filename=files.clean_filename(filename),
        content=stored,
        xml=xml,
        pdf=paper,
        syntax=said.syntax,
        number=said.number[:200],
        type_code=said.type_code[:3],
        seller=said.seller[:400],
        seller_key=seller_key,
        seller_iban=said.seller_iban[:34],
        buyer=said.buyer[:400],
        buyer_reference=said.buyer_reference[:200],
        payment_reference=said.payment_reference[:200],
        preceding=said.preceding[:200],
        issued_on=said.issued_on,
        due_on=said.due_on,
        currency=said.currency[:3],
        net_cents=said.net_cents,
        tax_cents=said.tax_cents,
        gross_cents=said.gross_cents,
        due_cents=said.due_cents,
        lines=[asdict(line) for line in said.lines],
        duplicate_of=earlier,
        received_at=now,
        received_by=actor.name,
    )
    events.publish(actor, InvoiceReceived(row.id))
    audit.record(
        actor,
        "budget.invoice.received",
        "budget.inbound_invoice",
        row.id,
        after={"number": row.number, "seller": row.seller, "gross_cents": row.gross_cents, "content": row.content_id},
    )
    return InboundRef(row.id, row.number, row.state, False, row.duplicate_of_id)


def accept_handover(actor: Actor, *, xml: str, pdf: str, filename: str, sender: str, now: datetime) -> InboundRef:
    """Take in what another body of the installation handed over (Base64): the same way as any supplier's."""
    return receive_invoice(
        actor,
        content=base64.b64decode(xml, validate=True),
        filename=filename,
        channel=InboundInvoice.Channel.ALLIANCE,
        sender=sender,
        pdf=base64.b64decode(pdf, validate=True),
        now=now,
    )


@transaction.atomic
def check_invoice(actor: Actor, *, invoice_id: UUID, now: datetime) -> str:
    """Check an invoice by the official rules; returns its new state. A second check of the same is harmless.

    Raises: policy.Denied, InboundNotFound.
    """
    policy.require(actor, Permission.RECEIVE_INVOICE)
    row = policies.visible_inbound(actor).select_for_update().filter(id=invoice_id).first()
    if row is None:
        raise InboundNotFound(str(invoice_id))
    if row.state != InboundInvoice.State.RECEIVED:
        return row.state
    findings = einvoice.check(files.read(row.xml_id), row.syntax)
    row.findings = [{"rule": f.rule, "text": f.text, "fatal": f.fatal} for f in findings]
    row.state = InboundInvoice.State.INVALID if any(f.fatal for f in findings) else InboundInvoice.State.VALID
    row.checked_at = now
    row.version += 1
    row.save(update_fields=["findings", "state", "checked_at", "version"])
    audit.record(
        actor,
        "budget.invoice.checked",
        "budget.inbound_invoice",
        row.id,
        after={"state": row.state, "rules": [f.rule for f in findings]},
    )
    return row.state


@transaction.atomic
def return_invoice(actor: Actor, *, invoice_id: UUID, reason: str, expected_version: int, now: datetime) -> None:
    """Note that an invoice was sent back to its supplier (Rechnungsrückweisung), with the reason; it stays kept.

    Raises: policy.Denied, InboundNotFound, ReturnRefused (no reason), Conflict (changed in the meantime).
    """
    policy.require(actor, Permission.RECEIVE_INVOICE)
    row = policies.visible_inbound(actor).select_for_update().filter(id=invoice_id).first()
    if row is None:
        raise InboundNotFound(str(invoice_id))
    if not reason.strip() or len(reason) > 300:
        raise ReturnRefused({"reason": _("Say in at most 300 characters why the invoice goes back.")})
    if row.version != expected_version or row.state == InboundInvoice.State.REFUSED:
        raise Conflict(_("Somebody else has changed this invoice in the meantime. Look at the new state."))
    before = row.state
    row.state, row.reason = InboundInvoice.State.REFUSED, reason.strip()
    row.version += 1
    row.save(update_fields=["state", "reason", "version"])
    audit.record(
        actor,
        "budget.invoice.returned",
        "budget.inbound_invoice",
        row.id,
        before={"state": before},
        after={"state": row.state, "reason": row.reason},
    )


def _seller_key(said: einvoice.Received) -> str:
    """The supplier by the VAT number, else by the name, however it is spaced and spelled in capitals."""
    return "".join((said.seller_vat or said.seller).casefold().split())[:400]
