"""Tenancy (Mandantentrennung): every public body has a schema and a database role of its own.

`acting_for(body)` enters a body, `current_body()` says which one the connection works for. The wall itself stands in
PostgreSQL (`backend/`, `roles.py`); nothing here is more than the door to it.
"""

from .clock import local_date, now
from .context import BodyFacts, NestedSwitch, NoBody, acting_for, current_body
from .errors import Conflict, Invalid, NotFound
from .ids import new_id
from .prepared import prepared_statements
from .transactions import part_of_transaction, whole_transaction

__all__ = [
    "BodyFacts",
    "Conflict",
    "Invalid",
    "NestedSwitch",
    "NoBody",
    "NotFound",
    "acting_for",
    "current_body",
    "local_date",
    "new_id",
    "now",
    "part_of_transaction",
    "prepared_statements",
    "whole_transaction",
]
