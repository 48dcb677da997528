"""Working on an application: take over, hand back, ask back, be answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from verbund.modules.citizenservices.events import QuestionAnswered, QuestionAsked
from verbund.modules.citizenservices.models import Application, ApplicationState, MessageKind, Question
from verbund.modules.citizenservices.models.checking import DEFAULT_MAX_LENGTH
from verbund.modules.citizenservices.models.latin import described, normalised, refused_character
from verbund.modules.citizenservices.models.offers import UPLOAD_LIMIT, UPLOADS
from verbund.modules.citizenservices.models.official import official_language
from verbund.modules.citizenservices.policies import Permission, may_process, may_take_over, visible_applications
from verbund.modules.citizenservices.queries.applicant import held_application
from verbund.modules.citizenservices.queries.views import ApplicationAccess, ApplicationNotFound
from verbund.modules.records import services as records
from verbund.platform import audit, events, files
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, Invalid, local_date, new_id

from .drafts import Upload
from .messages import put_into_mailbox

ANSWER_DAYS: Final = 14
MAX_ANSWER_FILES: Final = 10


class ApplicationMoved(Conflict):
    """Somebody else changed the application since it was read; nothing was written."""

    def __init__(self, application: Application) -> None:
        if application.clerk_name:
            message = _(
                "This application has changed in the meantime. It is now “%(state)s”, with %(clerk)s. "
                "Please look at it again."
            ) % {"state": application.get_state_display(), "clerk": application.clerk_name}
        else:
            message = _(
                "This application has changed in the meantime. It is now “%(state)s”. Please look at it again."
            ) % {"state": application.get_state_display()}
        super().__init__(message)


class WrongState(Conflict):
    """The application is not in a state in which this can be done."""

    def __init__(self, application: Application) -> None:
        super().__init__(
            _("This cannot be done any more: the application is “%(state)s”.")
            % {"state": application.get_state_display()}
        )


class TextInvalid(Invalid):
    """The text or the files cannot be taken; a message per field."""


@dataclass(frozen=True, slots=True)
class AskedRef:
    """A question that was asked."""

    id: UUID
    version: int


@transaction.atomic
def take_over(actor: Actor, *, application_id: UUID, expected_version: int, now: datetime) -> int:
    """Take an application over (in Bearbeitung nehmen); returns its new version.

    Of two clerks at once the second gets ApplicationMoved with the name of the first.

    Raises:
        ApplicationNotFound, ApplicationMoved, WrongState, policy.Denied
    """
    policy.require(actor, Permission.PROCESS_APPLICATION)
    application = locked(actor, application_id, expected_version)
    if not application.is_undecided:
        raise WrongState(application)
    policy.require(actor, Permission.PROCESS_APPLICATION, when=may_take_over(actor, application))
    before = _hands(application)
    application.clerk, application.clerk_name = actor.id, actor.name
    if application.state == ApplicationState.SUBMITTED:
        application.state = ApplicationState.IN_PROGRESS
    save(application, "clerk", "clerk_name", "state")
    records.assign_case(actor, case_id=application.case_id, now=now, person=actor.id, person_name=actor.name)
    audit.record(
        actor,
        "citizenservices.application.taken_over",
        "citizenservices.application",
        application.id,
        before=before,
        after=_hands(application),
    )
    return application.acts


@transaction.atomic
def hand_back(actor: Actor, *, application_id: UUID, expected_version: int, now: datetime) -> int:
    """Give an application back to the unit's inbox (zurückgeben); returns its new version.

    Raises:
        ApplicationNotFound, ApplicationMoved, WrongState, policy.Denied: not in the actor's hands.
    """
    policy.require(actor, Permission.PROCESS_APPLICATION)
    application = in_hand(actor, application_id, expected_version)
    before = _hands(application)
    records.assign_case(actor, case_id=application.case_id, now=now, person=None)
    application.clerk, application.clerk_name = None, ""
    if application.state == ApplicationState.IN_PROGRESS:
        application.state = ApplicationState.SUBMITTED
    save(application, "clerk", "clerk_name", "state")
    audit.record(
        actor,
        "citizenservices.application.handed_back",
        "citizenservices.application",
        application.id,
        before=before,
        after=_hands(application),
    )
    return application.acts


@transaction.atomic
def ask_back(
    actor: Actor,
    *,
    application_id: UUID,
    question: str,
    expected_version: int,
    now: datetime,
    answer_days: int = ANSWER_DAYS,
) -> AskedRef:
    """Ask the applicant back (Rückfrage stellen): the question lies in the mailbox, a notice goes out by e-mail.

    Raises:
        TextInvalid, WrongState: a question is open already. ApplicationNotFound, ApplicationMoved, policy.Denied
    """
    policy.require(actor, Permission.PROCESS_APPLICATION)
    text = checked_text(question, "question", _("Please write down your question."))
    if not 1 <= answer_days <= 180:
        raise TextInvalid(
            {"answer_days": _("Please enter a number from %(least)s to %(most)s.") % {"least": 1, "most": 180}}
        )
    application = in_hand(actor, application_id, expected_version)
    if application.state != ApplicationState.IN_PROGRESS:
        raise WrongState(application)
    asked = Question.objects.create(
        id=new_id(),
        application=application,
        text=text,
        asked_by=actor.id,
        asked_name=actor.name,
        asked_at=now,
        answer_until=local_date(now) + timedelta(days=answer_days),
    )
    application.state = ApplicationState.QUERY_OPEN
    save(application, "state")
    with official_language():
        put_into_mailbox(
            application,
            kind=MessageKind.QUESTION,
            subject=_("We have a question about your application"),
            text=_("%(question)s\n\nPlease answer by %(day)s.")
            % {"question": text, "day": date_format(asked.answer_until, "DATE_FORMAT")},
            now=now,
        )
        records.note(
            actor,
            case_id=application.case_id,
            text=_("Question to the applicant: %(question)s") % {"question": text[:1500]},
            now=now,
            visible_to_party=True,
        )
    events.publish(actor, QuestionAsked(application.id, asked.id))
    audit.record(
        actor,
        "citizenservices.question.asked",
        "citizenservices.application",
        application.id,
        after={"question": asked.id, "state": application.state, "answer_until": asked.answer_until},
    )
    return AskedRef(asked.id, application.acts)


@transaction.atomic
def answer_question(
    actor: Actor,
    *,
    access: ApplicationAccess,
    question_id: UUID,
    text: str,
    now: datetime,
    uploads: Sequence[Upload] = (),
) -> None:
    """Answer a question (Rückfrage beantworten): text and files come into the case as documents, all or nothing.

    Raises:
        TextInvalid: an empty text without a file, or a file that is refused; with the reason.
        WrongState: it is answered already. ApplicationNotFound, policy.Denied
    """
    policy.require(actor, Permission.FOLLOW_APPLICATION)
    application = held_application(actor, access, lock=True)
    asked = application.questions.select_for_update().filter(pk=question_id).first()
    if asked is None:
        raise ApplicationNotFound
    if asked.answered_at is not None or application.state != ApplicationState.QUERY_OPEN:
        raise WrongState(application)
    if not text.strip() and uploads:
        with official_language():
            text = _("See the attached files.")
    answer = checked_text(text, "text", _("Please write an answer or add a file."))
    if len(uploads) > MAX_ANSWER_FILES:
        raise TextInvalid({"files": _("At most %(count)s files can be added.") % {"count": MAX_ANSWER_FILES}})
    with official_language():
        document = records.file_document(
            actor,
            case_id=application.case_id,
            title=_("Answer to the question of %(day)s") % {"day": local_date(asked.asked_at).strftime("%d.%m.%Y")},
            kind="incoming",
            content=f"{_('Question')}:\n{asked.text}\n\n{_('Answer')}:\n{answer}\n".encode(),
            filename="antwort.txt",
            now=now,
            origin=application.origin,
        )
        for upload in uploads:
            _file_upload(actor, application, upload, now)
    asked.answer, asked.answered_at, asked.document_id = answer, now, document.id
    asked.save(update_fields=["answer", "answered_at", "document_id"])
    application.state = ApplicationState.IN_PROGRESS if application.clerk is not None else ApplicationState.SUBMITTED
    save(application, "state")
    events.publish(actor, QuestionAnswered(application.id, asked.id))
    audit.record(
        actor,
        "citizenservices.question.answered",
        "citizenservices.application",
        application.id,
        after={"question": asked.id, "state": application.state, "document": document.id, "files": len(uploads)},
    )


def _file_upload(actor: Actor, application: Application, upload: Upload, now: datetime) -> None:
    try:
        stored = files.put(upload.content, filename=upload.filename, limit=UPLOAD_LIMIT, allow=frozenset(UPLOADS))
    except files.Refused as refusal:
        raise TextInvalid({"files": f"{upload.filename}: {refusal.message}"}) from None
    records.file_document(
        actor,
        case_id=application.case_id,
        title=_("Attachment to the answer: %(name)s") % {"name": files.clean_filename(upload.filename)},
        kind="attachment",
        content=files.read(stored.sha256),
        filename=upload.filename,
        now=now,
        origin=application.origin,
    )


# ---- For the other files of this door
# ----------------------------------------------------------------------------------


def locked(actor: Actor, application_id: UUID, expected_version: int) -> Application:
    """The application, its row locked, as the actor read it. Raises ApplicationNotFound, ApplicationMoved."""
    application = (
        visible_applications(actor)
        .filter(pk=application_id)
        .select_related("service")
        .select_for_update(of=("self",))
        .first()
    )
    if application is None:
        raise ApplicationNotFound
    if application.acts != expected_version:
        raise ApplicationMoved(application)
    return application


def in_hand(actor: Actor, application_id: UUID, expected_version: int) -> Application:
    """As `locked`, undecided and in the hands of the actor. Raises also WrongState, policy.Denied."""
    application = locked(actor, application_id, expected_version)
    if not application.is_undecided:
        raise WrongState(application)
    policy.require(actor, Permission.PROCESS_APPLICATION, when=may_process(actor, application))
    return application


def save(application: Application, *fields: str) -> None:
    """Write the fields and raise the version, by which a colleague with an older page is told."""
    application.version += 1
    application.save(update_fields=[*fields, "version"])


def checked_text(text: str, field: str, missing: str, *, longest: int = DEFAULT_MAX_LENGTH) -> str:
    """A text of a person in kept form. Raises TextInvalid: empty, too long, a character beyond DIN 91379."""
    tidy = normalised(text).strip()
    if not tidy:
        raise TextInvalid({field: missing})
    if len(tidy) > longest:
        raise TextInvalid({field: _("Please enter at most %(limit)s characters.") % {"limit": longest}})
    refused = refused_character(tidy)
    if refused is not None:
        raise TextInvalid(
            {
                field: _("The character %(character)s cannot be used. Please remove or replace it.")
                % {"character": described(refused)}
            }
        )
    return tidy


def _hands(application: Application) -> dict[str, Any]:
    return {"clerk": application.clerk, "state": application.state}
