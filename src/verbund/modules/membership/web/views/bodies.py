"""Pages on which the alliance keeps what it knows of a body: entering, and ending what no longer holds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from verbund.modules.membership import queries, services
from verbund.modules.membership.models import MemberKind
from verbund.modules.membership.policies import Permission
from verbund.modules.membership.web import forms
from verbund.modules.membership.web.frame import entry as entry_page
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import local_date, now
from verbund.platform.ui import notices


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one kind of entry is asked for and written. `of_organ`: it belongs to an organ and not to the body itself."""

    title: str | Promise
    form: type[forms.EntryForm]
    write: Callable[..., UUID]
    of_organ: bool = False


ENTRIES: Final[dict[str, _Kind]] = {
    "einwohner": _Kind(gettext_lazy("Enter inhabitants"), forms.InhabitantsForm, services.record_inhabitants),
    "einrichtung": _Kind(gettext_lazy("Enter a facility"), forms.FacilityForm, services.add_facility),
    "organ": _Kind(gettext_lazy("Enter an organ"), forms.OrganForm, services.add_organ),
    "amtszeit": _Kind(gettext_lazy("Enter a term of office"), forms.TermForm, services.add_term, of_organ=True),
    "wertgrenze": _Kind(gettext_lazy("Enter a threshold"), forms.ThresholdForm, services.set_threshold, of_organ=True),
    "kontakt": _Kind(gettext_lazy("Enter a contact"), forms.ContactForm, services.add_contact),
    "medium": _Kind(gettext_lazy("Enter where it publishes"), forms.MediumForm, services.add_medium),
    "amtszugehoerigkeit": _Kind(gettext_lazy("Enter a town"), forms.AdministrationForm, services.administer),
}
ENDS: Final = {
    "einrichtung": "facility",
    "amtszeit": "term",
    "kontakt": "contact",
    "medium": "medium",
    "amtszugehoerigkeit": "administration",
}


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page(Permission.REGISTER_BODY)
def register(request: BodyRequest) -> HttpResponse:
    """Enter a body in the alliance's list."""
    form = forms.RegisterForm(request.POST if request.method == "POST" else None)

    def act(_given: Mapping[str, Any]) -> str:
        found = services.register_body(request.actor, now=now(), **form.values())
        return reverse("membership:member", args=[found.id])

    return entry_page(
        request,
        form,
        act,
        here="members",
        title=_("Enter a body"),
        text=_(
            "A body that asks to join, a town that an Amt administers, or an authority. Its own workspace is set up"
            " when an accession takes effect or a service is agreed."
        ),
        action=_("Enter the body"),
        back=reverse("membership:members"),
        done=_("The body stands in the list now."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page(Permission.MANAGE_MEMBERS)
def enter(request: BodyRequest, member_id: UUID, entry: str) -> HttpResponse:
    """One entry about a body."""
    kind = ENTRIES.get(entry)
    if kind is None:
        raise Http404
    body = queries.body(request.actor, member_id, day=local_date(now()))
    if kind.of_organ and not body.organs:
        notices.refused(request, _("Enter the council or the head of administration first: this belongs to an organ."))
        return redirect("membership:enter", member_id, "organ")
    initial: dict[str, Any] = {"organ_id": request.GET.get("organ", ""), "valid_from": local_date(now())}
    data = request.POST if request.method == "POST" else None
    form = kind.form(data, others=_others(request, body, kind), initial=initial)
    whose = {} if kind.of_organ else {"amt_id" if kind.form is forms.AdministrationForm else "member_id": member_id}

    def act(_given: Mapping[str, Any]) -> None:
        kind.write(request.actor, now=now(), **whose, **form.values())

    return _page(request, form, act, body.member, title=str(kind.title), done=_("Entered."))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page(Permission.MANAGE_MEMBERS)
def end(request: BodyRequest, member_id: UUID, entry: str, entry_id: UUID) -> HttpResponse:
    """The last day of an entry that no longer holds."""
    if entry not in ENDS:
        raise Http404
    found = queries.member(request.actor, member_id)
    name = queries.entry_name(request.actor, member_id, what=ENDS[entry], entry_id=entry_id)
    form = forms.EndForm(request.POST if request.method == "POST" else None, initial={"last_day": local_date(now())})

    def act(given: Mapping[str, Any]) -> None:
        services.end_entry(
            request.actor,
            member_id=member_id,
            what=ENDS[entry],
            entry_id=entry_id,
            last_day=given["last_day"],
            now=now(),
        )

    done = _("Ended. It stays visible for the days on which it held.")
    return _page(request, form, act, found, title=_("End: %(name)s") % {"name": name}, done=done)


def _page(
    request: BodyRequest,
    form: Form,
    act: Callable[[Mapping[str, Any]], None],
    member: queries.MemberFacts,
    *,
    title: str,
    done: str,
) -> HttpResponse:
    back = reverse("membership:member", args=[member.id])
    above = (back, member.name)
    return entry_page(request, form, act, here="members", title=title, action=title, back=back, done=done, above=above)


def _others(request: BodyRequest, body: queries.BodyView, kind: _Kind) -> list[tuple[str, str]]:
    """What may be chosen: the body's organs, or the towns an Amt may administer."""
    if kind.of_organ:
        return [(str(organ.id), organ.name) for organ in body.organs]
    if kind.form is forms.AdministrationForm:
        return [(str(m.id), m.name) for m in queries.list_members(request.actor) if m.kind == MemberKind.TOWN]
    return []
