"""Who comes in: the key, the room, the permission, the rate; and what is sent twice is done once."""

import json
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final, Protocol, TypeVar, cast
from uuid import UUID

from django.conf import settings
from django.db import ProgrammingError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import URLPattern, path, re_path
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema, get_schema
from ninja.operation import PathView
from ninja.parser import Parser
from ninja.utils import normalize_path, replace_path_param_notation

from verbund.platform.identity import policy, throttle
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.keys import Machine, machine_of
from verbund.platform.identity.local.models import ApiAnswer
from verbund.platform.tenancy import BodyFacts, Conflict, Invalid, NotFound, new_id, now
from verbund.platform.tenancy.closing import ClosedRoom, closed_now, room_refused

from .problems import MEDIA_TYPE, Problem, errors_of, input_errors, not_found, problem

E = TypeVar("E", bound=Callable[..., Any])
WRONG_KEYS: Final = throttle.Limit(count=20, window=timedelta(minutes=15), block=timedelta(minutes=1))
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_LONGEST_KEY: Final = 100


class MachineRequest(HttpRequest):
    """A request as an endpoint gets it."""

    actor: Actor
    tenant: BodyFacts
    request_id: str


class _Marked(Protocol):
    needs: tuple[StrEnum, ...]
    open_because: str


def needs(*permissions: StrEnum) -> Callable[[E], E]:
    """Only a key with one of `permissions` may call this endpoint; the door behind it asks again."""

    def mark(endpoint: E) -> E:
        cast(_Marked, endpoint).needs = permissions
        return endpoint

    return mark


def open_to_all(reason: str) -> Callable[[E], E]:
    """Anybody may call this endpoint, without a key; `reason` says why that is right."""

    def mark(endpoint: E) -> E:
        cast(_Marked, endpoint).open_because = reason
        return endpoint

    return mark


class UnreadableText(Exception):  # noqa: N818 - reads as the answer
    """A text of the request holds what no text can: NUL or half a character."""


class _Parser(Parser):
    """JSON as RFC 8259 has it: no NaN, and no text that PostgreSQL or UTF-8 cannot hold."""

    def parse_body(self, request: HttpRequest) -> Any:
        content = json.loads(request.body, parse_constant=_refuse)
        _check_texts(content)
        return content


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _check_texts(value: Any) -> None:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            if "\x00" in one or any("\ud800" <= c <= "\udfff" for c in one):
                raise UnreadableText
        elif isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            waiting += one


class Interface(NinjaAPI):
    """The interface of all rooms: routes that name their policy, a description without a page of its own."""

    def __init__(self, *, title: str, version: str, description: str) -> None:
        super().__init__(
            title=title,
            version=version,
            description=description,
            docs_url=None,
            openapi_url=None,
            urls_namespace="api",
            parser=_Parser(),
        )
        for kind, answer in _REFUSALS.items():
            self.add_exception_handler(kind, cast(Any, answer))

    def patterns(self) -> list[URLPattern]:
        """The routes, each behind its guard, and a last one for what does not exist."""
        found: list[URLPattern] = []
        for bound in self._get_bound_routers():
            for address, view in bound.path_operations.items():
                route = normalize_path("/".join(filter(None, (bound.prefix, address)))).lstrip("/")
                name = view.operations[0].view_func.__name__
                found.append(path(replace_path_param_notation(route), _guarded(view), name=name))
        found.append(path("openapi.json", _description_view(self), name="openapi"))
        found.append(re_path(r"^", _nothing, name="nothing"))
        return found

    def described(self, prefix: str) -> dict[str, Any]:
        """The OpenAPI document; `prefix` is where the interface is mounted."""
        schema: OpenAPISchema = get_schema(self, path_prefix=prefix)
        return _complete(schema, self)


# ---- The guard -------------------------------------------------------------------------------------------------------


