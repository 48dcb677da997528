"""Writes: the calendar address of a person, and reminders of deadlines by mail."""

import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256

from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext

from verbund.modules.membership.models import CalendarFeed, Reminder
from verbund.modules.membership.policies import Permission
from verbund.modules.membership.queries.deadlines import deadlines
from verbund.platform import audit
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.policies import own_id
from verbund.platform.identity.queries import PersonRow, people
from verbund.platform.identity.recognition import staff_actor
from verbund.platform.identity.roles import Role
from verbund.platform.tenancy import current_body, local_date, new_id

REMIND_DAYS = (14, 3)  # how long before a deadline people are told


@transaction.atomic
def subscribe_calendar(actor: Actor, *, now: datetime) -> str:
    """Give the actor a secret calendar address (Kalenderabonnement); an earlier one stops working. Returns the secret,
    which is shown once and never stored.

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.SUBSCRIBE_CALENDAR)
    person = own_id(actor)
    CalendarFeed.objects.filter(person_id=person, revoked_at__isnull=True).update(revoked_at=now)
    secret = secrets.token_urlsafe(32)
    feed = CalendarFeed.objects.create(
        id=new_id(), person_id=person, token_sha256=sha256(secret.encode()).hexdigest(), created_at=now
    )
    audit.record(actor, "membership.calendar.subscribed", "membership.feed", feed.id)
    return secret


@transaction.atomic
def revoke_calendar(actor: Actor, *, now: datetime) -> None:
    """Let the actor's calendar address stop working (Widerruf); harmless when there is none.

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.SUBSCRIBE_CALENDAR)
    person = own_id(actor)
    revoked = CalendarFeed.objects.filter(person_id=person, revoked_at__isnull=True).update(revoked_at=now)
    if revoked:
        audit.record(actor, "membership.calendar.revoked", "membership.person", person)


def remind(actor: Actor, *, now: datetime) -> int:
    """Tell the management and the members' representatives by mail of deadlines ahead (Erinnerung), once for each
    deadline and span of `REMIND_DAYS`. Returns how many mails went out. Run daily.

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.SEND_REMINDERS)
    today = local_date(now)
    sent = 0
    for person in _people(actor, now):
        reader = staff_actor(person.id, now=now)
        if reader is None or not policy.allows(reader, Permission.READ_ACCESSIONS):
            continue
        with transaction.atomic():
            due = {}
            for deadline in deadlines(reader, start=today, end=today + timedelta(days=max(REMIND_DAYS))):
                left = (deadline.day - today).days
                span = min(days for days in REMIND_DAYS if left <= days)
                due[f"{deadline.key} {deadline.day} {span}"] = deadline
            told = Reminder.objects.filter(person_id=person.id, deadline__in=due).values_list("deadline", flat=True)
            for key in told:
                due.pop(key)
            if not due:
                continue
            Reminder.objects.bulk_create(
                Reminder(id=new_id(), person_id=person.id, deadline=key, sent_at=now) for key in due
            )
            with translation.override("de"):
                lines = [f"{d.day:%d.%m.%Y}: {d.title}" for d in sorted(due.values(), key=lambda d: d.day)]
                mail = EmailMessage(
                    subject=gettext("Deadlines ahead in the alliance"),
                    body="\n".join(
                        [gettext("These deadlines are coming up:"), "", *lines, "", current_body().name, ""]
                    ),
                    to=[person.email],
                )
            mail.send()
            sent += 1
    if sent:
        audit.record(
            actor, "membership.reminders.sent", "membership.reminder", today.isoformat(), after={"mails": sent}
        )
    return sent


def _people(actor: Actor, now: datetime) -> Iterator[PersonRow]:
    """Those who manage the alliance or speak for a member, with an account that works."""
    after = ""
    while True:
        page = people(actor, after=after, limit=200, now=now)
        for row in page.rows:
            if row.is_active and {Role.ALLIANCE_MANAGER.value, Role.MEMBER_REPRESENTATIVE.value} & set(row.roles):
                yield row
        after = page.next
        if not after:
            return
