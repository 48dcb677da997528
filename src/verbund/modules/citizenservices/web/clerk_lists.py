"""Lists of the clerks: overview, inbox, own cases."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from verbund.modules.citizenservices import queries
from verbund.modules.citizenservices.policies import Permission
from verbund.modules.citizenservices.queries.views import ApplicationRow, InboxCounts, InboxFilters
from verbund.platform.identity import policy
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import local_date
from verbund.platform.tenancy.clock import now

from .clerk_forms import FilterForm

STATE_TONES = {
    "submitted": "info",
    "in_progress": "info",
    "query_open": "warning",
    "decided": "success",
    "delivered": "success",
    "closed": "neutral",
}
MANY = 1000
COLUMNS: dict[str, Callable[[], str]] = {
    "applicant": lambda: _("Applicant"),
    "state": lambda: _("State"),
    "due": lambda: _("Deadline"),
    "received": lambda: _("Received"),
    "clerk": lambda: _("Worked on by"),
    "unit": lambda: _("Unit"),
}
USUAL_COLUMNS = frozenset(COLUMNS) - {"unit"}
COLUMNS_COOKIE = "verbund_spalten"


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of the overview and where it leads."""

    number: str
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Chip:
    """A saved filter of a list."""

    key: str
    label: str
    url: str
    active: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a list of applications."""

    it: ApplicationRow
    tone: str
    is_undecided: bool


@staff_page()
@require_safe
def home(request: BodyRequest) -> HttpResponse:
    """The workspace's first page: how much waits, and what is due first."""
    context: dict[str, Any] = {}
    if policy.allows(request.actor, Permission.READ_APPLICATION):
        counts = queries.inbox_counts(request.actor, now=now(), most=MANY)
        page = queries.inbox(request.actor, filters=InboxFilters(mine=True), limit=10)
        inbox_url = reverse("clerk_inbox")
        context = {
            "load": True,
            "sentence": sentence(counts),
            "figures": [
                Figure(number(counts.nobody), _("wait in the inbox"), inbox_url),
                Figure(number(counts.mine), _("are in my hands"), reverse("clerk_cases")),
                Figure(number(counts.late), _("are later than promised"), f"{inbox_url}?sicht=late"),
            ],
            "rows": as_rows(page.rows),
            "columns": USUAL_COLUMNS - {"clerk"},
        }
    context["parts"] = [part for room in import_string(settings.START_PAGE) if (part := room(request))]
    return render(request, "citizenservices/clerk/home.html", context)


@staff_page(Permission.READ_APPLICATION)
@require_safe
def inbox(request: BodyRequest) -> HttpResponse:
    """The inbox of the actor's units, the most urgent first."""
    views = {
        "new": (_("Waiting for somebody"), InboxFilters(nobody=True)),
        "open": (_("All open"), InboxFilters()),
        "late": (_("Later than promised"), InboxFilters(late_on=local_date(now()))),
        "query": (_("Question open"), InboxFilters(state="query_open")),
        "decided": (_("Decided, not yet delivered"), InboxFilters(state="decided", undecided=False)),
        "delivered": (_("Delivered, not yet closed"), InboxFilters(state="delivered", undecided=False)),
        "all": (_("All"), InboxFilters(undecided=False)),
    }
    return _list(request, views, "new", _("Inbox"), counted=True)


@staff_page(Permission.READ_APPLICATION)
@require_safe
def mine(request: BodyRequest) -> HttpResponse:
    """What the actor, or somebody the actor stands in for, works on."""
    views = {
        "open": (_("Open"), InboxFilters(mine=True)),
        "late": (_("Later than promised"), InboxFilters(mine=True, late_on=local_date(now()))),
        "query": (_("Question open"), InboxFilters(mine=True, state="query_open")),
        "delivered": (_("Delivered, not yet closed"), InboxFilters(mine=True, state="delivered", undecided=False)),
        "all": (_("All"), InboxFilters(mine=True, undecided=False)),
    }
    return _list(request, views, "open", _("My cases"), counted=False)


def _list(
    request: BodyRequest, views: dict[str, tuple[str, InboxFilters]], usual: str, heading: str, *, counted: bool
) -> HttpResponse:
    key = request.GET.get("sicht", usual)
    key = key if key in views else usual
    offered = [(str(card.id), card.title) for topic in queries.topics(request.actor) for card in topic.services]
    form = FilterForm(request.GET, services=offered)
    chosen = form.narrowed(views[key][1])
    page = queries.inbox(request.actor, filters=chosen, after=request.GET.get("after"))
    sentence_text = sentence(queries.inbox_counts(request.actor, now=now(), most=MANY)) if counted else ""
    filtered = chosen != views[key][1]
    columns = columns_of(request, usual=USUAL_COLUMNS if counted else USUAL_COLUMNS - {"clerk"})
    nothing = _("Nothing fits these filters") if filtered or key != usual else _("Nothing waits")
    context = {
        "heading": heading,
        "sentence": sentence_text,
        "chips": [Chip(name, label, f"?sicht={name}", name == key) for name, (label, _filters) in views.items()],
        "chip_key": key,
        "filter_form": form,
        "filtered": filtered,
        "rows": as_rows(page.rows),
        "page": page,
        "columns": columns,
        "offered_columns": [(name, label(), name in columns) for name, label in COLUMNS.items()],
        "empty_title": nothing,
        "empty_text": _("Applications that citizens send appear here by themselves, the most urgent first."),
        "empty_url": reverse("clerk_inbox") if heading != _("Inbox") else "",
        "empty_action": _("To the inbox"),
    }
    response = render(request, "citizenservices/clerk/inbox.html", context)
    if "spalten" in request.GET:  # remembered in the browser, not in the address
        response.set_cookie(
            COLUMNS_COOKIE,
            "-".join(sorted(columns)),
            max_age=365 * 86400,
            path="/arbeit/",
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response


def columns_of(request: BodyRequest, *, usual: frozenset[str]) -> frozenset[str]:
    """The columns of a list: chosen now, chosen once, or the usual ones."""
    if "spalten" in request.GET:
        return frozenset(request.GET.getlist("spalte")) & COLUMNS.keys()
    if COLUMNS_COOKIE in request.COOKIES:
        return frozenset(request.COOKIES[COLUMNS_COOKIE].split("-")) & COLUMNS.keys()
    return usual


def as_rows(rows: Iterable[ApplicationRow]) -> list[Row]:
    """Applications with their tone for the list."""
    return [
        Row(row, tone_of(row.state, row.outcome), row.state in ("submitted", "in_progress", "query_open"))
        for row in rows
    ]


def tone_of(state: str, outcome: str) -> str:
    """The tone of a state: a refusal is no success."""
    return "danger" if outcome == "refused" and state != "closed" else STATE_TONES[state]


def sentence(counts: InboxCounts) -> str:
    """The load in one sentence."""
    if not counts.nobody and not counts.late:
        return _("Nothing waits, and nothing is late.")
    waiting = ngettext("%(number)s case waits in the inbox", "%(number)s cases wait in the inbox", counts.nobody)
    waiting = waiting % {"number": number(counts.nobody)}
    if not counts.late:
        return _("%(waiting)s, none longer than promised.") % {"waiting": waiting}
    late = ngettext(
        "%(number)s case of the unit takes longer than promised",
        "%(number)s cases of the unit take longer than promised",
        counts.late,
    )
    return _("%(waiting)s, %(late)s.") % {"waiting": waiting, "late": late % {"number": number(counts.late)}}


def number(value: int) -> str:
    """A count that stops at MANY."""
    return _("more than %(number)s") % {"number": MANY} if value >= MANY else str(value)
