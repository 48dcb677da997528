"""Refusals: what a door answers instead of a result, as a page."""

from collections.abc import Callable
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from verbund.platform.identity import policy
from verbund.platform.tenancy import BodyFacts, Conflict, Invalid, NotFound
from verbund.platform.tenancy.closing import ClosedRoom, closed_now, room_of, room_refused

from .context import room_name

READING: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class RefusalMiddleware:
    """Translates the platform's refusals that a view let pass: Denied 403, NotFound 404, Conflict 409, Invalid 400."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], args: object, kwargs: object
    ) -> HttpResponse | None:
        """Refuse to write in a room that the body may only read, before anything is asked of it."""
        tenant: BodyFacts | None = getattr(request, "tenant", None)
        room = room_of(getattr(view, "__module__", ""))
        if tenant is None or request.method in READING or room not in tenant.closed:
            return None
        if getattr(view, "only_reads", False):
            return None
        return read_only(request, room, tenant.closed[room])

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, policy.Denied):
            return render(request, "403.html", {"message": exception.message}, status=403)
        if isinstance(exception, NotFound):
            raise Http404
        if isinstance(exception, Conflict):
            return render(request, "409.html", {"message": exception.message}, status=409)
        if isinstance(exception, Invalid):
            return render(request, "400.html", {"errors": exception.errors}, status=400)
        tenant: Any = getattr(request, "tenant", None)
        if tenant is not None and (room := room_refused(exception, tenant.schema_name)):
            return read_only(request, room, closed_now(tenant.schema_name)[room])
        return None


def read_only(request: HttpRequest, room: str, closed: ClosedRoom) -> HttpResponse:
    """The page for a write in a room that the body may only read: since when, why, and what still works."""
    return render(request, "read_only.html", {"room": room_name(room), "closed": closed}, status=403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form came from elsewhere or is too old: say so, and how to go on."""
    return render(request, "403_csrf.html", status=403)
