"""Every page of the books in a browser: no finding of axe-core at 1280 and 390 px, nothing scrolls sideways."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tests.journeys import browser
from tests.journeys.server import serving

from verbund.modules.budget import services
from verbund.modules.budget.gateways.einvoice import ubl
from verbund.modules.budget.models import Claim, StatementEntry
from verbund.modules.budget.services import Demand, Line, NewItem, VoucherKind
from verbund.platform.identity import services as identity
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for
from verbund.platform.tenancy import now as the_clock

from .factories import NOW, SYSTEM, make_town, paid, raise_claim
from .test_einvoice import BUYER, invoice

pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(browser.missing()), reason=browser.missing() or "there")]

PASSWORD = "Regenbogen Kartoffel 7 Leuchtturm"
BASE = "/arbeit/haushalt/ALPHA/2026/"


def _invoices(ledger: str) -> None:
    """One invoice written; one received that is valid, one that breaks a rule and carries a known number."""
    draft = services.InvoiceDraft(
        product="12301",
        account="4311",
        buyer=BUYER,
        buyer_body="beta",
        lines=(services.InvoiceLine("Arbeitsplatz", 120_000, services.TaxTreatment.OUTSIDE),),
        due_on=date(2026, 12, 20),
        subject="Leistungen 2026",
        untaxed_reason="§ 2b UStG",
    )
    services.issue_invoice(SYSTEM, ledger=ledger, draft=draft, origin="o:1", now=NOW)
    for content in (ubl(invoice()), ubl(invoice()).replace(b">2184.57<", b">2184.58<")):
        ref = services.receive_invoice(SYSTEM, content=content, filename="rechnung.xml", now=NOW)
        services.check_invoice(SYSTEM, invoice_id=ref.id, now=NOW)


def _books() -> tuple[Claim, StatementEntry]:
    town = make_town(opening_cents=5_000_000)
    refs = [raise_claim(town, 3070 + 1000 * n, name=f"Frieda Fuchs {n}") for n in range(6)]
    services.raise_claim(
        SYSTEM,
        ledger=town.ledger,
        product="12201",
        account="4032",
        cents=9_600,
        debtor=services.Party("Dr. Annegret Überschär-Łukasiewicz"),
        due_on=date(2026, 3, 1),
        text="Hundesteuer 2026 für zwei Hunde",
        origin="",
        now=datetime(2026, 2, 2, 9, tzinfo=UTC),
    )
    day = date(2026, 6, 1)
    bill = NewItem("Rechnung der Beispielbau GmbH", product="54100", finance_account="7233", due_on=date(2026, 6, 20))
    other = NewItem("Rechnung der Musterreifen KG", product="12600", finance_account="7233", due_on=date(2026, 12, 20))
    for product, cents, item in (("54100", 714_000, bill), ("12600", 223_450, other)):
        lines = [Line("5233", product, debit=cents), Line("3510", product, credit=cents, new_item=item)]
        posting = services.Posting(2026, "ER", day, day, item.text, lines, VoucherKind.INVOICE)
        services.post_vouchers(SYSTEM, ledger=town.ledger, postings=[posting], now=NOW)
    services.reserve(
        SYSTEM,
        ledger=town.ledger,
        year=2026,
        demands=[Demand("54100", "5233", 250_000), Demand("54100", "7233", 250_000)],
        text="Winterschäden",
        idempotency_key="w",
        now=NOW,
    )
    services.form_circle(
        SYSTEM,
        ledger=town.ledger,
        year=2026,
        code="DK-5",
        budget_kind="FH",
        lines=[("54100", "7233"), ("12600", "7233")],
        now=NOW,
    )
    paid(
        town,
        5_000_000,
        (3070, {"text": refs[0].payment_reference}),
        (4070, {"text": refs[1].payment_reference}),
        (12_300, {"text": "Vielen Dank und freundliche Grüße aus Parchim", "name": "Unbekannte Spenderin"}),
        (7070, {"text": "Parkausweis", "name": "FUCHS, FRIEDA"}),
        (-4070, {"text": refs[1].payment_reference, "reason": "AC04"}),
        (-1999, {"text": "Kontoführung", "name": "Beispielbank"}),
    )
    _invoices(town.ledger)
    return Claim.objects.order_by("id")[0], StatementEntry.objects.get(cents=12_300)


@pytest.fixture
def page(real_database: str, settings: Any) -> Iterator[tuple[Callable[[Role], Any], Claim, StatementEntry]]:
    settings.VERBUND_REQUIRE_SECOND_FACTOR = False
    moment = the_clock()
    with acting_for("alpha"):
        found = _books()
        for role in (Role.TREASURER, Role.BUDGET_OFFICER):
            made = identity.create_person(
                SYSTEM,
                email=f"{role}@example.org",
                display_name="Eva Eich",
                role=role,
                unit="",
                valid_from=moment - timedelta(days=1),
                now=moment,
                invite=False,
            )
            identity.set_initial_password(SYSTEM, person_id=made.id, password=PASSWORD, now=moment)
    with serving() as port, browser.browser() as started:

        def open_as(role: Role) -> Any:
            visit = browser.visit(started, f"http://alpha.localhost:{port}")
            opened = visit.__enter__()
            opened.goto("/anmelden/")
            opened.get_by_label("E-Mail").fill(f"{role}@example.org")
            opened.locator("input[type=password]").fill(PASSWORD)
            opened.locator("main button[type=submit]").first.click()
            visits.append(visit)
            return opened

        visits: list[Any] = []
        yield open_as, *found
        for visit in visits:
            visit.__exit__(None, None, None)


def test_the_pages_of_the_books_are_accessible(page: Any) -> None:
    open_as, claim, entry = page
    treasurer = open_as(Role.TREASURER)
    for name, path in {
        "ueberblick": BASE,
        "ueberwachung": f"{BASE}ueberwachung/",
        "journal": f"{BASE}journal/",
        "konten": f"{BASE}konten/",
        "konto": f"{BASE}konten/4311/",
        "posten": f"{BASE}posten/",
        "rechnungen": f"{BASE}rechnungen/",
        "kontoauszuege": f"{BASE}kontoauszuege/",
        "umsatz": f"/arbeit/haushalt/umsaetze/{entry.id}/?text=Fuchs",
        "zuordnen": f"/arbeit/haushalt/umsaetze/{entry.id}/zuordnen/{claim.id}/",
        "beleg": f"/arbeit/haushalt/belege/{claim.voucher}/",
        "forderung": f"/arbeit/haushalt/forderungen/{claim.id}/",
        "saldenliste": f"{BASE}saldenliste/?as_of=2026-11-20",
        "ergebnisrechnung": f"{BASE}ergebnisrechnung/",
        "finanzrechnung": f"{BASE}finanzrechnung/",
        "bilanz": f"{BASE}bilanz/",
    }.items():
        treasurer.goto(path)
        browser.assert_accessible(treasurer, f"haushalt-{name}")
    officer = open_as(Role.BUDGET_OFFICER)
    officer.goto(f"/arbeit/haushalt/belege/{claim.voucher}/stornieren/")
    browser.assert_accessible(officer, "haushalt-stornieren")
    officer.goto("/arbeit/rechnungseingang/")
    browser.assert_accessible(officer, "haushalt-rechnungseingang")
    links = officer.locator("main tbody th a")
    for at in range(2):
        officer.goto("/arbeit/rechnungseingang/")
        links.nth(at).click()
        browser.assert_accessible(officer, f"haushalt-eingangsrechnung-{at}")
