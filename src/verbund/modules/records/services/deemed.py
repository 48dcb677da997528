"""The day on which a letter counts as made known."""

from datetime import date, timedelta
from functools import cache
from typing import Final

import holidays

DEEMED_AFTER: Final = 4  # days after posting or making available, since 2025-01-01 (PostModG)
_SINCE: Final = date(2025, 1, 1)
_BEFORE: Final = 3


@cache
def _holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("DE", subdiv="MV", years=year))


def is_working_day(day: date) -> bool:
    """Whether `day` is neither a Saturday, a Sunday nor a public holiday in Mecklenburg-Vorpommern."""
    return day.weekday() < 5 and day not in _holidays(day.year)


def deemed_on(sent_on: date) -> date:
    """The day on which a letter posted or made available on `sent_on` counts as made known (Bekanntgabefiktion).

    The fourth day after it (§ 41 (2) VwVfG, § 122 (2) and § 122a (4) AO, § 9 OZG; the third before 2025), moved to
    the next working day if it is none (§ 31 (3) VwVfG, § 108 (3) AO, § 193 BGB): the reading that favours the
    recipient.
    """
    day = sent_on + timedelta(days=DEEMED_AFTER if sent_on >= _SINCE else _BEFORE)
    while not is_working_day(day):
        day += timedelta(days=1)
    return day
