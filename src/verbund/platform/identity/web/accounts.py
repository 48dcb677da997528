"""The citizen's own account."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from verbund.platform.identity import queries, services, throttle
from verbund.platform.identity.recognition import end_session, keep_session
from verbund.platform.identity.routes import citizen_page, public_page
from verbund.platform.identity.services.citizens import DAYS_TO_THINK
from verbund.platform.tenancy import now
from verbund.platform.ui import notices

from .forms import ChangePasswordForm, take
from .proof import freshly_proved, prove_again


@public_page("leads staff to their own page and strangers to the sign-in")
def overview(request: Any) -> HttpResponseBase:
    """What the account holds and what can be done with it."""
    if request.actor.is_staff:
        return redirect("staff_account")
    return _overview(request)


@citizen_page
def _overview(request: Any) -> HttpResponse:
    account = queries.citizen(request.actor, request.actor.id)
    return render(request, "identity/citizen_account.html", {"account": account})


@citizen_page
def password(request: Any) -> HttpResponse:
    """Change the password; the other sessions end."""
    return change_password(request, "ui/portal.html", "citizen_account")


def change_password(request: Any, face: str, back: str) -> HttpResponse:
    """The page is the same for citizens and staff."""
    form = ChangePasswordForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            account = services.change_own_password(
                request.actor,
                present=form.cleaned_data["present"],
                password=form.cleaned_data["password"],
                now=now(),
            )
        except throttle.Blocked as blocked:
            form.add_error(None, blocked.message)
            status = 429
        except services.AccessInvalid as invalid:
            take(form, invalid)
            status = 422
        else:
            keep_session(request, account)
            notices.done(request, _("Your password is changed. All your other sessions have ended."))
            return redirect(back)
    return render(
        request,
        "identity/form_page.html",
        {
            "face": face,
            "title": _("Change password"),
            "lead": _("All your other sessions end."),
            "form": form,
            "action": _("Change password"),
            "back": back,
        },
        status=status,
    )


@never_cache
@citizen_page
def prove(request: Any) -> HttpResponse:
    """Give the password again; somebody without one signs in again."""
    return prove_again(request, "ui/portal.html", "citizen", "citizen_sessions")


@citizen_page
def sessions(request: Any) -> HttpResponse:
    """Where the account is signed in."""
    return session_list(request, "ui/portal.html", "citizen")


def session_list(request: Any, face: str, who: str) -> HttpResponse:
    """The page is the same for citizens and staff."""
    return render(
        request,
        "identity/sessions.html",
        {
            "face": face,
            "sessions": queries.own_sessions_list(request.actor, this=request.session.row_id()),
            "revoke_url": f"{who}_revoke",
            "others_url": reverse(f"{who}_revoke_others"),
            "back": f"{who}_account",
        },
    )


@require_POST
@citizen_page
@freshly_proved("citizen", "citizen_sessions")
def revoke(request: Any, session_id: UUID) -> HttpResponse:
    """End one session."""
    return revoke_one(request, session_id, "citizen")


def revoke_one(request: Any, session_id: UUID, who: str) -> HttpResponse:
    """The page is the same for citizens and staff."""
    was_this = request.session.row_id() == session_id
    services.revoke_session(request.actor, session_id=session_id, now=now())
    if was_this:
        end_session(request)
        return redirect(f"{who}_sign_in")
    notices.done(request, _("The session has ended."))
    return redirect(f"{who}_sessions")


@require_POST
@citizen_page
@freshly_proved("citizen", "citizen_sessions")
def revoke_others(request: Any) -> HttpResponse:
    """End all sessions but this one."""
    return revoke_rest(request, "citizen")


def revoke_rest(request: Any, who: str) -> HttpResponse:
    """The page is the same for citizens and staff."""
    account = services.revoke_other_sessions(request.actor, keep=request.session.row_id(), now=now())
    keep_session(request, account)
    notices.done(request, _("All your other sessions have ended."))
    return redirect(f"{who}_sessions")


@citizen_page
def delete(request: Any) -> HttpResponse:
    """Ask for the deletion of the account, with what follows from it."""
    if request.method == "POST":
        services.request_deletion(request.actor, now=now())
        notices.done(request, _("Your account will be deleted. Until then you can change your mind here."))
        return redirect("citizen_account")
    return render(
        request,
        "ui/confirm.html",
        {
            "base": "ui/portal.html",
            "title": _("Delete account"),
            "text": _("If you go on, your account will be deleted in %(days)d days.") % {"days": DAYS_TO_THINK},
            "consequences": [
                _("Name, e-mail address and password are deleted; you cannot sign in any more."),
                _("Drafts you have not sent and messages in your mailbox can no longer be opened."),
                _("Applications you have sent stay in the files of the administration as long as the law requires."),
                _("Applications that are still being worked on go on; answers then come by post."),
                _("Until the day of deletion you can sign in and change your mind."),
            ],
            "action_url": reverse("citizen_delete"),
            "action": _("Delete my account"),
            "cancel_url": reverse("citizen_account"),
            "danger": True,
            "hidden": {},
        },
    )


@require_POST
@citizen_page
def keep(request: Any) -> HttpResponse:
    """Take the wish for deletion back."""
    services.withdraw_deletion(request.actor, now=now())
    notices.done(request, _("Your account stays."))
    return redirect("citizen_account")
