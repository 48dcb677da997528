"""Invoices through the doors: billed is what is booked; what comes in is kept, checked and told apart."""

import base64
import io
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pypdf import PdfReader

from verbund.modules.budget import queries, services
from verbund.modules.budget.events import InvoiceHandedOver, InvoiceReceived
from verbund.modules.budget.gateways.einvoice import read as read_invoice
from verbund.modules.budget.gateways.einvoice import ubl
from verbund.modules.budget.models import InboundInvoice, InvoiceCounter, OpenItem, OutgoingInvoice, Voucher
from verbund.modules.budget.services import Buyer, InvoiceDraft, InvoiceLine, InvoiceRefused, TaxTreatment
from verbund.platform import files
from verbund.platform.identity import policy
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import Conflict, NotFound

from .factories import NOW, SYSTEM, Town, make_town
from .test_einvoice import BUYER, invoice

LATER = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
LINES = (
    InvoiceLine("Arbeitsplatz", 12_000_00, TaxTreatment.OUTSIDE, quantity=Decimal(10), price=Decimal(1200)),
    InvoiceLine("Zuschuss", -2_000_00, TaxTreatment.OUTSIDE),
)


@pytest.fixture
def town(alpha: Any, monkeypatch: pytest.MonkeyPatch) -> Town:
    """A town that can bill: its letterhead says what an electronic invoice asks of a seller."""
    head = {
        "street": "Markt 1",
        "postcode": "19999",
        "city": "Musterstadt",
        "phone": "+49 385 1",
        "email": "kasse@alpha.example",
    }
    monkeypatch.setitem(alpha.letterhead, "street", head["street"])
    for key, value in head.items():
        monkeypatch.setitem(alpha.letterhead, key, value)
    return make_town()


def draft(town: Town, lines: Sequence[InvoiceLine] = LINES, **changes: Any) -> InvoiceDraft:
    said: dict[str, Any] = {
        "product": town.product,
        "account": town.revenue,
        "buyer": BUYER,
        "lines": lines,
        "due_on": date(2026, 12, 20),
        "subject": "Leistungen 2026",
        "untaxed_reason": "§ 2b UStG",
    }
    return InvoiceDraft(**{**said, **changes})


def issue(town: Town, origin: str = "costsharing.charge:1", **changes: Any) -> services.InvoiceRef:
    return services.issue_invoice(SYSTEM, ledger=town.ledger, draft=draft(town, **changes), origin=origin, now=NOW)


def test_al1_the_claim_is_the_sum_of_the_invoice(town: Town, hearing: list[Any]) -> None:
    ref = issue(town, buyer_body="beta")
    assert (ref.number, ref.gross_cents) == ("ALPHA-2026-000001", 10_000_00)
    [claim] = queries.claims_by_origin(SYSTEM, "costsharing.charge:1")
    assert (claim.id, claim.cents, claim.open_cents) == (ref.claim_id, ref.gross_cents, ref.gross_cents)
    said = read_invoice(files.read(ref.xml_sha256))
    assert (said.gross_cents, said.payment_reference) == (10_000_00, ref.payment_reference)
    assert read_invoice(files.read(ref.pdf_sha256)).gross_cents == 10_000_00
    [told] = [event for event in hearing if isinstance(event, InvoiceHandedOver)]
    assert base64.b64decode(told.xml) == files.read(ref.xml_sha256)


def test_a_price_is_read_in_the_pdf_as_exactly_as_in_the_xml(town: Town) -> None:
    quantity, price = Decimal("42"), Decimal("28.057535")
    lines = (
        InvoiceLine("Arbeitsplatz", 1_178_42, TaxTreatment.OUTSIDE, quantity=quantity, price=price),
        InvoiceLine("Server", 12_000_00, TaxTreatment.OUTSIDE, quantity=Decimal(10), price=Decimal(1200)),
    )
    ref = issue(town, lines=lines)
    shown = PdfReader(io.BytesIO(files.read(ref.pdf_sha256))).pages[0].extract_text().replace("\u00a0", " ")
    assert "28,057535 €" in shown
    assert "1.200,00 €" in shown
    assert b">28.057535<" in files.read(ref.xml_sha256)


