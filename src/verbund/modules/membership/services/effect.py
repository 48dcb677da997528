"""Writes: publication, effect, capital, and the tasks that pass one by one. Nothing here before clearance (M2)."""

from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.events import AccessionEffective
from verbund.modules.membership.models import (
    Accession,
    AccessionState,
    Action,
    Consent,
    ContractDraft,
    Publication,
    PublicationMedium,
    TaskKind,
    TaskTransfer,
    in_force,
)
from verbund.platform import events
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import new_id
from verbund.platform.ui.templatetags.ui import cents as euros

from .acts import NONE, BadStep, Evidence, StepRefused, begin, finish, record_act, require_after, require_news
from .carriers import Share, admit
from .contracting import changes_of, current_draft


class OtherText(StepRefused):
    """What was published is not the text that all have consented to (M9)."""


def _require_clearance(accession: Accession, on: date) -> None:
    """Raises:
    StepRefused: `on` lies before the day from which legal acts may be executed (§ 77 (1) KV M-V).
    """
    if accession.cleared_on is None:
        raise StepRefused(_("Nothing may be executed before the authority's period is over or it declares no breach."))
    require_after(on, accession.cleared_on, gettext("the clearance"))


@transaction.atomic
def record_publication(
    actor: Actor,
    *,
    accession_id: UUID,
    medium_id: UUID,
    sha256: str,
    on: date,
    now: datetime,
    evidence: Evidence = NONE,
) -> None:
    """Record that a party has published the contract (Bekanntmachung) in a medium of its Hauptsatzung.

    When every medium of every party is done, the accession counts as published.

    Raises:
        policy.Denied, AccessionNotFound, BadStep, StepRefused (published there already), OtherText (another hash).
    """
    accession = begin(actor, accession_id, Action.RECORD_PUBLICATION, on=on, now=now)
    _require_clearance(accession, on)
    draft = current_draft(accession)
    medium = PublicationMedium.objects.filter(in_force(on), id=medium_id, member__consents__draft=draft).first()
    if medium is None:
        raise BadStep({"medium_id": _("Choose a medium that a party's Hauptsatzung names on this day.")})
    if sha256 != draft.sha256:
        raise OtherText(_("The published text is not the one that all parties have consented to: the hashes differ."))
    if Publication.objects.filter(draft=draft, medium=medium).exists():
        raise StepRefused(gettext("It has been published in %(medium)s already.") % {"medium": medium.name})
    Publication.objects.create(
        id=new_id(),
        draft=draft,
        medium=medium,
        published_on=on,
        sha256=sha256,
        reference=evidence.document[:200],
        recorded_at=now,
    )
    finish(
        actor,
        accession,
        Action.RECORD_PUBLICATION,
        on=on,
        now=now,
        evidence=evidence,
        to=None if unpublished(draft, on) else AccessionState.PUBLISHED,
        party=medium.member_id,
        details={"medium": medium.name, "sha256": sha256},
    )


def unpublished(draft: ContractDraft, on: date) -> list[str]:
    """What is still to be published, in words: a medium, or a party no medium is known of."""
    parties = {c.party_id: c.party.name for c in Consent.objects.filter(draft=draft).select_related("party")}
    media = list(PublicationMedium.objects.filter(in_force(on), member_id__in=parties))
    done = set(Publication.objects.filter(draft=draft).values_list("medium_id", "medium__member_id"))
    finished = {medium for medium, _member in done}
    known = {m.member_id for m in media} | {member for _medium, member in done}
    open_media = [f"{parties[m.member_id]}: {m.name}" for m in media if m.id not in finished]
    unknown = [gettext("%(name)s: no medium known") % {"name": n} for m, n in parties.items() if m not in known]
    return sorted([*open_media, *unknown])


@transaction.atomic
def take_effect(actor: Actor, *, accession_id: UUID, on: date, now: datetime, evidence: Evidence = NONE) -> None:
    """Record the effect (Wirksamwerden): from `on` the candidate is a carrier with its share and seats.

    Accessions whose contract still lies before the parties get the new carrier as a further party (M6).

    Raises:
        policy.Denied, AccessionNotFound, BadStep, StepRefused (before clearance, not published), CarrierConflict.
    """
    accession = begin(actor, accession_id, Action.TAKE_EFFECT, on=on, now=now)
    _require_clearance(accession, on)
    draft = current_draft(accession)
    if accession.amends_statute and accession.state != AccessionState.PUBLISHED:
        raise StepRefused(
            gettext("The statute changes, so publication comes first. Open: %(open)s.")
            % {"open": "; ".join(unpublished(draft, on)) or gettext("no medium known")}
        )
    basis = draft.label or gettext("Accession contract, version %(number)s") % {"number": draft.number}
    admit(
        Share(accession.member_id, draft.share_cents, draft.seats),
        on=on,
        changes=changes_of(draft),
        chair=draft.chair_id,
        basis=basis,
        now=now,
        note=evidence.note,
        date_known=evidence.date_known,
    )
    accession.effective_on = on
    _ask_new_carrier(actor, accession, on=on, now=now)
    events.publish(actor, AccessionEffective(accession.id, accession.member_id, on))
    finish(
        actor,
        accession,
        Action.TAKE_EFFECT,
        on=on,
        now=now,
        evidence=evidence,
        details={"share_cents": draft.share_cents, "seats": draft.seats},
        fields=("effective_on",),
    )


