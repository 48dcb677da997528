"""The steps of an accession in their order: which act finishes each, who must act, and what it rests on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.models import RULES, Accession, AccessionState, Action, ProcedureAct

DONE, NOW, LATER, STOPPED, NOT_NEEDED = "done", "now", "later", "stopped", "not_needed"


@dataclass(frozen=True, slots=True)
class TimelineStep:
    """TimelineStep (Schritt des Zeitstrahls): `state` is done | now | later | stopped | not_needed.

    `who` must act, `missing` says what is missing, `due_on` by when; `on` is the date of the legal act once it is done.
    """

    code: str
    title: str
    state: str
    on: date | None
    date_known: bool
    who: str
    missing: tuple[str, ...]
    due_on: date | None
    legal_basis: str
    document: str
    note: str


# code, title, the acts that finish it, who must act, the state in which it is the next thing to do
_ORDER: Final[tuple[tuple[str, str | Promise, tuple[Action, ...], str, tuple[AccessionState, ...]], ...]] = (
    ("inquiry", _("Inquiry"), (Action.OPEN_INQUIRY,), "candidate", ()),
    ("costs", _("Statement of costs"), (Action.STATE_COSTS,), "alliance", (AccessionState.INQUIRY,)),
    (
        "basic_resolution",
        _("Basic resolution of the candidate"),
        (Action.RECORD_BASIC_RESOLUTION,),
        "candidate",
        (AccessionState.INQUIRY,),
    ),
    (
        "negotiation",
        _("Negotiation"),
        (Action.BEGIN_NEGOTIATION,),
        "alliance",
        (AccessionState.BASIC_RESOLUTION,),
    ),
    (
        "contract",
        _("Contract before all parties"),
        (Action.PUT_CONTRACT_VERSION,),
        "alliance",
        (AccessionState.NEGOTIATION, AccessionState.REFUSED, AccessionState.OBJECTION),
    ),
    (
        "consents",
        _("Consent of every carrier and the candidate to the same version"),
        (),
        "parties",
        (AccessionState.DRAFT_CONTRACT,),
    ),
    ("signed", _("Signatures"), (Action.SIGN,), "parties", (AccessionState.ALL_CONSENTED,)),
    ("notice", _("Notice to the supervisory authority"), (Action.GIVE_NOTICE,), "alliance", (AccessionState.SIGNED,)),
    (
        "documents",
        _("Documents complete"),
        (Action.COMPLETE_DOCUMENTS,),
        "authority",
        (AccessionState.NOTIFIED,),
    ),
    (
        "clearance",
        _("No breach asserted"),
        (Action.DECLARE_NO_OBJECTION, Action.ESTABLISH_CLEARANCE),
        "authority",
        (AccessionState.NOTIFIED, AccessionState.DOCUMENTS_COMPLETE),
    ),
    (
        "published",
        _("Publication by every party"),
        (),
        "parties",
        (AccessionState.NO_OBJECTION, AccessionState.DEEMED_NO_OBJECTION),
    ),
    (
        "effective",
        _("Effect: the candidate is a carrier"),
        (Action.TAKE_EFFECT,),
        "alliance",
        (AccessionState.PUBLISHED,),
    ),
    ("capital", _("Share capital paid"), (Action.RECORD_CAPITAL,), "candidate", (AccessionState.EFFECTIVE,)),
    (
        "tasks",
        _("Tasks transferred, one by one"),
        (Action.TRANSFER_TASK,),
        "both",
        (AccessionState.CAPITAL_PAID, AccessionState.TASKS_TRANSFERRED),
    ),
    ("completed", _("Accession completed"), (Action.COMPLETE_ONBOARDING,), "alliance", ()),
)
_BASIS: Final[Mapping[str, Action]] = {
    "consents": Action.RECORD_CONSENT,
    "published": Action.RECORD_PUBLICATION,
}


def steps_of(row: Accession, acts: list[ProcedureAct], facts: Mapping[str, Any]) -> tuple[TimelineStep, ...]:
    """The timeline of an accession, reckoned from its row, its history and what is open."""
    state = AccessionState(row.state)
    ended = state in (AccessionState.WITHDRAWN, AccessionState.ABANDONED)
    restarts = max((a.number for a in acts if a.action == Action.PUT_CONTRACT_VERSION), default=0)
    noticed = max((a.number for a in acts if a.action == Action.GIVE_NOTICE), default=0)
    found = []
    for index, (code, title, finishing, who, when) in enumerate(_ORDER):
        done = _finished(code, finishing, acts, restarts if index > 4 else 0, noticed)
        act = _final(code, done, row, facts)
        basis = RULES.get(finishing[0] if finishing else _BASIS[code])
        if act is not None:
            status = DONE
        elif code == "published" and not row.amends_statute:
            status = NOT_NEEDED
        elif ended:
            status = STOPPED
        elif state in when or (code == "completed" and state == AccessionState.TASKS_TRANSFERRED):
            status = NOW
        else:
            status = LATER
        found.append(
            TimelineStep(
                code=code,
                title=str(title),
                state=status,
                on=act.on if act else None,
                date_known=act.date_known if act else True,
                who=_who(who, row, facts),
                missing=_missing(code, facts) if status == NOW else (),
                due_on=_due(code, row, facts) if status == NOW else None,
                legal_basis=(act.legal_basis if act else "") or (basis.legal_basis if basis else ""),
                document=act.document if act else "",
                note=act.note if act else "",
            )
        )
    return tuple(found)


def _finished(
    code: str, finishing: tuple[Action, ...], acts: list[ProcedureAct], since: int, noticed: int
) -> list[ProcedureAct]:
    """The acts that belong to this step and still count: a new version or a new notice undoes what came after it."""
    after = {"documents": noticed, "clearance": noticed}.get(code, since)
    wanted: tuple[str, ...] = tuple(a.value for a in finishing)
    if code == "consents":
        wanted = (Action.RECORD_CONSENT.value, Action.RECORD_CANDIDATE_RESOLUTION.value)
    if code == "published":
        wanted = (Action.RECORD_PUBLICATION.value,)
    return [a for a in acts if a.action in wanted and a.number >= after]


def _final(code: str, done: list[ProcedureAct], row: Accession, facts: Mapping[str, Any]) -> ProcedureAct | None:
    """The act that finished the step, None while something is open."""
    if not done:
        return None
    state = AccessionState(row.state)
    if code == "contract" and state in (AccessionState.REFUSED, AccessionState.OBJECTION):
        return None
    if code == "consents" and facts["undecided"]:
        return None
    if code == "published" and row.effective_on is None and state != AccessionState.PUBLISHED:
        return None
    if code == "tasks" and (facts["tasks"] or not facts["any_task"]):
        return None
    if code == "completed" and state != AccessionState.ONBOARDED:
        return None
    return done[-1]


def _who(who: str, row: Accession, facts: Mapping[str, Any]) -> str:
    named = {
        "candidate": row.member.name,
        "alliance": gettext("Management of the alliance"),
        "authority": facts["authority"] or gettext("Supervisory authority"),
        "both": gettext("%(name)s and the alliance") % {"name": row.member.name},
        "parties": gettext("All carriers and %(name)s") % {"name": row.member.name},
    }
    return str(named[who])


def _missing(code: str, facts: Mapping[str, Any]) -> tuple[str, ...]:
    if code == "consents":
        return tuple(facts["undecided"])
    if code == "published":
        unknown = [gettext("%(name)s: no medium known") % {"name": name} for name in facts["no_medium"]]
        return (*facts["unpublished"], *unknown)
    if code == "tasks":
        return tuple(facts["tasks"]) or (gettext("No task is planned yet"),)
    return ()


def _due(code: str, row: Accession, facts: Mapping[str, Any]) -> date | None:
    day: date | None = None
    if code == "clearance":
        day = facts["period_ends_on"]
    elif code == "effective":
        day = row.planned_effect_on
    elif code == "tasks":
        day = facts["task_due"]
    return day
