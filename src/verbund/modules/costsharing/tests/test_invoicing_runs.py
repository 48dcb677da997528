"""Invoices of a charge run: one claim for each, figures that add up; issued on after a break, taken back."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation

from verbund.modules.budget import queries as books
from verbund.modules.costsharing import services
from verbund.modules.costsharing.gateways import FakeInvoicing
from verbund.modules.costsharing.models import ChargeLine, ChargeRun, Invoice
from verbund.modules.costsharing.queries.wording import levy_way, way_of
from verbund.modules.costsharing.services.invoices import document_of
from verbund.platform.identity.actor import Actor

from . import factories
from .factories import NOW, SYSTEM
from .runs import propose, through

pytestmark = pytest.mark.django_db


def test_al1_one_claim_for_each_invoice_and_the_same_sum(
    members: dict[str, Any], controller: Actor, officer: Actor, manager: Actor
) -> None:
    factories.make_books()
    run = through(controller, officer, manager)
    new = services.issue_run(officer, run_id=run, now=NOW)
    assert len(new) == 3
    invoices = list(Invoice.objects.order_by("number"))
    assert [i.number for i in invoices] == [f"ALLIANCE-2026-{n:06d}" for n in (1, 2, 3)]
    for invoice in invoices:
        assert invoice.claim_id is not None
        claim = books.claim(officer, invoice.claim_id)
        assert (claim.cents, claim.debtor) == (invoice.gross_cents, invoice.member_name)
        assert len(invoice.payment_reference) == 14
    assert sum(i.gross_cents for i in invoices) == 66_000_00
    assert services.issue_run(officer, run_id=run, now=NOW) == []  # again: nothing new
    assert ChargeRun.objects.get(id=run).state == "issued"
    assert Invoice.objects.count() == 3


def test_an_invoice_adds_up_and_shows_no_tax_where_none_is_due(
    members: dict[str, Any],
    controller: Actor,
    officer: Actor,
    manager: Actor,
    fake_invoicing: FakeInvoicing,
) -> None:
    factories.offer("BUY", unit="hour", price_basis="at_cost", name="Einkauf")
    factories.rule("BUY", settled_by="none")
    factories.review("BUY", "taxable_19")
    factories.agree(members["alpha"], "BUY")
    services.record_cost_item(
        SYSTEM,
        member_id=members["alpha"],
        service_code="BUY",
        kind="project",
        text="Neue Server",
        performed_on=date(2025, 5, 2),
        cents=158_188_60,
        subsidy_cents=149_694_00,
        grant="Bescheid 17",
        document="RE 4711",
        now=NOW,
    )
    run = through(controller, officer, manager)
    services.issue_run(officer, run_id=run, now=NOW)
    mine = [document for document, _body in fake_invoicing.documents if document.buyer.name == "Stadt Alphausen"]
    assert [(d.net_cents, d.tax_cents, d.gross_cents) for d in mine] == [
        (158_188_60, 30_055_83, 188_244_43),
        (9_960_00, 0, 9_960_00),
    ]
    taxed, untaxed = mine
    assert [(t.category, t.rate, t.reason) for t in untaxed.taxes] == [("O", 0, "§ 2b Abs. 3 Nr. 2 UStG")]
    assert [(t.category, t.rate, t.net_cents) for t in taxed.taxes] == [("S", 19, 158_188_60)]
    for document in mine:
        assert document.net_cents == sum(line.net_cents for line in document.lines)
        for line in document.lines:
            assert line.quantity * line.unit_price * 100 == line.net_cents
    assert (untaxed.lines[0].quantity, untaxed.lines[0].unit_price) == (Decimal(83), Decimal(120))
    assert "149.694,00" in taxed.notes[0]
    assert "8.494,60" in taxed.notes[0]
    assert {body for _d, body in fake_invoicing.documents} == {"alpha", "beta", None}
    stored = Invoice.objects.get(member_code="alpha", tax_group="S")
    assert document_of(stored) == replace(taxed, number="F-001", payment_reference="12345678901234")


def test_a_part_of_a_year_is_told_by_quantity_days_and_price(
    members: dict[str, Any], controller: Actor, officer: Actor, manager: Actor, fake_invoicing: FakeInvoicing
) -> None:
    """Nobody counts 20.465753 workplaces: the line is one amount, its description says how it came about."""
    factories.tariff("CORE", "1180", date(2025, 2, 15))
    factories.tariff("CORE", "12000", date(2025, 1, 1), component="base")
    run = through(controller, officer, manager, period_end=date(2025, 3, 31))
    services.issue_run(officer, run_id=run, now=NOW)
    (mine,) = [document for document, _body in fake_invoicing.documents if document.buyer.name == "Stadt Alphausen"]
    assert [(line.quantity, line.unit, line.unit_price, line.net_cents) for line in mine.lines] == [
        (Decimal(1), "C62", Decimal("2958.90"), 2958_90),
        (Decimal(1), "C62", Decimal("1227.95"), 1227_95),
        (Decimal(1), "C62", Decimal("12074.79"), 12074_79),
    ]
    assert [line.description for line in mine.lines] == [
        "Grundbeitrag: 12.000,00 Euro im Jahr, 90 von 365 Tagen; 01.01.2025–31.03.2025",
        "Menge mal Entgelt: 83 Arbeitsplätze × 120,00 Euro im Jahr, 45 von 365 Tagen; 01.01.2025–14.02.2025",
        "Menge mal Entgelt: 83 Arbeitsplätze × 1.180,00 Euro im Jahr, 45 von 365 Tagen; 15.02.2025–31.03.2025",
    ]
    assert mine.net_cents == sum(line.net_cents for line in mine.lines) == 16261_64


def test_quantities_that_change_stand_one_after_the_other(members: dict[str, Any], controller: Actor) -> None:
    propose(controller)
    line = ChargeLine.objects.get(member_code="alpha")
    assert (line.made_of, line.charging) == ([["83", 365, 365]], "stock")
    line.made_of = [["83", 100, 365], ["1", 20, 365], ["85.5", 245, 365]]
    with translation.override("de"):
        assert way_of(line, "workplace") == (
            "120,00 Euro im Jahr für jeweils: 83 Arbeitsplätze an 100 von 365 Tagen; "
            "1 Arbeitsplatz an 20 von 365 Tagen; 85,5 Arbeitsplätze an 245 von 365 Tagen"
        )
        line.charging, line.made_of = "flow", [["1200", 90, 90]]
        assert way_of(line, "hour") == "1.200 Stunden × 120,00 Euro"
        line.made_of = []  # of a run from before
        assert way_of(line, "hour") == "83 × 120,00 Euro"
        line.price_euros = None
        assert way_of(line, "hour") == ""


def test_a_share_says_the_weight_and_the_measure_of_each_part_of_its_key() -> None:
    levy = {
        "cents": 45_000_00,
        "key": "K",
        "parts": [
            {"kind": "inhabitants", "weight": "30", "values": {"alpha": 4200, "beta": 133_800, "gamma": 9}},
            {"kind": "fte", "weight": "15/2", "values": {"alpha": "25/2"}},
        ],
        "present": {"alpha": [["2025-01-01", "2025-12-31"]], "beta": [["2025-07-01", "2025-12-31"]]},
    }
    line = ChargeLine(component="levy", member_code="alpha", service_code="X")
    with translation.override("de"):
        assert levy_way(line, levy) == (
            "Anteil an 45.000,00 Euro nach dem Schlüssel K, Tag für Tag: "
            "Einwohnerinnen und Einwohner 4.200 von 138.000 (80 %), Vollzeitäquivalente 12,5 von 12,5 (20 %)"
        )
    assert levy_way(line, None) == ""
    line.component = "quantity"
    assert levy_way(line, levy) == ""


def test_missing_addresses_are_told_at_once_and_nothing_is_issued(
    members: dict[str, Any], controller: Actor, officer: Actor, manager: Actor, fake_invoicing: FakeInvoicing
) -> None:
    for name in ("Stadt Delta", "Stadt Epsilon"):
        town = factories.register(name.split()[1].lower(), name)
        factories.agree(town, "CORE")
        factories.measure(town, "CORE", "1")
    run = through(controller, officer, manager)
    with pytest.raises(services.RunRefused) as refused:
        services.issue_run(officer, run_id=run, now=NOW)
    assert [reason.split(":")[0] for reason in refused.value.reasons] == ["Stadt Delta", "Stadt Epsilon"]
    assert not Invoice.objects.exists()
    assert fake_invoicing.documents == []


def test_issuing_that_was_cut_off_goes_on_where_it_stopped(
    members: dict[str, Any],
    controller: Actor,
    officer: Actor,
    manager: Actor,
    fake_invoicing: FakeInvoicing,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = through(controller, officer, manager)
    real = fake_invoicing.issue

    def fails(*args: Any, **kwargs: Any) -> Any:
        if len(fake_invoicing.documents) == 1:
            raise RuntimeError("cut off")
        return real(*args, **kwargs)

    monkeypatch.setattr(fake_invoicing, "issue", fails)
    with pytest.raises(RuntimeError):
        services.issue_run(officer, run_id=run, now=NOW)
    assert ChargeRun.objects.get(id=run).state == "released"
    assert Invoice.objects.count() == 1
    monkeypatch.setattr(fake_invoicing, "issue", real)
    assert len(services.issue_run(officer, run_id=run, now=NOW)) == 2
    assert [i.number for i in Invoice.objects.order_by("number")] == ["F-001", "F-002", "F-003"]


def test_an_invoice_is_taken_back_with_its_claim(
    members: dict[str, Any], controller: Actor, officer: Actor, manager: Actor
) -> None:
    factories.make_books()
    run = through(controller, officer, manager)
    services.issue_run(officer, run_id=run, now=NOW)
    invoice = Invoice.objects.get(member_code="gamma")
    credit_id = services.credit_invoice(officer, invoice_id=invoice.id, reason="Falsche Anschrift", now=NOW)
    credit = Invoice.objects.get(id=credit_id)
    assert (credit.kind, credit.gross_cents, credit.preceding_id) == ("credit", invoice.gross_cents, invoice.id)
    assert credit.takes_back
    assert document_of(credit).corrects == invoice.number
    assert invoice.claim_id is not None
    assert books.claim(officer, invoice.claim_id).open_cents == 0
    with pytest.raises(services.RunConflict, match="zurückgenommen"):
        services.credit_invoice(officer, invoice_id=invoice.id, reason="noch einmal", now=NOW)
    with pytest.raises(services.RunConflict, match="Gutschrift"):
        services.credit_invoice(officer, invoice_id=credit_id, reason="zurück", now=NOW)
