"""Citizens: signing in, opening an account, new password."""

from typing import Any, Final

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from verbund.platform.identity import oidc, services, throttle
from verbund.platform.identity.local.models import CitizenAccount, Token
from verbund.platform.identity.recognition import begin_session
from verbund.platform.identity.routes import public_page
from verbund.platform.tenancy import now
from verbund.platform.ui import notices

from .forms import NewPasswordForm, RegisterForm, SignInForm, take
from .signin import failed, finish_flow, next_of, start_flow
from .staff_links import ask_for_link, link_invalid

CITIZEN_HOME: Final = "/konto/"


@never_cache
@public_page("citizens sign in here")
def sign_in(request: Any) -> HttpResponse:
    """E-mail address and password of the account, or the identity provider."""
    target = next_of(request, CITIZEN_HOME)
    if request.actor.kind == "citizen":
        return redirect(target)
    form = SignInForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            account = services.citizen_password_sign_in(
                request.actor,
                email=form.cleaned_data["email"],
                password=form.cleaned_data["password"],
                address=throttle.address_of(request),
                now=now(),
            )
        except throttle.Blocked as blocked:
            form.add_error(None, blocked.message)
            status = 429
        except services.Refused as refused:
            form.add_error(None, refused.message)
            status = 403
        else:
            return _finish(request, account, target, "")
    return render(
        request,
        "identity/citizen_sign_in.html",
        {"form": form, "next": target, "provider": oidc.citizen_provider()},
        status=status,
    )


def _finish(request: Any, account: CitizenAccount, target: str, factor: str) -> HttpResponse:
    begin_session(request, account, factor=factor)
    services.signed_in(request.actor, account=account, factor=factor, now=now())
    return HttpResponseRedirect(target)


@never_cache
@public_page("citizens sign in through their identity provider")
def provider_start(request: Any) -> HttpResponse:
    """Send the browser to the citizens' identity provider."""
    target = next_of(request, CITIZEN_HOME)
    return start_flow(request, oidc.citizen_provider(), "citizen_provider_return", target, "citizen_sign_in")


@never_cache
@public_page("the citizens' identity provider sends the browser back here")
def provider_return(request: Any) -> HttpResponse:
    """Check the provider's answer; a new subject gets a new account."""
    done = finish_flow(request, oidc.citizen_provider())
    if done is None:
        return failed(request, "citizen_sign_in")
    identity, target = done
    try:
        account = services.oidc_citizen(request.actor, identity=identity, now=now())
    except services.Refused as refused:
        notices.refused(request, refused.message)
        return redirect("citizen_sign_in")
    return _finish(request, account, target, "oidc")


@never_cache
@public_page("whoever has no account opens one here")
def register(request: Any) -> HttpResponse:
    """Name and e-mail address; the rest follows by the link."""
    form = RegisterForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            services.register_citizen(
                request.actor,
                email=form.cleaned_data["email"],
                name=form.cleaned_data["name"],
                address=throttle.address_of(request),
                language=(get_language() or "de")[:2],
                now=now(),
            )
        except throttle.Blocked as blocked:
            form.add_error(None, blocked.message)
            status = 429
        except services.CitizenInvalid as invalid:
            take(form, invalid)
            status = 422
        else:
            return render(
                request,
                "identity/notice_page.html",
                {
                    "title": _("Please confirm your e-mail address"),
                    "lead": _("We have sent you an e-mail. Open the link in it to choose your password."),
                    "hint": _("No e-mail? Look into the spam folder, and check that the address was right."),
                    "back": "citizen_sign_in",
                },
            )
    return render(
        request,
        "identity/form_page.html",
        {
            "title": _("Open an account"),
            "lead": _(
                "With an account you see all your applications in one place. You can also apply without one: then "
                "you get a"
                " code for each application."
            ),
            "form": form,
            "action": _("Continue"),
            "back": "citizen_sign_in",
        },
        status=status,
    )


@never_cache
@public_page("citizens who forgot their password cannot sign in")
def forgotten(request: Any) -> HttpResponse:
    """Ask for a link; the answer is the same for every address."""
    return ask_for_link(request, services.request_citizen_password, back="citizen_sign_in")


@never_cache
@public_page("the link in the e-mail is the right")
def confirm(request: Any, secret: str) -> HttpResponse:
    """Confirm the address and choose the password."""
    return _choose(request, Token.Kind.CITIZEN_EMAIL, secret, _("Choose a password"), _("Then your account is open."))


@never_cache
@public_page("the link in the e-mail is the right")
def new_password(request: Any, secret: str) -> HttpResponse:
    """Choose a new password."""
    return _choose(
        request,
        Token.Kind.CITIZEN_PASSWORD,
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
            choose = services.confirm_email if kind == Token.Kind.CITIZEN_EMAIL else services.set_citizen_password
            choose(request.actor, secret=secret, password=form.cleaned_data["password"], now=now())
            notices.done(request, _("Your password is set. You can sign in with it now."))
            return redirect("citizen_sign_in")
    except services.LinkInvalid as invalid:
        return link_invalid(request, invalid, "citizen_forgotten")
    except services.CitizenInvalid as invalid:
        take(form, invalid)
        status = 422
    return render(
        request,
        "identity/form_page.html",
        {"title": title, "lead": lead, "form": form, "action": _("Set password")},
        status=status,
    )
