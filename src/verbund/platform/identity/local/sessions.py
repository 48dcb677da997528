"""Session engine: sessions in the schema of the body on whose host they were made.

The cookie's value is stored as a digest only, so a copy of the table opens no session. A session ends after a time
without use, after a life time, on sign-out, by revocation and with a change of password.
"""

from datetime import timedelta
from functools import cache
from hashlib import sha256
from string import ascii_lowercase, digits
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import IntegrityError, connection, transaction
from django.utils.crypto import get_random_string

from verbund.platform.tenancy import new_id, now
from verbund.platform.tenancy.kept import KeptQuery, given

if TYPE_CHECKING:
    from .models import Session

SUBJECT = "_subject"
KIND = "_kind"
ADDRESS = "_address"
USER_AGENT = "_user_agent"

_SEEN_STEP = timedelta(minutes=1)


def digest(key: str) -> str:
    """What is stored of a session's cookie value."""
    return sha256(b"verbund.session:" + key.encode()).hexdigest()


def idle_limit(kind: str) -> timedelta:
    """How long a session of this kind lasts without use (VERBUND_STAFF_IDLE_MINUTES, VERBUND_CITIZEN_IDLE_MINUTES)."""
    if kind == "staff":
        return timedelta(minutes=getattr(settings, "VERBUND_STAFF_IDLE_MINUTES", 30))
    if kind == "citizen":
        return timedelta(minutes=getattr(settings, "VERBUND_CITIZEN_IDLE_MINUTES", 30))
    return timedelta(hours=getattr(settings, "VERBUND_SESSION_HOURS", 12))


def life_limit() -> timedelta:
    """How long any session lasts (VERBUND_SESSION_HOURS)."""
    return timedelta(hours=getattr(settings, "VERBUND_SESSION_HOURS", 12))


@cache
def _open_sessions() -> "KeptQuery[Session]":
    """The session of a cookie: asked at every request. Made late: the models are not there when this is imported."""
    from .models import Session

    return KeptQuery(lambda: Session.objects.filter(key=given("key"), expires_at__gt=given("now")))


class SessionStore(SessionBase):
    """Django's session interface over `identity_local.Session`."""

    def load(self) -> dict[str, Any]:
        from .models import Session

        if self.session_key is None or getattr(connection, "schema_name", "public") == "public":
            self._session_key = None
            return {}
        moment = now()
        row = _open_sessions().first(key=digest(self.session_key), now=moment)
        if row is None or row.last_seen_at + idle_limit(row.kind) <= moment:
            if row is not None:
                row.delete()
            self._session_key = None
            return {}
        if row.last_seen_at + _SEEN_STEP <= moment:
            Session.objects.filter(pk=row.pk).update(last_seen_at=moment)
        return self.decode(row.data)

    def cycle_key(self) -> None:
        """A new key for the same session; one that was ended meanwhile does not come back to life under it."""
        if self.session_key is not None and not self.exists(self.session_key):
            raise SessionInterrupted("the session was ended while the request was under way")
        super().cycle_key()

    def exists(self, session_key: str) -> bool:
        from .models import Session

        return Session.objects.filter(key=digest(session_key)).exists()

    def create(self) -> None:
        while True:
            self._session_key = self._fresh_key()
            try:
                self.save(must_create=True)
            except CreateError:
                continue
            self.modified = True
            return

    def _fresh_key(self) -> str:
        """A key of 190 bits; that one is taken already is a matter for `create`."""
        return get_random_string(32, ascii_lowercase + digits)

    def save(self, must_create: bool = False) -> None:
        from .models import Session

        if self.session_key is None:
            self.create()
            return
        data: dict[str, Any] = self._get_session(no_load=must_create)  # type: ignore[attr-defined]  # not in the stubs
        moment = now()
        subject = data.get(SUBJECT)
        fields: dict[str, Any] = {
            "data": self.encode(data),
            "kind": data.get(KIND, Session.Kind.GUEST),
            "subject": UUID(subject) if subject else None,
            "address": data.get(ADDRESS, ""),
            "user_agent": data.get(USER_AGENT, ""),
            "last_seen_at": moment,
        }
        if must_create:
            try:
                with transaction.atomic():
                    Session.objects.create(
                        id=new_id(),
                        key=digest(self.session_key),
                        created_at=moment,
                        expires_at=moment + life_limit(),
                        **fields,
                    )
            except IntegrityError as error:
                raise CreateError from error
        elif not Session.objects.filter(key=digest(self.session_key)).update(**fields):
            raise UpdateError

    def delete(self, session_key: str | None = None) -> None:
        from .models import Session

        key = session_key or self.session_key
        if key is not None:
            Session.objects.filter(key=digest(key)).delete()

    @classmethod
    def clear_expired(cls) -> None:
        from .models import Session

        Session.objects.filter(expires_at__lte=now()).delete()

    def row_id(self) -> UUID | None:
        """The id of this session's row, None before it is saved."""
        from .models import Session

        if self.session_key is None:
            return None
        return Session.objects.filter(key=digest(self.session_key)).values_list("id", flat=True).first()
