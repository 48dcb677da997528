"""Sending an application: from the draft to the case on file, in one transaction."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from verbund.modules.citizenservices.events import ApplicationSubmitted
from verbund.modules.citizenservices.models import (
    Application,
    ApplicationAttachment,
    ApplicationState,
    Draft,
    DraftAttachment,
)
from verbund.modules.citizenservices.models.applications import origin_of
from verbund.modules.citizenservices.models.checking import Problem, check, day_in_words
from verbund.modules.citizenservices.models.codes import code_for, digest_of
from verbund.modules.citizenservices.models.official import official_language
from verbund.modules.citizenservices.models.party import Applicant, applicant_of
from verbund.modules.citizenservices.models.summary import Section, as_text, heading, sections
from verbund.modules.citizenservices.policies import Permission
from verbund.modules.citizenservices.queries.drafts import (
    DraftNotFound,
    DraftRef,
    draft_digest,
    draft_to_send,
    held_attachments,
)
from verbund.modules.citizenservices.queries.forms import FormInUse, in_use
from verbund.modules.records import services as records
from verbund.platform import audit, events
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor, ActorKind
from verbund.platform.tenancy import Invalid, local_date, new_id, rows, whole_transaction

from .drafts import DraftInvalid, NotOnOffer, valid_email


class ApplicationIncomplete(Invalid):
    """Answers are missing or wrong; nothing was sent. `problems` are in the order of the form."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__({p.path: p.message for p in problems})
        self.problems = problems


@dataclass(frozen=True, slots=True)
class ApplicationRef:
    """A sent application: the code that opens its status page, and the reference of its case."""

    id: UUID
    tracking_code: str
    case_reference: str


def submit_application(
    actor: Actor, *, draft: DraftRef, now: datetime, email: str = "", wants_mailbox: bool = True
) -> ApplicationRef:
    """Send a draft (Antrag stellen): check, application, case, documents and the event, in one transaction.

    The draft is the idempotency key: pressing "send" again, even at the same moment, gives the same application.

    Args:
        email: where notices go; "" for the one given in the form, or none.
        wants_mailbox: the decision is to be delivered in the portal (§ 9 OZG); else by post, which needs an address.

    Raises: ApplicationIncomplete, DraftInvalid (e-mail address, no address for the post), NotOnOffer, DraftNotFound,
    policy.Denied
    """
    policy.require(actor, Permission.APPLY)
    digest = draft_digest(draft)
    with whole_transaction(), rows.at_once(), audit.together():
        try:
            held = draft_to_send(actor, draft, now)
        except DraftNotFound:
            sent = Application.objects.filter(draft_digest=digest).only("id", "case_reference", "code_hash").first()
            if sent is None:
                raise
            return _ref(sent)
        return _submit(actor, held, digest, now, email, wants_mailbox)


def _submit(actor: Actor, held: Draft, digest: str, now: datetime, email: str, wants_mailbox: bool) -> ApplicationRef:
    service = held.service
    if not service.is_published:
        raise NotOnOffer
    form = in_use(held.form_version_id, service)
    answers = {path: value for path, value in held.answers.items() if "#" not in path}
    attachments = held_attachments(held)
    problems = check(form.definition, answers) + _lost_files(form, answers, attachments)
    if problems:
        raise ApplicationIncomplete(problems)
    applicant = applicant_of(form.definition, answers, fallback=actor.name)
    address = valid_email(email) or applicant.email
    if not wants_mailbox and len(applicant.address_lines) < 2:
        raise DraftInvalid(
            {"wants_mailbox": _("The form does not ask for an address. Please choose the mailbox in the portal.")}
        )

    ident = new_id()
    code = code_for("application", ident)
    application = rows.new(
        Application,
        id=ident,
        service_id=service.id,
        form_version_id=held.form_version_id,
        service_title=service.title,
        answers=answers,
        party=applicant.facts(),
        party_name=applicant.name,
        email=address,
        account=actor.id if actor.kind is ActorKind.CITIZEN else held.account,
        wants_mailbox=wants_mailbox,
        code_hash=digest_of(code),
        draft_digest=digest,
        state=ApplicationState.SUBMITTED,
        unit=service.unit,
        submitted_at=now,
        due_on=_promised(local_date(now), service.promised_days),
    )

    with official_language():
        paper = _paper(application, form, answers, attachments, applicant, now)

    def documents(case: records.CaseRef) -> list[records.NewDocument]:
        application.case_id, application.case_reference = case.id, case.reference
        return paper(case.reference)

    case = records.open_case(
        actor,
        title=f"{service.title}: {applicant.name}"[:300] if applicant.name else service.title,
        position=service.file_plan_position,
        unit=service.unit,
        origin=origin_of(ident),
        party=applicant.name,
        now=now,
        promised_on=application.due_on,
        documents=documents,
    )
    rows.write([application], _attachments(application, attachments, case), gone=[*attachments, held])
    events.publish(
        actor,
        ApplicationSubmitted(
            application_id=ident,
            service_id=service.id,
            case_reference=case.reference,
            unit=service.unit,
            submitted_at=now,
        ),
    )
    audit.record(
        actor,
        "citizenservices.application.submitted",
        "citizenservices.application",
        ident,
        after={
            "service": service.id,
            "form_version": held.form_version_id,
            "case": case.reference,
            "attachments": len(attachments),
        },
    )
    return ApplicationRef(ident, code, case.reference)


