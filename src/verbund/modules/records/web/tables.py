"""The rows of long lists: cases and hits.

Made here and not in a template: a page has fifty rows of many parts, and Django's templates take longer for them than
all else a page needs. `e` escapes every value that is not markup already.
"""

from collections.abc import Iterable

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from verbund.modules.records.queries import CaseRow, SearchHit
from verbund.platform.ui.markup import made
from verbund.platform.ui.markup import text as e
from verbund.platform.ui.templatetags.ui import badge, deadline, short_date

_NONE = '<span class="vb-muted">–</span>'


def case_rows(rows: Iterable[CaseRow]) -> SafeString:
    """The body of `records/_case_table.html`."""
    reference, unit, state = e(_("Reference")), e(_("Unit")), e(_("State"))
    until, opened, url = e(_("Deadline")), e(_("Opened on")), e(reverse("records:files"))
    sealed = badge("warning", _("Sealed"))
    return made(
        "\n".join(
            f'<tr><td class="vb-nowrap" data-label="{reference}">{e(row.reference)}</td>'
            f'<th scope="row"><a class="vb-list__main" href="{url}{e(row.id)}/">{e(row.title)}</a>'
            f'<span class="vb-list__sub">{e(row.party)}</span></th>'
            f'<td data-label="{unit}">{e(row.unit)}{_assigned(row)}</td>'
            f'<td data-label="{state}">{_state(row)}{f" {sealed}" if row.is_sealed else ""}</td>'
            f'<td data-label="{until}">{deadline(row.promised_on) if row.is_open and row.promised_on else _NONE}</td>'
            f'<td class="vb-nowrap" data-label="{opened}">{short_date(row.opened_at)}</td></tr>'
            for row in rows
        )
    )


def _assigned(row: CaseRow) -> str:
    return f'<span class="vb-list__sub">{e(row.assigned_name)}</span>' if row.assigned_name else ""


def hit_rows(hits: Iterable[SearchHit]) -> SafeString:
    """The items of `records/hits.html`."""
    url = e(reverse("records:files"))
    return made("\n".join(_hit(hit, url) for hit in hits))


def _hit(hit: SearchHit, url: str) -> str:
    is_document = hit.kind == "document"
    facts = [
        f"{hit.document_kind_label} {hit.document_number}" if is_document else _("Case"),
        hit.reference,
        hit.case_title if is_document else "",
        hit.party,
        _("Unit %(unit)s") % {"unit": hit.unit},
        short_date(hit.at),
    ]
    chosen = f"?dokument={e(hit.document_id)}" if hit.document_id else ""
    excerpt = f'<p class="rec-hit__excerpt">{_marked(hit.excerpt)}</p>' if hit.excerpt else ""
    address = f"{url}{e(hit.case_id)}/{chosen}"
    link = f'<a class="kern-link kern-link--no-visited-state" href="{address}">{_marked(hit.title)}</a>'
    told = e(" · ".join(str(fact) for fact in facts if fact))
    return (
        f'<li class="rec-hit" data-row><p class="rec-hit__title">{link} {_state(hit)}</p>'
        f'<p class="vb-list__sub">{told}</p>{excerpt}</li>'
    )


def _marked(pieces: Iterable[tuple[str, bool]]) -> str:
    """A text in which what was found is marked."""
    return "".join(f"<mark>{e(piece)}</mark>" if marked else e(piece) for piece, marked in pieces)


def _state(row: CaseRow | SearchHit) -> SafeString:
    return badge("info" if row.is_open else "neutral", row.state_label)
