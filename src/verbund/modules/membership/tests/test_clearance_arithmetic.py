"""M3: two full months, the same number or the month's last day."""

from calendar import monthrange
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verbund.modules.membership.models import deemed_clearance, months_later


@pytest.mark.parametrize(
    ("complete", "ends"),
    [
        (date(2026, 2, 24), date(2026, 4, 24)),
        (date(2026, 8, 31), date(2026, 10, 31)),
        (date(2026, 7, 31), date(2026, 9, 30)),
        (date(2026, 12, 28), date(2027, 2, 28)),
        (date(2026, 12, 29), date(2027, 2, 28)),
        (date(2026, 12, 30), date(2027, 2, 28)),
        (date(2026, 12, 31), date(2027, 2, 28)),
        (date(2027, 12, 29), date(2028, 2, 29)),
        (date(2027, 12, 30), date(2028, 2, 29)),
        (date(2028, 2, 29), date(2028, 4, 29)),
        (date(2023, 12, 29), date(2024, 2, 29)),
        (date(2026, 11, 30), date(2027, 1, 30)),
        (date(2026, 10, 15), date(2026, 12, 15)),
        (date(2026, 11, 15), date(2027, 1, 15)),
    ],
)
def test_m3_the_same_number_two_months_later_or_the_last_day(complete: date, ends: date) -> None:
    assert deemed_clearance(complete) == ends


@given(st.dates(date(2000, 1, 1), date(2200, 12, 31)), st.integers(0, 40))
def test_m3_for_any_day_and_any_number_of_months(day: date, months: int) -> None:
    ends = months_later(day, months)
    assert (ends.year * 12 + ends.month) - (day.year * 12 + day.month) == months
    assert ends.day == min(day.day, monthrange(ends.year, ends.month)[1])


@given(st.dates(date(2000, 1, 1), date(2200, 12, 31)))
def test_m3_a_day_later_never_ends_earlier(day: date) -> None:
    assert deemed_clearance(day) <= deemed_clearance(day + timedelta(days=1))
