"""What stands in the three bodies, and somebody of every kind who may or may not come near it."""

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection as django_connection
from django.db import transaction
from django.test import Client

from verbund.platform.identity import services as identity
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.local.models import ApiKey, CitizenAccount
from verbund.platform.identity.local.sessions import KIND, SUBJECT, SessionStore
from verbund.platform.identity.models import Person
from verbund.platform.identity.recognition import FACTOR, MARK, PROVED, mark_of
from verbund.platform.identity.roles import ALLIANCE_ROLES, Role
from verbund.platform.tenancy import new_id
from verbund.platform.tenancy import now as the_clock

connection: Any = django_connection  # its type knows nothing of schemas
PASSWORD = "Regenbogen Kartoffel 7 Leuchtturm"
UNIT, OTHER_UNIT = "32", "50"
HOSTS = {"alliance": "verbund.localhost", "alpha": "alpha.localhost", "beta": "beta.localhost"}
ALLIANCE_ONLY = ALLIANCE_ROLES


@dataclass
class Town:
    """The ids of one body's things, by the names they have in the addresses."""

    ids: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)


@dataclass
class World:
    """What stands in the database, and who is there."""

    towns: dict[str, Town]
    cookies: dict[tuple[str, str], str]
    keys: dict[tuple[str, str], str] = field(default_factory=dict)

    def client(self, body: str, who: str = "", *, at: str = "", **options: Any) -> Client:
        """A browser on the host of `at` (by default that of `body`) with the session of `who` made at `body`."""
        client = Client(headers={"host": HOSTS[at or body]}, raise_request_exception=False, **options)
        if who:
            client.cookies[settings.SESSION_COOKIE_NAME] = self.cookies[body, who]
        return client

    def machine(self, body: str, who: str = "", *, at: str = "") -> Client:
        """A machine that talks to the host of `at` with the key of `who` made at `body`; it brings no cookie."""
        headers = {"host": HOSTS[at or body], "accept-language": "en"}
        if who:
            headers["authorization"] = f"Bearer {self.keys[body, who]}"
        return Client(headers=headers, raise_request_exception=False, enforce_csrf_checks=True)


def keys_of(world: World, body: str, system: Actor) -> UUID:
    """A key per role of the unit, and those that must not let in; returns the id of one nobody uses."""
    now = the_clock()

    def make(who: str, role: Role, unit: str = UNIT, may_write: bool = True) -> UUID:
        made = identity.create_key(
            system,
            name=f"{who} of {body}",
            roles=[role],
            units=[unit],
            may_write=may_write,
            expires_at=now + timedelta(days=30),
            now=now,
        )
        world.keys[body, who] = made.key
        return made.id

    for role in identity.roles_for_machines():
        make(role.value, role)
    if body == "alliance":
        return UUID(int=0)
    for role in (Role.CLERK, Role.HEAD_OF_UNIT):
        make(f"{role.value} elsewhere", role, OTHER_UNIT)
    make("reading", Role.CLERK, may_write=False)
    identity.revoke_key(system, key_id=make("revoked", Role.CLERK), now=now)
    expired = make("expired", Role.CLERK)
    ApiKey.objects.filter(pk=expired).update(created_at=now - timedelta(days=9), expires_at=now - timedelta(days=1))
    return make("unused", Role.CLERK)


def employ(world: World, body: str, name: str, role: Role, unit: str) -> UUID:
    now = the_clock()
    system = Actor.system(body, "test")
    made = identity.create_person(
        system,
        email=f"{name.replace(' ', '.')}@{body}.example.org",
        display_name=f"{name} of {body}",
        role=role,
        unit=unit,
        valid_from=now - timedelta(days=1),
        now=now,
        invite=False,
    )
    identity.set_initial_password(system, person_id=made.id, password=PASSWORD, now=now)
    world.cookies[body, name] = session_of(Person.objects.get(pk=made.id))
    return made.id


def register_citizen(body: str, name: str) -> str:
    account = CitizenAccount.objects.create(
        id=new_id(),
        email=f"{name.replace(' ', '.')}@{body}.example.org",
        name=f"{name} of {body}",
        password="",
        state=CitizenAccount.State.ACTIVE,
        created_at=the_clock(),
    )
    return session_of(account)


def session_of(account: Person | CitizenAccount, **more: Any) -> str:
    """The cookie of a session of this account, as the sign-in makes it."""
    store = SessionStore()
    store[KIND] = "staff" if isinstance(account, Person) else "citizen"
    store[SUBJECT] = str(account.id)
    store[MARK] = mark_of(account)
    store[FACTOR] = "totp"
    store[PROVED] = int(time.time())
    for key, value in more.items():
        store[key] = value
    store.create()
    assert store.session_key is not None
    return str(store.session_key)


@contextmanager
def taken_back() -> Iterator[None]:
    """Whatever happens within is undone, and the connection is nobody's afterwards."""
    connection.set_schema_to_public()
    try:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
    finally:
        connection.set_schema_to_public()


def upload(content: bytes, name: str) -> io.BytesIO:
    """A file as a form field of the test client."""
    file = io.BytesIO(content)
    file.name = name
    return file
