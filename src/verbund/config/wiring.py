"""Wiring: which event is heard by whom, and what stands in the navigation. The only page that knows every room."""

from collections.abc import Callable, Mapping
from typing import Any, Final

HEARERS: Final[Mapping[type[Any], tuple[Callable[..., None], ...]]] = {}

NAVIGATION: Final[tuple[Any, ...]] = ()

# (cron line in UTC, function of a room's tasks.py); run once per body
TIMED_WORK: Final[tuple[tuple[str, Callable[..., None]], ...]] = ()
