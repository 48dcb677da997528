"""Which drafts and applications this browser has opened: their codes, kept in the session so that they never stand in
an address.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_cache_control

from verbund.modules.citizenservices import queries
from verbund.modules.citizenservices.queries import ApplicationAccess, DraftRef
from verbund.platform.identity.actor import Actor, ActorKind
from verbund.platform.identity.routes import BodyRequest
from verbund.platform.tenancy import now

_DRAFTS: Final = "citizenservices.drafts"
_APPLICATIONS: Final = "citizenservices.applications"
_SENT: Final = "citizenservices.sent"
_BEGUN: Final = "citizenservices.begun"
_MOST: Final = 20


def portal_actor(request: BodyRequest) -> Actor:
    """Who is at the portal. Staff who look in are guests here: their work gives them nothing."""
    actor: Actor = request.actor
    if actor.kind in (ActorKind.CITIZEN, ActorKind.GUEST):
        return actor
    return Actor.guest(actor.body, actor.request_id)


def remember_draft(request: HttpRequest, ref: DraftRef) -> None:
    _remember(request, _DRAFTS, ref.id, ref.code)


def remember_begun(request: HttpRequest, page: str, ref: DraftRef) -> None:
    """Which page began the draft: a second click on it begins no second one."""
    if page:
        _remember(request, _BEGUN, page, str(ref.id))


def begun_draft(request: BodyRequest, page: str) -> UUID | None:
    """The draft that this page began, as long as it is a draft."""
    known = request.session.get(_BEGUN, {}).get(page, "")
    code = request.session.get(_DRAFTS, {}).get(known, "")
    if not code or _became(request, {known: code}):
        return None
    return UUID(known)


def forget_draft(request: HttpRequest, draft_id: UUID) -> None:
    known = dict(request.session.get(_DRAFTS, {}))
    if known.pop(str(draft_id), None) is not None:
        request.session[_DRAFTS] = known


def draft_ref(request: BodyRequest, draft_id: UUID) -> DraftRef:
    """The draft as this browser may open it; for somebody signed in the account opens it too."""
    code = request.session.get(_DRAFTS, {}).get(str(draft_id), "")
    if not code and portal_actor(request).kind is ActorKind.CITIZEN:
        code = _code_of_own(request, draft_id)
    return DraftRef(draft_id, code)


def _code_of_own(request: BodyRequest, draft_id: UUID) -> str:
    """The draft's code, if it is the account's: only then it may be derived."""
    rows = queries.own_drafts(portal_actor(request), now=now())
    return next((row.ref.code for row in rows if row.ref.id == draft_id), "")


def remember_sent(request: HttpRequest, draft_id: UUID, access: ApplicationAccess) -> None:
    """Whoever goes back to a page of a draft that was sent is led to its confirmation, and may open the application.

    A browser that has the draft's code needs no more: the application knows by it what draft it was.
    """
    if str(draft_id) in request.session.get(_DRAFTS, {}):
        return
    remember_application(request, access)
    _remember(request, _SENT, draft_id, str(access.id))


def sent_application(request: HttpRequest, draft_id: UUID) -> UUID | None:
    """The application this browser made of the draft, as far as the session tells."""
    known = request.session.get(_SENT, {}).get(str(draft_id))
    return UUID(known) if known else None


def became_of(request: BodyRequest, draft_id: UUID) -> UUID | None:
    """The application that was made of a draft that is none any more, if this browser has its code."""
    code = request.session.get(_DRAFTS, {}).get(str(draft_id), "")
    found = _became(request, {str(draft_id): code}).get(draft_id)
    return None if found is None else found.id


def _became(request: BodyRequest, drafts: Mapping[str, str]) -> Mapping[UUID, ApplicationAccess]:
    refs = [DraftRef(UUID(ident), code) for ident, code in drafts.items()]
    return queries.sent_drafts(portal_actor(request), drafts=refs)


def remember_application(request: HttpRequest, access: ApplicationAccess) -> None:
    _remember(request, _APPLICATIONS, access.id, access.code)


def application_access(request: BodyRequest, application_id: UUID) -> ApplicationAccess:
    """The application as this browser may open it: with its code, or with that of the draft it was."""
    code = request.session.get(_APPLICATIONS, {}).get(str(application_id), "")
    if not code:
        sent = _became(request, request.session.get(_DRAFTS, {})).values()
        code = next((access.code for access in sent if access.id == application_id), "")
    return ApplicationAccess(application_id, code)


def _remember(request: HttpRequest, key: str, ident: UUID | str, code: str) -> None:
    known = dict(request.session.get(key, {}))
    known.pop(str(ident), None)
    known[str(ident)] = code
    while len(known) > _MOST:
        known.pop(next(iter(known)))
    request.session[key] = known


def never_kept(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """The page holds personal data: no browser and no proxy keeps it."""

    @wraps(view)
    def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        patch_cache_control(response, private=True, no_store=True)
        return response

    return guarded
