"""Signing in of staff: password, then second factor; or through the staff's identity provider."""

import json
import time
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import structlog
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from verbund.platform.identity import factors, oidc, seal, services, throttle, totp
from verbund.platform.identity.models import Person
from verbund.platform.identity.recognition import (
    begin_session,
    end_session,
    mark_of,
    second_factor_required,
    staff_actor,
)
from verbund.platform.identity.routes import public_page
from verbund.platform.tenancy import current_body, now
from verbund.platform.ui import notices

from .forms import CodeForm, PasskeyForm, RecoveryForm, SignInForm, take

log = structlog.get_logger("verbund.sign_in")

PENDING: Final = "_pending"
KEY: Final = "_totp_key"
CHALLENGE: Final = "_challenge"
FLOW: Final = "_oidc"
_PENDING_SECONDS: Final = 600
STAFF_HOME: Final = "/arbeit/"


@dataclass(frozen=True, slots=True)
class Pending:
    """Somebody between the two steps of signing in."""

    person: Person
    next: str


def next_of(request: HttpRequest, fallback: str) -> str:
    """Where to go after signing in: a page of this host, nothing else."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    allowed = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if allowed and wanted.startswith("/") else fallback


@never_cache
@public_page("staff sign in here")
def sign_in(request: Any) -> HttpResponse:
    """E-mail address and password."""
    target = next_of(request, STAFF_HOME)
    if request.actor.is_staff:
        return redirect(target)
    form = SignInForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            person = services.staff_password_sign_in(
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
            return go_on(request, person, target)
    provider = oidc.staff_provider()
    return render(
        request, "identity/staff_sign_in.html", {"form": form, "next": target, "provider": provider}, status=status
    )


def go_on(request: Any, person: Person, target: str, *, factor: str = "") -> HttpResponse:
    """After the first step: ask for the second factor, lead to its set-up, or begin the session."""
    if not factor and factors.has_any(person.id):
        _wait(request, person, target)
        return redirect("staff_second_factor")
    if not factor and second_factor_required():
        _wait(request, person, target)
        return redirect("staff_set_up")
    return _finish(request, person, target, factor)


def _wait(request: Any, person: Person, target: str) -> None:
    request.session.flush()
    request.session[PENDING] = {
        "person": str(person.id),
        "mark": mark_of(person),
        "at": int(time.time()),
        "next": target,
    }


def _pending(request: Any) -> Pending | None:
    kept = request.session.get(PENDING)
    if not kept or kept["at"] + _PENDING_SECONDS < time.time():
        return None
    person = Person.objects.filter(pk=UUID(kept["person"]), is_active=True).first()
    if person is None or not constant_time_compare(kept["mark"], mark_of(person)):
        return None
    return Pending(person, kept["next"])


def _finish(request: Any, person: Person, target: str, factor: str) -> HttpResponseRedirect:
    begin_session(request, person, factor=factor)
    services.signed_in(request.actor, account=person, factor=factor, now=now())
    return HttpResponseRedirect(target)


def _begin_again(request: Any) -> HttpResponse:
    request.session.flush()
    notices.refused(request, _("The sign-in took too long. Please begin again."))
    return redirect("staff_sign_in")


@never_cache
@public_page("second step of the sign-in of staff; the first one is kept in the session")
def second_factor(request: Any) -> HttpResponse:
    """Code of the app, passkey, or recovery code."""
    pending = _pending(request)
    if pending is None:
        return _begin_again(request)
    host = request.get_host()
    usable = factors.usable(pending.person.id, host=host)
    kinds = {f.kind for f in usable}
    kind = request.POST.get("kind", "")
    code_form = CodeForm(request.POST if kind == "totp" else None)
    recovery_form = RecoveryForm(request.POST if kind == "recovery" else None)
    passkey_form = PasskeyForm(request.POST if kind == "passkey" else None)
    form = {"totp": code_form, "recovery": recovery_form, "passkey": passkey_form}.get(kind)
    status = 200
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            services.prove_factor(
                request.actor,
                person_id=pending.person.id,
                kind=kind,
                now=now(),
                code=form.cleaned_data.get("code", ""),
                host=host,
                state=request.session.pop(CHALLENGE, None),
                response=as_json(form.cleaned_data.get("answer", "")),
            )
        except throttle.Blocked as blocked:
            form.add_error(None, blocked.message)
            status = 429
        except services.Refused as refused:
            form.add_error("code" if "code" in form.fields else None, refused.message)
            status = 403
        else:
            return _finish(request, pending.person, pending.next, kind)
    options = None
    if "passkey" in kinds:
        options, request.session[CHALLENGE] = factors.begin_proof(pending.person.id, host=host)
    return render(
        request,
        "identity/staff_second_factor.html",
        {
            "code_form": code_form if "totp" in kinds else None,
            "recovery_form": recovery_form,
            "passkey_form": passkey_form,
            "passkey_options": options,
            "show_recovery": kind == "recovery" or not kinds or "codes" in request.GET,
        },
        status=status,
    )


@never_cache
@public_page("staff without a second factor set one up here; the password is kept proved in the session")
def set_up(request: Any) -> HttpResponse:
    """Lead somebody who must have a second factor to the first one, before anything else."""
    pending = _pending(request)
    if pending is None or factors.has_any(pending.person.id):
        return _begin_again(request)
    actor = staff_actor(pending.person.id, now=now(), request_id=request.request_id)
    if actor is None:
        return _begin_again(request)
    kind = request.POST.get("kind", "")
    form: CodeForm | PasskeyForm = CodeForm(request.POST if kind == "totp" else None)
    passkey_form = PasskeyForm(request.POST if kind == "passkey" else None)
    chosen = passkey_form if kind == "passkey" else form
    key = kept_key(request)
    status = 200
    if request.method == "POST" and chosen.is_valid():
        try:
            if kind == "passkey":
                codes = services.add_own_passkey(
                    actor,
                    host=request.get_host(),
                    state=request.session.pop(CHALLENGE, {}),
                    response=as_json(chosen.cleaned_data["answer"]),
                    name=chosen.cleaned_data["name"],
                    now=now(),
                )
            else:
                codes = services.add_own_totp(actor, key=key, code=chosen.cleaned_data["code"], now=now())
        except services.AccessInvalid as invalid:
            take(chosen, invalid)
            status = 422
        except services.AccessConflict as conflict:
            chosen.add_error(None, str(conflict.message))
            status = 409
        else:
            _finish(request, pending.person, pending.next, kind)
            return render(
                request,
                "identity/recovery_codes.html",
                {"codes": codes, "next": pending.next, "face": "ui/portal.html"},
            )
    options, request.session[CHALLENGE] = factors.begin_passkey(pending.person, host=request.get_host())
    return render(
        request,
        "identity/staff_set_up.html",
        {
            "form": form,
            "passkey_form": passkey_form,
            "passkey_options": options,
            **app_facts(key, pending.person.email),
        },
        status=status,
    )


def kept_key(request: Any) -> bytes:
    """The key of the app being set up; it stays the same until it is confirmed or the session ends."""
    kept = request.session.get(KEY)
    if kept:
        try:
            return seal.open_(kept.encode())
        except seal.Unsealable:
            pass
    key = totp.new_key()
    request.session[KEY] = seal.close(key).decode()
    return key


def app_facts(key: bytes, account: str) -> dict[str, Any]:
    """What the page that sets up an app shows."""
    side, path = totp.qr_path(totp.provisioning_uri(key, account=account, issuer=current_body().name))
    return {"qr_side": side, "qr_path": path, "key_text": totp.readable(key)}


@never_cache
@require_POST
@public_page("signing out needs no right")
def sign_out(request: Any) -> HttpResponse:
    """End the session on the server."""
    was_citizen = request.actor.kind == "citizen"
    end_session(request)
    notices.done(request, _("You have signed out."))
    response = redirect("citizen_sign_in" if was_citizen else "staff_sign_in")
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response


@never_cache
@public_page("staff sign in through their identity provider")
def provider_start(request: Any) -> HttpResponse:
    """Send the browser to the staff's identity provider."""
    return start_flow(
        request, oidc.staff_provider(), "staff_provider_return", next_of(request, STAFF_HOME), "staff_sign_in"
    )


