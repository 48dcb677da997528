"""Invoices (Rechnungen) and credit notes (Gutschriften) of a released run, one transaction each; taking one back."""

import dataclasses
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Sum
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from verbund.modules.costsharing import policies
from verbund.modules.costsharing.events import InvoiceIssued
from verbund.modules.costsharing.gateways import (
    Books,
    InvoiceDocument,
    InvoiceLine,
    InvoiceParty,
    TaxLine,
    invoicing,
)
from verbund.modules.costsharing.models import (
    BillingAddress,
    BillingSettings,
    ChargeLine,
    ChargeRun,
    Component,
    Invoice,
    RunKind,
)
from verbund.modules.costsharing.models.sharing import half_up, share
from verbund.modules.costsharing.models.taxes import TREATMENTS, tax_group, tax_sums
from verbund.modules.costsharing.policies import Permission
from verbund.modules.costsharing.queries import Party, parties
from verbund.modules.costsharing.queries.wording import is_whole, levy_way, way_of
from verbund.platform import audit, events
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import NotFound, current_body, local_date, new_id
from verbund.platform.ui.templatetags.ui import cents as euros

from .runs import RunConflict, RunNotFound, RunRefused

# Units of the catalogue as codes of UN/ECE recommendation 20.
UNITS: Final = {"hour": "HUR", "gigabyte": "E34", "person": "IE"}
PIECE: Final = "C62"


class InvoiceNotFound(NotFound):
    """There is no such invoice for this actor."""


def issue_run(actor: Actor, *, run_id: UUID, now: datetime) -> list[UUID]:
    """Issue the invoices of a released run (Rechnungsstellung); those that are out already are left as they are.

    Each invoice is booked as one claim (AL1) in a transaction of its own, so a run that was cut off goes on where it
    stopped. The run counts as issued when the last one is out. Returns the ids of the new invoices.

    Raises:
        policy.Denied, RunNotFound, RunConflict (not released), RunRefused (addresses or settings are missing, all at
        once), and what the budget room refuses.
    """
    policies.require(actor, Permission.ISSUE)
    run = policies.visible_runs(actor).filter(id=run_id).defer("inputs").first()
    if run is None:
        raise RunNotFound(str(run_id))
    if run.state not in (ChargeRun.State.RELEASED, ChargeRun.State.ISSUED):
        raise RunConflict(_("Only a released run can be issued."))
    people = {party.id: party for party in parties(actor)}
    groups: dict[tuple[UUID, str], list[ChargeLine]] = {}
    rows = policies.visible_lines(actor).filter(run=run)
    for line in rows.order_by("member_code", "service_code", "component", "id"):
        if line.cents or line.component == Component.SETTLEMENT:
            groups.setdefault((line.member_id, tax_group(line.treatment)), []).append(line)
    issuer = _Issuer(actor, run, people, {key[0] for key in groups}, now)
    out = set(Invoice.objects.filter(run=run, takes_back=False).values_list("member_id", "tax_group"))
    new = []
    for (member_id, group), lines in groups.items():
        if (member_id, group) not in out and sum(line.cents for line in lines) != 0:
            new += issuer.issue(people[member_id], group, lines)
    _finish(actor, run.id, now)
    return new


@transaction.atomic
def _finish(actor: Actor, run_id: UUID, now: datetime) -> None:
    run = ChargeRun.objects.select_for_update().defer("inputs").get(id=run_id)
    if run.state == ChargeRun.State.RELEASED:
        run.state, run.issued_at = ChargeRun.State.ISSUED, now
        run.save(update_fields=["state", "issued_at"])
        audit.record(actor, "costsharing.run.issued", "costsharing.run", run_id, after={"at": now.isoformat()})


