"""The kind is what the content says, and the name may only agree."""

import io
import struct
import zipfile
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.platform.files import samples

from verbund.platform.files import ANYTHING, DOCUMENTS, WrongType, clean_filename, recognition
from verbund.platform.files.recognition import recognise

ODF = "application/vnd.oasis.opendocument."
OOXML = "application/vnd.openxmlformats-officedocument."


def kind_of(content: bytes, name: str, allow: frozenset[str] = DOCUMENTS) -> str:
    return recognise(io.BytesIO(content), filename=name, allow=allow)


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (samples.PDF, "bescheid.pdf", "application/pdf"),
        (b"\xef\xbb\xbf\r\n" + samples.PDF, "bescheid.PDF", "application/pdf"),
        (samples.JPEG, "foto.JPG", "image/jpeg"),
        (samples.JPEG, "foto.jfif", "image/jpeg"),
        (samples.png(), "karte.png", "image/png"),
        (samples.TIFF, "scan.tif", "image/tiff"),
        ("Größe & Łódź\n".encode(), "notiz.txt", "text/plain"),
        ("Größe;1\n".encode("cp1252"), "alt.csv", "text/csv"),
        (b"a;b\n1;2\n", "liste.csv", "text/csv"),
        (samples.XML, "antrag.xdf3.xml", "application/xml"),
        (b"<a/>", "klein.xml", "application/xml"),
        (b'{"a": [1, 2]}', "werte.json", "application/json"),
        (samples.docx(), "brief.docx", f"{OOXML}wordprocessingml.document"),
        (samples.xlsx(), "tabelle.xlsx", f"{OOXML}spreadsheetml.sheet"),
        (samples.odt(), "brief.odt", f"{ODF}text"),
        (samples.PDF, "ohne endung", "application/pdf"),
    ],
)
def test_a_document_is_recognised_by_its_content(content: bytes, name: str, kind: str) -> None:
    assert kind_of(content, name) == kind


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (samples.SVG, "bild.svg"),
        (samples.SVG, "bild.xml"),
        (samples.HTML, "seite.html"),
        (samples.HTML, "seite.txt"),
        (b" \n<script>alert(1)</script>", "harmlos.txt"),
        (b"<html xmlns='http://www.w3.org/1999/xhtml'/>", "seite.xml"),
        (b"<a><b xmlns='http://www.w3.org/1999/xhtml'/></a>", "tief.xml"),
        (b"<?xml version='1.0'?><?xml-stylesheet href='a.xsl'?><a/>", "stil.xml"),
        (b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>", "entity.xml"),
        (b"<?xml version='1.0'?><!DOCTYPE a><a/>", "doctype.xml"),
        (b"<?xml version='1.0'?><a>", "offen.xml"),
        (b"{'a': 1}", "kaputt.json"),
        (b"[" * 200_000, "tief.json"),
        (b"MZ\x90\x00\x03" + b"\0" * 100, "programm.exe"),
        (b"\x7fELF\x02" + b"\0" * 100, "programm"),
        (b"GIF89a" + b"\0" * 20, "bild.gif"),
        (b"a\0b", "notiz.txt"),
        ("text".encode("utf-16"), "notiz.txt"),
        (samples.docx(**{"word/vbaProject.bin": b"x"}), "makro.docx"),
        (samples.odt(**{"Basic/Standard/Module1.xml": b"x"}), "makro.odt"),
        (samples.archive({"a.txt": b"a"}), "alles.zip"),
        (b"PK\x03\x04 and then nothing", "brief.docx"),
    ],
)
def test_what_could_run_or_cannot_be_read_is_refused_with_a_message(content: bytes, name: str) -> None:
    with pytest.raises(WrongType) as refused:
        kind_of(content, name)
    assert len(str(refused.value.message)) > 20


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (samples.PDF, "rechnung.docx"),
        (samples.png(), "foto.jpg"),
        (samples.docx(), "tabelle.xlsx"),
        (samples.XML, "antrag.pdf"),
        (b"only text", "bild.png"),
        (samples.PDF, "rechnung.pdf.exe"),
        (samples.PDF, "rechnung.exe"),
    ],
)
def test_a_name_that_says_something_else_is_refused(content: bytes, name: str) -> None:
    with pytest.raises(WrongType, match="name of the file ends in"):
        kind_of(content, name)


