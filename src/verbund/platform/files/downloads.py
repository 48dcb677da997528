"""Downloads (Herunterladen): content leaves only with headers under which nothing in it can run."""

from typing import Final

from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from .models import StoredFile
from .names import clean_filename
from .recognition import JPEG, PDF, PNG, UNKNOWN
from .services import FileNotFound
from .services import open as open_content

SHOWN: Final = frozenset({PDF, PNG, JPEG})
_LOCKED: Final = "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
# Browsers do not start their PDF viewer in a sandboxed document; the viewer is a sandbox of its own, and nothing else
# may load.
_PDF: Final = (
    "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


def download(sha256: str, filename: str, media_type: str = "", inline: bool = False) -> FileResponse:
    """A streamed answer with the content.

    `media_type` is what the room has recorded; what counts is what the store recognised, and where the two differ the
    content goes out as octet stream. `inline` shows PDF, PNG and JPEG in the browser; all else is a download.

    Raises:
        FileNotFound, ContentMissing: as `services.open`.
    """
    stored = StoredFile.objects.filter(sha256=sha256).first()
    if stored is None:
        raise FileNotFound
    kind = stored.media_type if media_type in ("", stored.media_type) else UNKNOWN
    shown = inline and kind in SHOWN
    response = FileResponse(open_content(sha256), content_type=kind)
    response["Content-Length"] = str(stored.size)
    response["Content-Disposition"] = content_disposition_header(not shown, clean_filename(filename)) or "attachment"
    response["Content-Security-Policy"] = _PDF if shown and kind == PDF else _LOCKED
    response["X-Frame-Options"] = "SAMEORIGIN" if shown else "DENY"
    _close(response)
    return response


def attachment(content: bytes, filename: str, media_type: str) -> HttpResponse:
    """An answer with content that was made for it and is kept nowhere, such as the PDF of a draft: a download."""
    response = HttpResponse(content, content_type=media_type)
    response["Content-Disposition"] = content_disposition_header(True, clean_filename(filename)) or "attachment"
    response["Content-Security-Policy"] = _LOCKED
    response["X-Frame-Options"] = "DENY"
    _close(response)
    return response


def _close(response: HttpResponseBase) -> None:
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "private, no-store"
