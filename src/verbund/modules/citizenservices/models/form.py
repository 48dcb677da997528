"""A form (Formular) as it was imported: groups of questions, fields, their limits, and the texts around them.

Plain frozen dataclasses that know nothing of the database. A definition is made by `gateways.xdatenfelder`, kept as
JSON in a FormVersion and never changed afterwards. Terms: FIM-Standard XDatenfelder 3.0.0.

Answers are one flat mapping from path to text. A path names every element on the way with the number of its repetition:
`G0001.0.F0002.1` is the second value of field F0002 in the first group G0001. Values stand in canonical form
(`canonical`): NFC texts, `2026-11-21`, `1234.5`, `true`/`false`, codes; for a file the id of the attachment.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

MAX_REPETITIONS = 50  # of an element without an upper bound: more belongs into an attachment
PAGE_SIZE = 12  # questions on one page before a group is dealt out over several

BOXES = 12  # a repeated choice of up to so many answers becomes boxes to tick


class FieldKind(StrEnum):
    """Kind of a field (Feldart, code list xdatenfelder.feldart 2.0)."""

    INPUT = "input"
    SELECT = "select"
    LABEL = "label"
    HIDDEN = "hidden"
    LOCKED = "locked"


class DataType(StrEnum):
    """Type of a field's value (Datentyp, code list xdatenfelder.datentyp 2.0)."""

    TEXT = "text"
    TEXT_LATIN = "text_latin"
    DATE = "date"
    TIME = "time"
    DATETIME = "datetime"
    BOOL = "bool"
    NUMBER = "num"
    INTEGER = "num_int"
    CURRENCY = "num_currency"
    FILE = "file"
    OBJECT = "obj"


@dataclass(frozen=True, slots=True)
class LegalReference:
    """Legal basis (Handlungsgrundlage, `bezug`): a text and, where published, its address."""

    text: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """Rule (Regel): free text written for people; shown, never executed."""

    id: str
    version: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Relation:
    """Relation (Relation) to another building block, e.g. `ABL` derived from."""

    predicate: str
    object_id: str
    object_version: str = ""


@dataclass(frozen=True, slots=True)
class Cardinality:
    """How often an element may occur (Multiplizität, `anzahl`); `maximum` None is `*`."""

    minimum: int
    maximum: int | None

    @property
    def required(self) -> bool:
        return self.minimum > 0

    @property
    def repeats(self) -> bool:
        return self.maximum is None or self.maximum > 1

    @property
    def limit(self) -> int:
        """The most occurrences that are taken."""
        return MAX_REPETITIONS if self.maximum is None else min(self.maximum, MAX_REPETITIONS)


@dataclass(frozen=True, slots=True)
class Code:
    """One entry of a code list (Codelisteneintrag)."""

    code: str
    label: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class CodeListReference:
    """Which code list in which version a field takes its values from (Codelistenreferenz)."""

    urn: str
    version: str
    version_urn: str
    code_key: str = ""
    name_key: str = ""
    help_key: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """Field (Datenfeld). `label` and `help` are for asking, `label_out` for showing an answer to a clerk."""

    key: str
    id: str
    version: str
    name: str
    label: str
    label_out: str
    kind: FieldKind
    type: DataType
    cardinality: Cardinality
    help: str = ""
    help_out: str = ""
    definition: str = ""
    references: tuple[LegalReference, ...] = ()
    rules: tuple[Rule, ...] = ()
    relations: tuple[Relation, ...] = ()
    min_length: int | None = None
    max_length: int | None = None
    min_value: str = ""
    max_value: str = ""
    pattern: str = ""
    codes: tuple[Code, ...] = ()
    code_list: CodeListReference | None = None
    content: str = ""
    max_size: int | None = None  # bytes
    media_types: tuple[str, ...] = ()
    prefill: str = ""

    @property
    def asked(self) -> bool:
        return self.kind in (FieldKind.INPUT, FieldKind.SELECT)

    @property
    def is_file(self) -> bool:
        return self.type in (DataType.FILE, DataType.OBJECT)

    @property
    def is_boxes(self) -> bool:
        """Whether a page asks it as boxes to tick, under one name for all answers."""
        return self.kind is FieldKind.SELECT and self.cardinality.repeats and 0 < len(self.codes) <= BOXES


@dataclass(frozen=True, slots=True)
class Group:
    """Group of fields (Datenfeldgruppe). `choice`: exactly one of its elements is filled in (Auswahlgruppe)."""

    key: str
    id: str
    version: str
    name: str
    label: str
    label_out: str
    cardinality: Cardinality
    elements: tuple["Element", ...]
    choice: bool = False
    help: str = ""
    help_out: str = ""
    definition: str = ""
    references: tuple[LegalReference, ...] = ()
    rules: tuple[Rule, ...] = ()
    relations: tuple[Relation, ...] = ()

    def fields(self) -> Iterator[Field]:
        for element in self.elements:
            if isinstance(element, Field):
                yield element
            else:
                yield from element.fields()