def _guarded(view: PathView) -> Callable[..., HttpResponseBase]:
    inner = view.get_view()
    endpoints: dict[str, Any] = {}
    for operation in view.operations:
        for method in operation.methods:
            endpoints[method] = operation.view_func
    allowed = ", ".join(sorted({*endpoints, *({"HEAD"} if "GET" in endpoints else ())}))
    rooms = {parts[2] for e in endpoints.values() if (parts := e.__module__.split("."))[:2] == ["verbund", "modules"]}

    @csrf_exempt  # no cookie counts here
    def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not rooms <= request.tenant.rooms:
            return not_found(request)
        method = "GET" if request.method == "HEAD" and "GET" in endpoints else request.method
        endpoint = endpoints.get(method)
        if endpoint is None:
            answer = problem(request, 405, "method", _("This address does not know the method."))
            answer["Allow"] = allowed
            return answer
        machine: Machine | None = None
        request.actor = Actor.guest(request.tenant.schema_name, getattr(request, "request_id", ""))
        if not getattr(endpoint, "open_because", ""):
            found = _let_in(request, endpoint)
            if isinstance(found, HttpResponse):
                return found
            machine, request.actor = found, found.actor
        closed = sorted(rooms & set(request.tenant.closed))
        if closed and method not in _READING:
            return _read_only(request, request.tenant.closed[closed[0]])
        if request.method == "HEAD":
            request.method = "GET"  # the server sends no content for it
        answer_ = _once(request, machine, lambda: inner(request, *args, **kwargs))
        answer_.headers.setdefault("Cache-Control", "private, no-store")
        patch_vary_headers(answer_, ["Authorization", "Accept-Language"])
        return answer_

    cast(Any, guarded).policy = _policy_of(endpoints)
    cast(Any, guarded).endpoints = endpoints
    return guarded


def _policy_of(endpoints: dict[str, Any]) -> str:
    """What the tests read: `key: GET records.read_case; POST records.open_case`, or `public: …`."""
    reasons = {reason for e in endpoints.values() if (reason := getattr(e, "open_because", ""))}
    if reasons and len(endpoints) == 1:
        return f"public: {reasons.pop()}"
    named = [(method, getattr(e, "needs", ())) for method, e in sorted(endpoints.items())]
    if reasons or not all(permissions for _method, permissions in named):
        return ""
    return "key: " + "; ".join(f"{method} {' | '.join(map(str, permissions))}" for method, permissions in named)


def _let_in(request: Any, endpoint: Any) -> Machine | HttpResponse:
    scheme, _space, key = request.headers.get("Authorization", "").partition(" ")
    machine = machine_of(key.strip(), now=now(), request_id=request.request_id) if scheme.lower() == "bearer" else None
    if machine is None:
        return _refuse_key(request, bool(key))
    wait = _rate.wait(machine.key_id)
    if wait:
        return _too_many(request, wait)
    if not any(policy.allows(machine.actor, permission) for permission in endpoint.needs):
        return problem(request, 403, "denied", _("The key lacks the permission for this."))
    if not machine.may_write and request.method not in _READING:
        return problem(request, 403, "reads_only", _("This key may only read. Ask for one that may also write."))
    return machine


def _refuse_key(request: Any, shown: bool) -> HttpResponse:
    """401; for who goes on showing wrong keys 429. A valid key from the same address is not concerned: 256 bits are not
    guessed, and one system with an old key must not shut out its neighbours."""
    if shown:
        address = throttle.address_of(request)
        try:
            throttle.check("api_key", address, now=now())
        except throttle.Blocked as blocked:
            return _too_many(request, blocked.seconds)
        throttle.count("api_key", address, WRONG_KEYS, now=now())
    answer = problem(request, 401, "unauthorised", _("A valid key is needed. Send it as “Authorization: Bearer …”."))
    answer["WWW-Authenticate"] = 'Bearer realm="Verbund"'
    return answer


def _too_many(request: HttpRequest, seconds: int) -> HttpResponse:
    answer = problem(request, 429, "too_many", _("Too many requests. Please wait %(n)d seconds.") % {"n": seconds})
    answer["Retry-After"] = str(seconds)
    return answer


