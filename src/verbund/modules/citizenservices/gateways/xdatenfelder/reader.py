"""From the message of the standard to the definition of a form."""

import re
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from django.utils.translation import gettext as _
from lxml import etree

from verbund.modules.citizenservices.models.form import Cardinality, Element, FormDefinition, Group, LegalReference
from verbund.platform import xml

from .fields import field_of
from .parts import cardinality_of, references_of, relations_of, rules_of
from .report import Report
from .words import (
    NAMESPACE,
    BrokenSchema,
    NotXDatenfelder3,
    clean,
    code_of,
    identity_of,
    local,
    q,
    required_text,
    text_of,
)

_FAMILY: Final = re.compile(r"urn:xoev-de:fim:standard:xdatenfelder_(?P<version>[\w.\-]+)")
MAX_DEPTH: Final = 30
MAX_FIELDS: Final = 5_000


@dataclass(frozen=True, slots=True)
class ReadForm:
    """What was read: the definition, what of it has no effect here, and what was read kindly."""

    definition: FormDefinition
    unsupported: list[str]
    notes: list[str]


def read_form(content: bytes) -> ReadForm:
    """Read an XDatenfelder 3.0.0 schema message (0102), or the message of one group (0103) as a form of its own.

    Raises:
        xml.Refused: not XML that we take. NotXDatenfelder3: another format or version. BrokenSchema: incomplete or
            contradictory.
    """
    root = xml.parse(content)
    name = etree.QName(root)
    if name.namespace != NAMESPACE:
        family = _FAMILY.fullmatch(name.namespace or "")
        if family is None and (name.namespace or "").startswith("urn:xoev-de:fim:standard:xdatenfelder"):
            raise NotXDatenfelder3(
                _("The file is of an unknown version of XDatenfelder (%(namespace)s). Version 3.0.0 is needed.")
                % {"namespace": name.namespace}
            )
        if family is None:
            raise NotXDatenfelder3(
                _("The file is not an XDatenfelder schema: its root element is “%(root)s”.") % {"root": root.tag}
            )
        version = family["version"]
        known = {"1": "1.0", "2": "2.0"}.get(version.split(".")[0])
        if known:
            raise NotXDatenfelder3(
                _(
                    "The file is in the older format XDatenfelder %(version)s. "
                    "Please convert it to version 3.0.0 first, for example in the FIM portal."
                )
                % {"version": known}
            )
        raise NotXDatenfelder3(
            _("The file is of an unknown version of XDatenfelder (%(namespace)s). Version 3.0.0 is needed.")
            % {"namespace": name.namespace}
        )
    return _Reader().read(root)


