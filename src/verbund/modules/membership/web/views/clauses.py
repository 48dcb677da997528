"""Pages of the library of clauses: list, one clause with its versions, a new version, the review."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from verbund.modules.membership import queries, services
from verbund.modules.membership.models import ClauseKind
from verbund.modules.membership.policies import Permission
from verbund.modules.membership.web import forms
from verbund.modules.membership.web.frame import form_page, tell
from verbund.platform.identity import policy
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import Conflict, Invalid, now
from verbund.platform.ui import errors, notices


@staff_page(Permission.READ_ACCESSIONS)
def clauses(request: BodyRequest) -> HttpResponse:
    """The library, and what of the required contents it covers."""
    text = request.GET.get("q", "")[:200]
    context = {
        "rows": queries.clause_library(request.actor, text),
        "text": text,
        "required": queries.required_contents(request.actor),
        "may_write": policy.allows(request.actor, Permission.WRITE_CLAUSES),
        "may_trust": policy.allows(request.actor, Permission.MANAGE_TRUST),
    }
    return render(request, "membership/clauses.html", context)


@require_POST
@staff_page(Permission.WRITE_CLAUSES)
def load_clauses(request: BodyRequest) -> HttpResponse:
    """Take the start set into the library."""
    count = services.load_start_clauses(request.actor, now=now())
    if count:
        notices.done(
            request, _("Added as drafts: %(count)s. Another person has to review each of them.") % {"count": count}
        )
    else:
        notices.refused(request, _("All clauses of the start set are there already."))
    return redirect("membership:clauses")


@staff_page(Permission.READ_ACCESSIONS)
def clause(request: BodyRequest, clause: str) -> HttpResponse:
    """One clause: the version contracts take, and all others."""
    versions = queries.clause(request.actor, clause)
    context = {
        "versions": versions,
        "newest": versions[0],
        "review": forms.ReviewForm(),
        "may_write": policy.allows(request.actor, Permission.WRITE_CLAUSES),
        "own": versions[0].author_id == request.actor.id,
    }
    return render(request, "membership/clause.html", context)


@staff_page(Permission.WRITE_CLAUSES)
def new_clause(request: BodyRequest) -> HttpResponse:
    """Write a clause that is not there yet."""
    kind = request.GET.get("inhalt", "")
    initial = {"kinds": [kind]} if kind in ClauseKind.values else {}
    form = forms.ClauseForm(request.POST or None, initial=initial)
    return _write(request, form, reverse("membership:clauses"), {"title": _("Write a clause")})


@staff_page(Permission.WRITE_CLAUSES)
def clause_version(request: BodyRequest, clause: str) -> HttpResponse:
    """Write a further version of a clause."""
    newest = queries.clause(request.actor, clause)[0]
    initial = {
        "expected_number": newest.number,
        "title": newest.title,
        "kinds": list(newest.kinds),
        "text": newest.text,
        "source": newest.source,
    }
    form = forms.ClauseForm(request.POST or None, initial=initial, has_code=True)
    context = {"title": _("New version of “%(title)s”") % {"title": newest.title}, "newest": newest}
    return _write(request, form, reverse("membership:clause", args=[clause]), context, code=clause)


def _write(
    request: BodyRequest, form: forms.ClauseForm, cancel: str, context: dict[str, object], *, code: str = ""
) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        values = {"code": code, **form.cleaned_data}
        try:
            number = services.write_clause(request.actor, now=now(), **values)
        except services.ClauseChanged as refusal:
            there = reverse("membership:clause", args=[values["code"].strip()])
            return errors.conflict(request, str(refusal.message), refusal.changes, there)
        except (Conflict, Invalid) as refusal:
            tell(form, refusal)
        else:
            notices.done(
                request, _("Version %(number)s is saved. Another person has to review it.") % {"number": number}
            )
            return redirect("membership:clause", values["code"].strip())
    status = 422 if form.is_bound else 200
    return render(request, "membership/clause_form.html", {"form": form, "back": cancel, **context}, status=status)


@staff_page(Permission.REVIEW_CLAUSES)
def review_clause(request: BodyRequest, clause: str, number: int) -> HttpResponse:
    """Find a version good."""
    version = next((v for v in queries.clause(request.actor, clause) if v.number == number), None)
    if version is None:
        raise Http404
    return form_page(
        request,
        forms.ReviewForm(request.POST if request.method == "POST" else None),
        lambda data: services.review_clause(request.actor, code=clause, number=number, now=now(), **data),
        template="clause_review",
        back=reverse("membership:clause", args=[clause]),
        done=_("Version %(number)s is reviewed: contracts take it from now on.") % {"number": number},
        context={"version": version, "own": version.author_id == request.actor.id},
    )
