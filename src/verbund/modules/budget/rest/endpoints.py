"""Endpoints of budget: claims, open items, reports, journal, bank statements."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from ninja import File, Path, Query, Router, Status
from ninja.files import UploadedFile
from pydantic import Field, StringConstraints

from verbund.modules.budget import queries, services
from verbund.modules.budget.policies import Permission
from verbund.platform.rest.doors import MachineRequest, needs
from verbund.platform.tenancy import local_date, now

from .schemas import (
    AsOf,
    ClaimQuery,
    ClaimRaised,
    ClaimRead,
    ItemPage,
    ItemQuery,
    LedgerRead,
    NewClaim,
    StatementsBooked,
    TrialBalanceRead,
    VoucherPage,
    VoucherQuery,
    VoucherRead,
)

router = Router(tags=["budget"])
Ledger = Annotated[str, StringConstraints(max_length=40)]
Year = Annotated[int, Field(ge=1990, le=2200)]


def origin_of(request: MachineRequest, reference: str) -> str:
    """The matter as the books know it: a machine names matters of its own, never those of another."""
    return f"api.{request.actor.id}:{reference}" if reference else ""


@router.get("/ledgers", response=list[LedgerRead], operation_id="list_ledgers")
@needs(Permission.SEE, Permission.RAISE_CLAIM)
def list_ledgers(request: MachineRequest) -> Any:
    """The ledgers with their years."""
    return queries.ledgers(request.actor)


@router.post("/claims", response={201: ClaimRaised}, operation_id="raise_claim")
@needs(Permission.RAISE_CLAIM)
def raise_claim(request: MachineRequest, sent: NewClaim) -> Any:
    """Raise a claim; the same reference again gives the same claim."""
    wanted = sent.model_dump(exclude={"debtor", "reference"})
    debtor = services.Party(**sent.debtor.model_dump())
    origin = origin_of(request, sent.reference)
    made = services.raise_claim(request.actor, now=now(), debtor=debtor, origin=origin, **wanted)
    return Status(201, made)


@router.get("/claims", response=list[ClaimRead], operation_id="find_claims")
@needs(Permission.SEE_CLAIM)
def find_claims(request: MachineRequest, asked: Query[ClaimQuery]) -> Any:
    """The claims that this key has raised under its own reference."""
    return queries.claims_by_origin(request.actor, origin_of(request, asked.reference))


@router.get("/claims/{uuid:claim_id}", response=ClaimRead, operation_id="read_claim")
@needs(Permission.SEE_CLAIM)
def read_claim(request: MachineRequest, claim_id: UUID) -> Any:
    """One claim, with what is still open."""
    return queries.claim(request.actor, claim_id)


@router.get("/ledgers/{ledger}/open-items", response=ItemPage, operation_id="list_open_items")
@needs(Permission.SEE)
def list_open_items(request: MachineRequest, ledger: Path[Ledger], asked: Query[ItemQuery]) -> Any:
    """Open items, the first due first."""
    today = local_date(now())
    page = queries.open_items(
        request.actor, ledger, today=today, text=asked.text, overdue=asked.overdue, after=asked.after, limit=asked.limit
    )
    return {"items": page.rows, "next": page.after}


@router.get(
    "/ledgers/{ledger}/years/{year}/trial-balance", response=TrialBalanceRead, operation_id="read_trial_balance"
)
@needs(Permission.SEE)
def read_trial_balance(request: MachineRequest, ledger: Path[Ledger], year: Path[Year], asked: Query[AsOf]) -> Any:
    """The trial balance of a year, or as it was on a day."""
    return queries.trial_balance(request.actor, ledger, year, _within(asked.as_of, year))


@router.get("/ledgers/{ledger}/years/{year}/vouchers", response=VoucherPage, operation_id="list_vouchers")
@needs(Permission.SEE)
def list_vouchers(request: MachineRequest, ledger: Path[Ledger], year: Path[Year], asked: Query[VoucherQuery]) -> Any:
    """The journal of a year, the newest first."""
    page = queries.journal(request.actor, ledger, year=year, text=asked.text, after=asked.after, limit=asked.limit)
    return {"items": page.rows, "next": None if page.after is None else str(page.after)}


@router.get("/vouchers/{uuid:voucher_id}", response=VoucherRead, operation_id="read_voucher")
@needs(Permission.SEE)
def read_voucher(request: MachineRequest, voucher_id: UUID) -> Any:
    """One voucher with its lines."""
    return queries.voucher(request.actor, voucher_id)


@router.post("/ledgers/{ledger}/statements", response={201: StatementsBooked}, operation_id="import_statements")
@needs(Permission.MOVE_MONEY)
def import_statements(request: MachineRequest, ledger: Path[Ledger], file: File[UploadedFile]) -> Any:
    """Import bank statements (camt.053), all of the file or nothing; importing it again changes nothing."""
    report = services.import_statement(
        request.actor, ledger=ledger, content=file.read(), filename=file.name or "", now=now()
    )
    return Status(201, report)


def _within(day: date | None, year: int) -> date | None:
    return None if day is None else min(max(day, date(year, 1, 1)), date(year, 12, 31))
