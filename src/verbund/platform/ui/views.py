"""Pages of the face itself: colours, language, and the three pages that the law asks of every portal."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe
from django.views.i18n import set_language

from verbund.platform.identity.routes import BodyRequest, public_page
from verbund.platform.tenancy.context import current_body
from verbund.platform.ui.colours import stylesheet
from verbund.platform.ui.context import Surroundings


@public_page("a style sheet with nothing but a colour")
@require_safe
@cache_control(public=True, max_age=86400)
def colours(request: HttpRequest) -> HttpResponse:
    """The body's accent as a style sheet."""
    return HttpResponse(stylesheet(current_body().accent_colour), content_type="text/css; charset=utf-8")


@public_page("everybody chooses the language; nothing but a cookie is written")
@require_POST
def language(request: HttpRequest) -> HttpResponseBase:
    """Choose the language (cookie), back to the page one came from."""
    return set_language(request)


@public_page("leads on to a page that asks for itself")
@require_safe
def landing(request: BodyRequest) -> HttpResponseBase:
    """Where a body without a portal or without an inbox begins: the first page of the navigation, or the sign-in."""
    navigation = Surroundings(request).navigation
    if navigation:
        return redirect(navigation[0].url)
    return redirect("staff_account" if request.actor.is_staff else "staff_sign_in")


def _legal(request: HttpRequest, template: str) -> HttpResponse:
    return render(request, template, {"letterhead": current_body().letterhead})


@public_page("the imprint must be reachable for everybody (§ 5 DDG)")
@require_safe
def imprint(request: HttpRequest) -> HttpResponse:
    """Imprint (Impressum) of the body, from its letterhead."""
    return _legal(request, "ui/imprint.html")


@public_page("privacy information must be reachable for everybody (Art. 13 GDPR)")
@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """Privacy information (Datenschutzhinweise)."""
    return _legal(request, "ui/privacy.html")


@public_page("the accessibility statement must be reachable for everybody (§ 12b BGG and the law of the state)")
@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    """Accessibility statement (Erklärung zur Barrierefreiheit)."""
    return _legal(request, "ui/accessibility.html")
