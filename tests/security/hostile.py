"""What the other side sends: texts, files and forms that nobody means well with."""

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import Any, Final

from lxml import html

LONG: Final = "a" * 10_000

TEXTS: Final = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "\r\nSet-Cookie: verbund=evil\r\n\r\n",
    "\x1b]0;title\x07\x7f\x01",
    "' OR '1'='1' --",
    "'; DROP TABLE alpha.records_case; --",
    "1); SELECT pg_sleep(10); --",
    "\\",
    "%",
    "%s%n%(x)s{0}{request.user}",
    "{{ settings.SECRET_KEY }}{% debug %}{% include '/etc/passwd' %}",
    "${7*7}#{7*7}<%= 7*7 %>",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "//evil.example.org/",
    "https://evil.example.org\\@alpha.localhost/",
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "/dev/null",
    '=HYPERLINK("http://evil.example.org")',
    '#set page(fill: red) #read("/etc/passwd")',
    "u\u0308ber Scha\u0308den",
    "\u202egnp.exe",
    "\ufeff\u200b\u2028\u2029",
    "\ud7ff\uffff",
    "😀👩‍👩‍👧‍👦",
    "漢字かな한글",
    "١٢٣",
    "²³¹",
    "NaN",
    "Infinity",
    "-1",
    "0",
    "1e400",
    "9" * 40,
    "9223372036854775808",
    "0000-00-00",
    "9999-12-31",
    "0001-01-01",
    "31.12.99999",
    "00000000-0000-0000-0000-000000000000",
    "not-a-uuid",
    "add:" + LONG,
    "remove:../..",
    "true",
    "null",
    "[]",
    '{"a": [1e999]}',
    "[" * 20_000,
    LONG,
    "Ä" * 5_000,
)

# In a path: already percent-encoded where the client must not touch them.
IN_PATH: Final = {
    "str": (
        "%00",
        "a%00b",
        "..%2f..%2fetc",
        "%ff%fe",
        "%ed%a0%80",
        "%F0%9F%98%80",
        "a" * 3000,
        "'--",
        "%0d%0aX:y",
        "%25s",
    ),
    "slug": ("%00", "a" * 3000, "DROP-TABLE", "-", "__class__"),
    "path": ("%00", "a/b/../../c", "..", "%ff", "a" * 3000, "%0d%0a", "a//b"),
    "int": ("0", "2147483648", "9223372036854775808", "9" * 30, "9" * 4500, "00000000000000001"),
    "uuid": ("00000000-0000-0000-0000-000000000000", "not-a-uuid%00"),
}


def docx_bomb(unpacked: int = 60_000_000) -> bytes:
    """A Word file of some kilobytes that would become `unpacked` bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", b" " * unpacked)
    return out.getvalue()


def laughs() -> bytes:
    """An XML document that would grow to gigabytes (billion laughs)."""
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    return f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{entities}]><x>&l11;</x>'.encode()


def external(target: str = "file:///etc/passwd") -> bytes:
    """An XML document that asks for a file or an address of somebody else (XXE)."""
    return f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "{target}">]><x>&e;</x>'.encode()


def png_bomb() -> bytes:
    """A picture of some bytes that claims to be 60,000 × 60,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


FILES: Final = {
    "leer.pdf": b"",
    "kaputt.pdf": b"%PDF-1.7\n1 0 obj << /Type /Catalog /Pages 2 0 R",
    "schleife.pdf": b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 1 0 R/Kids[1 0 R]/Count 1>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF",
    "bombe.docx": docx_bomb(),
    "seite.html": b"<html><script>alert(1)</script></html>",
    "bild.svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "bild.png": b"<script>alert(1)</script>",
    "riesig.png": png_bomb(),
    "programm.exe": b"MZ" + b"\0" * 200,
    "lachen.xml": laughs(),
    "datei.xml": external(),
    "netz.xml": external("http://127.0.0.1:9/x"),
    "tief.xml": b"<a>" * 50_000,
    "tief.json": b"[" * 100_000,
    "zahl.json": b"1" * 100_000,
    "text.txt": "Grüße".encode(),
    "utf16.csv": "a;b".encode("utf-16"),
    "nul.csv": b"code;title\n\x00;\x00\n",
    "../../etc/cron.d/x.txt": b"x",
    "a\r\nX-Evil: 1.txt": b"x",
    ("n" * 400) + ".txt": b"x",
    "\u202etxt.exe": b"MZ",
}


def named(name: str) -> io.BytesIO:
    """One of the files, as a field of a form."""
    file = io.BytesIO(FILES[name])
    file.name = name
    return file


@dataclass(frozen=True)
class Form:
    """A form as it stands on a page: where it goes, and its fields with the values they have."""

    page: str
    action: str
    values: dict[str, list[str]] = field(hash=False)
    files: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        return sorted({*self.values, *self.files})

    def __str__(self) -> str:
        return f"{self.page} -> {self.action}"


def forms(page: str, content: bytes, method: str = "post") -> list[Form]:
    """The forms of a page, as a browser without script sees them."""
    if not content.strip():
        return []
    tree: Any = html.fromstring(content)
    found = []
    for form in tree.iter("form"):
        if (form.get("method") or "get").lower() != method:
            continue
        values: dict[str, list[str]] = {}
        files = []
        outside = [] if not form.get("id") else tree.xpath("//*[@form=$id]", id=form.get("id"))
        for element in [*form.iter("input", "select", "textarea", "button"), *outside]:
            name = element.get("name")
            if not name or name == "csrfmiddlewaretoken":
                continue
            if element.tag == "input" and element.get("type") == "file":
                files.append(name)
            elif element.tag == "select":
                options = [o.get("value", o.text or "") for o in element.iter("option")]
                values.setdefault(name, []).extend(options[:3])
            elif element.tag == "textarea":
                values.setdefault(name, []).append(element.text or "")
            else:
                values.setdefault(name, []).append(element.get("value") or "")
        found.append(Form(page, form.get("action") or page.partition("?")[0], values, tuple(sorted(set(files)))))
    return found
