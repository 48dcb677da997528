"""The arithmetic of legal periods in months."""

from calendar import monthrange
from datetime import date


def months_later(day: date, months: int) -> date:
    """The day with the same number `months` later, or the last day of that month if it has no such day (§ 188 BGB)."""
    count = day.year * 12 + day.month - 1 + months
    year, month = divmod(count, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def deemed_clearance(documents_complete: date, months: int = 2) -> date:
    """The last day of the authority's period: at its end no breach counts as asserted (§ 77 (1) KV M-V).

    `months` is the dated legal parameter `clearance_months`; legal acts are possible from the day after.
    """
    return months_later(documents_complete, months)
