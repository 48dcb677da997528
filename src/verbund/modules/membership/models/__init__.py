"""Tables of membership."""

from .agreements import AllianceService, MeasuredUnit, PriceBasis, ServiceAgreement, ServiceVersion
from .members import ROOMS, Member

__all__ = [
    "ROOMS",
    "AllianceService",
    "MeasuredUnit",
    "Member",
    "PriceBasis",
    "ServiceAgreement",
    "ServiceVersion",
]