def test_the_same_matter_is_billed_once_and_numbers_have_no_gaps(town: Town) -> None:
    first = issue(town)
    assert issue(town) == first
    with pytest.raises(Conflict):
        issue(town, lines=LINES[:1])
    with pytest.raises(InvoiceRefused):
        issue(town, "other", lines=())
    with pytest.raises(services.ClaimRefused):
        issue(town, "other", account="5233", product="54100")
    assert issue(town, "other").number == "ALPHA-2026-000002"
    assert InvoiceCounter.objects.get().last_no == OutgoingInvoice.objects.count() == 2


def test_vat_is_owed_on_its_own_account_and_never_revenue(town: Town, alpha: Any, monkeypatch: Any) -> None:
    monkeypatch.setitem(alpha.letterhead, "vat_id", "DE123456788")
    lines = (InvoiceLine("Beratung", 100_00, TaxTreatment.STANDARD, Decimal(19)),)
    with pytest.raises(InvoiceRefused) as refusal:
        issue(town, lines=lines, untaxed_reason="")
    assert list(refusal.value.errors) == ["tax_account"]
    assert not OutgoingInvoice.objects.exists()
    ref = issue(town, lines=lines, untaxed_reason="", tax_account="3910")
    view = queries.voucher(SYSTEM, Voucher.objects.get(series="SO").id)
    assert [(n.account, n.debit, n.credit) for n in view.lines] == [
        ("1710", 119_00, 0),
        (town.revenue, 0, 100_00),
        ("3910", 0, 19_00),
    ]
    assert ref.gross_cents == 119_00


def test_a_credit_note_lowers_the_claim_and_never_gives_back_more_than_was_billed(town: Town) -> None:
    ref = issue(town)
    back = (InvoiceLine("Korrektur", 3_000_00, TaxTreatment.OUTSIDE),)
    note = services.issue_credit_note(
        SYSTEM, invoice_id=ref.id, lines=back, subject="Korrektur", origin="c:1", now=LATER
    )
    assert (note.number, note.claim_id) == ("ALPHA-2026-000002", None)
    assert queries.claim(SYSTEM, ref.claim_id).open_cents == 7_000_00  # type: ignore[arg-type]
    assert (
        services.issue_credit_note(SYSTEM, invoice_id=ref.id, lines=back, subject="Korrektur", origin="c:1", now=LATER)
        == note
    )
    too_much = (InvoiceLine("Korrektur", 7_000_01, TaxTreatment.OUTSIDE),)
    with pytest.raises(InvoiceRefused):
        services.issue_credit_note(SYSTEM, invoice_id=ref.id, lines=too_much, subject="x", origin="c:2", now=LATER)
    assert queries.reconcile_items(SYSTEM, town.ledger) == []


def test_what_was_paid_already_is_owed_back(town: Town) -> None:
    ref = issue(town)
    item = OpenItem.objects.get(claim=ref.claim_id)
    services.post_voucher(
        SYSTEM,
        ledger=town.ledger,
        year=2026,
        series="ZE",
        posting_date=date(2026, 11, 20),
        document_date=date(2026, 11, 20),
        text="Zahlung",
        kind=services.VoucherKind.RECEIPT,
        lines=[
            services.Line("1810", debit=9_000_00, finance_account="6311"),
            services.Line("1710", town.product, credit=9_000_00, open_item=item.id),
        ],
        now=NOW,
    )
    back = (InvoiceLine("Korrektur", 3_000_00, TaxTreatment.OUTSIDE),)
    services.issue_credit_note(SYSTEM, invoice_id=ref.id, lines=back, subject="Korrektur", origin="c:1", now=LATER)
    assert queries.claim(SYSTEM, ref.claim_id).state == "settled"  # type: ignore[arg-type]
    owed = OpenItem.objects.exclude(id=item.id).get(account__code="3510")
    assert owed.open_cents == -2_000_00
    assert queries.reconcile_items(SYSTEM, town.ledger) == []