def _ask_new_carrier(actor: Actor, accession: Accession, *, on: date, now: datetime) -> None:
    """Put the other contracts that lie before the parties before the new carrier too."""
    waiting = Accession.objects.select_for_update().filter(
        state__in=[AccessionState.DRAFT_CONTRACT, AccessionState.ALL_CONSENTED]
    )
    for other in waiting.exclude(id=accession.id).order_by("id"):
        draft = current_draft(other)
        slot, made = Consent.objects.get_or_create(
            draft=draft, party=accession.member, defaults={"id": new_id(), "joined_later": True}
        )
        if not made:
            continue
        other.state = AccessionState.DRAFT_CONTRACT
        other.version += 1
        other.save(update_fields=["state", "version"])
        record_act(
            actor,
            "carrier_joined",
            accession=other,
            on=on,
            now=now,
            evidence=NONE,
            party=slot.party_id,
            details={"number": draft.number},
            state_after=other.state,
        )


@transaction.atomic
def record_capital(
    actor: Actor, *, accession_id: UUID, cents: int, on: date, now: datetime, evidence: Evidence = NONE
) -> None:
    """Record that the candidate has paid its share capital (Einzahlung der Stammeinlage), exactly the agreed amount.

    Raises:
        policy.Denied, AccessionNotFound, BadStep (another amount), StepRefused.
    """
    accession = begin(actor, accession_id, Action.RECORD_CAPITAL, on=on, now=now)
    _require_clearance(accession, on)
    draft = current_draft(accession)
    if cents != draft.share_cents:
        raise BadStep({"cents": gettext("The contract says %(amount)s.") % {"amount": euros(draft.share_cents)}})
    accession.capital_paid_on = on
    finish(
        actor,
        accession,
        Action.RECORD_CAPITAL,
        on=on,
        now=now,
        evidence=evidence,
        details={"cents": cents},
        fields=("capital_paid_on",),
    )


@transaction.atomic
def plan_task(
    actor: Actor,
    *,
    accession_id: UUID,
    task: str,
    planned_on: date | None,
    on: date,
    now: datetime,
    scope: str = "",
    evidence: Evidence = NONE,
) -> None:
    """Plan that a task (Aufgabe) passes to the alliance, for a day if there is one; planned again, the plan changes.

    Raises:
        policy.Denied, AccessionNotFound, BadStep (unknown task), StepRefused (transferred already).
    """
    accession = begin(actor, accession_id, Action.PLAN_TASK, on=on, now=now)
    kind = _task(task)
    transfer, made = TaskTransfer.objects.get_or_create(accession=accession, task=kind, defaults={"id": new_id()})
    if transfer.transferred_on is not None:
        raise StepRefused(_("This task has passed already."))
    details = {"task": kind.code, "planned_on": str(planned_on or "")}
    if not made and transfer.scope == scope.strip()[:300]:
        require_news(accession, Action.PLAN_TASK, on=on, evidence=evidence, details=details)
    transfer.planned_on, transfer.scope = planned_on, scope.strip()[:300]
    transfer.save(update_fields=["planned_on", "scope"])
    finish(
        actor,
        accession,
        Action.PLAN_TASK,
        on=on,
        now=now,
        evidence=evidence,
        details=details,
    )


def _task(code: str) -> TaskKind:
    kind = TaskKind.objects.filter(code=code, is_active=True).first()
    if kind is None:
        raise BadStep({"task": _("Choose a task from the alliance's list.")})
    return kind


@transaction.atomic
def transfer_task(
    actor: Actor, *, accession_id: UUID, task: str, on: date, now: datetime, scope: str = "", evidence: Evidence = NONE
) -> None:
    """Record that a task has passed to the alliance (Aufgabenübergang) on `on`.

    Raises:
        policy.Denied, AccessionNotFound, BadStep (unknown task), StepRefused (before clearance or effect, or passed).
    """
    accession = begin(actor, accession_id, Action.TRANSFER_TASK, on=on, now=now)
    _require_clearance(accession, on)
    require_after(on, accession.effective_on, gettext("the effect"))
    kind = _task(task)
    transfer, _made = TaskTransfer.objects.get_or_create(accession=accession, task=kind, defaults={"id": new_id()})
    if transfer.transferred_on is not None:
        raise StepRefused(_("This task has passed already."))
    transfer.transferred_on, transfer.date_known, transfer.recorded_at = on, evidence.date_known, now
    transfer.scope = scope.strip()[:300] or transfer.scope
    transfer.save(update_fields=["transferred_on", "date_known", "recorded_at", "scope"])
    finish(
        actor,
        accession,
        Action.TRANSFER_TASK,
        on=on,
        now=now,
        evidence=evidence,
        to=None if accession.state == AccessionState.ONBOARDED else AccessionState.TASKS_TRANSFERRED,
        details={"task": kind.code, "name": kind.name},
    )


@transaction.atomic
def complete_onboarding(
    actor: Actor, *, accession_id: UUID, on: date, now: datetime, evidence: Evidence = NONE
) -> None:
    """Close the accession (Abschluss): every planned task has passed.

    Raises:
        policy.Denied, AccessionNotFound, BadStep, StepRefused (naming the tasks that are open).
    """
    accession = begin(actor, accession_id, Action.COMPLETE_ONBOARDING, on=on, now=now)
    open_tasks = accession.transfers.filter(transferred_on__isnull=True).values_list("task__name", flat=True)
    if names := sorted(open_tasks):
        raise StepRefused(gettext("These tasks have not passed yet: %(names)s.") % {"names": ", ".join(names)})
    last = accession.transfers.order_by("-transferred_on").values_list("transferred_on", flat=True).first()
    require_after(on, last, gettext("the transfer of the last task"))
    accession.ended_on = on
    finish(actor, accession, Action.COMPLETE_ONBOARDING, on=on, now=now, evidence=evidence, fields=("ended_on",))
