"""Charge runs on tables: proposed, checked, released, issued; what stands in the way; four eyes; what stays."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.utils import Error
from django.utils import translation

from verbund.modules.budget import queries as books
from verbund.modules.costsharing import services
from verbund.modules.costsharing.gateways import FakeInvoicing
from verbund.modules.costsharing.models import BusinessPlan, ChargeLine, ChargeRun, Invoice, PlanLine
from verbund.modules.costsharing.queries.wording import way_of
from verbund.modules.costsharing.services.invoices import document_of
from verbund.platform.audit.models import AuditEntry
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role

from . import factories
from .conftest import carrier
from .factories import NOW, SYSTEM

pytestmark = pytest.mark.django_db
YEAR = {"kind": "advance", "period_start": date(2025, 1, 1), "period_end": date(2025, 12, 31)}


@pytest.fixture
def members(alliance: Any) -> dict[str, Any]:
    return factories.make_alliance().members


def propose(actor: Actor, **changed: Any) -> services.RunRef:
    return services.propose_run(actor, now=NOW, **{**YEAR, **changed})


def through(controller: Actor, officer: Actor, manager: Actor, **changed: Any) -> Any:
    """A run proposed, checked and released."""
    run = propose(controller, **changed).id
    services.check_run(officer, run_id=run, now=NOW)
    services.release_run(manager, run_id=run, now=NOW)
    return run


def cents_of(run: Any) -> dict[str, int]:
    sums: dict[str, int] = {}
    for line in ChargeLine.objects.filter(run_id=run):
        sums[line.member_code] = sums.get(line.member_code, 0) + line.cents
    return sums


def test_a_year_by_workplaces(members: dict[str, Any], controller: Actor) -> None:
    run = propose(controller)
    assert cents_of(run.id) == {"alpha": 9_960_00, "beta": 49_200_00, "gamma": 6_840_00}
    assert run.total_cents == 66_000_00
    assert ChargeRun.objects.get().findings == []


def test_quarters_follow_the_days_and_a_price_change_its_date(members: dict[str, Any], controller: Actor) -> None:
    factories.tariff("CORE", "240", date(2025, 2, 15))
    propose(controller, period_end=date(2025, 3, 31))
    lines = ChargeLine.objects.filter(member_code="alpha").order_by("period_start")
    assert [(line.period_start, line.period_end, line.price_euros, line.cents) for line in lines] == [
        (date(2025, 1, 1), date(2025, 2, 14), Decimal(120), round(83 * 120_00 * 45 / 365)),
        (date(2025, 2, 15), date(2025, 3, 31), Decimal(240), round(83 * 240_00 * 45 / 365)),
    ]


def test_without_a_tax_review_the_run_names_the_service(alliance: Any, controller: Actor) -> None:
    member = factories.register("alpha", "Stadt Alphausen", schema_name="alpha")
    for code in ("CORE", "MAIL"):
        factories.offer(code, name=f"{code.title()}-IT")
        factories.agree(member, code)
        factories.rule(code)
        factories.tariff(code, "10")
        factories.measure(member, code, "5")
    factories.review("CORE")
    with pytest.raises(services.RunRefused) as refused:
        propose(controller)
    assert len(refused.value.reasons) == 1
    assert refused.value.reasons[0].startswith("Mail-IT:")
    assert "§ 2b UStG" in refused.value.reasons[0]
    assert not ChargeRun.objects.exists()


def test_all_reasons_are_told_at_once(alliance: Any, controller: Actor) -> None:
    member = factories.register("alpha", "Stadt Alphausen", schema_name="alpha")
    for code in ("A", "B", "C"):
        factories.offer(code)
        factories.agree(member, code)
        factories.review(code)
    factories.rule("B")
    factories.rule("C")
    factories.tariff("C", "10")
    with pytest.raises(services.RunRefused) as refused:
        propose(controller)
    assert sorted(reason.split(":")[0] for reason in refused.value.reasons) == ["A", "B", "C, Stadt Alphausen"]


def test_m2_a_carriers_agreement_costs_only_while_it_is_one(
    members: dict[str, Any], controller: Actor, carriers: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    town = factories.register("delta", "Stadt Delta")
    factories.agree(town, "CORE", date(2025, 1, 1), as_carrier=True)
    factories.measure(town, "CORE", "365")
    carriers.append(carrier(town, date(2025, 6, 1)))
    monkeypatch.setattr(
        "verbund.modules.membership.queries.cleared_on",
        lambda _actor, member: date(2025, 12, 1) if member == town else None,
    )
    run = propose(controller)
    line = ChargeLine.objects.get(run_id=run.id, member_code="delta")
    assert (line.period_start, line.period_end, line.cents) == (date(2025, 12, 1), date(2025, 12, 31), 31 * 120_00)


def test_m2_a_candidate_is_not_charged_at_all(members: dict[str, Any], controller: Actor, carriers: list[Any]) -> None:
    town = factories.register("delta", "Stadt Delta")
    factories.agree(town, "CORE", date(2025, 1, 1), as_carrier=True)
    factories.measure(town, "CORE", "365")
    run = propose(controller)
    assert "delta" not in cents_of(run.id)


def test_m8_a_levy_is_borne_by_the_carriers_of_each_day(
    members: dict[str, Any], controller: Actor, carriers: list[Any]
) -> None:
    factories.offer("BOARD", unit="flat", price_basis="key", name="Organe")
    services.define_key(
        SYSTEM, code="EQUAL", name="Zu gleichen Teilen", parts={"equal": Decimal(1)}, justification="Stimmen", now=NOW
    )
    factories.rule("BOARD", legal_basis="levy", bearers="carriers", key="EQUAL", levied=True, settled_by="key")
    factories.review("BOARD")
    services.define_centre(SYSTEM, code="K-BOARD", name="Organe", service_code="BOARD", now=NOW)
    plan = services.draft_plan(SYSTEM, year=2025, now=NOW)
    services.add_plan_line(
        SYSTEM, plan_id=plan, part="expense", text="Sitzungen", cents=36_500_00, centre="K-BOARD", now=NOW
    )
    services.resolve_plan(SYSTEM, plan_id=plan, resolved_on=date(2024, 12, 1), resolution="VR 9/2024", now=NOW)
    carriers += [carrier(members["alpha"], date(2013, 10, 1)), carrier(members["beta"], date(2025, 7, 2))]
    run = propose(controller)
    levy = dict(ChargeLine.objects.filter(run_id=run.id, service_code="BOARD").values_list("member_code", "cents"))
    # 182 days alone, 183 days half each
    assert levy == {"alpha": 18_200_00 + 9_150_00, "beta": 9_150_00}


def test_an_inhabitants_key_on_a_contract_is_warned_of(members: dict[str, Any]) -> None:
    services.define_key(
        SYSTEM, code="POP", name="Einwohner", parts={"inhabitants": Decimal(1)}, justification="Größe", now=NOW
    )
    assert factories.rule("CORE", key="POP", settled_by="key") is True
    assert factories.rule("CORE", key="POP", settled_by="key", legal_basis="levy") is False
    assert factories.rule("CORE") is False


# --- four eyes, order of steps, what stays


def test_who_proposed_neither_checks_nor_releases(members: dict[str, Any], manager: Actor, officer: Actor) -> None:
    run = propose(manager).id
    with pytest.raises(services.RunConflict, match="andere Person"):
        services.check_run(manager, run_id=run, now=NOW)
    services.check_run(officer, run_id=run, now=NOW)
    with pytest.raises(services.RunConflict, match="andere Person"):
        services.release_run(manager, run_id=run, now=NOW)
    assert ChargeRun.objects.get().state == "checked"


def test_every_step_out_of_order_is_refused_and_changes_nothing(
    members: dict[str, Any], controller: Actor, officer: Actor, manager: Actor, fake_invoicing: FakeInvoicing
) -> None:
    steps: dict[str, Any] = {
        "check": lambda run: services.check_run(officer, run_id=run, now=NOW),
        "release": lambda run: services.release_run(manager, run_id=run, now=NOW),
        "issue": lambda run: services.issue_run(officer, run_id=run, now=NOW),
        "discard": lambda run: services.discard_run(controller, run_id=run, reason="Fehler", now=NOW),
    }
    allowed = {
        "proposed": {"check", "discard"},
        "checked": {"release", "discard"},
        "released": {"issue"},
        "issued": {"issue"},
        "discarded": set[str](),
    }
    ways = {
        "proposed": [],
        "checked": ["check"],
        "released": ["check", "release"],
        "issued": ["check", "release", "issue"],
        "discarded": ["discard"],
    }
    for number, (state, way) in enumerate(ways.items()):
        day = date(2025, number + 1, 1)
        run = propose(controller, period_start=day, period_end=day).id
        for step in way:
            steps[step](run)
        for step in set(steps) - allowed[state]:
            trail = AuditEntry.objects.count()
            with pytest.raises(services.RunConflict):
                steps[step](run)
            assert (ChargeRun.objects.get(id=run).state, AuditEntry.objects.count()) == (state, trail), (state, step)


def test_only_the_alliances_people_propose(members: dict[str, Any], staff: Any) -> None:
    for role in set(Role) - {Role.COST_CONTROLLER, Role.ALLIANCE_MANAGER}:
        with pytest.raises(policy.Denied):
            propose(staff(role, body="alliance", units={"alpha"}))
    assert not ChargeRun.objects.exists()


def test_outside_the_alliance_nobody_does_anything(alpha: Any, staff: Any) -> None:
    actor = staff(Role.ALLIANCE_MANAGER, Role.COST_CONTROLLER, Role.BUDGET_OFFICER, body="alpha")
    with pytest.raises(policy.Denied):
        propose(actor)
    with pytest.raises(policy.Denied):
        services.draft_plan(actor, year=2026, now=NOW)


def test_l8_a_run_keeps_what_it_reckoned_with(
    members: dict[str, Any], controller: Actor, officer: Actor, manager: Actor
) -> None:
    run = propose(controller).id
    kept = ChargeRun.objects.get(id=run)
    assert kept.inputs["services"][0]["quantities"]["alpha"][0]["quantity"] == "83"
    services.check_run(officer, run_id=run, now=NOW)
    factories.measure(members["alpha"], "CORE", "84", reason="Zählfehler")
    with pytest.raises(services.RunConflict, match="Werte geändert"):
        services.release_run(manager, run_id=run, now=NOW)
    services.discard_run(controller, run_id=run, reason="Zählfehler", now=NOW)
    again = through(controller, officer, manager)
    factories.measure(members["alpha"], "CORE", "90", reason="noch ein Zählfehler")
    kept = ChargeRun.objects.get(id=again)
    assert kept.inputs["services"][0]["quantities"]["alpha"][0]["quantity"] == "84"
    assert cents_of(again)["alpha"] == 84 * 120_00


def test_l8_the_database_refuses_to_change_a_released_run(
    members: dict[str, Any], controller: Actor, officer: Actor, manager: Actor
) -> None:
    through(controller, officer, manager)
    for statement in (
        "UPDATE costsharing_chargerun SET inputs = '{}'",
        "UPDATE costsharing_chargerun SET total_cents = total_cents + 1",
        "UPDATE costsharing_chargerun SET state = 'proposed'",
        "DELETE FROM costsharing_chargerun",
        "UPDATE costsharing_chargeline SET cents = cents + 1",
        "DELETE FROM costsharing_chargeline",
        "INSERT INTO costsharing_chargeline (run_id, member_id, member_code, service_code, component, period_start,"
        " period_end, treatment, cents, subsidy_cents, text) SELECT run_id, member_id, member_code, service_code,"
        " component, period_start, period_end, treatment, cents, subsidy_cents, text FROM costsharing_chargeline",
    ):
        with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_two_runs_do_not_charge_one_day_twice(members: dict[str, Any], controller: Actor) -> None:
    propose(controller, period_start=date(2025, 3, 1), period_end=date(2025, 5, 31))
    with pytest.raises(services.RunConflict, match=r"01\.03\.2025"):
        propose(controller, period_start=date(2025, 5, 31), period_end=date(2025, 6, 30))


def test_impossible_days_are_refused(members: dict[str, Any], controller: Actor) -> None:
    changes: list[dict[str, Any]] = [
        {"kind": "nothing"},
        {"period_end": date(2024, 12, 31)},
        {"period_end": date(2026, 1, 1)},
        {"kind": "settlement", "period_start": date(2025, 1, 2)},
        {"kind": "settlement", "period_start": date(2026, 1, 1), "period_end": date(2026, 12, 31)},
    ]
    for changed in changes:
        with pytest.raises(services.RunRefused):
            propose(controller, **changed)


# --- invoices


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
