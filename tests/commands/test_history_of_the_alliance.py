"""The real accessions, replayed date by date through the doors."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import translation

from verbund.commands.demo.board import Board
from verbund.commands.demo.history import History, facts
from verbund.modules.membership import queries, services
from verbund.modules.membership.models import Accession, AuthorityNotice, Consent, ProcedureAct
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role

NAMED = {
    "schwerin": ("Landeshauptstadt Schwerin", "independent_city"),
    "ludwigslust-parchim": ("Landkreis Ludwigslust-Parchim", "county"),
    "ludwigslust": ("Stadt Ludwigslust", "town"),
    "neustadt-glewe": ("Stadt Neustadt-Glewe", "town"),
    "grabow": ("Stadt Grabow", "town"),
    "parchimer-umland": ("Amt Parchimer Umland", "amt"),
}


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def history(alliance: Any, staff: Any) -> History:
    actor: Actor = staff(Role.ALLIANCE_MANAGER, body="alliance")
    members = {
        slug: services.register_body(
            actor, name=name, kind=kind, ags="", ars="", slug=slug, now=datetime(2013, 8, 1, tzinfo=UTC)
        ).id
        for slug, (name, kind) in NAMED.items()
    }
    services.define_service(
        actor,
        code="HKR",
        name="Haushaltsverfahren",
        description="Doppik",
        unit="flat",
        price_basis="tariff",
        rooms={"budget"},
        valid_from=date(2014, 1, 1),
        now=datetime(2014, 1, 1, tzinfo=UTC),
    )
    return History(actor, members, with_agreements=True)


def carriers(history: History, day: date) -> set[str]:
    slugs = {ident: slug for slug, ident in history.members.items()}
    return {slugs[c.member_id] for c in queries.carriers_on(history.actor, day)}


def of(history: History, slug: str) -> Accession:
    return Accession.objects.get(id=history.accessions[slug])


FOUNDERS = {"schwerin", "ludwigslust-parchim"}
FIRST = FOUNDERS | {"ludwigslust"}
SECOND = FIRST | {"neustadt-glewe"}
THIRD = SECOND | {"grabow", "parchimer-umland"}
FOURTH = THIRD | {"boizenburg-elbe", "zarrentin", "stralendorf"}
FIFTH = FOURTH | {"luebtheen", "wittenburg", "luebz", "parchim"}


def test_the_whole_history_day_by_day(history: History) -> None:
    assert history.play() > 150
    expected = [
        (date(2013, 9, 30), set()),
        (date(2013, 10, 1), FOUNDERS),
        (date(2015, 12, 31), FOUNDERS),
        (date(2016, 1, 1), FIRST),
        (date(2018, 1, 26), FIRST),
        (date(2018, 12, 31), SECOND),
        (date(2019, 1, 1), THIRD),
        (date(2020, 1, 1), FOURTH),
        (date(2021, 7, 2), FOURTH),
        (date(2021, 7, 3), FIFTH),
    ]
    assert [(day, carriers(history, day)) for day, _who in expected] == expected
    for day, who in expected[1:]:  # M4, M5: two founders, 500 EUR and a seat for each further carrier
        capital = queries.capital_on(history.actor, day)
        assert capital is not None
        assert capital.total_cents == 2 * 1_250_000 + (len(who) - 2) * 50_000
        assert capital.board_size == 4 + len(who) - 2
    assert set(Accession.objects.values_list("state", flat=True)) == {"onboarded"}
    assert all(a.effective_on and a.cleared_on and a.effective_on >= a.cleared_on for a in Accession.objects.all())

    # 2018: one contract, two accessions side by side; the carriers of the day, Neustadt-Glewe among them, consented.
    for slug in ("grabow", "parchimer-umland"):
        found = of(history, slug)
        assert (found.signed_on, found.effective_on) == (date(2018, 9, 25), date(2019, 1, 1))
        parties = Consent.objects.filter(draft__accession=found, is_candidate=False)
        assert {p.party.slug for p in parties.select_related("party")} == SECOND

    # 2021: the declaration came first; the period had not run out because the documents were not complete.
    for slug in ("luebtheen", "wittenburg", "luebz", "parchim"):
        found = of(history, slug)
        notice = AuthorityNotice.objects.get(accession=found)
        assert (found.signed_on, notice.notified_on, found.cleared_on) == (
            date(2021, 1, 13),
            date(2021, 2, 24),
            date(2021, 6, 10),
        )
        assert notice.complete_on is not None
        assert notice.complete_on > date(2021, 4, 10)
        assert notice.period_ends_on is not None
        assert notice.period_ends_on > date(2021, 6, 10)
        published = ProcedureAct.objects.filter(accession=found, action="record_publication", date_known=True)
        assert [(p.on, p.party.slug) for p in published if p.party] == [(date(2021, 7, 2), "ludwigslust-parchim")]
    stralendorf = Consent.objects.filter(party__slug="stralendorf", is_candidate=False).first()
    assert stralendorf is not None
    assert (stralendorf.votes_for, stralendorf.votes_against) == (14, 0)
    parchim = of(history, "parchim").transfers.values_list("task", flat=True)
    assert set(parchim) == {"procurement", "school_it"}

    # Where no public source names the day, the row says so.
    unnamed = ProcedureAct.objects.filter(date_known=False)
    assert unnamed.count() > 100
    assert all("nicht bekannt" in act.note or "nicht genannt" in act.note for act in unnamed)
    # And an invented town of today, waiting for the authority.
    today = date(2026, 11, 22)
    history.begin(today)
    town = of(history, "musterhagen")
    assert town.state == "documents_complete"
    body = queries.body(history.actor, town.member_id, day=today)
    assert (len(body.figures), body.workplaces, len(body.contacts), len(body.media)) == (2, 40, 1, 1)
    assert [(len(organ.terms), len(organ.thresholds)) for organ in body.organs] == [(1, 0), (0, 1)]
    ahead = [(d.kind, d.day) for d in queries.deadlines(history.actor, start=today, end=today + timedelta(days=90))]
    assert ahead == [("clearance", date(2027, 1, 2)), ("effect", date(2027, 1, 16)), ("task", date(2027, 1, 21))]
    assert Consent.objects.filter(draft__accession=town, decision="consented").count() == 14
    shown = {r.name: r for r in queries.carrier_map(history.actor)}
    assert not shown["Stadt Neustadt-Glewe"].periods[0].date_known
    assert shown["Stadt Grabow"].periods[0].date_known
    assert len(shown) == 13


def test_on_no_day_is_anything_done_before_clearance(history: History) -> None:
    """Played in pieces: on the eve of each clearance nothing has happened for the candidate (M2)."""
    history.play(date(2018, 11, 25))
    grabow = of(history, "grabow")
    assert (grabow.state, grabow.cleared_on, grabow.effective_on) == ("documents_complete", None, None)
    assert queries.cleared_on(history.actor, grabow.member_id) is None
    with pytest.raises(services.StepRefused):
        services.transfer_task(
            history.actor,
            accession_id=grabow.id,
            task="core_it",
            on=date(2018, 11, 25),
            now=datetime(2018, 11, 25, 12, tzinfo=UTC),
        )


def test_neustadt_glewe_used_the_budget_procedure_before_it_was_a_carrier(history: History) -> None:
    history.play(date(2017, 6, 30))
    (agreed,) = queries.agreements(history.actor, start=date(2017, 1, 1), end=date(2017, 12, 31))
    assert (agreed.member_id, agreed.service_code, agreed.as_carrier) == (
        history.members["neustadt-glewe"],
        "HKR",
        False,
    )
    assert "neustadt-glewe" not in carriers(history, date(2017, 6, 30))


def test_had_the_documents_been_complete_in_2021_the_law_would_have_decided_first(history: History) -> None:
    history.play(date(2021, 4, 1))
    town = of(history, "luebz")
    noon = datetime(2021, 6, 10, 12, tzinfo=UTC)
    ends = services.complete_documents(history.actor, accession_id=town.id, on=date(2021, 2, 24), now=noon)
    assert ends == date(2021, 4, 24)
    with pytest.raises(services.StepRefused, match="no breach counts as asserted"):
        services.declare_no_objection(history.actor, accession_id=town.id, on=date(2021, 6, 10), now=noon)
    assert services.establish_clearance(
        history.actor, accession_id=town.id, on=date(2021, 6, 10), now=noon
    ) == ends + timedelta(days=1)


def test_every_known_date_of_the_sources_stands_in_the_history() -> None:
    known = {value for entry in facts()["accession"] for value in entry.values() if isinstance(value, str)}
    assert {"2018-01-26", "2018-09-25", "2019-01-01", "2018-12-17"} <= known
    assert {"2021-01-13", "2021-02-24", "2021-06-10", "2021-07-02"} <= known
    assert facts()["founding"]["contract"] == date(2013, 8, 26)


def test_the_invented_town_has_a_contract_in_two_versions_and_the_board_has_met(history: History, staff: Any) -> None:
    history.reviewer = staff(Role.BOARD_MEMBER, body="alliance", name="Rosa Rat")
    history.play()
    today = date(2026, 11, 22)
    history.begin(today)
    accession = history.accessions["musterhagen"]
    newest, first = queries.contract_versions(history.actor, accession)
    assert (newest.state, len(newest.consented), newest.parties) == ("signed", 14, 14)
    assert (first.state, len(first.consented)) == ("superseded", 3)
    view = queries.contract(history.actor, accession)
    assert view.lacks == ()
    assert [copy.trust for copy in view.copies] == ["not_checked"]
    changed = [p.kind for p in queries.difference_by_words(history.actor, accession, 1, 2) if p.kind != "same"]
    assert changed == ["changed", "changed", "changed"]

    assert Board(history.actor, today).hold(facts()["founding"]["effective"]) == 3
    ahead, written, held = queries.meetings(history.actor)
    assert (held.state, held.minutes_number, held.open) == ("closed", 1, 0)
    assert (written.state, ahead.state, ahead.open) == ("voting", "voting", 2)
    plan, order = queries.meeting(history.actor, held.id).motions
    assert (plan.state, order.state) == ("carried", "carried")
    assert order.tally is not None
    assert order.tally.entitled == 14  # of 15 seats one may not take part
    bound = queries.motion(history.actor, queries.meeting(history.actor, ahead.id).motions[0].id).carriers
    assert sum(c.instruction is not None for c in bound) == 5
