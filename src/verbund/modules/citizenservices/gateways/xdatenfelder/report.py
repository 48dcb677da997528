"""What of a file has no effect here, and what was read kindly: named, never dropped without a word."""

from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from lxml import etree

from .words import ATTRIBUTES, CODED, KNOWN, MANY, NAMESPACE, BrokenSchema, clean, local, q


@dataclass(slots=True)
class Report:
    """The messages, each once, in the order in which they came up."""

    has_no_effect: dict[str, None] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)

    def unsupported(self, message: str) -> None:
        """Something has no effect here."""
        self.has_no_effect.setdefault(message)

    def note(self, message: str) -> None:
        """Something was read kindly."""
        self.notes.setdefault(message)

    def look_over(self, node: etree._Element) -> None:
        """Name what we do not know: children, repeated children, attributes."""
        kind = local(node)
        known = KNOWN[kind]
        seen: set[str] = set()
        owner = clean(node.findtext(f"{q('identifikation')}/{q('id')}")) or kind
        for child in node:
            tag = local(child)
            if etree.QName(child).namespace != NAMESPACE or tag not in known:
                self.unknown(child, owner)
                continue
            if tag in seen and tag not in MANY:
                if tag in ("identifikation", "name", "feldart", "datentyp", "anzahl", "enthaelt"):
                    raise BrokenSchema(
                        _("Element “%(tag)s” occurs more than once in %(owner)s.") % {"tag": tag, "owner": owner}
                    )
                self.unsupported(
                    _("%(owner)s: element “%(tag)s” occurs more than once, the first is used")
                    % {"owner": owner, "tag": tag}
                )
            seen.add(tag)
            allowed = ATTRIBUTES.get(tag, frozenset())
            if tag in CODED:
                allowed = frozenset({"listURI", "listVersionID"})
            for attribute in child.attrib:
                if etree.QName(attribute).localname not in allowed:
                    self.unsupported(
                        _("%(owner)s: attribute “%(attribute)s” of “%(tag)s”")
                        % {"owner": owner, "attribute": attribute, "tag": tag}
                    )

    def unknown(self, child: etree._Element, owner: str) -> None:
        """A child that the format does not know."""
        self.unsupported(_("%(owner)s: unknown element “%(tag)s”") % {"owner": owner, "tag": local(child)})
