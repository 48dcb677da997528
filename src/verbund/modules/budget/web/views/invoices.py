"""Electronic invoices: those that came in, and those a ledger wrote."""

from uuid import UUID

from django.http import FileResponse, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from verbund.modules.budget import queries, services
from verbund.modules.budget.policies import Permission
from verbund.modules.budget.web.forms import InboundFilter, InvoiceForm, ReturnForm
from verbund.modules.budget.web.frame import Cursor, frame, uuid_or_none
from verbund.platform import files
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import Conflict, Invalid, now
from verbund.platform.ui import notices

_LIMIT = 20_000_001
_TONES = {"received": "info", "valid": "success", "invalid": "warning", "refused": "neutral"}


# Codes that stand on most invoices, in words: UN/ECE recommendation 20 for units, UNTDID 5305 for VAT.
UNITS = {
    "C62": gettext_lazy("piece(s)"),
    "H87": gettext_lazy("piece(s)"),
    "HUR": gettext_lazy("hour(s)"),
    "DAY": gettext_lazy("day(s)"),
    "MON": gettext_lazy("month(s)"),
    "ANN": gettext_lazy("year(s)"),
    "IE": gettext_lazy("person(s)"),
    "E34": gettext_lazy("gigabyte"),
    "LS": gettext_lazy("flat rate"),
}
VAT = {
    "O": gettext_lazy("not taxable"),
    "E": gettext_lazy("exempt"),
    "AE": gettext_lazy("owed by the recipient"),
    "K": gettext_lazy("supply within the EU"),
    "G": gettext_lazy("export"),
}


def _vat(category: str, rate: str) -> str:
    """A category of VAT and its rate as people say it."""
    return str(VAT[category]) if category in VAT else f"{rate or 0} %"


@staff_page(Permission.RECEIVE_INVOICE)
def inbound(request: BodyRequest) -> HttpResponse:
    """Received invoices, newest first; a file is taken in here too."""
    form = InvoiceForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        upload = form.cleaned_data["file"]
        try:
            ref = services.receive_invoice(
                request.actor, content=upload.read(_LIMIT), filename=upload.name or "", now=now()
            )
        except Invalid as refusal:
            for reason in refusal.errors.values():
                form.add_error("file", str(reason))
        else:
            said = _("The invoice %(number)s was taken in.") if not ref.known else _("%(number)s is there already.")
            notices.done(request, said % {"number": ref.number})
            return redirect("budget:inbound_invoice", ref.id)
    narrowed = InboundFilter(request.GET)
    wanted = narrowed.cleaned_data if narrowed.is_valid() else {}
    rows, after = queries.inbound_invoices(
        request.actor,
        state=wanted.get("state", ""),
        text=wanted.get("text", ""),
        after=uuid_or_none(request.GET.get("after", "")),
    )
    context = {
        "rows": [(row, _TONES[row.state]) for row in rows],
        "page": Cursor(str(after or "")),
        "form": form,
        "narrowed": narrowed,
        "searched": any(wanted.values()),
    }
    failed = request.method == "POST"
    return render(request, "budget/inbound_invoices.html", context, status=422 if failed else 200)


@staff_page(Permission.RECEIVE_INVOICE)
def inbound_invoice(request: BodyRequest, invoice_id: UUID) -> HttpResponse:
    """One received invoice: what it says, what the rules say, and the original."""
    view = queries.inbound_invoice(request.actor, invoice_id)
    form = ReturnForm(request.POST or None, initial={"version": view.version})
    if request.method == "POST" and form.is_valid():
        try:
            services.return_invoice(
                request.actor,
                invoice_id=invoice_id,
                reason=form.cleaned_data["reason"],
                expected_version=form.cleaned_data["version"],
                now=now(),
            )
        except Conflict as refusal:
            notices.refused(request, str(refusal.message))
        else:
            notices.done(request, _("Noted: the invoice goes back to the supplier."))
        return redirect("budget:inbound_invoice", invoice_id)
    lines = [(line, UNITS.get(line.unit, line.unit), _vat(line.category, line.rate)) for line in view.lines]
    context = {"invoice": view, "lines": lines, "tone": _TONES[view.row.state], "form": form}
    failed = request.method == "POST"
    return render(request, "budget/inbound_invoice.html", context, status=422 if failed else 200)


@staff_page(Permission.RECEIVE_INVOICE)
def inbound_original(request: BodyRequest, invoice_id: UUID, part: str) -> FileResponse:
    """The file as it came, or the PDF that came along."""
    view = queries.inbound_invoice(request.actor, invoice_id)
    if part == "pdf":
        if not view.pdf_sha256:
            raise queries.InvoiceUnknown(str(invoice_id))
        return files.download(view.pdf_sha256, f"{view.row.number}.pdf")
    return files.download(view.sha256, view.filename)


@staff_page(Permission.SEE)
def outgoing(request: BodyRequest, ledger: str, year: int) -> HttpResponse:
    """Invoices the ledger wrote, newest first."""
    context = frame(request, ledger, year, "outgoing")
    rows, after = queries.outgoing_invoices(request.actor, ledger, after=uuid_or_none(request.GET.get("after", "")))
    context |= {"rows": rows, "page": Cursor(str(after or ""))}
    return render(request, "budget/outgoing_invoices.html", context)


@staff_page(Permission.SEE_CLAIM)
def outgoing_original(request: BodyRequest, invoice_id: UUID, part: str) -> FileResponse:
    """The XRechnung, or the paper with its twin inside."""
    row = queries.outgoing_invoice(request.actor, invoice_id)
    return files.download(row.pdf_sha256 if part == "pdf" else row.xml_sha256, f"{row.number}.{part}")
