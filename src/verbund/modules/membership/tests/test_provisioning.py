"""A body is made ready step by step: each step once, in its order, resumed wherever it was cut off."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from verbund.modules.membership import queries, services
from verbund.modules.membership.events import FirstPerson, RoomPrepared
from verbund.modules.membership.models import Member, Provisioning, ServiceAgreement, TakeOverTask
from verbund.modules.membership.services import provisioning as module
from verbund.platform.audit.models import AuditEntry
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import NotFound
from verbund.platform.tenancy.models import Body, Host

from . import factories

TODAY = date(2026, 11, 20)
ADMIN = FirstPerson("ada@gamma.example", "Ada Amt", "body_admin")


@pytest.fixture
def manager(staff: Any) -> Actor:
    actor: Actor = staff(Role.ALLIANCE_MANAGER, body="alliance")
    return actor


@pytest.fixture
def gamma(alliance: Any, manager: Actor, now: datetime) -> UUID:
    """A body that is to use the digital file without being a carrier."""
    member_id = factories.member(manager, "gamma")
    services.define_service(
        manager,
        code="FILE",
        name="Digital file",
        description="Files and cases.",
        unit="person",
        price_basis="tariff",
        rooms={"records"},
        valid_from=date(2020, 1, 1),
        now=now,
    )
    services.agree_service(
        manager,
        member_id=member_id,
        service_code="FILE",
        valid_from=TODAY,
        as_carrier=False,
        basis="Agreement of 1 July 2026",
        now=now,
    )
    return member_id


@pytest.fixture
def tenant(monkeypatch: pytest.MonkeyPatch, gamma: UUID, manager: Actor, now: datetime) -> UUID:
    """The owner of the tables has made gamma's tenant: alpha's schema stands in for it."""
    wishes = services.Wishes(people=(ADMIN,), templates=("bewohnerparkausweis",))
    services.plan_provisioning(manager, member_id=gamma, wishes=wishes, now=now)
    Provisioning.objects.update(schema_name="alpha")
    monkeypatch.setattr(module, "create_body", lambda **_facts: None)
    return gamma


def begin(manager: Actor, member_id: UUID, now: datetime) -> None:
    """Provision as far as the tenant."""
    view = services.provision(manager, member_id=member_id, now=now)
    services.make_tenant(manager, provisioning_id=view.id, now=now)


def states(manager: Actor, member_id: UUID) -> dict[str, str]:
    return {step.step: step.state for step in queries.provisioning(manager, member_id=member_id).steps}


def answer(manager: Actor, member_id: UUID, part: str, problem: str = "") -> RoomPrepared:
    return RoomPrepared(queries.provisioning(manager, member_id=member_id).id, "alpha", part, problem)


def jobs() -> list[tuple[str, str]]:
    """What was asked of rooms: (body, part), looked at as the owner of the queue would."""
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute(
            "SELECT args ->> 'body', args -> 'values' ->> 'part' FROM public.procrastinate_jobs"
            " WHERE args ->> 'hearer' = 'verbund.modules.records.subscribers.prepare_file_plan' ORDER BY id"
        )
        found = [(body, part) for body, part in cursor.fetchall()]
        cursor.execute("SET ROLE body_alliance")
    return found


def test_a_body_is_wished_for_and_waits_for_its_tenant(gamma: UUID, manager: Actor, now: datetime) -> None:
    view = services.provision(manager, member_id=gamma, now=now)
    assert (view.hosts, view.schema_name, view.is_running) == (("gamma.localhost",), "gamma", True)
    assert states(manager, gamma) == {
        "tenant": "running",
        **dict.fromkeys(["rooms", "people", "file_plan", "chart", "services", "ready"], "waiting"),
    }
    assert services.provision(manager, member_id=gamma, now=now + timedelta(hours=1)) == view
    assert AuditEntry.objects.filter(action="membership.provisioning.begun").count() == 1


def test_nothing_is_set_up_for_a_candidate_before_clearance(alliance: Any, manager: Actor, now: datetime) -> None:
    """M2, § 77 (1) KV M-V."""
    member_id = factories.member(manager, "gamma")
    with pytest.raises(services.NotCleared):
        services.provision(manager, member_id=member_id, now=now)
    assert (Provisioning.objects.count(), Member.objects.get().schema_name) == (0, None)


def test_an_agreement_as_carrier_alone_is_no_clearance(
    alliance: Any, gamma: UUID, manager: Actor, now: datetime
) -> None:
    ServiceAgreement.objects.update(as_carrier=True)
    with pytest.raises(services.NotCleared):
        services.provision(manager, member_id=gamma, now=now)
    assert Provisioning.objects.count() == 0


def test_the_alliance_founds_the_tenant_itself(gamma: UUID, manager: Actor, now: datetime) -> None:
    view = services.provision(manager, member_id=gamma, now=now)
    for seconds in (1, 9):  # made twice it is made once, and the time of the first counts
        services.make_tenant(manager, provisioning_id=view.id, now=now + timedelta(seconds=seconds))
    body = Body.objects.get(schema_name="gamma")
    assert (body.slug, body.name, body.kind, body.rooms) == ("gamma", "Stadt Gamma", "town", ["records"])
    assert Host.objects.get(tenant_id=body.id).domain == "gamma.localhost"
    assert states(manager, gamma)["tenant"] == "done"
    assert queries.provisioning(manager, member_id=gamma).steps[0].seconds == 1.0


def test_what_stands_in_the_way_of_the_tenant_is_said_and_can_be_tried_again(
    gamma: UUID, manager: Actor, now: datetime
) -> None:
    wishes = services.Wishes(hosts=("rathaus.example",))
    services.plan_provisioning(manager, member_id=gamma, wishes=wishes, now=now)
    Provisioning.objects.update(hosts=["alpha.localhost"])  # taken in the meantime
    view = services.provision(manager, member_id=gamma, now=now)
    services.make_tenant(manager, provisioning_id=view.id, now=now)
    failed = queries.provisioning(manager, member_id=gamma)
    assert (failed.failed, failed.is_running) == (True, False)
    assert failed.steps[0].reason
    assert not Body.objects.filter(schema_name="gamma").exists()
    Provisioning.objects.update(hosts=["rathaus.example"])
    again = services.retry_provisioning(manager, member_id=gamma, now=now)
    assert (again.steps[0].state, again.steps[0].attempts, again.steps[0].reason) == ("running", 2, "")
    services.make_tenant(manager, provisioning_id=view.id, now=now)
    assert states(manager, gamma)["tenant"] == "done"
    with pytest.raises(services.ProvisioningConflict):
        services.retry_provisioning(manager, member_id=gamma, now=now)


def test_with_the_tenant_the_rooms_are_switched_and_the_rooms_are_asked(
    tenant: UUID, manager: Actor, now: datetime
) -> None:
    begin(manager, tenant, now)
    assert queries.member(manager, tenant).rooms == ("records",)
    assert queries.member(manager, tenant).schema_name == "alpha"
    assert states(manager, tenant) == {
        "tenant": "done",
        "rooms": "done",
        "people": "running",
        "file_plan": "running",
        "chart": "running",
        "services": "waiting",
        "ready": "waiting",
    }
    assert jobs() == [("alpha", "people"), ("alpha", "file_plan"), ("alpha", "chart")]


@pytest.mark.parametrize("order", list(permutations(["people", "file_plan", "chart"])))
def test_answers_may_come_in_any_order_and_twice(
    tenant: UUID, manager: Actor, now: datetime, order: tuple[str, ...]
) -> None:
    begin(manager, tenant, now)
    for part in order:
        assert states(manager, tenant)["services"] == "waiting"
        services.note_part(manager, answer=answer(manager, tenant, part), now=now)
        services.note_part(manager, answer=answer(manager, tenant, part), now=now)
    assert states(manager, tenant)["services"] == "running"
    for _again in range(2):
        services.note_part(manager, answer=answer(manager, tenant, "services"), now=now + timedelta(seconds=2))
    view = queries.provisioning(manager, member_id=tenant)
    assert {step.state for step in view.steps} == {"done"}
    assert view.ended_at == now + timedelta(seconds=2)
    assert AuditEntry.objects.filter(action="membership.provisioning.ended").count() == 1


@pytest.mark.parametrize("part", ["people", "file_plan", "chart", "services"])
def test_a_room_that_cannot_is_named_and_asked_again(tenant: UUID, manager: Actor, now: datetime, part: str) -> None:
    begin(manager, tenant, now)
    others = [p for p in ("people", "file_plan", "chart") if p != part]
    for other in others:
        services.note_part(manager, answer=answer(manager, tenant, other), now=now)
    services.note_part(manager, answer=answer(manager, tenant, part, "it does not fit"), now=now)
    view = queries.provisioning(manager, member_id=tenant)
    assert {step.step: step.reason for step in view.steps if step.state == "failed"} == {part: "it does not fit"}
    assert not view.is_running
    before = len(jobs())
    services.provision(manager, member_id=tenant, now=now)
    assert len(jobs()) == before, "a failed part waits for somebody to say that it is to be tried again"
    services.retry_provisioning(manager, member_id=tenant, now=now)
    assert jobs()[-1] == ("alpha", part)
    services.note_part(manager, answer=answer(manager, tenant, part), now=now)
    if part != "services":
        services.note_part(manager, answer=answer(manager, tenant, "services"), now=now)
    assert set(states(manager, tenant).values()) == {"done"}


def test_no_body_speaks_for_another(tenant: UUID, manager: Actor, now: datetime) -> None:
    begin(manager, tenant, now)
    before = states(manager, tenant)
    forged = replace(answer(manager, tenant, "people"), schema_name="beta")
    with pytest.raises(queries.ProvisioningNotFound):
        services.note_part(manager, answer=forged, now=now)
    assert states(manager, tenant) == before


def test_an_answer_makes_nobody_do_the_other_parts_twice(tenant: UUID, manager: Actor, now: datetime) -> None:
    begin(manager, tenant, now)
    services.note_part(manager, answer=answer(manager, tenant, "chart"), now=now)
    services.note_part(manager, answer=answer(manager, tenant, "people"), now=now)
    assert jobs() == [("alpha", "people"), ("alpha", "file_plan"), ("alpha", "chart")]
    services.note_part(manager, answer=answer(manager, tenant, "file_plan"), now=now)
    assert jobs()[3:] == [("alpha", "services")]


def test_an_answer_that_got_lost_is_asked_for_again(tenant: UUID, manager: Actor, now: datetime) -> None:
    begin(manager, tenant, now)
    services.note_part(manager, answer=answer(manager, tenant, "people"), now=now)
    asked = len(jobs())
    services.provision(manager, member_id=tenant, now=now)
    assert jobs()[asked:] == [("alpha", "file_plan"), ("alpha", "chart")]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"hosts": ("alpha.localhost",)}, "hosts"),
        ({"hosts": ("not a host",)}, "hosts"),
        ({"people": (FirstPerson("no address", "Ada Amt", "body_admin"),)}, "people"),
        ({"people": (FirstPerson("ada@gamma.example", "A", "body_admin"),)}, "people"),
        ({"people": (FirstPerson("ada@gamma.example", "Ada Amt", "operator"),)}, "people"),
        ({"people": (FirstPerson("ada@gamma.example", "Ada Amt", "clerk"),)}, "people"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(
    gamma: UUID, manager: Actor, now: datetime, changed: dict[str, Any], field: str
) -> None:
    with pytest.raises(services.BadProvisioning) as refusal:
        services.plan_provisioning(manager, member_id=gamma, wishes=services.Wishes(**changed), now=now)
    assert list(refusal.value.errors) == [field]
    assert Provisioning.objects.count() == 0


def test_a_plan_is_fixed_once_the_work_has_begun(gamma: UUID, manager: Actor, now: datetime) -> None:
    services.plan_provisioning(manager, member_id=gamma, wishes=services.Wishes(ledger="K1"), now=now)
    services.plan_provisioning(manager, member_id=gamma, wishes=services.Wishes(ledger="K2"), now=now)
    assert Provisioning.objects.get().ledger == "K2"
    services.provision(manager, member_id=gamma, now=now)
    with pytest.raises(services.ProvisioningConflict):
        services.plan_provisioning(manager, member_id=gamma, wishes=services.Wishes(), now=now)
    assert Provisioning.objects.get().ledger == "K2"


@pytest.mark.parametrize(
    ("slug", "schema"),
    [
        ("public", "body_public"),
        ("pg-catalog", "body_pg_catalog"),
        ("7-gemeinden", "body_7_gemeinden"),
        ("neu-dorf", "neu_dorf"),
    ],
)
def test_no_short_name_becomes_a_schema_of_postgresqls(slug: str, schema: str) -> None:
    assert module._schema_for(slug) == schema


def test_only_those_who_may_make_bodies_ready(gamma: UUID, manager: Actor, staff: Any, now: datetime) -> None:
    clerk, auditor = (staff(role, body="alliance") for role in (Role.CLERK, Role.AUDITOR))
    for actor in (clerk, auditor):
        with pytest.raises(policy.Denied):
            services.provision(actor, member_id=gamma, now=now)
        with pytest.raises(policy.Denied):
            services.plan_take_over(actor, member_id=gamma, begins_on=TODAY, now=now)
    services.provision(manager, member_id=gamma, now=now)
    with pytest.raises(NotFound):
        queries.provisioning(clerk, member_id=gamma)
    assert queries.provisioning(auditor, member_id=gamma).schema_name == "gamma"


def test_the_plan_of_taking_over_is_dated_moved_and_ticked_off(gamma: UUID, manager: Actor, now: datetime) -> None:
    begins = date(2027, 1, 1)
    plan = services.plan_take_over(manager, member_id=gamma, begins_on=begins, now=now)
    assert [task.due_on for task in plan] == sorted(task.due_on for task in plan)
    assert {task.due_on - begins for task in plan} == {timedelta(days=n) for n in (-60, -30, -14, -7, 0, 30, 90)}
    first = plan[0]
    services.finish_take_over_task(manager, task_id=first.id, done_on=TODAY, note="List is filed.", now=now)
    services.add_take_over_task(manager, member_id=gamma, title="Move the mailboxes", due_on=begins, now=now)
    moved = services.plan_take_over(manager, member_id=gamma, begins_on=begins + timedelta(days=31), now=now)
    by_id = {task.id: task for task in moved}
    assert (by_id[first.id].due_on, by_id[first.id].done_on, by_id[first.id].done_by) == (
        first.due_on,
        TODAY,
        "Eva Eich",
    )
    assert all(by_id[task.id].due_on == task.due_on + timedelta(days=31) for task in plan[1:])
    assert queries.take_over_plan(manager, member_id=gamma) == moved
    assert TakeOverTask.objects.count() == len(plan) + 1
    with pytest.raises(services.ProvisioningConflict):
        services.finish_take_over_task(manager, task_id=first.id, done_on=TODAY, now=now)
    with pytest.raises(services.BadProvisioning):
        services.finish_take_over_task(manager, task_id=plan[1].id, done_on=TODAY + timedelta(days=1), now=now)
    with pytest.raises(queries.TaskNotFound):
        services.finish_take_over_task(manager, task_id=gamma, done_on=TODAY, now=now)
