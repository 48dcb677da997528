"""The case page of the clerks (Sachbearbeitung): everything on one page, and each step that changes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from verbund.modules.citizenservices import queries, services
from verbund.modules.citizenservices.policies import Permission
from verbund.modules.citizenservices.queries.views import ApplicationView
from verbund.modules.records import queries as records
from verbund.platform.identity import policy
from verbund.platform.identity.routes import BodyRequest, staff_page
from verbund.platform.tenancy import Conflict, Invalid, local_date
from verbund.platform.tenancy.clock import now
from verbund.platform.ui import errors, notices
from verbund.platform.ui.templatetags.ui import days_until, local_datetime, short_date

from .clerk_forms import AskForm, tell
from .clerk_lists import tone_of


@dataclass(frozen=True, slots=True)
class Step:
    """Something a clerk may do with a case; `post` sends at once, otherwise a page follows."""

    label: str
    url: str
    post: bool = False
    dialog: bool = False


@dataclass(frozen=True, slots=True)
class ToDo:
    """What is to be done now: one sentence, at most one primary step, and what else is possible."""

    text: str
    primary: Step | None = None
    others: list[Step] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the history, as `ui/timeline.html` wants it."""

    at: Any
    title: str
    text: str = ""
    by: str = ""


@staff_page(Permission.READ_APPLICATION)
@require_safe
def case(request: BodyRequest, application_id: UUID) -> HttpResponse:
    """Everything on one page: what is to be done, answers, documents, file, deadlines, history."""
    found = queries.application(request.actor, application_id, now=now())
    try:
        record = records.case(request.actor, found.case_id)
        documents, history = (
            records.documents(request.actor, found.case_id),
            records.timeline(request.actor, found.case_id),
        )
    except (policy.Denied, records.CaseNotFound):
        record, documents, history = None, [], []  # the application may be seen without its file (a sealed one)
    attached = {a.document_id for a in found.attachments}
    first = next((d for d in documents if d.id in attached), None) or (documents[0] if documents else None)
    to_my_cases = found.may_process
    context = {
        "case": found,
        "tone": tone_of(found.state, found.outcome),
        "is_undecided": found.state in ("submitted", "in_progress", "query_open"),
        "todo": todo(found),
        "documents": documents,
        "first": first,
        "sections": answered(found),
        "record": record,
        "history": [Entry(e.at, e.kind_label, e.text or e.values.get("title", ""), e.by) for e in history],
        "back_url": reverse("clerk_cases" if to_my_cases else "clerk_inbox"),
        "back_label": _("My cases") if to_my_cases else _("Inbox"),
    }
    return render(request, "citizenservices/clerk/case.html", context)


def answered(found: ApplicationView) -> list[dict[str, Any]]:
    """The answers by section, with the document behind each that is a file."""
    documents = {a.path: a.document_id for a in found.attachments}
    return [
        {"it": section, "rows": [{"it": row, "document_id": documents.get(row.path)} for row in section.rows]}
        for section in found.sections
    ]


def todo(found: ApplicationView) -> ToDo:
    """What is to be done now with a case; at most one step is the primary one."""
    here = [found.id]
    ask = Step(_("Ask the applicant"), reverse("clerk_ask", args=here))
    decide = Step(_("Decide"), reverse("clerk_decide", args=here))
    check = Step(_("Check and sign the decision"), reverse("clerk_check", args=here))
    back = Step(_("Give back to the inbox"), reverse("clerk_hand_back", args=here), post=True)
    withdrawn = Step(_("The applicant withdraws"), reverse("clerk_withdraw", args=here), dialog=True)
    take = Step(_("Take over"), reverse("clerk_take_over", args=here), post=True)
    question = next((q for q in found.questions if q.is_open), None)
    proposed = found.decision is not None and not found.decision.is_signed

    if found.state == "closed":
        return ToDo(_("Nothing. The case is closed."))
    if found.state == "delivered":
        if found.payment_reference and found.settled_on is None:
            due = {"day": short_date(found.payment_due_on), "reference": found.payment_reference}
            return ToDo(
                _("Wait for the payment (due on %(day)s, reference %(reference)s). The case closes by itself.") % due
            )
        return ToDo(_("Nothing. The case will be closed by itself."))
    if found.state == "decided":
        return ToDo(_("Nothing. The decision is being delivered."))
    if proposed and found.requires_sign_off:
        if found.may_sign:
            name = {"name": found.decision.proposed_name if found.decision else ""}
            return ToDo(_("%(name)s has proposed a decision. Check the letter and sign it.") % name, check)
        others = [decide, ask, back] if found.may_process else []
        return ToDo(_("The decision is proposed. A second person has to sign it."), None, others)
    if found.may_process:
        if question is not None:
            text = _("Wait for the answer to your question (until %(day)s, %(left)s).") % {
                "day": short_date(question.answer_until),
                "left": days_until(question.answer_until),
            }
            return ToDo(text, None, [decide, back, withdrawn])
        if proposed:
            return ToDo(
                _("You have prepared a decision. Check the letter and send it."), check, [decide, ask, back, withdrawn]
            )
        return ToDo(_("Check the answers and documents, then decide."), decide, [ask, back, withdrawn])
    if found.may_take_over:
        if found.clerk is None:
            return ToDo(_("Nobody works on this case yet."), take)
        return ToDo(_("%(name)s works on this case.") % {"name": found.clerk_name}, None, [take])
    if found.clerk_name:
        return ToDo(_("%(name)s works on this case.") % {"name": found.clerk_name})
    return ToDo(_("Nobody works on this case yet."))


