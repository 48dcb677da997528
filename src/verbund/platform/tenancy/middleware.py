"""The first question of every request: whose host is this?"""

import time
from collections.abc import Callable
from typing import Final

import structlog
from django.core.exceptions import DisallowedHost
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect

from .context import BodyFacts, connection
from .models import Host

_KEEP_SECONDS: Final = 15.0
_known: dict[str, tuple[float, BodyFacts]] = {}

INSTALLATION_PATHS: Final = frozenset({"/healthz", "/readyz"})
FRONT_PATHS: Final = frozenset({"/", "/arbeit/"})


def body_of_host(host: str) -> BodyFacts | None:
    """The body reached under `host`; kept for some seconds in the process, so that a page costs no query for it."""
    kept = _known.get(host)
    if kept and kept[0] > time.monotonic():
        return kept[1]
    row = Host.objects.select_related("tenant").filter(domain=host).first()
    if row is None:
        _known.pop(host, None)
        return None
    facts: BodyFacts = row.tenant.facts()
    _known[host] = (time.monotonic() + _KEEP_SECONDS, facts)
    return facts


def forget_hosts() -> None:
    """Forget what was kept, after a change of bodies or hosts in this process."""
    _known.clear()


class BodyMiddleware:
    """Enter the body of the host for the length of the request; a host that is nobody's gets 404 and touches no
    body's data."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], args: object, kwargs: object
    ) -> HttpResponseBase | None:
        """A room that is not switched on for the body does not exist there; its front page leads on to what does."""
        parts = getattr(view, "__module__", "").split(".")
        tenant: BodyFacts | None = getattr(request, "tenant", None)
        if tenant is None or parts[:2] != ["verbund", "modules"] or parts[2] in tenant.rooms:
            return None
        if request.path in FRONT_PATHS:
            return redirect("ui:landing")
        raise Http404

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path in INSTALLATION_PATHS:
            return self.get_response(request)
        connection.set_schema_to_public()
        try:
            host = request.get_host().rsplit(":", 1)[0].lower().rstrip(".")
        except DisallowedHost:
            return HttpResponse(status=400)
        facts = body_of_host(host)
        if facts is None:
            return HttpResponse("404", status=404, content_type="text/plain; charset=utf-8")
        request.tenant = facts  # type: ignore[attr-defined]
        connection.set_tenant(facts)
        structlog.contextvars.bind_contextvars(body=facts.schema_name)
        try:
            return self.get_response(request)
        finally:
            connection.set_schema_to_public()
