"""Search: what a clerk types is found, in German, in the very transaction of the filing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from verbund.modules.records import queries, services
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role

from . import factories
from .factories import NOW

pytestmark = pytest.mark.usefixtures("alpha")


@pytest.fixture
def clerk(staff: Callable[..., Actor], system: Actor) -> Actor:
    factories.file_plan(system)
    return staff(Role.CLERK, units={"32"})


def found(actor: Actor, text: str, **more: Any) -> set[str]:
    """The titles of the hits."""
    return {"".join(piece for piece, _ in hit.title) for hit in queries.search(actor, text, **more).rows}


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("Die Anträge wurden geprüft", "Antrag"),
        ("Der Antrag wurde geprüft", "anträgen"),
        ("Höhe der Gebühren", "Gebuehren"),
        ("Hoehe der Gebuehren", "Gebühr"),
        ("In der Straße", "Strasse"),
        ("In den Strassen", "straße"),
        ("Die Stadtvertretung tagt", "vertretung"),
        ("Die Stadtvertretungen tagen", "Vertretung"),
        ("Einladung zur Kreisstadtvertretungssitzung", "vertretung"),
        ("Einladung zur Kreisstadtvertretungssitzung", "Stadtvertretung"),
        ("Einladung zur Kreisstadtvertretungssitzung", "sitzungen"),
        ("Straßenreinigungsgebühren", "gebuehr"),
        ("Strassenreinigungsgebuehren", "Reinigung"),
        ("Der Hundesteuerbescheid liegt bei", "Steuerbescheid"),
        ("Der Hundesteuerbescheid liegt bei", "hunde"),
        ("Das Ordnungsamt der Stadt", "Ämter"),
        ("Bewohner-Parkausweis", "bewohnerparkausweis"),
        ("Anwohner der Parchimstraße", "straße"),
        ("Jagdscheinersatz", "ersatz"),
        ("Baumfällgenehmigung", "genehmigung"),
        ("Müller-Lüdenscheidt", "Lüdenscheidt"),
        ("im Schulamt", "Schule"),
    ],
)
def test_german_words_are_found_however_they_stand_in_the_text(clerk: Actor, written: str, typed: str) -> None:
    case = factories.open_case(clerk, title="Anderes")
    factories.file_text(clerk, case, f"Vorher steht etwas. {written}. Danach auch.", title="Treffer")
    assert found(clerk, typed) == {"Treffer"}


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("Der Kreis", "Reis"),
        ("insgesamt gut", "Amt"),
        ("Die Operation verlief", "Rat"),
        ("Der Schuldner zahlt", "Schule"),
        ("Die Besteuerung", "Steuer"),
        ("Die Stadt und ihre Vertretung", '"Vertretung Stadt"'),
        ("Der Vorrat reicht", "Rat"),
    ],
)
def test_letters_that_only_look_like_a_word_are_not_found(clerk: Actor, written: str, typed: str) -> None:
    case = factories.open_case(clerk, title="Anderes")
    factories.file_text(clerk, case, written, title="Treffer")
    assert found(clerk, typed) == set()


def test_the_text_of_a_pdf_is_found_in_the_transaction_of_its_upload(clerk: Actor) -> None:
    case = factories.open_case(clerk, title="Anderes")
    document = services.file_document(
        clerk,
        case_id=case.id,
        title="Einladung",
        kind="incoming",
        content=factories.pdf("Die Gemeindevertretung lädt ein", "am Dienstag in die Sporthalle"),
        filename="einladung.pdf",
        now=NOW,
    )
    page = queries.search(clerk, "vertretung sporthalle")
    assert [hit.document_id for hit in page.rows] == [document.id]
    marked = [text for text, hit in page.rows[0].excerpt if hit]
    assert marked == ["Gemeindevertretung", "Sporthalle"]


def test_words_phrases_exclusions_and_beginnings_are_understood(clerk: Actor) -> None:
    case = factories.open_case(clerk, title="Anderes")
    factories.file_text(clerk, case, "freie Strecke am Bahnhof", title="A")
    factories.file_text(clerk, case, "Strecke, die freie Sicht am Bahnhof", title="B")
    assert found(clerk, "strecke bahnhof") == {"A", "B"}
    assert found(clerk, '"freie strecke"') == {"A"}
    assert found(clerk, "bahnhof -sicht") == {"A"}
    assert found(clerk, "bahn* frei*") == {"A", "B"}
    assert found(clerk, "strecke hafen") == set()


@pytest.mark.parametrize(
    "typed", ["Vertr*", "vertret*", "vertretu*", "vertretun*", "vertretung*", "verträt* OR", "stadtver*"]
)
def test_a_word_is_found_while_it_is_being_typed(clerk: Actor, typed: str) -> None:
    case = factories.open_case(clerk, title="Anderes")
    factories.file_text(clerk, case, "Vertretung und Stadtvertretung or else", title="Treffer")
    assert found(clerk, typed) == (set() if "OR" in typed else {"Treffer"})


def test_a_part_of_a_compound_is_found_and_marked_while_it_is_being_typed(clerk: Actor) -> None:
    case = factories.open_case(clerk, title="Anderes")
    factories.file_text(clerk, case, "Die Kreisstadtvertretungssitzung ist am Montag", title="Treffer")
    for typed in ("vertr*", "vertretun*", "vertretung*", "stadtvertretung*", "sitz*"):
        hits = queries.search(clerk, typed).rows
        assert [text for hit in hits for text, marked in hit.excerpt if marked] == ["Kreisstadtvertretungssitzung"]


def test_references_parties_and_metadata_are_found(clerk: Actor) -> None:
    first = factories.open_case(clerk, title="Eins", party="Ayşe Öztürk-Maßmann")
    second = factories.open_case(
        clerk, title="Zwei", party="Bernd Muster", position="32.20", metadata={"beginn": "2026-12-01"}
    )
    factories.file_text(clerk, second, "Inhalt", title="Blatt", metadata={"kennzeichen": "LWL-XY 123"})
    assert first.reference == "32.10-2026/0001"
    assert found(clerk, first.reference) == {"Eins"}
    assert found(clerk, "32.10-2026") == {"Eins"}
    assert found(clerk, second.reference) == {"Zwei", "Blatt"}
    assert found(clerk, "Oeztuerk massmann") == {"Eins"}
    assert found(clerk, "muster inhalt") == {"Blatt"}
    assert found(clerk, "LWL") == {"Blatt"}


@pytest.mark.parametrize(
    ("typed", "note"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ('"" - *', "empty"),
        ("-entwurf", "only_without"),
        ("der die das", "too_common"),
    ],
)
def test_a_question_without_a_word_is_answered_with_a_hint(clerk: Actor, typed: str, note: str) -> None:
    page = queries.search(clerk, typed)
    assert (page.rows, page.next, page.note) == ((), None, note)
    assert page.note is not None
    assert page.note.message


@pytest.mark.parametrize(
    "typed",
    [
        "'",
        "a & | ! b",
        "\\'; drop",
        "foo:*A <-> bar",
        "((((",
        "a\x00b",
        "'~stadt'",
        "x" * 5000,
        '"offen',
        "--- - -",
        "<b>Bau</b>",
        "%_%",
        "🦌 & 12/3",
    ],
)
def test_nothing_that_is_typed_breaks_the_search(clerk: Actor, typed: str) -> None:
    assert queries.search(clerk, typed).rows == ()


def test_hits_are_marked_as_plain_text(clerk: Actor) -> None:
    case = factories.open_case(clerk, title="Anderes")
    factories.file_text(clerk, case, "vor <script>alert(1)</script> Gebühr & mehr", title="Treffer")
    hit = queries.search(clerk, "gebuehr").rows[0]
    assert hit.excerpt == (("vor <script>alert(1)</script> ", False), ("Gebühr", True), (" & mehr", False))


def test_a_new_version_replaces_what_is_found(clerk: Actor) -> None:
    case = factories.open_case(clerk, title="Anderes")
    document = factories.file_text(clerk, case, "Birnbaum", title="Treffer")
    services.add_version(
        clerk, document_id=document.id, content=b"Apfelbaum", filename="b.txt", expected_version=1, now=NOW
    )
    assert found(clerk, "birnbaum") == set()
    assert found(clerk, "baum") == {"Treffer"}


def test_title_and_party_come_before_text_and_text_before_parts_of_words(clerk: Actor) -> None:
    case = factories.open_case(clerk, title="Anderes")
    factories.file_text(clerk, case, "Die Gartenlaube", title="Teil")
    factories.file_text(clerk, case, "Im Garten steht", title="Text")
    factories.file_text(clerk, case, "Nichts", title="Garten")
    page = queries.search(clerk, "garten")
    assert ["".join(t for t, _ in hit.title) for hit in page.rows] == ["Garten", "Text", "Teil"]
    assert page.ranked


def test_few_hits_are_ranked_and_many_come_newest_first_page_by_page(
    clerk: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("verbund.modules.records.queries.hits.RANKED", 5)
    case = factories.open_case(clerk, title="Anderes")
    ids = [factories.file_text(clerk, case, "Linde", title=f"T{n}").id for n in range(7)]
    seen, after = [], None
    for _ in range(4):
        page = queries.search(clerk, "linde", after, 2)
        assert not page.ranked
        seen += [hit.document_id for hit in page.rows]
        after = page.next
    assert after is None
    assert seen == list(reversed(ids))
    few = queries.search(clerk, "linde", None, 3, filters=queries.SearchFilters(kind="document", year=2025))
    assert few.rows == ()
    assert queries.search(clerk, "linde", "no key of ours", 2).rows[0].document_id == ids[-1]


def test_pages_of_ranked_hits_go_on_where_the_last_one_ended(clerk: Actor) -> None:
    case = factories.open_case(clerk, title="Anderes")
    ids = {factories.file_text(clerk, case, "Linde", title=f"T{n}").id for n in range(5)}
    first = queries.search(clerk, "linde", None, 3)
    second = queries.search(clerk, "linde", first.next, 3)
    assert (len(first.rows), len(second.rows), second.next) == (3, 2, None)
    assert {hit.document_id for hit in first.rows + second.rows} == ids


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.from_regex(r"(?:[BDFGHKLMNPRSTVWbdfghklmnprstvwzß][aeiouäöü]){2,8}[nrst]?", fullmatch=True),
        min_size=1,
        max_size=4,
    )
)
def test_every_word_of_a_text_finds_it_in_either_spelling(clerk: Actor, words: list[str]) -> None:
    umlauts = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})
    with transaction.atomic():
        case = factories.open_case(clerk, title="Anderes")
        document = factories.file_text(clerk, case, " ".join(words))
        for word in words:
            for typed in (word.translate(umlauts), word[:-1] + "*"):
                page = queries.search(clerk, typed)
                if page.note is None:
                    assert document.id in {hit.document_id for hit in page.rows}, typed
        transaction.set_rollback(True)


def test_a_year_is_the_legal_one_and_its_pages_end_with_it(clerk: Actor) -> None:
    late = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)  # 2026 in Berlin
    for title, at in (("Zaunbau alt", late - timedelta(hours=1)), ("Zaunbau neu", late)):
        factories.open_case(clerk, title=title, now=at)
    for year, title in ((2025, "Zaunbau alt"), (2026, "Zaunbau neu")):
        page = queries.search(clerk, "zaunbau", filters=queries.SearchFilters(year=year))
        assert [hit.case_title for hit in page.rows] == [title]
    for year in (0, 1, 9999, 10_000):
        assert queries.search(clerk, "zaunbau", filters=queries.SearchFilters(year=year)).rows == ()


def test_the_list_narrowed_by_words_goes_on_page_by_page_and_keeps_its_other_filters(clerk: Actor) -> None:
    opened = [
        factories.open_case(clerk, title=f"Zaunbau {n}", now=NOW + timedelta(minutes=n), party="Anton")
        for n in range(5)
    ]
    other = factories.open_case(clerk, title="Carport", now=NOW)
    factories.file_text(clerk, other, "Ein Zaunbau steht nur im Text.")
    services.close_case(clerk, case_id=opened[3].id, now=NOW + timedelta(days=1))
    services.assign_case(clerk, case_id=opened[1].id, person=clerk.id, now=NOW)
    seen, after = [], None
    while True:
        page = queries.cases(clerk, filters=queries.CaseFilters(text="zaunbau"), after=after, limit=2)
        seen += [row.id for row in page.rows]
        after = page.next
        if after is None:
            break
    assert seen == [case.id for case in reversed(opened)]

    def found(**filters: Any) -> list[Any]:
        return [r.id for r in queries.cases(clerk, filters=queries.CaseFilters(text="zaunbau", **filters)).rows]

    assert found(state="closed") == [opened[3].id]
    assert found(mine=True) == [opened[1].id]
    assert found(unit="33") == []
    assert found(unit="32", position="32.10", state="open") == [opened[n].id for n in (4, 2, 1, 0)]
