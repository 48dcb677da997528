"""Forms of membership."""

from .members import ROOM_NAMES, RoomsForm

__all__ = ["ROOM_NAMES", "RoomsForm"]
