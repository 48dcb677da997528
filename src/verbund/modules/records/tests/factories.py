"""Things to test with, made through the room's own doors."""

from datetime import UTC, datetime
from typing import Any

from verbund.modules.records import services
from verbund.platform.identity.actor import Actor

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
PLAN = """code;title;retention_years;disposal;metadata_fields
32;Sicherheit und Ordnung;;;
32.10;Verkehr;5;V;
32.20;Gewerbe;10;B;beginn:Beginn:date!
"""


def file_plan(actor: Actor) -> None:
    """The small plan of the tests."""
    services.import_file_plan(actor, csv_text=PLAN, now=NOW)


def open_case(actor: Actor, **changes: Any) -> services.CaseRef:
    """A case at 32.10 in unit 32."""
    values: dict[str, Any] = {
        "title": "Bewohnerparkausweis",
        "position": "32.10",
        "unit": "32",
        "origin": "",
        "party": "Erika Beispiel",
        "now": NOW,
    }
    return services.open_case(actor, **{**values, **changes})


def file_text(actor: Actor, case: services.CaseRef, text: str, **changes: Any) -> services.DocumentRef:
    """A text document in `case`."""
    values: dict[str, Any] = {
        "title": "Notiz",
        "kind": "memo",
        "content": text.encode(),
        "filename": "notiz.txt",
        "now": NOW,
    }
    return services.file_document(actor, case_id=case.id, **{**values, **changes})


def pdf(*lines: str, pages: int = 1) -> bytes:
    """A small PDF of our own making, with `lines` on every page (Helvetica, WinAnsi)."""
    shown = "BT /F1 12 Tf 72 760 Td 16 TL " + " ".join(f"({_escaped(line)}) Tj T*" for line in lines) + " ET"
    stream = shown.encode("cp1252")
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(pages))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for n in range(pages):
        page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents"
        objects.append(f"{page} {5 + 2 * n} 0 R /Resources << /Font << /F1 3 0 R >> >> >>".encode())
        objects.append(b"<< /Length %d >>\nstream\n" % len(stream) + stream + b"\nendstream")
    out, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return out + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)


def _escaped(line: str) -> str:
    return line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
