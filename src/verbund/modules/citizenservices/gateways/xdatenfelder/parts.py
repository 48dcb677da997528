"""What a form, a group and a field have alike: how often, legal references, rules, relations."""

import re
from typing import Final

from django.utils.translation import gettext as _
from lxml import etree

from verbund.modules.citizenservices.models.checking import EXECUTED_RULES
from verbund.modules.citizenservices.models.form import Cardinality, LegalReference, Relation, Rule

from .report import Report
from .words import BrokenSchema, at, clean, code_of, identity_of, q, text_of

_CARDINALITY: Final = re.compile(r"(\d{1,3}):(\d{1,4}|\*)", re.ASCII)


def cardinality_of(part: etree._Element, owner: str) -> Cardinality:
    """How often an element may be answered.

    Raises:
        BrokenSchema: it is not understood, contradicts itself or is more than a form here can hold.
    """
    text = clean(part.findtext(q("anzahl")))
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
            _("In %(owner)s the number of occurrences “%(text)s” contradicts itself.") % {"owner": owner, "text": text}
        )
    limit = Cardinality(minimum, maximum).limit
    if minimum > limit:
        raise BrokenSchema(
            _("In %(owner)s an element must occur %(count)s times; at most %(limit)s are possible here.")
            % {"owner": owner, "count": minimum, "limit": limit}
        )
    return Cardinality(minimum, maximum)


def references_of(node: etree._Element, report: Report) -> tuple[LegalReference, ...]:
    """The legal references of an element; a link that is none is left out and named."""
    found = []
    for reference in node.findall(q("bezug")):
        link = (reference.get("link") or "").strip()
        text = clean(reference.text) or link
        if link and not link.startswith(("https://", "http://")):
            report.unsupported(_("legal reference with the link “%(link)s”") % {"link": link[:80]})
            link = ""
        if text:
            found.append(LegalReference(text, link))
    return tuple(found)


def rules_of(node: etree._Element, report: Report) -> tuple[Rule, ...]:
    """The rules of an element: shown as text, checked where a function of ours knows them."""
    found = []
    for rule in node.findall(q("regel")):
        report.look_over(rule)
        ident, version = identity_of(rule)
        name = text_of(rule, "name") or ident
        for tag in ("skript", "script", "param", "ziel", "fehler"):
            for part in rule.findall(q(tag)):
                if clean("".join(map(str, part.itertext()))):
                    report.unsupported(
                        _("%(owner)s (%(name)s): “%(tag)s” of a rule is not executed") % {**at(ident, name), "tag": tag}
                    )
        if ident in EXECUTED_RULES:
            report.note(_("%(owner)s (%(name)s): rule is checked") % at(ident, name))
        else:
            report.note(_("%(owner)s (%(name)s): rule is shown as text") % at(ident, name))
        found.append(Rule(ident, version, name, text_of(rule, "freitextRegel")))
    return tuple(found)


def relations_of(node: etree._Element, report: Report) -> tuple[Relation, ...]:
    """The relations of an element to others, each once."""
    found = []
    for relation in node.findall(q("relation")):
        report.look_over(relation)
        target = relation.find(q("objekt"))
        if target is None:
            continue
        found.append(
            Relation(
                code_of(relation, "praedikat"),
                clean(target.findtext(q("id"))),
                clean(target.findtext(q("version"))),
            )
        )
    return tuple(dict.fromkeys(found))
