"""A page of questions as a Django form and as a tree to be laid out. The form engine judges, not this."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final, cast

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.forms.boundfield import BoundField
from django.forms.utils import ErrorDict, ErrorList
from django.http import HttpRequest
from django.http.request import QueryDict
from django.utils.translation import gettext as _

from verbund.modules.citizenservices.models.checking import Problem, typed
from verbund.modules.citizenservices.models.form import (
    DataType,
    Element,
    Field,
    FieldKind,
    FormDefinition,
    Group,
    LegalReference,
    Part,
    Rule,
    Step,
)
from verbund.modules.citizenservices.queries.drafts import Attached, DraftView
from verbund.modules.citizenservices.services.drafts import Upload, entries_shown

RADIOS: Final = 6  # up to so many answers stand open, more become a list

# WCAG 1.3.5: what browsers may fill in for the person.
_AUTOCOMPLETE: Final = {
    "F60000000227": "family-name",
    "F60000000228": "given-name",
    "F60000000246": "postal-code",
    "F60000000247": "address-level2",
    "F60000000242": "email",
    "F60000000240": "tel",
}


@dataclass(slots=True)
class Node:
    """A part of the page. `kind`: field, file, note, group, entries."""

    kind: str
    title: str = ""
    help: str = ""
    text: str = ""
    name: str = ""  # of the input, or the base of what repeats
    anchor: str = ""
    optional: bool = False
    is_open: bool = True
    depth: int = 0
    remove: str = ""  # path of the entry this node is
    add: str = ""  # base to which an entry can be added
    add_label: str = ""
    children: list["Node"] = field(default_factory=list)
    attached: list[Attached] = field(default_factory=list)
    references: tuple[LegalReference, ...] = ()
    rules: tuple[Rule, ...] = ()
    bound: BoundField | None = None


class StepForm(forms.Form):
    """The questions of one page; errors are those of the form engine."""

    use_required_attribute = False

    def __init__(self, nodes: list[Node], fields: Mapping[str, forms.Field], problems: Iterable[Problem]) -> None:
        super().__init__()
        self.nodes = nodes
        self.fields = dict(fields)
        self._problems = ErrorDict()
        for problem in problems:
            name = self._name_of(problem.path)
            self._problems.setdefault(name, ErrorList()).append(problem.message)
        self._bind(nodes)

    def _bind(self, nodes: list[Node]) -> None:
        for node in nodes:
            if node.kind in ("field", "file"):
                node.bound = self[node.name]
            self._bind(node.children)

    @property
    def errors(self) -> ErrorDict:
        return self._problems

    def _name_of(self, path: str) -> str:
        """The input a problem belongs to: at its path, at its base (boxes, files), else the page as a whole."""
        if path in self.fields:
            return path
        base = path.rpartition(".")[0]
        return base if base in self.fields else NON_FIELD_ERRORS


@dataclass(slots=True)
class _Builder:
    draft: DraftView
    problems: list[Problem]
    fields: dict[str, forms.Field] = field(default_factory=dict)

    @property
    def form(self) -> FormDefinition:
        return self.draft.form.definition

    def part(self, part: Part) -> Node:
        return self.element(part.element, part.base, 0)

    def element(self, element: Element, base: str, depth: int) -> Node:
        if isinstance(element, Group):
            return self.group(element, base, depth)
        return self.field(element, base)

    # -- groups
    # ------------------------------------------------------------------------------------------------------------

    def group(self, group: Group, base: str, depth: int) -> Node:
        if not group.cardinality.repeats:
            return self.entry(group, f"{base}.0", group.label, depth)
        shown = entries_shown(group, base, self.draft.answers)
        entries = []
        for number in range(shown):
            title = f"{group.label} {number + 1}" if shown > 1 else group.label
            node = self.entry(group, f"{base}.{number}", title, depth)
            if shown > max(group.cardinality.minimum, 1):
                node.remove = f"{base}.{number}"
            entries.append(node)
        can_grow = shown < group.cardinality.limit
        return Node(
            "entries",
            children=entries,
            depth=depth,
            add=base if can_grow else "",
            add_label=_("Add another: %(label)s") % {"label": group.label},
        )

    def entry(self, group: Group, place: str, title: str, depth: int) -> Node:
        optional = not group.cardinality.required
        answered = any(path.startswith(f"{place}.") for path in self.draft.answers)
        wrong = any(problem.path.startswith(f"{place}.") for problem in self.problems)
        return Node(
            "group",
            title=title,
            help=group.help,
            name=place,
            anchor=f"g_{place}",
            optional=optional,
            is_open=not optional or answered or wrong or depth == 0,
            depth=depth,
            children=[self.element(inner, f"{place}.{inner.key}", depth + 1) for inner in group.elements],
            references=group.references,
            rules=group.rules,
        )

    # -- fields
    # ------------------------------------------------------------------------------------------------------------

    def field(self, asked: Field, base: str) -> Node:
        if not asked.asked:
            return Node("note", title=asked.label, text=asked.content or asked.help)
        if asked.is_file:
            return self.file(asked, base)
        if asked.is_boxes:
            return self.boxes(asked, base)
        shown = entries_shown(asked, base, self.draft.answers)
        nodes = []
        for number in range(shown):
            path = f"{base}.{number}"
            label = f"{asked.label} {number + 1}" if shown > 1 else asked.label
            self.fields[path] = self.input(asked, path, label, required=number < asked.cardinality.minimum)
            node = Node("field", name=path)
            if asked.cardinality.repeats and shown > max(asked.cardinality.minimum, 1):
                node.remove, node.title = path, label
            nodes.append(node)
        if not asked.cardinality.repeats:
            return nodes[0]
        can_grow = shown < asked.cardinality.limit
        return Node(
            "entries",
            children=nodes,
            add=base if can_grow else "",
            add_label=_("Add another: %(label)s") % {"label": asked.label},
        )

    def boxes(self, asked: Field, base: str) -> Node:
        chosen = [v for p, v in self.draft.answers.items() if p.startswith(f"{base}.") and "#" not in p]
        self.fields[base] = forms.MultipleChoiceField(
            label=asked.label,
            help_text=asked.help,
            required=asked.cardinality.required,
            choices=_choices(asked),
            widget=forms.CheckboxSelectMultiple,
            initial=chosen,
        )
        return Node("field", name=base)

    def file(self, asked: Field, base: str) -> Node:
        attached = [
            a
            for path, a in sorted(self.draft.attachments.items(), key=lambda item: _number(item[0]))
            if path.rpartition(".")[0] == base
        ]
        many = asked.cardinality.repeats
        attributes: dict[str, Any] = {"class": "cs-file"}
        if asked.media_types:
            attributes["accept"] = ",".join(asked.media_types)
        widget = _ManyFiles(attrs=attributes) if many else forms.FileInput(attrs=attributes)
        label = asked.label
        if attached:
            label = _("Add another file: %(label)s") if many else _("Replace the file: %(label)s")
            label %= {"label": asked.label}
        self.fields[base] = forms.FileField(
            label=label,
            help_text=asked.help or _("PDF, JPG or PNG, at most 10 MB."),
            required=asked.cardinality.required and not attached,
            widget=widget,
        )
        full = len(attached) >= asked.cardinality.limit and many
        return Node("file", name=base, title=asked.label, attached=attached, is_open=not full)

    def input(self, asked: Field, path: str, label: str, *, required: bool) -> forms.Field:
        value = self.draft.answers.get(path, "")
        common: dict[str, Any] = {
            "label": label,
            "help_text": _hint(asked),
            "required": required,
            "initial": typed(asked, value) if value else "",
        }
        if asked.kind is FieldKind.SELECT and asked.codes:
            return _choice(_choices(asked), common, open_to=RADIOS)
        if asked.type is DataType.BOOL:
            return _choice([("true", _("Yes")), ("false", _("No"))], common, open_to=RADIOS)
        return forms.CharField(widget=_text_widget(asked), **common)


class _ManyFiles(forms.FileInput):
    allow_multiple_selected = True


def _choice(choices: list[tuple[str, str]], common: dict[str, Any], *, open_to: int) -> forms.Field:
    """Radio buttons for a few answers of which one must be chosen; a list for many, or where none may be chosen."""
    if len(choices) <= open_to and common["required"]:
        return forms.ChoiceField(choices=choices, widget=forms.RadioSelect, **common)
    return forms.ChoiceField(choices=[("", _("Please choose")), *choices], widget=forms.Select, **common)


def _hint(asked: Field) -> str:
    """The form's own help; where it shows no example, how a date or a time is written."""
    if "Beispiel" in asked.help or "z. B." in asked.help:
        return asked.help
    example = {
        DataType.DATE: _("For example 31.03.1980."),
        DataType.TIME: _("For example 14:30."),
        DataType.DATETIME: _("For example 2026-11-21 14:30."),
    }.get(asked.type, "")
    return f"{asked.help} {example}".strip()


