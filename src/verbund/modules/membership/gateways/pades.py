"""Signatures in PDFs (PAdES), checked in a process of its own: the file comes from outside, the library is large."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

SECONDS: Final = 40.0  # for one file; the process' own limit of processor time is lower


class SignaturesUnreadable(Exception):  # noqa: N818 - reads as the answer
    """The file cannot be read as a PDF with signatures, or not in the time and memory there is."""


@dataclass(frozen=True, slots=True)
class SignatureFinding:
    """SignatureFinding (Prüfergebnis): one signature in a PDF.

    `intact`: the signed bytes are as they were signed, and the signature is its key's. `whole`: nothing was added
    afterwards but further signatures and what proves them. `trusted`: the certificate leads to the trust list and was
    valid. `stamped_at` is a time stamp's time, and `stamp_trusted` whether its issuer is on the list; `claimed_at` is
    only what the signer's machine said.
    """

    field: str
    signer: str
    issuer: str
    intact: bool
    whole: bool
    trusted: bool
    claimed_at: datetime | None
    stamped_at: datetime | None
    stamp_trusted: bool
    note: str


def check_signatures(content: bytes, *, anchors: Sequence[str], at: datetime) -> list[SignatureFinding]:
    """The signatures in a PDF, in the order in which they were made; none for a PDF without.

    Args:
        content: the PDF.
        anchors: certificates (PEM) that are trusted.
        at: the instant for which certificates must be valid if no trusted time stamp says another.

    Raises:
        SignaturesUnreadable
    """
    request = json.dumps({"anchors": list(anchors), "at": at.isoformat(), "size": len(content)}).encode() + b"\n"
    try:
        done = subprocess.run(
            [sys.executable, "-m", "verbund.modules.membership.gateways.pades_process"],
            input=request + content,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            env={"PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "PATH": os.environ.get("PATH", "")},
        )
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (OSError, subprocess.TimeoutExpired, ValueError, IndexError) as error:
        raise SignaturesUnreadable("no answer") from error
    if "error" in answer:
        raise SignaturesUnreadable(answer["error"])
    return [
        SignatureFinding(
            field=f["field"],
            signer=f["signer"],
            issuer=f["issuer"],
            intact=f["intact"],
            whole=f["whole"],
            trusted=f["trusted"],
            claimed_at=_instant(f["claimed_at"]),
            stamped_at=_instant(f["stamped_at"]),
            stamp_trusted=f["stamp_trusted"],
            note=f["note"],
        )
        for f in answer["signatures"]
    ]


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
