"""The clock: UTC for instants, Europe/Berlin for legal dates."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

LEGAL_ZONE = ZoneInfo("Europe/Berlin")


def now() -> datetime:
    """The present instant, aware, UTC. Only interfaces call it; services get it as an argument."""
    return datetime.now(UTC)


def local_date(instant: datetime) -> date:
    """The legal date (§ 31 VwVfG, §§ 187 ff. BGB) of an aware instant.

    Raises:
        ValueError: for a naive datetime.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant must be aware")
    return instant.astimezone(LEGAL_ZONE).date()
