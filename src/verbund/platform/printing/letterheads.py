"""Letterhead (Briefkopf): who writes."""

from dataclasses import dataclass

from verbund.platform.tenancy import BodyFacts


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Letterhead (Briefkopf): the body as its letters show it. Empty lines are left out.

    `accent` is a colour "#rrggbb" for lines and the shield; text never takes it. `head` is the line under the name, such as
    the office that speaks for the body; `unit` the department. `address` is one line per entry, `footer` up to three columns of lines.
    """

    name: str
    head: str = ""
    unit: str = ""
    street: str = ""
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
        """The letterhead of a body: its name and colour, and what stands in its `letterhead` under the names of this class."""
        known = {key: body.letterhead.get(key, "") for key in _KEYS}
        known["unit"] = unit or known["unit"]
        return cls(name=body.name, accent=body.accent_colour, **known)


_KEYS = ("head", "unit", "street", "city", "phone", "email", "web", "bank", "iban", "bic", "hours", "initials")
