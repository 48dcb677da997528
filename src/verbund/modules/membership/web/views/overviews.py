"""Pages that show the alliance over time: carriers, deadlines, a year."""

from datetime import date

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from verbund.modules.membership import queries, services
from verbund.modules.membership.policies import Permission
from verbund.modules.membership.web.tables import carrier_rows, deadline_rows, event_rows
from verbund.platform.identity.routes import BodyRequest, public_page, staff_page
from verbund.platform.tenancy import local_date, now
from verbund.platform.ui import notices


@staff_page(Permission.READ_ACCESSIONS)
def carriers(request: BodyRequest) -> HttpResponse:
    """The map of the alliance over time: a bar and a row for each carrier."""
    rows = queries.carrier_map(request.actor)
    today = local_date(now())
    current = [row for row in rows if row.until is None or row.until >= today]
    return render(
        request,
        "membership/carriers.html",
        {
            "rows": carrier_rows(rows, today),
            "current": len(current),
            "capital": queries.capital_on(request.actor, today),
            "today": today,
        },
    )


@staff_page(Permission.READ_ACCESSIONS)
def deadlines(request: BodyRequest) -> HttpResponse:
    """What is overdue, the deadlines of a year ahead, and the address of the calendar."""
    today = local_date(now())
    context = {
        "rows": deadline_rows(queries.deadlines_ahead(request.actor, today=today)),
        "feed": queries.has_feed(request.actor),
    }
    return render(request, "membership/deadlines.html", context)


@require_POST
@staff_page(Permission.SUBSCRIBE_CALENDAR)
def subscribe(request: BodyRequest) -> HttpResponse:
    """Make a new secret address; it is shown once, the one before stops working."""
    secret = services.subscribe_calendar(request.actor, now=now())
    today = local_date(now())
    context = {
        "rows": deadline_rows(queries.deadlines_ahead(request.actor, today=today)),
        "feed": True,
        "secret": secret,
        "host": request.build_absolute_uri("/").rstrip("/"),
    }
    return render(request, "membership/deadlines.html", context)


@require_POST
@staff_page(Permission.SUBSCRIBE_CALENDAR)
def unsubscribe(request: BodyRequest) -> HttpResponse:
    """Let the secret address stop working."""
    services.revoke_calendar(request.actor, now=now())
    notices.done(request, _("The address of your calendar no longer works."))
    return redirect("membership:deadlines")


@public_page(
    "a calendar program cannot sign in: the long secret in the address, revocable by its owner, stands for the person"
)
def calendar_feed(request: BodyRequest, token: str) -> HttpResponse:
    """The deadlines as iCalendar, for the person the secret belongs to and with that person's rights today."""
    found = queries.calendar_feed(request.actor, secret=token, now=now())
    response = HttpResponse(found, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'inline; filename="fristen.ics"'
    response["Cache-Control"] = "private, no-store"
    return response


@staff_page(Permission.READ_ACCESSIONS)
def this_year(request: BodyRequest) -> HttpResponse:
    """To the present year."""
    return redirect("membership:year", local_date(now()).year)


@staff_page(Permission.READ_ACCESSIONS)
def year(request: BodyRequest, year: int) -> HttpResponse:
    """A year of the alliance for its board, made to be printed."""
    if not 1990 <= year <= 2200:
        raise Http404
    view = queries.year_view(request.actor, year)
    return render(
        request,
        "membership/year.html",
        {
            "view": view,
            "events": event_rows(view.events),
            "due": deadline_rows(view.due),
            "before": year - 1,
            "after": year + 1,
            "last": date(year, 12, 31),
        },
    )
