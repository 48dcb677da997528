"""Reading files: bounded, and never at the price of the upload."""

import io
import os
import signal
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date

import pypdfium2
import pytest

from verbund.modules.records.gateways import pdf
from verbund.modules.records.services.reading import read_text
from verbund.platform import printing

from . import factories

ODT = "application/vnd.oasis.opendocument.text"


@pytest.fixture
def process() -> Iterator[pdf.PdfProcess]:
    reader = pdf.PdfProcess(seconds=4)
    yield reader
    reader.close()


def test_umlauts_and_pages_are_read(process: pdf.PdfProcess) -> None:
    found = process.text(factories.pdf("Straßengebühr für Äpfel", "zweite Zeile", pages=3))
    assert (found.pages, found.note) == (3, "")
    assert found.text.count("Straßengebühr für Äpfel") == 3


def test_a_letter_in_colours_with_a_profile_is_read_as_it_is_shown(process: pdf.PdfProcess) -> None:
    head = printing.Letterhead(name="Gemeinde Gammadorf", initials="GG", accent="#0b5d3b")
    data = {"subject": "Gebühr", "date": date(2026, 11, 2), "paragraphs": ["Zahlen Sie bitte bald. " * 200]}
    letter = printing.letter("printing/letter.typ", data, head)
    assert letter.count(b"/ICCBased") == 2
    found, document = process.text(letter), pypdfium2.PdfDocument(letter)
    assert found.text == "\n".join(page.get_textpage().get_text_bounded() for page in document)
    assert (found.pages, found.note, found.text.count("bald.")) == (2, "", 200)
    green = b"\x0b\x5d\x3b"
    assert green in zlib.decompress(process.page_image(letter, 0, 600).partition(b"IDAT")[2])


def test_pages_and_characters_are_limited(process: pdf.PdfProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "PAGES", 2)
    found = process.text(factories.pdf("Zeile", pages=3))
    assert (found.text.count("Zeile"), found.pages, found.note) == (2, 3, "too_many_pages")
    monkeypatch.setattr(pdf, "CHARACTERS", 3)
    assert process.text(factories.pdf("Zeile", pages=3)).text == "Zei"


def test_a_process_that_dies_is_replaced(process: pdf.PdfProcess) -> None:
    content = factories.pdf("Zeile")
    assert process.text(content).text.strip() == "Zeile"
    running = process._process
    assert running is not None
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    assert process.text(content).text.strip() == "Zeile"
    assert process._process is not None
    assert process._process.pid != running.pid


def test_a_process_that_stalls_is_ended_and_the_file_kept_without_text(process: pdf.PdfProcess) -> None:
    content = factories.pdf("Zeile")
    process.text(content)
    running = process._process
    assert running is not None
    os.kill(running.pid, signal.SIGSTOP)
    process._seconds = 0.3
    assert process.text(content) == pdf.PdfText("", None, "unreadable")
    assert running.poll() == -signal.SIGKILL
    process._seconds = 4
    assert process.text(content).text.strip() == "Zeile"


def test_a_page_is_drawn_as_png_and_a_missing_one_is_refused(process: pdf.PdfProcess) -> None:
    content = factories.pdf("Zeile")
    image = process.page_image(content, 0, 400)
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    assert abs(int.from_bytes(image[16:20], "big") - 400) <= 1
    for broken, page in ((content, 1), (content, -1), (b"%PDF-1.7 nothing", 0)):
        with pytest.raises(pdf.PdfUnreadable):
            process.page_image(broken, page, 400)


def test_office_documents_are_read_and_bombs_are_not() -> None:
    def office(xml: bytes) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("content.xml", xml)
        return out.getvalue()

    text = b'<d xmlns:t="urn:t"><t:p>Erste <t:s>Zeile</t:s></t:p><t:h>Zweite</t:h></d>'
    assert read_text(office(text), ODT).text == "Erste Zeile\nZweite"
    entity = b'<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]><d><p>&a;</p></d>'
    for broken in (office(entity), office(b"<d>" + b" " * 21_000_000 + b"</d>"), office(b"<d>"), b"PK\x03\x04"):
        assert (read_text(broken, ODT).text, read_text(broken, ODT).note) == ("", "unreadable")


def test_plain_text_in_any_encoding_is_kept_readable() -> None:
    assert read_text("Gebühr\x00\r\n".encode(), "text/plain").text == "Gebühr \n"
    assert read_text(b"Geb\xfchr", "text/plain").text == "Geb\ufffdhr"
    assert read_text(b"\x89PNG", "image/png").note == "no_text"
