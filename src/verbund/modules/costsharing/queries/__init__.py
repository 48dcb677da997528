"""Door of the cost sharing room: reads. Every query begins with what the actor may see."""

from .agreed import agreed_between, carrier_days, chargeable_days
from .costs import CentreRow, CostSheet, cost_sheet, current_plan
from .findings import FindingRow
from .gathering import gather
from .members import BillableService, Party, catalogue, names_shown, parties

__all__ = [
    "BillableService",
    "CentreRow",
    "CostSheet",
    "FindingRow",
    "Party",
    "agreed_between",
    "carrier_days",
    "catalogue",
    "chargeable_days",
    "cost_sheet",
    "current_plan",
    "gather",
    "names_shown",
    "parties",
]
