"""Periods of days in the tables: both ends are included, an empty end is open."""

from datetime import date
from typing import Any, Final

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db.models import F, Func, Q, Value

ENDS_AFTER_BEGIN: Final = Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from"))
RECORDED_NOW: Final = Q(recorded_until__isnull=True)


def in_force(day: date, prefix: str = "") -> Q:
    """Valid on `day`."""
    return Q(**{f"{prefix}valid_from__lte": day}) & (
        Q(**{f"{prefix}valid_until__isnull": True}) | Q(**{f"{prefix}valid_until__gte": day})
    )


def overlapping(start: date | Value, end: date | Value) -> Q:
    """Valid on at least one day from `start` to `end`."""
    return Q(valid_from__lte=end) & (Q(valid_until__isnull=True) | Q(valid_until__gte=start))


def never_twice(name: str, *fields: str, condition: Q | None = None) -> ExclusionConstraint:
    """No two rows with the same `fields` (none: no two rows at all) are valid on the same day.

    The fields are compared by a hash as a range of one number: GiST compares ranges without an extension, UUIDs not.
    """
    options: dict[str, Any] = {} if condition is None else {"condition": condition}
    number = "hashtextextended(%(expressions)s::text, 0)"
    # The order of the options is the migrations': the comparison of the two looks at it.
    same = Func(*fields, arg_joiner="::text || ':' || ", template=f"int8range({number}, {number}, '[]')")
    days = Func("valid_from", "valid_until", template="daterange(%(expressions)s, '[]')")
    overlap = [(same, RangeOperators.OVERLAPS)] if fields else []
    return ExclusionConstraint(name=name, expressions=[*overlap, (days, RangeOperators.OVERLAPS)], **options)
