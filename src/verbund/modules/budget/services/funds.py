"""Funds control (Haushaltsüberwachung): reservations and commitments, taken by check-and-take in one statement per
row.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from verbund.modules.budget.models import (
    Binding,
    BindingLine,
    BudgetLine,
    CircleBalance,
    CoverCircle,
    FundsEvent,
    LineBalance,
)
from verbund.modules.budget.policies import Permission, require_ordering
from verbund.platform import audit
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, Invalid, NotFound, new_id

from .books import find_ledger, find_year


class NotEnoughFunds(Conflict):
    """The funds do not suffice; `binding` names the line (product.account) or the cover circle that refuses."""

    def __init__(self, binding: str, available: int) -> None:
        euros = (
            f"{available // 100},{available % 100:02d}"
            if available >= 0
            else f"-{-available // 100},{-available % 100:02d}"
        )
        super().__init__(_("%(binding)s has only %(euros)s euros left.") % {"binding": binding, "euros": euros})
        self.binding = binding
        self.available = available


class FundsRefused(Invalid):
    """The request cannot be read: unknown lines or amounts that are not above zero."""


class BindingNotFound(NotFound):
    """There is no such binding for this actor."""


@dataclass(frozen=True, slots=True)
class Demand:
    """A wish for funds on one line, in cents above zero."""

    product: str
    account: str
    cents: int


def reserve(
    actor: Actor, *, ledger: str, year: int, demands: Sequence[Demand], text: str, idempotency_key: str, now: datetime
) -> UUID:
    """Reserve funds (Mittelvormerkung) on all the lines, or on none. The same key again gives the same reservation.

    Raises: policy.Denied, LedgerNotFound, FundsRefused, NotEnoughFunds (names what binds).
    """
    return _bind(actor, Binding.Stage.RESERVATION, ledger, year, demands, text, idempotency_key, now)


def commit(
    actor: Actor, *, ledger: str, year: int, demands: Sequence[Demand], text: str, idempotency_key: str, now: datetime
) -> UUID:
    """Bind funds by an order to a supplier (Mittelbindung); as `reserve`."""
    return _bind(actor, Binding.Stage.COMMITMENT, ledger, year, demands, text, idempotency_key, now)


@transaction.atomic
def release(actor: Actor, *, binding_id: UUID, now: datetime) -> None:
    """Release what is left of a reservation or commitment; doing it again changes nothing (E4).

    Raises: policy.Denied, BindingNotFound.
    """
    require_ordering(actor, Permission.RESERVE)
    binding = Binding.objects.select_for_update().filter(id=binding_id).first()
    if binding is None:
        raise BindingNotFound(str(binding_id))
    if binding.state == Binding.State.RELEASED:
        return
    rests = {
        row.line: row.rest_cents
        for row in BindingLine.objects.select_for_update(of=("self",))
        .filter(binding=binding)
        .select_related("line")
        .order_by("id")
    }
    _move({line: -rest for line, rest in rests.items() if rest}, binding.id, now, check=False)
    Binding.objects.filter(id=binding.id).update(state=Binding.State.RELEASED)
    BindingLine.objects.filter(binding=binding).update(used_cents=F("cents"))
    audit.record(actor, "budget.funds.released", "budget.binding", binding.id, after={"cents": sum(rests.values())})


def _bind(
    actor: Actor,
    stage: Binding.Stage,
    ledger: str,
    year: int,
    demands: Sequence[Demand],
    text: str,
    key: str,
    now: datetime,
) -> UUID:
    require_ordering(actor, Permission.RESERVE)
    row = find_year(find_ledger(ledger), year)
    wanted: dict[tuple[str, str], int] = defaultdict(int)
    for demand in demands:
        wanted[(demand.product, demand.account)] += demand.cents
    if not wanted or not key or any(demand.cents <= 0 for demand in demands):
        raise FundsRefused({"demands": _("Name at least one line and an amount above zero for each.")})
    try:
        with transaction.atomic():
            binding = Binding.objects.create(
                id=new_id(), fiscal_year=row, stage=stage, text=text.strip()[:300], idempotency_key=key, created_at=now
            )
            found = {
                (line.product.code, line.account.code): line
                for line in BudgetLine.objects.filter(
                    fiscal_year=row,
                    product__code__in={p for p, _a in wanted},
                    account__code__in={a for _p, a in wanted},
                ).select_related("product", "account")
            }
            missing = {f"{p}.{a}": _("There is no such line in this budget.") for p, a in wanted if (p, a) not in found}
            if missing:
                raise FundsRefused(missing)
            takes = {found[target]: cents for target, cents in wanted.items()}
            _move(takes, binding.id, now, check=True)
            BindingLine.objects.bulk_create(
                BindingLine(id=new_id(), binding=binding, line=line, cents=cents) for line, cents in takes.items()
            )
            audit.record(
                actor,
                f"budget.funds.{stage.value}",
                "budget.binding",
                binding.id,
                after={"cents": sum(takes.values()), "text": text},
            )
    except IntegrityError as error:
        known = Binding.objects.filter(idempotency_key=key).first()
        if known is None:
            raise
        held = {
            (b.line.product.code, b.line.account.code): b.cents
            for b in known.lines.select_related("line__product", "line__account")
        }
        if held != dict(wanted) or known.fiscal_year_id != row.id or known.stage != stage:
            raise Conflict(_("This request was sent before with other amounts. Begin again.")) from error
        return known.id
    return binding.id


def _move(takes: dict[BudgetLine, int], binding: UUID, now: datetime, *, check: bool) -> None:
    """Change `open` of circles, then of lines, each by ascending id; with `check`, refuse when a row has too little
    left.
    """
    circles: dict[UUID, int] = defaultdict(int)
    for line, cents in takes.items():
        if line.circle_id:
            circles[line.circle_id] += cents
    for circle, cents in sorted(circles.items()):
        rows = CircleBalance.objects.filter(circle=circle)
        if check:
            rows = rows.filter(authorisation__gte=F("consumed") + F("open") + cents)
        if not rows.update(open=F("open") + cents):
            code = CoverCircle.objects.get(id=circle).code
            raise NotEnoughFunds(code, CircleBalance.objects.get(circle=circle).available)
    for line, cents in sorted(takes.items(), key=lambda pair: pair[0].id):
        own = LineBalance.objects.filter(line=line)
        if check and not line.circle_id:
            own = own.filter(authorisation__gte=F("consumed") + F("open") + cents)
        if not own.update(open=F("open") + cents):
            raise NotEnoughFunds(
                f"{line.product.code}.{line.account.code}", LineBalance.objects.get(line=line).available
            )
    FundsEvent.objects.bulk_create(
        FundsEvent(id=new_id(), line=line, open=cents, binding=binding, at=now) for line, cents in takes.items()
    )