def _ref(application: Application) -> ApplicationRef:
    return ApplicationRef(
        application.id,
        code_for("application", application.id, stored=application.code_hash),
        application.case_reference,
    )


def _promised(today: date, days: int) -> date:
    """The day by which an answer is promised: never a Saturday or Sunday."""
    day = today + timedelta(days=days)
    while day.weekday() > 4:
        day += timedelta(days=1)
    return day


def _lost_files(form: FormInUse, answers: Mapping[str, str], attachments: list[DraftAttachment]) -> list[Problem]:
    """File answers without a file: only the files themselves count."""
    there = {str(a.id): a.path for a in attachments}
    found = []
    for path, value in answers.items():
        asked = form.definition.field_at(path)
        if asked is not None and asked.is_file and there.get(value) != path:
            found.append(Problem(path, _("Please add the file again."), asked.label))
    return found


def _paper(
    application: Application,
    form: FormInUse,
    answers: Mapping[str, str],
    attachments: list[DraftAttachment],
    applicant: Applicant,
    now: datetime,
) -> Callable[[str], list[records.NewDocument]]:
    """The application for people, for machines, and every attachment, as documents of the case, given its reference.

    Nearly all of it is made before there is one: as soon as a case has its number, others wait for theirs.
    """
    names = {str(a.id): a.filename for a in attachments}
    parts = sections(form.definition, answers, for_clerk=True, names=names)
    head, text = _head(application, applicant, now), as_text(parts)
    data = _data(application, form, parts, attachments, now)
    title = _("Application: %(service)s") % {"service": application.service_title}
    reference_label, title_of_data = _("Reference"), _("Answers as data")
    others = []
    for attachment in attachments:
        asked = form.definition.field_at(attachment.path)
        title_of_file = f"{asked.label_out if asked else attachment.path}: {attachment.filename}"[:300]
        others.append(records.NewDocument(title_of_file, "attachment", attachment.content, attachment.filename))

    def documents(reference: str) -> list[records.NewDocument]:
        readable = heading(application.service_title, {reference_label: reference, **head}) + text
        machine_readable = json.dumps({**data, "case": reference}, ensure_ascii=False)
        return [
            records.NewDocument(title, "application", readable.encode(), "antrag.txt"),
            records.NewDocument(
                title_of_data,
                "application",
                machine_readable.encode(),
                "antrag.json",
                visible_to_party=False,
                repeats_another=True,
            ),
            *others,
        ]

    return documents


def _attachments(
    application: Application, attachments: list[DraftAttachment], case: records.CaseRef
) -> list[ApplicationAttachment]:
    """Which document answers which question: the attachments' documents are the last of the case, in their order."""
    documents = case.documents[len(case.documents) - len(attachments) :]
    return [
        rows.new(
            ApplicationAttachment,
            application_id=application.id,
            path=attachment.path,
            filename=attachment.filename,
            document_id=document.id,
            sha256=attachment.content_id,
            size=attachment.size,
            media_type=attachment.media_type,
        )
        for attachment, document in zip(attachments, documents, strict=True)
    ]


def _head(application: Application, applicant: Applicant, now: datetime) -> dict[str, str]:
    return {
        _("Received"): day_in_words(local_date(now)),
        _("Applicant"): applicant.name,
        _("E-mail for notices"): application.email,
        _("Delivery of the decision"): _("mailbox in the portal") if application.wants_mailbox else _("by post"),
    }


def _data(
    application: Application, form: FormInUse, parts: list[Section], attachments: list[DraftAttachment], now: datetime
) -> dict[str, Any]:
    """The application for machines; the reference of the case has its place and is filled in later."""
    by_id = {str(a.id): a for a in attachments}
    answers: list[dict[str, Any]] = []
    for section in parts:
        for row in section.rows:
            entry: dict[str, Any] = {
                "path": row.path,
                "field": row.field.id,
                "version": row.field.version,
                "label": row.field.name,
                "value": row.value,
            }
            if row.field.codes:
                entry["meaning"] = row.shown
            if row.is_file and row.value in by_id:
                found = by_id[row.value]
                entry |= {"filename": found.filename, "sha256": found.content_id, "media_type": found.media_type}
            answers.append(entry)
    return {
        "format": "verbund.application/1",
        "form": {
            "id": form.definition.id,
            "version": form.definition.version,
            "name": form.definition.name,
        },
        "application": str(application.id),
        "case": "",
        "submitted_at": now.isoformat(),
        "answers": answers,
    }
