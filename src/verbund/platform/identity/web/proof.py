"""A fresh proof (erneute Bestätigung): an unlocked screen must not be enough for what protects the account."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from verbund.platform.identity import queries, services, throttle
from verbund.platform.identity.recognition import end_session, has_proved_lately, note_proof
from verbund.platform.tenancy import now

from .forms import ProofForm, take
from .signin import next_of

Page = Callable[..., HttpResponse]


def freshly_proved(who: str, page: str) -> Callable[[Page], Page]:
    """Ask for the password again when the last proof is old; then the way leads to `page`, or to what was asked for.

    `who` is staff or citizen.
    """

    def decorate(view: Page) -> Page:
        @wraps(view)
        def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
            if has_proved_lately(request):
                return view(request, *args, **kwargs)
            back = request.path if request.method == "GET" else reverse(page)
            return redirect(f"{reverse(f'{who}_prove')}?{urlencode({'next': back})}")

        return guarded

    return decorate


def prove_again(request: Any, face: str, who: str, page: str) -> HttpResponse:
    """Give the password again; somebody without one signs in again. The page is the same for citizens and staff."""
    target = next_of(request, reverse(page))
    if not queries.has_password(request.actor):
        end_session(request)
        return redirect(f"{reverse(f'{who}_sign_in')}?{urlencode({'next': target})}")
    form = ProofForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            services.prove_own_password(request.actor, password=form.cleaned_data["password"], now=now())
        except throttle.Blocked as blocked:
            form.add_error(None, blocked.message)
            status = 429
        except services.AccessInvalid as invalid:
            take(form, invalid)
            status = 422
        else:
            note_proof(request)
            return redirect(target)
    return render(
        request,
        "identity/form_page.html",
        {
            "face": face,
            "title": _("Is it still you?"),
            "lead": _("Before anything that protects your access is changed, please enter your password again."),
            "form": form,
            "action": _("Continue"),
            "back": f"{who}_account",
        },
        status=status,
    )
