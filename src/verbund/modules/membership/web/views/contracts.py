"""Pages of the contract: its versions, the assembling, one version, the difference of two, the text in force."""

from datetime import date
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from verbund.modules.membership import queries, services
from verbund.modules.membership.policies import Permission
from verbund.modules.membership.web import forms
from verbund.modules.membership.web.frame import tell
from verbund.platform import files
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import Conflict, Invalid, NotFound, local_date, now
from verbund.platform.ui import errors, notices

OPEN_STATES = {"negotiation", "draft_contract", "all_consented", "refused", "objection"}


@staff_page(Permission.READ_ACCESSIONS)
def contract(request: BodyRequest, accession_id: UUID) -> HttpResponse:
    """The versions of an accession's contract, and what the newest one needs next."""
    view = queries.accession(request.actor, accession_id)
    versions = queries.contract_versions(request.actor, accession_id)
    texts = [v for v in versions if v.number]
    newest = queries.contract(request.actor, accession_id, day=local_date(now())) if texts else None
    final = next((v for v in versions if v.state in ("before_parties", "signed")), None)
    known = next((v for v in texts if v is final), None)
    context = {
        "accession": view,
        "versions": versions,
        "texts": texts,
        "newest": newest,
        "final": final,
        "copies": queries.contract(request.actor, accession_id, known.number).copies if known else (),
        "may_draft": _may(request.actor),
        "may_finalise": _may(request.actor) and newest is not None and newest.version is None,
        "may_keep": _may(request.actor) and known is not None,
        "waits_for_consent": final is not None and len(final.consented) < final.parties,
        "library_is_empty": not queries.clause_library(request.actor),
    }
    return render(request, "membership/contract.html", context)


def _may(actor: Actor) -> bool:
    return policy.allows(actor, Permission.MANAGE_ACCESSIONS)


@staff_page(Permission.MANAGE_ACCESSIONS)
def draft_contract(request: BodyRequest, accession_id: UUID) -> HttpResponse:
    """Assemble a version from clauses and data."""
    view = queries.accession(request.actor, accession_id)
    form = _contract_form(request, view)
    if request.method == "POST" and form.is_valid():
        try:
            ref = services.draft_contract(request.actor, accession_id=accession_id, now=now(), **form.values())
        except services.OtherDraft as refusal:
            there = reverse("membership:contract", args=[accession_id])
            return errors.conflict(request, str(refusal.message), refusal.changes, there)
        except (Conflict, Invalid) as refusal:
            tell(form, refusal)
        else:
            notices.done(request, _("Working version %(number)s is drafted.") % {"number": ref.number})
            return redirect("membership:contract_version", accession_id, ref.number)
    context = {
        "accession": view,
        "form": form,
        "required": queries.required_contents(request.actor),
        "may_write": policy.allows(request.actor, Permission.WRITE_CLAUSES),
    }
    return render(request, "membership/contract_draft.html", context, status=422 if form.is_bound else 200)


def _contract_form(request: BodyRequest, view: queries.AccessionView) -> forms.ContractForm:
    """The form with what is known: the last version, or the carriers, the planned tasks and the start set's order."""
    actor, today = request.actor, local_date(now())
    offered = queries.offered_clauses(actor)
    versions = [v for v in queries.contract_versions(actor, view.id) if v.number]
    last = queries.contract(actor, view.id) if versions else None
    said = {p["member"]: (p["share_cents"], p["seats"]) for p in last.data["parties"]} if last else {}
    parties = []
    for carrier in queries.carriers_on(actor, today):
        if carrier.member_id != view.member_id:
            cents, seats = said.get(str(carrier.member_id), (carrier.share_cents, carrier.seats))
            parties.append(forms.Party(carrier.member_id, carrier.name, cents, seats))
    cents, seats = said.get(str(view.member_id), (queries.new_carrier_share(actor, today), 1))
    parties.append(forms.Party(view.member_id, view.name, cents, seats))
    capital = queries.capital_on(actor, today)
    order = [c.code for c in last.clauses] if last else [c.code for c in offered if c.reviewed_by]
    return forms.ContractForm(
        request.POST or None,
        offered=offered,
        parties=parties,
        standing=[
            queries.ClauseLink(c.clause.code, c.clause.title) for c in queries.consolidated_contract(actor, today)
        ],
        last=last,
        order=order,
        tasks=[f"{t.name} ({t.scope})" if t.scope else t.name for t in view.transfers],
        effective_on=view.planned_effect_on,
        chair=capital.chair_id if capital else None,
    )


@staff_page(Permission.READ_ACCESSIONS)
def contract_version(request: BodyRequest, accession_id: UUID, number: int) -> HttpResponse:
    """One version: its state, what it lacks, its text, who has signed it."""
    view = queries.accession(request.actor, accession_id)
    found = queries.contract(request.actor, accession_id, number, day=local_date(now()))
    texts = [v.number for v in queries.contract_versions(request.actor, accession_id) if v.number]
    context = {
        "accession": view,
        "contract": found,
        "is_newest": number == max(texts),
        "before": max((n for n in texts if n < number), default=None),
        "may_draft": _may(request.actor),
        "may_finalise": _may(request.actor) and found.version is None,
        "may_write": policy.allows(request.actor, Permission.WRITE_CLAUSES),
        "is_whole": queries.is_whole(request.actor, accession_id, number),
    }
    return render(request, "membership/contract_version.html", context)


