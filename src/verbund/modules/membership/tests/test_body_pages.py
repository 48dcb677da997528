"""The pages on which the alliance keeps what it knows of its members: entered, ended, looked at as of another day."""

import re
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from verbund.modules.membership import queries
from verbund.modules.membership.models import Contact, InhabitantFigure, Member
from verbund.modules.membership.web.forms.bodies import short_name
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for

from .factories import member
from .pages import employ, signed_in
from .test_accession_rules import digest

DAY = date(2026, 11, 1)


class Desk:
    """The manager's browser in the alliance, and two bodies: an Amt and a town."""

    def __init__(self, settings: Any) -> None:
        with acting_for("alliance"):
            self.manager = employ("Max Mond", Role.ALLIANCE_MANAGER)
            self.amt = member(self.manager, "amt", kind="amt")
            self.town = member(self.manager, "dorf")
            self.browser: Client = signed_in(self.manager, settings)

    def enter(self, member_id: UUID, entry: str, **values: object) -> int:
        return self.browser.post(f"/arbeit/mitglieder/{member_id}/eintragen/{entry}/", values).status_code

    def end(self, member_id: UUID, entry: str, entry_id: UUID, last_day: date) -> int:
        url = f"/arbeit/mitglieder/{member_id}/beenden/{entry}/{entry_id}/"
        return self.browser.post(url, {"last_day": last_day.isoformat()}).status_code

    def body(self, member_id: UUID, day: date = DAY) -> queries.BodyView:
        with acting_for("alliance"):
            return queries.body(self.manager, member_id, day=day)

    def digest(self) -> str:
        with acting_for("alliance"):
            return digest()


@pytest.fixture
def desk(real_database: str, settings: Any) -> Desk:
    return Desk(settings)


def entries(desk: Desk) -> dict[str, dict[str, object]]:
    """One entry of every kind, as it is filled in; the organ must stand there already."""
    organs = desk.body(desk.amt).organs
    organ = str(organs[0].id) if organs else ""
    return {
        "organ": {"kind": "amt_committee", "name": "Amtsausschuss"},
        "einwohner": {"reference_date": "2025-12-31", "count": "9876", "source": "Statistischer Bericht A I 1"},
        "einrichtung": {
            "kind": "school",
            "name": "Grundschule am See",
            "street": "Seeweg 1",
            "postcode": "19288",
            "place": "Dorf",
            "workplaces": "12",
            "valid_from": "2026-01-01",
        },
        "amtszeit": {
            "organ_id": organ,
            "person_name": "Anna Amtfrau",
            "function": "Amtsvorsteherin",
            "valid_from": "2024-07-01",
        },
        "wertgrenze": {
            "organ_id": organ,
            "matter": "Verträge mit dem Verbund",
            "euro": "25000.50",
            "provision": "§ 4 Abs. 2 Nr. 5 Hauptsatzung",
            "valid_from": "2024-07-01",
        },
        "kontakt": {"name": "Karl Kontakt", "function": "IT", "email": "karl@example.org", "phone": "03874 1"},
        "medium": {"name": "Amtsblatt", "provision": "§ 12 Hauptsatzung", "valid_from": "2010-01-01"},
        "amtszugehoerigkeit": {"town_id": str(desk.town), "valid_from": "2005-01-01"},
    }


def enter_everything(desk: Desk) -> None:
    assert desk.enter(desk.amt, "organ", **entries(desk)["organ"]) == 302
    for entry, values in entries(desk).items():
        if entry != "organ":
            assert (entry, desk.enter(desk.amt, entry, **values)) == (entry, 302)


def test_every_kind_of_entry_is_written_by_its_form_and_shown(desk: Desk) -> None:
    enter_everything(desk)
    body = desk.body(desk.amt)
    assert [(f.reference_date, f.count, f.source) for f in body.figures] == [
        (date(2025, 12, 31), 9876, "Statistischer Bericht A I 1")
    ]
    assert [(f.name, f.address, f.workplaces) for f in body.facilities] == [
        ("Grundschule am See", "Seeweg 1, 19288 Dorf", 12)
    ]
    (organ,) = body.organs
    assert [(t.person_name, t.function, t.valid_from, t.valid_until) for t in organ.terms] == [
        ("Anna Amtfrau", "Amtsvorsteherin", date(2024, 7, 1), None)
    ]
    assert [(c.matter, c.amount_cents, c.provision) for c in organ.thresholds] == [
        ("Verträge mit dem Verbund", 2_500_050, "§ 4 Abs. 2 Nr. 5 Hauptsatzung")
    ]
    assert [(c.name, c.email) for c in body.contacts] == [("Karl Kontakt", "karl@example.org")]
    assert [m.name for m in body.media] == ["Amtsblatt"]
    assert [(t.member_id, t.since) for t in body.administers] == [(desk.town, date(2005, 1, 1))]
    page = desk.browser.get(f"/arbeit/mitglieder/{desk.amt}/").content.decode()
    for words in (
        "9.876",
        "Grundschule am See",
        "Anna Amtfrau",
        "25.000,50",
        "Karl Kontakt",
        "Stadt Dorf",
        "seit 01.07.",
    ):
        assert words in page
    assert "Stadt Amt" in desk.browser.get(f"/arbeit/mitglieder/{desk.town}/").content.decode()


