"""Nobody hears the events of the demo's past: the loader calls what hearers would call, with the clock of that day."""

from collections.abc import Callable, Mapping
from typing import Any, Final

HEARERS: Final[Mapping[type[Any], tuple[Callable[..., None], ...]]] = {}
