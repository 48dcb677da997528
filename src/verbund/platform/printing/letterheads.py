"""Letterhead (Briefkopf): who writes."""

from dataclasses import dataclass

from verbund.platform.tenancy import BodyFacts


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Letterhead (Briefkopf): the body as its letters show it. Empty lines are left out.

    `head` is the line under the name, such as the office that speaks for the body, `unit` the department, `initials`
    what stands in the shield until there is a coat of arms. `accent` is a colour "#rrggbb" for lines and the shield;
    text never takes it. `hours` may have several lines.
    """

    name: str
    head: str = ""
    unit: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    phone: str = ""
    email: str = ""
    web: str = ""
    bank: str = ""
    iban: str = ""
    bic: str = ""
    hours: str = ""
    initials: str = ""
    accent: str = "#1d4b8f"

    @classmethod
    def of(cls, body: BodyFacts, *, unit: str = "") -> "Letterhead":
        """The letterhead of a body: its name, its colour, and its `letterhead` under the names of this class."""
        known = {key: body.letterhead.get(key, "") for key in _KEYS}
        known["unit"] = unit or known["unit"]
        return cls(name=body.name, accent=body.accent_colour, **known)


_KEYS = (
    "head",
    "unit",
    "street",
    "postcode",
    "city",
    "phone",
    "email",
    "web",
    "bank",
    "iban",
    "bic",
    "hours",
    "initials",
)
