"""Reads: the deadlines as a calendar that programs subscribe to."""

from datetime import datetime, timedelta
from hashlib import sha256

from icalendar import Calendar, Event

from verbund.modules.membership.models import CalendarFeed
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.recognition import staff_actor
from verbund.platform.tenancy import NotFound, local_date

from .deadlines import deadlines


class FeedNotFound(NotFound):
    """No such address, or it was revoked, or its owner works here no more."""


def has_feed(actor: Actor) -> bool:
    """Whether the actor has a calendar address that works."""
    return actor.id is not None and CalendarFeed.objects.filter(person_id=actor.id, revoked_at=None).exists()


def calendar_feed(actor: Actor, *, secret: str, now: datetime) -> bytes:
    """The deadlines from a month back to two years ahead as iCalendar (RFC 5545), with the rights of the person whose
    secret it is; `actor` is whoever asks and need not be anybody.

    Raises:
        FeedNotFound
    """
    digest = sha256(secret.encode()).hexdigest()
    feed = CalendarFeed.objects.filter(token_sha256=digest, revoked_at=None).first()
    person = None if feed is None else staff_actor(feed.person_id, now=now, request_id=actor.request_id)
    if person is None:
        raise FeedNotFound
    today = local_date(now)
    calendar = Calendar()
    calendar.add("prodid", "-//Verbund//membership//DE")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    for deadline in deadlines(person, start=today - timedelta(days=31), end=today + timedelta(days=731)):
        event = Event()
        event.add("uid", f"{deadline.key}-{deadline.day:%Y%m%d}@{person.body}.verbund")
        event.add("summary", deadline.title)
        event.add("dtstart", deadline.day)
        event.add("dtend", deadline.day + timedelta(days=1))
        event.add("dtstamp", now)
        event.add("description", "\n".join(part for part in (deadline.who, deadline.legal_basis) if part))
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    return bytes(calendar.to_ical())
