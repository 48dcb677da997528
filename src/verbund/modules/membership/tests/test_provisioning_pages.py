"""The pages of the set-up of a body and of its take-over, as a browser sees them."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from verbund.modules.membership import queries, services
from verbund.modules.membership.events import RoomPrepared
from verbund.modules.membership.models import Provisioning, ProvisioningStep
from verbund.modules.membership.services import provisioning as module
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for, local_date
from verbund.platform.tenancy import now as the_clock

from . import factories
from .pages import employ, signed_in
from .test_accession_rules import digest


@dataclass
class World:
    """A co-user that is to get a body, and who may do what about it."""

    manager: Actor
    clients: dict[str, Client]
    member: UUID

    @property
    def page(self) -> str:
        return f"/arbeit/bereitstellung/{self.member}/"

    def view(self) -> queries.ProvisioningView:
        with acting_for("alliance"):
            return queries.provisioning(self.manager, member_id=self.member)

    def tasks(self) -> list[queries.TaskView]:
        with acting_for("alliance"):
            return queries.take_over_plan(self.manager, member_id=self.member)

    def state(self) -> str:
        with acting_for("alliance"):
            return digest()


@pytest.fixture
def world(real_database: str, settings: Any) -> World:
    moment = the_clock()
    with acting_for("alliance"):
        manager = employ("Max Mond", Role.ALLIANCE_MANAGER)
        services.define_service(
            manager,
            code="AKTE",
            name="Digitale Akte",
            description="Akten",
            unit="person",
            price_basis="tariff",
            rooms=["records"],
            valid_from=date(2020, 1, 1),
            now=moment,
        )
        member = factories.member(manager, "gamma", now=moment)
        factories.member(manager, "delta", now=moment)
        people = {
            "manager": manager,
            "operator": employ("Otto Ohm", Role.OPERATOR),
            "representative": employ("Rita Rat", Role.MEMBER_REPRESENTATIVE, "gamma"),
            "stranger": employ("Fritz Fremd", Role.MEMBER_REPRESENTATIVE, "delta"),
            "clerk": employ("Karl Klein", Role.CLERK),
        }
        clients = {name: signed_in(actor, settings) for name, actor in people.items()}
    return World(manager, clients, member)


def agree(world: World) -> None:
    with acting_for("alliance"):
        services.agree_service(
            world.manager,
            member_id=world.member,
            service_code="AKTE",
            valid_from=date(2026, 1, 1),
            as_carrier=False,
            basis="Vertrag",
            now=the_clock(),
        )


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


PLAN = {
    "hosts": "gamma.example\nwww.gamma.example",
    "accent_colour": "#225522",
    "ledger": "K1",
    "templates": ["bewohnerparkausweis"],
    "street": "Am Markt 1",
    "city": "Gamma",
    "name_1": "Ada Amt",
    "email_1": "ada@gamma.example",
    "role_1": "body_admin",
}


def test_what_a_body_is_to_have_is_planned_and_shown(world: World) -> None:
    client = world.clients["manager"]
    assert "Noch nicht bereitgestellt" in text_of(client.get(world.page))
    assert client.get(f"{world.page}plan/").status_code == 200
    assert client.post(f"{world.page}plan/", PLAN).status_code == 302
    view = world.view()
    assert (view.hosts, view.accent_colour, view.letterhead) == (
        ("gamma.example", "www.gamma.example"),
        "#225522",
        {"street": "Am Markt 1", "city": "Gamma"},
    )
    assert view.people == (queries.InvitedPerson("Ada Amt", "ada@gamma.example", "body_admin"),)
    page = text_of(client.get(world.page))
    for expected in ("www.gamma.example", "Ada Amt", "ada@gamma.example", "Am Markt 1, Gamma", "noch nicht begonnen"):
        assert expected in page, expected
    again = client.get(f"{world.page}plan/").context["form"]
    assert again["email_1"].value() == "ada@gamma.example"


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({"accent_colour": "blue"}, {"accent_colour"}),
        ({"email_1": "nobody"}, {"email_1"}),
        ({"email_1": ""}, {"email_1"}),
        ({"name_1": ""}, {"name_1"}),
        ({"role_1": "alliance_manager"}, {"role_1"}),
        ({"role_1": "clerk"}, {"__all__"}),
        ({"hosts": "not a host!"}, {"hosts"}),
        ({"hosts": "alpha.localhost"}, {"hosts"}),
        ({"templates": ["made-up"]}, {"templates"}),
    ],
)
def test_a_plan_that_cannot_be_is_explained(world: World, wrong: dict[str, Any], fields: set[str]) -> None:
    before = world.state()
    answer = world.clients["manager"].post(f"{world.page}plan/", {**PLAN, **wrong})
    assert (answer.status_code, set(answer.context["form"].errors)) == (422, fields)
    assert world.state() == before


def test_nothing_begins_before_clearance_or_agreement(world: World) -> None:
    before = world.state()
    answer = world.clients["manager"].post(f"{world.page}beginnen/", {})
    assert answer.status_code == 422
    assert "weder die Unbedenklichkeit noch" in text_of(answer)
    assert world.state() == before


def test_it_begins_by_hand_once_and_its_steps_are_shown(world: World) -> None:
    agree(world)
    client = world.clients["operator"]
    client.post(f"{world.page}plan/", PLAN)
    asked = text_of(client.get(f"{world.page}beginnen/"))
    assert "gamma.example, www.gamma.example" in asked
    assert "1 Person wird per E-Mail eingeladen" in asked
    assert client.post(f"{world.page}beginnen/", {}).status_code == 302
    first = world.view()
    assert client.post(f"{world.page}beginnen/", {}).status_code == 302
    assert world.view() == first
    page = text_of(client.get(world.page))
    assert f'hx-get="{world.page}stand/"' in page
    assert "0 von 7 Schritten sind erledigt" in page
    late = client.post(f"{world.page}plan/", PLAN)
    assert late.status_code == 422
    assert "kann nicht mehr geändert werden" in text_of(late)


def test_a_page_on_which_nothing_happens_stops_asking(world: World) -> None:
    agree(world)
    client = world.clients["manager"]
    client.post(f"{world.page}beginnen/", {})
    with acting_for("alliance"):
        long_ago = the_clock() - timedelta(minutes=6)
        Provisioning.objects.update(started_at=long_ago)
        ProvisioningStep.objects.filter(started_at__isnull=False).update(started_at=long_ago)
    part = text_of(client.get(f"{world.page}stand/"))
    assert "hx-get" not in part
    assert "Seit einigen Minuten ist nichts geschehen" in part
    assert "<html" not in part


def test_a_failed_step_says_why_and_is_tried_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    agree(world)
    client = world.clients["manager"]
    client.post(f"{world.page}beginnen/", {})
    view = world.view()
    monkeypatch.setattr(module, "create_body", lambda **_facts: None)
    with acting_for("alliance"):
        Provisioning.objects.update(schema_name="alpha")
        services.make_tenant(world.manager, provisioning_id=view.id, now=the_clock())
        services.note_part(
            world.manager,
            answer=RoomPrepared(view.id, "alpha", "chart", "Der Kontenplan fehlt."),
            now=the_clock(),
        )
    page = text_of(client.get(world.page))
    assert "Der Kontenplan fehlt." in page
    assert "1 Schritt ist fehlgeschlagen" in page
    assert "hx-get" not in page
    before = world.state()
    for who in ("representative", "clerk"):
        assert world.clients[who].post(f"{world.page}wiederholen/", {}).status_code == 403
    assert world.state() == before
    assert client.get(f"{world.page}wiederholen/").status_code == 405
    assert client.post(f"{world.page}wiederholen/", {}).status_code == 302
    assert {step.step: step.attempts for step in world.view().steps}["chart"] == 2
    before = world.state()
    refused = client.post(f"{world.page}wiederholen/", {}, follow=True)
    assert "Kein Schritt ist gescheitert" in text_of(refused)
    assert world.state() == before
    with acting_for("alliance"):
        for part in ("people", "file_plan", "chart", "services"):
            services.note_part(world.manager, answer=RoomPrepared(view.id, "alpha", part, ""), now=the_clock())
    done = text_of(client.get(world.page))
    assert "Arbeitsbereit seit" in done
    assert "hx-get" not in done
    assert f"{world.page}beginnen/" not in done
    assert "arbeitsbereit" in text_of(client.get("/arbeit/bereitstellung/"))


def test_the_plan_of_taking_over_is_dated_moved_and_ticked_off(world: World) -> None:
    client, today = world.clients["manager"], local_date(the_clock())
    begins = today + timedelta(days=100)
    assert client.post(f"{world.page}uebernahme/", {"begins_on": begins.isoformat()}).status_code == 302
    assert len(world.tasks()) == 8
    added = {"title": "Postfächer umziehen", "due_on": (today + timedelta(days=5)).isoformat(), "responsible": "Ina"}
    assert client.post(f"{world.page}aufgabe/", added).status_code == 302
    task = world.tasks()[0]
    assert (task.title, task.responsible) == ("Postfächer umziehen", "Ina")
    move = f"/arbeit/bereitstellung/aufgaben/{task.id}/verschieben/"
    shown = client.get(move).context["form"]
    sent = {"due_on": (today + timedelta(days=9)).isoformat(), "responsible": "Ole", "seen": shown["seen"].value()}
    assert client.post(move, sent).status_code == 302
    moved = next(t for t in world.tasks() if t.id == task.id)
    assert (moved.due_on, moved.responsible) == (today + timedelta(days=9), "Ole")
    before = world.state()
    stale = client.post(move, {**sent, "due_on": (today + timedelta(days=30)).isoformat()})
    assert stale.status_code == 422
    assert "Jemand anderes hat diese Aufgabe inzwischen verschoben" in text_of(stale)
    finish = f"/arbeit/bereitstellung/aufgaben/{task.id}/erledigen/"
    assert client.post(finish, {"done_on": (today + timedelta(days=1)).isoformat()}).status_code == 422
    assert world.state() == before
    deadlines = text_of(client.get("/arbeit/fristen/"))
    assert "Stadt Gamma: Postfächer umziehen" in deadlines
    assert "Ole" in deadlines
    assert client.post(finish, {"done_on": today.isoformat(), "note": "Alles da."}).status_code == 302
    page = text_of(client.get(world.page))
    assert "Alles da." in page
    assert "8 Aufgaben sind offen" in page
    assert "Postfächer umziehen" not in text_of(client.get("/arbeit/fristen/"))
    before = world.state()
    assert client.post(finish, {"done_on": today.isoformat()}).status_code == 422
    assert client.post(move, {**sent, "seen": sent["due_on"]}).status_code == 422
    assert client.post(f"{world.page}aufgabe/", {**added, "title": "x"}).status_code == 422
    assert world.state() == before


def test_only_those_who_may_make_bodies_ready_act(world: World) -> None:
    with acting_for("alliance"):
        services.plan_take_over(world.manager, member_id=world.member, begins_on=date(2027, 5, 1), now=the_clock())
    task = world.tasks()[0].id
    before = world.state()
    for who in ("representative", "clerk"):
        client = world.clients[who]
        for path in ("plan/", "beginnen/", "wiederholen/", "uebernahme/", "aufgabe/"):
            assert (who, path, client.post(world.page + path, PLAN).status_code) == (who, path, 403)
        for act in ("verschieben", "erledigen"):
            assert client.post(f"/arbeit/bereitstellung/aufgaben/{task}/{act}/", {}).status_code == 403
    assert world.state() == before
    assert world.clients["representative"].get(world.page).status_code == 200
    assert world.clients["stranger"].get(world.page).status_code == 404
    assert world.clients["clerk"].get(world.page).status_code == 403
    assert "Stadt Delta" not in text_of(world.clients["representative"].get("/arbeit/bereitstellung/"))
