"""Throttle (Drosselung): durable counters against guessing, per scope and key, in the body's own schema.

A scope counts attempts of a key - an account, a network address, a tracking code - within a window. Above the limit
the key is blocked, each time twice as long up to an hour. The counters survive a restart and hold for all processes.

An attempt is counted before it is looked at, and given back when it was right: of any number of guesses at the same
moment no more are looked at than the limit allows.
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import ngettext

from .local.models import Attempts


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` attempts within `window`; then blocked for `block`, doubling up to an hour."""

    count: int
    window: timedelta
    block: timedelta


class Blocked(Exception):  # noqa: N818 - reads as the answer
    """Too many attempts; `seconds` is the waiting time."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"blocked for {seconds} s")
        self.seconds = seconds

    @property
    def message(self) -> str:
        """The refusal with the waiting time, for the person who tried."""
        minutes = -(-self.seconds // 60)
        return ngettext(
            "There were too many failed attempts. Please wait %(n)d minute and try again.",
            "There were too many failed attempts. Please wait %(n)d minutes and try again.",
            minutes,
        ) % {"n": minutes}


LONGEST_BLOCK = timedelta(hours=1)


def check(scope: str, key: str, *, now: datetime) -> None:
    """Let pass unless `key` is blocked.

    Raises:
        Blocked: with the waiting time.
    """
    until = (
        Attempts.objects.filter(scope=scope, key=_digest(key), blocked_until__gt=now)
        .values_list("blocked_until", flat=True)
        .first()
    )
    if until is not None:
        raise Blocked(max(1, int((until - now).total_seconds())))


def attempt(scope: str, key: str, limit: Limit, *, now: datetime) -> bool:
    """Count one attempt of `key` before it is made; True when it is the last one for now.

    Raises:
        Blocked: with the waiting time; the attempt must not be made.
    """
    with transaction.atomic():
        check(scope, key, now=now)
        row = _locked(scope, key, now)
        if row.blocked_until is not None and row.blocked_until > now:  # while we waited for the row
            raise Blocked(max(1, int((row.blocked_until - now).total_seconds())))
        return _counted(row, limit, now)


def give_back(scope: str, key: str, limit: Limit) -> None:
    """The attempt was right: it counts no more, but those before it do."""
    with transaction.atomic():
        row = Attempts.objects.select_for_update().filter(scope=scope, key=_digest(key)).first()
        if row is not None:
            row.count = max(0, row.count - 1)
            if row.count < limit.count:
                row.blocked_until = None
            row.save(update_fields=["count", "blocked_until"])


def count(scope: str, key: str, limit: Limit, *, now: datetime) -> bool:
    """Count one attempt of `key` that was made; True when it is blocked from now on."""
    with transaction.atomic():
        return _counted(_locked(scope, key, now), limit, now)


def _locked(scope: str, key: str, now: datetime) -> Attempts:
    """The counter, its row locked until the transaction ends."""
    made = Attempts(scope=scope, key=_digest(key), count=0, window_from=now)
    Attempts.objects.bulk_create([made], ignore_conflicts=True)
    return Attempts.objects.select_for_update().get(scope=scope, key=made.key)


def _counted(row: Attempts, limit: Limit, now: datetime) -> bool:
    idle_since = max(row.window_from, row.blocked_until or row.window_from)
    if idle_since + limit.window <= now:
        row.count, row.window_from, row.blocked_until = 0, now, None
    row.count += 1
    if row.count >= limit.count:
        times = min(row.count - limit.count, 10)
        row.blocked_until = now + min(limit.block * 2**times, LONGEST_BLOCK)
    row.save(update_fields=["count", "window_from", "blocked_until"])
    return row.blocked_until is not None and row.blocked_until > now


def forget(scope: str, key: str) -> None:
    """Begin anew for `key`, after a success."""
    Attempts.objects.filter(scope=scope, key=_digest(key)).delete()


def clear(*, now: datetime) -> int:
    """Delete the counters nobody has touched for a day; returns how many."""
    return Attempts.objects.filter(window_from__lt=now - timedelta(days=1)).exclude(blocked_until__gt=now).delete()[0]


def address_of(request: HttpRequest) -> str:
    """The network address a request came from.

    Behind VERBUND_TRUSTED_PROXIES reverse proxies (default 0) it is the entry of X-Forwarded-For that the
    outermost of them wrote; anything further left is the client's own invention.
    """
    remote = request.META.get("REMOTE_ADDR", "")
    proxies = int(getattr(settings, "VERBUND_TRUSTED_PROXIES", 0))
    if proxies:
        hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
        if len(hops) >= proxies:
            remote = hops[-proxies]
    try:
        return str(ipaddress.ip_address(remote))
    except ValueError:
        return ""


def network_of(address: str) -> str:
    """What is counted for an address: IPv4 as it is, IPv6 its /64, which one customer usually owns."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _digest(key: str) -> str:
    return sha256(b"verbund.throttle:" + key.encode()).hexdigest()
