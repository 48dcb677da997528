"""The pages of the administrative board, as a browser sees them."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from html import unescape
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from verbund.modules.membership import services
from verbund.modules.membership.models import Ballot, BoardMeeting, BoardRule, Instruction, Motion
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for, local_date
from verbund.platform.tenancy import now as the_clock

from .factories import founded, member
from .pages import employ, signed_in
from .test_accession_rules import digest

BOARD = "/arbeit/verwaltungsrat/"


@dataclass
class Room:
    """People at their desks and two carriers with two seats each; no rule yet."""

    manager: Client
    representative: Client  # of the first carrier
    auditor: Client
    actor: Actor
    one: UUID
    two: UUID

    def rules(self) -> None:
        for matter, majority in (("ordinary", "half_over"), ("reserved", "two_thirds")):
            sent = {"matter": matter, "weighing": "seats", "quorum": "half_over", "majority": majority, "uniform": "on",
                    "written_allowed": "on", "valid_from": "2024-01-01", "source": "§ 7 der Satzung"}  # fmt: skip
            assert self.manager.post(f"{BOARD}regeln/", sent).status_code == 302

    def meeting(self, form: str = "meeting", in_days: int = 0) -> UUID:
        day = local_date(the_clock()) + timedelta(days=in_days)
        sent = {"form": form, "held_on": day.isoformat(), "place": "Rathaus"}
        answer = self.manager.post(f"{BOARD}sitzungen/neu/", sent)
        assert answer.status_code == 302, text_of(answer)[-2000:]
        return UUID(answer["Location"].rstrip("/").rpartition("/")[2])

    def motion(self, meeting: UUID, matter: str = "ordinary", title: str = "Wirtschaftsplan") -> str:
        sent = {"title": title, "text": "Er wird beschlossen.", "matter": matter}
        assert self.manager.post(f"{BOARD}sitzungen/{meeting}/vorlage/", sent).status_code == 302
        with acting_for("alliance"):
            return f"{BOARD}vorlagen/{Motion.objects.get(meeting=meeting, title=title).id}/"


def text_of(answer: Any) -> str:
    return unescape(re.sub(r"[ \n\t]+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())))


def state() -> Any:
    with acting_for("alliance"):
        return digest()


@pytest.fixture
def room(real_database: str, settings: Any) -> Room:
    with acting_for("alliance"):
        manager, auditor = employ("Max Mond", Role.ALLIANCE_MANAGER), employ("Petra Prinz", Role.AUDITOR)
        one, two = founded(manager)
        representative = employ("Rita Rat", Role.MEMBER_REPRESENTATIVE, "kreis")
        return Room(
            manager=signed_in(manager, settings),
            representative=signed_in(representative, settings),
            auditor=signed_in(auditor, settings),
            actor=manager,
            one=one,
            two=two,
        )


def votes(*choices: tuple[str, str]) -> dict[str, str]:
    """What the page of votes sends, row by row."""
    sent: dict[str, str] = {}
    for place, (person, choice) in enumerate(choices):
        sent |= {f"person_name_{place}": person, f"choice_{place}": choice}
    return sent


def test_the_empty_board_teaches_and_nothing_is_voted_on_without_a_rule(room: Room) -> None:
    page = text_of(room.manager.get(BOARD))
    assert "Noch keine Sitzung" in page
    assert "Für diesen Tag ist keine Regel festgelegt" in page
    assert "Stadt Kreis benennt den Vorsitz 2" in page
    meeting = room.meeting()
    before = state()
    refused = room.manager.post(
        f"{BOARD}sitzungen/{meeting}/vorlage/", {"title": "Plan", "text": "Text.", "matter": "ordinary"}
    )
    assert refused.status_code == 422
    assert "Für diesen Tag ist keine Abstimmungsregel festgelegt." in text_of(refused)
    assert state() == before


def test_a_meeting_from_the_call_to_the_minutes(room: Room) -> None:
    room.rules()
    meeting = room.meeting()
    motion = room.motion(meeting)
    excluded = {"member_id": str(room.two), "person_name": "Dora Distel", "reason": "eigener Vorteil"}
    assert room.manager.post(f"{motion}ausschluss/", excluded).status_code == 302
    assert "dafür 0, dagegen 0, enthalten 0: noch nicht erreicht" in text_of(room.manager.get(motion))
    form = text_of(room.manager.get(f"{motion}stimmen/"))
    assert "Stadt Kreis, Stimme 1 von 2" in form
    sent = votes(("Cora Clematis", "no"), ("Anna Ahorn", "yes"), ("Bodo Birke", "yes"))
    assert room.manager.post(f"{motion}stimmen/", sent).status_code == 302
    page = text_of(room.manager.get(motion))
    assert "mehr als 1/2 aller Stimmen nehmen teil → 3 von 3: erreicht" in page
    assert "dafür 2, dagegen 1, enthalten 0: erreicht" in page
    assert "eigener Vorteil" in page
    assert room.manager.post(f"{BOARD}sitzungen/{meeting}/schliessen/").status_code == 302
    with acting_for("alliance"):
        assert BoardMeeting.objects.get().closed_at is None  # the vote is still open
    assert "Alle Stimmen sind abgegeben." in text_of(room.manager.get(f"{motion}schliessen/"))
    assert room.manager.post(f"{motion}schliessen/").status_code == 302
    assert "angenommen" in text_of(room.manager.get(motion))
    before = state()
    for path, more in (("stimmen/", votes(("Eva Eibe", "yes"))), ("ausschluss/", excluded), ("schliessen/", {})):
        assert room.manager.post(f"{motion}{path}", more).status_code in (302, 422)
    assert state() == before
    assert room.manager.post(f"{BOARD}sitzungen/{meeting}/schliessen/").status_code == 302
    assert "Niederschrift Nr. 1 als PDF" in text_of(room.auditor.get(f"{BOARD}sitzungen/{meeting}/"))
    pdf: Any = room.auditor.get(f"{BOARD}sitzungen/{meeting}/niederschrift.pdf")
    assert pdf["Content-Disposition"] == 'attachment; filename="niederschrift-1.pdf"'
    assert b"".join(pdf.streaming_content).startswith(b"%PDF")
    assert "Nr. 1" in text_of(room.manager.get(BOARD))


def test_a_reserved_matter_waits_for_the_instruction_and_follows_it(room: Room) -> None:
    room.rules()
    motion = room.motion(room.meeting(), "reserved")
    page = text_of(room.manager.get(motion))
    assert "Von 2 Trägern fehlt noch die Weisung; sie können vorher nicht abstimmen" in page
    assert room.manager.get(f"{motion}stimmen/").status_code == 302  # nobody may vote yet
    today = local_date(the_clock())
    bound = {"member_id": str(room.one), "choice": "no", "organ": "Kreistag", "on": today.isoformat()}
    before = state()
    late = room.manager.post(f"{motion}weisung/", {**bound, "on": (today + timedelta(days=1)).isoformat()})
    assert late.status_code == 422
    assert 'id="id_on_error"' in late.content.decode()
    assert state() == before
    assert room.manager.post(f"{motion}weisung/", bound).status_code == 302
    form = room.manager.get(f"{motion}stimmen/").content.decode()
    assert "Gebunden durch die Weisung: Kreistag." in form
    assert 'value="yes"' not in form
    before = state()
    assert room.manager.post(f"{motion}stimmen/", votes(("Anna Ahorn", "yes"))).status_code == 422
    assert state() == before
    assert room.manager.post(f"{motion}stimmen/", votes(("Anna Ahorn", "no"))).status_code == 302


def test_several_votes_are_recorded_together_or_not_at_all(room: Room) -> None:
    room.rules()
    motion = room.motion(room.meeting())
    before = state()
    uneven = room.manager.post(
        f"{motion}stimmen/", votes(("Cora Clematis", "yes"), ("", ""), ("Anna Ahorn", "yes"), ("Bodo Birke", "no"))
    )
    assert uneven.status_code == 422
    assert 'id="id_choice_3_error"' in uneven.content.decode()
    assert "einheitlich" in text_of(uneven)
    half = room.manager.post(f"{motion}stimmen/", votes(("Cora Clematis", ""), ("", "yes")))
    assert half.status_code == 422
    assert 'id="id_choice_0_error"' in half.content.decode()
    assert 'id="id_person_name_1_error"' in half.content.decode()
    assert room.manager.post(f"{motion}stimmen/", {}).status_code == 422
    twice = room.manager.post(
        f"{motion}stimmen/", votes(("", ""), ("", ""), ("Anna Ahorn", "yes"), ("Anna Ahorn", "yes"))
    )
    assert twice.status_code == 422
    assert state() == before


def test_a_representative_sees_and_enters_what_is_of_its_own_body(room: Room) -> None:
    room.rules()
    written = room.motion(room.meeting("written", 5))
    sitting = room.motion(room.meeting())
    assert room.manager.post(f"{written}stimmen/", votes(("Cora Clematis", "no"))).status_code == 302
    page = text_of(room.representative.get(written))
    assert "Stadt Kreis" in page
    assert "Stadt Hauptstadt" not in page
    assert "Cora Clematis" not in page
    assert "Die Summen werden gezeigt, wenn die Abstimmung geschlossen ist." in page
    assert room.representative.post(f"{written}stimmen/", votes(("Anna Ahorn", "yes"))).status_code == 302
    with acting_for("alliance"):
        assert Ballot.objects.get(person_name="Anna Ahorn").member_id == room.one
    bound = {"choice": "yes", "organ": "Kreistag", "on": local_date(the_clock()).isoformat()}
    before = state()
    assert room.representative.get(f"{sitting}stimmen/").status_code == 302  # in a meeting the management records
    foreign = room.representative.post(f"{sitting}weisung/", {**bound, "member_id": str(room.two)})
    assert foreign.status_code == 422
    for path in ("schliessen/",):
        assert room.representative.post(f"{sitting}{path}").status_code == 403
    assert room.representative.post(f"{BOARD}sitzungen/neu/", {}).status_code == 403
    assert room.auditor.post(f"{sitting}stimmen/", votes(("Anna Ahorn", "yes"))).status_code == 403
    assert state() == before
    assert room.representative.post(f"{sitting}weisung/", {**bound, "member_id": str(room.one)}).status_code == 302
    with acting_for("alliance"):
        assert Instruction.objects.get().member_id == room.one


def test_a_representative_of_no_carrier_sees_no_meeting_and_none_reads_the_minutes(room: Room, settings: Any) -> None:
    room.rules()
    meeting = room.meeting()
    motion = room.motion(meeting)
    with acting_for("alliance"):
        member(room.actor, "fremd")
        stranger = signed_in(employ("Fritz Fremd", Role.MEMBER_REPRESENTATIVE, "fremd"), settings)
    assert stranger.get(f"{BOARD}sitzungen/{meeting}/").status_code == 404
    assert stranger.get(motion).status_code == 404
    assert "Noch keine Sitzung" in text_of(stranger.get(BOARD))
    assert room.manager.post(f"{motion}schliessen/").status_code == 302
    assert room.manager.post(f"{BOARD}sitzungen/{meeting}/schliessen/").status_code == 302
    assert room.representative.get(f"{BOARD}sitzungen/{meeting}/").status_code == 200
    assert room.representative.get(f"{BOARD}sitzungen/{meeting}/niederschrift.pdf").status_code == 404


def test_rules_are_set_for_the_future_of_votes_only(room: Room) -> None:
    room.rules()
    motion = room.motion(room.meeting())
    assert room.manager.post(f"{motion}stimmen/", votes(("Cora Clematis", "yes"))).status_code == 302
    sent = {"matter": "ordinary", "weighing": "shares", "quorum": "half", "majority": "all", "valid_from": "2025-01-01",
            "source": "§ 8"}  # fmt: skip
    before = state()
    refused = room.manager.post(f"{BOARD}regeln/", sent)
    assert refused.status_code == 422
    assert "wurde schon nach der bisherigen Regel abgestimmt" in text_of(refused)
    assert room.manager.post(f"{BOARD}regeln/", {**sent, "quorum": "most"}).status_code == 422
    assert room.manager.post(f"{BOARD}regeln/", {**sent, "valid_from": "2023-01-01"}).status_code == 422
    assert state() == before
    later = (local_date(the_clock()) + timedelta(days=1)).isoformat()
    assert room.manager.post(f"{BOARD}regeln/", {**sent, "valid_from": later}).status_code == 302
    with acting_for("alliance"):
        assert BoardRule.objects.filter(matter="ordinary").count() == 2
    tomorrow = text_of(room.manager.get(f"{BOARD}?tag={later}"))
    assert "Stimmen nach Anteil am Stammkapital mindestens 1/2 100\xa0%" in tomorrow


def test_the_written_procedure_ends_early_only_when_all_have_voted_or_one_objects(room: Room) -> None:
    room.rules()
    meeting = room.meeting("written", 5)
    first, second = room.motion(meeting), room.motion(meeting, title="Preise")
    all_four = votes(("C C", "yes"), ("D D", "yes"), ("A A", "yes"), ("B B", "yes"))
    assert room.manager.post(f"{first}stimmen/", votes(("C C", "yes"))).status_code == 302
    before = state()
    assert room.manager.post(f"{first}schliessen/").status_code == 302
    assert state() == before
    assert room.manager.post(f"{second}stimmen/", {**all_four, "choice_0": "object"}).status_code == 422
    assert room.manager.post(f"{second}stimmen/", votes(("C C", "object"))).status_code == 302
    assert room.manager.post(f"{second}schliessen/").status_code == 302
    assert "Widerspruch gegen das schriftliche Verfahren" in text_of(room.manager.get(second))


def test_a_double_click_calls_one_meeting(room: Room) -> None:
    page = room.manager.get(f"{BOARD}sitzungen/neu/").content.decode()
    once = re.search(r'name="once" value="([^"]+)"', page)
    assert once
    sent = {"form": "meeting", "held_on": "2026-12-24", "once": once[1]}
    places = {room.manager.post(f"{BOARD}sitzungen/neu/", sent)["Location"] for _click in range(2)}
    assert len(places) == 1
    with acting_for("alliance"):
        assert BoardMeeting.objects.count() == 1
        with pytest.raises(services.BadVote):
            services.call_meeting(room.actor, held_on=date(2020, 1, 1), form="written", now=the_clock())