class _Issuer:
    """What all invoices of a run have in common."""

    def __init__(
        self, actor: Actor, run: ChargeRun, people: dict[UUID, Party], wanted: set[UUID], now: datetime
    ) -> None:
        self.actor, self.run, self.now = actor, run, now
        self.today = local_date(now)
        settings = BillingSettings.objects.filter(id=1).first()
        self.addresses = {address.member_id: address for address in BillingAddress.objects.all()}
        missing = sorted(people[member].name for member in wanted if member not in self.addresses)
        reasons = [_("%(name)s: There is no address for invoices.") % {"name": name} for name in missing]
        if settings is None:
            reasons.append(_("It is not set where invoices are booked."))
        if reasons or settings is None:
            raise RunRefused(reasons)
        self.settings, self.books = settings, _books(settings)
        head = current_body().letterhead
        self.seller = InvoiceParty(
            current_body().name, head.get("street", ""), head.get("postcode", ""), head.get("city", "")
        )
        services: Any = ChargeRun.objects.values_list("inputs__services", flat=True).get(id=run.id)
        self.names = {str(s["code"]): str(s["name"]) for s in services}
        self.units = {str(s["code"]): str(s["unit"]) for s in services}
        self.levies = {str(s["code"]): s["levy"] for s in services}

    @transaction.atomic
    def issue(self, member: Party, group: str, lines: list[ChargeLine]) -> list[UUID]:
        """One invoice, or the credit notes that give the amount back: booking, rows, events, audit."""
        with translation.override("de"):
            document = self._document(member, lines)
            parts = [(document, None)] if document.kind == "380" else self._credits(member, group, document)
        return [
            _book(
                self.actor, self.run, member, group, part, self.books, self.now, preceding=preceding, number=number
            ).id
            for number, (part, preceding) in enumerate(parts)
        ]

    def _credits(
        self, member: Party, group: str, document: InvoiceDocument
    ) -> list[tuple[InvoiceDocument, Invoice | None]]:
        """A credit goes back to invoices of the year, the newest first, to each with no more than is left of it."""
        invoices = Invoice.objects.filter(
            run__year=self.run.year, member_id=member.id, tax_group=group, kind=Invoice.Kind.INVOICE
        )
        left: list[tuple[Invoice, int]] = []
        for invoice in invoices.order_by("-issued_on", "-number"):
            given = Invoice.objects.filter(preceding=invoice).aggregate(n=Sum("net_cents"))["n"] or 0
            if invoice.net_cents > given:
                left.append((invoice, invoice.net_cents - given))
        if sum(cents for _invoice, cents in left) < document.net_cents:
            raise RunRefused(
                [_("%(name)s: More is to be given back than was billed in the year.") % {"name": member.name}]
            )
        if left[0][1] >= document.net_cents:
            return [(dataclasses.replace(document, corrects=left[0][0].number), left[0][0])]
        parts: list[tuple[InvoiceDocument, Invoice | None]] = []
        rest = document.net_cents
        for invoice, cents in left:
            amount = min(cents, rest)
            if amount:
                parts.append((self._part_of(document, amount, invoice.number), invoice))
            rest -= amount
        return parts

    def _part_of(self, document: InvoiceDocument, cents: int, corrects: str) -> InvoiceDocument:
        """A part of a credit, its lines cut in proportion."""
        weights = {f"{line.number:06d}": line.net_cents for line in document.lines if line.net_cents > 0}
        shares = share(cents, weights)
        lines = tuple(
            dataclasses.replace(line, quantity=Decimal(1), unit=PIECE, unit_price=Decimal(part) / 100, net_cents=part)
            for line in document.lines
            if (part := shares.get(f"{line.number:06d}", 0))
        )
        sums = [(line.category, line.rate, line.net_cents) for line in lines]
        taxes = tuple(
            TaxLine(t.category, t.rate, net, half_up(Fraction(net * t.rate, 100)), t.reason)
            for t in document.taxes
            if (net := sum(c for category, rate, c in sums if (category, rate) == (t.category, t.rate)))
        )
        tax = sum(t.tax_cents for t in taxes)
        return dataclasses.replace(
            document,
            lines=lines,
            taxes=taxes,
            net_cents=cents,
            tax_cents=tax,
            gross_cents=cents + tax,
            corrects=corrects,
        )

    def _document(self, member: Party, lines: list[ChargeLine]) -> InvoiceDocument:
        sign = 1 if sum(line.cents for line in lines) > 0 else -1
        shown = tuple(self._line(number, line, sign) for number, line in enumerate(lines, 1))
        sums = tax_sums((line.treatment, line.cents * sign) for line in lines)
        taxes: dict[tuple[str, int], TaxLine] = {}
        for part in sums:
            treatment = TREATMENTS[part.treatment]
            known = taxes.get((treatment.category, part.rate), TaxLine(treatment.category, part.rate, 0, 0, ""))
            reason = "; ".join(r for r in (known.reason, treatment.reason) if r)
            taxes[treatment.category, part.rate] = TaxLine(
                treatment.category,
                part.rate,
                known.net_cents + part.net_cents,
                known.tax_cents + part.tax_cents,
                reason,
            )
        net, tax = sum(t.net_cents for t in taxes.values()), sum(t.tax_cents for t in taxes.values())
        address = self.addresses[member.id]
        return InvoiceDocument(
            kind="380" if sign > 0 else "381",
            issued_on=self.today,
            due_on=self.today + timedelta(days=self.settings.days_to_pay),
            seller=self.seller,
            buyer=InvoiceParty(
                member.name, address.street, address.postcode, address.city, address.email, key=member.code
            ),
            leitweg_id=address.leitweg_id,
            first_day=self.run.period_start,
            last_day=self.run.period_end,
            lines=shown,
            taxes=tuple(taxes[key] for key in sorted(taxes)),
            net_cents=net,
            tax_cents=tax,
            gross_cents=net + tax,
            subject=_subject(self.run, sign),
            notes=self._notes(lines),
        )

    def _line(self, number: int, line: ChargeLine, sign: int) -> InvoiceLine:
        cents = line.cents * sign
        quantity, price = Decimal(1 if cents >= 0 else -1), Decimal(abs(cents)) / 100
        unit = PIECE
        if line.quantity is not None and line.price_euros is not None and cents >= 0:
            # A part of a year is no quantity anybody counts: its way stands in the description, the amount as one.
            exact = is_whole(line) and line.quantity * line.price_euros * 100 == cents
            if exact and line.quantity:
                quantity, price = line.quantity.normalize(), line.price_euros.normalize()
                unit = UNITS.get(self.units.get(line.service_code, ""), PIECE)
        treatment = TREATMENTS[line.treatment]
        return InvoiceLine(
            number,
            self.names.get(line.service_code, line.service_code)[:200],
            self._description(line),
            quantity,
            unit,
            price,
            cents,
            treatment.category,
            treatment.rate,
            line.period_start,
            line.period_end,
        )

    def _description(self, line: ChargeLine) -> str:
        days = f"{line.period_start:%d.%m.%Y}–{line.period_end:%d.%m.%Y}"
        kind = str(line.get_component_display())
        if line.component == Component.SETTLEMENT:
            return _("%(kind)s: cost %(final)s, paid in advance %(paid)s; %(days)s") % {
                "kind": kind,
                "final": euros(line.final_cents),
                "paid": euros(line.advance_cents),
                "days": days,
            }
        way = way_of(line, self.units.get(line.service_code, "")) or levy_way(line, self.levies.get(line.service_code))
        if way:
            return _("%(kind)s: %(way)s; %(days)s") % {"kind": kind, "way": way, "days": days}
        if line.subsidy_cents:
            return _("%(kind)s: %(text)s; subsidy in it %(subsidy)s, own share %(own)s; %(days)s") % {
                "kind": kind,
                "text": line.text,
                "subsidy": euros(line.subsidy_cents),
                "own": euros(line.cents - line.subsidy_cents),
                "days": days,
            }
        return "; ".join(part for part in (f"{kind}: {line.text}" if line.text else kind, days) if part)

    def _notes(self, lines: list[ChargeLine]) -> tuple[str, ...]:
        subsidy = sum(line.subsidy_cents for line in lines)
        total = sum(line.cents for line in lines)
        if not subsidy:
            return ()
        return (
            _("Of the net amount %(subsidy)s are a subsidy that is passed on and %(own)s the own share.")
            % {"subsidy": euros(subsidy), "own": euros(total - subsidy)},
        )


