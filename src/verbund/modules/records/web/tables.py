"""The rows of long lists: cases, documents and hits.

Made here and not in a template: a page has fifty rows of many parts, and Django's templates take longer for them than
all else a page needs. `e` escapes every value that is not markup already.
"""

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import Final
from uuid import UUID

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from verbund.modules.records.queries import CaseRow, DocumentView, SearchHit
from verbund.platform.ui.markup import made
from verbund.platform.ui.markup import text as e
from verbund.platform.ui.templatetags.ui import badge, deadline, filesize, local_datetime, short_date

_NOBODY: Final = UUID(int=0)
_CURRENT: Final = ' aria-current="true"'
_NONE: Final = '<span class="vb-muted">–</span>'


def case_rows(rows: Iterable[CaseRow]) -> SafeString:
    """The body of `records/_case_table.html`."""
    reference, unit, state = e(_("Reference")), e(_("Unit")), e(_("State"))
    until, opened, url = e(_("Deadline")), e(_("Opened on")), e(reverse("records:files"))
    sealed = " " + badge("warning", _("Sealed"))
    words, due = _Words(), lru_cache(deadline)  # a page has few states and days
    return made(
        "\n".join(
            f'<tr><td class="vb-nowrap" data-label="{reference}">{e(row.reference)}</td>'
            f'<th scope="row"><a class="vb-list__main" href="{url}{e(row.id)}/">{e(row.title)}</a>'
            f'<span class="vb-list__sub">{e(row.party)}</span></th>'
            f'<td data-label="{unit}">{e(row.unit)}{_assigned(row)}</td>'
            f'<td data-label="{state}">{words.state(row)}{sealed if row.is_sealed else ""}</td>'
            f'<td data-label="{until}">{due(row.promised_on) if row.is_open and row.promised_on else _NONE}</td>'
            f'<td class="vb-nowrap" data-label="{opened}">{short_date(row.opened_at)}</td></tr>'
            for row in rows
        )
    )


def _assigned(row: CaseRow) -> str:
    return f'<span class="vb-list__sub">{e(row.assigned_name)}</span>' if row.assigned_name else ""


def document_items(documents: Sequence[DocumentView], chosen: DocumentView | None) -> SafeString:
    """The items of `records/_documents.html`, the latest document first."""
    versions, visible = e(_("Versions")), " · " + e(_("visible to the party"))
    return made(
        "\n".join(
            '<li class="rec-document"><a class="kern-link kern-link--no-visited-state" data-preview="preview"'
            f' href="{_address("records:preview", document.id)}"{_CURRENT if document is chosen else ""}>'
            f"{document.number} · {e(document.title)}</a>"
            f'<span class="vb-list__sub">{e(document.kind_label)} · {local_datetime(document.filed_at)}'
            f" · {filesize(document.size)}{_version_of(document)}{visible if document.visible_to_party else ''}</span>"
            f'<a class="rec-document__more" href="{_address("records:document", document.id)}">{versions}'
            f'<span class="vb-sr-only"> {e(document.title)}</span></a></li>'
            for document in reversed(documents)
        )
    )


@cache
def _around(name: str) -> tuple[str, str]:
    """An address with one id in it, before and behind the id."""
    before, _id, behind = e(reverse(name, args=[_NOBODY])).partition(str(_NOBODY))
    return before, behind


def _address(name: str, id_: UUID) -> str:
    before, behind = _around(name)
    return f"{before}{id_}{behind}"


def _version_of(document: DocumentView) -> str:
    return "" if document.versions == 1 else e(" · " + _("version %(number)s") % {"number": document.versions})


def hit_rows(hits: Iterable[SearchHit]) -> SafeString:
    """The items of `records/hits.html`."""
    url, words = e(reverse("records:files")), _Words()
    return made("\n".join(_hit(hit, url, words) for hit in hits))


class _Words:
    """The words that come back in the rows of one page, each translated once."""

    def __init__(self) -> None:
        self.case, self.unit = _("Case"), _("Unit %(unit)s")
        self._kinds: dict[str, str] = {}
        self._states: dict[str, SafeString] = {}

    def kind(self, hit: SearchHit) -> str:
        """The kind of a document."""
        return self._kinds.get(hit.document_kind) or self._kinds.setdefault(hit.document_kind, hit.document_kind_label)

    def state(self, row: CaseRow | SearchHit) -> SafeString:
        """The state of a case, as a badge."""
        found = self._states.get(row.state)
        return found or self._states.setdefault(row.state, badge("info" if row.is_open else "neutral", row.state_label))


def _hit(hit: SearchHit, url: str, words: _Words) -> str:
    is_document = hit.kind == "document"
    facts = [
        f"{words.kind(hit)} {hit.document_number}" if is_document else words.case,
        hit.reference,
        hit.case_title if is_document else "",
        hit.party,
        words.unit % {"unit": hit.unit},
        short_date(hit.at),
    ]
    chosen = f"?dokument={e(hit.document_id)}" if hit.document_id else ""
    excerpt = f'<p class="rec-hit__excerpt">{_marked(hit.excerpt)}</p>' if hit.excerpt else ""
    address = f"{url}{e(hit.case_id)}/{chosen}"
    link = f'<a class="kern-link kern-link--no-visited-state" href="{address}">{_marked(hit.title)}</a>'
    told = e(" · ".join(str(fact) for fact in facts if fact))
    return (
        f'<li class="rec-hit" data-row><p class="rec-hit__title">{link} {words.state(hit)}</p>'
        f'<p class="vb-list__sub">{told}</p>{excerpt}</li>'
    )


def _marked(pieces: Iterable[tuple[str, bool]]) -> str:
    """A text in which what was found is marked."""
    return "".join(f"<mark>{e(piece)}</mark>" if marked else e(piece) for piece, marked in pieces)
