"""The facts of the demo, read from its data files."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

PASSWORD: Final = "Probelauf-2026!"  # noqa: S105 - of invented people, printed at every start of the demo
CITIZEN: Final = "erika.beispiel@buergerin.example"
CITIZEN_NAME: Final = "Erika Beispiel"
LEDGER: Final = "K1"
ROOMS: Final = ("citizenservices", "records", "budget")
YEARS: Final = (2025, 2026)
DOCUMENTS: Final = 3_000

_FAMILY: Final = {
    "clerk": "Muster",
    "registry": "Ablage",
    "head_of_unit": "Vorbild",
    "service_editor": "Textmann",
    "budget_officer": "Planer",
    "treasury_clerk": "Taler",
    "treasurer": "Groschen",
    "auditor": "Probe",
    "data_protection_officer": "Schild",
    "body_admin": "Schlüssel",
    "alliance_manager": "Bund",
    "board_member": "Rat",
    "operator": "Betrieb",
    "cost_controller": "Rechner",
    "member_representative": "Vertreter",
}
_GIVEN: Final = {
    "ksm": ("Kirsten", "Knut"),
    "schwerin": ("Swantje", "Sören"),
    "ludwigslust_parchim": ("Paula", "Piet"),
    "ludwigslust": ("Luise", "Lars"),
    "neustadt_glewe": ("Nele", "Nils"),
    "grabow": ("Greta", "Gustav"),
    "parchimer_umland": ("Ute", "Uwe"),
}


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who works for a body of the demo; invented."""

    role: str
    name: str
    email: str
    units: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """A service a body offers, and where the work on it lies."""

    template: str
    unit: str
    file_plan_position: str
    product: str
    account: str


@dataclass(frozen=True, slots=True)
class DemoBody:
    """A body of the demo. `scale` is the size of its budget, `documents` how many it has in the end."""

    schema: str
    slug: str
    name: str
    kind: str
    ags: str
    ars: str
    colour: str
    letterhead: dict[str, str]
    iban: str
    offers: tuple[Offer, ...]
    colleagues: tuple[Colleague, ...]
    applications: int
    cases: int
    documents: int
    scale: int
    is_alliance: bool

    @property
    def host(self) -> str:
        return f"{self.slug}.localhost"

    @property
    def rooms(self) -> list[str]:
        return [*ROOMS, "membership", "costsharing"] if self.is_alliance else list(ROOMS)


@cache
def _data(name: str) -> dict[str, Any]:
    text = (resources.files("verbund.commands.demo") / "data" / name).read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def texts() -> dict[str, Any]:
    """Words for cases and documents."""
    return _data("texts.toml")


@cache
def units() -> dict[str, str]:
    """Codes and names of the organisational units of every body."""
    return dict(_data("alliance.toml")["units"])


CANDIDATE: Final = "musterhagen"  # the schema of the candidate's body, which the worker makes


def schemas() -> frozenset[str]:
    """The schemas of everything that the demo has."""
    return frozenset({CANDIDATE, *(body.schema for body in bodies())})


@cache
def bodies() -> tuple[DemoBody, ...]:
    """The alliance first, then its members."""
    data = _data("alliance.toml")
    cases = sum(entry["cases"] for entry in data["body"])
    members = [
        _body(entry, data, documents=round(DOCUMENTS * entry["cases"] / cases + 1), is_alliance=False)
        for entry in data["body"]
    ]
    return (_body(data["alliance"], data, documents=0, is_alliance=True), *members)


def body_named(schema: str) -> DemoBody:
    """The body with this schema. Raises KeyError."""
    return {body.schema: body for body in bodies()}[schema]


def _body(entry: dict[str, Any], data: dict[str, Any], *, documents: int, is_alliance: bool) -> DemoBody:
    schema = entry["schema"]
    colleagues = []
    for number, role in enumerate(data["role"]):
        if role.get("alliance_only", False) > is_alliance or (is_alliance and role["name"] not in _OF_THE_ALLIANCE):
            continue
        given = _GIVEN[schema][number % 2]
        colleagues.append(
            Colleague(
                role["name"],
                f"{given} {_FAMILY[role['name']]}",
                f"{role['address']}@{entry['slug']}.example",
                tuple(role.get("units", ("",))),
            )
        )
    return DemoBody(
        schema=schema,
        slug=entry["slug"],
        name=entry["name"],
        kind=entry["kind"],
        ags=entry.get("ags", ""),
        ars=entry.get("ars", ""),
        colour=entry["colour"],
        letterhead={
            "head": entry["head"],
            "street": "Musterplatz 1",
            "postcode": entry["postcode"],
            "city": entry["city"],
            "phone": "03999 000-0",
            "email": f"rathaus@{entry['slug']}.example",
            "web": f"{entry['slug']}.example",
            "bank": "Beispielbank (erfunden)",
            "iban": entry["iban"],
            "bic": entry["bic"],
            "hours": "Mo, Di, Do 9–12 Uhr\nDi 14–18 Uhr",
            "initials": entry["initials"],
            **({"tax_number": "090/000/00000"} if is_alliance else {}),
        },
        iban=entry["iban"],
        offers=tuple(Offer(name, **data["service"][name]) for name in entry.get("services", ())),
        colleagues=tuple(colleagues),
        applications=entry.get("applications", 0),
        cases=entry.get("cases", 0),
        documents=documents,
        scale=entry.get("scale", 1),
        is_alliance=is_alliance,
    )


_OF_THE_ALLIANCE: Final = frozenset(
    {
        "alliance_manager",
        "operator",
        "body_admin",
        "auditor",
        "data_protection_officer",
        "board_member",
        "budget_officer",
        "cost_controller",
        "member_representative",
    }
)
