"""The rows of the alliance's long tables: its carriers, what happened in a year, its deadlines.

Made here and not in a template, as those of `records/web/tables.py`: an alliance of two hundred bodies has as many rows
of many parts. `e` escapes every value that is not markup already.
"""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from verbund.modules.membership.queries import Deadline, MapRow, YearEvent
from verbund.platform.ui.markup import made
from verbund.platform.ui.markup import text as e
from verbund.platform.ui.templatetags.ui import cents, days_left, days_until, short_date


def carrier_rows(rows: Iterable[MapRow], today: date) -> SafeString:
    """The body of the table in `membership/carriers.html`: a bar from the first carrier's first day until today."""
    carriers = list(rows)
    if not carriers:
        return made("")
    begin = min(row.since for row in carriers)
    length = max((today - begin).days, 1)
    since, until, share = e(_("From")), e(_("Until")), e(_("Share"))
    seats, tasks, assumed = e(_("Seats")), e(_("Tasks transferred")), _assumed()
    amounts = {value: e(cents(value)) for value in {row.periods[-1].share_cents for row in carriers}}
    html = []
    for row in carriers:
        period = row.periods[-1]
        width = max(round((min(row.until or today, today) - row.since).days * 1000 / length), 4)
        left = min(round((row.since - begin).days * 1000 / length), 1000 - width)  # who began today is seen, too
        passed = "<br>".join(f"{e(task.name)}, {_day(task.on, task.date_known, assumed)}" for task in row.tasks)
        html.append(
            f'<tr><th scope="row">{e(row.name)} {_bar(left, width)}{_sub(period.note)}</th>'
            f'<td data-label="{since}">{_day(row.since, period.date_known, assumed)}</td>'
            f'<td data-label="{until}">{short_date(row.until) or "–"}</td>'
            f'<td class="vb-list__number" data-label="{share}">{amounts[period.share_cents]}</td>'
            f'<td class="vb-list__number" data-label="{seats}">{e(period.seats)}</td>'
            f'<td data-label="{tasks}">{passed or "–"}</td></tr>'
        )
    return made("\n".join(html))


def event_rows(events: Iterable[YearEvent]) -> SafeString:
    """The body of the table of what happened in `membership/year.html`."""
    body, what, assumed = e(_("Body")), e(_("What")), _assumed()
    return made(
        "\n".join(
            f'<tr><th scope="row">{_day(event.on, event.date_known, assumed)}</th>'
            f'<td data-label="{body}">{e(event.name)}</td>'
            f'<td data-label="{what}">{e(event.label)}{_sub(event.note)}</td></tr>'
            for event in events
        )
    )


def deadline_rows(rows: Iterable[Deadline]) -> SafeString:
    """The body of `membership/deadline_rows.html`."""
    what, who, source = e(_("What")), e(_("Who must act")), e(_("Legal source"))
    accessions, members = e(reverse("membership:accessions")), e(reverse("membership:members"))
    html = []
    for row in rows:
        address = f"{accessions}{e(row.accession_id)}/" if row.accession_id else f"{members}{e(row.member_id)}/"
        html.append(
            f'<tr><th scope="row" class="vb-nowrap"><time datetime="{row.day.isoformat()}">{short_date(row.day)}</time>'
            f"{_sub(_until(row))}</th>"
            f'<td data-label="{what}"><a class="kern-link kern-link--no-visited-state" href="{address}">'
            f"{e(row.title)}</a></td>"
            f'<td data-label="{who}">{e(row.who)}</td>'
            f'<td class="vb-nowrap" data-label="{source}">{e(row.legal_basis) or "–"}</td></tr>'
        )
    return made("\n".join(html))


def _until(row: Deadline) -> str:
    """In how many days; of a day that ended something how long ago, for nobody is late with it."""
    past = -days_left(row.day)
    if past > 0 and row.ends_by_itself:
        return ngettext("%(days)d day ago", "%(days)d days ago", past) % {"days": past}
    return days_until(row.day)


def _assumed() -> str:
    return f' <span class="mb-assumed">{e(_("assumed"))}</span>'


@lru_cache(maxsize=2048)
def _day(day: date, known: bool, assumed: str) -> str:
    """As `membership/day.html`: a date, marked when it is assumed. Many carriers and tasks have the same."""
    return f'<time datetime="{day.isoformat()}">{short_date(day)}</time>{"" if known else assumed}'


def _bar(left: int, width: int) -> str:
    return (
        '<svg class="mb-bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        '<rect class="mb-bar__ground" x="0" y="4" width="1000" height="2"/>'
        f'<rect class="mb-bar__time" x="{left}" y="1" width="{width}" height="8"/></svg>'
    )


def _sub(text: str) -> str:
    return f'<span class="vb-list__sub">{e(text)}</span>' if text else ""
