"""One field of a form: kind, data type, limits, codes, pattern."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _
from lxml import etree

from verbund.modules.citizenservices.models.form import (
    Cardinality,
    Code,
    CodeListReference,
    DataType,
    Field,
    FieldKind,
    LegalReference,
)
from verbund.modules.citizenservices.models.latin import normalised
from verbund.modules.citizenservices.models.pattern import PatternUnsupported, compiled

from .parts import references_of, relations_of, rules_of
from .report import Report
from .words import BrokenSchema, at, clean, code_of, identity_of, q, required_text, text_of


def field_of(
    node: etree._Element,
    cardinality: Cardinality,
    extra: tuple[LegalReference, ...],
    key: Callable[[str], str],
    report: Report,
) -> Field:
    """The field at this place; `key` gives an id its name in paths.

    Raises:
        BrokenSchema: it lacks what a field needs.
    """
    report.look_over(node)
    ident, version = identity_of(node)
    name = required_text(node, "name", ident)
    label = text_of(node, "bezeichnungEingabe") or name
    kind = _kind(node, ident, report)
    data_type = _type(node, ident, report)
    codes = _codes(node, ident, report)
    code_list = _code_list(node, ident, report)
    if kind is FieldKind.SELECT and not codes and code_list is None:
        report.unsupported(_("%(owner)s (%(name)s): a choice without a list is asked as free text") % at(ident, name))
    low, high = _limits(node, ident, name, data_type, report)
    pattern = _pattern(node, ident, name, report)
    return Field(
        key=key(ident),
        id=ident,
        version=version,
        name=name,
        label=label,
        label_out=text_of(node, "bezeichnungAusgabe") or label,
        kind=kind,
        type=data_type,
        cardinality=cardinality,
        help=text_of(node, "hilfetextEingabe"),
        help_out=text_of(node, "hilfetextAusgabe"),
        definition=text_of(node, "definition"),
        references=tuple(dict.fromkeys((*references_of(node, report), *extra))),
        rules=rules_of(node, report),
        relations=relations_of(node, report),
        min_length=_length(node, "minLength", ident, report),
        max_length=_length(node, "maxLength", ident, report),
        min_value=low,
        max_value=high,
        pattern=pattern,
        codes=codes,
        code_list=code_list,
        content=text_of(node, "inhalt"),
        max_size=_size(node, ident, report),
        media_types=tuple(clean(m.text).lower() for m in node.findall(q("mediaType")) if clean(m.text)),
        prefill=_prefill(node, ident, name, report),
    )


def _kind(node: etree._Element, ident: str, report: Report) -> FieldKind:
    code = code_of(node, "feldart")
    if not code:
        raise BrokenSchema(_("Field %(owner)s has no kind (feldart).") % {"owner": ident})
    if code == "static":
        code = "label"
    try:
        kind = FieldKind(code)
    except ValueError:
        report.unsupported(_("%(owner)s: kind of field “%(kind)s”, asked as input") % {"owner": ident, "kind": code})
        return FieldKind.INPUT
    if kind in (FieldKind.HIDDEN, FieldKind.LOCKED):
        report.unsupported(_("%(owner)s: kind of field “%(kind)s”, not asked") % {"owner": ident, "kind": code})
    return kind


def _type(node: etree._Element, ident: str, report: Report) -> DataType:
    code = code_of(node, "datentyp")
    if not code:
        raise BrokenSchema(_("Field %(owner)s has no data type (datentyp).") % {"owner": ident})
    try:
        data_type = DataType(code)
    except ValueError:
        report.unsupported(_("%(owner)s: data type “%(type)s”, asked as text") % {"owner": ident, "type": code})
        return DataType.TEXT
    if data_type is DataType.OBJECT:
        report.unsupported(_("%(owner)s: data type “obj”, asked as a file") % {"owner": ident})
    return data_type


def _codes(node: etree._Element, ident: str, report: Report) -> tuple[Code, ...]:
    values = node.find(q("werte"))
    if values is None:
        return ()
    report.look_over(values)
    found: dict[str, Code] = {}
    for value in values.findall(q("wert")):
        report.look_over(value)
        code = clean(value.findtext(q("code")))
        if not code or code in found:
            raise BrokenSchema(
                _("The list of values of %(owner)s has an empty or repeated code “%(code)s”.")
                % {"owner": ident, "code": code}
            )
        label = clean(value.findtext(q("name"))) or code
        found[code] = Code(code, label, clean(value.findtext(q("hilfe"))))
    return tuple(found.values())


def _code_list(node: etree._Element, ident: str, report: Report) -> CodeListReference | None:
    reference = node.find(q("codelisteReferenz"))
    if reference is None:
        return None
    report.look_over(reference)
    urn = clean(reference.findtext(q("canonicalIdentification")))
    version = clean(reference.findtext(q("version")))
    version_urn = clean(reference.findtext(q("canonicalVersionUri")))
    if not version_urn and urn and version:
        version_urn = f"{urn}_{version}"
    if not urn and not version_urn:
        report.unsupported(_("%(owner)s: reference to a code list without its name") % {"owner": ident})
        return None
    return CodeListReference(
        urn=urn,
        version=version,
        version_urn=version_urn or urn,
        code_key=text_of(node, "codeKey"),
        name_key=text_of(node, "nameKey"),
        help_key=text_of(node, "helpKey"),
    )


def _limits(node: etree._Element, ident: str, name: str, data_type: DataType, report: Report) -> tuple[str, str]:
    limits = []
    for attribute in ("minValue", "maxValue"):
        value = _precision(node, attribute)
        if value and data_type in (DataType.NUMBER, DataType.INTEGER, DataType.CURRENCY):
            try:
                if not Decimal(value.replace(",", ".")).is_finite():
                    raise InvalidOperation
            except InvalidOperation:
                report.unsupported(
                    _("%(owner)s (%(name)s): limit %(limit)s") % {**at(ident, name), "limit": value[:40]}
                )
                value = ""
        elif value and data_type is not DataType.DATE:
            report.note(
                _("%(owner)s (%(name)s): limit %(limit)s has no meaning for its data type")
                % {**at(ident, name), "limit": value[:40]}
            )
        limits.append(value)
    return limits[0], limits[1]


def _pattern(node: etree._Element, ident: str, name: str, report: Report) -> str:
    element = node.find(q("praezisierung"))
    source = normalised(element.get("pattern", "")) if element is not None else ""
    if not source:
        return ""
    try:
        automaton = compiled(source)
    except PatternUnsupported as error:
        report.unsupported(
            _("%(owner)s (%(name)s): pattern %(pattern)s (at %(part)s)")
            % {**at(ident, name), "pattern": source[:200], "part": str(error)[:60]}
        )
        return source
    if automaton.notes:
        report.note(
            _("%(owner)s (%(name)s): %(signs)s in the pattern is read as the edge of the text")
            % {**at(ident, name), "signs": " ".join(automaton.notes)}
        )
    return source


def _length(node: etree._Element, attribute: str, ident: str, report: Report) -> int | None:
    value = _precision(node, attribute)
    if not value:
        return None
    if not (value.isascii() and value.isdecimal()) or len(value) > 9:
        report.unsupported(
            _("%(owner)s: %(attribute)s “%(value)s”") % {"owner": ident, "attribute": attribute, "value": value[:40]}
        )
        return None
    return int(value) or None  # a length of 0 sets no limit


def _size(node: etree._Element, ident: str, report: Report) -> int | None:
    value = text_of(node, "maxSize")
    if not value:
        return None
    if not (value.isascii() and value.isdecimal()) or len(value) > 15 or int(value) == 0:
        report.unsupported(
            _("%(owner)s: %(attribute)s “%(value)s”") % {"owner": ident, "attribute": "maxSize", "value": value[:40]}
        )
        return None
    return int(value)


def _prefill(node: etree._Element, ident: str, name: str, report: Report) -> str:
    code = code_of(node, "vorbefuellung")
    if code not in ("", "keine"):
        report.unsupported(_("%(owner)s (%(name)s): prefilling “%(code)s”") % {**at(ident, name), "code": code})
    return code


def _precision(node: etree._Element, attribute: str) -> str:
    element = node.find(q("praezisierung"))
    return clean(element.get(attribute)) if element is not None else ""