@staff_page(Permission.PROCESS_APPLICATION)
@require_POST
def take_over(request: BodyRequest, application_id: UUID) -> HttpResponse:
    """Take a case out of the inbox; one click gives it back."""
    try:
        seen = services.take_over(
            request.actor, application_id=application_id, expected_version=version(request), now=now()
        )
    except Conflict as refusal:
        return outrun(request, application_id, refusal)
    notices.done(request, _("The case is yours."), undo=undo("clerk_hand_back", application_id, seen))
    return to_case(application_id)


@staff_page(Permission.PROCESS_APPLICATION)
@require_POST
def hand_back(request: BodyRequest, application_id: UUID) -> HttpResponse:
    """Give a case back to the inbox; one click takes it over again."""
    try:
        seen = services.hand_back(
            request.actor, application_id=application_id, expected_version=version(request), now=now()
        )
    except Conflict as refusal:
        return outrun(request, application_id, refusal)
    notices.done(request, _("The case is back in the inbox."), undo=undo("clerk_take_over", application_id, seen))
    return redirect("clerk_inbox")


@staff_page(Permission.PROCESS_APPLICATION)
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: BodyRequest, application_id: UUID) -> HttpResponse:
    """Ask the applicant for what is missing."""
    found = queries.application(request.actor, application_id, now=now())
    form = AskForm(request.POST or None, today=local_date(now()))
    if request.method == "POST" and form.is_valid():
        try:
            services.ask_back(
                request.actor,
                application_id=application_id,
                question=form.cleaned_data["text"],
                answer_days=(form.cleaned_data["answer_until"] - form.today).days,
                expected_version=version(request),
                now=now(),
            )
        except Invalid as refusal:
            tell(form, refusal, {"question": "text", "answer_days": "answer_until"})
        except Conflict as refusal:
            return outrun(request, application_id, refusal)
        else:
            notices.done(request, _("The question is on its way."))
            return to_case(application_id)
    return render(
        request, "citizenservices/clerk/ask.html", {"form": form, "case": found}, status=400 if form.errors else 200
    )


@staff_page(Permission.PROCESS_APPLICATION)
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: BodyRequest, application_id: UUID) -> HttpResponse:
    """The applicant takes the application back, by telephone or letter; asked once."""
    found = queries.application(request.actor, application_id, now=now())
    if request.method == "POST":
        try:
            services.record_withdrawal(
                request.actor, application_id=application_id, expected_version=version(request), now=now()
            )
        except Conflict as refusal:
            return outrun(request, application_id, refusal)
        notices.done(request, _("The withdrawal is recorded."))
        return to_case(application_id)
    context = {
        "title": _("Close %(reference)s as withdrawn?") % {"reference": found.case_reference},
        "text": _("Do this when %(name)s has told you so. It cannot be undone.") % {"name": found.party_name},
        "consequences": [
            _("No decision is sent and no fee is charged."),
            _("The case is closed and its retention begins."),
        ],
        "action": _("Close as withdrawn"),
        "action_url": request.path,
        "cancel_url": reverse("clerk_case", args=[application_id]),
        "hidden": {"version": found.version},
        "danger": True,
    }
    return render(request, "ui/confirm.html", context)


# ---- For all steps


def version(request: HttpRequest) -> int:
    """The version of the case that the person saw; 0, which fits none, when there is none."""
    given = request.POST.get("version") or request.GET.get("version", "")
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 10 else 0


def undo(name: str, application_id: UUID, seen: int) -> str:
    """The address that takes a step back, as long as nobody has gone on from it."""
    return f"{reverse(name, args=[application_id])}?version={seen}"


def outrun(request: BodyRequest, application_id: UUID, refusal: Conflict) -> HttpResponse:
    """The page for the second of two: what is the state now, and who was it."""
    found = queries.application(request.actor, application_id, now=now())
    changes = [_("State: %(state)s") % {"state": found.state_label}]
    if found.clerk_name:
        changes.append(_("Worked on by: %(name)s") % {"name": found.clerk_name})
    if found.decided_at is not None:
        decided = {"outcome": found.outcome_label, "at": local_datetime(found.decided_at)}
        changes.append(_("Decision: %(outcome)s, %(at)s") % decided)
    elif found.decision is not None:
        proposed = {"outcome": found.decision.outcome_label, "name": found.decision.proposed_name}
        changes.append(_("Proposed by %(name)s: %(outcome)s") % proposed)
    if found.questions:
        last = found.questions[-1]
        asked = {"name": last.asked_name, "at": local_datetime(last.asked_at)}
        changes.append(_("Question asked by %(name)s, %(at)s") % asked)
    return errors.conflict(request, str(refusal.message), changes, reverse("clerk_case", args=[application_id]))


def to_case(application_id: UUID) -> HttpResponseRedirect:
    """Back to the case."""
    return HttpResponseRedirect(reverse("clerk_case", args=[application_id]))
