"""Portal: what can be settled here, and one service."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from verbund.modules.citizenservices import queries, services
from verbund.platform.identity import throttle
from verbund.platform.identity.routes import BodyRequest, public_page
from verbund.platform.identity.throttle import address_of, network_of
from verbund.platform.tenancy import new_id, now

from .portal_session import begun_draft, portal_actor, remember_begun, remember_draft


@public_page("everybody may see what a body offers")
@require_GET
def start(request: BodyRequest) -> HttpResponse:
    """The first page: search, and the services by topic."""
    actor = portal_actor(request)
    text = request.GET.get("q", "")[:200].strip()
    context = {
        "q": text,
        "found": queries.find_services(actor, text) if text else [],
        "topics": queries.topics(actor),
    }
    return render(request, "citizenservices/portal/start.html", context)


@public_page("everybody may read about a service")
@require_GET
def service(request: BodyRequest, slug: str) -> HttpResponse:
    """The page of one service, like a good letter."""
    found = queries.service(portal_actor(request), slug)
    return render(request, "citizenservices/portal/service.html", {"service": found, "once": new_id()})


@public_page("everybody may apply, also without an account")
@require_POST
def begin(request: BodyRequest, slug: str) -> HttpResponse:
    """Begin an application; the same page sent again leads to the draft that it began."""
    actor = portal_actor(request)
    page = request.POST.get("once", "")[:36]
    begun = begun_draft(request, page)
    if begun is not None:
        return redirect("portal_step", draft_id=begun, number=1)
    found = queries.service(actor, slug)
    try:
        client = network_of(address_of(request))
        ref = services.start_draft(actor, service_id=found.id, client=client, now=now())
    except throttle.Blocked:
        return render(request, "429.html", status=429)
    remember_draft(request, ref)
    remember_begun(request, page, ref)
    return redirect("portal_step", draft_id=ref.id, number=1)
