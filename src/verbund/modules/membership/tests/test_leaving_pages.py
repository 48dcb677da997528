"""The pages of leaving, as a browser sees them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from verbund.modules.membership import queries, services
from verbund.modules.membership.models import LeavingAction, LeavingState
from verbund.modules.membership.web.forms.leaving import LEAVING_FORMS
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for, local_date
from verbund.platform.tenancy import now as the_clock

from .factories import founded, hash_of
from .pages import employ, signed_in
from .test_accession_rules import digest

LIST = "/arbeit/austritte/"
NOTICE = date(2024, 6, 1)


@dataclass
class World:
    """Three carriers, and who may do what about one that leaves."""

    manager: Actor
    clients: dict[str, Client]
    carriers: list[UUID]

    def state(self) -> str:
        with acting_for("alliance"):
            return digest()

    def view(self, leaving: UUID) -> queries.LeavingView:
        with acting_for("alliance"):
            return queries.leaving(self.manager, leaving, today=local_date(the_clock()))

    def notice(self, exit_on: date, on: date = NOTICE) -> UUID:
        with acting_for("alliance"):
            return services.give_leave_notice(
                self.manager, member_id=self.carriers[2], exit_on=exit_on, on=on, now=the_clock()
            )


@pytest.fixture
def world(real_database: str, settings: Any) -> World:
    moment: datetime = the_clock()
    with acting_for("alliance"):
        manager = employ("Max Mond", Role.ALLIANCE_MANAGER)
        carriers = founded(manager, "kreis", "hauptstadt", "drittstadt", on=date(2020, 1, 1), now=moment)
        people = {
            "manager": manager,
            "auditor": employ("Pia Pruef", Role.AUDITOR),
            "representative": employ("Rita Rat", Role.MEMBER_REPRESENTATIVE, "drittstadt"),
            "stranger": employ("Fritz Fremd", Role.MEMBER_REPRESENTATIVE, "kreis"),
            "clerk": employ("Karl Klein", Role.CLERK),
        }
        clients = {name: signed_in(actor, settings) for name, actor in people.items()}
    return World(manager, clients, carriers)


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_notice_is_recorded_by_the_form(world: World) -> None:
    client = world.clients["manager"]
    assert "Niemand tritt aus" in text_of(client.get(LIST))
    today = local_date(the_clock())
    sent = {
        "member_id": str(world.carriers[2]),
        "on": today.isoformat(),
        "exit_on": (today + timedelta(days=30)).isoformat(),
        "new_chair": "",
    }
    before = world.state()
    early = client.post(f"{LIST}neu/", sent)
    assert (early.status_code, list(early.context["form"].errors)) == (422, ["exit_on"])
    chair = client.post(
        f"{LIST}neu/",
        {**sent, "member_id": str(world.carriers[0]), "exit_on": date(today.year + 4, 12, 31).isoformat()},
    )
    assert (chair.status_code, list(chair.context["form"].errors)) == (422, ["new_chair"])
    assert client.post(f"{LIST}neu/", {"member_id": "x", "on": "y"}).status_code == 422
    assert world.state() == before
    good = {**sent, "exit_on": date(today.year + 4, 12, 31).isoformat()}
    answer = client.post(f"{LIST}neu/", good)
    assert answer.status_code == 302
    page = text_of(client.get(answer["Location"]))
    for expected in ("Stadt Drittstadt", "Letzter Tag als Träger", "Art. 28 Abs. 3 Buchst. g DSGVO", "§ 167b KV M-V"):
        assert expected in page, expected
    before = world.state()
    assert client.post(f"{LIST}neu/", good).status_code == 422
    assert world.state() == before


def test_the_way_out_is_gone_act_by_act(world: World) -> None:
    exit_on = local_date(the_clock()) - timedelta(days=20)
    leaving = world.notice(exit_on)
    client, page = world.clients["manager"], f"{LIST}{leaving}/"
    shown = text_of(client.get(page))
    assert "verbund body export drittstadt" not in shown  # it has no tenant, so there is nothing to export
    assert world.view(leaving).possible == (LeavingAction.SETTLE, LeavingAction.HAND_BACK_DATA)
    on = local_date(the_clock()).isoformat()
    acts: list[tuple[str, dict[str, str]]] = [
        ("settle", {"on": on, "direction": "alliance", "euro": "500,00"}),
        ("hand_back_data", {"on": on, "export_reference": "Export 7", "manifest_sha256": hash_of("x")}),
        ("certify_erasure", {"on": on, "certificate": "Bescheinigung 3"}),
        ("leave", {"on": on}),
    ]
    for name, sent in acts:
        assert client.get(f"{page}{name}/").status_code == 200, name
        before = world.state()
        for wrong in ({**sent, "on": "2020-01-01"}, {**sent, "on": "2999-01-01"}, {**sent, "on": ""}):
            assert client.post(f"{page}{name}/", wrong).status_code == 422, (name, wrong)
        for who in ("auditor", "representative", "clerk"):
            assert world.clients[who].post(f"{page}{name}/", sent).status_code == 403, (name, who)
        assert world.state() == before
        assert client.post(f"{page}{name}/", sent).status_code == 302, name
        before = world.state()
        again = client.post(f"{page}{name}/", sent)
        assert again.status_code == 302, name  # back to the timeline with a word that it is not possible now
        assert world.state() == before
    view = world.view(leaving)
    assert (view.facts.state, view.settlement_cents, view.export_sha256) == (
        LeavingState.LEFT.value,
        -50_000,
        hash_of("x"),
    )
    assert {step.state for step in view.steps} == {"done"}
    assert view.possible == ()
    assert [act.legal_basis for act in view.acts][2:4] == ["Art. 28 Abs. 3 Buchst. g DSGVO"] * 2


def test_what_is_not_possible_yet_leads_back_to_the_timeline(world: World) -> None:
    leaving = world.notice(local_date(the_clock()) + timedelta(days=5))
    client, page = world.clients["manager"], f"{LIST}{leaving}/"
    assert world.view(leaving).possible == (LeavingAction.WITHDRAW_LEAVE_NOTICE,)
    before = world.state()
    answer = client.post(f"{page}settle/", {"on": "2026-01-01", "direction": "member", "euro": "1"}, follow=True)
    assert "Dieser Schritt ist jetzt nicht möglich" in text_of(answer) or "nicht möglich" in text_of(answer)
    assert client.get(f"{page}give_leave_notice/").status_code == 404
    assert client.get(f"{page}explode/").status_code == 404
    assert world.state() == before
    on = local_date(the_clock()).isoformat()
    assert client.post(f"{page}withdraw_leave_notice/", {"on": on}).status_code == 302
    view = world.view(leaving)
    assert view.facts.state == LeavingState.WITHDRAWN.value
    assert [step.state for step in view.steps] == ["done", *["stopped"] * 5]


@pytest.mark.parametrize(
    ("act", "wrong", "fields"),
    [
        ("settle", {"direction": "nobody", "euro": "much"}, {"direction", "euro"}),
        ("settle", {"direction": "member", "euro": "-1"}, {"euro"}),
        ("hand_back_data", {"export_reference": "", "manifest_sha256": "abc"}, {"export_reference", "manifest_sha256"}),
    ],
)
def test_bad_input_is_explained(world: World, act: str, wrong: dict[str, str], fields: set[str]) -> None:
    leaving = world.notice(local_date(the_clock()) - timedelta(days=20))
    before = world.state()
    on = local_date(the_clock()).isoformat()
    answer = world.clients["manager"].post(f"{LIST}{leaving}/{act}/", {"on": on, **wrong})
    assert (answer.status_code, set(answer.context["form"].errors)) == (422, fields)
    assert world.state() == before


def test_a_representative_sees_the_own_way_out_only(world: World) -> None:
    leaving = world.notice(local_date(the_clock()) + timedelta(days=5))
    assert world.clients["representative"].get(f"{LIST}{leaving}/").status_code == 200
    assert world.clients["stranger"].get(f"{LIST}{leaving}/").status_code == 404
    assert "Drittstadt" not in text_of(world.clients["stranger"].get(LIST))
    assert world.clients["clerk"].get(LIST).status_code == 403


def test_forms_name_only_acts_that_there_are() -> None:
    assert set(LEAVING_FORMS) <= set(LeavingAction)
