"""The pages of records: what they say, whom they let in, and that nothing bad is a 500."""

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any, cast
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from verbund.modules.records import queries, services
from verbund.modules.records.models import Case, Document, DocumentVersion
from verbund.platform.identity import services as identity
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for
from verbund.platform.tenancy import now as the_clock

from . import factories

pytestmark = pytest.mark.django_db
PASSWORD = "Regenbogen Kartoffel 7 Leuchtturm"
SYSTEM = Actor.system("alpha", "test")


@pytest.fixture(autouse=True)
def _no_second_factor(settings: Any) -> None:
    settings.VERBUND_REQUIRE_SECOND_FACTOR = False


@pytest.fixture
def desk(_database: None, client_of: Callable[..., Client]) -> Callable[..., Client]:
    """desk(Role.CLERK) -> a client of somebody of unit 32 with this role, signed in."""
    with acting_for("alpha"):
        factories.file_plan(SYSTEM)
        for unit in ("32", "60"):
            identity.create_unit(SYSTEM, code=unit, name=unit, now=the_clock())

    def make(role: Role = Role.CLERK, unit: str = "32") -> Client:
        email, moment = f"{role}-{unit}@example.org", the_clock()
        with acting_for("alpha"):
            made = identity.create_person(
                SYSTEM,
                email=email,
                display_name="Eva Eich",
                role=role,
                unit=unit,
                valid_from=moment - timedelta(days=1),
                now=moment,
                invite=False,
            )
            identity.set_initial_password(SYSTEM, person_id=made.id, password=PASSWORD, now=moment)
        client = client_of("alpha")
        answer = client.post("/anmelden/", {"email": email, "password": PASSWORD})
        assert answer.status_code == 302
        return client

    return make


@pytest.fixture
def case(desk: Callable[..., Client]) -> services.CaseRef:
    with acting_for("alpha"):
        return factories.open_case(SYSTEM, title="Sommerfest <b>&", now=the_clock())


