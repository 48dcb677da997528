"""What the accession finds when it begins: an alliance of three carriers at work, and a town that is not one of them.

Everything is invented. This is the furnishing, made through the services; all that comes after goes over HTTP.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from uuid import UUID

from verbund.commands.walk.town import ALLIANCE, IBAN, LEDGER, LETTERHEAD, Town, sample

from .days import Days

if TYPE_CHECKING:  # the doors are there only after the apps are loaded
    from verbund.platform.identity.actor import Actor

HOST: Final = "verbund.localhost"
CARRIERS: Final = (  # short name, name, kind, share in cents, seats, workplaces
    ("probeland", "Landkreis Probeland", "county", 1_000_000, 2, 400),
    ("altprobe", "Stadt Altprobe", "town", 500_000, 1, 80),
    ("probe-umland", "Amt Probe-Umland", "amt", 500_000, 1, 60),
)
CANDIDATE: Final = "neuprobe"
CANDIDATE_NAME: Final = "Stadt Neuprobe"
NAMES: Final = {CANDIDATE: CANDIDATE_NAME, **{slug: name for slug, name, *_rest in CARRIERS}}
CANDIDATE_HOST: Final = f"{CANDIDATE}.localhost"
AUTHORITY: Final = "Innenministerium (Probe)"
WORKPLACE, FILE = "IT-KERN", "AKTE"
SERVICES: Final = (  # code, name, what it contains, unit, rooms
    (WORKPLACE, "IT-Betrieb der Kernverwaltung", "Arbeitsplätze, Netze, Beratung.", "workplace", ()),
    (
        FILE,
        "Digitale Akte mit Online-Diensten",
        "Akte, Online-Dienste und Haushalt.",
        "person",
        ("citizenservices", "records", "budget"),
    ),
)
PEOPLE: Final = {
    "alliance_manager": "Vera Vorstand",
    "cost_controller": "Konrad Kosten",
    "budget_officer": "Hilde Haushalt",
    "auditor": "Paula Prüfung",
    "board_member": "Bernd Beirat",
    "body_admin": "Adele Administration",
}
REPRESENTATIVES: Final = {"altprobe": "Anton Altmann"}
SPEAKER: Final = "Nora Neumann"  # of the candidate, let in when it has been entered
FIRST_PEOPLE: Final = (  # role, name; the administration enters the others itself
    ("body_admin", "Alma Administration"),
    ("service_editor", "Rieke Redaktion"),
)
CANDIDATE_LETTERHEAD: Final = {
    "street": "Neuer Markt 1",
    "postcode": "19998",
    "city": "Neuprobe",
    "phone": "03998 000-0",
    "email": f"rathaus@{CANDIDATE}.example",
    "iban": "DE75512108001245126199",
    "bic": "SOGEDEFFXXX",
    "bank": "Probebank",
}
TEMPLATE: Final = "bewohnerparkausweis"


def email_of(role: str, slug: str) -> str:
    """The address of whoever holds a role in a body."""
    return f"{role.replace('_', '-')}@{slug}.example"


@dataclass(frozen=True, slots=True)
class Alliance:
    """The alliance as the walk must know it; `members` are the ids of the bodies by their short names, to which the
    candidate comes when it has been entered."""

    desk: Town
    members: dict[str, UUID]
    days: Days


def make_body() -> None:
    """The alliance's schema, role and tables; as the owner. The new town gets its own in the course of things."""
    from verbund.platform.tenancy.bodies import create_body

    create_body(
        **ALLIANCE,
        hosts=[HOST],
        is_alliance=True,
        rooms=["records", "budget", "membership", "costsharing"],
        letterhead={**LETTERHEAD, "head": "Der Vorstand", "tax_number": "090/000/00000"},
    )


def furnish(schema_name: str, *, password: str, now: datetime) -> Alliance:
    """Carriers, catalogue, books and people of the alliance; the process is the role of web and worker."""
    from verbund.platform.identity.actor import Actor
    from verbund.platform.tenancy import acting_for, local_date
    from verbund.platform.tenancy.models import Body, Host

    body = Body.objects.get(schema_name=schema_name)
    host = Host.objects.get(tenant_id=body.id, is_primary=True).domain
    days = Days(local_date(now))
    with acting_for(body):
        actor = Actor.system(schema_name, "verbund walk")
        _books(actor, days, now)
        members = _members(actor, days, now)
        _catalogue(actor, members, days, now)
        emails = _people(actor, body.slug, password, now)
    desk = Town(schema_name, host, body.name, IBAN, 0, LEDGER, password, emails)
    return Alliance(desk, members, days)


