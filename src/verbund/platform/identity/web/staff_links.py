"""Links out of e-mails for staff: invitation and new password."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from verbund.platform.identity import services, throttle
from verbund.platform.identity.local.models import Token
from verbund.platform.identity.routes import public_page
from verbund.platform.tenancy import now
from verbund.platform.ui import notices

from .forms import EmailForm, NewPasswordForm, take


@never_cache
@public_page("staff who forgot their password cannot sign in")
def forgotten(request: Any) -> HttpResponse:
    """Ask for a link; the answer is the same for every address."""
    return ask_for_link(request, services.request_staff_password, back="staff_sign_in")


def ask_for_link(request: Any, request_link: Callable[..., None], *, back: str) -> HttpResponse:
    """Ask for a link to a new password: the same page and, for every address, the same answer in both faces."""
    form = EmailForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            request_link(
                request.actor,
                email=form.cleaned_data["email"],
                address=throttle.address_of(request),
                language=(get_language() or "de")[:2],
                now=now(),
            )
        except throttle.Blocked as blocked:
            form.add_error(None, blocked.message)
            status = 429
        else:
            return sent(request, back)
    return render(
        request,
        "identity/form_page.html",
        {
            "title": _("Forgotten password"),
            "lead": _("We send you a link with which you choose a new password."),
            "form": form,
            "action": _("Send link"),
            "back": back,
        },
        status=status,
    )


def sent(request: Any, back: str) -> HttpResponse:
    """The answer to every request for a link."""
    return render(
        request,
        "identity/notice_page.html",
        {
            "title": _("Please look into your mailbox"),
            "lead": _("If we know this address, an e-mail with a link is on its way. It may take a few minutes."),
            "hint": _("No e-mail? Look into the spam folder, and check that the address was right."),
            "back": back,
        },
    )


@never_cache
@public_page("the link in the e-mail is the right")
def invitation(request: Any, secret: str) -> HttpResponse:
    """Choose the first password."""
    return _choose(request, Token.Kind.INVITATION, secret, _("Welcome"), _("Choose the password for your access."))


@never_cache
@public_page("the link in the e-mail is the right")
def new_password(request: Any, secret: str) -> HttpResponse:
    """Choose a new password."""
    return _choose(
        request,
        Token.Kind.STAFF_PASSWORD,
        secret,
        _("New password"),
        _("All your sessions end; you sign in with the new password afterwards."),
    )


def _choose(request: Any, kind: Token.Kind, secret: str, title: str, lead: str) -> HttpResponse:
    form = NewPasswordForm(request.POST if request.method == "POST" else None)
    status = 200
    try:
        services.check_link(request.actor, kind=kind, secret=secret, now=now())
        if request.method == "POST" and form.is_valid():
            services.set_staff_password(
                request.actor, kind=kind, secret=secret, password=form.cleaned_data["password"], now=now()
            )
            notices.done(request, _("Your password is set. You can sign in with it now."))
            return redirect("staff_sign_in")
    except services.LinkInvalid as invalid:
        return link_invalid(request, invalid, "staff_forgotten")
    except services.PersonInvalid as invalid:
        take(form, invalid)
        status = 422
    return render(
        request,
        "identity/form_page.html",
        {"title": title, "lead": lead, "form": form, "action": _("Set password")},
        status=status,
    )


def link_invalid(request: Any, invalid: services.LinkInvalid, again: str) -> HttpResponse:
    """The link is spent: say so and offer a new one."""
    return render(
        request,
        "identity/notice_page.html",
        {
            "title": _("This link is spent"),
            "lead": str(invalid.errors[""]),
            "back": again,
            "back_label": _("Ask for a new link"),
        },
        status=410,
    )