def test_what_is_sent_twice_stands_there_once(desk: Desk) -> None:
    enter_everything(desk)
    before = desk.digest()
    answers = {entry: desk.enter(desk.amt, entry, **values) for entry, values in entries(desk).items()}
    assert answers == {**dict.fromkeys(answers, 422), "einwohner": 302}
    assert desk.digest() == before
    with acting_for("alliance"):
        assert (InhabitantFigure.objects.count(), Contact.objects.count()) == (1, 1)


def test_what_no_longer_holds_ends_and_stays_visible_for_its_days(desk: Desk) -> None:
    enter_everything(desk)
    body = desk.body(desk.amt)
    ended = {
        "einrichtung": body.facilities[0].id,
        "amtszeit": body.organs[0].terms[0].id,
        "medium": body.media[0].id,
        "amtszugehoerigkeit": body.administers[0].id,
        "kontakt": body.contacts[0].id,
    }
    for entry, entry_id in ended.items():
        assert (entry, desk.end(desk.amt, entry, entry_id, date(2026, 6, 30))) == (entry, 302)
    after = desk.body(desk.amt)
    assert (after.facilities, after.organs[0].terms, after.media, after.administers, after.contacts) == ((),) * 5
    then = desk.browser.get(f"/arbeit/mitglieder/{desk.amt}/?day=2026-06-30").content.decode()
    now = desk.browser.get(f"/arbeit/mitglieder/{desk.amt}/").content.decode()
    assert "Anna Amtfrau" in then
    assert "Anna Amtfrau" not in now


def test_an_entry_of_another_body_is_not_ended(desk: Desk) -> None:
    enter_everything(desk)
    facility = desk.body(desk.amt).facilities[0].id
    before = desk.digest()
    assert desk.end(desk.town, "einrichtung", facility, date(2026, 6, 30)) == 404
    assert desk.end(desk.amt, "medium", facility, date(2026, 6, 30)) == 404
    assert desk.end(desk.amt, "einrichtung", facility, date(2025, 6, 30)) == 422  # before its first day
    assert desk.end(desk.amt, "explode", facility, date(2026, 6, 30)) == 404
    assert desk.digest() == before


WRONG: list[tuple[str, dict[str, object], str]] = [
    ("einwohner", {"count": "-1"}, "count"),
    ("einwohner", {"reference_date": "2999-12-31"}, "reference_date"),
    ("einrichtung", {"postcode": "1928"}, "postcode"),
    ("einrichtung", {"kind": "castle"}, "kind"),
    ("amtszeit", {"organ_id": str(uuid4())}, "organ_id"),
    ("amtszeit", {"valid_until": "2020-01-01"}, "valid_until"),
    ("wertgrenze", {"euro": "-0.01"}, "euro"),
    ("kontakt", {"email": "karl"}, "email"),
    ("medium", {"valid_from": "31.02.2026"}, "valid_from"),
    ("amtszugehoerigkeit", {"town_id": "dorf"}, "town_id"),
]


def test_what_cannot_be_is_said_at_its_field_and_changes_nothing(desk: Desk) -> None:
    assert desk.enter(desk.amt, "organ", **entries(desk)["organ"]) == 302
    before, filled = desk.digest(), entries(desk)
    for entry, wrong, field in WRONG:
        answer = desk.browser.post(f"/arbeit/mitglieder/{desk.amt}/eintragen/{entry}/", {**filled[entry], **wrong})
        assert (entry, wrong, answer.status_code) == (entry, wrong, 422)
        assert f'id="id_{field}_error"' in answer.content.decode()
    assert desk.digest() == before


def test_a_town_administers_nobody(desk: Desk) -> None:
    before = desk.digest()
    assert desk.enter(desk.town, "amtszugehoerigkeit", town_id=str(desk.town), valid_from="2005-01-01") == 422
    assert desk.digest() == before