def test_the_refusal_names_the_kinds_that_can_be_taken() -> None:
    with pytest.raises(WrongType) as refused:
        kind_of(b"\0\1\2", "a.bin", frozenset({recognition.PDF, recognition.JPEG}))
    assert str(refused.value.message) == "This kind of file cannot be taken. Please send it as one of: JPEG, PDF."


def test_where_anything_may_come_it_is_kept_as_an_octet_stream_that_nothing_opens() -> None:
    assert kind_of(samples.SVG, "bild.svg", ANYTHING) == "application/octet-stream"
    assert kind_of(samples.HTML, "seite.html", ANYTHING) == "application/octet-stream"
    assert kind_of(samples.archive({"a": b"a"}), "a.zip", ANYTHING) == "application/zip"


def test_a_zip_bomb_is_refused_without_being_unpacked() -> None:
    bomb = samples.docx(**{"word/media/blank.xml": b"\0" * 30_000_000})
    assert len(bomb) < 40_000
    with pytest.raises(WrongType, match="far too large when opened"):
        kind_of(bomb, "bombe.docx")


def test_an_archive_of_countless_parts_is_refused_before_its_directory_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = samples.archive({f"word/{'x' * 40}{n}": b"" for n in range(12_000)})
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(WrongType, match="too many parts"):
        kind_of(crowd, "viele.docx")


def test_an_archive_of_too_many_parts_with_short_names_is_refused() -> None:
    with pytest.raises(WrongType, match="too many parts"):
        kind_of(samples.archive({"[Content_Types].xml": b"", **{f"word/{n}": b"" for n in range(5_000)}}), "viele.docx")


def test_an_office_file_under_a_password_is_refused_because_no_scanner_can_look_into_it() -> None:
    content = bytearray(samples.docx())
    at = content.find(b"PK\x01\x02")
    while at >= 0:
        content[at + 8] |= 1
        at = content.find(b"PK\x01\x02", at + 4)
    with pytest.raises(WrongType, match="password"):
        kind_of(bytes(content), "geheim.docx")


@given(
    st.binary(min_size=1, max_size=300), st.sampled_from(["a.pdf", "a.xml", "a.docx", "a.json", "a.csv", "a", "a.html"])
)
def test_no_content_brings_recognition_down(content: bytes, name: str) -> None:
    with suppress(WrongType):
        assert kind_of(content, name) in DOCUMENTS


@given(st.binary(max_size=200), st.integers(0, 400))
@example(b"\x01", 29)  # the extra field of the first entry reaches beyond the end
@example(b"\x01", 6)  # the first entry says that it is encrypted
def test_no_damaged_archive_brings_recognition_down(noise: bytes, at: int) -> None:
    content = bytearray(samples.odt())
    content[at : at + len(noise)] = noise
    with suppress(WrongType):
        assert kind_of(bytes(content), "a", ANYTHING) in ANYTHING


def test_a_directory_that_lies_about_its_size_is_damaged() -> None:
    content = bytearray(samples.docx())
    struct.pack_into("<L", content, content.rfind(b"PK\x05\x06") + 12, 5)
    with pytest.raises(WrongType):
        kind_of(bytes(content), "brief.docx")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Antrag.pdf", "Antrag.pdf"),
        ("C:\\Benutzer\\Eva\\Antrag.pdf", "Antrag.pdf"),
        ("../../etc/passwd", "passwd"),
        ("a/b/", "file"),
        ("Scho\u0308n.pdf", "Schön.pdf"),
        ("a\r\nSet-Cookie: x\0.pdf", "aSet-Cookie_ x.pdf"),
        ("gef\u202efdp.exe", "geffdp.exe"),
        ("  .. ", "file"),
        (".htaccess", "htaccess"),
        ("CON.txt", "_CON.txt"),
        ('a"b<c>.txt', "a_b_c_.txt"),
        ("", "file"),
        ("x" * 300 + ".pdf", "x" * 146 + ".pdf"),
    ],
)
def test_a_name_is_stripped_to_what_every_system_can_store(sent: str, kept: str) -> None:
    assert clean_filename(sent) == kept


@given(st.text(max_size=400))
def test_every_name_becomes_a_safe_name_once_and_for_all(name: str) -> None:
    kept = clean_filename(name)
    assert 0 < len(kept) <= 150
    assert len(kept.encode()) <= 255
    assert not set(kept) & set('/\\\0\n\r"<>|?*:')
    assert clean_filename(kept) == kept
