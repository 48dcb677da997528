"""The applicant (antragstellende Person): name, address and e-mail read out of the answers by the standard's building
blocks.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from .form import Element, Field, FormDefinition, Group

# Harmonised building blocks of FIM: wherever a schema uses them, they mean this.
_FAMILY_NAME, _FIRST_NAMES, _TITLE = "F60000000227", "F60000000228", "F60000000229"
_ORGANISATION = "F60000000319"
_STREET, _NUMBER, _POSTCODE, _CITY, _EXTRA = (
    "F60000000243", "F60000000244", "F60000000246", "F60000000247", "F60000000248",
)  # fmt: skip
_EMAIL, _PHONE = "F60000000242", "F60000000240"
_WORDS = {
    _FAMILY_NAME: ("familienname", "nachname"),
    _FIRST_NAMES: ("vorname",),
    _ORGANISATION: ("firma", "unternehmen", "organisation"),
    _STREET: ("straße",),
    _NUMBER: ("hausnummer",),
    _POSTCODE: ("postleitzahl",),
    _CITY: ("wohnort",),
    _EMAIL: ("e-mail",),
    _PHONE: ("telefon",),
}


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who applied. Empty where the form does not ask or the answer is missing; `name` falls back to `organisation`."""

    name: str
    organisation: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    email: str = ""
    phone: str = ""

    def facts(self) -> dict[str, str]:
        """The parts by name, as the application keeps them."""
        return {name: getattr(self, name) for name in self.__slots__}

    @property
    def address_lines(self) -> tuple[str, ...]:
        """The lines of an address window, empty ones left out."""
        person = self.name if self.name != self.organisation else ""
        town = f"{self.postcode} {self.city}".strip()
        return tuple(line for line in (self.organisation, person, self.street, town) if line)


def applicant_of(definition: FormDefinition, answers: Mapping[str, str], *, fallback: str = "") -> Applicant:
    """The applicant: the first person or organisation of the form that has a name; `fallback` (the account's name) if
    there is none.
    """
    for branch in _branches(definition.elements, answers):
        name = " ".join(filter(None, (branch.get(_TITLE), branch.get(_FIRST_NAMES), branch.get(_FAMILY_NAME))))
        organisation = branch.get(_ORGANISATION, "")
        if not (name or organisation):
            continue
        street = f"{branch.get(_STREET, '')} {branch.get(_NUMBER, '')}".strip()
        return Applicant(
            name=_one_line(name or organisation)[:300],
            organisation=_one_line(organisation)[:300],
            street=_one_line(street)[:200],
            postcode=_one_line(branch.get(_POSTCODE, ""))[:12],
            city=_one_line(branch.get(_CITY, ""))[:100],
            email=_one_line(branch.get(_EMAIL, ""))[:254],
            phone=_one_line(branch.get(_PHONE, ""))[:40],
        )
    return Applicant(name=_one_line(fallback)[:300])


def _branches(elements: Iterable[Element], answers: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The answers below each top-level element (the smallest unit that surely means one applicant), then all of them
    together.
    """
    together: dict[str, str] = {}
    for element in elements:
        found: dict[str, str] = {}
        _collect(element, element.key, answers, found)
        if found:
            yield found
        for ident, value in found.items():
            together.setdefault(ident, value)
    yield together


def _collect(element: Element, base: str, answers: Mapping[str, str], found: dict[str, str]) -> None:
    place = f"{base}.0"
    if isinstance(element, Group):
        for inner in element.elements:
            _collect(inner, f"{place}.{inner.key}", answers, found)
        return
    value = answers.get(place, "")
    meaning = _meaning(element)
    if value and meaning:
        found.setdefault(meaning, value)


def _meaning(field: Field) -> str:
    if field.id in _WORDS or field.id in (_TITLE, _EXTRA):
        return field.id
    name = field.name.casefold()
    return next((ident for ident, words in _WORDS.items() if any(name.startswith(w) for w in words)), "")


def _one_line(text: str) -> str:
    return " ".join(text.split())
