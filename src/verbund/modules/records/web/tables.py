"""The rows of the list of cases.

Made here and not in a template: a page has fifty rows of six cells, and Django's templates take longer for them than
all else a page needs. `format_html` escapes every value.
"""

from collections.abc import Iterable

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from verbund.modules.records.queries import CaseRow
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
    sealed = format_html(" {}", badge("warning", _("Sealed")))
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
                    state=badge("info" if row.is_open else "neutral", row.state_label)
                    + (sealed if row.is_sealed else SafeString("")),
                    deadline=deadline(row.promised_on) if row.is_open and row.promised_on else none,
                    opened=short_date(row.opened_at),
                    **words,
                ),
            )
            for row in rows
        ),
    )
