"""What vouchers do to budget lines, derived from their lines (ADR 0042)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from verbund.modules.budget.models import AccountKind, BindingLine, BudgetLine, VoucherKind

from .books import Books, Draft, Effect, budget_lines


def effects_of(books: Books, drafts: Sequence[Draft]) -> dict[UUID, list[Effect]]:
    """What the drafts do to budget lines: expense and payments consume, payables hold cash, bindings give way."""
    wanted: set[tuple[int, str, str]] = set()
    moves: list[tuple[Draft, list[tuple[str, tuple[int, str, str] | BudgetLine, int]]]] = []
    for draft in drafts:
        if draft.funds is not None or draft.kind == VoucherKind.CARRY_FORWARD:
            continue
        own = list(_moves(books, draft))
        moves.append((draft, own))
        wanted.update(target for _kind, target, _cents in own if isinstance(target, tuple))
    lines = budget_lines(books, wanted)
    effects: dict[UUID, list[Effect]] = {d.id: list(d.funds) for d in drafts if d.funds is not None}
    bindings = _bindings({d.binding for d in drafts if d.binding})
    for draft, own in moves:
        consumed: dict[UUID, int] = defaultdict(int)
        held: dict[UUID, int] = defaultdict(int)
        circles: dict[UUID, UUID | None] = {}
        for kind, target, cents in own:
            line = lines[target] if isinstance(target, tuple) else target
            circles[line.id] = line.circle_id
            (consumed if kind == "consumed" else held)[line.id] += cents
        effects[draft.id] = [
            Effect(line_id, circle, consumed[line_id], held[line_id]) for line_id, circle in circles.items()
        ]
        for line_id, circle in circles.items():
            effects[draft.id] += _give_way(bindings, draft, line_id, circle, consumed[line_id] + held[line_id])
    return effects


def _moves(books: Books, draft: Draft) -> Iterable[tuple[str, tuple[int, str, str] | BudgetLine, int]]:
    for line in draft.lines:
        account = books.accounts[line.account]
        if account.kind == AccountKind.EXPENSE and line.product:
            yield "consumed", (draft.year, line.product, line.account), line.debit - line.credit
        if line.finance_account and line.product and books.accounts[line.finance_account].kind == AccountKind.PAYMENT:
            yield "consumed", (draft.year, line.product, line.finance_account), line.credit - line.debit
        item = books.items.get(line.open_item or (line.new_item.id if line.new_item else UUID(int=0)))
        if account.role == "payable" and item is not None and item.finance_line is not None:
            yield "open", item.finance_line, line.credit - line.debit


def _bindings(ids: set[UUID]) -> dict[tuple[UUID, UUID], int]:
    if not ids:
        return {}
    rows = BindingLine.objects.filter(binding__in=ids).order_by("id").select_for_update()
    return {(row.binding_id, row.line_id): row.rest_cents for row in rows}


def _give_way(
    bindings: dict[tuple[UUID, UUID], int], draft: Draft, line: UUID, circle: UUID | None, cents: int
) -> list[Effect]:
    if draft.binding is None or cents <= 0:
        return []
    used = min(bindings.get((draft.binding, line), 0), cents)
    if used == 0:
        return []
    bindings[(draft.binding, line)] -= used
    return [Effect(line, circle, 0, -used, draft.binding, used)]
