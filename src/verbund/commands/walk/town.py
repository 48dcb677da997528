"""The town the walk goes through: bodies, people, file plan and books, made through the services."""

from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from typing import TYPE_CHECKING, Final
from uuid import UUID

from verbund.platform.tenancy import BodyFacts

if TYPE_CHECKING:  # the doors are there only after the apps are loaded
    from verbund.platform.identity.actor import Actor

# Everything here is invented and looks like it; `.example` is a domain that nobody can own (RFC 2606).
ALLIANCE: Final = {"schema_name": "walk_alliance", "slug": "verbund", "name": "Probeverbund AöR", "kind": "alliance"}
TOWN: Final = {"schema_name": "walk_town", "slug": "probestadt", "name": "Stadt Probestadt", "kind": "town"}
IBAN: Final = "DE02120300000000202051"
LETTERHEAD: Final = {
    "head": "Der Bürgermeister",
    "street": "Am Probeplatz 1",
    "postcode": "19999",
    "city": "Probestadt",
    "phone": "03999 000-0",
    "email": "rathaus@probestadt.example",
    "iban": IBAN,
    "bic": "BYLADEM1001",
    "bank": "Probebank",
}
OPENING_CENTS: Final = 1_250_000_00
LEDGER: Final = "K1"
UNITS: Final = {"20": "Finanzen", "32": "Ordnung und Verkehr", "66": "Straßen und Grün", "67": "Umwelt und Abfall"}
PEOPLE: Final = {
    "service_editor": "Rieke Redaktion",
    "clerk": "Selma Sachbearbeitung",
    "head_of_unit": "Volker Vorgesetzt",
    "treasury_clerk": "Kai Kasse",
    "budget_officer": "Hanna Haushalt",
    "auditor": "Paul Prüfung",
}


@dataclass(frozen=True, slots=True)
class Town:
    """What the walk must know of the body it goes through."""

    schema_name: str
    host: str
    name: str
    iban: str
    opening_cents: int
    ledger: str
    password: str
    emails: dict[str, str]

    def facts(self) -> BodyFacts:
        """The body as values, for what is worked out without a database."""
        return BodyFacts(
            id=UUID(int=0),
            schema_name=self.schema_name,
            slug="",
            name=self.name,
            kind="town",
            ags="",
            ars="",
            is_alliance=False,
            rooms=frozenset(),
            accent_colour="#1d4b8f",
        )


def make_bodies() -> None:
    """The alliance and the town: schemas, roles, tables; as the owner."""
    from verbund.platform.tenancy.bodies import create_body

    rooms = ["citizenservices", "records", "budget"]
    create_body(
        **ALLIANCE, hosts=["verbund.localhost"], is_alliance=True, rooms=[*rooms, "membership"], letterhead=LETTERHEAD
    )
    create_body(**TOWN, hosts=["probestadt.localhost"], ags="13999999", rooms=rooms, letterhead=LETTERHEAD)


def furnish(schema_name: str, *, password: str, now: datetime) -> Town:
    """Units, people, file plan and books of a body, through the services; the process is the role of web and worker."""
    from verbund.modules.records import services as records
    from verbund.platform.identity.actor import Actor
    from verbund.platform.tenancy import acting_for
    from verbund.platform.tenancy.models import Body, Host

    body = Body.objects.get(schema_name=schema_name)
    host = Host.objects.get(tenant_id=body.id, is_primary=True).domain
    with acting_for(body):
        actor = Actor.system(schema_name, "verbund walk")
        emails = _people(actor, body.slug, password, now)
        records.import_file_plan(actor, csv_text=records.sample_file_plan(), now=now)
        _books(actor, now)
    return Town(schema_name, host, body.name, IBAN, OPENING_CENTS, LEDGER, password, emails)


def _people(actor: "Actor", slug: str, password: str, now: datetime) -> dict[str, str]:
    from verbund.platform.identity import services as identity
    from verbund.platform.identity.roles import Role

    for code, name in UNITS.items():
        identity.create_unit(actor, code=code, name=name, now=now)
    emails = {}
    for role, name in PEOPLE.items():
        email = f"{role.replace('_', '-')}@{slug}.example"
        units = list(UNITS) if role in ("clerk", "head_of_unit") else [""]
        person = identity.create_person(
            actor,
            email=email,
            display_name=name,
            role=Role(role),
            unit=units[0],
            valid_from=now,
            now=now,
            invite=False,
        )
        for unit in units[1:]:
            identity.assign_role(actor, person_id=person.id, role=Role(role), unit=unit, valid_from=now, now=now)
        identity.set_initial_password(actor, person_id=person.id, password=password, now=now)
        emails[role] = email
    return emails


def _books(actor: "Actor", now: datetime) -> None:
    from verbund.modules.budget import services as budget
    from verbund.platform.tenancy import local_date

    year = local_date(now).year
    budget.open_ledger(actor, code=LEDGER, name="Kernverwaltung", now=now)
    budget.import_chart(actor, ledger=LEDGER, csv_text=sample("accounts.csv"), now=now)
    budget.import_products(actor, ledger=LEDGER, csv_text=sample("products.csv"), now=now)
    budget.open_year(actor, ledger=LEDGER, year=year, now=now)
    for product in ("12201", "12202", "12203", "12301", "53700", "54100", "61100"):
        budget.set_appropriation(
            actor, ledger=LEDGER, year=year, product=product, account="4311", cents=50_000_00, now=now
        )
    budget.open_bank_account(
        actor,
        ledger=LEDGER,
        account="1810",
        iban=IBAN,
        name="Girokonto der Kasse",
        opening_cents=OPENING_CENTS,
        now=now,
    )


def sample(name: str) -> str:
    """A sample table of the budget room: its chart of accounts or its products."""
    return (resources.files("verbund.modules.budget") / "data" / name).read_text(encoding="utf-8")
