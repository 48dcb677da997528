"""Door of membership: writes. `actor` first, keyword-only after it."""

from .agreements import (
    AgreementConflict,
    BadService,
    ServiceConflict,
    agree_service,
    define_service,
    end_agreement,
    follow_agreements,
)
from .members import (
    AlreadyRegistered,
    BadMember,
    MemberNotFound,
    NotProvisioned,
    NotTheAlliance,
    register_body,
    switch_rooms,
)

__all__ = [
    "AgreementConflict",
    "AlreadyRegistered",
    "BadMember",
    "BadService",
    "MemberNotFound",
    "NotProvisioned",
    "NotTheAlliance",
    "ServiceConflict",
    "agree_service",
    "define_service",
    "end_agreement",
    "follow_agreements",
    "register_body",
    "switch_rooms",
]
