"""Door of membership: reads. Every query starts from what the actor may see."""

from .agreements import (
    AgreementFacts,
    AgreementNotFound,
    ServiceFacts,
    agreed_rooms,
    agreement,
    agreements,
    agreements_of,
    service_versions,
    services_on,
)
from .members import MemberFacts, list_members, member

__all__ = [
    "AgreementFacts",
    "AgreementNotFound",
    "MemberFacts",
    "ServiceFacts",
    "agreed_rooms",
    "agreement",
    "agreements",
    "agreements_of",
    "list_members",
    "member",
    "service_versions",
    "services_on",
]