@never_cache
@public_page("the staff's identity provider sends the browser back here")
def provider_return(request: Any) -> HttpResponse:
    """Check the provider's answer."""
    provider = oidc.staff_provider()
    done = finish_flow(request, provider)
    if done is None:
        return failed(request, "staff_sign_in")
    identity, target = done
    try:
        person = services.oidc_person(request.actor, identity=identity, now=now())
    except services.Refused as refused:
        notices.refused(request, refused.message)
        return redirect("staff_sign_in")
    return go_on(request, person, target, factor="oidc" if identity.second_factor else "")


def start_flow(request: Any, provider: oidc.Provider | None, back: str, target: str, sign_in_page: str) -> HttpResponse:
    """Begin a flow with a provider; its state waits in the session."""
    if provider is None:
        return redirect(sign_in_page)
    try:
        start = oidc.begin(provider, redirect_uri=request.build_absolute_uri(reverse(back)))
    except oidc.ProviderFailed as error:
        log.warning("provider failed", reason=str(error)[:300])
        return failed(request, sign_in_page)
    request.session[FLOW] = {**start.state, "next": target, "issuer": provider.issuer, "at": int(time.time())}
    return HttpResponseRedirect(start.url)


def finish_flow(request: Any, provider: oidc.Provider | None) -> tuple[oidc.Identity, str] | None:
    """The identity and where to go; None when anything does not fit."""
    kept = request.session.pop(FLOW, None)
    if provider is None or not kept or kept["issuer"] != provider.issuer or kept["at"] + 600 < time.time():
        return None
    try:
        return oidc.finish(provider, kept=kept, params=request.GET.dict()), kept["next"]
    except oidc.ProviderFailed as error:
        log.warning("provider failed", reason=str(error)[:300])
        return None


def failed(request: Any, sign_in_page: str) -> HttpResponse:
    """Back to the sign-in, with what to do."""
    notices.refused(request, _("The sign-in through the other service did not succeed. Please try again."))
    return redirect(sign_in_page)


def as_json(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text) if text else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
