"""Virus scanners (Virenprüfung): ClamAV's daemon, a fake for tests, and none; `scanner()` gives that of the settings.

Where a scanner is set it must answer: content that could not be scanned is not taken.
"""

import socket
import struct
from typing import BinaryIO, Final, Protocol

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from .refusals import Refused

PIECE: Final = 64 * 1024
# The harmless file every scanner reports (eicar.org), in two parts, so that no scanner reports this source.
EICAR: Final = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + rb"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class Infected(Refused):
    """The scanner found a virus; `signature` is its name for the log, not for the sender."""

    def __init__(self, signature: str) -> None:
        super().__init__(
            _(
                "The virus scanner found harmful content in the file. It was not taken. "
                "Please check your device and send a clean file."
            )
        )
        self.signature = signature


class ScannerUnreachable(Refused):
    """The scanner gave no usable answer; content is refused until it does."""

    def __init__(self, reason: str) -> None:
        super().__init__(_("Files cannot be checked for viruses at the moment. Please try again in a few minutes."))
        self.reason = reason


class Scanner(Protocol):
    """Something that looks for viruses."""

    def scan(self, content: BinaryIO) -> bool:
        """Look through the content from its present position. True: clean; False: not looked at.

        Raises:
            Infected, ScannerUnreachable.
        """


class NoScanner:
    """No scanner is set: nothing is looked at, and the row says so."""

    def scan(self, content: BinaryIO) -> bool:
        return False


class FakeScanner:
    """Knows one virus, EICAR. For tests."""

    def scan(self, content: BinaryIO) -> bool:
        if EICAR in content.read():
            raise Infected("Eicar-Test-Signature")
        return True


class ClamdScanner:
    """ClamAV's daemon over its INSTREAM command (clamd(8)): a socket's path or host:port."""

    def __init__(self, address: str, *, timeout: float = 30.0) -> None:
        self.address = address.removeprefix("unix:")
        self.timeout = timeout

    def scan(self, content: BinaryIO) -> bool:
        try:
            answer = self._ask(content)
        except (OSError, ValueError) as error:
            raise ScannerUnreachable(f"{self.address}: {error}") from error
        verdict = answer.removeprefix("stream: ")
        if verdict == "OK":
            return True
        if verdict.endswith(" FOUND"):
            raise Infected(verdict.removesuffix(" FOUND"))
        raise ScannerUnreachable(f"{self.address}: {answer!r}")

    def _ask(self, content: BinaryIO) -> str:
        with self._connect() as connection:
            try:
                connection.sendall(b"zINSTREAM\0")
                while piece := content.read(PIECE):
                    connection.sendall(struct.pack("!L", len(piece)) + piece)
                connection.sendall(struct.pack("!L", 0))
            except (BrokenPipeError, ConnectionResetError):
                pass  # clamd says why (stream too long) and hangs up; its answer may still be read
            answer = bytearray()
            while len(answer) < 4096 and (piece := connection.recv(4096)):
                answer += piece
                if piece.endswith(b"\0"):
                    break
        return answer.rstrip(b"\0\n").decode(errors="replace")

    def _connect(self) -> socket.socket:
        if self.address.startswith("/"):
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.settimeout(self.timeout)
            try:
                connection.connect(self.address)
            except OSError:
                connection.close()
                raise
            return connection
        host, _colon, port = self.address.rpartition(":")
        return socket.create_connection((host.strip("[]"), int(port)), timeout=self.timeout)


def scanner() -> Scanner:
    """The scanner of VERBUND_CLAMD: "" none, "fake" for tests, else a socket's path or host:port."""
    address = getattr(settings, "VERBUND_CLAMD", "")
    if not address:
        return NoScanner()
    return FakeScanner() if address == "fake" else ClamdScanner(address)
