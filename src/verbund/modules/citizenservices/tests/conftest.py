"""What the tests of the clerks' pages share."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from verbund.platform.identity import services as identity
from verbund.platform.identity.actor import Actor, ActorKind
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for
from verbund.platform.tenancy import now as the_clock

from . import factories
from .desk import PASSWORD, ClientOf, Desk


@pytest.fixture
def town_with_clerks(settings: Any, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A town whose clerks sign in; the clock of the factories is the real one, as on the pages."""
    settings.VERBUND_REQUIRE_SECOND_FACTOR = False
    monkeypatch.setattr(factories, "NOW", the_clock())
    with acting_for("alpha"):
        factories.town()
        for code, name in (("32", "Ordnung"), ("50", "Soziales")):
            identity.create_unit(factories.SYSTEM, code=code, name=name, now=the_clock())


@pytest.fixture
def desk(client_of: ClientOf) -> Callable[..., Desk]:
    """desk("Eva Eich", Role.CLERK) -> a clerk of unit 32, signed in."""

    def make(name: str = "Eva Eich", *roles: Role, unit: str = "32") -> Desk:
        roles = roles or (Role.CLERK,)
        email = f"{name.lower().replace(' ', '.')}@example.org"
        moment = the_clock()
        with acting_for("alpha"):
            made = identity.create_person(
                factories.SYSTEM,
                email=email,
                display_name=name,
                role=roles[0],
                unit=unit,
                valid_from=moment - timedelta(days=1),
                now=moment,
                invite=False,
            )
            for role in roles[1:]:
                identity.assign_role(
                    factories.SYSTEM,
                    person_id=made.id,
                    role=role,
                    unit=unit,
                    valid_from=moment - timedelta(days=1),
                    now=moment,
                )
            identity.set_initial_password(factories.SYSTEM, person_id=made.id, password=PASSWORD, now=moment)
        client = client_of("alpha")
        assert client.post("/anmelden/", {"email": email, "password": PASSWORD}).status_code == 302
        actor = Actor(ActorKind.STAFF, made.id, name, "alpha", frozenset(roles), frozenset({unit}), "test")
        return Desk(client, actor)

    return make
