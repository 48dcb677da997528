"""Administration of people and their assignments."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from verbund.platform.identity import policy, queries, services
from verbund.platform.identity.models import normal_name
from verbund.platform.identity.policies import Permission
from verbund.platform.identity.routes import staff_page
from verbund.platform.tenancy import current_body, local_date, now
from verbund.platform.ui import notices

from .access import record_absence
from .forms import AssignmentForm, EndForm, NewPersonForm, PersonForm, ResetForm, begin_of, end_of, take

FACE = "ui/workspace.html"


@staff_page(Permission.VIEW_PEOPLE)
def index(request: Any) -> HttpResponse:
    """The people of the body."""
    text = normal_name(request.GET.get("suche", ""))[:100]
    found = queries.people(request.actor, text=text, after=normal_name(request.GET.get("after", ""))[:300], now=now())
    return render(
        request,
        "identity/people.html",
        {"people": found, "text": text, "may_manage": policy.allows(request.actor, Permission.MANAGE_PEOPLE)},
    )


def _assignment_options(request: Any) -> dict[str, Any]:
    return {
        "units": [(u.code, f"{u.code} {u.name}") for u in queries.units(request.actor)],
        "alliance": current_body().is_alliance,
        "initial": {"valid_from": local_date(now())},
    }


def _values(form: AssignmentForm) -> dict[str, Any]:
    moment = now()
    begin = form.cleaned_data["valid_from"]
    return {
        "role": form.cleaned_data["role"],
        "unit": form.cleaned_data["unit"],
        "valid_from": min(moment, begin_of(begin)) if begin == local_date(moment) else begin_of(begin),
        "valid_until": end_of(form.cleaned_data["valid_until"]),
        "now": moment,
    }


@staff_page(Permission.MANAGE_PEOPLE)
def create(request: Any) -> HttpResponse:
    """Give somebody access."""
    form = NewPersonForm(request.POST if request.method == "POST" else None, **_assignment_options(request))
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_person(
                request.actor,
                email=form.cleaned_data["email"],
                display_name=form.cleaned_data["display_name"],
                language=(get_language() or "de")[:2],
                trust_home=form.cleaned_data.get("trust_home", False),
                **_values(form),
            )
        except services.PersonInvalid as invalid:
            if "trust_home" in invalid.errors:
                form.ask_for_trust()
            take(form, invalid)
            status = 422
        except services.PersonConflict as conflict:
            form.add_error(None, str(conflict.message))
            status = 409
        else:
            if made.known:
                notices.done(request, _("The person already has an access in the alliance and was assigned here."))
            else:
                notices.done(request, _("The person was added. An invitation is on its way by e-mail."))
            return redirect("person", person_id=made.id)
    return _form(request, _("New person"), form, _("Add person"), reverse("people"), status)


@staff_page(Permission.VIEW_PEOPLE)
def show(request: Any, person_id: UUID) -> HttpResponse:
    """One person with all assignments."""
    person = queries.person(request.actor, person_id, now=now())
    return render(
        request,
        "identity/person.html",
        {
            "person": person,
            "may_manage": policy.allows(request.actor, Permission.MANAGE_PEOPLE),
            "may_absence": policy.allows(request.actor, Permission.MANAGE_ABSENCES),
            "is_me": request.actor.id == person_id,
            "unit_names": queries.unit_names(a.unit for a in person.assignments),
        },
    )


@staff_page(Permission.MANAGE_PEOPLE)
def change(request: Any, person_id: UUID) -> HttpResponse:
    """Correct name or e-mail address."""
    person = queries.person(request.actor, person_id, now=now())
    form = PersonForm(
        request.POST if request.method == "POST" else None, initial={"display_name": person.name, "email": person.email}
    )
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            services.change_person(
                request.actor,
                person_id=person_id,
                now=now(),
                language=(get_language() or "de")[:2],
                **form.cleaned_data,
            )
        except services.PersonInvalid as invalid:
            take(form, invalid)
            status = 422
        else:
            notices.done(request, _("The changes are saved."))
            return redirect("person", person_id=person_id)
    return _form(request, person.name, form, _("Save"), reverse("person", args=[person_id]), status)


@staff_page(Permission.MANAGE_PEOPLE)
def assign(request: Any, person_id: UUID) -> HttpResponse:
    """Give a person a further role."""
    person = queries.person(request.actor, person_id, now=now())
    form = AssignmentForm(request.POST if request.method == "POST" else None, **_assignment_options(request))
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            services.assign_role(request.actor, person_id=person_id, **_values(form))
        except services.PersonInvalid as invalid:
            take(form, invalid)
            status = 422
        except services.PersonConflict as conflict:
            form.add_error(None, str(conflict.message))
            status = 409
        else:
            notices.done(request, _("The role is assigned."))
            return redirect("person", person_id=person_id)
    title = _("Assign a role to %(name)s") % {"name": person.name}
    return _form(request, title, form, _("Assign role"), reverse("person", args=[person_id]), status)


@staff_page(Permission.MANAGE_PEOPLE)
def end_assignment(request: Any, assignment_id: UUID) -> HttpResponse:
    """End an assignment at once or after a day."""
    queries.assignment(request.actor, assignment_id)
    form = EndForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            services.end_assignment(
                request.actor, assignment_id=assignment_id, now=now(), at=end_of(form.cleaned_data["last_day"])
            )
        except services.PersonInvalid as invalid:
            form.add_error("last_day", str(invalid.errors["at"]))
            status = 422
        except services.PersonConflict as conflict:
            form.add_error(None, str(conflict.message))
            status = 409
        else:
            notices.done(request, _("The end of the assignment is noted. From then on the person has no access by it."))
            return redirect("people")
    return _form(request, _("End assignment"), form, _("End assignment"), reverse("people"), status)


@require_POST
@staff_page(Permission.MANAGE_PEOPLE)
def invite(request: Any, person_id: UUID) -> HttpResponse:
    """Send the invitation once more."""
    services.invite_person(request.actor, person_id=person_id, now=now(), language=(get_language() or "de")[:2])
    notices.done(request, _("The e-mail is on its way."))
    return redirect("person", person_id=person_id)


@staff_page(Permission.MANAGE_PEOPLE)
def block(request: Any, person_id: UUID) -> HttpResponse:
    """Block the sign-in, after asking once."""
    person = queries.person(request.actor, person_id, now=now())
    if request.method == "POST":
        services.deactivate_person(request.actor, person_id=person_id, now=now())
        notices.done(request, _("The sign-in is blocked, all sessions have ended."))
        return redirect("person", person_id=person_id)
    return render(
        request,
        "ui/confirm.html",
        {
            "title": _("Block the sign-in of %(name)s") % {"name": person.name},
            "consequences": [
                _("All sessions end at once, in every body of the alliance."),
                _("The assignments stay as they are; you can unblock the sign-in at any time."),
            ],
            "action_url": reverse("person_block", args=[person_id]),
            "action": _("Block sign-in"),
            "cancel_url": reverse("person", args=[person_id]),
            "danger": True,
            "hidden": {},
        },
    )


@require_POST
@staff_page(Permission.MANAGE_PEOPLE)
def unblock(request: Any, person_id: UUID) -> HttpResponse:
    """Allow the sign-in again."""
    services.deactivate_person(request.actor, person_id=person_id, active=True, now=now())
    notices.done(request, _("The person can sign in again."))
    return redirect("person", person_id=person_id)


@staff_page(Permission.MANAGE_PEOPLE)
def reset_factor(request: Any, person_id: UUID) -> HttpResponse:
    """Take the second factors away, with four eyes."""
    person = queries.person(request.actor, person_id, now=now())
    people = [pair for pair in queries.colleagues(request.actor, now=now()) if pair[0] != person_id]
    form = ResetForm(request.POST if request.method == "POST" else None, colleagues=people)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            services.reset_second_factor(
                request.actor,
                person_id=person_id,
                witness_id=form.cleaned_data["witness"],
                reason=form.cleaned_data["reason"],
                now=now(),
                language=(get_language() or "de")[:2],
            )
        except services.PersonInvalid as invalid:
            take(form, invalid)
            status = 422
        else:
            notices.done(request, _("The second factor is reset. The person is told by e-mail."))
            return redirect("person", person_id=person_id)
    title = _("Reset the second factor of %(name)s") % {"name": person.name}
    return _form(request, title, form, _("Reset second factor"), reverse("person", args=[person_id]), status)


@staff_page(Permission.MANAGE_ABSENCES)
def absence(request: Any, person_id: UUID) -> HttpResponse:
    """Note somebody's absence."""
    queries.person(request.actor, person_id, now=now())
    return record_absence(request, person_id, reverse("person", args=[person_id]))


@require_POST
@staff_page(Permission.MANAGE_ABSENCES)
def end_absence(request: Any, absence_id: UUID) -> HttpResponse:
    """End somebody's absence."""
    services.end_absence(request.actor, absence_id=absence_id, now=now())
    notices.done(request, _("The absence has ended."))
    return redirect("people")


def _form(request: Any, title: str, form: Any, action: str, back_url: str, status: int) -> HttpResponse:
    return render(
        request,
        "identity/form_page.html",
        {"face": FACE, "title": title, "form": form, "action": action, "back_url": back_url},
        status=status,
    )