@staff_page(Permission.READ_ACCESSIONS)
@require_safe
def contract_pdf(request: BodyRequest, accession_id: UUID, number: int) -> HttpResponseBase:
    """A version as PDF to download: the bytes kept when it was finalised, before that a draft marked as one."""
    kept = queries.final_pdf(request.actor, accession_id, number)
    if kept:
        return files.download(kept, f"vertrag-fassung-{number}.pdf", "application/pdf")
    content = queries.contract_pdf(request.actor, accession_id, number)
    return files.attachment(content, f"vertrag-entwurf-{number}.pdf", "application/pdf")


@staff_page(Permission.MANAGE_ACCESSIONS)
def finalise_contract(request: BodyRequest, accession_id: UUID, number: int) -> HttpResponse:
    """Put a version before the parties; asked once, with what falls by it."""
    today = local_date(now())
    found = queries.contract(request.actor, accession_id, number, day=today)
    back = reverse("membership:contract_version", args=[accession_id, number])
    form = forms.FinaliseForm(request.POST if request.method == "POST" else None, initial={"on": today})
    if request.method == "POST" and form.is_valid():
        try:
            known_as = services.finalise_contract(
                request.actor, accession_id=accession_id, number=number, now=now(), on=form.cleaned_data["on"]
            )
        except (Conflict, Invalid) as refusal:
            tell(form, refusal)
        else:
            notices.done(
                request, _("The contract lies before the parties as version %(number)s.") % {"number": known_as}
            )
            return redirect("membership:contract", accession_id)
    if not form.is_bound and (found.version is not None or found.lacks):
        notices.refused(
            request,
            _("This version lies before the parties already.")
            if found.version is not None
            else _("The version is not complete yet. What it lacks stands below."),
        )
        return redirect(back)
    context = {
        "base": "ui/console.html",
        "title": _("Put working version %(number)s before the parties?") % {"number": number},
        "text": _("Its text is then fixed. Every party decides on exactly this text, named by the hash %(hash)s.")
        % {"hash": found.sha256},
        "consequences": _falls(request, accession_id),
        "action": _("Finalise the contract"),
        "action_url": request.path,
        "cancel_url": back,
        "form": form,
    }
    return render(request, "ui/confirm.html", context, status=422 if form.is_bound else 200)


def _falls(request: BodyRequest, accession_id: UUID) -> list[str]:
    """What a further version takes away, in sentences."""
    versions = queries.contract_versions(request.actor, accession_id)
    before = next((v for v in versions if v.state in ("before_parties", "signed")), None)
    if before is None:
        return [_("It is the first version: no consents fall by it.")]
    found = [_("Version %(number)s lies before the parties now; it is superseded.") % {"number": before.version}]
    if before.consented:
        sentence = ngettext(
            "%(count)s consent to it no longer counts and has to be given anew: %(names)s.",
            "%(count)s consents to it no longer count and have to be given anew: %(names)s.",
            len(before.consented),
        )
        found.append(sentence % {"count": len(before.consented), "names": ", ".join(before.consented)})
    else:
        found.append(_("Nobody has consented to it yet: no consents fall."))
    return found


@staff_page(Permission.READ_ACCESSIONS)
def contract_difference(request: BodyRequest, accession_id: UUID) -> HttpResponse:
    """Two versions, paragraph by paragraph and word by word."""
    view = queries.accession(request.actor, accession_id)
    versions = [v for v in queries.contract_versions(request.actor, accession_id) if v.number]
    if len(versions) < 2:
        notices.refused(request, _("There are not two versions to compare yet."))
        return redirect("membership:contract", accession_id)
    old, new = (_number(request.GET.get(name, "")) for name in ("alt", "neu"))
    old, new = old or versions[1].number, new or versions[0].number
    try:
        paragraphs = queries.difference_by_words(request.actor, accession_id, old, new)
    except NotFound as error:
        raise Http404 from error
    counts = {kind: sum(p.kind == kind for p in paragraphs) for kind in ("inserted", "deleted", "changed")}
    context = {
        "accession": view,
        "versions": versions,
        "old": old,
        "new": new,
        "paragraphs": paragraphs,
        "counts": counts,
        "is_same": not any(counts.values()),
    }
    return render(request, "membership/contract_difference.html", context)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


@staff_page(Permission.READ_ACCESSIONS)
def contract_in_force(request: BodyRequest) -> HttpResponse:
    """The contract in force on a day: what all accessions have made of it."""
    day = _day(request) or local_date(now())
    context = {"clauses": queries.consolidated_contract(request.actor, day), "day": day}
    return render(request, "membership/contract_in_force.html", context)


def _day(request: HttpRequest) -> date | None:
    try:
        return date.fromisoformat(request.GET.get("tag", ""))
    except ValueError:
        return None
