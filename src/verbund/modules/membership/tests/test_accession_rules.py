"""Every pair of a state and an act: what is forbidden is refused with its reason and changes nothing."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from psycopg import sql

from verbund.modules.membership import services
from verbund.modules.membership.models import AccessionState, Action, Member, PublicationMedium
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role

from .factories import Accessions, founded, medium, member

pytestmark = pytest.mark.usefixtures("english")

# Said once more by hand, from budget-domain 8.1: where each act is possible, and where it leads.
FORWARD: dict[Action, dict[AccessionState, AccessionState]] = {
    Action.STATE_COSTS: {
        AccessionState.INQUIRY: AccessionState.INQUIRY,
        AccessionState.BASIC_RESOLUTION: AccessionState.BASIC_RESOLUTION,
        AccessionState.NEGOTIATION: AccessionState.NEGOTIATION,
    },
    Action.RECORD_BASIC_RESOLUTION: {AccessionState.INQUIRY: AccessionState.BASIC_RESOLUTION},
    Action.BEGIN_NEGOTIATION: {AccessionState.BASIC_RESOLUTION: AccessionState.NEGOTIATION},
    Action.PLAN_TASK: {
        s: s
        for s in AccessionState
        if s
        not in (
            AccessionState.INQUIRY,
            AccessionState.BASIC_RESOLUTION,
            AccessionState.ONBOARDED,
            AccessionState.WITHDRAWN,
            AccessionState.ABANDONED,
        )
    },
    Action.PUT_CONTRACT_VERSION: dict.fromkeys(
        (
            AccessionState.NEGOTIATION,
            AccessionState.DRAFT_CONTRACT,
            AccessionState.ALL_CONSENTED,
            AccessionState.REFUSED,
            AccessionState.OBJECTION,
        ),
        AccessionState.DRAFT_CONTRACT,
    ),
    Action.RECORD_CONSENT: {AccessionState.DRAFT_CONTRACT: AccessionState.DRAFT_CONTRACT},
    Action.RECORD_CANDIDATE_RESOLUTION: {AccessionState.DRAFT_CONTRACT: AccessionState.DRAFT_CONTRACT},
    Action.REFUSE: {AccessionState.DRAFT_CONTRACT: AccessionState.REFUSED},
    Action.SIGN: {AccessionState.ALL_CONSENTED: AccessionState.SIGNED},
    Action.GIVE_NOTICE: {
        AccessionState.SIGNED: AccessionState.NOTIFIED,
        AccessionState.NOTIFIED: AccessionState.NOTIFIED,
        AccessionState.DOCUMENTS_COMPLETE: AccessionState.NOTIFIED,
    },
    Action.COMPLETE_DOCUMENTS: {AccessionState.NOTIFIED: AccessionState.DOCUMENTS_COMPLETE},
    Action.DECLARE_NO_OBJECTION: {
        AccessionState.NOTIFIED: AccessionState.NO_OBJECTION,
        AccessionState.DOCUMENTS_COMPLETE: AccessionState.NO_OBJECTION,
    },
    Action.ESTABLISH_CLEARANCE: {AccessionState.DOCUMENTS_COMPLETE: AccessionState.DEEMED_NO_OBJECTION},
    Action.RAISE_OBJECTION: {
        AccessionState.NOTIFIED: AccessionState.OBJECTION,
        AccessionState.DOCUMENTS_COMPLETE: AccessionState.OBJECTION,
    },
    Action.RECORD_PUBLICATION: {
        AccessionState.NO_OBJECTION: AccessionState.NO_OBJECTION,
        AccessionState.DEEMED_NO_OBJECTION: AccessionState.DEEMED_NO_OBJECTION,
    },
    Action.TAKE_EFFECT: {AccessionState.PUBLISHED: AccessionState.EFFECTIVE},
    Action.RECORD_CAPITAL: {AccessionState.EFFECTIVE: AccessionState.CAPITAL_PAID},
    Action.TRANSFER_TASK: {
        AccessionState.CAPITAL_PAID: AccessionState.TASKS_TRANSFERRED,
        AccessionState.TASKS_TRANSFERRED: AccessionState.TASKS_TRANSFERRED,
        AccessionState.ONBOARDED: AccessionState.ONBOARDED,
    },
    Action.COMPLETE_ONBOARDING: {AccessionState.TASKS_TRANSFERRED: AccessionState.ONBOARDED},
    Action.WITHDRAW: dict.fromkeys(
        (
            AccessionState.INQUIRY,
            AccessionState.BASIC_RESOLUTION,
            AccessionState.NEGOTIATION,
            AccessionState.DRAFT_CONTRACT,
            AccessionState.ALL_CONSENTED,
            AccessionState.REFUSED,
        ),
        AccessionState.WITHDRAWN,
    ),
    Action.ABANDON: {
        AccessionState.OBJECTION: AccessionState.ABANDONED,
        AccessionState.REFUSED: AccessionState.ABANDONED,
    },
}


def digest() -> str:
    """One digest of every table of the room, and of the audit trail."""
    tables = sorted(t for t in connection.introspection.table_names() if t.startswith("membership_"))
    assert len(tables) > 20
    parts = [
        sql.SQL("SELECT {}, md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM {} t").format(
            sql.Literal(table), sql.Identifier(table)
        )
        for table in [*tables, "audit_auditentry"]
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(" UNION ALL ").join(parts))
        return str(sorted(cursor.fetchall()))


@pytest.fixture
def manager(alliance: Any, staff: Any) -> Actor:
    actor: Actor = staff(Role.ALLIANCE_MANAGER, body="alliance")
    return actor


def act(case: Accessions, action: Action, founder: UUID) -> None:
    """Do `action` as it would be right at its proper time, late in the year."""
    on = date(2026, 11, 2)
    extra: dict[Action, tuple[Any, ...]] = {
        Action.RECORD_CONSENT: (founder,),
        Action.REFUSE: (founder,),
        Action.RECORD_PUBLICATION: (PublicationMedium.objects.filter(member_id=founder)[0].id,),
    }
    options: dict[str, Any] = {"on": on}
    if action is Action.PUT_CONTRACT_VERSION:
        options["text"] = "Vertrag 2"
    if action is Action.TRANSFER_TASK or action is Action.PLAN_TASK:
        options["task"] = "payroll"
    if action in (Action.DECLARE_NO_OBJECTION, Action.RAISE_OBJECTION):
        options["on"] = date(2026, 5, 4)
    getattr(case, action.value)(*extra.get(action, ()), **options)


# Acts whose state is right, but something else is missing.
OTHER_REASONS: dict[tuple[AccessionState, Action], str] = {
    (AccessionState.ALL_CONSENTED, Action.RECORD_CONSENT): "has decided on this version already",
    (AccessionState.ALL_CONSENTED, Action.REFUSE): "has decided on this version already",
    (AccessionState.NO_OBJECTION, Action.TAKE_EFFECT): "publication comes first",
    (AccessionState.DEEMED_NO_OBJECTION, Action.TAKE_EFFECT): "publication comes first",
}


@pytest.mark.parametrize("state", AccessionState)
def test_every_act_in_this_state(manager: Actor, state: AccessionState) -> None:
    founders = founded(manager)
    candidate = member(manager, "neustadt")
    medium(candidate)
    case = Accessions(manager, candidate).to(state)
    before = digest()
    for action, leads in FORWARD.items():
        point = transaction.savepoint()
        if state in leads:
            act(case, action, founders[0])
            assert (action, case.state) == (action, leads[state])
            assert digest() != before
        else:
            with pytest.raises(services.StepRefused) as refusal:
                act(case, action, founders[0])
            reasons = [OTHER_REASONS.get((state, action), str(action.label)), ""]
            reasons[1] = "" if (state, action) in OTHER_REASONS else str(state.label)
            assert all(reason in str(refusal.value) for reason in reasons), (action, str(refusal.value))
            assert (action, digest()) == (action, before)
        transaction.savepoint_rollback(point)
        case.text = "Vertrag 1"


@pytest.mark.parametrize("state", [s for s in AccessionState if any(s in leads for leads in FORWARD.values())])
def test_an_act_recorded_twice_with_the_same_content_stands_once(manager: Actor, state: AccessionState) -> None:
    """A double click: the second time is refused in words and leaves nothing, in every state an act is possible in."""
    founders = founded(manager)
    candidate = member(manager, "neustadt")
    medium(candidate)
    case = Accessions(manager, candidate).to(state)
    for action in (a for a, leads in FORWARD.items() if state in leads):
        point = transaction.savepoint()
        act(case, action, founders[0])
        once = digest()
        with pytest.raises(services.StepRefused) as refusal:
            act(case, action, founders[0])
        assert len(str(refusal.value)) > 20, action
        assert (action, digest()) == (action, once)
        transaction.savepoint_rollback(point)
        case.text = "Vertrag 1"


def test_an_act_that_says_something_new_may_come_again(manager: Actor) -> None:
    founded(manager)
    case = Accessions(manager, member(manager, "neustadt")).to(AccessionState.INQUIRY)
    common = case.common(date(2026, 11, 2))
    for cents, note in ((1, ""), (2, ""), (2, "berichtigt"), (1, "")):
        services.state_costs(manager, yearly_cents=cents, evidence=services.Evidence(note=note), **common)
    told = case.row().acts.filter(action="state_costs", on=date(2026, 11, 2)).order_by("number")
    assert [(a.details["yearly_cents"], a.note) for a in told] == [(1, ""), (2, ""), (2, "berichtigt"), (1, "")]


def test_the_table_covers_every_act_but_the_first() -> None:
    assert set(FORWARD) == set(Action) - {Action.OPEN_INQUIRY}


def test_a_second_open_accession_of_the_same_body_is_refused(manager: Actor, now: datetime) -> None:
    founded(manager)
    case = Accessions(manager, member(manager, "neustadt")).to(AccessionState.NEGOTIATION)
    before = digest()
    with pytest.raises(services.StepRefused, match="open accession"):
        Accessions(manager, case.member_id).open_inquiry()
    assert digest() == before
    case.withdraw()
    Accessions(manager, case.member_id).open_inquiry(on=date(2026, 10, 1))


def test_a_carrier_does_not_join_again(manager: Actor) -> None:
    founders = founded(manager)
    with pytest.raises(services.StepRefused, match="carrier already"):
        Accessions(manager, founders[0]).open_inquiry()


def test_nothing_is_recorded_before_it_has_happened(manager: Actor) -> None:
    founded(manager)
    case = Accessions(manager, member(manager, "neustadt")).to(AccessionState.INQUIRY)
    before = digest()
    with pytest.raises(services.BadStep) as refusal:
        case.record_basic_resolution(on=date(2026, 11, 21))
    assert list(refusal.value.errors) == ["on"]
    assert digest() == before


def test_votes_that_are_no_majority_are_no_consent(manager: Actor) -> None:
    founders = founded(manager)
    case = Accessions(manager, member(manager, "neustadt")).to(AccessionState.DRAFT_CONTRACT)
    with pytest.raises(services.StepRefused, match="no majority"):
        case.record_consent(founders[0], resolution=services.Resolution("Kreistag", votes_for=7, votes_against=7))
    assert case.state == AccessionState.DRAFT_CONTRACT


@pytest.mark.parametrize(
    ("resolution", "field"),
    [
        (services.Resolution(" "), "organ"),
        (services.Resolution("Kreistag", votes_for=1000), "votes_for"),
        (services.Resolution("Kreistag", votes_for=3, votes_against=-1), "votes_for"),
        (services.Resolution("Kreistag", votes_for=3, abstentions=1000), "votes_for"),
    ],
)
@pytest.mark.parametrize("act", ["record_consent", "refuse"])
def test_a_resolution_names_its_organ_and_votes_that_can_be(
    manager: Actor, act: str, resolution: services.Resolution, field: str
) -> None:
    founders = founded(manager)
    case = Accessions(manager, member(manager, "neustadt")).to(AccessionState.DRAFT_CONTRACT)
    before = digest()
    with pytest.raises(services.BadStep) as refusal:
        getattr(case, act)(founders[0], resolution=resolution)
    assert list(refusal.value.errors) == [field]
    assert digest() == before


def test_the_history_says_who_did_what_on_which_day_and_when_it_was_recorded(manager: Actor) -> None:
    founded(manager)
    case = Accessions(manager, member(manager, "neustadt")).to(AccessionState.SIGNED)
    acts = list(case.row().acts.order_by("number").values_list("number", "action", "on", "legal_basis"))
    assert acts[-1] == (9, "sign", date(2026, 3, 15), "§ 167b Abs. 1 KV M-V")
    assert [row[1] for row in acts] == [
        "open_inquiry",
        "state_costs",
        "record_basic_resolution",
        "begin_negotiation",
        "put_contract_version",
        "record_consent",
        "record_consent",
        "record_candidate_resolution",
        "sign",
    ]
    assert {(a.actor_name, a.recorded_at) for a in case.row().acts.all()} == {("Eva Eich", case.now)}
    assert Member.objects.count() == 3
