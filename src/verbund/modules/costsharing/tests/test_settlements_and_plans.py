"""Settlement at actual cost, and the business plan that the alliance resolves."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from verbund.modules.budget import queries as books
from verbund.modules.costsharing import services
from verbund.modules.costsharing.gateways import FakeInvoicing
from verbund.modules.costsharing.models import BusinessPlan, ChargeLine, Invoice, PlanLine
from verbund.platform.identity.actor import Actor

from . import factories
from .factories import NOW, SYSTEM
from .runs import propose, through

pytestmark = pytest.mark.django_db


# --- settlement


def test_l4_l5_a_year_is_settled_at_actual_cost(
    members: dict[str, Any], controller: Actor, officer: Actor, manager: Actor
) -> None:
    factories.make_books()
    run = through(controller, officer, manager)
    services.issue_run(officer, run_id=run, now=NOW)
    factories.ready_for_actual_cost(60_000_00)
    last = through(controller, officer, manager, kind="settlement")
    lines = {line.member_code: line for line in ChargeLine.objects.filter(run_id=last)}
    # 60,000 by 83 : 410 : 57 workplaces
    assert {code: line.final_cents for code, line in lines.items()} == {
        "alpha": 9_054_55,
        "beta": 44_727_27,
        "gamma": 6_218_18,
    }
    assert {code: line.cents for code, line in lines.items()} == {
        "alpha": -905_45,
        "beta": -4_472_73,
        "gamma": -621_82,
    }
    assert sum(line.cents for line in lines.values()) == 60_000_00 - 66_000_00
    services.issue_run(officer, run_id=last, now=NOW)
    notes = Invoice.objects.filter(run_id=last)
    assert {c.kind for c in notes} == {"credit"}
    assert sum(c.gross_cents for c in notes) == 6_000_00
    assert all(c.claim_id is None and c.preceding_id for c in notes)
    assert books.reconcile_items(officer, "ALLIANCE") == []


def test_an_advance_that_was_taken_back_does_not_count(
    members: dict[str, Any], controller: Actor, officer: Actor, manager: Actor, fake_invoicing: FakeInvoicing
) -> None:
    run = through(controller, officer, manager)
    services.issue_run(officer, run_id=run, now=NOW)
    services.credit_invoice(officer, invoice_id=Invoice.objects.get(member_code="gamma").id, reason="Falsch", now=NOW)
    factories.ready_for_actual_cost(60_000_00)
    propose(controller, kind="settlement")
    line = ChargeLine.objects.get(member_code="gamma", component="settlement")
    assert (line.final_cents, line.advance_cents, line.cents) == (6_218_18, 0, 6_218_18)


def test_a_settlement_needs_a_cost_centre_and_weights(members: dict[str, Any], controller: Actor) -> None:
    with pytest.raises(services.RunRefused, match="keine Kostenstelle"):
        propose(controller, kind="settlement")
    factories.ready_for_actual_cost()
    services.define_centre(SYSTEM, code="LEITUNG", name="Leitung", step=20, now=NOW)
    services.record_cost(SYSTEM, centre="LEITUNG", year=2025, cents=1, text="Personal", now=NOW)
    with pytest.raises(services.RunRefused, match="LEITUNG"):
        propose(controller, kind="settlement")


# --- plan


def test_a_resolved_plan_stays_in_every_way(alliance: Any, manager: Actor) -> None:
    services.define_centre(SYSTEM, code="K-CORE", name="Kern-IT", service_code="CORE", now=NOW)
    plan = services.draft_plan(manager, year=2026, now=NOW)
    line = services.add_plan_line(
        manager, plan_id=plan, part="expense", text="Personal", cents=100_00, centre="K-CORE", now=NOW
    )
    services.add_post(manager, plan_id=plan, title="Administration", grade="E 11", fte=Decimal("1.5"), now=NOW)
    services.add_investment(manager, plan_id=plan, text="Speicher", cents=5_00, commitment_cents=3_00, now=NOW)
    digest = services.resolve_plan(
        manager, plan_id=plan, resolved_on=date(2025, 12, 4), resolution="VR 12/2025", now=NOW
    )
    kept = BusinessPlan.objects.get()
    assert kept.figures is not None
    assert kept.figures["lines"] == [["expense", "K-CORE", "Personal", 100_00]]
    assert (len(digest), kept.sha256) == (64, digest)
    with pytest.raises(services.PlanIsResolved):
        services.remove_plan_line(manager, line_id=line, now=NOW)
    with pytest.raises(DatabaseError, match="resolved"), transaction.atomic():
        PlanLine.objects.filter(id=line).update(cents=1)
    with pytest.raises(DatabaseError, match="resolved"), transaction.atomic():
        BusinessPlan.objects.filter(id=plan).update(report="anders")
    supplement = services.draft_plan(manager, year=2026, now=NOW)
    added = BusinessPlan.objects.get(id=supplement)
    assert (added.number, added.lines.count(), added.posts.count(), added.investments.count()) == (1, 1, 1, 1)
    with pytest.raises(services.PlanIsResolved):
        services.draft_plan(manager, year=2026, now=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        BusinessPlan.objects.create(id=plan.__class__(int=7), year=2026, number=2, created_at=NOW)


def test_an_empty_plan_or_one_without_resolution_is_not_resolved(alliance: Any, manager: Actor) -> None:
    plan = services.draft_plan(manager, year=2026, now=NOW)
    with pytest.raises(services.PlanRefused) as refused:
        services.resolve_plan(manager, plan_id=plan, resolved_on=date(2026, 12, 4), resolution=" ", now=NOW)
    assert set(refused.value.errors) == {"", "resolution", "resolved_on"}


def test_money_is_recorded_only_as_it_can_be(members: dict[str, Any], controller: Actor, now: datetime) -> None:
    good: dict[str, Any] = {
        "member_id": members["alpha"],
        "service_code": "CORE",
        "kind": "project",
        "text": "Umzug",
        "performed_on": date(2025, 5, 2),
        "cents": 100,
        "document": "RE 1",
    }
    for changed, field in (
        ({"cents": 0}, "cents"),
        ({"subsidy_cents": 101}, "subsidy_cents"),
        ({"subsidy_cents": 50}, "grant"),
        ({"service_code": "NONE"}, "service_code"),
        ({"kind": "gift"}, "kind"),
        ({"document": " "}, "document"),
    ):
        with pytest.raises(services.MeasureRefused) as refused:
            services.record_cost_item(controller, now=NOW, **{**good, **changed})
        assert set(refused.value.errors) == {field}
