"""Time-based one-time passwords after RFC 6238 (SHA-1, 30 seconds, six digits,
as every authenticator app speaks it).
"""

import base64
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode

import segno

STEP_SECONDS = 30
DIGITS = 6


def new_key() -> bytes:
    """A fresh key of 160 bits (RFC 4226, section 4, R6)."""
    return secrets.token_bytes(20)


def code_at(key: bytes, step: int) -> str:
    """The code of a time step (RFC 4226, section 5.3)."""
    mac = hmac.digest(key, step.to_bytes(8, "big"), "sha1")
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def step_of(moment: datetime) -> int:
    """The time step of an aware instant."""
    return int(moment.timestamp()) // STEP_SECONDS


def matching_step(key: bytes, code: str, *, now: datetime, after: int) -> int | None:
    """The step whose code was entered: now, one before or one after, and newer than `after` (no replay).

    None if there is none.
    """
    entered = "".join(code.split())
    if len(entered) != DIGITS or not (entered.isascii() and entered.isdigit()):
        return None
    found = None
    current = step_of(now)
    for step in (current - 1, current, current + 1):
        if hmac.compare_digest(code_at(key, step), entered) and step > after:
            found = step
    return found


def readable(key: bytes) -> str:
    """The key as people type it: base32 in groups of four."""
    text = base64.b32encode(key).decode().rstrip("=")
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4))


def provisioning_uri(key: bytes, *, account: str, issuer: str) -> str:
    """The otpauth URI that authenticator apps read."""
    label = quote(f"{issuer}:{account}", safe="")
    values = {
        "secret": base64.b32encode(key).decode().rstrip("="),
        "issuer": issuer,
        "digits": str(DIGITS),
        "period": str(STEP_SECONDS),
    }
    return f"otpauth://totp/{label}?{urlencode(values, quote_via=quote)}"


def qr_path(text: str) -> tuple[int, str]:
    """A QR code as the side length in modules and the `d` of one SVG path, so that no inline style is needed."""
    rows = list(segno.make_qr(text, error="m").matrix_iter(border=4))
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    return len(rows), path
