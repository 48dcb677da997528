"""The rows of long lists: cases and hits.

Made here and not in a template: a page has fifty rows of many parts, and Django's templates take longer for them than
all else a page needs. `format_html` escapes every value.
"""

from collections.abc import Iterable

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from verbund.modules.records.queries import CaseRow, SearchHit
from verbund.platform.ui.templatetags.ui import badge, deadline, short_date

_ROW = (
    '<tr><td class="vb-nowrap" data-label="{reference_word}">{reference}</td>'
    '<th scope="row"><a class="vb-list__main" href="{url}{id}/">{title}</a>'
    '<span class="vb-list__sub">{party}</span></th>'
    '<td data-label="{unit_word}">{unit}{assigned}</td>'
    '<td data-label="{state_word}">{state}</td>'
    '<td data-label="{deadline_word}">{deadline}</td>'
    '<td class="vb-nowrap" data-label="{opened_word}">{opened}</td></tr>'
)
_HIT = (
    '<li class="rec-hit" data-row><p class="rec-hit__title">'
    '<a class="kern-link kern-link--no-visited-state" href="{url}{case_id}/{chosen}">{title}</a> {state}</p>'
    '<p class="vb-list__sub">{facts}</p>{excerpt}</li>'
)


def case_rows(rows: Iterable[CaseRow]) -> SafeString:
    """The body of `records/_case_table.html`."""
    words = {
        "reference_word": _("Reference"),
        "unit_word": _("Unit"),
        "state_word": _("State"),
        "deadline_word": _("Deadline"),
        "opened_word": _("Opened on"),
        "url": reverse("records:files"),
    }
    sealed = badge("warning", _("Sealed"))
    none = format_html('<span class="vb-muted">–</span>', ())
    return format_html_join(
        "\n",
        "{}",
        (
            (
                format_html(
                    _ROW,
                    reference=row.reference,
                    id=row.id,
                    title=row.title,
                    party=row.party,
                    unit=row.unit,
                    assigned=format_html('<span class="vb-list__sub">{}</span>', row.assigned_name)
                    if row.assigned_name
                    else "",
                    state=format_html("{} {}", _state(row), sealed) if row.is_sealed else _state(row),
                    deadline=deadline(row.promised_on) if row.is_open and row.promised_on else none,
                    opened=short_date(row.opened_at),
                    **words,
                ),
            )
            for row in rows
        ),
    )


def hit_rows(hits: Iterable[SearchHit]) -> SafeString:
    """The items of `records/hits.html`."""
    url = reverse("records:files")
    return format_html_join("\n", "{}", ((_hit(hit, url),) for hit in hits))


def _hit(hit: SearchHit, url: str) -> SafeString:
    is_document = hit.kind == "document"
    facts = [
        f"{hit.document_kind_label} {hit.document_number}" if is_document else _("Case"),
        hit.reference,
        hit.case_title if is_document else "",
        hit.party,
        _("Unit %(unit)s") % {"unit": hit.unit},
        short_date(hit.at),
    ]
    return format_html(
        _HIT,
        url=url,
        case_id=hit.case_id,
        chosen=f"?dokument={hit.document_id}" if hit.document_id else "",
        title=_marked(hit.title),
        state=_state(hit),
        facts=" · ".join(fact for fact in facts if fact),
        excerpt=format_html('<p class="rec-hit__excerpt">{}</p>', _marked(hit.excerpt)) if hit.excerpt else "",
    )


def _marked(pieces: Iterable[tuple[str, bool]]) -> SafeString:
    """A text in which what was found is marked."""
    return format_html_join(
        "", "{}", ((format_html("<mark>{}</mark>", piece) if marked else piece,) for piece, marked in pieces)
    )


def _state(row: CaseRow | SearchHit) -> SafeString:
    return badge("info" if row.is_open else "neutral", row.state_label)