def _choices(asked: Field) -> list[tuple[str, str]]:
    return [(c.code, f"{c.label} – {c.help}" if c.help else c.label) for c in asked.codes]


def _text_widget(asked: Field) -> forms.Widget:
    attributes: dict[str, Any] = {}
    if asked.id in _AUTOCOMPLETE:
        attributes["autocomplete"] = _AUTOCOMPLETE[asked.id]
    match asked.type:
        case DataType.DATE:
            return forms.TextInput(
                {**attributes, "class": "vb-input--10", "inputmode": "numeric", "autocomplete": "off"}
            )
        case DataType.TIME:
            return forms.TextInput({**attributes, "class": "vb-input--4", "inputmode": "numeric"})
        case DataType.INTEGER:
            return forms.TextInput({**attributes, "class": "vb-input--10", "inputmode": "numeric"})
        case DataType.NUMBER | DataType.CURRENCY:
            return forms.TextInput({**attributes, "class": "vb-input--10", "inputmode": "decimal"})
    if asked.kind is FieldKind.SELECT:  # its list is not there: one line for the code or the name
        return forms.TextInput(attributes)
    if attributes.get("autocomplete") == "email":
        return forms.EmailInput(attributes)
    if attributes.get("autocomplete") == "tel":
        return forms.TextInput({**attributes, "inputmode": "tel"})
    if asked.max_length is None or asked.max_length > 254:
        return forms.Textarea({**attributes, "rows": 5})
    if asked.max_length <= 12:
        attributes["class"] = "vb-input--10"
    return forms.TextInput(attributes)


