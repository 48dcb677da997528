"""What stands in a timeline, as sentences in the reader's language: the entries keep kind and values only."""

from collections.abc import Mapping
from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from verbund.modules.records.models import Channel, TimelineKind


def sentence(kind: str, values: Mapping[str, str]) -> str:
    """The sentence of an entry; a kind without values is its own sentence."""
    said = {name: _said(name, value) for name, value in values.items()}
    match kind:
        case TimelineKind.OPENED:
            return _("Case %(reference)s opened") % said
        case TimelineKind.DOCUMENT_FILED:
            return _("Document %(number)s filed: %(title)s") % said
        case TimelineKind.VERSION_ADDED:
            return _("Version %(version)s of document %(number)s added: %(title)s") % said
        case TimelineKind.LETTER_ISSUED:
            return _("Letter to %(recipient)s issued: %(title)s") % said
        case TimelineKind.LETTER_DELIVERED:
            return (
                _("Letter “%(title)s” sent to %(recipient)s: %(channel)s. It counts as made known on %(deemed_on)s.")
                % said
            )
        case TimelineKind.ASSIGNED if said.get("person"):
            return _("Assigned to %(person)s, unit %(unit)s") % said
        case TimelineKind.ASSIGNED:
            return _("Given to unit %(unit)s") % said
        case TimelineKind.CLOSED:
            return _("Case closed; it is kept until %(retention_until)s") % said
    return str(TimelineKind(kind).label)


def _said(name: str, value: str) -> str:
    if name in {"retention_until", "deemed_on"}:
        return date_format(date.fromisoformat(value), "DATE_FORMAT")
    return str(Channel(value).label) if name == "channel" else value
