"""The alliance's members and services as this room's pages and reckonings need them."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from verbund.modules.costsharing.models import BillingAddress
from verbund.modules.costsharing.policies import Permission, in_alliance
from verbund.modules.membership import queries as membership
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy.models import BodyKind

_PURPOSE = "cost sharing"


@dataclass(frozen=True, slots=True)
class Party:
    """Party (Zahlungspflichtiges Mitglied): a member as this room names it; `code` is its slug and breaks ties."""

    id: UUID
    code: str
    name: str
    kind: str
    schema_name: str | None


@dataclass(frozen=True, slots=True)
class BillableService:
    """BillableService (abrechenbare Leistung): a service of membership's catalogue on a day."""

    code: str
    name: str
    unit: str
    price_basis: str


def room(actor: Actor) -> Actor:
    """The room itself reads for `actor`: a charge rests on what was agreed with everybody, not on what the person at
    the desk may look up in membership."""
    return Actor.system(actor.body, _PURPOSE, actor.request_id)


def parties(actor: Actor) -> list[Party]:
    """The members by name: all for the alliance's people, the own one(s) for a representative, else none."""
    sees_all = in_alliance(actor, Permission.SEE)
    if not sees_all and not in_alliance(actor, Permission.SEE_OWN):
        return []
    return [
        Party(m.id, m.slug, m.name, m.kind, m.schema_name)
        for m in membership.list_members(room(actor))
        if sees_all or m.slug in actor.units
    ]


def catalogue(actor: Actor, day: date) -> list[BillableService]:
    """The services of the catalogue in force on a day, by code."""
    if not in_alliance(actor, Permission.SEE) and not in_alliance(actor, Permission.SEE_OWN):
        return []
    return [BillableService(s.code, s.name, s.unit, s.price_basis) for s in membership.services_on(room(actor), day)]


def billing_addresses(actor: Actor) -> list[tuple[Party, BillingAddress | None]]:
    """Every member that can be billed, with its address for invoices or none yet; empty for who may not see them."""
    if not in_alliance(actor, Permission.SEE):
        return []
    found = {address.member_id: address for address in BillingAddress.objects.all()}
    return [(party, found.get(party.id)) for party in parties(actor) if party.kind in BodyKind.values]


def names_shown(actor: Actor) -> frozenset[UUID]:
    """The members who agreed that others see their name beside their unit cost."""
    if not in_alliance(actor, Permission.SEE) and not in_alliance(actor, Permission.SEE_OWN):
        return frozenset()
    return frozenset(BillingAddress.objects.filter(shows_name=True).values_list("member_id", flat=True))
