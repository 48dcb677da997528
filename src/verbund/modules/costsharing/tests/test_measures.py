"""Measures: entered, corrected, imported as a table, counted by the platform."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from verbund.modules.costsharing import services
from verbund.modules.costsharing.models import Measure, UsageReading
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role

from . import factories
from .factories import NOW, SYSTEM

pytestmark = pytest.mark.django_db
HEAD = "Mitglied;Leistung;von;bis;Menge;Grund\r\n"


@pytest.fixture
def members(alliance: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "alpha": factories.register("alpha", "Stadt Alphausen", schema_name="alpha"),
        "beta": factories.register("beta", "Landkreis Betaland", "county", schema_name="beta"),
    }
    factories.offer("CORE")
    factories.offer("MAIL", unit="mailbox")
    return made


def take(actor: Actor, text: str | bytes, **options: Any) -> services.ImportReport:
    content = text if isinstance(text, bytes) else text.encode()
    return services.import_measures(actor, content=content, now=NOW, **options)


def problems(actor: Actor, text: str | bytes) -> list[tuple[int, str]]:
    before = Measure.objects.count()
    with pytest.raises(services.ImportRefused) as refused:
        take(actor, text)
    assert Measure.objects.count() == before
    return refused.value.problems


@pytest.mark.parametrize(
    ("encode", "encoding"), [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("cp1252", "Windows-1252")]
)
def test_tables_as_office_programs_write_them(
    members: dict[str, Any], controller: Actor, encode: str, encoding: str
) -> None:
    factories.register("gruen", "Amt Grünfelde", "amt")
    text = HEAD + "Amt Grünfelde;core;01.01.2025;31.01.2025;1.234,5;\r\n\r\nalpha;MAIL;2025-02-01;2025-02-28;7;\r\n"
    report = take(controller, text.encode(encode))
    assert (report.encoding, report.delimiter, report.written) == (encoding, ";", True)
    assert list(Measure.objects.order_by("id").values_list("service_code", "quantity", "source")) == [
        ("CORE", Decimal("1234.5"), "imported"),
        ("MAIL", Decimal(7), "imported"),
    ]


def test_commas_tabs_and_decimal_points(members: dict[str, Any], controller: Actor) -> None:
    take(controller, 'member,service,from,to,quantity\nalpha,CORE,2025-01-01,2025-01-31,"1,234.5"\n')
    take(controller, "member\tservice\tfrom\tto\tquantity\nbeta\tCORE\t2025-01-01\t2025-01-31\t2.25\n")
    quantities = list(Measure.objects.order_by("id").values_list("quantity", flat=True))
    assert quantities == [Decimal("1234.5"), Decimal("2.25")]


def test_all_mistakes_at_once_with_their_lines(members: dict[str, Any], controller: Actor) -> None:
    factories.measure(members["beta"], "CORE", "5")
    text = HEAD + "\r\n".join(
        [
            "alpha;CORE;01.01.2025;31.12.2025;83;",  # right
            "nirgends;CORE;01.01.2025;31.12.2025;1;",
            "alpha;NICHTS;01.01.2025;31.12.2025;1;",
            "alpha;CORE;01.01.2025;31.12.2025;84;",  # twice
            "alpha;MAIL;31.12.2025;01.01.2025;1;",
            "alpha;MAIL;morgen;01.01.2025;-3;",
            "alpha;MAIL;01.01.2025;31.01.2025;viel;",
            "beta;CORE;01.01.2025;31.12.2025;6;",  # corrects without a reason
            "beta;CORE;01.12.2025;31.01.2026;6;",  # crosses
        ]
    )
    found = problems(controller, text)
    assert [line for line, _text in found] == [3, 4, 5, 6, 7, 7, 8, 9, 10]
    assert "nirgends" in found[0][1]
    assert "Zeile 2" in found[2][1]
    assert any("kleiner als null" in text for _line, text in found[4:6])
    assert "„viel“" in found[6][1]


def test_numbers_that_can_be_read_in_two_ways_are_asked_about(members: dict[str, Any], controller: Actor) -> None:
    line = "alpha;CORE;01.01.2025;31.12.2025;1.234;\r\n"
    assert "mehrdeutig" in problems(controller, HEAD + line)[0][1]
    mixed = HEAD + line + "beta;CORE;01.01.2025;31.12.2025;1,5;\r\n" + "beta;MAIL;01.01.2025;31.12.2025;1.5;\r\n"
    assert "Dezimalkommas und" in problems(controller, mixed)[0][1]
    take(controller, HEAD + line + "beta;CORE;01.01.2025;31.12.2025;1,5;\r\n")
    assert set(Measure.objects.values_list("quantity", flat=True)) == {Decimal(1234), Decimal("1.5")}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"   \n",
        b"\xef\xbb\xbf",
        b"\x1c\n",
        b"\xef\xbb\xbf;;;;\n",
        b"\x00\x01\x02",
        b"PK\x03\x04\x00",
        b"Mitglied\nalpha\n",
        HEAD.encode(),
        b"Mitglied;Leistung;von;bis\nalpha;CORE;x;y\n",
        b"Mitglied;Mitglied;Leistung;von;bis;Menge\na;b;c;d;e;f\n",
        b'Mitglied;Leistung;von;bis;Menge\n"alpha;CORE\n',
        b"\xff\xfe\xff;\n;",
    ],
)
def test_what_is_no_such_table_is_refused(members: dict[str, Any], controller: Actor, content: bytes) -> None:
    assert problems(controller, content)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.one_of(
        st.binary(max_size=400),
        st.text(alphabet=';\n",.-0123456789abMenge', max_size=300).map(lambda text: (HEAD + text).encode()),
    )
)
def test_whatever_comes_is_taken_whole_or_refused(members: dict[str, Any], content: bytes) -> None:
    before = Measure.objects.count()
    try:
        report = take(SYSTEM, content)
        taken = len(report.lines)
    except services.ImportRefused:
        taken = 0
    assert Measure.objects.count() == before + taken


def test_a_preview_writes_nothing(members: dict[str, Any], controller: Actor) -> None:
    factories.measure(members["alpha"], "CORE", "80")
    text = HEAD + "alpha;CORE;01.01.2025;31.12.2025;83;nachgezählt\r\n"
    report = take(controller, text, write=False)
    assert [(line.quantity, line.corrects) for line in report.lines] == [(Decimal(83), Decimal(80))]
    assert (report.written, Measure.objects.count()) == (False, 1)


def test_a_correction_keeps_the_history(members: dict[str, Any], controller: Actor) -> None:
    factories.measure(members["alpha"], "CORE", "80")
    with pytest.raises(services.MeasureRefused) as refused:
        factories.measure(members["alpha"], "CORE", "83")
    assert set(refused.value.errors) == {"reason"}
    factories.measure(members["alpha"], "CORE", "83", reason="Drei Geräte vergessen")
    assert list(Measure.objects.order_by("id").values_list("quantity", "reason")) == [
        (Decimal(80), ""),
        (Decimal(83), "Drei Geräte vergessen"),
    ]


def test_periods_never_cross(members: dict[str, Any], controller: Actor) -> None:
    factories.measure(members["alpha"], "CORE", "80")
    with pytest.raises(services.MeasureRefused) as refused:
        services.record_measure(
            controller,
            member_id=members["alpha"],
            service_code="CORE",
            period_start=date(2025, 12, 1),
            period_end=date(2026, 1, 31),
            quantity=Decimal(1),
            now=NOW,
        )
    assert set(refused.value.errors) == {"period_start"}


def test_the_platform_counts_what_agreements_need(members: dict[str, Any]) -> None:
    for code, unit in (("FILE", "person"), ("SPACE", "gigabyte"), ("DOCS", "document")):
        factories.offer(code, unit=unit)
    factories.agree(members["alpha"], "FILE")
    factories.agree(members["alpha"], "SPACE")
    factories.agree(members["alpha"], "CORE")
    reading: dict[str, Any] = {
        "schema_name": "alpha",
        "month": date(2026, 10, 1),
        "people": 41,
        "mailboxes": 12,
        "cases": 300,
        "documents": 900,
        "stored_bytes": 1_234_567_890,
    }
    assert services.take_reading(SYSTEM, **reading, now=NOW) == 2
    assert services.take_reading(SYSTEM, **{**reading, "people": 99}, now=NOW) == 0  # once
    assert set(Measure.objects.values_list("service_code", "quantity", "period_start", "period_end", "source")) == {
        ("FILE", Decimal(41), date(2026, 10, 1), date(2026, 10, 31), "metered"),
        ("SPACE", Decimal("1.235"), date(2026, 10, 1), date(2026, 10, 31), "metered"),
    }
    assert UsageReading.objects.get().people == 41


def test_a_figure_somebody_entered_is_not_counted_over(members: dict[str, Any]) -> None:
    factories.offer("FILE", unit="person")
    factories.agree(members["alpha"], "FILE")
    factories.measure(members["alpha"], "FILE", "40", year=2026)
    counts = {"people": 41, "mailboxes": 0, "cases": 0, "documents": 0, "stored_bytes": 0}
    assert services.take_reading(SYSTEM, schema_name="alpha", month=date(2026, 10, 1), now=NOW, **counts) == 0
    assert Measure.objects.get().source == "entered"


def test_only_a_finished_month_of_a_member_is_taken(members: dict[str, Any]) -> None:
    counts = {"people": 1, "mailboxes": 0, "cases": 0, "documents": 0, "stored_bytes": 0}
    for changed in ({"schema_name": "nobody"}, {"month": date(2026, 11, 1)}):
        values: dict[str, Any] = {"schema_name": "alpha", "month": date(2026, 10, 1), **counts, **changed}
        with pytest.raises(services.MeasureRefused):
            services.take_reading(SYSTEM, now=NOW, **values)
    assert not UsageReading.objects.exists()


def test_who_may_not_measure_changes_nothing(members: dict[str, Any], staff: Any) -> None:
    for role in (Role.AUDITOR, Role.BOARD_MEMBER, Role.MEMBER_REPRESENTATIVE, Role.BUDGET_OFFICER):
        with pytest.raises(policy.Denied):
            take(staff(role, body="alliance", units={"alpha"}), HEAD + "alpha;CORE;01.01.2025;31.12.2025;83;\r\n")
    assert not Measure.objects.exists()
