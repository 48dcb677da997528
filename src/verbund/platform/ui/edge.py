"""The edge: what no page here can mean is refused before anything reads it."""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

_NUL: Final = ("\x00", "%00")


class EdgeMiddleware:
    """Refuses requests larger than any form of the house (413, unread) and the sign NUL in an address (400).

    Without the first, a multipart request of any size is spooled to disk before a view is asked; the second no text of
    PostgreSQL can hold.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if _length(request) > settings.VERBUND_REQUEST_LIMIT:
            limit = settings.VERBUND_REQUEST_LIMIT // (1024 * 1024)
            return render(request, "413.html", {"limit": limit}, status=413)
        asked = request.META.get("QUERY_STRING", "")
        if "\x00" in request.path_info or any(nul in asked for nul in _NUL):
            return render(request, "400.html", status=400)
        response = self.get_response(request)
        if response.status_code == 405 and not getattr(response, "content", b"x"):
            page = render(request, "405.html", status=405)  # Django's own is blank
            page["Allow"] = response["Allow"]
            return page
        return response


def _length(request: HttpRequest) -> int:
    """The announced length; a body without one is not read at all (WSGI)."""
    given = str(request.META.get("CONTENT_LENGTH") or "0")
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 20 else 0
