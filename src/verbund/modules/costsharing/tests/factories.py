"""An alliance ready to be charged: members, services agreed, prices, tax reviews, measures, a ledger."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from verbund.modules.budget.tests import factories as budget_factories
from verbund.modules.costsharing import services
from verbund.modules.membership import services as membership
from verbund.platform.identity.actor import Actor

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
SYSTEM = Actor.system("alliance", "test")
START = date(2020, 1, 1)
LEITWEG = "13076001-0001-41"


@dataclass
class Alliance:
    """The ids a test works with; members by their slug."""

    members: dict[str, UUID] = field(default_factory=dict)


def register(slug: str, name: str, kind: str = "town", schema_name: str | None = None) -> UUID:
    """A member of the alliance."""
    return membership.register_body(
        SYSTEM,
        name=name,
        kind=kind,
        ags="13076001",
        ars="",
        slug=slug,
        schema_name=schema_name,
        now=NOW,
    ).id


def offer(code: str, *, unit: str = "workplace", price_basis: str = "tariff", name: str = "") -> None:
    """A service of the catalogue since 2020."""
    membership.define_service(
        SYSTEM,
        code=code,
        name=name or code.title(),
        description=f"Was zu {code} gehört.",
        unit=unit,
        price_basis=price_basis,
        valid_from=START,
        now=NOW,
    )


def agree(
    member: UUID,
    code: str,
    valid_from: date = START,
    valid_until: date | None = None,
    *,
    as_carrier: bool = False,
    limit: int | None = None,
) -> None:
    """An agreement on a service."""
    membership.agree_service(
        SYSTEM,
        member_id=member,
        service_code=code,
        valid_from=valid_from,
        valid_until=valid_until,
        as_carrier=as_carrier,
        quantity_limit=limit,
        basis="Vertrag",
        now=NOW,
    )


def rule(code: str, **changed: Any) -> bool:
    """A rule of charging by contract."""
    values: dict[str, Any] = {"legal_basis": "contract", "provision": "§ 5 des Vertrags", "settled_by": "use"}
    return services.set_rule(SYSTEM, service_code=code, now=NOW, **{**values, **changed})


def tariff(code: str, euros: str, valid_from: date = START, **changed: Any) -> None:
    """A price per unit and year."""
    values: dict[str, Any] = {"component": "quantity", "basis": "Beschluss 7/2019"}
    services.set_tariff(
        SYSTEM, service_code=code, euros=Decimal(euros), valid_from=valid_from, now=NOW, **{**values, **changed}
    )


def review(code: str, treatment: str = "not_taxable_2b3_2", valid_from: date = START, **changed: Any) -> None:
    """A reviewed tax treatment."""
    values: dict[str, Any] = {
        "reasoning": "Vertrag auf Dauer, nur Kostenerstattung, gemeinsame Aufgabe.",
        "document": "Az. 11.30-4/2019",
        "reviewer": "Kanzlei Muster",
        "reviewed_on": date(2019, 11, 4),
    }
    services.review_tax(
        SYSTEM, service_code=code, treatment=treatment, valid_from=valid_from, now=NOW, **{**values, **changed}
    )


def measure(member: UUID, code: str, quantity: str, year: int = 2025, reason: str = "") -> None:
    """A quantity for a whole year."""
    services.record_measure(
        SYSTEM,
        member_id=member,
        service_code=code,
        period_start=date(year, 1, 1),
        period_end=date(year, 12, 31),
        quantity=Decimal(quantity),
        now=NOW,
        reason=reason,
    )


def address(member: UUID, **changed: Any) -> None:
    """Where invoices go."""
    values: dict[str, Any] = {
        "street": "Am Markt 1",
        "postcode": "19999",
        "city": "Musterstadt",
        "leitweg_id": LEITWEG,
        "email": "rathaus@example.org",
    }
    services.set_address(SYSTEM, member_id=member, now=NOW, **{**values, **changed})


def make_alliance(workplaces: Mapping[str, str] | None = None) -> Alliance:
    """Three members with core IT by workplaces in 2025, all that a run needs, and billing settings without books."""
    alliance = Alliance()
    alliance.members["alpha"] = register("alpha", "Stadt Alphausen", schema_name="alpha")
    alliance.members["beta"] = register("beta", "Landkreis Betaland", "county", schema_name="beta")
    alliance.members["gamma"] = register("gamma", "Amt Gamma", "amt")
    offer("CORE", name="Kern-IT")
    rule("CORE")
    tariff("CORE", "120")
    review("CORE")
    for slug, quantity in (workplaces or {"alpha": "83", "beta": "410", "gamma": "57"}).items():
        agree(alliance.members[slug], "CORE")
        measure(alliance.members[slug], "CORE", quantity)
        address(alliance.members[slug])
    billing()
    return alliance


def billing(**changed: Any) -> None:
    """Where invoices are booked."""
    values: dict[str, Any] = {"ledger": "ALLIANCE", "product": "12301", "account": "4311"}
    services.set_billing(SYSTEM, now=NOW, **{**values, **changed})


def make_books() -> None:
    """The alliance's ledger for the year of NOW."""
    budget_factories.make_town(SYSTEM, code="ALLIANCE", year=2026)


def ready_for_actual_cost(cents: int = 60_000_00) -> None:
    """Cost centres with overhead, and what core IT really cost in 2025."""
    services.define_centre(SYSTEM, code="HAUS", name="Gebäude", step=10, now=NOW)
    services.define_centre(SYSTEM, code="K-CORE", name="Kern-IT", service_code="CORE", now=NOW)
    services.set_overhead_weight(SYSTEM, year=2025, giver="HAUS", receiver="K-CORE", weight=Decimal(1), now=NOW)
    services.record_cost(SYSTEM, centre="HAUS", year=2025, cents=10_000_00, text="Miete", now=NOW)
    services.record_cost(SYSTEM, centre="K-CORE", year=2025, cents=cents - 10_000_00, text="Personal", now=NOW)


def new_person(name: str) -> UUID:
    """The same id for the same name."""
    return uuid5(UUID(int=5), name)
