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
from .carriers import (
    CapitalFacts,
    CarrierFacts,
    CarrierPeriod,
    capital_on,
    carrier_history,
    carriers_between,
    carriers_on,
    percentages,
)
from .members import MemberFacts, list_members, member

__all__ = [
    "AgreementFacts",
    "AgreementNotFound",
    "CapitalFacts",
    "CarrierFacts",
    "CarrierPeriod",
    "MemberFacts",
    "ServiceFacts",
    "agreed_rooms",
    "agreement",
    "agreements",
    "agreements_of",
    "capital_on",
    "carrier_history",
    "carriers_between",
    "carriers_on",
    "list_members",
    "member",
    "percentages",
    "service_versions",
    "services_on",
]
