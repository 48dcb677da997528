"""Views of membership."""

from .members import member, members, switch

__all__ = ["member", "members", "switch"]
