"""Endpoints of membership: the members, on the alliance's own host."""

from typing import Any

from ninja import Router

from verbund.modules.membership import queries
from verbund.modules.membership.policies import Permission
from verbund.platform.rest.doors import MachineRequest, needs

from .schemas import MemberRead

router = Router(tags=["membership"])


@router.get("/members", response=list[MemberRead], operation_id="list_members")
@needs(Permission.READ_MEMBERS)
def list_members(request: MachineRequest) -> Any:
    """The members of the alliance."""
    return queries.list_members(request.actor)
