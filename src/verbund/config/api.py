"""The interface of all rooms for machines, version 1."""

from typing import Final

from verbund.modules.budget.rest import router as budget
from verbund.modules.citizenservices.rest import router as citizenservices
from verbund.modules.membership.rest import router as membership
from verbund.modules.records.rest import router as records
from verbund.platform.rest.doors import Interface

API: Final = Interface(
    title="Verbund",
    version="1",
    description="Cases, applications and the budget of one body, for its other systems. Every body has an interface of "
    "its own under its own host name; a key of one body is unknown to the others.",
)
API.add_router("/records", records)
API.add_router("/budget", budget)
API.add_router("/citizenservices", citizenservices)
API.add_router("/membership", membership)
