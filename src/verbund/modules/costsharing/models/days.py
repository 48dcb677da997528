"""Days and spans of days: pro rata is reckoned by the day, 365 or 366 a year. Knows no tables."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Span (Zeitraum): days from `first` to `last`, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days; 0 or less when there are none."""
        return (self.last - self.first).days + 1

    def within(self, other: "Span") -> "Span | None":
        """The days both have, or None."""
        first, last = max(self.first, other.first), min(self.last, other.last)
        return Span(first, last) if first <= last else None


def year_span(year: int) -> Span:
    """All days of a calendar year."""
    return Span(date(year, 1, 1), date(year, 12, 31))


def days_of_year(year: int) -> int:
    """365 or 366."""
    return year_span(year).days


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same days as spans that neither overlap nor touch, in order."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.first <= found[-1].last + ONE_DAY:
            found[-1] = Span(found[-1].first, max(found[-1].last, span.last))
        else:
            found.append(span)
    return found


def common(left: Iterable[Span], right: Iterable[Span]) -> list[Span]:
    """The days that lie in one of `left` and in one of `right`."""
    others = list(right)
    return merged(part for span in left for other in others if (part := span.within(other)))


def missing(whole: Sequence[Span], covered: Iterable[Span]) -> list[Span]:
    """The days of `whole` that lie in none of `covered`."""
    gaps: list[Span] = []
    known = merged(covered)
    for span in whole:
        start = span.first
        for part in known:
            if part.last < start or part.first > span.last:
                continue
            if part.first > start:
                gaps.append(Span(start, part.first - ONE_DAY))
            start = part.last + ONE_DAY
        if start <= span.last:
            gaps.append(Span(start, span.last))
    return gaps


def cut(span: Span, at: Iterable[date]) -> list[Span]:
    """`span` in pieces, each beginning at the span's first day or at one of the days `at`."""
    starts = sorted({span.first, *(day for day in at if span.first < day <= span.last)})
    ends = [day - ONE_DAY for day in starts[1:]] + [span.last]
    return [Span(first, last) for first, last in zip(starts, ends)]
