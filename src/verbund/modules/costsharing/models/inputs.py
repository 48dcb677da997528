"""What a charge run reckons with, as plain values: gathered once, frozen with the run (L8). Knows no tables."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from .days import Span
from .sharing import KeyPart


@dataclass(frozen=True, slots=True)
class PartyInput:
    """Who is charged: `code` is the member's slug and breaks ties, `kind` the kind of body."""

    code: str
    member_id: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class PriceInput:
    """One component with a price: steps of (first day, price in cents), each in force until the next.

    `component` is `base` (price per member and year) or `quantity`; a `stock` (workplaces) is priced per unit and year,
    a `flow` (requests, hours) per unit.
    """

    component: str
    charging: str
    unit: str
    steps: tuple[tuple[date, Fraction], ...]


@dataclass(frozen=True, slots=True)
class LevyInput:
    """An amount that a key shares: `cents` is what falls on the run's days (or the year, in a settlement)."""

    cents: int
    key: str
    parts: tuple[KeyPart, ...]
    present: Mapping[str, tuple[Span, ...]]


@dataclass(frozen=True, slots=True)
class QuantityInput:
    """How much of a service was used on these days."""

    span: Span
    quantity: Fraction
    source: str


@dataclass(frozen=True, slots=True)
class ServiceInput:
    """A service with all that decides its price. `treatments`: kind of body ("" for all others) -> steps of (day,
    code)."""

    code: str
    name: str
    unit: str
    legal_basis: str
    treatments: Mapping[str, tuple[tuple[date, str], ...]]
    prices: tuple[PriceInput, ...] = ()
    levy: LevyInput | None = None
    used: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)
    quantities: Mapping[str, tuple[QuantityInput, ...]] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    settled_by: str = "none"  # none, use, key
    pool_cents: int | None = None  # actual cost less other income, in a settlement
    advances: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # party -> treatment -> net cents

    def treatment_steps(self, kind: str) -> tuple[tuple[date, str], ...]:
        """The reviewed treatments for a body of this kind."""
        return self.treatments.get(kind) or self.treatments.get("", ())


@dataclass(frozen=True, slots=True)
class ItemInput:
    """A project's or a passed-on cost of one member, charged as it is on its day."""

    id: str
    party: str
    service: str
    kind: str  # project, pass_through
    text: str
    performed_on: date
    cents: int
    subsidy_cents: int
    grant: str


@dataclass(frozen=True, slots=True)
class RunInputs:
    """Everything one run needs."""

    kind: str  # advance, settlement
    span: Span
    parties: tuple[PartyInput, ...]
    services: tuple[ServiceInput, ...]
    items: tuple[ItemInput, ...] = ()


def frozen(inputs: Any) -> tuple[dict[str, Any], str]:
    """The inputs as JSON values, and the SHA-256 of their canonical text: the copy a run keeps (L8)."""
    values = _plain(inputs)
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return values, hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Span):
        return [value.first.isoformat(), value.last.isoformat()]
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
