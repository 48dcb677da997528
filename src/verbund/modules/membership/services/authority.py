"""Writes: the notice to the supervisory authority and what comes of it (§§ 77 (1), 167c KV M-V)."""

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.events import AccessionCleared
from verbund.modules.membership.models import (
    Accession,
    AccessionState,
    Action,
    AuthorityNotice,
    LegalParameter,
    ParameterKey,
    ParameterNotSet,
    deemed_clearance,
)
from verbund.modules.membership.policies import Permission
from verbund.platform import events
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import local_date, new_id

from .acts import NONE, BadStep, Evidence, StepRefused, begin, finish, require_after, require_news


@transaction.atomic
def give_notice(
    actor: Actor, *, accession_id: UUID, on: date, now: datetime, documents: str = "", evidence: Evidence = NONE
) -> None:
    """Give notice to the authority (Anzeige, § 167c KV M-V); given again, it restarts the authority's period.

    Raises:
        policy.Denied, AccessionNotFound, BadStep, StepRefused.
    """
    accession = begin(actor, accession_id, Action.GIVE_NOTICE, on=on, now=now)
    require_after(on, accession.signed_on, gettext("the signature"))
    earlier = current_notice(accession)
    if earlier is not None and earlier.notified_on >= (accession.signed_on or earlier.notified_on):
        require_after(on, earlier.notified_on, gettext("the notice before"))
    if earlier is not None and earlier.documents == documents.strip()[:4000]:
        details = {"number": earlier.number}
        require_news(accession, Action.GIVE_NOTICE, on=on, evidence=evidence, details=details)
    notice = AuthorityNotice.objects.create(
        id=new_id(),
        accession=accession,
        number=(earlier.number if earlier else 0) + 1,
        notified_on=on,
        documents=documents.strip()[:4000],
        recorded_at=now,
    )
    finish(actor, accession, Action.GIVE_NOTICE, on=on, now=now, evidence=evidence, details={"number": notice.number})


def current_notice(accession: Accession) -> AuthorityNotice | None:
    """The notice that counts: the last one given."""
    found: AuthorityNotice | None = accession.notices.order_by("-number").first()
    return found


@transaction.atomic
def complete_documents(actor: Actor, *, accession_id: UUID, on: date, now: datetime, evidence: Evidence = NONE) -> date:
    """Record the day on which the authority had the complete documents. Returns the last day of its period (M3).

    Raises:
        policy.Denied, AccessionNotFound, BadStep, StepRefused.
    """
    accession = begin(actor, accession_id, Action.COMPLETE_DOCUMENTS, on=on, now=now)
    notice = _notice(accession)
    require_after(on, notice.notified_on, gettext("the notice"))
    try:
        months = LegalParameter.value_on(ParameterKey.CLEARANCE_MONTHS, on)
    except ParameterNotSet as error:
        raise StepRefused(_("No period of the authority is set for this day. Enter the legal parameter.")) from error
    notice.complete_on = on
    notice.period_ends_on = deemed_clearance(on, months)
    notice.save(update_fields=["complete_on", "period_ends_on"])
    finish(
        actor,
        accession,
        Action.COMPLETE_DOCUMENTS,
        on=on,
        now=now,
        evidence=evidence,
        details={"period_ends_on": notice.period_ends_on},
    )
    return notice.period_ends_on


def _notice(accession: Accession) -> AuthorityNotice:
    notice = current_notice(accession)
    if notice is None:
        raise StepRefused(_("No notice has been given yet."))
    return notice


@transaction.atomic
def declare_no_objection(
    actor: Actor, *, accession_id: UUID, on: date, now: datetime, evidence: Evidence = NONE
) -> None:
    """Record that the authority declares no breach (Unbedenklichkeitserklärung); acts are possible from that day.

    Raises:
        policy.Denied, AccessionNotFound, BadStep, StepRefused (its period is over: the law has decided).
    """
    accession = begin(actor, accession_id, Action.DECLARE_NO_OBJECTION, on=on, now=now)
    notice = _notice(accession)
    require_after(on, notice.notified_on, gettext("the notice"))
    _require_within_period(notice, on)
    _clear(actor, accession, Action.DECLARE_NO_OBJECTION, on, on=on, now=now, evidence=evidence)


@transaction.atomic
def raise_objection(actor: Actor, *, accession_id: UUID, on: date, now: datetime, evidence: Evidence = NONE) -> None:
    """Record that the authority asserts a breach (Geltendmachung eines Rechtsverstoßes); `evidence.reason` says which.

    Raises:
        policy.Denied, AccessionNotFound, BadStep (no reason), StepRefused (its period is over).
    """
    accession = begin(actor, accession_id, Action.RAISE_OBJECTION, on=on, now=now)
    if not evidence.reason.strip():
        raise BadStep({"reason": _("Say which breach the authority asserts.")})
    notice = _notice(accession)
    require_after(on, notice.notified_on, gettext("the notice"))
    _require_within_period(notice, on)
    finish(actor, accession, Action.RAISE_OBJECTION, on=on, now=now, evidence=evidence)


def _require_within_period(notice: AuthorityNotice, on: date) -> None:
    if notice.period_ends_on is not None and on > notice.period_ends_on:
        raise StepRefused(
            gettext("The authority's period was over on %(day)s without an objection: no breach counts as asserted.")
            % {"day": f"{notice.period_ends_on:%d.%m.%Y}"}
        )


@transaction.atomic
def establish_clearance(
    actor: Actor, *, accession_id: UUID, on: date, now: datetime, evidence: Evidence = NONE
) -> date:
    """Establish that the period is over without objection (Fiktion, § 77 (1) KV M-V). Returns the first day on which
    legal acts may be executed: the one after the period's last.

    Raises:
        policy.Denied, AccessionNotFound, BadStep, StepRefused (the period still runs on `on`).
    """
    accession = begin(actor, accession_id, Action.ESTABLISH_CLEARANCE, on=on, now=now)
    ends = _notice(accession).period_ends_on
    if ends is None:
        raise StepRefused(_("The period has not begun: the documents are not complete."))
    if on <= ends:
        raise StepRefused(
            gettext("The authority's period runs until the end of %(day)s. Wait, or record its declaration.")
            % {"day": f"{ends:%d.%m.%Y}"}
        )
    first = ends + timedelta(days=1)
    _clear(actor, accession, Action.ESTABLISH_CLEARANCE, first, on=on, now=now, evidence=evidence)
    return first


def _clear(
    actor: Actor,
    accession: Accession,
    action: Action,
    cleared_on: date,
    *,
    on: date,
    now: datetime,
    evidence: Evidence,
) -> None:
    accession.cleared_on = cleared_on
    events.publish(actor, AccessionCleared(accession.id, accession.member_id, cleared_on))
    finish(
        actor,
        accession,
        action,
        on=on,
        now=now,
        evidence=evidence,
        details={"cleared_on": cleared_on},
        fields=("cleared_on",),
    )


def establish_due_clearances(actor: Actor, *, now: datetime) -> int:
    """Establish every clearance whose period is over (daily work of the system). Returns how many.

    Raises:
        policy.Denied
    """
    policy.require(actor, Permission.MANAGE_ACCESSIONS)
    today = local_date(now)
    due = [
        accession.id
        for accession in Accession.objects.filter(state=AccessionState.DOCUMENTS_COMPLETE)
        if (notice := current_notice(accession)) and notice.period_ends_on and notice.period_ends_on < today
    ]
    for accession_id in due:
        establish_clearance(actor, accession_id=accession_id, on=today, now=now)
    return len(due)
