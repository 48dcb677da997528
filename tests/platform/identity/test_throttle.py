"""Counters against guessing."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from tests.races import at_once

from verbund.platform.identity import throttle
from verbund.platform.identity.local.models import Attempts
from verbund.platform.identity.throttle import Blocked, Limit
from verbund.platform.tenancy import acting_for

LIMIT = Limit(count=3, window=timedelta(minutes=10), block=timedelta(minutes=1))


@pytest.mark.django_db
def test_attempts_far_apart_do_not_add_up(alpha: Any, now: datetime) -> None:
    for number in range(6):
        assert not throttle.count("test", "key", LIMIT, now=now + timedelta(minutes=10 * number))


@pytest.mark.django_db
def test_blocks_double_up_to_an_hour_and_end_by_a_success(alpha: Any, now: datetime) -> None:
    waits = []
    for _ in range(12):
        if throttle.count("test", "key", LIMIT, now=now):
            with pytest.raises(Blocked) as blocked:
                throttle.check("test", "key", now=now)
            waits.append(blocked.value.seconds)
            now += timedelta(seconds=blocked.value.seconds)
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600]
    throttle.forget("test", "key")
    throttle.check("test", "key", now=now)


@pytest.mark.django_db
def test_scopes_and_keys_are_counted_apart_and_stored_as_digests(alpha: Any, now: datetime) -> None:
    for _ in range(3):
        throttle.count("test", "eva@example.org", LIMIT, now=now)
    throttle.check("test", "udo@example.org", now=now)
    throttle.check("other", "eva@example.org", now=now)
    with pytest.raises(Blocked):
        throttle.check("test", "eva@example.org", now=now)
    assert "eva" not in Attempts.objects.get().key


@pytest.mark.django_db
def test_counters_nobody_touches_are_cleared_after_a_day(alpha: Any, now: datetime) -> None:
    throttle.count("test", "key", LIMIT, now=now)
    assert throttle.clear(now=now + timedelta(hours=23)) == 0
    assert throttle.clear(now=now + timedelta(hours=25)) == 1


def test_attempts_at_the_same_time_are_all_counted(real_database: str) -> None:
    moment = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    limit = Limit(count=1000, window=timedelta(minutes=10), block=timedelta(minutes=1))

    def guess() -> None:
        for _ in range(5):
            throttle.count("test", "key", limit, now=moment)

    assert at_once([guess] * 4, body="alpha") == [None] * 4
    with acting_for("alpha"):
        assert Attempts.objects.get().count == 20


@pytest.mark.parametrize(
    ("proxies", "forwarded", "found"),
    [
        (0, "198.51.100.1", "203.0.113.9"),
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "10.0.0.1, 198.51.100.1", "198.51.100.1"),  # the left one is the client's own invention
        (2, "10.0.0.1, 198.51.100.1, 192.0.2.2", "198.51.100.1"),
        (2, "198.51.100.1", "203.0.113.9"),
        (1, "nonsense", ""),
    ],
)
def test_the_address_is_the_one_that_the_outermost_proxy_saw(
    settings: Any, proxies: int, forwarded: str, found: str
) -> None:
    settings.VERBUND_TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR="203.0.113.9", HTTP_X_FORWARDED_FOR=forwarded)
    assert throttle.address_of(request) == found


def test_a_customer_with_many_ipv6_addresses_is_one_customer() -> None:
    assert throttle.network_of("2001:db8:1:2:3:4:5:6") == throttle.network_of("2001:db8:1:2::9") == "2001:db8:1:2::/64"
    assert throttle.network_of("192.0.2.7") == "192.0.2.7"


@given(st.text(max_size=60))
def test_no_text_makes_the_address_fail(text: str) -> None:
    throttle.network_of(text)


def test_of_many_guesses_at_once_no_more_are_looked_at_than_the_limit(real_database: str, now: datetime) -> None:
    """Counting before looking: threads that all pass the first question are still held at the row."""
    limit = Limit(count=3, window=timedelta(minutes=15), block=timedelta(minutes=1))

    def guess() -> str:
        throttle.attempt("guess", "somebody", limit, now=now)
        time.sleep(0.05)  # the look, which takes its time
        return "looked at"

    found = at_once([guess] * 8, body="alpha")
    assert found.count("looked at") == limit.count
    assert [type(other) for other in found if other != "looked at"] == [Blocked] * 5


def test_an_attempt_that_was_right_is_given_back_and_those_before_it_count_on(alpha: Any, now: datetime) -> None:
    limit = Limit(count=3, window=timedelta(minutes=15), block=timedelta(minutes=1))
    for _right in range(10):
        throttle.attempt("guess", "town hall", limit, now=now)
        throttle.give_back("guess", "town hall", limit)
    assert [throttle.attempt("guess", "town hall", limit, now=now) for _wrong in range(3)] == [False, False, True]
    with pytest.raises(Blocked):
        throttle.attempt("guess", "town hall", limit, now=now)
