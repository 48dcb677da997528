"""A shelf (Ablage): values that a process keeps for all bodies, bounded by their size and not by their number."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


class Shelf(Generic[_Value]):
    """Keeps what was asked for last, up to `limit` in the unit of the caller's `size`; safe among threads.

    A value that is larger than half of the shelf is never kept: one body's huge form must not push out everybody's.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0
        self._values: OrderedDict[Hashable, tuple[_Value, int]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> _Value | None:
        """The value kept under `key`, or None."""
        with self._lock:
            found = self._values.get(key)
            if found is None:
                return None
            self._values.move_to_end(key)
            return found[0]

    def keep(self, key: Hashable, value: _Value, size: int) -> _Value:
        """Keep `value`, if it is not too large, and let go what was not asked for longest. Returns it."""
        if size * 2 > self.limit:
            return value
        with self._lock:
            self.held += size - self._values.pop(key, (value, 0))[1]
            self._values[key] = (value, size)
            while self.held > self.limit:
                self.held -= self._values.popitem(last=False)[1][1]
        return value
