"""Refusals: what a door answers instead of a result, as a page."""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from verbund.platform.identity import policy
from verbund.platform.tenancy import Conflict, Invalid, NotFound


class RefusalMiddleware:
    """Translates the platform's refusals that a view let pass: Denied 403, NotFound 404, Conflict 409, Invalid 400."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, policy.Denied):
            return render(request, "403.html", {"message": exception.message}, status=403)
        if isinstance(exception, NotFound):
            raise Http404
        if isinstance(exception, Conflict):
            return render(request, "409.html", {"message": exception.message}, status=409)
        if isinstance(exception, Invalid):
            return render(request, "400.html", {"errors": exception.errors}, status=400)
        return None


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form came from elsewhere or is too old: say so, and how to go on."""
    return render(request, "403_csrf.html", status=403)
