"""Letters show what they are given, to the letter, and the same every time."""

import hashlib
import re
import subprocess
import sys
import unicodedata
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import segno
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tests.platform.printing import samples
from tests.races import at_once

from verbund.platform import printing
from verbund.platform.printing import payments, typesetting


def pages_of(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(pdf)
    return [page.get_textpage().get_text_bounded() for page in document]


def flat(text: str) -> str:
    """Without blanks and hyphens of line ends: what stands there, wherever the lines break."""
    return re.sub(r"[\s\ufffe\xad\x02]+", "", unicodedata.normalize("NFC", text))


def text_of(pdf: bytes) -> str:
    return flat("\n".join(pages_of(pdf)))


def set_letter(data: dict[str, Any], template: str = "printing/letter.typ", **more: Any) -> bytes:
    return printing.letter(template, data, samples.HEAD, **more)


def test_a_letter_shows_everything_it_was_given() -> None:
    text = text_of(set_letter(samples.whole()))
    for expected in (
        "LandkreisBetaland·Putbreite25·19999Musterstadt",
        "Mārȫa Łukasiewicz-Großmann",
        "Unser Zeichen 32.11-2026/000123",
        "Ihr Schreiben vom 2. November 2026",
        "Datum 21. November 2026",
        "Erster Absatz.",
        "Zweitausfertigung 1 5,00 €",
        "Zusammensetzung der Gebühr",
        "Rechtsbehelfsbelehrung",
        "IBAN DE02 1203 0000 0000 2020 51",
        "Betrag 35,70 €",
        "Fällig am 21. Dezember 2026",
        "Anlagen",
        "Seite 1 von 2",
        "Seite 2 von 2",
    ):
        assert flat(expected) in text, expected


def test_a_letter_in_english_has_english_labels_and_dates() -> None:
    text = text_of(set_letter(samples.whole(), language="en"))
    assert "Ourreference" in text
    assert "21November2026" in text
    assert "Page1of2" in text


def test_a_long_letter_repeats_reference_and_table_head_on_every_page() -> None:
    pages = [flat(page) for page in pages_of(set_letter(samples.full_of_tables()))]
    assert len(pages) > 3
    for number, page in enumerate(pages[1:], start=2):
        assert "32.11-2026/000123·21.November2026" in page
        assert f"Seite{number}von{len(pages)}" in page
    assert all("LeistungMengeBetrag" in page for page in pages[:3])


@pytest.mark.parametrize("fragment", samples.TYPST)
@pytest.mark.parametrize("place", ["subject", "salutation", "remedy", "note", "reference", "remark", "closing"])
def test_typst_in_the_data_is_printed_and_never_run(place: str, fragment: str) -> None:
    assert flat(fragment) in text_of(set_letter(samples.letter(**{place: fragment})))


def test_typst_in_lists_tables_facts_and_letterhead_is_printed_and_never_run() -> None:
    data = samples.letter(
        paragraphs=[
            *samples.TYPST,
            {"list": samples.TYPST},
            {"facts": [[t, "x"] for t in samples.TYPST]},
            {"table": {"columns": [{"title": t} for t in samples.TYPST[:2]], "rows": [[t, t] for t in samples.TYPST]}},
        ],
        recipient=samples.TYPST[:4],
        enclosures=samples.TYPST,
        signature=samples.TYPST,
    )
    text = text_of(set_letter(data))
    for fragment in samples.TYPST:
        assert text.count(flat(fragment)) >= 4, fragment
    assert "root:x:0:0" not in text
    receipt = text_of(
        set_letter(
            samples.receipt(
                number=samples.TYPST[0], sections=[{"title": samples.TYPST[0], "rows": [samples.TYPST[:2]]}]
            ),
            "printing/receipt.typ",
        )
    )
    assert receipt.count(flat(samples.TYPST[0])) == 3


@given(
    st.text(alphabet=st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Z", "C"]), min_size=1, max_size=80)
)
@hypothesis_settings(max_examples=60, deadline=None)
def test_any_text_can_be_printed(text: str) -> None:
    assert set_letter(samples.letter(paragraphs=[text], note=text)).startswith(b"%PDF-1.7")


def test_a_template_cannot_read_outside_of_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outside = tmp_path / "secret.txt"
    outside.write_text("secret")
    climbing = "/" + "../" * len(typesetting.ROOT.parts) + str(outside).lstrip("/")
    for path in (str(outside), climbing, "/../../pyproject.toml"):
        template = tmp_path / "spy.typ"
        with pytest.raises(Exception, match=r"(?i)not found|outside|denied|root"):
            typesetting._compiler().compile(input=f'#read("{path}")'.encode(), format="pdf")
        assert not template.exists()


def test_a_template_cannot_load_packages() -> None:
    for template in typesetting.ROOT.rglob("print/*.typ"):
        assert "@preview" not in template.read_text(), template
        assert "@local" not in template.read_text(), template


def test_the_same_data_give_the_same_bytes_in_every_process_and_thread() -> None:
    here = hashlib.sha256(set_letter(samples.whole())).hexdigest()
    assert hashlib.sha256(set_letter(samples.whole())).hexdigest() == here

    def work() -> list[str]:
        return [hashlib.sha256(set_letter(samples.whole())).hexdigest() for _ in range(3)]

    assert at_once([work] * 4) == [[here] * 3] * 4

    code = (
        "import django, hashlib; django.setup()\n"
        "from tests.platform.printing import samples\n"
        "from verbund.platform import printing\n"
        "pdf = printing.letter('printing/letter.typ', samples.whole(), samples.HEAD)\n"
        "print(hashlib.sha256(pdf).hexdigest())\n"
    )
    there = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True
    )
    assert there.stdout.strip() == here


def test_a_preview_says_draft_on_every_page_and_a_letter_never() -> None:
    pages = pages_of(set_letter({**samples.full_of_tables(), "draft": True}))
    assert len(pages) > 3
    assert all("Entwurf" in page for page in pages)
    assert "Entwurf" not in text_of(set_letter({**samples.full_of_tables(), "draft": False}))


def test_another_date_gives_other_bytes() -> None:
    assert set_letter(samples.letter()) != set_letter(samples.letter(date=date(2026, 11, 22)))


def test_title_author_language_and_date_stand_in_the_document() -> None:
    document = pypdfium2.PdfDocument(set_letter(samples.letter()))
    meta = document.get_metadata_dict()
    assert meta["Title"] == "Bewohnerparkausweis für das Kennzeichen BL-AB 1234"
    assert meta["Author"] == "Landkreis Betaland"
    assert meta["CreationDate"].startswith("D:20261121")
    assert b"/Lang(de)" in set_letter(samples.letter())


def test_the_fonts_are_our_own_whatever_the_machine_has() -> None:
    assert typesetting._fonts().families() == ["Fira Sans", "Noto Sans"]


def test_what_no_font_has_stays_legible_and_control_characters_go() -> None:
    text = text_of(set_letter(samples.letter(paragraphs=["vor😀nach 中 a\u202eb\u0000c\tT и"])))
    assert "vor[U+1F600]nach[U+4E2D]abcTи" in text


def test_every_character_of_din_91379_has_a_glyph(shared_dir: Path) -> None:
    entries = []
    for line in (shared_dir / "standards/din91379/catalogue/latin_list_1.3.txt").read_text().splitlines():
        points = "".join(chr(int(point, 16)) for point in line.split(";")[2].replace("+", " ").split())
        entries.append(unicodedata.normalize("NFC", points))
    assert len(entries) == 930
    known = typesetting.printable()
    lacking = {e for e in entries if not all(ord(c) in known or c in "\t\n\r" for c in e)}
    assert lacking == set()
    shown = [e for e in entries if e.strip() and e != "\u00ad"]
    pdf = set_letter(samples.letter(paragraphs=["\n".join(shown)]))
    text = text_of(pdf)
    assert "[U+" not in text
    assert [e for e in shown if flat(e) not in text] == []


@pytest.mark.parametrize(
    ("template", "data", "reason"),
    [
        ("printing/none.typ", samples.letter(), "no such template"),
        ("nowhere/letter.typ", samples.letter(), "no such app"),
        ("printing/../letter.typ", samples.letter(), "is named"),
        ("/etc/passwd", samples.letter(), "is named"),
        ("printing/letter.typ", {"subject": "x"}, "subject and a date"),
        ("printing/letter.typ", {"date": date(2026, 1, 1), "subject": " "}, "subject and a date"),
        ("printing/letter.typ", samples.letter(remedy=object()), "cannot show a object"),
        ("printing/letter.typ", samples.letter(remedy=1.5), "cannot show a float"),
        ("printing/letter.typ", samples.letter(signature="Jana"), "base.typ"),
        ("printing/receipt.typ", samples.letter(), "number"),
    ],
)
def test_a_letter_that_cannot_be_set_says_which_and_why(template: str, data: dict[str, Any], reason: str) -> None:
    with pytest.raises(printing.Failed, match=reason) as failed:
        set_letter(data, template)
    assert failed.value.template == template


def test_the_letterhead_comes_from_the_body(alpha: Any) -> None:
    text = text_of(printing.letter("printing/letter.typ", samples.letter()))
    assert "StadtAlphausen·AmMarkt1·19999Musterstadt" in text
    assert payments.in_groups("DE02120300000000202051") == "DE02 1203 0000 0000 2020 51"


@pytest.mark.parametrize(
    ("cents", "shown"),
    [(0, "0,00\u00a0€"), (5, "0,05\u00a0€"), (-123456789, "-1.234.567,89\u00a0€"), (100000, "1.000,00\u00a0€")],
)
def test_amounts_are_written_as_in_german_letters(cents: int, shown: str) -> None:
    assert printing.euro(cents) == shown


def test_moments_are_shown_in_local_time() -> None:
    text = text_of(
        set_letter(samples.receipt(received=datetime(2026, 7, 1, 22, 30, tzinfo=UTC)), "printing/receipt.typ")
    )
    assert "2.Juli2026,00:30Uhr" in text


class TestGiroCode:
    """EPC069-12."""

    def expected(self, payload: str) -> Any:
        return segno.make(payload, error="m", encoding="utf-8", boost_error=False, micro=False).matrix

    def test_the_code_carries_the_payment_with_a_creditor_reference(self) -> None:
        payload = (
            "BCD\n002\n1\nSCT\nBYLADEM1001\nLandkreis Betaland\nDE02120300000000202051\nEUR35.7\n\nRF18539007547034"
        )
        assert payments.girocode(samples.PAYMENT).matrix == self.expected(payload)

    def test_any_other_reference_is_text_and_a_name_is_cut_at_seventy(self) -> None:
        payment = printing.Payment(
            payee="Ämter " * 20, iban="DE02120300000000202051", cents=1, reference="Vorgang 12", due_on=date(2026, 1, 1)
        )
        name = ("Ämter " * 20)[:70].strip()
        payload = f"BCD\n002\n1\nSCT\n\n{name}\nDE02120300000000202051\nEUR0.01\n\n\nVorgang 12"
        assert payments.girocode(payment).matrix == self.expected(payload)

    @pytest.mark.parametrize(
        ("wrong", "reason"),
        [
            ({"cents": 0}, "0 cents"),
            ({"cents": -5}, "-5 cents"),
            ({"cents": 10**14}, "cents"),
            ({"iban": "DE03120300000000202051"}, "DE03"),
            ({"bic": "nonsense"}, "nonsense"),
            ({"payee": " "}, "payee"),
        ],
    )
    def test_a_payment_that_cannot_be_made_cannot_be_asked_for(self, wrong: dict[str, Any], reason: str) -> None:
        right = {
            "payee": "A",
            "iban": "DE02120300000000202051",
            "cents": 1,
            "reference": "x",
            "due_on": date(2026, 1, 1),
        }
        with pytest.raises(ValueError, match=reason):
            printing.Payment(**{**right, **wrong})
