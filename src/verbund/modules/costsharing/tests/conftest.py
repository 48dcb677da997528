"""What the tests of cost sharing share."""

from collections.abc import Iterator
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from verbund.modules.costsharing.gateways import FakeInvoicing
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import Role

from . import factories


@pytest.fixture
def controller(staff: Any) -> Actor:
    actor: Actor = staff(Role.COST_CONTROLLER, body="alliance", name="Konrad Kosten")
    return actor


@pytest.fixture
def manager(staff: Any) -> Actor:
    actor: Actor = staff(Role.ALLIANCE_MANAGER, body="alliance", name="Kirsten Bund")
    return actor


@pytest.fixture
def officer(staff: Any) -> Actor:
    actor: Actor = staff(Role.BUDGET_OFFICER, body="alliance", name="Paul Planer")
    return actor


@pytest.fixture
def members(alliance: Any) -> dict[str, Any]:
    """The bodies that the alliance charges, by their code."""
    return factories.make_alliance().members


@pytest.fixture
def fake_invoicing(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeInvoicing]:
    """Invoices go to a list instead of to the books."""
    fake = FakeInvoicing()
    monkeypatch.setattr("verbund.modules.costsharing.services.invoices.invoicing", lambda: fake)
    yield fake


@pytest.fixture
def carriers(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The carriers' periods as membership would tell them; fill the list with `carrier(...)`."""
    periods: list[Any] = []

    def between(actor: Actor, *, start: date, end: date) -> list[Any]:
        return [p for p in periods if p.valid_from <= end and (p.valid_until is None or p.valid_until >= start)]

    monkeypatch.setattr("verbund.modules.membership.queries.carriers_between", between)
    monkeypatch.setattr("verbund.modules.membership.queries.cleared_on", lambda _actor, _member: date(2013, 8, 26))
    return periods


def carrier(member_id: Any, valid_from: date, valid_until: date | None = None, share_cents: int = 50_000) -> Any:
    """A period of a carrier."""
    return SimpleNamespace(
        member_id=member_id, valid_from=valid_from, valid_until=valid_until, share_cents=share_cents, seats=1
    )
