"""What the tests of the pages share: people with an account in the alliance, and their browsers."""

from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from verbund.platform.identity import services as identity
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.models import Person
from verbund.platform.identity.recognition import staff_actor
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import now as the_clock


def employ(name: str, role: Role, unit: str = "", *, body: str = "alliance") -> Actor:
    """Somebody with an account; call it inside the body."""
    moment = the_clock() - timedelta(days=1)
    ref = identity.create_person(
        Actor.system(body, "test"),
        email=f"{name.lower().replace(' ', '.')}@example.org",
        display_name=name,
        role=role,
        unit=unit,
        valid_from=moment,
        now=moment,
        invite=False,
    )
    actor = staff_actor(ref.id, now=the_clock())
    assert actor is not None
    return actor


def signed_in(actor: Actor, settings: Any, *, host: str = "verbund.localhost") -> Client:
    """A browser with the session of this person; call it inside the body."""
    from verbund.platform.identity.local.sessions import KIND, SUBJECT, SessionStore
    from verbund.platform.identity.recognition import FACTOR, MARK, PROVED, mark_of

    assert actor.id is not None
    session = SessionStore()
    session[KIND], session[SUBJECT] = "staff", str(actor.id)
    session[MARK], session[FACTOR] = mark_of(Person.objects.get(pk=actor.id)), "totp"
    session[PROVED] = int(timezone.now().timestamp())
    session.save()
    client = Client(headers={"host": host})
    client.cookies[settings.SESSION_COOKIE_NAME] = str(session.session_key)
    return client