def _books(actor: "Actor", days: Days, now: datetime) -> None:
    from verbund.modules.budget import services as budget
    from verbund.modules.costsharing import services as costs

    budget.open_ledger(actor, code=LEDGER, name="Kommunalunternehmen", now=now)
    tax = "3710;Umsatzsteuer;liability;;;;;\n"
    budget.import_chart(actor, ledger=LEDGER, csv_text=sample("accounts.csv").rstrip("\n") + "\n" + tax, now=now)
    budget.import_products(actor, ledger=LEDGER, csv_text=sample("products.csv"), now=now)
    budget.open_year(actor, ledger=LEDGER, year=days.effect.year, now=now)
    budget.set_appropriation(
        actor, ledger=LEDGER, year=days.effect.year, product="11104", account="4482", cents=100_000_000, now=now
    )
    budget.open_bank_account(
        actor, ledger=LEDGER, account="1810", iban=IBAN, name="Girokonto", opening_cents=0, now=now
    )
    costs.set_billing(actor, ledger=LEDGER, product="11104", account="4482", tax_account="3710", now=now)


def _members(actor: "Actor", days: Days, now: datetime) -> dict[str, UUID]:
    from verbund.modules.membership import services as membership

    def entered(slug: str, name: str, kind: str) -> UUID:
        found = membership.register_body(actor, name=name, kind=kind, ags="", ars="", slug=slug, now=now).id
        if kind != "state_authority":
            medium = f"Amtsblatt {name}"
            membership.add_medium(actor, member_id=found, name=medium, valid_from=days.founding, now=now)
        return found

    members = {slug: entered(slug, name, kind) for slug, name, kind, *_rest in CARRIERS}
    entered("innenministerium", AUTHORITY, "state_authority")
    membership.record_founding(
        actor,
        shares=[
            membership.Share(members[slug], cents, seats) for slug, _name, _kind, cents, seats, _places in CARRIERS
        ],
        chair=members[CARRIERS[0][0]],
        contract_on=days.founding,
        effective_on=days.founding,
        basis="Gründungsvertrag (Probe)",
        now=now,
    )
    return members


def _catalogue(actor: "Actor", members: dict[str, UUID], days: Days, now: datetime) -> None:
    """The services, and what the carriers use of them. Prices and the treatment of taxes are left to the walk."""
    from verbund.modules.costsharing import services as costs
    from verbund.modules.membership import services as membership

    for code, name, description, unit, rooms in SERVICES:
        membership.define_service(
            actor,
            code=code,
            name=name,
            description=description,
            unit=unit,
            price_basis="tariff",
            rooms=rooms,
            valid_from=days.founding,
            now=now,
        )
        for slug, *_rest in CARRIERS:
            membership.agree_service(
                actor,
                member_id=members[slug],
                service_code=code,
                valid_from=days.founding,
                as_carrier=True,
                basis="Anlage zum Vertrag (Probe)",
                now=now,
            )
    for slug, _name, _kind, _cents, _seats, places in CARRIERS:
        _address(actor, members[slug], slug, now)
        for code in (WORKPLACE, FILE):
            costs.record_measure(
                actor,
                member_id=members[slug],
                service_code=code,
                period_start=date(days.effect.year, 1, 1),
                period_end=days.year_end,
                quantity=Decimal(places),
                now=now,
            )


def _address(actor: "Actor", member_id: UUID, slug: str, now: datetime) -> None:
    from verbund.modules.costsharing import services as costs

    costs.set_address(
        actor,
        member_id=member_id,
        street="Neuer Markt 1",
        postcode="19998",
        city=slug.capitalize(),
        leitweg_id="13999-0001-41",
        email=f"rechnung@{slug}.example",
        now=now,
    )


def _people(actor: "Actor", slug: str, password: str, now: datetime) -> dict[str, str]:
    from verbund.platform.identity import services as identity
    from verbund.platform.identity.roles import Role

    emails = {}
    wanted = [(role, role, name, "") for role, name in PEOPLE.items()]
    for short, name in REPRESENTATIVES.items():
        wanted.append((f"for {short}", "member_representative", name, short))
    for key, role, name, unit in wanted:
        emails[key] = email_of(f"{role}-{unit}".rstrip("-"), slug)
        person = identity.create_person(
            actor,
            email=emails[key],
            display_name=name,
            role=Role(role),
            unit=unit,
            valid_from=now,
            now=now,
            invite=False,
        )
        identity.set_initial_password(actor, person_id=person.id, password=password, now=now)
    emails[f"for {CANDIDATE}"] = email_of(f"member-representative-{CANDIDATE}", slug)
    return emails
