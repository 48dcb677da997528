"""FIM form schemas (Datenschema) in the format XDatenfelder 3.0.0.

No schema (XSD) of the standard is published; the structure was learned from released files. Whatever the reader does
not know is named in the report and kept with the source file, never dropped without a word.
"""

import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Final

from django.utils.translation import gettext as _
from lxml import etree

from verbund.modules.citizenservices.models.checking import EXECUTED_RULES
from verbund.modules.citizenservices.models.form import (
    Cardinality,
    Code,
    CodeListReference,
    DataType,
    Element,
    Field,
    FieldKind,
    FormDefinition,
    Group,
    LegalReference,
    Relation,
    Rule,
)
from verbund.modules.citizenservices.models.latin import normalised
from verbund.modules.citizenservices.models.pattern import PatternUnsupported, compiled
from verbund.platform import xml

NAMESPACE: Final = "urn:xoev-de:fim:standard:xdatenfelder_3.0.0"
_FAMILY: Final = re.compile(r"urn:xoev-de:fim:standard:xdatenfelder_(?P<version>[\w.\-]+)")
MAX_DEPTH: Final = 30
MAX_FIELDS: Final = 5_000

_ABOUT: Final = frozenset(
    {
        "identifikation", "name", "beschreibung", "definition", "bezug", "freigabestatus", "statusGesetztAm",
        "statusGesetztDurch", "gueltigAb", "gueltigBis", "versionshinweis", "veroeffentlichungsdatum",
        "letzteAenderung", "stichwort", "relation",
    }
)  # fmt: skip
_ELEMENT: Final = _ABOUT | {
    "bezeichnungEingabe", "bezeichnungAusgabe", "schemaelementart", "hilfetextEingabe", "hilfetextAusgabe", "regel",
}  # fmt: skip
_KNOWN: Final[dict[str, frozenset[str]]] = {
    "stammdatenschema": _ABOUT
    | {
        "bezeichnung", "hilfetext", "ableitungsmodifikationenStruktur", "ableitungsmodifikationenRepraesentation",
        "dokumentsteckbrief", "regel", "struktur",
    },
    "datenfeldgruppe": _ELEMENT | {"art", "struktur"},
    "datenfeld": _ELEMENT
    | {
        "feldart", "datentyp", "praezisierung", "inhalt", "vorbefuellung", "werte", "codelisteReferenz", "codeKey",
        "nameKey", "helpKey", "maxSize", "mediaType",
    },
    "struktur": frozenset({"anzahl", "bezug", "enthaelt"}),
    "regel": _ABOUT
    | {"freitextRegel", "fachlicherErsteller", "typ", "param", "ziel", "skript", "script", "fehler"},
    "wert": frozenset({"code", "name", "hilfe"}),
    "werte": frozenset({"wert"}),
    "codelisteReferenz": frozenset({"id", "canonicalIdentification", "version", "canonicalVersionUri"}),
    "relation": frozenset({"praedikat", "objekt"}),
}  # fmt: skip
_MANY: Final = frozenset(
    {"bezug", "stichwort", "relation", "regel", "struktur", "wert", "mediaType", "param", "ziel", "fehler"}
)
_ATTRIBUTES: Final[dict[str, frozenset[str]]] = {
    "bezug": frozenset({"link"}),
    "stichwort": frozenset({"uri"}),
    "praezisierung": frozenset({"minLength", "maxLength", "minValue", "maxValue", "pattern"}),
}
_CODED: Final = frozenset(
    {
        "freigabestatus", "schemaelementart", "feldart", "datentyp", "vorbefuellung", "typ", "art", "praedikat",
        "ableitungsmodifikationenStruktur", "ableitungsmodifikationenRepraesentation",
    }
)  # fmt: skip
_ID: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}", re.ASCII)
_CARDINALITY: Final = re.compile(r"(\d{1,3}):(\d{1,4}|\*)", re.ASCII)


class NotXDatenfelder3(xml.Refused):
    """The file is of another format or version; the message names it."""