Element = Field | Group


@dataclass(frozen=True, slots=True)
class Part:
    """An element at a fixed place on a page: below the path `prefix` (empty at the top).

    `within` names the groups on the way, so that a page knows under which heading it stands and whether it may be left
    out.
    """

    prefix: str
    element: Element
    within: tuple[Group, ...] = ()

    @property
    def base(self) -> str:
        """The path without the number of the repetition: `G1.0.F2`."""
        return f"{self.prefix}.{self.element.key}" if self.prefix else self.element.key


@dataclass(frozen=True, slots=True)
class Step:
    """Step (Schritt): the questions of one page. `number` counts from 1."""

    number: int
    title: str
    parts: tuple[Part, ...]
    optional: bool

    def holds(self, path: str) -> bool:
        """Whether the path is asked on this page."""
        return any(path == part.base or path.startswith(f"{part.base}.") for part in self.parts)


@dataclass(frozen=True)
class FormDefinition:
    """Form (Datenschema, Stammdatenschema): everything asked for one service, in the order of asking.

    Without slots, so that it can keep where its elements stand: a form is read once and asked for its fields all day.
    """

    id: str
    version: str
    name: str
    title: str
    elements: tuple[Element, ...]
    description: str = ""
    definition: str = ""
    note: str = ""
    references: tuple[LegalReference, ...] = ()
    rules: tuple[Rule, ...] = ()
    relations: tuple[Relation, ...] = ()
    keywords: tuple[str, ...] = ()
    status: str = ""
    status_set_by: str = ""
    published_on: str = ""
    document_profile: str = ""

    def fields(self) -> Iterator[Field]:
        for element in self.elements:
            if isinstance(element, Field):
                yield element
            else:
                yield from element.fields()

    def groups(self) -> Iterator[Group]:
        stack = list(reversed(self.elements))
        while stack:
            element = stack.pop()
            if isinstance(element, Group):
                yield element
                stack.extend(reversed(element.elements))

    def all_rules(self) -> list[Rule]:
        """Every rule once, by id, of the form, its groups and its fields."""
        found = {rule.id: rule for rule in self.rules}
        for group in self.groups():
            found.update((rule.id, rule) for rule in group.rules)
        for each in self.fields():
            found.update((rule.id, rule) for rule in each.rules)
        return list(found.values())

    def all_references(self) -> list[LegalReference]:
        """The legal bases of the form itself, each once."""
        return list(dict.fromkeys(self.references))

    def code_lists(self) -> list[CodeListReference]:
        """The code lists the form names without carrying their entries, each version once."""
        return list(self._code_lists)

    @cached_property
    def _code_lists(self) -> tuple[CodeListReference, ...]:
        found = {f.code_list.version_urn: f.code_list for f in self.fields() if f.code_list is not None and not f.codes}
        return tuple(found.values())

    def with_code_lists(self, lists: Mapping[str, tuple[Code, ...]]) -> "FormDefinition":
        """The same form with the entries of the named lists (by version URN) filled in."""

        def resolved(elements: Iterable[Element]) -> tuple[Element, ...]:
            return tuple(one(e) for e in elements)

        def one(element: Element) -> Element:
            if isinstance(element, Group):
                return replace(element, elements=resolved(element.elements))
            if element.code_list is not None and not element.codes and lists.get(element.code_list.version_urn):
                return replace(element, codes=lists[element.code_list.version_urn])
            return element

        return replace(self, elements=resolved(self.elements))

    def find(self, path: str) -> Element | None:
        """The element a path (or the base of one) leads to; None if the path is not of this form."""
        names = path.split(".")
        found, limits = self._places.get(".".join(names[::2]), (None, ()))
        for number, limit in zip(names[1::2], limits):
            if not (number.isascii() and number.isdecimal()) or len(number) > 3 or str(int(number)) != number:
                return None
            if int(number) >= limit:
                return None
        return found

    @cached_property
    def _places(self) -> Mapping[str, tuple[Element, tuple[int, ...]]]:
        """Path without the numbers -> the element, and how often it and each group on the way may occur."""
        found: dict[str, tuple[Element, tuple[int, ...]]] = {}

        def walk(elements: tuple[Element, ...], prefix: str, limits: tuple[int, ...]) -> None:
            for element in elements:
                place = f"{prefix}.{element.key}" if prefix else element.key
                within = (*limits, element.cardinality.limit)
                if place not in found:  # as with the keys of a form that are not unique: the first one counts
                    found[place] = (element, within)
                    if isinstance(element, Group):
                        walk(element.elements, place, within)

        walk(self.elements, "", ())
        return found

    def field_at(self, path: str) -> Field | None:
        """The field a complete path (one that ends with a number) leads to."""
        found = self.find(path) if path.count(".") % 2 == 1 else None
        return found if isinstance(found, Field) and found.asked else None

    def steps(self) -> tuple[Step, ...]:
        """The pages: one group of questions each; one of more than PAGE_SIZE questions is dealt out."""
        pages: list[tuple[str, list[Part]]] = []

        def size(element: Element) -> int:
            if isinstance(element, Field):
                return 1 if element.asked else 0
            return sum(size(inner) for inner in element.elements)

        def deal(
            elements: tuple[Element, ...], prefix: str, within: tuple[Group, ...], title: str, page: list[Part]
        ) -> None:
            def close() -> None:  # a page of notes alone waits for the next question
                if any(size(part.element) for part in page):
                    pages.append((title, list(page)))
                    page.clear()

            for element in elements:
                part = Part(prefix, element, within)
                wide = size(element) > PAGE_SIZE
                if isinstance(element, Group) and (wide or not within):
                    close()
                    if wide and not element.choice and not element.cardinality.repeats:
                        deal(element.elements, f"{part.base}.0", (*within, element), element.label, page)
                    else:
                        pages.append((element.label, [*page, part]))
                        page.clear()
                    continue
                if sum(size(p.element) for p in page) + size(element) > PAGE_SIZE:
                    close()
                page.append(part)
            close()
            if page and pages:  # notes behind the last question stay with it
                pages[-1][1].extend(page)
                page.clear()

        deal(self.elements, "", (), self.title, [])
        titles = [title for title, _parts in pages]
        steps = []
        for number, (title, parts) in enumerate(pages, start=1):
            same = titles.count(title)
            name = f"{title} ({titles[:number].count(title)}/{same})" if same > 1 else title
            steps.append(Step(number, name, tuple(parts), all(_may_be_left_out(part) for part in parts)))
        return tuple(steps)

    def to_json(self) -> dict[str, Any]:
        """As plain values for a JSON column; `from_json` is its inverse."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "FormDefinition":
        values = dict(data)
        values["elements"] = tuple(_element(e) for e in data["elements"])
        values["keywords"] = tuple(data.get("keywords", ()))
        return FormDefinition(**_common(values))


def _may_be_left_out(part: Part) -> bool:
    if any(not group.cardinality.required for group in part.within):
        return True
    element = part.element
    if isinstance(element, Field):
        return not element.asked or not element.cardinality.required
    return not element.cardinality.required


def _plain(value: Any) -> Any:
    """Leave out what is empty: a definition of 80 fields is read at every page."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items() if v not in ("", (), [], None, False) or k == "maximum"}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value.value if isinstance(value, StrEnum) else value