@dataclass(slots=True)
class _Reader:
    report: Report = field(default_factory=Report)
    fields: int = 0

    def read(self, root: etree._Element) -> ReadForm:
        kind = etree.QName(root).localname
        for child in root:
            if local(child) not in ("header", "stammdatenschema", "datenfeldgruppe"):
                self.report.unknown(child, kind)
        schema = root.find(q("stammdatenschema"))
        group = root.find(q("datenfeldgruppe"))
        if schema is not None:
            definition = self._schema(schema)
        elif group is not None:
            element = self._group(group, Cardinality(1, 1), 0, set())
            self.report.note(
                _("The file holds one group of fields, not a whole form. It is taken as a form of its own.")
            )
            definition = FormDefinition(
                element.id, element.version, element.name, element.label, (element,), references=element.references
            )
        else:
            raise BrokenSchema(
                _("The message “%(kind)s” holds no form: element “stammdatenschema” is missing.") % {"kind": kind}
            )
        if not any(f.asked for f in definition.fields()):
            reason = _("The form “%(name)s” asks nothing: it has no field.") % {"name": definition.name}
            if self.report.has_no_effect:
                reason += " " + _("Unknown in it: %(names)s") % {"names": "; ".join(self.report.has_no_effect)}
            raise BrokenSchema(reason)
        return ReadForm(definition, list(self.report.has_no_effect), list(self.report.notes))

    def _schema(self, node: etree._Element) -> FormDefinition:
        self.report.look_over(node)
        ident, version = identity_of(node)
        profile = node.find(f"{q('dokumentsteckbrief')}/{q('id')}")
        name = required_text(node, "name", ident)
        return FormDefinition(
            id=ident,
            version=version,
            name=name,
            title=text_of(node, "bezeichnung") or name,
            elements=self._structure(node, ident, 0),
            description=text_of(node, "beschreibung"),
            definition=text_of(node, "definition"),
            note=text_of(node, "hilfetext"),
            references=references_of(node, self.report),
            rules=rules_of(node, self.report),
            relations=relations_of(node, self.report),
            keywords=tuple(clean(w.text) for w in node.findall(q("stichwort")) if clean(w.text)),
            status=code_of(node, "freigabestatus"),
            status_set_by=text_of(node, "statusGesetztDurch"),
            published_on=text_of(node, "veroeffentlichungsdatum"),
            document_profile=clean(profile.text) if profile is not None else "",
        )

    def _structure(self, node: etree._Element, owner: str, depth: int) -> tuple[Element, ...]:
        if depth > MAX_DEPTH:
            raise BrokenSchema(_("Groups are nested more than %(depth)s deep.") % {"depth": MAX_DEPTH})
        keys: set[str] = set()
        elements: list[Element] = []
        for part in node.findall(q("struktur")):
            self.report.look_over(part)
            cardinality = cardinality_of(part, owner)
            inside = part.find(q("enthaelt"))
            children = [c for c in inside if isinstance(c.tag, str)] if inside is not None else []
            if len(children) != 1:
                raise BrokenSchema(
                    _("In %(owner)s an element “struktur” contains %(count)s elements; exactly one is expected.")
                    % {"owner": owner, "count": len(children)}
                )
            child = children[0]
            references = references_of(part, self.report)
            match local(child):
                case "datenfeld":
                    self._count()
                    elements.append(field_of(child, cardinality, references, partial(_key, taken=keys), self.report))
                case "datenfeldgruppe":
                    elements.append(self._group(child, cardinality, depth + 1, keys, references))
                case other:
                    self.report.unknown(child, "enthaelt")
                    self.report.unsupported(
                        _("%(owner)s: element “%(name)s” is not asked") % {"owner": owner, "name": other}
                    )
        return tuple(elements)

    def _group(
        self,
        node: etree._Element,
        cardinality: Cardinality,
        depth: int,
        keys: set[str],
        extra: tuple[LegalReference, ...] = (),
    ) -> Group:
        self.report.look_over(node)
        ident, version = identity_of(node)
        name = required_text(node, "name", ident)
        label = text_of(node, "bezeichnungEingabe") or name
        kind = code_of(node, "art")
        if kind not in ("", "X"):
            self.report.unsupported(_("%(owner)s: kind of group “%(kind)s”") % {"owner": ident, "kind": kind})
        return Group(
            key=_key(ident, keys),
            id=ident,
            version=version,
            name=name,
            label=label,
            label_out=text_of(node, "bezeichnungAusgabe") or label,
            cardinality=cardinality,
            elements=self._structure(node, ident, depth),
            choice=kind == "X",
            help=text_of(node, "hilfetextEingabe"),
            help_out=text_of(node, "hilfetextAusgabe"),
            definition=text_of(node, "definition"),
            references=tuple(dict.fromkeys((*references_of(node, self.report), *extra))),
            rules=rules_of(node, self.report),
            relations=relations_of(node, self.report),
        )

    def _count(self) -> None:
        self.fields += 1
        if self.fields > MAX_FIELDS:
            raise BrokenSchema(_("The form has more than %(count)s fields.") % {"count": MAX_FIELDS})


def _key(ident: str, taken: set[str]) -> str:
    """The name of an element in paths: its id, with a number if it stands twice in one group."""
    key, number = ident, 1
    while key in taken:
        number += 1
        key = f"{ident}_{number}"
    taken.add(key)
    return key