class BrokenSchema(xml.Refused):
    """The file says it is XDatenfelder 3.0.0 but lacks what a form needs."""


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
    unsupported: dict[str, None] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    fields: int = 0

    # -- reports
    # -----------------------------------------------------------------------------------------------------------------

    def _unsupported(self, message: str) -> None:
        self.unsupported.setdefault(message)

    def _note(self, message: str) -> None:
        self.notes.setdefault(message)

    # -- reading
    # ----------------------------------------------------------------------------------------------------------------

    def read(self, root: etree._Element) -> ReadForm:
        kind = etree.QName(root).localname
        for child in root:
            if _local(child) not in ("header", "stammdatenschema", "datenfeldgruppe"):
                self._unknown(child, kind)
        schema = root.find(_q("stammdatenschema"))
        group = root.find(_q("datenfeldgruppe"))
        if schema is not None:
            definition = self._schema(schema)
        elif group is not None:
            element = self._group(group, Cardinality(1, 1), 0, set())
            self._note(_("The file holds one group of fields, not a whole form. It is taken as a form of its own."))
            definition = FormDefinition(
                element.id, element.version, element.name, element.label, (element,), references=element.references
            )
        else:
            raise BrokenSchema(
                _("The message “%(kind)s” holds no form: element “stammdatenschema” is missing.") % {"kind": kind}
            )
        if not any(f.asked for f in definition.fields()):
            reason = _("The form “%(name)s” asks nothing: it has no field.") % {"name": definition.name}
            if self.unsupported:
                reason += " " + _("Unknown in it: %(names)s") % {"names": "; ".join(self.unsupported)}
            raise BrokenSchema(reason)
        return ReadForm(definition, list(self.unsupported), list(self.notes))

    def _schema(self, node: etree._Element) -> FormDefinition:
        self._look_over(node)
        ident, version = self._identity(node)
        profile = node.find(f"{_q('dokumentsteckbrief')}/{_q('id')}")
        name = self._required_text(node, "name", ident)
        return FormDefinition(
            id=ident,
            version=version,
            name=name,
            title=self._text(node, "bezeichnung") or name,
            elements=self._structure(node, ident, 0),
            description=self._text(node, "beschreibung"),
            definition=self._text(node, "definition"),
            note=self._text(node, "hilfetext"),
            references=self._references(node),
            rules=self._rules(node),
            relations=self._relations(node),
            keywords=tuple(_clean(w.text) for w in node.findall(_q("stichwort")) if _clean(w.text)),
            status=self._code(node, "freigabestatus"),
            status_set_by=self._text(node, "statusGesetztDurch"),
            published_on=self._text(node, "veroeffentlichungsdatum"),
            document_profile=_clean(profile.text) if profile is not None else "",
        )

    def _structure(self, node: etree._Element, owner: str, depth: int) -> tuple[Element, ...]:
        if depth > MAX_DEPTH:
            raise BrokenSchema(_("Groups are nested more than %(depth)s deep.") % {"depth": MAX_DEPTH})
        keys: set[str] = set()
        elements: list[Element] = []
        for part in node.findall(_q("struktur")):
            self._look_over(part)
            cardinality = self._cardinality(part, owner)
            inside = part.find(_q("enthaelt"))
            children = [c for c in inside if isinstance(c.tag, str)] if inside is not None else []
            if len(children) != 1:
                raise BrokenSchema(
                    _("In %(owner)s an element “struktur” contains %(count)s elements; exactly one is expected.")
                    % {"owner": owner, "count": len(children)}
                )
            child = children[0]
            references = self._references(part)
            match _local(child):
                case "datenfeld":
                    elements.append(self._field(child, cardinality, references, keys))
                case "datenfeldgruppe":
                    elements.append(self._group(child, cardinality, depth + 1, keys, references))
                case other:
                    self._unknown(child, "enthaelt")
                    self._unsupported(_("%(owner)s: element “%(name)s” is not asked") % {"owner": owner, "name": other})
        return tuple(elements)

    def _group(
        self,
        node: etree._Element,
        cardinality: Cardinality,
        depth: int,
        keys: set[str],
        extra: tuple[LegalReference, ...] = (),
    ) -> Group:
        self._look_over(node)
        ident, version = self._identity(node)
        name = self._required_text(node, "name", ident)
        label = self._text(node, "bezeichnungEingabe") or name
        kind = self._code(node, "art")
        if kind not in ("", "X"):
            self._unsupported(_("%(owner)s: kind of group “%(kind)s”") % {"owner": ident, "kind": kind})
        return Group(
            key=_key(ident, keys),
            id=ident,
            version=version,
            name=name,
            label=label,
            label_out=self._text(node, "bezeichnungAusgabe") or label,
            cardinality=cardinality,
            elements=self._structure(node, ident, depth),
            choice=kind == "X",
            help=self._text(node, "hilfetextEingabe"),
            help_out=self._text(node, "hilfetextAusgabe"),
            definition=self._text(node, "definition"),
            references=tuple(dict.fromkeys((*self._references(node), *extra))),
            rules=self._rules(node),
            relations=self._relations(node),
        )

    def _field(
        self,
        node: etree._Element,
        cardinality: Cardinality,
        extra: tuple[LegalReference, ...],
        keys: set[str],
    ) -> Field:
        self.fields += 1
        if self.fields > MAX_FIELDS:
            raise BrokenSchema(_("The form has more than %(count)s fields.") % {"count": MAX_FIELDS})
        self._look_over(node)
        ident, version = self._identity(node)
        name = self._required_text(node, "name", ident)
        label = self._text(node, "bezeichnungEingabe") or name
        kind = self._kind(node, ident)
        data_type = self._type(node, ident)
        codes = self._codes(node, ident)
        code_list = self._code_list(node, ident)
        if kind is FieldKind.SELECT and not codes and code_list is None:
            self._unsupported(
                _("%(owner)s (%(name)s): a choice without a list is asked as free text") % self._at(ident, name)
            )
        low, high = self._limits(node, ident, name, data_type)
        pattern = self._pattern(node, ident, name)
        return Field(
            key=_key(ident, keys),
            id=ident,
            version=version,
            name=name,
            label=label,
            label_out=self._text(node, "bezeichnungAusgabe") or label,
            kind=kind,
            type=data_type,
            cardinality=cardinality,
            help=self._text(node, "hilfetextEingabe"),
            help_out=self._text(node, "hilfetextAusgabe"),
            definition=self._text(node, "definition"),
            references=tuple(dict.fromkeys((*self._references(node), *extra))),
            rules=self._rules(node),
            relations=self._relations(node),
            min_length=self._length(node, "minLength", ident),
            max_length=self._length(node, "maxLength", ident),
            min_value=low,
            max_value=high,
            pattern=pattern,
            codes=codes,
            code_list=code_list,
            content=self._text(node, "inhalt"),
            max_size=self._size(node, ident),
            media_types=tuple(_clean(m.text).lower() for m in node.findall(_q("mediaType")) if _clean(m.text)),
            prefill=self._prefill(node, ident, name),
        )

    # -- parts of a field
    # -------------------------------------------------------------------------------------------------------

    def _kind(self, node: etree._Element, ident: str) -> FieldKind:
        code = self._code(node, "feldart")
        if not code:
            raise BrokenSchema(_("Field %(owner)s has no kind (feldart).") % {"owner": ident})
        if code == "static":
            code = "label"
        try:
            kind = FieldKind(code)
        except ValueError:
            self._unsupported(_("%(owner)s: kind of field “%(kind)s”, asked as input") % {"owner": ident, "kind": code})
            return FieldKind.INPUT
        if kind in (FieldKind.HIDDEN, FieldKind.LOCKED):
            self._unsupported(_("%(owner)s: kind of field “%(kind)s”, not asked") % {"owner": ident, "kind": code})
        return kind

    def _type(self, node: etree._Element, ident: str) -> DataType:
        code = self._code(node, "datentyp")
        if not code:
            raise BrokenSchema(_("Field %(owner)s has no data type (datentyp).") % {"owner": ident})
        try:
            data_type = DataType(code)
        except ValueError:
            self._unsupported(_("%(owner)s: data type “%(type)s”, asked as text") % {"owner": ident, "type": code})
            return DataType.TEXT
        if data_type is DataType.OBJECT:
            self._unsupported(_("%(owner)s: data type “obj”, asked as a file") % {"owner": ident})
        return data_type

    def _codes(self, node: etree._Element, ident: str) -> tuple[Code, ...]:
        values = node.find(_q("werte"))
        if values is None:
            return ()
        self._look_over(values)
        found: dict[str, Code] = {}
        for value in values.findall(_q("wert")):
            self._look_over(value)
            code = _clean(value.findtext(_q("code")))
            if not code or code in found:
                raise BrokenSchema(
                    _("The list of values of %(owner)s has an empty or repeated code “%(code)s”.")
                    % {"owner": ident, "code": code}
                )
            label = _clean(value.findtext(_q("name"))) or code
            found[code] = Code(code, label, _clean(value.findtext(_q("hilfe"))))
        return tuple(found.values())

    def _code_list(self, node: etree._Element, ident: str) -> CodeListReference | None:
        reference = node.find(_q("codelisteReferenz"))
        if reference is None:
            return None
        self._look_over(reference)
        urn = _clean(reference.findtext(_q("canonicalIdentification")))
        version = _clean(reference.findtext(_q("version")))
        version_urn = _clean(reference.findtext(_q("canonicalVersionUri")))
        if not version_urn and urn and version:
            version_urn = f"{urn}_{version}"
        if not urn and not version_urn:
            self._unsupported(_("%(owner)s: reference to a code list without its name") % {"owner": ident})
            return None
        return CodeListReference(
            urn=urn,
            version=version,
            version_urn=version_urn or urn,
            code_key=self._text(node, "codeKey"),
            name_key=self._text(node, "nameKey"),
            help_key=self._text(node, "helpKey"),
        )

    def _limits(self, node: etree._Element, ident: str, name: str, data_type: DataType) -> tuple[str, str]:
        limits = []
        for attribute in ("minValue", "maxValue"):
            value = self._precision(node, attribute)
            if value and data_type in (DataType.NUMBER, DataType.INTEGER, DataType.CURRENCY):
                try:
                    if not Decimal(value.replace(",", ".")).is_finite():
                        raise InvalidOperation
                except InvalidOperation:
                    self._unsupported(
                        _("%(owner)s (%(name)s): limit %(limit)s") % {**self._at(ident, name), "limit": value[:40]}
                    )
                    value = ""
            elif value and data_type is not DataType.DATE:
                self._note(
                    _("%(owner)s (%(name)s): limit %(limit)s has no meaning for its data type")
                    % {**self._at(ident, name), "limit": value[:40]}
                )
            limits.append(value)
        return limits[0], limits[1]

    def _pattern(self, node: etree._Element, ident: str, name: str) -> str:
        element = node.find(_q("praezisierung"))
        source = normalised(element.get("pattern", "")) if element is not None else ""
        if not source:
            return ""
        try:
            automaton = compiled(source)
        except PatternUnsupported as error:
            self._unsupported(
                _("%(owner)s (%(name)s): pattern %(pattern)s (at %(part)s)")
                % {**self._at(ident, name), "pattern": source[:200], "part": str(error)[:60]}
            )
            return source
        if automaton.notes:
            self._note(
                _("%(owner)s (%(name)s): %(signs)s in the pattern is read as the edge of the text")
                % {**self._at(ident, name), "signs": " ".join(automaton.notes)}
            )
        return source

    def _length(self, node: etree._Element, attribute: str, ident: str) -> int | None:
        value = self._precision(node, attribute)
        if not value:
            return None
        if not (value.isascii() and value.isdecimal()) or len(value) > 9:
            self._unsupported(
                _("%(owner)s: %(attribute)s “%(value)s”")
                % {"owner": ident, "attribute": attribute, "value": value[:40]}
            )
            return None
        return int(value) or None  # a length of 0 sets no limit

    def _size(self, node: etree._Element, ident: str) -> int | None:
        value = self._text(node, "maxSize")
        if not value:
            return None
        if not (value.isascii() and value.isdecimal()) or len(value) > 15 or int(value) == 0:
            self._unsupported(
                _("%(owner)s: %(attribute)s “%(value)s”")
                % {"owner": ident, "attribute": "maxSize", "value": value[:40]}
            )
            return None
        return int(value)

    def _prefill(self, node: etree._Element, ident: str, name: str) -> str:
        code = self._code(node, "vorbefuellung")
        if code not in ("", "keine"):
            self._unsupported(
                _("%(owner)s (%(name)s): prefilling “%(code)s”") % {**self._at(ident, name), "code": code}
            )
        return code

    def _precision(self, node: etree._Element, attribute: str) -> str:
        element = node.find(_q("praezisierung"))
        return _clean(element.get(attribute)) if element is not None else ""

    # -- parts of anything
    # ------------------------------------------------------------------------------------------------------

    def _identity(self, node: etree._Element) -> tuple[str, str]:
        kind = _local(node)
        found = node.find(_q("identifikation"))
        if found is None:
            raise BrokenSchema(_("An element “%(kind)s” has no “identifikation”.") % {"kind": kind})
        for child in found:
            if _local(child) not in ("id", "version"):
                raise BrokenSchema(
                    _("Unknown element “%(name)s” in the “identifikation” of “%(kind)s”.")
                    % {"name": _local(child), "kind": kind}
                )
        ids, versions = found.findall(_q("id")), found.findall(_q("version"))
        ident = _clean(ids[0].text) if ids else ""
        if len(ids) != 1 or len(versions) > 1 or not _ID.fullmatch(ident):
            raise BrokenSchema(
                _("An element “%(kind)s” has no valid “id” (found: “%(id)s”).") % {"kind": kind, "id": ident[:60]}
            )
        return ident, _clean(versions[0].text) if versions else ""

    def _cardinality(self, part: etree._Element, owner: str) -> Cardinality:
        text = _clean(part.findtext(_q("anzahl")))
        found = _CARDINALITY.fullmatch(text)
        if found is None:
            raise BrokenSchema(
                _("In %(owner)s the number of occurrences “%(text)s” is not understood (expected: 0:1, 1:1, 0:*, …).")
                % {"owner": owner, "text": text[:40]}
            )
        minimum = int(found[1])
        maximum = None if found[2] == "*" else int(found[2])
        if maximum is not None and (maximum < minimum or maximum == 0):
            raise BrokenSchema(
                _("In %(owner)s the number of occurrences “%(text)s” contradicts itself.")
                % {"owner": owner, "text": text}
            )
        limit = Cardinality(minimum, maximum).limit
        if minimum > limit:
            raise BrokenSchema(
                _("In %(owner)s an element must occur %(count)s times; at most %(limit)s are possible here.")
                % {"owner": owner, "count": minimum, "limit": limit}
            )
        return Cardinality(minimum, maximum)

    def _references(self, node: etree._Element) -> tuple[LegalReference, ...]:
        found = []
        for reference in node.findall(_q("bezug")):
            link = (reference.get("link") or "").strip()
            text = _clean(reference.text) or link
            if link and not link.startswith(("https://", "http://")):
                self._unsupported(_("legal reference with the link “%(link)s”") % {"link": link[:80]})
                link = ""
            if text:
                found.append(LegalReference(text, link))
        return tuple(found)

    def _rules(self, node: etree._Element) -> tuple[Rule, ...]:
        found = []
        for rule in node.findall(_q("regel")):
            self._look_over(rule)
            ident, version = self._identity(rule)
            name = self._text(rule, "name") or ident
            for tag in ("skript", "script", "param", "ziel", "fehler"):
                for part in rule.findall(_q(tag)):
                    if _clean("".join(map(str, part.itertext()))):
                        self._unsupported(
                            _("%(owner)s (%(name)s): “%(tag)s” of a rule is not executed")
                            % {**self._at(ident, name), "tag": tag}
                        )
            if ident in EXECUTED_RULES:
                self._note(_("%(owner)s (%(name)s): rule is checked") % self._at(ident, name))
            else:
                self._note(_("%(owner)s (%(name)s): rule is shown as text") % self._at(ident, name))
            found.append(Rule(ident, version, name, self._text(rule, "freitextRegel")))
        return tuple(found)

    def _relations(self, node: etree._Element) -> tuple[Relation, ...]:
        found = []
        for relation in node.findall(_q("relation")):
            self._look_over(relation)
            target = relation.find(_q("objekt"))
            if target is None:
                continue
            found.append(
                Relation(
                    self._code(relation, "praedikat"),
                    _clean(target.findtext(_q("id"))),
                    _clean(target.findtext(_q("version"))),
                )
            )
        return tuple(dict.fromkeys(found))

    def _code(self, node: etree._Element, tag: str) -> str:
        """The code of a coded element; its child `code` stands in no namespace in released files, in the standard's in
        others.
        """
        element = node.find(_q(tag))
        if element is None:
            return ""
        return _clean(element.findtext("code") or element.findtext(_q("code")))

    def _text(self, node: etree._Element, tag: str) -> str:
        return _clean(node.findtext(_q(tag)))

    def _required_text(self, node: etree._Element, tag: str, owner: str) -> str:
        text = self._text(node, tag)
        if not text:
            raise BrokenSchema(_("%(owner)s has no “%(tag)s”.") % {"owner": owner, "tag": tag})
        return text

    def _look_over(self, node: etree._Element) -> None:
        """Name what we do not know: children, repeated children, attributes."""
        kind = _local(node)
        known = _KNOWN[kind]
        seen: set[str] = set()
        owner = _clean(node.findtext(f"{_q('identifikation')}/{_q('id')}")) or kind
        for child in node:
            tag = _local(child)
            if etree.QName(child).namespace != NAMESPACE or tag not in known:
                self._unknown(child, owner)
                continue
            if tag in seen and tag not in _MANY:
                if tag in ("identifikation", "name", "feldart", "datentyp", "anzahl", "enthaelt"):
                    raise BrokenSchema(
                        _("Element “%(tag)s” occurs more than once in %(owner)s.") % {"tag": tag, "owner": owner}
                    )
                self._unsupported(
                    _("%(owner)s: element “%(tag)s” occurs more than once, the first is used")
                    % {"owner": owner, "tag": tag}
                )
            seen.add(tag)
            allowed = _ATTRIBUTES.get(tag, frozenset())
            if tag in _CODED:
                allowed = frozenset({"listURI", "listVersionID"})
            for attribute in child.attrib:
                if etree.QName(attribute).localname not in allowed:
                    self._unsupported(
                        _("%(owner)s: attribute “%(attribute)s” of “%(tag)s”")
                        % {"owner": owner, "attribute": attribute, "tag": tag}
                    )

    def _unknown(self, child: etree._Element, owner: str) -> None:
        self._unsupported(_("%(owner)s: unknown element “%(tag)s”") % {"owner": owner, "tag": _local(child)})

    @staticmethod
    def _at(ident: str, name: str) -> dict[str, str]:
        return {"owner": ident, "name": name}


def _q(tag: str) -> str:
    return f"{{{NAMESPACE}}}{tag}"


def _local(node: etree._Element) -> str:
    return etree.QName(node).localname if isinstance(node.tag, str) else "?"


def _clean(text: str | None) -> str:
    """NFC, every line without spaces at its ends, at most one empty line in a row."""
    if not text:
        return ""
    lines = [" ".join(line.split()) for line in normalised(text).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _key(ident: str, taken: set[str]) -> str:
    """The name of an element in paths: its id, with a number if it stands twice in one group."""
    key, number = ident, 1
    while key in taken:
        number += 1
        key = f"{ident}_{number}"
    taken.add(key)
    return key