def _common(values: dict[str, Any]) -> dict[str, Any]:
    values["references"] = tuple(
        LegalReference(r.get("text", ""), r.get("link", "")) for r in values.get("references", ())
    )
    values["rules"] = tuple(
        Rule(r["id"], r.get("version", ""), r.get("name", ""), r.get("text", "")) for r in values.get("rules", ())
    )
    values["relations"] = tuple(
        Relation(r["predicate"], r["object_id"], r.get("object_version", "")) for r in values.get("relations", ())
    )
    return values


def _element(data: Mapping[str, Any]) -> Element:
    values = _common(dict(data))
    for name in ("name", "label", "label_out", "version"):
        values.setdefault(name, "")
    values["cardinality"] = Cardinality(data["cardinality"].get("minimum", 0), data["cardinality"]["maximum"])
    if "kind" not in data:
        values["elements"] = tuple(_element(e) for e in data.get("elements", ()))
        return Group(**values)
    values["kind"] = FieldKind(data["kind"])
    values["type"] = DataType(data["type"])
    values["codes"] = tuple(Code(c["code"], c.get("label", ""), c.get("help", "")) for c in data.get("codes", ()))
    values["media_types"] = tuple(data.get("media_types", ()))
    if "code_list" in data:
        values["code_list"] = CodeListReference(**{"urn": "", "version": "", "version_urn": "", **data["code_list"]})
    return Field(**values)


@dataclass(frozen=True, slots=True)
class FormReport:
    """What an import found: `unsupported` names every construct that is kept but has no effect in our pages.

    `notes` names what was read kindly or replaced (anchors in patterns, a newer version of a code list).
    """

    form_version_id: Any
    unsupported: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
