"""Reads of leaving: where each stands, what must be done now, by whom, by when, and with which legal source."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.models import Leaving, LeavingAction, LeavingState, ProcedureAct
from verbund.modules.membership.policies import Permission, visible_leavings
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import NotFound

from .accession import ActView
from .timeline import DONE, LATER, NOW, STOPPED, TimelineStep

RETURN_OR_ERASE: Final = "Art. 28 Abs. 3 Buchst. g DSGVO"
_CONTRACT: Final = _("Contract of the alliance (§ 167b KV M-V)")


class LeavingNotFound(NotFound):
    """There is no such leaving that the actor may see."""


@dataclass(frozen=True, slots=True)
class LeavingFacts:
    """LeavingFacts (Austritt): a line of the list."""

    id: UUID
    member_id: UUID
    name: str
    state: str
    state_label: str
    notice_on: date
    exit_on: date
    left_on: date | None


@dataclass(frozen=True, slots=True)
class LeavingView:
    """LeavingView (Austritt mit Zeitstrahl): its steps, what can be done now, and its history."""

    facts: LeavingFacts
    slug: str
    has_tenant: bool
    settlement_cents: int | None
    export_reference: str
    export_sha256: str
    certificate: str
    read_only_from: date
    hand_back_by: date
    steps: tuple[TimelineStep, ...]
    acts: tuple[ActView, ...]
    possible: tuple[LeavingAction, ...]


def leavings(actor: Actor) -> list[LeavingFacts]:
    """The leavings the actor may see, the newest first.

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.READ_ACCESSIONS)
    return [_facts(row) for row in visible_leavings(actor).select_related("member").order_by("-notice_on", "-id")]


def _facts(row: Leaving) -> LeavingFacts:
    return LeavingFacts(
        row.id,
        row.member_id,
        row.member.name,
        row.state,
        str(LeavingState(row.state).label),
        row.notice_on,
        row.exit_on,
        row.left_on,
    )


def leaving(actor: Actor, leaving_id: UUID, *, today: date) -> LeavingView:
    """One leaving as a timeline.

    Raises:
        LeavingNotFound.
    """
    row = visible_leavings(actor).select_related("member").filter(id=leaving_id).first()
    if row is None:
        raise LeavingNotFound
    acts = list(ProcedureAct.objects.filter(leaving=row).select_related("party").order_by("number"))
    hand_back_by = row.exit_on + timedelta(days=settings.VERBUND_HANDOVER_DAYS)
    may = policy.allows(actor, Permission.MANAGE_ACCESSIONS)
    return LeavingView(
        facts=_facts(row),
        slug=row.member.slug,
        has_tenant=row.member.schema_name is not None,
        settlement_cents=row.settlement_cents,
        export_reference=row.export_reference,
        export_sha256=row.export_sha256,
        certificate=row.certificate,
        read_only_from=row.exit_on + timedelta(days=1),
        hand_back_by=hand_back_by,
        steps=_steps(row, acts, today, hand_back_by),
        acts=tuple(_act(act) for act in acts),
        possible=_possible(row, today) if may else (),
    )


def _act(act: ProcedureAct) -> ActView:
    label = str(LeavingAction(act.action).label) if act.action in LeavingAction.values else act.action
    return ActView(
        act.number,
        label,
        act.on,
        act.date_known,
        act.party.name if act.party else "",
        act.document,
        act.reason,
        act.legal_basis,
        act.note,
        act.actor_name,
        act.recorded_at,
    )


def _possible(row: Leaving, today: date) -> tuple[LeavingAction, ...]:
    """What can be done now: as the services ask."""
    if row.state != LeavingState.NOTICE_GIVEN:
        return ()
    found = []
    if today >= row.exit_on:
        if row.settled_on is None:
            found.append(LeavingAction.SETTLE)
        if row.handed_back_on is None:
            found.append(LeavingAction.HAND_BACK_DATA)
        elif row.erased_on is None:
            found.append(LeavingAction.CERTIFY_ERASURE)
        if row.settled_on and row.handed_back_on and row.erased_on:
            found.append(LeavingAction.LEAVE)
    if today <= row.exit_on:
        found.append(LeavingAction.WITHDRAW_LEAVE_NOTICE)
    return tuple(found)


def _steps(row: Leaving, acts: list[ProcedureAct], today: date, hand_back_by: date) -> tuple[TimelineStep, ...]:
    """The way out in its order; without an act of its own the last day as a carrier passes by itself."""
    alliance, both = gettext("Management of the alliance"), gettext("%(name)s and the alliance")
    done = {act.action: act for act in acts}
    stopped = row.state == LeavingState.WITHDRAWN
    out = today > row.exit_on and not stopped
    order: tuple[tuple[str, Promise | str, LeavingAction | None, str, bool, date | None, str | Promise], ...] = (
        ("notice", _("Notice to leave given"), LeavingAction.GIVE_LEAVE_NOTICE, row.member.name, True, None, _CONTRACT),
        ("exit", _("Last day as a carrier"), None, row.member.name, True, row.exit_on, _CONTRACT),
        (
            "settled",
            _("Settlement"),
            LeavingAction.SETTLE,
            both % {"name": row.member.name},
            today >= row.exit_on,
            None,
            _CONTRACT,
        ),
        (
            "handed_back",
            _("Hand-back of the data"),
            LeavingAction.HAND_BACK_DATA,
            gettext("Operator of the installation"),
            today >= row.exit_on,
            hand_back_by,
            RETURN_OR_ERASE,
        ),
        (
            "erased",
            _("Erasure with certificate"),
            LeavingAction.CERTIFY_ERASURE,
            gettext("Operator of the installation"),
            row.handed_back_on is not None,
            None,
            RETURN_OR_ERASE,
        ),
        (
            "left",
            _("Leaving completed"),
            LeavingAction.LEAVE,
            alliance,
            bool(row.settled_on and row.handed_back_on and row.erased_on),
            None,
            _CONTRACT,
        ),
    )
    found = []
    for code, title, action, who, ready, due, basis in order:
        act = done.get(action.value) if action else None
        passed = code == "exit" and out
        status = DONE if act or passed else STOPPED if stopped else NOW if ready else LATER
        found.append(
            TimelineStep(
                code=code,
                title=str(title),
                state=status,
                on=act.on if act else row.exit_on if passed else None,
                date_known=act.date_known if act else True,
                who=who,
                missing=(),
                due_on=due if status in (NOW, LATER) else None,
                legal_basis=(act.legal_basis if act else "") or str(basis),
                document=act.document if act else "",
                note=act.note if act else "",
            )
        )
    return tuple(found)
