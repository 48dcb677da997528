"""Endpoints of citizenservices: the catalogue, the inbox, applications."""

from typing import Annotated, Any
from uuid import UUID

from ninja import Path, Query, Router
from pydantic import StringConstraints

from verbund.modules.citizenservices import queries, services
from verbund.modules.citizenservices.policies import Permission
from verbund.platform.rest.doors import MachineRequest, needs, open_to_all
from verbund.platform.tenancy import now

from .schemas import (
    ApplicationRead,
    Decide,
    Decided,
    InboxPage,
    InboxQuery,
    ServiceCard,
    ServiceQuery,
    ServiceRead,
    TakenOver,
    TakeOver,
)

router = Router(tags=["citizenservices"])


@router.get("/services", response=list[ServiceCard], operation_id="list_services")
@open_to_all("the catalogue of services stands in the portal for everybody")
def list_services(request: MachineRequest, asked: Query[ServiceQuery]) -> Any:
    """The published services, or those that fit a search."""
    if asked.text.strip():
        return queries.find_services(request.actor, asked.text)
    return [card for topic in queries.topics(request.actor) for card in topic.services]


@router.get("/services/{slug}", response=ServiceRead, operation_id="read_service")
@open_to_all("the page of a service stands in the portal for everybody")
def read_service(request: MachineRequest, slug: Path[Annotated[str, StringConstraints(max_length=200)]]) -> Any:
    """One published service."""
    return queries.service(request.actor, slug)


@router.get("/applications", response=InboxPage, operation_id="list_applications")
@needs(Permission.READ_APPLICATION)
def list_applications(request: MachineRequest, asked: Query[InboxQuery]) -> Any:
    """Applications that the key may see, the most urgent first; without a state the undecided ones."""
    filters = queries.InboxFilters(
        state=asked.state or "",
        unit=asked.unit,
        service_id=asked.service_id,
        mine=asked.mine,
        nobody=asked.nobody,
        undecided=asked.undecided,
    )
    page = queries.inbox(request.actor, filters=filters, after=asked.after, limit=asked.limit)
    return {"items": page.rows, "next": page.next}


@router.get("/applications/{uuid:application_id}", response=ApplicationRead, operation_id="read_application")
@needs(Permission.READ_APPLICATION)
def read_application(request: MachineRequest, application_id: UUID) -> Any:
    """One application with its answers."""
    return queries.application(request.actor, application_id, now=now())


@router.post("/applications/{uuid:application_id}/take-over", response={200: TakenOver}, operation_id="take_over")
@needs(Permission.PROCESS_APPLICATION)
def take_over(request: MachineRequest, application_id: UUID, sent: TakeOver) -> Any:
    """Take an application over; of two at once the second is told who was first."""
    version = services.take_over(
        request.actor, application_id=application_id, expected_version=sent.expected_version, now=now()
    )
    return {"id": application_id, "version": version}


@router.post("/applications/{uuid:application_id}/decide", response={200: Decided}, operation_id="decide")
@needs(Permission.DECIDE_APPLICATION)
def decide(request: MachineRequest, application_id: UUID, sent: Decide) -> Any:
    """Decide an application: the letter is issued and the fee booked in the same breath."""
    return services.decide_application(request.actor, application_id=application_id, now=now(), **sent.model_dump())
