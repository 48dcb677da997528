"""The process that checks signatures: one request on standard input, one line of JSON as the answer.

It knows neither Django nor the database, and the operating system limits its memory and its processor time.
"""

import io
import json
import resource
import sys
from datetime import datetime
from typing import Any, Final

MEMORY: Final = 1024 * 1024 * 1024  # bytes of address space
PROCESSOR: Final = 25  # seconds


def check(content: bytes, anchors: list[str], at: datetime) -> list[dict[str, Any]]:
    """What `gateways.pades.SignatureFinding` holds, for every signature, in the order of signing."""
    from pyhanko.keys import load_certs_from_pemder_data
    from pyhanko.pdf_utils.reader import PdfFileReader

    roots = [cert for pem in anchors for cert in load_certs_from_pemder_data(pem.encode())]
    reader = PdfFileReader(io.BytesIO(content), strict=False)
    return [_finding(embedded, roots, at) for embedded in reader.embedded_regular_signatures]


def _finding(embedded: Any, roots: list[Any], at: datetime) -> dict[str, Any]:
    from pyhanko.sign.diff_analysis import ModificationLevel
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.status import SignatureCoverageLevel

    status = validate_pdf_signature(embedded, _context(roots, at), _context(roots, at))
    stamp = status.timestamp_validity
    stamp_trusted = stamp is not None and stamp.intact and stamp.valid and stamp.trusted
    if stamp is not None and stamp_trusted and stamp.timestamp < at:
        # The certificate may have ended since; what counts is that it was valid when the stamp was set.
        status = validate_pdf_signature(embedded, _context(roots, stamp.timestamp), _context(roots, at))
    later = status.modification_level
    whole = status.coverage == SignatureCoverageLevel.ENTIRE_FILE or (
        status.coverage == SignatureCoverageLevel.ENTIRE_REVISION
        and later in (ModificationLevel.NONE, ModificationLevel.LTA_UPDATES, ModificationLevel.FORM_FILLING)
        and bool(status.docmdp_ok)
    )
    certificate = status.signing_cert
    return {
        "field": embedded.field_name,
        "signer": certificate.subject.human_friendly,
        "issuer": certificate.issuer.human_friendly,
        "intact": bool(status.intact and status.valid),
        "whole": bool(whole),
        "trusted": bool(status.trusted),
        "claimed_at": _text(status.signer_reported_dt),
        "stamped_at": _text(stamp.timestamp) if stamp is not None and stamp.intact and stamp.valid else None,
        "stamp_trusted": bool(stamp_trusted),
        "note": _problem(status),
    }


def _context(roots: list[Any], at: datetime) -> Any:
    from pyhanko_certvalidator import ValidationContext

    return ValidationContext(trust_roots=roots, moment=at, allow_fetching=False, revocation_mode="soft-fail")


def _problem(status: Any) -> str:
    problem = getattr(status, "trust_problem_indic", None)
    return str(problem.name).lower() if problem is not None else ""


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant is not None else None


def _main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR, PROCESSOR))
    request = json.loads(sys.stdin.buffer.readline())
    content = sys.stdin.buffer.read(request["size"])
    try:
        found: dict[str, Any] = {
            "signatures": check(content, request["anchors"], datetime.fromisoformat(request["at"]))
        }
    except Exception as error:  # noqa: BLE001 - whatever a hostile file raises, the answer is that it cannot be read
        found = {"error": type(error).__name__}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    _main()
