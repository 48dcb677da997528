"""Reading PDFs: their text for the search, their pages as pictures for the preview."""

import json
import os
import select
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import IO, Any, Final, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

SECONDS: Final = 5.0  # for one document, until its reading is cut off
PAGES: Final = 500
CHARACTERS: Final = 400_000
_RECYCLE: Final = 500  # documents, after which the process is replaced


@dataclass(frozen=True, slots=True)
class PdfText:
    """PdfText (Textinhalt): the text of a PDF as far as it could be read; `note` says why it is not whole ("" if it
    is).
    """

    text: str
    pages: int | None
    note: str


class PdfUnreadable(Exception):  # noqa: N818 - reads as the answer
    """The PDF, or this page of it, cannot be shown as a picture."""


class PdfReader(Protocol):
    """What records wants to know of a PDF."""

    def text(self, content: bytes) -> PdfText:
        """The text; never raises for a broken file."""
        ...

    def page_image(self, content: bytes, page: int, width: int) -> bytes:
        """Page `page` (from 0) as PNG of about `width` pixels.

        Raises:
            PdfUnreadable: for a broken file or a missing page.
        """
        ...


class PdfProcess:
    """Reads in a process of its own (`pdf_process`), kept for the next document and replaced when it dies or stalls."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._served = 0

    def text(self, content: bytes) -> PdfText:
        answer = self._ask(
            {"op": "text", "pages": PAGES, "characters": CHARACTERS, "seconds": self._seconds * 0.8}, content
        )
        if answer is None:
            return PdfText("", None, "unreadable")
        facts, body = answer
        if "error" in facts:
            return PdfText("", None, "unreadable")
        return PdfText(body.decode("utf-8", "replace"), facts["pages"], facts["note"])

    def page_image(self, content: bytes, page: int, width: int) -> bytes:
        answer = self._ask({"op": "image", "page": page, "width": width}, content)
        if answer is None or "error" in answer[0]:
            raise PdfUnreadable
        return answer[1]

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._end()

    def _ask(self, request: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes] | None:
        with self._lock:
            process = self._running()
            until = time.monotonic() + self._seconds
            try:
                head = json.dumps({**request, "size": len(content)}).encode() + b"\n"
                _send(process, head + content, until)
                line, rest = _receive_line(process, until)
                facts: dict[str, Any] = json.loads(line)
                body = _receive(process, rest, facts["size"], until)
            except (OSError, TimeoutError, ValueError):
                self._end()
                return None
            self._served += 1
            return facts, body

    def _running(self) -> subprocess.Popen[bytes]:
        process = self._process
        if process is not None and self._owner == os.getpid() and process.poll() is None and self._served < _RECYCLE:
            return process
        if self._owner == os.getpid():
            self._end()
        process = subprocess.Popen(
            [sys.executable, "-m", "verbund.modules.records.gateways.pdf_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={"PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "PATH": os.environ.get("PATH", "")},
        )
        for pipe in (process.stdin, process.stdout):
            os.set_blocking(_pipe(pipe).fileno(), False)
        self._process, self._owner, self._served = process, os.getpid(), 0
        return process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise OSError("no pipe")
    return pipe


def _wait(descriptor: int, event: int, until: float) -> None:
    watch = select.poll()
    watch.register(descriptor, event)
    left = until - time.monotonic()
    if left <= 0 or not watch.poll(left * 1000):
        raise TimeoutError


def _send(process: subprocess.Popen[bytes], data: bytes, until: float) -> None:
    descriptor = _pipe(process.stdin).fileno()
    view = memoryview(data)
    while view:
        _wait(descriptor, select.POLLOUT, until)
        view = view[os.write(descriptor, view[:65_536]) :]


def _receive_some(process: subprocess.Popen[bytes], until: float) -> bytes:
    descriptor = _pipe(process.stdout).fileno()
    _wait(descriptor, select.POLLIN, until)
    piece = os.read(descriptor, 1_048_576)
    if not piece:
        raise OSError("the process has ended")
    return piece


def _receive_line(process: subprocess.Popen[bytes], until: float) -> tuple[bytes, bytes]:
    data = b""
    while b"\n" not in data:
        data += _receive_some(process, until)
    line, _, rest = data.partition(b"\n")
    return line, rest


def _receive(process: subprocess.Popen[bytes], rest: bytes, size: int, until: float) -> bytes:
    pieces, length = [rest], len(rest)
    while length < size:
        piece = _receive_some(process, until)
        pieces.append(piece)
        length += len(piece)
    return b"".join(pieces)


class FakePdfReader:
    """For tests: the text of a PDF is what stands in it after the header line; its pictures are the head of a PNG."""

    def text(self, content: bytes) -> PdfText:
        return PdfText(content.partition(b"\n")[2].decode("utf-8", "replace"), 1, "")

    def page_image(self, content: bytes, page: int, width: int) -> bytes:
        if page:
            raise PdfUnreadable
        return b"\x89PNG\r\n\x1a\n"


_READERS: dict[str, PdfReader] = {}


def reader() -> PdfReader:
    """The reader named by the setting VERBUND_PDF_READER (default: `PdfProcess`), one for this process."""
    name = getattr(settings, "VERBUND_PDF_READER", "verbund.modules.records.gateways.pdf.PdfProcess")
    if name not in _READERS:
        _READERS[name] = import_string(name)()
    return _READERS[name]
