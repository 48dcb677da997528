"""Nobody hears the events of the demo's past: the loader calls what hearers would call, with the clock of that day."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

HEARERS: Final[Mapping[type[Any], tuple[Callable[..., None], ...]]] = {}
SILENT: Final = f"{__name__}.HEARERS"


@contextmanager
def heard() -> Iterator[None]:
    """Within, events are told to those who hear them in an installation: what happens is of today."""
    from django.conf import settings

    from verbund.platform.events.publishing import hearers

    settings.EVENT_HEARERS = "verbund.config.wiring.HEARERS"
    hearers.cache_clear()
    try:
        yield
    finally:
        settings.EVENT_HEARERS = SILENT
        hearers.cache_clear()