def text_of(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.status_code
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return unescape(body.decode())


def uploaded(content: bytes, name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def test_guests_and_people_without_the_role_stay_outside(
    case: services.CaseRef, desk: Callable[..., Client], client_of: Callable[..., Client]
) -> None:
    paths = ["/arbeit/akten/", f"/arbeit/akten/{case.id}/", "/arbeit/suche/?q=fest", "/arbeit/verwaltung/aktenplan/"]
    for path in paths:
        answer = client_of("alpha").get(path)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/anmelden/")
    treasurer = desk(Role.TREASURER)
    assert [treasurer.get(path).status_code for path in paths] == [403] * 4
    assert desk(Role.CLERK).get("/arbeit/verwaltung/aktenplan/").status_code == 403


def test_a_case_of_another_unit_is_not_found_on_any_page(case: services.CaseRef, desk: Callable[..., Client]) -> None:
    with acting_for("alpha"):
        document = factories.file_text(SYSTEM, case, "geheim")
    stranger = desk(Role.CLERK, "60")
    under = f"/arbeit/akten/{case.id}/"
    reads = [under, f"{under}deckblatt/", f"{under}schliessen/", f"{under}ablegen/"]
    reads += [f"/arbeit/akten/dokument/{document.id}/{x}" for x in ("", "inhalt/", "vorschau/", "seite/1.png")]
    assert [stranger.get(path).status_code for path in reads] == [404] * len(reads)
    for path, data in (
        (f"{under}vermerk/", {"text": "x"}),
        (f"{under}uebernehmen/", {}),
        (f"{under}schliessen/", {}),
        (f"{under}ablegen/", {"title": "x", "kind": "memo", "content": uploaded(b"x", "x.txt")}),
        (
            f"/arbeit/akten/dokument/{document.id}/version/",
            {"expected_version": 1, "content": uploaded(b"x", "x.txt")},
        ),
    ):
        assert stranger.post(path, data).status_code == 404
    assert "Sommerfest" not in text_of(stranger.get("/arbeit/akten/"))
    assert "Sommerfest" not in text_of(stranger.get("/arbeit/suche/?q=sommerfest")).replace('value="sommerfest"', "")
    with acting_for("alpha"):
        assert DocumentVersion.objects.count() == 1
        assert queries.case(SYSTEM, case.id).is_open


def test_what_people_write_is_shown_as_text(case: services.CaseRef, desk: Callable[..., Client]) -> None:
    client = desk()
    for path in ("/arbeit/akten/", f"/arbeit/akten/{case.id}/", "/arbeit/suche/?q=sommerfest"):
        content = client.get(path).content.decode()
        assert "<b>&" not in content
        assert "&lt;b&gt;&amp;" in content


def test_a_document_is_filed_shown_and_handed_out_harmlessly(
    case: services.CaseRef, desk: Callable[..., Client]
) -> None:
    client = desk()
    pdf = factories.pdf("Kreisstadtvertretungssitzung")
    answer = client.post(
        f"/arbeit/akten/{case.id}/ablegen/",
        {"title": "Einladung", "kind": "incoming", "content": uploaded(pdf, "e.pdf")},
        headers={"accept": "application/json"},
    )
    target = answer.json()["url"]
    assert "Einladung" in text_of(client.get(target))
    assert "<mark>Kreisstadtvertretungssitzung</mark>" in text_of(client.get("/arbeit/suche/?q=vertretung"))
    under = f"/arbeit/akten/dokument/{target.rsplit('=', 1)[1]}/"
    preview = client.get(f"{under}vorschau/")
    assert "frame-ancestors 'self'" in preview["Content-Security-Policy"]
    assert "script-src 'self'" in preview["Content-Security-Policy"]
    assert preview["X-Frame-Options"] == "SAMEORIGIN"
    assert f"{under}seite/1.png?version=1" in text_of(preview)
    image = client.get(f"{under}seite/1.png?version=1")
    assert (image["Content-Type"], image.content[:4]) == ("image/png", b"\x89PNG")
    assert image["Cache-Control"] == "private, no-store" or "no-store" in image["Cache-Control"]
    assert client.get(f"{under}seite/2.png").status_code == 404
    download = client.get(f"{under}inhalt/")
    assert b"".join(cast(Any, download).streaming_content) == pdf
    assert download["Content-Disposition"].startswith("attachment")
    assert download["X-Content-Type-Options"] == "nosniff"
    assert client.get(f"{under}inhalt/?version=2").status_code == 404


def test_a_refused_upload_says_why_and_files_nothing(case: services.CaseRef, desk: Callable[..., Client]) -> None:
    client, path = desk(), f"/arbeit/akten/{case.id}/ablegen/"
    wrong = {"title": "X", "kind": "memo", "content": uploaded(b"MZ" + bytes(99), "x.exe")}
    told = client.post(path, wrong, headers={"accept": "application/json"})
    assert told.status_code == 400
    assert len(told.json()["errors"]) == 1
    wrong["content"] = uploaded(b"MZ" + bytes(99), "x.exe")
    assert "data-error-summary" in text_of(client.post(path, wrong), 400)
    assert "data-error-summary" in text_of(client.post(path, {"kind": "poem"}), 400)
    with acting_for("alpha"):
        assert Document.objects.count() == 0


def test_who_adds_a_version_second_is_told(case: services.CaseRef, desk: Callable[..., Client]) -> None:
    client = desk()
    with acting_for("alpha"):
        document = factories.file_text(SYSTEM, case, "eins")
    path = f"/arbeit/akten/dokument/{document.id}/version/"
    first = client.post(path, {"expected_version": 1, "content": uploaded(b"zwei", "a.txt")})
    assert first.status_code == 302
    second = text_of(client.post(path, {"expected_version": 1, "content": uploaded(b"drei", "a.txt")}), 409)
    assert "data-error-summary" in second
    assert 'name="expected_version" value="2"' in second
    with acting_for("alpha"):
        assert DocumentVersion.objects.count() == 2


def test_the_list_is_exported_as_csv_without_formulas(desk: Callable[..., Client]) -> None:
    client = desk()
    with acting_for("alpha"):
        factories.open_case(SYSTEM, title='=HYPERLINK("x")', party="-2+3; Test", now=the_clock())
        factories.open_case(SYSTEM, title="Fremd", unit="60", now=the_clock())
    answer = client.get("/arbeit/akten/liste.csv")
    rows = list(csv.reader(io.StringIO(text_of(answer).removeprefix("\ufeff")), delimiter=";"))
    assert answer["Content-Disposition"] == 'attachment; filename="vorgaenge.csv"'
    assert len(rows) == 2
    assert rows[1][1:3] == ['\'=HYPERLINK("x")', "'-2+3; Test"]


def test_taking_over_and_closing_are_told_and_conflicts_named(
    case: services.CaseRef, desk: Callable[..., Client]
) -> None:
    client = desk()
    under = f"/arbeit/akten/{case.id}/"
    revision = re.search(r'name="revision" value="(\d+)"', text_of(client.get(under)))
    assert revision is not None
    assert client.post(f"{under}uebernehmen/", {"revision": revision[1]}).status_code == 302
    assert client.post(f"{under}zurueckgeben/", {"revision": revision[1]}).status_code == 409
    assert "data-error-summary" in text_of(client.post(f"{under}vermerk/", {"text": " "}), 400)
    assert "data-error-summary" in text_of(client.post(f"{under}schliessen/", {"retention_years": "500"}), 400)
    assert client.post(f"{under}schliessen/", {"retention_years": ""}).status_code == 302
    with acting_for("alpha"):
        view = queries.case(SYSTEM, case.id)
        assert (view.is_open, view.assigned_name) == (False, "Eva Eich")
    assert client.post(f"{under}uebernehmen/", {}).status_code == 409


def test_a_case_is_opened_by_hand_with_the_fields_of_its_position(desk: Callable[..., Client]) -> None:
    client = desk(Role.REGISTRY)
    values = {"title": "Fest", "position": "32.20", "unit": "32"}
    asked = text_of(client.post("/arbeit/akten/neu/", values))
    assert 'name="meta_beginn"' in asked
    assert 'value="Fest"' in asked
    refused = text_of(client.post("/arbeit/akten/neu/", {**values, "fields_of": "32.20"}), 400)
    assert "data-error-summary" in refused
    done = client.post("/arbeit/akten/neu/", {**values, "fields_of": "32.20", "meta_beginn": "2026-12-24"})
    assert done.status_code == 302
    with acting_for("alpha"):
        assert [c.metadata for c in Case.objects.all()] == [{"beginn": "2026-12-24"}]


def test_a_letter_of_the_print_room_is_recorded_as_posted(case: services.CaseRef, desk: Callable[..., Client]) -> None:
    client = desk()
    with acting_for("alpha"):
        letter = services.issue_letter(
            SYSTEM,
            case_id=case.id,
            title="Erlaubnis",
            template="printing/letter.typ",
            data={},
            recipient=services.Recipient("Erika Beispiel", ("Weg 1",)),
            now=the_clock(),
        )
        services.dispatch_letter(SYSTEM, letter_id=letter.id, now=the_clock())
    path = f"/arbeit/akten/schreiben/{letter.id}/abgesandt/"
    assert path in text_of(client.get("/arbeit/akten/druck/"))
    assert client.get(path).status_code == 200
    assert client.post(path, {"note": "Poststelle"}).status_code == 302
    assert client.post(path, {"note": "Poststelle"}).status_code == 409
    with acting_for("alpha"):
        assert queries.letter(SYSTEM, letter.id).proof["posted_by"] == "Poststelle"


def test_the_file_plan_is_imported_with_all_errors_on_one_page(desk: Callable[..., Client]) -> None:
    client, path = desk(Role.REGISTRY), "/arbeit/verwaltung/aktenplan/"
    wrong = text_of(client.post(path, {"csv": uploaded("code;title\nx;Ä\n99;\n".encode("cp1252"), "p.csv")}), 400)
    assert wrong.count("<td>2</td>") == wrong.count("<td>3</td>") == 1
    assert client.post(path, {"csv": uploaded(b"code;title\n99;Neu\n", "p.csv")}).status_code == 302
    assert "Neu" in text_of(client.get("/arbeit/akten/aktenplan/"))
    assert text_of(client.get(f"{path}aktenplan.csv")).count("\r\n") == 5
    assert client.post(path, {"csv": uploaded(bytes([0x81, 0x8D]) * 9, "p.csv")}).status_code == 400
    assert client.post(path, {}).status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/arbeit/akten/?state=x&unit=%7F&deadline=late&mine=on&after=~&position=9.9&text=%27%7F",
        "/arbeit/akten/?after=2026-01-01T00:00:00~00000000-0000-0000-0000-000000000000",
        "/arbeit/akten/?deadline=week&after=2026-01-01~x",
        "/arbeit/akten/verzeichnis/?position=%7F&after=x",
        "/arbeit/suche/?q=%7F&year=9999999999999999&unit=x&kind=y&after=r99999999",
        "/arbeit/suche/?q=a&after=r-1",
        "/arbeit/suche/?q=" + "a*+" * 200,
        "/arbeit/akten/liste.csv?text=%22",
    ],
)
def test_no_address_that_somebody_makes_up_breaks_a_page(
    case: services.CaseRef, desk: Callable[..., Client], path: str
) -> None:
    text_of(desk().get(path))


def test_unknown_ids_are_not_found(case: services.CaseRef, desk: Callable[..., Client]) -> None:
    client, made_up = desk(), uuid4()
    for path in (f"{made_up}/", f"akte/{made_up}/", f"dokument/{made_up}/", f"schreiben/{made_up}/abgesandt/"):
        assert client.get(f"/arbeit/akten/{path}").status_code == 404


def test_a_list_page_asks_the_same_number_of_queries_for_many_rows(
    desk: Callable[..., Client], django_assert_max_num_queries: Any
) -> None:
    client = desk()
    with acting_for("alpha"):
        for _ in range(12):
            factories.open_case(SYSTEM, now=the_clock())
    client.get("/arbeit/akten/")
    with django_assert_max_num_queries(9):
        assert text_of(client.get("/arbeit/akten/")).count("<tr>") == 13
