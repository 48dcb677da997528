"""Recognition: from a request's session to the Actor, and the beginning and end of a session.

A session says who signed in and carries a mark made of the account's password hash and session epoch; it is
compared at every request, so a changed password or "sign out everywhere" ends every other session at once, in
every body.
"""

import time
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.middleware.csrf import rotate_token
from django.utils.crypto import constant_time_compare, salted_hmac

from verbund.platform.tenancy import current_body, local_date, now
from verbund.platform.tenancy.kept import KeptQuery, given

from .actor import Actor, ActorKind
from .local.models import Absence, CitizenAccount
from .local.sessions import ADDRESS, KIND, SUBJECT, USER_AGENT
from .models import Assignment, Person
from .roles import Role
from .throttle import address_of

MARK: Final = "_mark"
FACTOR: Final = "_factor"
PROVED: Final = "_proved"  # when the person last proved who it is, seconds since 1970
FRESH_SECONDS: Final = 900
_ROLES: Final = frozenset(role.value for role in Role)


def mark_of(account: Person | CitizenAccount) -> str:
    """What a session must carry to belong to this account as it is now."""
    return salted_hmac(
        "verbund.identity.session", f"{account.id}|{account.password}|{account.session_epoch}"
    ).hexdigest()


def begin_session(request: HttpRequest, account: Person | CitizenAccount, *, factor: str = "") -> None:
    """Sign `account` in: a new session key, so that one known from before is worthless (session fixation).

    `factor` says how beyond the password: "" | totp | passkey | recovery | oidc. What a guest had begun (a draft)
    is kept for a citizen, unless somebody else was signed in here.
    """
    session = request.session
    if isinstance(account, Person) or session.get(SUBJECT, str(account.id)) != str(account.id):
        session.flush()
    else:
        session.cycle_key()
    session[KIND] = "staff" if isinstance(account, Person) else "citizen"
    session[SUBJECT] = str(account.id)
    session[MARK] = mark_of(account)
    session[FACTOR] = factor
    session[PROVED] = int(time.time())
    session[ADDRESS] = address_of(request)
    session[USER_AGENT] = request.headers.get("User-Agent", "")[:200]
    rotate_token(request)


def keep_session(request: HttpRequest, account: Person | CitizenAccount) -> None:
    """After the account's own change of password: this session goes on under a new key, all others end."""
    request.session.cycle_key()
    request.session[MARK] = mark_of(account)
    rotate_token(request)


def has_proved_lately(request: HttpRequest) -> bool:
    """Whether the person at the screen has signed in or given the password within the last quarter of an hour."""
    return bool(request.session.get(PROVED, 0) + FRESH_SECONDS > time.time())


def note_proof(request: HttpRequest) -> None:
    """The person has just given the password again."""
    request.session.cycle_key()
    request.session[PROVED] = int(time.time())


def end_session(request: HttpRequest) -> None:
    """Sign out: the session is deleted on the server, not only its cookie."""
    request.session.flush()
    rotate_token(request)


def actor_for(request: HttpRequest) -> Actor:
    """Who asks: one query for the session,
    one for the person with the assignments (none for somebody without a cookie).

    Anything that does not fit - no assignment valid now, account closed, password changed meanwhile, second factor
    missing where it is required - makes a guest.
    """
    request_id = getattr(request, "request_id", "")
    body = current_body().schema_name
    guest = Actor.guest(body, request_id)
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return guest
    session = request.session
    subject = session.get(SUBJECT)
    if not subject:
        return guest
    if session.get(KIND) == "citizen":
        return _citizen(UUID(subject), session.get(MARK, ""), body, request_id) or guest
    if second_factor_required() and not session.get(FACTOR):
        return guest
    found = _staff(UUID(subject), now(), session.get(MARK, ""), request_id)
    if found is None:
        return guest
    actor, names = found
    request.substitute_names = names  # type: ignore[attr-defined]  # for the line above every page
    return actor


def second_factor_required() -> bool:
    """Whether staff need a second factor (VERBUND_REQUIRE_SECOND_FACTOR, on unless switched off)."""
    return bool(getattr(settings, "VERBUND_REQUIRE_SECOND_FACTOR", True))


def staff_actor(person_id: UUID, *, now: datetime, mark: str | None = None, request_id: str = "") -> Actor | None:
    """The actor of a person in the present body; None without an assignment valid `now`, or if `mark` does not fit.

    Substitution (Vertretung): on the days of an absence the substitute also works for the units of the absent
    person - the units, not the roles: nobody gains a right of another kind by standing in.
    """
    found = _staff(person_id, now, mark, request_id)
    return None if found is None else found[0]


def _assignments() -> "QuerySet[Assignment]":
    """What somebody, and everybody this person stands in for today, is assigned to now."""
    absent = Absence.objects.filter(
        substitute=given("person"), absent_from__lte=given("today"), absent_until__gte=given("today")
    )
    return Assignment.objects.select_related("person").filter(
        Q(person_id=given("person")) | Q(person_id__in=absent.values("person")),
        Q(valid_until=None) | Q(valid_until__gt=given("now")),
        body_id=given("body"),
        valid_from__lte=given("now"),
    )


_ASSIGNMENTS: Final = KeptQuery(_assignments)  # asked at every request


def _staff(person_id: UUID, now: datetime, mark: str | None, request_id: str) -> tuple[Actor, list[str]] | None:
    facts = current_body()
    rows = _ASSIGNMENTS.all(person=person_id, body=facts.id, now=now, today=local_date(now))
    own = [row for row in rows if row.person_id == person_id]
    if not own:
        return None
    person = own[0].person
    if not person.is_active or (mark is not None and not constant_time_compare(mark, mark_of(person))):
        return None
    others = {row.person_id: row.person.display_name for row in rows if row.person_id != person_id}
    actor = Actor(
        kind=ActorKind.STAFF,
        id=person.id,
        name=person.display_name,
        body=facts.schema_name,
        roles=frozenset(Role(row.role) for row in own if row.role in _ROLES),
        units=frozenset(row.unit for row in rows if row.unit),
        request_id=request_id,
        substitutes=frozenset(others),
    )
    return actor, sorted(others.values())


def citizen_actor(account: CitizenAccount, *, request_id: str = "") -> Actor:
    """The actor of a citizen's account in the present body."""
    return Actor(
        kind=ActorKind.CITIZEN, id=account.id, name=account.name, body=current_body().schema_name, request_id=request_id
    )


def _citizen(account_id: UUID, mark: str, body: str, request_id: str) -> Actor | None:
    account = CitizenAccount.objects.filter(pk=account_id).first()
    if account is None or not account.may_sign_in() or not constant_time_compare(mark, mark_of(account)):
        return None
    return citizen_actor(account, request_id=request_id)
