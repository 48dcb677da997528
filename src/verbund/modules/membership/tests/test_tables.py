"""The rows of the alliance's tables: what stands in them, and that nobody's words become markup."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from lxml import html

from verbund.modules.membership.queries import Deadline, MapRow, YearEvent
from verbund.modules.membership.queries.deadlines import MapPeriod, MapTask
from verbund.modules.membership.web.tables import carrier_rows, deadline_rows, event_rows
from verbund.platform.tenancy import local_date
from verbund.platform.tenancy import now as the_clock

HOSTILE = "Stadt <b onclick=\"x('&')\">A & O</b>"
ID = UUID(int=7)


def cells(rows: str) -> list[list[str]]:
    table = html.fragment_fromstring(f"<table><tbody>{rows}</tbody></table>")
    assert not table.xpath("//b|//@onclick")
    return [[" ".join(str(cell.text_content()).split()) for cell in row] for row in table.iter("tr")]


def test_a_carrier_shows_its_days_its_share_and_its_tasks() -> None:
    first = MapRow(
        ID,
        HOSTILE,
        (
            MapPeriod(date(2014, 1, 1), date(2014, 12, 31), 100, 1, "", True),
            MapPeriod(date(2015, 1, 1), date(2018, 12, 31), 123_456, 2, HOSTILE, False),
        ),
        (
            MapTask(HOSTILE, "", date(2014, 2, 1), True),
            MapTask("Schul-IT", "", date(2015, 3, 1), False),
        ),
    )
    second = MapRow(UUID(int=8), "Amt B", (MapPeriod(date(2023, 12, 31), None, 50_000, 1, "", True),), ())
    rows = carrier_rows([first, second], date(2024, 1, 1))
    assert cells(rows) == [
        [
            f"{HOSTILE} {HOSTILE}",
            "01.01.2014 angenommen",
            "31.12.2018",
            "1.234,56 €",
            "2",
            f"{HOSTILE}, 01.02.2014Schul-IT, 01.03.2015 angenommen",
        ],
        ["Amt B", "31.12.2023", "–", "500,00 €", "1", "–"],
    ]
    bars = html.fragment_fromstring(f"<table>{rows}</table>").xpath("//rect[@class='mb-bar__time']")
    assert [(bar.get("x"), bar.get("width")) for bar in bars] == [
        ("0", "500"),
        ("996", "4"),
    ]  # of today, and yet to be seen
    assert carrier_rows([], date(2024, 1, 1)) == ""


def test_an_event_shows_day_body_and_what_happened() -> None:
    events = [
        YearEvent(date(2026, 5, 4), True, HOSTILE, HOSTILE, ""),
        YearEvent(date(2026, 5, 5), False, "In Kraft", "Amt B", HOSTILE),
    ]
    assert cells(event_rows(events)) == [
        ["04.05.2026", HOSTILE, HOSTILE],
        ["05.05.2026 angenommen", "Amt B", f"In Kraft{HOSTILE}"],
    ]


def test_a_deadline_leads_to_its_accession_or_to_its_member() -> None:
    day = date(2026, 5, 4)
    rows = deadline_rows(
        [
            Deadline(day, "effect", HOSTILE, HOSTILE, "§ 77 <x>", ID, UUID(int=9), "e1"),
            Deadline(day, "term", "Amtszeit", "Amt B", "", ID, None, "t1"),
        ]
    )
    assert [row[1:] for row in cells(rows)] == [[HOSTILE, HOSTILE, "§ 77 <x>"], ["Amtszeit", "Amt B", "–"]]
    assert html.fragment_fromstring(f"<table>{rows}</table>").xpath("//a/@href") == [
        f"/arbeit/beitritte/{UUID(int=9)}/",
        f"/arbeit/mitglieder/{ID}/",
    ]


@pytest.mark.parametrize(
    ("kind", "days", "said"),
    [
        ("exit", 0, "heute"),
        ("exit", 1, "vor 1 Tag"),
        ("term", 12, "vor 12 Tagen"),
        ("agreement", 2, "vor 2 Tagen"),
        ("clearance", 2, "vor 2 Tagen"),
        ("exit", -2, "in 2 Tagen"),
        ("effect", 1, "1 Tag überfällig"),
        ("task", 3, "3 Tage überfällig"),
        ("take_over", 3, "3 Tage überfällig"),
    ],
)
def test_only_what_somebody_has_yet_to_do_is_overdue(kind: str, days: int, said: str) -> None:
    day = local_date(the_clock()) - timedelta(days=days)
    ((when, *_rest),) = cells(deadline_rows([Deadline(day, kind, "x", "y", "", ID, None, "k")]))
    assert when == f"{day:%d.%m.%Y}{said}"
