"""The demo's time: what happened over two years, done in the order in which it happened."""

import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

Deed = Callable[[datetime], None]


class Calendar:
    """Deeds with their moments (aware, UTC); `run` does them in order, those at one moment as they were entered.

    A deed may enter further ones; what lies behind the end of the calendar has not happened yet and is never done.
    """

    def __init__(self, end: datetime) -> None:
        self.end = end
        self._deeds: list[tuple[datetime, int, Deed]] = []
        self._numbers = itertools.count()

    def at(self, moment: datetime, deed: Deed) -> bool:
        """Enter a deed; False when it lies in the future and is left out."""
        if moment > self.end:
            return False
        heapq.heappush(self._deeds, (moment, next(self._numbers), deed))
        return True

    def run(self) -> int:
        """Do everything; returns how many deeds."""
        done = 0
        while self._deeds:
            moment, _number, deed = heapq.heappop(self._deeds)
            deed(moment)
            done += 1
        return done


def office_hour(day: date, hours: float = 9.0) -> datetime:
    """A moment of a day, so many hours after midnight UTC."""
    return datetime.combine(day, time(0), UTC) + timedelta(hours=hours)


def working_day(day: date) -> date:
    """The day itself, or the Monday after a weekend."""
    while day.weekday() > 4:
        day += timedelta(days=1)
    return day
