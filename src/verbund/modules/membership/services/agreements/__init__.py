"""Writes of the catalogue of services and of what is agreed with whom."""

from .agreeing import agree_service, change_agreement, end_agreement
from .catalogue import define_service, end_service
from .entering import AgreementConflict, BadService, ServiceConflict
from .following import follow_agreements, follow_one

__all__ = [
    "AgreementConflict",
    "BadService",
    "ServiceConflict",
    "agree_service",
    "change_agreement",
    "define_service",
    "end_agreement",
    "end_service",
    "follow_agreements",
    "follow_one",
]