def step_form(draft: DraftView, step: Step, problems: list[Problem]) -> StepForm:
    """The page with the answers so far and what is wrong with them."""
    builder = _Builder(draft, problems)
    nodes = [builder.part(part) for part in step.parts]
    return StepForm(nodes, builder.fields, problems)


@dataclass(frozen=True, slots=True)
class Posted:
    """What a page sent: texts by path, files by path."""

    values: dict[str, str]
    uploads: dict[str, Upload]


def posted(draft: DraftView, step: Step, request: HttpRequest) -> Posted:
    """Read the page's own inputs out of a request; anything else in it is not looked at."""
    shape = step_form(draft, step, [])
    values: dict[str, str] = {}
    uploads: dict[str, Upload] = {}
    data: QueryDict = request.POST
    for name, asked in shape.fields.items():
        if isinstance(asked, forms.MultipleChoiceField):
            chosen = data.getlist(name)
            element = draft.form.definition.find(name)
            limit = element.cardinality.limit if element is not None else len(chosen)
            held = [p for p in draft.answers if p.startswith(f"{name}.") and "#" not in p]
            values |= dict.fromkeys(held, "")
            values |= {f"{name}.{n}": value for n, value in enumerate(chosen[:limit])}
        elif isinstance(asked, forms.FileField):
            _read_files(draft, name, request, uploads)
        elif name in data:
            values[name] = str(data[name])
    return Posted(values, uploads)


def _read_files(draft: DraftView, base: str, request: HttpRequest, uploads: dict[str, Upload]) -> None:
    element = draft.form.definition.find(base)
    if element is None:
        return
    taken = {_number(path) for path in draft.attachments if path.rpartition(".")[0] == base}
    free = (n for n in range(element.cardinality.limit) if n not in taken or not element.cardinality.repeats)
    for file, number in zip(request.FILES.getlist(base), free):
        uploads[f"{base}.{number}"] = Upload(file.name or "datei", cast(BinaryIO, file.file))


def _number(path: str) -> int:
    tail = path.rpartition(".")[2]
    return int(tail) if tail.isdecimal() else 0
