"""One's own access as a member of staff: profile, password, second factors, sessions, absence."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from verbund.platform.identity import factors, queries, services
from verbund.platform.identity.models import Person
from verbund.platform.identity.recognition import FACTOR
from verbund.platform.identity.routes import staff_page
from verbund.platform.tenancy import now
from verbund.platform.ui import notices

from .accounts import change_password, revoke_one, revoke_rest, session_list
from .forms import AbsenceForm, CodeForm, PasskeyForm, take
from .proof import freshly_proved, prove_again
from .signin import CHALLENGE, KEY, app_facts, as_json, kept_key

FACE = "ui/workspace.html"


@staff_page()
def overview(request: Any) -> HttpResponse:
    """Who I am here, and what I may do."""
    profile = queries.own_profile(request.actor, now=now())
    units = queries.unit_names(request.actor.units)
    return render(
        request,
        "identity/staff_account.html",
        {
            "profile": profile,
            "unit_names": units,
            "standing_in": queries.names_of(request.actor, request.actor.substitutes),
        },
    )


@staff_page()
def password(request: Any) -> HttpResponse:
    """Change the password; the other sessions end."""
    return change_password(request, FACE, "staff_account")


@staff_page()
def factors_page(request: Any) -> HttpResponse:
    """The second factors and what can be done with them."""
    rows, left, required = queries.own_factors(request.actor)
    return render(request, "identity/factors.html", {"factors": rows, "codes_left": left, "required": required})


@never_cache
@staff_page()
def prove(request: Any) -> HttpResponse:
    """Give the password again; somebody without one signs in again."""
    return prove_again(request, FACE, "staff", "staff_own_factors")


@never_cache
@staff_page()
@freshly_proved("staff", "staff_own_factors")
def add_app(request: Any) -> HttpResponse:
    """Set up an authenticator app."""
    form = CodeForm(request.POST if request.method == "POST" else None)
    key = kept_key(request)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            codes = services.add_own_totp(request.actor, key=key, code=form.cleaned_data["code"], now=now())
        except services.AccessInvalid as invalid:
            take(form, invalid)
            status = 422
        else:
            request.session.pop(KEY, None)
            return _added(request, codes, "totp")
    profile = queries.own_profile(request.actor, now=now())
    return render(request, "identity/add_app.html", {"form": form, **app_facts(key, profile.email)}, status=status)


@never_cache
@staff_page()
@freshly_proved("staff", "staff_own_factors")
def add_passkey(request: Any) -> HttpResponse:
    """Add a passkey for this host."""
    form = PasskeyForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            codes = services.add_own_passkey(
                request.actor,
                host=request.get_host(),
                state=request.session.pop(CHALLENGE, {}),
                response=as_json(form.cleaned_data["answer"]),
                name=form.cleaned_data["name"],
                now=now(),
            )
        except services.AccessInvalid as invalid:
            take(form, invalid)
            status = 422
        except services.AccessConflict as conflict:
            form.add_error(None, str(conflict.message))
            status = 409
        else:
            return _added(request, codes, "passkey")
    person = Person.objects.get(pk=request.actor.id)
    options, request.session[CHALLENGE] = factors.begin_passkey(person, host=request.get_host())
    return render(request, "identity/add_passkey.html", {"form": form, "passkey_options": options}, status=status)


def _added(request: Any, codes: list[str], kind: str) -> HttpResponse:
    if not request.session.get(FACTOR):
        request.session[FACTOR] = kind
    if codes:
        return render(
            request,
            "identity/recovery_codes.html",
            {"codes": codes, "next": reverse("staff_own_factors"), "face": FACE},
        )
    notices.done(request, _("The second factor is set up."))
    return redirect("staff_own_factors")


@staff_page()
@freshly_proved("staff", "staff_own_factors")
def remove_factor(request: Any, factor_id: UUID) -> HttpResponse:
    """Remove one factor, after asking once."""
    if request.method == "POST":
        try:
            services.remove_own_factor(request.actor, factor_id=factor_id, now=now())
        except services.AccessConflict as conflict:
            notices.refused(request, str(conflict.message))
        else:
            notices.done(request, _("The second factor is removed."))
        return redirect("staff_own_factors")
    if factor_id not in {row.id for row in queries.own_factors(request.actor)[0]}:
        raise services.AccessNotFound
    return render(
        request,
        "ui/confirm.html",
        {
            "title": _("Remove second factor"),
            "text": _("You can no longer sign in with it."),
            "action_url": reverse("staff_remove_factor", args=[factor_id]),
            "action": _("Remove"),
            "cancel_url": reverse("staff_own_factors"),
            "danger": True,
            "hidden": {},
        },
    )


@never_cache
@require_POST
@staff_page()
@freshly_proved("staff", "staff_own_factors")
def recovery_codes(request: Any) -> HttpResponse:
    """Make new recovery codes and show them once."""
    codes = services.renew_own_recovery_codes(request.actor, now=now())
    return render(
        request, "identity/recovery_codes.html", {"codes": codes, "next": reverse("staff_own_factors"), "face": FACE}
    )


@staff_page()
def absence(request: Any) -> HttpResponse:
    """Note an absence of one's own, and who stands in."""
    return record_absence(request, request.actor.id, reverse("staff_account"))


def record_absence(request: Any, person_id: UUID, back_url: str) -> HttpResponse:
    """The page is the same for one's own absence and for that of others."""
    people = [pair for pair in queries.colleagues(request.actor, now=now()) if pair[0] != person_id]
    if request.actor.id != person_id:
        people.append((request.actor.id, request.actor.name))
    form = AbsenceForm(request.POST if request.method == "POST" else None, colleagues=people)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            services.record_absence(
                request.actor,
                person_id=person_id,
                substitute_id=form.cleaned_data["substitute"],
                absent_from=form.cleaned_data["absent_from"],
                absent_until=form.cleaned_data["absent_until"],
                now=now(),
            )
        except services.AbsenceInvalid as invalid:
            take(form, invalid)
            status = 422
        else:
            notices.done(request, _("The absence is noted."))
            return redirect(back_url)
    return render(
        request,
        "identity/form_page.html",
        {
            "face": FACE,
            "title": _("Absence and substitute"),
            "lead": _(
                "On the days of the absence the substitute sees the work of the units, with the substitute's own roles."
            ),
            "form": form,
            "action": _("Note absence"),
            "back_url": back_url,
        },
        status=status,
    )


@require_POST
@staff_page()
def end_absence(request: Any, absence_id: UUID) -> HttpResponse:
    """Back earlier: the substitution stops at once."""
    services.end_absence(request.actor, absence_id=absence_id, now=now())
    notices.done(request, _("The absence has ended."))
    return redirect("staff_account")


@staff_page()
def sessions(request: Any) -> HttpResponse:
    """Where I am signed in."""
    return session_list(request, FACE, "staff")


@require_POST
@staff_page()
@freshly_proved("staff", "staff_sessions")
def revoke(request: Any, session_id: UUID) -> HttpResponse:
    """End one session."""
    return revoke_one(request, session_id, "staff")


@require_POST
@staff_page()
@freshly_proved("staff", "staff_sessions")
def revoke_others(request: Any) -> HttpResponse:
    """End all sessions but this one."""
    return revoke_rest(request, "staff")
