"""People and accounts for the tests of identity."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from verbund.platform.identity import services
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import acting_for
from verbund.platform.tenancy import now as the_clock

PASSWORD = "Regenbogen Kartoffel 7 Leuchtturm"


def employ(
    body: str,
    email: str = "eva.eich@example.org",
    name: str = "Eva Eich",
    *roles: Role,
    unit: str = "",
    now: datetime | None = None,
    password: str | None = PASSWORD,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
) -> UUID:
    """A person with these roles in a body, able to sign in."""
    moment = now or the_clock()
    with acting_for(body):
        system = Actor.system(body, "test")
        made = services.create_person(
            system,
            email=email,
            display_name=name,
            role=(roles or (Role.CLERK,))[0],
            unit=unit,
            valid_from=valid_from or moment - timedelta(days=1),
            valid_until=valid_until,
            now=moment,
            invite=False,
        )
        for role in roles[1:]:
            services.assign_role(
                system, person_id=made.id, role=role, unit=unit, valid_from=moment - timedelta(days=1), now=moment
            )
        if password is not None and not made.known:
            services.set_initial_password(system, person_id=made.id, password=password, now=moment)
    return made.id


def sign_in(client: Any, email: str = "eva.eich@example.org", password: str = PASSWORD) -> Any:
    return client.post("/anmelden/", {"email": email, "password": password})
