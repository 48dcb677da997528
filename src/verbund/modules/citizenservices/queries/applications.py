"""Applications for those who work on them: inbox, one case on one page."""

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from verbund.modules.citizenservices.models import (
    Application,
    Decision,
)
from verbund.modules.citizenservices.policies import (
    Permission,
    may_process,
    may_sign,
    may_take_over,
    stands_for,
    visible_applications,
)
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import local_date

from .forms import in_use
from .views import (
    ApplicationNotFound,
    ApplicationPage,
    ApplicationView,
    AttachedDocument,
    InboxCounts,
    InboxFilters,
    decision_of,
    outcome_label,
    question_of,
    row_of,
    sections_of,
    state_label,
)


def inbox(
    actor: Actor, *, filters: InboxFilters | None = None, after: str | None = None, limit: int = 50
) -> ApplicationPage:
    """Applications the actor sees, the most urgent first (by the promised day). Raises policy.Denied."""
    policy.require(actor, Permission.READ_APPLICATION)
    rows = _filtered(actor, filters or InboxFilters())
    key = _read_key(after)
    if key is not None:
        rows = rows.filter(Q(due_on__gt=key[0]) | Q(due_on=key[0], id__gt=key[1]))
    found = list(
        rows.order_by("due_on", "id").only(
            "id", "case_reference", "service_title", "party_name", "state", "outcome", "unit", "clerk_name",
            "submitted_at", "due_on",
        )[: limit + 1]
    )  # fmt: skip
    following = f"{found[limit - 1].due_on.isoformat()}~{found[limit - 1].id}" if len(found) > limit else None
    return ApplicationPage(tuple(row_of(a) for a in found[:limit]), following)


def inbox_counts(actor: Actor, *, now: datetime, most: int = 1000) -> InboxCounts:
    """How much waits, each counted up to `most`. Raises policy.Denied."""
    policy.require(actor, Permission.READ_APPLICATION)

    def count(filters: InboxFilters) -> int:
        return _filtered(actor, filters)[:most].count()

    return InboxCounts(
        nobody=count(InboxFilters(nobody=True)),
        mine=count(InboxFilters(mine=True)),
        late=count(InboxFilters(late_on=local_date(now))),
    )


def application(actor: Actor, application_id: UUID, *, now: datetime) -> ApplicationView:
    """One application for those who work on it. Raises ApplicationNotFound, policy.Denied."""
    policy.require(actor, Permission.READ_APPLICATION)
    found = visible_applications(actor).filter(pk=application_id).select_related("service").first()
    if found is None:
        raise ApplicationNotFound
    form = in_use(found.form_version_id, found.service)
    decision = Decision.objects.filter(application=found).first()
    attached = []
    for a in found.attachments.order_by("path"):
        asked = form.definition.field_at(a.path)
        attached.append(
            AttachedDocument(
                a.path, asked.label_out if asked else a.path, a.filename, a.size, a.media_type, a.document_id
            )
        )
    processes = policy.allows(actor, Permission.PROCESS_APPLICATION)
    decides = policy.allows(actor, Permission.DECIDE_APPLICATION) and found.is_undecided
    return ApplicationView(
        id=found.id,
        version=found.acts,
        service_id=found.service_id,
        service_title=found.service_title,
        case_id=found.case_id,
        case_reference=found.case_reference,
        party_name=found.party_name,
        party=found.party,
        email=found.email,
        wants_mailbox=found.wants_mailbox,
        has_account=found.account is not None,
        state=found.state,
        state_label=state_label(found),
        outcome=found.outcome,
        outcome_label=outcome_label(found),
        unit=found.unit,
        clerk=found.clerk,
        clerk_name=found.clerk_name,
        submitted_at=found.submitted_at,
        due_on=found.due_on,
        days_left=(found.due_on - local_date(now)) // timedelta(days=1),
        sections=tuple(sections_of(found, for_clerk=True)),
        attachments=tuple(attached),
        rules=tuple((rule.name, rule.text) for rule in form.definition.all_rules() if rule.text),
        questions=tuple(question_of(q) for q in found.questions.order_by("asked_at", "id")),
        decision=decision_of(decision) if decision is not None else None,
        decided_at=found.decided_at,
        delivered_at=found.delivered_at,
        closed_at=found.closed_at,
        retention_until=found.retention_until,
        letter_id=found.letter_id,
        letter_document_id=found.letter_document_id,
        fee_cents=found.fee_cents if not found.is_undecided else found.service.fee_cents,
        fee_text=found.service.fee_text,
        payment_reference=found.payment_reference,
        payment_due_on=found.payment_due_on,
        settled_on=found.settled_on,
        claim_id=found.claim_id,
        requires_sign_off=found.service.requires_sign_off,
        may_take_over=processes and may_take_over(actor, found) and not may_process(actor, found),
        may_process=processes and may_process(actor, found) and found.is_undecided,
        may_decide=decides and (may_process(actor, found) or found.service.requires_sign_off),
        may_sign=decides and may_sign(actor, found, decision, second_person=found.service.requires_sign_off),
    )


def application_of_case(actor: Actor, case_id: UUID) -> UUID | None:
    """The application behind a case the actor sees, for a link from the file. Raises policy.Denied."""
    policy.require(actor, Permission.READ_APPLICATION)
    return visible_applications(actor).filter(case_id=case_id).values_list("id", flat=True).first()


def _filtered(actor: Actor, wanted: InboxFilters) -> QuerySet[Application]:
    rows = visible_applications(actor)
    if wanted.state:
        rows = rows.filter(state=wanted.state)
    elif wanted.undecided:
        rows = rows.filter(state__in=["submitted", "in_progress", "query_open"])
    if wanted.unit:
        rows = rows.filter(unit=wanted.unit)
    if wanted.service_id is not None:
        rows = rows.filter(service_id=wanted.service_id)
    if wanted.mine:
        rows = rows.filter(clerk__in=stands_for(actor))
    if wanted.nobody:
        rows = rows.filter(clerk__isnull=True)
    if wanted.late_on is not None:
        rows = rows.filter(due_on__lt=wanted.late_on)
    return rows


def _read_key(key: str | None) -> tuple[date, UUID] | None:
    day, _tilde, ident = (key or "").partition("~")
    try:
        return date.fromisoformat(day), UUID(ident)
    except ValueError:
        return None
