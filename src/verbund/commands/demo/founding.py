"""Founding the demo's bodies: schemas as the owner, then people, file plan and services through the doors."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from .facts import CITIZEN, CITIZEN_NAME, PASSWORD, DemoBody, units

FOUNDED: Final = datetime(2024, 12, 2, 8, 0, tzinfo=UTC)  # before the first fiscal year of the demo


def found(body: DemoBody) -> None:
    """Schema, role, tables and hosts of a body; as the owner, harmless when repeated."""
    from verbund.platform.tenancy.bodies import create_body

    create_body(
        schema_name=body.schema,
        slug=body.slug,
        name=body.name,
        kind=body.kind,
        hosts=[body.host],
        ags=body.ags,
        ars=body.ars,
        is_alliance=body.is_alliance,
        rooms=body.rooms,
        accent_colour=body.colour,
        letterhead=body.letterhead,
    )


def register(alliance: DemoBody, bodies: Iterable[DemoBody]) -> None:
    """Enter the bodies in the alliance's list of members."""
    from verbund.modules.membership import services as membership
    from verbund.platform.identity.actor import Actor
    from verbund.platform.tenancy import acting_for

    with acting_for(alliance.schema):
        actor = Actor.system(alliance.schema, "verbund demo")
        for body in bodies:
            membership.register_body(
                actor,
                name=body.name,
                kind=body.kind,
                ags=body.ags,
                ars=body.ars,
                slug=body.slug,
                schema_name=body.schema,
                rooms=body.rooms,
                now=FOUNDED,
            )


def enlist(actor: Any, body: DemoBody) -> None:
    """Units, one colleague per role with a password, and a citizen with an account."""
    from verbund.platform.identity import services as identity
    from verbund.platform.identity.roles import Role

    for code, name in units().items():
        identity.create_unit(actor, code=code, name=name, now=FOUNDED)
    for colleague in body.colleagues:
        role = Role(colleague.role)
        person = identity.create_person(
            actor,
            email=colleague.email,
            display_name=colleague.name,
            role=role,
            unit=colleague.units[0],
            valid_from=FOUNDED,
            now=FOUNDED,
            invite=False,
        )
        for unit in colleague.units[1:]:
            identity.assign_role(actor, person_id=person.id, role=role, unit=unit, valid_from=FOUNDED, now=FOUNDED)
        identity.set_initial_password(actor, person_id=person.id, password=PASSWORD, now=FOUNDED)


def enlist_citizen(actor: Any, now: datetime) -> None:
    """The account of the demo's citizen, opened with the link that the e-mail would have carried."""
    from verbund.platform.identity import services as identity
    from verbund.platform.identity.actor import Actor
    from verbund.platform.identity.local.models import CitizenAccount, Token
    from verbund.platform.identity.services.links import issue

    guest = Actor.guest(actor.body, "verbund demo")
    identity.register_citizen(guest, email=CITIZEN, name=CITIZEN_NAME, address="127.0.0.1", language="de", now=now)
    account = CitizenAccount.objects.get(email=CITIZEN)
    secret = issue(Token.Kind.CITIZEN_EMAIL, account.id, now=now)
    identity.confirm_email(guest, secret=secret, password=PASSWORD, now=now)


def staff(body: DemoBody) -> dict[str, Any]:
    """The actors of the body's colleagues by role; of two with one role the first."""
    from verbund.platform.identity.models import Person
    from verbund.platform.identity.recognition import staff_actor
    from verbund.platform.tenancy import now

    people = {p.email: p.id for p in Person.objects.filter(email__in=[c.email for c in body.colleagues])}
    found: dict[str, Any] = {}
    for colleague in body.colleagues:
        actor = staff_actor(people[colleague.email], now=now(), request_id="verbund demo")
        found.setdefault(colleague.role, actor)
        found[colleague.email] = actor
    return found
