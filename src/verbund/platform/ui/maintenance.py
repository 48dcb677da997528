"""Maintenance (Wartung): while the house is closed every page says so, and the health checks go on answering."""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from . import errors

OPEN_ANYWAY: Final = ("/healthz", "/readyz", "/static/")


class MaintenanceMiddleware:
    """Answers 503 while the file `VERBUND_MAINTENANCE_FILE` exists; `verbund maintenance on` writes it, `off`
    removes it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if settings.VERBUND_MAINTENANCE_FILE.exists() and not request.path.startswith(OPEN_ANYWAY):
            return errors.maintenance(request)
        return self.get_response(request)
