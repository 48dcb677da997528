"""What joining would cost; what a body counts and the alliance takes; two releases at the same moment."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import Model
from tests.races import at_once

from verbund.modules.costsharing import services, subscribers
from verbund.modules.costsharing.events import UsageMeasured
from verbund.modules.costsharing.models import CentreCost, ChargeRun, Measure, Scenario, Tariff, TaxTreatment
from verbund.modules.costsharing.services import Demand
from verbund.platform.audit.models import AuditEntry
from verbund.platform.events import from_values, to_values
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor, ActorKind
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for

from . import factories
from .factories import NOW, SYSTEM


@pytest.mark.django_db
def test_what_joining_would_cost(alliance: Any, controller: Actor) -> None:
    factories.make_alliance()
    wanted: dict[str, Any] = {
        "name": "Stadt Neuenkirch",
        "year": 2025,
        "joins_on": date(2025, 7, 1),
        "kind": "town",
        "demands": [Demand("CORE", Decimal(50))],
        "alone_cents": 9_000_00,
        "once_cents": 2_500_00,
    }
    kept = Scenario.objects.get(id=services.reckon_scenario(controller, now=NOW, **wanted))
    assert kept.result["full_year_cents"] == 50 * 120_00
    assert kept.result["first_year_cents"] == round(50 * 120_00 * 184 / 365)
    assert kept.result["saves_cents"] == 3_000_00
    assert (kept.result["others_before_cents"], kept.result["others_after_cents"]) == (66_000_00, 66_000_00)
    assert not ChargeRun.objects.exists()
    assert not Measure.objects.filter(quantity=50).exists()
    for changed, field in (
        ({"joins_on": date(2026, 7, 1)}, "joins_on"),
        ({"demands": []}, "demands"),
        ({"demands": [Demand("NONE", Decimal(1))]}, "demands"),
        ({"name": ""}, "name"),
        ({"alone_cents": -1}, "alone_cents"),
    ):
        with pytest.raises(services.ScenarioRefused) as refused:
            services.reckon_scenario(controller, now=NOW, **{**wanted, **changed})
        assert set(refused.value.errors) == {field}
    assert Scenario.objects.count() == 1


@pytest.mark.django_db
def test_a_levy_is_shared_with_the_one_who_joins(alliance: Any, controller: Actor) -> None:
    members = factories.make_alliance().members
    factories.offer("BOARD", unit="flat", price_basis="key", name="Organe")
    services.define_key(SYSTEM, code="FTE", name="Stellen", parts={"fte": Decimal(1)}, justification="Nutzung", now=NOW)
    factories.rule("BOARD", legal_basis="levy", key="FTE", levied=True, settled_by="key")
    factories.review("BOARD", "taxable_19")
    services.define_centre(SYSTEM, code="K-BOARD", name="Organe", service_code="BOARD", now=NOW)
    plan = services.draft_plan(SYSTEM, year=2025, now=NOW)
    services.add_plan_line(
        SYSTEM, plan_id=plan, part="expense", text="Sitzungen", cents=1_000_00, centre="K-BOARD", now=NOW
    )
    services.resolve_plan(SYSTEM, plan_id=plan, resolved_on=date(2024, 12, 1), resolution="VR 9/2024", now=NOW)
    factories.agree(members["alpha"], "BOARD")
    services.record_key_value(
        SYSTEM,
        kind="fte",
        member_id=members["alpha"],
        reference_date=date(2024, 6, 30),
        value=Decimal(30),
        source="Stellenplan",
        now=NOW,
    )
    made = services.reckon_scenario(
        controller,
        name="Amt Neu",
        year=2025,
        joins_on=date(2025, 1, 1),
        kind="amt",
        demands=[Demand("BOARD", Decimal(0), extra_cents=200_00)],
        key_values={"fte": Decimal(10)},
        now=NOW,
    )
    result = Scenario.objects.get(id=made).result
    assert [line["cents"] for line in result["lines"]] == [300_00]  # a quarter of 1,200
    assert (result["tax_cents"], result["full_year_cents"]) == (57_00, 357_00)
    core = 66_000_00
    assert (result["others_before_cents"], result["others_after_cents"]) == (core + 1_000_00, core + 900_00)


@pytest.mark.django_db
def test_a_body_counts_and_tells_the_alliance(alpha: Any, monkeypatch: pytest.MonkeyPatch, staff: Any) -> None:
    told: list[tuple[Any, Any]] = []
    monkeypatch.setattr(
        "verbund.platform.events.publish", lambda _a, event, to_body=None: told.append((event, to_body))
    )
    event = services.report_usage(Actor.system("alpha", "test"), now=NOW)
    assert told == [(event, "alliance")]
    assert event is not None
    assert (event.schema_name, event.month, event.people, event.documents) == ("alpha", date(2026, 10, 1), 0, 0)
    assert set(to_values(event)) == {
        "schema_name",
        "month",
        "people",
        "mailboxes",
        "cases",
        "documents",
        "stored_bytes",
    }  # counts, and nothing of a person
    with pytest.raises(policy.Denied):
        services.report_usage(staff(*Role, body="alpha"), now=NOW)


@pytest.mark.django_db
def test_the_alliance_takes_what_a_body_tells(alliance: Any) -> None:
    member = factories.register("alpha", "Stadt Alphausen", schema_name="alpha")
    factories.offer("FILE", unit="person")
    factories.agree(member, "FILE")
    event = UsageMeasured("alpha", date(2025, 10, 1), 41, 12, 300, 900, 10**9)
    subscribers.take_usage(SYSTEM, from_values(UsageMeasured, to_values(event)))
    assert Measure.objects.get().quantity == 41
    assert services.report_usage(SYSTEM, now=NOW) is None  # the alliance does not bill itself


def test_of_two_releases_at_the_same_moment_one_wins(real_database: str) -> None:
    with acting_for("alliance"):
        factories.make_alliance()
        run = services.propose_run(
            SYSTEM, kind="advance", period_start=date(2025, 1, 1), period_end=date(2025, 12, 31), now=NOW
        ).id
        services.check_run(SYSTEM, run_id=run, now=NOW)
    role = frozenset({Role.ALLIANCE_MANAGER})
    managers = [
        Actor(ActorKind.STAFF, factories.new_person(name), name, "alliance", role)
        for name in ("Kirsten Bund", "Knut Bund")
    ]
    connection.close()

    def release(actor: Actor) -> str:
        try:
            services.release_run(actor, run_id=run, now=NOW)
        except services.RunConflict as conflict:
            return str(conflict.message)
        return "released"

    outcomes = at_once([partial(release, actor) for actor in managers], body="alliance")
    assert outcomes.count("released") == 1
    other = next(outcome for outcome in outcomes if outcome != "released")
    with acting_for("alliance"):
        kept = ChargeRun.objects.get()
        assert kept.released_by_name in other
        assert AuditEntry.objects.filter(action="costsharing.run.released").count() == 1


def test_the_same_form_at_the_same_moment_is_written_once(real_database: str) -> None:
    with acting_for("alliance"):
        services.define_centre(SYSTEM, code="HAUS", name="Gebäude", step=10, now=NOW)
    connection.close()
    key = uuid4()
    cost: dict[str, Any] = {"centre": "HAUS", "year": 2025, "cents": 1000, "text": "Miete"}
    record = partial(services.record_cost, SYSTEM, now=NOW, idempotency_key=key, **cost)
    written = at_once([record] * 2, body="alliance")
    assert written == [key, key]
    with acting_for("alliance"):
        assert [row.cents for row in CentreCost.objects.all()] == [1000]
        assert AuditEntry.objects.filter(action="costsharing.cost.recorded").count() == 1


AT_ONCE: dict[str, tuple[Callable[..., int], type[Model], str, dict[str, Any]]] = {
    "tariff": (
        services.set_tariff,
        Tariff,
        "costsharing.tariff.set",
        {"component": "quantity", "euros": Decimal(150), "valid_from": date(2026, 1, 1), "basis": "Beschluss 9"},
    ),
    "treatment": (
        services.review_tax,
        TaxTreatment,
        "costsharing.tax.reviewed",
        {
            "treatment": "taxable_19",
            "valid_from": date(2026, 1, 1),
            "reasoning": "Geprüft.",
            "document": "Az. 1",
            "reviewer": "Kanzlei Muster",
            "reviewed_on": date(2025, 1, 2),
        },
    ),
    "measure": (
        services.record_measure,
        Measure,
        "costsharing.measure.recorded",
        {"period_start": date(2026, 1, 1), "period_end": date(2026, 6, 30), "quantity": Decimal(12)},
    ),
}


@pytest.mark.parametrize("which", AT_ONCE)
def test_what_is_sent_twice_in_one_instant_is_one_row(real_database: str, which: str) -> None:
    service, model, action, values = AT_ONCE[which]
    with acting_for("alliance"):
        members = factories.make_alliance().members
        before = (model._default_manager.count(), AuditEntry.objects.filter(action=action).count())
    if which == "measure":
        values = {**values, "member_id": members["alpha"]}
    connection.close()
    key = uuid4()
    write = partial(service, SYSTEM, service_code="CORE", now=NOW, idempotency_key=key, **values)
    written = at_once([write] * 2, body="alliance")
    assert written[0] == written[1]
    with acting_for("alliance"):
        after = (model._default_manager.count(), AuditEntry.objects.filter(action=action).count())
        assert after == (before[0] + 1, before[1] + 1)
