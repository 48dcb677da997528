"""The newest of many hits, found without looking at all of them.

The index gives what it finds in no order; to sort a hundred thousand hits for a page of fifty would take longer the
more a body has filed. So the days are asked backwards, by their marks: first as many as would hold a page if all hits
were the actor's; then more, as many as what was found tells. Few hits are asked for at once.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from math import ceil
from typing import Any, Final

from django.db.models.functions import Coalesce

from verbund.modules.records.models import SearchEntry
from verbund.modules.records.models.search import day_marks
from verbund.platform.tenancy.kept import KeptRows, given

from .tsquery import Words, one_of

FEW: Final = 1_000  # estimated hits that are read at once
MORE: Final = 1.5  # times as many hits as are wanted should lie in the days that are asked
GROWS: Final = 8  # times as many days are asked next when none of them had a hit

# In words that no index of dates knows: PostgreSQL would walk back through it for a word that nothing has.
NEWEST_FIRST: Final = (Coalesce("happened_at", "happened_at").desc(), "-id")

Rows = list[tuple[Any, ...]]


def newest(
    found: Callable[[str, str], Rows],
    words: str,
    *,
    wanted: int,
    first: datetime | None = None,
    last: datetime | None = None,
) -> Rows:
    """The `wanted` newest of the entries with `words`.

    Args:
        found: gives them for the words and for marks of days ("" for all days), the newest first and not more of them.
        first, last: instants before and after which no entry is wanted.
    """
    likely = _expected().expected(query=words)
    if likely <= FEW:
        return found(words, "")
    span = [at for (at,) in _span().all()]
    if not span:
        return []
    until, since = min(span[0], last or span[0]), max(span[-1], first or span[-1])
    if until < since:
        return []
    days = (until - since).days + 1
    asked = ceil(days * MORE * wanted / likely)
    while asked < days // 2:
        rows = found(words, one_of(day_marks(until - timedelta(days=asked - 1), until)))
        if len(rows) >= wanted:
            return rows
        asked = max(2 * asked, ceil(asked * MORE * wanted / len(rows))) if rows else GROWS * asked
    return found(words, "" if first is None else one_of(day_marks(since, until)))


@cache
def _expected() -> KeptRows:
    """The entries with the words, whoever may see them: where they stand is nothing that estimates know about."""
    return KeptRows(SearchEntry.objects.filter(Words(given("query"))).values_list("id"))


@cache
def _span() -> KeptRows:
    """When the newest and the oldest entry happened."""
    at = SearchEntry.objects.values_list("happened_at")
    return KeptRows(at.order_by("-happened_at", "-id")[:1].union(at.order_by("happened_at", "id")[:1], all=True))
