"""Making the bodies that the alliance wishes for, as the owner of the tables: the piece of provisioning that web and
worker cannot do themselves."""

import time
from typing import Any, Final, NoReturn

import psycopg
import structlog
from django.core.exceptions import ValidationError
from django.db import DatabaseError

from verbund.modules.membership import queries, services
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, Invalid, NotFound, acting_for, bodies, now
from verbund.platform.tenancy.models import Body
from verbund.platform.tenancy.wishes import CHANNEL

from .texts import _

LOOK_AGAIN: Final = 30.0  # seconds: a wish whose call got lost is found by then
log = structlog.get_logger("verbund.body")


def prepare_wished() -> int:
    """Make every tenant that is wished for now; returns how many could not be made."""
    alliance = Body.objects.filter(is_alliance=True).first()
    if alliance is None:
        return 0
    actor = Actor.system(alliance.schema_name, "verbund body prepare")
    with acting_for(alliance):
        wishes = queries.wished_tenants(actor)
    failed = 0
    for wish in wishes:
        begun = time.monotonic()
        problem = _make(wish)
        failed += bool(problem)
        with acting_for(alliance):
            services.note_tenant(actor, provisioning_id=wish.provisioning_id, problem=problem, now=now())
        log.info("tenant", schema=wish.schema_name, seconds=round(time.monotonic() - begun, 2), failed=bool(problem))
    return failed


def _make(wish: queries.TenantWish) -> str:
    """Make one tenant; returns in words what stands in the way."""
    facts: dict[str, Any] = {"ags": wish.ags, "ars": wish.ars, "accent_colour": wish.accent_colour}
    there = Body.objects.filter(schema_name=wish.schema_name).first()
    if there is not None and there.slug != wish.slug:
        return _("Another body here has the name {name}.").format(name=wish.schema_name)
    try:
        bodies.create_body(
            schema_name=wish.schema_name,
            slug=wish.slug,
            name=wish.name,
            kind=wish.kind,
            hosts=wish.hosts,
            letterhead=wish.letterhead,
            rooms=[],
            **facts,
        )
    except ValidationError as error:
        return "; ".join(f"{field}: {' '.join(words)}" for field, words in error.message_dict.items())
    except (DatabaseError, Invalid, Conflict, NotFound) as error:
        log.error("tenant failed", schema=wish.schema_name, error=type(error).__name__)
        return str(error).splitlines()[0][:300]
    return ""


def watch_wishes(address: str) -> NoReturn:
    """Make what is wished for until the process is ended: at once when called, and looked for every half minute."""
    while True:
        try:
            with psycopg.connect(address, autocommit=True) as connection:
                connection.execute(f"LISTEN {CHANNEL}")
                while True:
                    prepare_wished()
                    for _notice in connection.notifies(timeout=LOOK_AGAIN, stop_after=1):
                        pass
        except (psycopg.OperationalError, DatabaseError) as error:
            log.warning("the database is away", error=type(error).__name__)
            time.sleep(2)
