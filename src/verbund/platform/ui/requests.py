"""Every request has an id, a log line and a measured time."""

import re
import time
from collections.abc import Callable
from typing import Final
from uuid import uuid4

import structlog
from django.http import HttpRequest, HttpResponseBase
from prometheus_client import Counter, Histogram

log = structlog.get_logger("verbund.request")

SECONDS: Final = Histogram("verbund_request_seconds", "Time of a request", ["route", "method"])
ANSWERS: Final = Counter("verbund_answers_total", "Answers by status", ["status"])
_GIVEN_ID: Final = re.compile(r"[A-Za-z0-9-]{8,64}\Z")


class RequestMiddleware:
    """The outermost middleware: request id (taken over from a proxy if it is harmless), context of the log, metrics."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _GIVEN_ID.match(given) else uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        began = time.perf_counter()
        response = self.get_response(request)
        seconds = time.perf_counter() - began
        route = request.resolver_match.route if request.resolver_match else ""
        SECONDS.labels(route, request.method or "").observe(seconds)
        ANSWERS.labels(response.status_code).inc()
        response.headers["X-Request-ID"] = request_id
        log.info(
            "request",
            method=request.method,
            route=route,
            status=response.status_code,
            milliseconds=round(seconds * 1000, 1),
        )
        return response
