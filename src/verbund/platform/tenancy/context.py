"""Which body the connection works for (Mandantenkontext)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.db import connection as _connection

from .closing import ClosedRoom

if TYPE_CHECKING:
    from .models import Body

PUBLIC = "public"
# The connection is our own wrapper (`backend/`), whose body Django's types do not know.
connection: Any = _connection


@dataclass(frozen=True, slots=True)
class BodyFacts:
    """BodyFacts (Stammdaten der Körperschaft): what a request needs to know of its body, without a query."""

    id: UUID
    schema_name: str
    slug: str
    name: str
    kind: str
    ags: str
    ars: str
    is_alliance: bool
    rooms: frozenset[str]
    accent_colour: str
    letterhead: dict[str, str] = field(default_factory=dict)
    closed: dict[str, ClosedRoom] = field(default_factory=dict)  # the rooms that the body may only read

    def words(self) -> list[str]:
        """By what it is known: its names and its place; no secret may be made of them."""
        return [self.name, self.slug, self.schema_name, self.letterhead.get("city", "")]

    def get_tenant_type(self) -> None:
        """django-tenants asks every tenant for a type; there is only one here."""


class NestedSwitch(RuntimeError):  # noqa: N818 - names the mistake
    """A piece of work for one body tried to enter another one: events cross bodies, calls never do."""


class NoBody(RuntimeError):  # noqa: N818 - names the mistake
    """The connection works for no body."""


def current_body() -> BodyFacts:
    """The body the connection works for.

    Raises:
        NoBody: outside of a request or job of a body.
    """
    tenant: Any = connection.tenant
    if not isinstance(tenant, BodyFacts):
        raise NoBody("no body is set on the connection")
    return tenant


@contextmanager
def acting_for(body: "Body | BodyFacts | str") -> Iterator[BodyFacts]:
    """Work for `body` (a `Body`, its facts or its schema name); on leaving, the connection is back in no body's name.

    Raises:
        NestedSwitch: when the connection already works for another body.
        Body.DoesNotExist: for an unknown schema name.
    """
    if connection.schema_name != PUBLIC:
        wanted = body if isinstance(body, str) else body.schema_name
        if wanted != connection.schema_name:
            raise NestedSwitch(f"already working for {connection.schema_name}, asked for {wanted}")
        yield current_body()
        return
    facts = _facts(body)
    connection.set_tenant(facts)
    try:
        yield facts
    finally:
        connection.set_schema_to_public()


def _facts(body: "Body | BodyFacts | str") -> BodyFacts:
    from .models import Body

    if isinstance(body, BodyFacts):
        return body
    if isinstance(body, str):
        body = cast(Body, Body.objects.get(schema_name=body))
    facts: BodyFacts = body.facts()
    return facts
