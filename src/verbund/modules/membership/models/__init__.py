"""Tables of membership."""

from .members import ROOMS, Member

__all__ = ["ROOMS", "Member"]