def test_terms_of_office_need_an_organ_and_the_page_says_so(desk: Desk) -> None:
    asked = desk.browser.get(f"/arbeit/mitglieder/{desk.town}/eintragen/amtszeit/", follow=True)
    assert asked.redirect_chain == [(f"/arbeit/mitglieder/{desk.town}/eintragen/organ/", 302)]
    assert "gehört zu einem Organ" in asked.content.decode()


def test_nobody_but_the_management_enters_or_ends(desk: Desk, settings: Any) -> None:
    enter_everything(desk)
    filled, medium = entries(desk), desk.body(desk.amt).media[0].id
    with acting_for("alliance"):
        strangers = [
            signed_in(employ(f"Otto {role.value}", role, unit), settings)
            for role, unit in (
                (Role.AUDITOR, ""),
                (Role.BOARD_MEMBER, ""),
                (Role.COST_CONTROLLER, ""),
                (Role.MEMBER_REPRESENTATIVE, "amt"),
            )
        ]
    before = desk.digest()
    for browser in strangers:
        for entry, values in filled.items():
            url = f"/arbeit/mitglieder/{desk.amt}/eintragen/{entry}/"
            assert (browser.get(url).status_code, browser.post(url, values).status_code) == (403, 403)
        ending = f"/arbeit/mitglieder/{desk.amt}/beenden/medium/{medium}/"
        assert browser.post(ending, {"last_day": "2026-06-30"}).status_code == 403
        assert browser.post("/arbeit/mitglieder/neu/", {"name": "Stadt Neu", "kind": "town"}).status_code == 403
        assert "eintragen/" not in browser.get(f"/arbeit/mitglieder/{desk.amt}/").content.decode()
    assert desk.digest() == before


def test_a_body_is_registered_with_a_short_name_of_its_own(desk: Desk) -> None:
    values = {"name": "Stadt Grünmühl an der Weißen Elde", "kind": "town", "ags": "13076999", "ars": "130765699999"}
    refused = desk.browser.post("/arbeit/mitglieder/neu/", {**values, "ars": "130770000999"})
    assert refused.status_code == 422
    sent = desk.browser.post("/arbeit/mitglieder/neu/", {**values, "ars": "130760000999"})
    assert sent.status_code == 302
    with acting_for("alliance"):
        (found,) = [m for m in queries.list_members(desk.manager) if m.ags == "13076999"]
    assert (found.name, found.slug, found.schema_name, found.rooms) == (
        "Stadt Grünmühl an der Weißen Elde",
        "stadt-gruenmuehl-an-der-weissen-elde",
        None,
        (),
    )
    before = desk.digest()
    again = desk.browser.post("/arbeit/mitglieder/neu/", {**values, "ars": "130760000999"})
    assert again.status_code == 422
    assert desk.digest() == before


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Stadt Lübz", "stadt-luebz"),
        ("Straße & Söhne", "strasse-soehne"),
        ("Łódź", "odz"),
        ("  ", ""),
        ("x" * 60, "x" * 40),
    ],
)
def test_short_names_can_stand_in_an_address(name: str, short: str) -> None:
    assert short_name(name) == short


def test_a_member_is_not_offered_the_rooms_of_the_alliance(desk: Desk) -> None:
    with acting_for("alliance"):
        facts = queries.member(desk.manager, desk.town)
        Member.objects.filter(id=desk.town).update(schema_name="alpha")
    page = desk.browser.get(f"/arbeit/mitglieder/{desk.town}/").content.decode()
    offered = re.findall(r'name="rooms"[^>]*value="(\w+)"|value="(\w+)"[^>]*name="rooms"', page)
    assert sorted(a or b for a, b in offered) == ["budget", "citizenservices", "records"]
    before = desk.digest()
    sent = {"rooms": ["records", "costsharing"], "version": facts.version}
    assert desk.browser.post(f"/arbeit/mitglieder/{desk.town}/raeume/", sent).status_code == 422
    assert desk.digest() == before


def test_the_list_is_narrowed_by_name_key_and_kind(desk: Desk) -> None:
    def shown(query: str) -> list[bool]:
        page = desk.browser.get(f"/arbeit/mitglieder/{query}").content.decode()
        return [f"/arbeit/mitglieder/{each}/" in page for each in (desk.amt, desk.town)]

    assert shown("") == [True, True]
    assert shown("?text=dorf") == [False, True]
    assert shown("?kind=amt") == [True, False]
    assert shown("?text=nirgends") == [False, False]
    assert "Kein Mitglied passt" in desk.browser.get("/arbeit/mitglieder/?text=nirgends").content.decode()
    assert shown("?kind=%3Cscript%3E") == [True, True]
