"""Charge runs on tables: proposed, checked, released; what stands in the way; four eyes; what stays."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import Error
from django.utils import translation

from verbund.modules.costsharing import queries, services
from verbund.modules.costsharing.gateways import FakeInvoicing
from verbund.modules.costsharing.models import ChargeLine, ChargeRun
from verbund.platform.audit.models import AuditEntry
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role

from . import factories
from .conftest import carrier
from .factories import NOW, SYSTEM
from .runs import cents_of, propose, through

pytestmark = pytest.mark.django_db


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
    with translation.override("de"):
        ways = {code: [r.way for r in queries.run_lines(controller, run.id, code).lines] for code in ("alpha", "beta")}
    assert ways["beta"][0] == (
        "Anteil an 36.500,00 Euro nach dem Schlüssel EQUAL, Tag für Tag: gleiche Anteile 1 von 2 (100 %)"
    )
    assert ways["beta"][1:] == ["410 Arbeitsplätze × 120,00 Euro im Jahr"]
    assert len(ways["alpha"]) == 2
    with pytest.raises(queries.RunUnknown):
        queries.run_lines(controller, run.id, "niemand")


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
