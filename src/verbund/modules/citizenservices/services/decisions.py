"""Deciding: proposal, sign-off, letter and fee in one transaction; withdrawal by the applicant."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from verbund.modules.budget import services as budget
from verbund.modules.citizenservices.events import ApplicationDecided, ApplicationWithdrawn
from verbund.modules.citizenservices.models import Application, ApplicationState, Decision, MessageKind, Outcome
from verbund.modules.citizenservices.models.official import official_language
from verbund.modules.citizenservices.policies import Permission, may_process, may_sign
from verbund.modules.citizenservices.queries.applicant import held_application
from verbund.modules.citizenservices.queries.letters import letter_data, payment_of, recipient_lines
from verbund.modules.citizenservices.queries.views import ApplicationAccess
from verbund.modules.records import services as records
from verbund.platform import audit, events, printing
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Invalid, local_date, new_id

from .handling import WrongState, checked_text, in_hand, locked, save
from .messages import put_into_mailbox

LONGEST_REASON = 20_000


class DecisionInvalid(Invalid):
    """The decision cannot be made like this; nothing was written."""


@dataclass(frozen=True, slots=True)
class DecisionRef:
    """A signed decision: its letter in the case, and the claim if a fee is due."""

    application_id: UUID
    version: int
    outcome: str
    letter_id: UUID
    letter_document_id: UUID
    letter_sha256: str
    letter_size: int
    claim_id: UUID | None
    payment_reference: str
    voucher_label: str


@transaction.atomic
def propose_decision(
    actor: Actor, *, application_id: UUID, outcome: str, reason: str, expected_version: int, now: datetime
) -> int:
    """Propose a decision for somebody else to sign (Entscheidung vorlegen); a later proposal replaces it. Returns the
    version.

    Raises:
        DecisionInvalid, TextInvalid, WrongState, ApplicationNotFound, ApplicationMoved, policy.Denied
    """
    policy.require(actor, Permission.DECIDE_APPLICATION)
    reason = _checked(outcome, reason)
    application = locked(actor, application_id, expected_version)
    if not application.is_undecided:
        raise WrongState(application)
    policy.require(actor, Permission.DECIDE_APPLICATION, when=may_process(actor, application))
    known = Decision.objects.filter(application=application).first()
    decision = known or Decision(id=new_id(), application=application)
    before = {"outcome": known.outcome, "proposed_by": known.proposed_name} if known else None
    decision.outcome, decision.reason = outcome, reason
    decision.proposed_by, decision.proposed_name, decision.proposed_at = actor.id, actor.name, now
    decision.save(force_insert=known is None)
    save(application)
    audit.record(
        actor,
        "citizenservices.decision.proposed",
        "citizenservices.application",
        application.id,
        before=before,
        after={"outcome": outcome, "proposed_by": actor.name},
    )
    return application.acts


@transaction.atomic
def decide_application(
    actor: Actor, *, application_id: UUID, outcome: str, reason: str, expected_version: int, now: datetime
) -> DecisionRef:
    """Decide an application (Bescheid erlassen): in one transaction the fee is booked, the letter issued and filed, the
    state changed.

    Args:
        outcome: `granted` or `refused`.
        reason: additional provisions of a grant (may be empty), reasons of a refusal (§ 39 VwVfG: required).

    Raises:
        DecisionInvalid: also when the letter or the claim cannot be made, with their reason; nothing was written.
        TextInvalid, WrongState, ApplicationNotFound, ApplicationMoved, policy.Denied: with sign-off also for one's own
        proposal.
    """
    policy.require(actor, Permission.DECIDE_APPLICATION)
    reason = _checked(outcome, reason)
    application = locked(actor, application_id, expected_version)
    if not application.is_undecided:
        raise WrongState(application)
    service = application.service
    decision = Decision.objects.filter(application=application).first()
    policy.require(
        actor,
        Permission.DECIDE_APPLICATION,
        when=may_sign(actor, application, decision, second_person=service.requires_sign_off),
    )
    if service.requires_sign_off and decision and (decision.outcome, decision.reason) != (outcome, reason):
        other = _("This is not what was proposed. Whoever wants another decision proposes it anew.")
        raise DecisionInvalid({"": other})
    before = {"state": application.state, "outcome": application.outcome}
    with official_language():
        claim = _raise_claim(actor, application, now) if outcome == Outcome.GRANTED else None
        letter = _issue_letter(actor, application, outcome, reason, claim, now)

    known = decision is not None
    decision = decision or Decision(id=new_id(), application=application)
    decision.outcome, decision.reason = outcome, reason
    decision.signed_by, decision.signed_name, decision.signed_at = actor.id, actor.name, now
    decision.save(force_insert=not known)
    _close_open_questions(application, now)
    application.state, application.outcome, application.decided_at = ApplicationState.DECIDED, outcome, now
    application.letter_id, application.letter_document_id = letter.id, letter.document_id
    if application.clerk is None:
        application.clerk, application.clerk_name = actor.id, actor.name
    if claim is not None:
        application.claim_id, application.fee_cents = claim.id, claim.cents
        application.payment_reference, application.payment_due_on = claim.payment_reference, claim.due_on
    save(
        application,
        "state", "outcome", "decided_at", "letter_id", "letter_document_id", "clerk", "clerk_name",
        "claim_id", "fee_cents", "payment_reference", "payment_due_on",
    )  # fmt: skip
    events.publish(
        actor,
        ApplicationDecided(application.id, outcome, letter.id, claim.id if claim is not None else None, now),
    )
    audit.record(
        actor,
        "citizenservices.application.decided",
        "citizenservices.application",
        application.id,
        before=before,
        after={
            "state": application.state,
            "outcome": outcome,
            "letter": letter.id,
            "letter_sha256": letter.sha256,
            "claim": application.claim_id,
            "fee_cents": application.fee_cents,
        },
    )
    return DecisionRef(
        application_id=application.id,
        version=application.acts,
        outcome=outcome,
        letter_id=letter.id,
        letter_document_id=letter.document_id,
        letter_sha256=letter.sha256,
        letter_size=letter.size,
        claim_id=application.claim_id,
        payment_reference=application.payment_reference,
        voucher_label=claim.voucher_label if claim is not None else "",
    )


@transaction.atomic
def withdraw_application(actor: Actor, *, access: ApplicationAccess, now: datetime, reason: str = "") -> None:
    """Take an application back (zurücknehmen), as long as it is not decided; its case is closed.

    Raises:
        WrongState: it is decided. TextInvalid, ApplicationNotFound, policy.Denied
    """
    policy.require(actor, Permission.FOLLOW_APPLICATION)
    if reason.strip():
        reason = checked_text(reason, "reason", "", longest=2_000)
    _withdraw(actor, held_application(actor, access, lock=True), reason, now)


def _withdraw(actor: Actor, application: Application, reason: str, now: datetime) -> None:
    if not application.is_undecided:
        raise WrongState(application)
    with official_language():
        text = _("The applicant has taken back the application.")
        if reason.strip():
            text = f"{text} {_('Reason')}: {reason.strip()}"
        subject = _("You have taken back your application")
    _close_as_withdrawn(actor, application, text=text, subject=subject, now=now)


@transaction.atomic
def record_withdrawal(
    actor: Actor, *, application_id: UUID, expected_version: int, now: datetime, how: str = ""
) -> None:
    """Record that the applicant has taken the application back by telephone or letter (Rücknahme vermerken); its case
    is closed.

    Args:
        how: in what way the applicant said so; stands in the file.

    Raises:
        TextInvalid, WrongState, ApplicationNotFound, ApplicationMoved, policy.Denied: not in the actor's hands.
    """
    policy.require(actor, Permission.PROCESS_APPLICATION)
    if how.strip():
        how = checked_text(how, "how", "", longest=2_000)
    application = in_hand(actor, application_id, expected_version)
    with official_language():
        text = _("The applicant has told us that the application is taken back.")
        if how.strip():
            text = f"{text} {how.strip()}"
        subject = _("Your application is taken back, as you have told us")
    _close_as_withdrawn(actor, application, text=text, subject=subject, now=now)


def _close_as_withdrawn(actor: Actor, application: Application, *, text: str, subject: str, now: datetime) -> None:
    """Note it in the file and the mailbox, close the case and the application."""
    before = {"state": application.state}
    with official_language():
        records.note(actor, case_id=application.case_id, text=text, now=now, origin=application.origin)
        put_into_mailbox(
            application,
            kind=MessageKind.NOTICE,
            subject=subject,
            text=_("We have closed the case. There is nothing more for you to do."),
            now=now,
        )
    closed = records.close_case(
        actor,
        case_id=application.case_id,
        now=now,
        retention_years=application.service.retention_years,
        origin=application.origin,
    )
    _close_open_questions(application, now)
    application.state, application.outcome = ApplicationState.CLOSED, Outcome.WITHDRAWN
    application.decided_at = application.closed_at = now
    application.retention_until = closed.retention_until
    save(application, "state", "outcome", "decided_at", "closed_at", "retention_until")
    events.publish(actor, ApplicationWithdrawn(application.id, now))
    audit.record(
        actor,
        "citizenservices.application.withdrawn",
        "citizenservices.application",
        application.id,
        before=before,
        after={"state": application.state, "outcome": application.outcome, "retention_until": closed.retention_until},
    )


def _checked(outcome: str, reason: str) -> str:
    if outcome not in (Outcome.GRANTED, Outcome.REFUSED):
        raise DecisionInvalid({"outcome": _("Please choose whether the application is granted or refused.")})
    if outcome == Outcome.REFUSED or reason.strip():
        return checked_text(
            reason, "reason", _("A refusal needs reasons. Please write them down."), longest=LONGEST_REASON
        )
    return ""


def _close_open_questions(application: Application, now: datetime) -> None:
    application.questions.filter(answered_at__isnull=True).update(answered_at=now)


def _raise_claim(actor: Actor, application: Application, now: datetime) -> budget.ClaimRef | None:
    service, party = application.service, application.party
    if not service.fee_cents:
        return None
    try:
        return budget.raise_claim(
            actor,
            ledger=service.ledger,
            product=service.product,
            account=service.account,
            cents=service.fee_cents,
            debtor=budget.Party(
                name=(application.party_name or application.case_reference)[:200],
                street=party.get("street", ""),
                postcode=party.get("postcode", ""),
                city=party.get("city", ""),
            ),
            due_on=local_date(now) + timedelta(days=service.payment_days),
            text=f"{service.title}, {application.case_reference}"[:300],
            origin=application.origin,
            now=now,
        )
    except Invalid as error:
        raise DecisionInvalid(
            {"": _("The fee cannot be booked: %(reason)s") % {"reason": "; ".join(map(str, error.errors.values()))}}
        ) from error


def _issue_letter(
    actor: Actor,
    application: Application,
    outcome: str,
    reason: str,
    claim: budget.ClaimRef | None,
    now: datetime,
) -> records.LetterRef:
    payment = payment_of(claim.cents, claim.payment_reference, claim.due_on) if claim is not None else None
    data = letter_data(actor, application, outcome=outcome, reason=reason, now=now, payment=payment)
    if claim is not None and payment is None:  # no bank account in the letterhead: say at least what and by when
        data["paragraphs"].append(
            _("Please pay the fee by %(day)s with the payment reference %(reference)s.")
            % {"day": claim.due_on.strftime("%d.%m.%Y"), "reference": claim.payment_reference}
        )
    name, *address = recipient_lines(application)
    try:
        return records.issue_letter(
            actor,
            case_id=application.case_id,
            title=data["subject"],
            template="printing/letter.typ",
            data=data,
            recipient=records.Recipient(
                name=name,
                address=tuple(address),
                email=application.email if application.wants_mailbox else "",
                mailbox=application.origin if application.wants_mailbox else "",
            ),
            now=now,
        )
    except printing.Failed as error:
        raise DecisionInvalid(
            {"": _("The letter cannot be set. Please tell the operators: %(reason)s") % {"reason": error.template}}
        ) from error