def _subject(run: ChargeRun, sign: int) -> str:
    if run.kind == RunKind.SETTLEMENT:
        return (
            pgettext("invoice", "Settlement of %(year)d") if sign > 0 else pgettext("invoice", "Credit from %(year)d")
        ) % {"year": run.year}
    return pgettext("invoice", "Advance for %(start)s to %(end)s") % {
        "start": f"{run.period_start:%d.%m.%Y}",
        "end": f"{run.period_end:%d.%m.%Y}",
    }


def _books(settings: BillingSettings) -> Books:
    return Books(settings.ledger, settings.product, settings.account, settings.tax_account)


def _book(
    actor: Actor,
    run: ChargeRun,
    member: Party,
    group: str,
    document: InvoiceDocument,
    books: Books,
    now: datetime,
    *,
    preceding: Invoice | None = None,
    takes_back: bool = False,
    number: int = 0,
) -> Invoice:
    invoice_id = new_id()
    origin = f"costsharing.run:{run.id}:{member.id}:{group}:{number}" + (":back" if takes_back else "")
    document = dataclasses.replace(document, origin=origin)
    if preceding is None:
        issued = invoicing().issue(actor, document=document, to_body=member.schema_name, books=books, now=now)
    else:
        issued = invoicing().credit(actor, document=document, goes_back_to=preceding.booked_id, books=books, now=now)
    document = dataclasses.replace(document, number=issued.number, payment_reference=issued.payment_reference)
    row = Invoice.objects.create(
        id=invoice_id,
        run=run,
        number=issued.number,
        kind=Invoice.Kind.INVOICE if document.kind == "380" else Invoice.Kind.CREDIT,
        member_id=member.id,
        member_code=member.code,
        member_name=member.name,
        tax_group=group,
        issued_on=document.issued_on,
        due_on=document.due_on,
        net_cents=document.net_cents,
        tax_cents=document.tax_cents,
        gross_cents=document.gross_cents,
        claim_id=issued.claim_id,
        booked_id=issued.id,
        payment_reference=issued.payment_reference,
        preceding=preceding,
        takes_back=takes_back,
        part=number,
        document=as_values(document),
        xml_sha256=issued.xml_sha256,
        pdf_sha256=issued.pdf_sha256,
        handed_over_at=now if issued.handed_over else None,
    )
    events.publish(actor, InvoiceIssued(row.id, row.number, row.member_id, document.gross_cents, document.due_on))
    audit.record(
        actor,
        "costsharing.invoice.issued",
        "costsharing.invoice",
        row.id,
        after={"number": row.number, "member": member.code, "gross": row.gross_cents, "claim": str(row.claim_id or "")},
    )
    return row


