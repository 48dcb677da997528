"""Problem Details (RFC 9457): every refusal of the interface, in the caller's language."""

import json
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from ninja import Schema
from pydantic import Field

MEDIA_TYPE: Final = "application/problem+json"
PREFIX: Final = "/api/"


class FieldProblem(Schema):
    """What is wrong with one value of the request."""

    field: str = Field(description="Name of the value, parts separated by dots; empty for the request as a whole")
    message: str


class Problem(Schema):
    """Why a request was refused, and what to do (RFC 9457)."""

    type: str = Field(description="Always `about:blank`: `code` says more")
    title: str
    status: int
    code: str = Field(description="The kind of refusal, for programs")
    detail: str = Field(description="In the language asked for with Accept-Language (de, en)")
    request_id: str = Field(description="Stands in the log of the installation")
    errors: list[FieldProblem] = Field(default_factory=list)


def problem(
    request: HttpRequest,
    status: int,
    code: str,
    detail: object,
    errors: Iterable[Mapping[str, str]] = (),
) -> HttpResponse:
    """The answer to a request that is refused."""
    content = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": str(detail),
        "request_id": str(getattr(request, "request_id", "")),
        "errors": list(errors),
    }
    response = HttpResponse(json.dumps(content, ensure_ascii=False), content_type=MEDIA_TYPE, status=status)
    response.headers["Cache-Control"] = "no-store"
    return response


def not_found(request: HttpRequest) -> HttpResponse:
    """There is no such address or thing for this caller."""
    return problem(request, 404, "not_found", _("There is no such thing here for you."))


def errors_of(errors: Mapping[str, object]) -> list[dict[str, str]]:
    """The messages of a door's refusal, field by field."""
    return [{"field": name, "message": str(message)} for name, message in errors.items()]


def input_errors(found: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """What the schema found wrong with the request, in words."""
    return [{"field": _place(error["loc"]), "message": _words(error)} for error in found]


def _place(where: Iterable[object]) -> str:
    parts = [str(part) for part in where]
    if parts and parts[0] in {"body", "query", "path", "form", "file", "header"}:
        parts = parts[1:]
    # The name of the endpoint's argument that holds the whole body is no name the caller knows.
    return ".".join(parts[1:] if parts[:1] in (["sent"], ["asked"], ["about"]) else parts)[:200]


def _words(error: Mapping[str, Any]) -> str:
    kind, context = str(error.get("type", "")), error.get("ctx") or {}
    if kind == "missing":
        return _("This value is missing.")
    if kind == "extra_forbidden":
        return _("There is no value of this name here.")
    if kind in {"greater_than_equal", "greater_than"}:
        return _("The number must be at least %(limit)s.") % {"limit": context.get("ge", context.get("gt"))}
    if kind in {"less_than_equal", "less_than"}:
        return _("The number must be at most %(limit)s.") % {"limit": context.get("le", context.get("lt"))}
    if kind == "string_too_long":
        return _("The text must have at most %(limit)s characters.") % {"limit": context.get("max_length")}
    if kind == "string_too_short":
        return _("The text must have at least %(limit)s characters.") % {"limit": context.get("min_length")}
    if kind.startswith(("int", "decimal", "float")):
        return _("This must be a whole number.")
    if kind.startswith("bool"):
        return _("This must be true or false.")
    if kind.startswith("uuid"):
        return _("This must be an identifier (UUID).")
    if kind.startswith(("date", "time")):
        return _("This must be a date, written as 2026-12-31.")
    if kind in {"literal_error", "enum"}:
        return _("This must be one of: %(values)s") % {"values": context.get("expected", "")}
    if kind.startswith("string"):
        return _("This must be a text.")
    return _("This value cannot be taken.")


# Translated when they are shown: what refuses here stands outside the choice of language.
_GENERAL: Final = {
    400: ("bad_request", gettext_lazy("The request cannot be read.")),
    403: ("denied", gettext_lazy("The key lacks the permission for this.")),
    404: ("not_found", gettext_lazy("There is no such thing here for you.")),
    405: ("method", gettext_lazy("This address does not know the method.")),
    413: ("too_large", gettext_lazy("The request is too large.")),
    503: ("maintenance", gettext_lazy("The system is being maintained. Please try again later.")),
}
_FAULT: Final = ("fault", gettext_lazy("Something went wrong here. Nothing was written."))


class ProblemMiddleware:
    """Whatever refuses a request to the interface before or behind it - the edge, maintenance, a fault - answers as a
    problem too, never as a page.

    A request in plain HTTP is refused and not led on: a key that has travelled unprotected must be noticed.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        asked = request.path_info.startswith(PREFIX)
        if asked and settings.SECURE_SSL_REDIRECT and not request.is_secure():
            return problem(request, 403, "https", _("Use https. Have a key that was sent without it revoked."))
        response = self.get_response(request)
        if response.status_code < 400 or not asked or response.get("Content-Type", "").startswith(MEDIA_TYPE):
            return response
        code, words = _GENERAL.get(response.status_code, _FAULT)
        answer = problem(request, response.status_code, code, words)
        for name in ("Allow", "Retry-After", "WWW-Authenticate"):
            if name in response:
                answer[name] = response[name]
        return answer