def test_whoever_may_not_issue_changes_nothing(town: Town, staff: Any) -> None:
    for actor in (staff(Role.CLERK), staff(Role.TREASURER), staff(Role.BUDGET_OFFICER, Role.TREASURY_CLERK)):
        with pytest.raises(policy.Denied):
            services.issue_invoice(actor, ledger=town.ledger, draft=draft(town), origin="x", now=NOW)
    assert (OutgoingInvoice.objects.count(), Voucher.objects.filter(series="SO").count()) == (0, 0)


def receive(content: bytes, actor: Any = SYSTEM, filename: str = "rechnung.xml") -> services.InboundRef:
    return services.receive_invoice(actor, content=content, filename=filename, now=NOW)


def test_an_invoice_is_kept_as_it_came_and_checked_by_the_rules(alpha: Any, hearing: list[Any]) -> None:
    content = ubl(invoice())
    ref = receive(content)
    assert [type(event) for event in hearing] == [InvoiceReceived]
    assert services.check_invoice(SYSTEM, invoice_id=ref.id, now=NOW) == "valid"
    view = queries.inbound_invoice(SYSTEM, ref.id)
    assert files.read(view.sha256) == content
    assert (view.row.gross_cents, view.row.state, view.findings) == (218457, "valid", ())
    assert [line.net_cents for line in view.lines] == [123456, 100001, -5000]


def test_the_same_file_is_the_same_invoice_and_a_second_of_the_number_is_marked(alpha: Any) -> None:
    first = receive(ubl(invoice()))
    again = receive(ubl(invoice()))
    assert (again.id, again.known) == (first.id, True)
    other = receive(ubl(invoice(notes=("berichtigt",))))
    assert (other.known, other.duplicate_of) == (False, first.id)
    assert receive(ubl(invoice(number="KSM-2"))).duplicate_of is None
    assert InboundInvoice.objects.count() == 3


def test_an_invoice_that_breaks_the_rules_is_kept_with_the_reasons_and_can_be_sent_back(alpha: Any, staff: Any) -> None:
    wrong = ubl(invoice()).replace(b">2184.57<", b">2184.58<")
    ref = receive(wrong)
    assert services.check_invoice(SYSTEM, invoice_id=ref.id, now=NOW) == "invalid"
    view = queries.inbound_invoice(SYSTEM, ref.id)
    assert {rule for rule, _text, fatal in view.findings if fatal} >= {"BR-CO-10"}
    officer = staff(Role.BUDGET_OFFICER)
    with pytest.raises(services.ReturnRefused):
        services.return_invoice(officer, invoice_id=ref.id, reason=" ", expected_version=view.version, now=NOW)
    services.return_invoice(officer, invoice_id=ref.id, reason="Summe", expected_version=view.version, now=NOW)
    with pytest.raises(Conflict):
        services.return_invoice(officer, invoice_id=ref.id, reason="Summe", expected_version=view.version, now=NOW)
    assert queries.inbound_invoice(SYSTEM, ref.id).row.state == "refused"


def test_whoever_takes_no_invoices_in_sees_none(alpha: Any, staff: Any) -> None:
    ref = receive(ubl(invoice()))
    clerk = staff(Role.CLERK)
    with pytest.raises(policy.Denied):
        receive(ubl(invoice(number="2")), actor=clerk)
    with pytest.raises(NotFound):
        queries.inbound_invoice(clerk, ref.id)
    assert queries.inbound_invoices(clerk) == ([], None)
    assert InboundInvoice.objects.count() == 1


def test_the_list_of_received_invoices_is_paged_and_found(alpha: Any) -> None:
    for at in range(5):
        receive(ubl(invoice(number=f"N-{at}")))
    page, after = queries.inbound_invoices(SYSTEM, limit=3)
    rest, end = queries.inbound_invoices(SYSTEM, limit=3, after=after)
    assert [row.number for row in [*page, *rest]] == ["N-4", "N-3", "N-2", "N-1", "N-0"]
    assert end is None
    assert [row.number for row in queries.inbound_invoices(SYSTEM, text="n-3")[0]] == ["N-3"]
    assert queries.inbound_invoices(SYSTEM, state="valid")[0] == []
    assert isinstance(BUYER, Buyer)
