"""Routes (Zugänge): every view says who may come in; the architecture tests refuse one that does not.

The decorators are the first of two questions: the service behind the view asks again.
"""

from collections.abc import Callable
from enum import StrEnum
from functools import cache, wraps
from typing import Any, Concatenate, ParamSpec, Protocol, cast
from urllib.parse import urlsplit

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import resolve, reverse
from django.utils.cache import patch_cache_control
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from verbund.platform.tenancy import BodyFacts

from . import policy
from .actor import Actor, ActorKind
from .roles import Role

P = ParamSpec("P")


class BodyRequest(HttpRequest):
    """A request as the views get it: the middlewares have set the body and the actor."""

    actor: Actor
    tenant: BodyFacts
    request_id: str


View = Callable[Concatenate[Any, P], HttpResponseBase]


class HasPolicy(Protocol):
    policy: str
    permissions: tuple[StrEnum, ...]


def _mark(view: Callable[..., HttpResponseBase], name: str, permissions: tuple[StrEnum, ...] = ()) -> Any:
    marked = cast(HasPolicy, view)
    marked.policy, marked.permissions = name, permissions
    return view


def may_open(actor: Actor, view: Callable[..., HttpResponseBase]) -> bool:
    """Whether a page would let the actor in as far as its permissions go; what it shows is another question."""
    permissions = getattr(view, "permissions", ())
    return not permissions or any(policy.allows(actor, permission) for permission in permissions)


@cache
def view_named(url_name: str) -> Callable[..., HttpResponseBase]:
    """The view behind the name of an address that needs no arguments; looked up once, for that takes 0.1 ms.

    Raises:
        django.urls.NoReverseMatch
    """
    return resolve(reverse(url_name)).func


def public_page(reason: str) -> Callable[[View[P]], View[P]]:
    """Anybody may come in; `reason` says why that is right."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: Any, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            return view(request, *args, **kwargs)

        marked: View[P] = _mark(guarded, f"public: {reason}")
        return marked

    return decorate


def citizen_page(view: View[P]) -> View[P]:
    """Only a signed-in citizen of this body; others are led to the sign-in."""

    @wraps(view)
    def guarded(request: Any, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.actor.kind is not ActorKind.CITIZEN:
            return _to_sign_in(request, "citizen_sign_in")
        return _private(view(request, *args, **kwargs))

    marked: View[P] = _mark(guarded, "citizen")
    return marked


def staff_page(*permissions: StrEnum) -> Callable[[View[P]], View[P]]:
    """Only staff of this body holding one of `permissions` (none named: any staff)."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: Any, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if request.actor.kind is not ActorKind.STAFF:
                return _to_sign_in(request, "staff_sign_in")
            if not may_open(request.actor, guarded):
                raise policy.Denied(str(permissions[0]))
            return _private(view(request, *args, **kwargs))

        marked: View[P] = _mark(guarded, "staff: " + (" | ".join(str(p) for p in permissions) or "any"), permissions)
        return marked

    return decorate


def operator_page(view: View[P]) -> View[P]:
    """Only the operators of the installation, and only on the alliance's own host; elsewhere the page does not
    exist."""

    @wraps(view)
    def guarded(request: Any, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.tenant.is_alliance:
            raise Http404
        if request.actor.kind is not ActorKind.STAFF:
            return _to_sign_in(request, "staff_sign_in")
        if not request.actor.holds(Role.OPERATOR):
            raise policy.Denied("operator")
        return _private(view(request, *args, **kwargs))

    marked: View[P] = _mark(guarded, "operator")
    return marked


def _to_sign_in(request: HttpRequest, url_name: str) -> HttpResponseBase:
    back = _way_back(request)
    return redirect(f"{reverse(url_name)}?{urlencode({'next': back})}" if back else reverse(url_name))


def _way_back(request: HttpRequest) -> str:
    """The page to come back to; for something that was being sent it is the page with the form, if that is known."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    came_from = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure()):
        return ""
    parts = urlsplit(came_from)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _private(response: HttpResponseBase) -> HttpResponseBase:
    patch_cache_control(response, private=True, no_store=True)
    return response