class _Rate:
    """How often a key may ask, per process: a bucket that fills evenly. It protects the others, it is no quota."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[UUID, tuple[float, float]] = OrderedDict()

    def wait(self, key_id: UUID) -> int:
        """0 if the key may ask now, else the seconds to wait."""
        per_minute = float(settings.VERBUND_API_RATE)
        moment = time.monotonic()
        left, since = self._buckets.pop(key_id, (per_minute, moment))
        left = min(per_minute, left + (moment - since) * per_minute / 60)
        may = left >= 1
        self._buckets[key_id] = (left - 1 if may else left, moment)
        while len(self._buckets) > 10_000:
            self._buckets.popitem(last=False)
        return 0 if may else max(1, round((1 - left) * 60 / per_minute))


_rate = _Rate()


# ---- Once ------------------------------------------------------------------------------------------------------------


def _once(request: Any, machine: Machine | None, act: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """Writes are whole or nothing; with an `Idempotency-Key` the same request again gets the same answer.

    The answer is kept in the transaction that wrote. Of two at once the second waits for the first at the unique index.
    """
    if machine is None or request.method in _READING:
        return act()
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > _LONGEST_KEY or not key.isascii() or not key.isprintable():
        return problem(request, 400, "bad_request", _("The Idempotency-Key must have at most 100 plain characters."))
    with transaction.atomic():
        kept: ApiAnswer | None = None
        if key:
            fingerprint = _fingerprint(request)
            ApiAnswer.objects.bulk_create(
                [
                    ApiAnswer(
                        id=new_id(),
                        api_key_id=machine.key_id,
                        idempotency_key=key,
                        fingerprint=fingerprint,
                        status=0,
                        content="",
                        created_at=now(),
                    )
                ],
                ignore_conflicts=True,
            )
            kept = ApiAnswer.objects.select_for_update().get(api_key_id=machine.key_id, idempotency_key=key)
            if kept.fingerprint != fingerprint:
                return problem(
                    request, 422, "idempotency", _("This Idempotency-Key was used for another request. Take a new one.")
                )
            if kept.status:
                again = HttpResponse(kept.content, content_type="application/json; charset=utf-8", status=kept.status)
                again["Idempotent-Replayed"] = "true"
                return again
        answer = act()
        if answer.status_code >= 400:
            transaction.set_rollback(True)
        elif kept is not None and isinstance(answer, HttpResponse):
            kept.status, kept.content = answer.status_code, answer.content.decode()
            kept.save(update_fields=["status", "content"])
        return answer


def _fingerprint(request: Any) -> str:
    digest = sha256(f"{request.method} {request.get_full_path()}\n".encode())
    if request.content_type == "multipart/form-data":
        for name in sorted(request.POST):
            digest.update(json.dumps([name, request.POST.getlist(name)]).encode())
        for name in sorted(request.FILES):
            for file in request.FILES.getlist(name):
                digest.update(json.dumps([name, file.name, file.size]).encode())
                for chunk in file.chunks():
                    digest.update(chunk)
                file.seek(0)
    else:
        digest.update(request.body)
    return digest.hexdigest()


# ---- Refusals --------------------------------------------------------------------------------------------------------


def _denied(request: HttpRequest, refusal: policy.Denied) -> HttpResponse:
    return problem(request, 403, "denied", _("The key lacks the permission for this."))


def _missing(request: HttpRequest, refusal: Exception) -> HttpResponse:
    return not_found(request)


def _conflict(request: HttpRequest, refusal: Conflict) -> HttpResponse:
    return problem(request, 409, "conflict", refusal.message)


def _invalid(request: HttpRequest, refusal: Invalid) -> HttpResponse:
    errors = errors_of(refusal.errors)
    return problem(request, 422, "invalid", " ".join(e["message"] for e in errors), errors)


def _unfit(request: HttpRequest, refusal: ValidationError) -> HttpResponse:
    errors = input_errors(cast(Any, refusal.errors))
    return problem(request, 422, "invalid", _("Some values of the request cannot be taken."), errors)


def _read_only(request: HttpRequest, closed: ClosedRoom) -> HttpResponse:
    text = _("This room is read-only since %(day)s: nothing was written.") % {"day": f"{closed.since:%d.%m.%Y}"}
    return problem(request, 403, "read_only", text)


def _refused_by_database(request: HttpRequest, error: Exception) -> HttpResponse:
    """A write in a closed room that came by another one; any other error of the database stays one."""
    tenant: BodyFacts = request.tenant  # type: ignore[attr-defined]
    room = room_refused(error, tenant.schema_name)
    if not room:
        raise error
    return _read_only(request, closed_now(tenant.schema_name)[room])


def _unreadable(request: HttpRequest, refusal: Exception) -> HttpResponse:
    return problem(request, 400, "bad_request", _("The content of the request cannot be read as JSON."))


_REFUSALS: Final[dict[type[Exception], Callable[..., HttpResponse]]] = {
    policy.Denied: _denied,
    NotFound: _missing,
    Http404: _missing,
    Conflict: _conflict,
    Invalid: _invalid,
    ValidationError: _unfit,
    HttpError: _unreadable,
    UnreadableText: _unreadable,
    ProgrammingError: _refused_by_database,
}


@csrf_exempt
def _nothing(request: HttpRequest) -> HttpResponse:
    return not_found(request)


cast(Any, _nothing).policy = "public: says that there is nothing here"


# ---- The description -------------------------------------------------------------------------------------------------


def _description_view(interface: Interface) -> Callable[..., HttpResponse]:
    @csrf_exempt
    def description(request: Any) -> HttpResponse:
        if request.method not in _READING:
            answer = problem(request, 405, "method", _("This address does not know the method."))
            answer["Allow"] = "GET"
            return answer
        prefix = request.path_info.rsplit("/", 1)[0].lstrip("/") + "/"
        content = interface.described(prefix)
        shown = {
            route: operations
            for route, operations in content["paths"].items()
            if all(op["x-room"] in request.tenant.rooms for op in operations.values())
        }
        return HttpResponse(
            json.dumps({**content, "paths": shown}, ensure_ascii=False, indent=1),
            content_type="application/json; charset=utf-8",
        )

    cast(Any, description).policy = "public: describes the interface, holds no data of anybody"
    return description


_WORDS: Final = {
    400: "The request cannot be read.",
    401: "No key, or one that is unknown, expired or revoked.",
    403: "The key lacks the permission, or may only read.",
    404: "There is no such thing for this key; things of other bodies and units do not exist.",
    405: "The address does not know the method.",
    409: "Somebody else was first, or the state forbids the step.",
    413: "The request is too large.",
    422: "A value cannot be taken; `errors` names it.",
    429: "Too many requests; `Retry-After` says when to come back.",
}


def _complete(schema: dict[str, Any], interface: Interface) -> dict[str, Any]:
    components = schema["components"]
    problem_schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    components["schemas"].update(problem_schema.pop("$defs", {}))
    components["schemas"]["Problem"] = problem_schema
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "A key made by the body's administration."}
    }
    endpoints = {
        operation.operation_id or operation.view_func.__name__: operation.view_func
        for bound in interface._get_bound_routers()
        for view in bound.path_operations.values()
        for operation in view.operations
    }
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operations in schema["paths"].values():
        for method, details in operations.items():
            endpoint = endpoints[details["operationId"]]
            open_ = bool(getattr(endpoint, "open_because", ""))
            details["x-room"] = endpoint.__module__.split(".")[2]
            details["description"] = (endpoint.__doc__ or "").strip().partition("\n")[0]
            if not open_:
                details["security"] = [{"key": []}]
                details["x-permission"] = [str(p) for p in cast(_Marked, endpoint).needs]
            if method == "post" and not open_:
                details["parameters"].append(_idempotency())
            for status, words in _WORDS.items():
                if (open_ and status in (401, 403, 429)) or (method == "get" and status in (409, 413)):
                    continue
                details["responses"].setdefault(status, {"description": words, "content": content})
            details["responses"] = {str(k): v for k, v in sorted(details["responses"].items(), key=lambda i: int(i[0]))}
    return schema


def _idempotency() -> dict[str, Any]:
    return {
        "in": "header",
        "name": "Idempotency-Key",
        "required": False,
        "description": "Made by the caller, one per deed. The same request with the same key again changes nothing and "
        "gets the same answer, for seven days; of two at once the second waits.",
        "schema": {"type": "string", "maxLength": _LONGEST_KEY, "pattern": "^[ -~]*$"},
    }
