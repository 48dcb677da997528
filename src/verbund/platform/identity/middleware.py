"""The second question of every request: who is it?"""

from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import SimpleLazyObject

from .actor import Actor


class ActorMiddleware:
    """Sets `request.actor` (looked up when first asked for, so that a public page costs no query)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if hasattr(request, "tenant"):
            request.actor = SimpleLazyObject(lambda: _actor(request))  # type: ignore[attr-defined]
        return self.get_response(request)


def _actor(request: HttpRequest) -> Actor:
    from .queries import actor_for

    actor = actor_for(request)
    structlog.contextvars.bind_contextvars(actor=str(actor.id or actor.kind))
    return actor