def as_values(document: InvoiceDocument) -> dict[str, Any]:
    """The document as JSON values, as it stays with the invoice."""
    return {key: _json(value) for key, value in dataclasses.asdict(document).items()}


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _json(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_json(part) for part in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return value


def document_of(invoice: Invoice) -> InvoiceDocument:
    """The document of an issued invoice, from its values."""
    values = dict(invoice.document)

    def days(part: dict[str, Any]) -> dict[str, Any]:
        return {k: date.fromisoformat(v) if k in _DAYS else Decimal(v) if k in _NUMBERS else v for k, v in part.items()}

    values["lines"] = tuple(InvoiceLine(**days(line)) for line in values["lines"])
    values["taxes"] = tuple(TaxLine(**line) for line in values["taxes"])
    values["seller"], values["buyer"] = InvoiceParty(**values["seller"]), InvoiceParty(**values["buyer"])
    values["notes"] = tuple(values["notes"])
    return InvoiceDocument(**days(values))


_DAYS: Final = {"issued_on", "due_on", "first_day", "last_day"}
_NUMBERS: Final = {"quantity", "unit_price"}


@transaction.atomic
def credit_invoice(actor: Actor, *, invoice_id: UUID, reason: str, now: datetime) -> UUID:
    """Take an invoice back as a whole by a credit note (Storno); a settlement then reckons as if it were not issued.

    What was paid on it becomes a debt of the alliance (the budget room's credit note). Raises policy.Denied,
    InvoiceNotFound, RunRefused (no reason), RunConflict (a credit note, taken back already, or credited in part).
    """
    policies.require(actor, Permission.ISSUE)
    invoice = policies.visible_invoices(actor).select_for_update(of=("self",)).filter(id=invoice_id).first()
    if invoice is None:
        raise InvoiceNotFound(str(invoice_id))
    if not reason.strip() or len(reason) > 200:
        raise RunRefused([_("Say in at most 200 characters why.")])
    if invoice.kind != Invoice.Kind.INVOICE:
        raise RunConflict(_("A credit note is not taken back; charge the amount in the next run."))
    if Invoice.objects.filter(preceding=invoice).exists():
        raise RunConflict(_("The invoice has been taken back or credited already."))
    with translation.override("de"):
        subject = pgettext("invoice", "Credit note for %(number)s: %(reason)s") % {
            "number": invoice.number,
            "reason": reason.strip(),
        }
    document = dataclasses.replace(
        document_of(invoice),
        kind="381",
        issued_on=local_date(now),
        due_on=local_date(now),
        subject=subject,
        corrects=invoice.number,
        number="",
        payment_reference="",
    )
    member = next(party for party in parties(actor) if party.id == invoice.member_id)
    run = ChargeRun.objects.defer("inputs").get(id=invoice.run_id)
    row = _book(
        actor,
        run,
        member,
        invoice.tax_group,
        document,
        _books(BillingSettings.objects.get(id=1)),
        now,
        preceding=invoice,
        takes_back=True,
        number=invoice.part,
    )
    return row.id
