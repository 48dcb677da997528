"""Error pages of both faces. They need no database: a page that explains a failure must not depend on what failed."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def conflict(request: HttpRequest, message: str, changes: Iterable[str] = (), url: str = "") -> HttpResponse:
    """The page for a `tenancy.Conflict`: what happened, line by line what is now, and the way on.

    `url` shows the present state; without it the way leads back to where the request came from.
    """
    context = {"message": message, "changes": list(changes), "state_url": url}
    return render(request, "409.html", context, status=HTTPStatus.CONFLICT)


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500, in the face the address belongs to."""
    return render(request, "500.html", status=HTTPStatus.INTERNAL_SERVER_ERROR)


def maintenance(request: HttpRequest) -> HttpResponse:
    """The page while the house is closed; asks the client to come back."""
    response = render(request, "503.html", status=HTTPStatus.SERVICE_UNAVAILABLE)
    response.headers["Retry-After"] = "300"
    return response
