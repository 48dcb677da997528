"""Door of membership: writes. `actor` first, keyword-only after it."""

from .members import (
    AlreadyRegistered,
    BadMember,
    MemberNotFound,
    NotTheAlliance,
    register_body,
    switch_rooms,
)

__all__ = [
    "AlreadyRegistered",
    "BadMember",
    "MemberNotFound",
    "NotTheAlliance",
    "register_body",
    "switch_rooms",
]
