"""The legal days of the accession: real days of the calendar, all of them past on the day of the walk.

The house records a legal act when it has happened, so a walk that takes a minute cannot wait for two months of the
authority. What it can do is what an alliance does that begins with the program: enter acts of the last year with their
days. Nothing is told to the clock; the periods are reckoned from the days as they are.
"""

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Days:
    """The days, counted from the one on which the accession takes effect: today."""

    effect: date

    def _ago(self, days: int) -> date:
        return self.effect - timedelta(days=days)

    @property
    def founding(self) -> date:
        """The founding contract of the alliance."""
        return date(self.effect.year - 4, 1, 1)

    @property
    def year_end(self) -> date:
        """The last day of the first run with the new carrier."""
        return date(self.effect.year, 12, 31)

    @property
    def inquiry(self) -> date:
        return self._ago(320)

    @property
    def costs(self) -> date:
        return self._ago(300)

    @property
    def basic_resolution(self) -> date:
        return self._ago(280)

    @property
    def negotiation(self) -> date:
        return self._ago(270)

    @property
    def first_version(self) -> date:
        return self._ago(220)

    @property
    def first_consent(self) -> date:
        return self._ago(205)

    @property
    def second_version(self) -> date:
        return self._ago(190)

    @property
    def consents(self) -> date:
        return self._ago(160)

    @property
    def signature(self) -> date:
        return self._ago(120)

    @property
    def notice(self) -> date:
        return self._ago(110)

    @property
    def complete(self) -> date:
        """The documents are complete: two months from here end before `effect` in every calendar."""
        return self._ago(90)
