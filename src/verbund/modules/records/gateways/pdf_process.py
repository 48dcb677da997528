"""The process that reads PDFs: started by `pdf.PdfProcess`, asked over its standard input, answers on its standard
output.

It imports nothing of Verbund. A file that crashes or stalls the PDF library costs this process and nothing else.
Address space and time are limited from outside and inside.

A request is a line of JSON {"op", "size", ...} and `size` bytes of content; an answer is a line of JSON and `size`
bytes.
"""

import json
import re
import resource
import struct
import sys
import time
import zlib
from typing import Any, BinaryIO, Final

import pypdfium2 as pdfium

MEMORY = 1_500_000_000  # bytes of address space
MAX_PIXELS = 4_000_000
# A colour space with a profile of its own. PDFium works the profile out anew for each document, which takes longer than
# all the rest of its text, and what is written in grey reads the same.
_PROFILED: Final = re.compile(rb"\[\s*/ICCBased\s+\d+\s+\d+\s+R\s*\]")


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    while line := asked.readline():
        request = json.loads(line)
        content = asked.read(request["size"])
        try:
            facts, body = (_text if request["op"] == "text" else _image)(content, request)
        except Exception as error:  # noqa: BLE001 - whatever a hostile file raises is an answer, too
            facts, body = {"error": type(error).__name__}, b""
        _answer(answers, facts, body)


def _answer(answers: BinaryIO, facts: dict[str, Any], body: bytes) -> None:
    answers.write(json.dumps({**facts, "size": len(body)}).encode() + b"\n" + body)
    answers.flush()


def _text(content: bytes, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    until = time.monotonic() + request["seconds"]
    # As long as before, so that every object stays where the document's table says.
    document = pdfium.PdfDocument(_PROFILED.sub(lambda found: b"/DeviceGray".ljust(len(found[0])), content))
    pages = len(document)
    found: list[str] = []
    length, note = 0, ""
    for index in range(pages):
        if index >= request["pages"]:
            note = "too_many_pages"
            break
        if time.monotonic() > until:
            note = "too_slow"
            break
        page = document[index]
        text = page.get_textpage().get_text_bounded()
        found.append(text)
        length += len(text)
        if length >= request["characters"]:
            note = "too_long"
            break
    whole = "\n".join(found)[: request["characters"]]
    return {"pages": pages, "note": note}, whole.encode("utf-8", "replace")


def _image(content: bytes, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    document = pdfium.PdfDocument(content)
    pages = len(document)
    if not 0 <= request["page"] < pages:
        return {"error": "NoSuchPage", "pages": pages}, b""
    page = document[request["page"]]
    width, height = page.get_size()
    scale = request["width"] / max(width, 1.0)
    scale = min(scale, (MAX_PIXELS / max(width * height, 1.0)) ** 0.5)
    # Forms are not initialised, so that scripts and actions of the document do not exist here.
    bitmap = page.render(scale=scale, may_draw_forms=False, rev_byteorder=True, draw_annots=True)
    return {"pages": pages}, _png(bitmap)


def _png(bitmap: Any) -> bytes:
    width, height, channels = bitmap.width, bitmap.height, bitmap.n_channels
    colour = {1: 0, 3: 2, 4: 6}[channels]
    raw = bytes(bitmap.buffer)
    rows = b"".join(b"\0" + raw[y * bitmap.stride : y * bitmap.stride + width * channels] for y in range(height))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 3)) + chunk(b"IEND", b"")


if __name__ == "__main__":
    main()
