"""Drafts: begin, fill in page by page, keep, come back, throw away."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import BinaryIO, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from verbund.modules.citizenservices.models import Draft, DraftAttachment
from verbund.modules.citizenservices.models.checking import Given, Problem, canonical, check
from verbund.modules.citizenservices.models.codes import code_for, digest_of
from verbund.modules.citizenservices.models.form import Field, Group, Step
from verbund.modules.citizenservices.models.offers import UPLOAD_LIMIT, UPLOADS
from verbund.modules.citizenservices.policies import Permission, visible_services
from verbund.modules.citizenservices.queries.catalogue import ServiceNotFound
from verbund.modules.citizenservices.queries.drafts import DraftNotFound, DraftRef, held_draft
from verbund.modules.citizenservices.queries.forms import FormInUse, in_use
from verbund.platform import audit, files
from verbund.platform.identity import policy, throttle
from verbund.platform.identity.actor import Actor, ActorKind
from verbund.platform.tenancy import Conflict, Invalid, new_id

LIFETIME: Final = timedelta(days=30)  # since the last change
MAX_CHARACTERS: Final = 1_000_000  # of all answers together
MAX_FILES: Final = 60
MAX_FILE_BYTES: Final = 100_000_000  # of all attachments together
DRAFTS: Final = throttle.Limit(count=100, window=timedelta(minutes=15), block=timedelta(minutes=5))
"""How many applications one network address may begin: a whole town hall, but not a machine."""


class DraftInvalid(Invalid):
    """The values cannot be kept; `errors` maps path to message."""


class NotOnOffer(Conflict):
    """The service was taken off offer."""

    def __init__(self) -> None:
        super().__init__(_("This service is not offered at the moment. Your answers are kept. Please contact us."))


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was sent."""

    filename: str
    content: bytes | BinaryIO


@dataclass(frozen=True, slots=True)
class StepResult:
    """What came of saving a page: everything typed is kept; `problems` names what must be put right on it."""

    problems: list[Problem] = field(default_factory=list)
    changed: bool = True

    @property
    def is_complete(self) -> bool:
        return not self.problems


@transaction.atomic
def start_draft(actor: Actor, *, service_id: UUID, now: datetime, client: str = "") -> DraftRef:
    """Begin an application (Entwurf beginnen). The code in the answer opens the draft again; only its digest is stored.

    Raises:
        ServiceNotFound: there is no such published service. policy.Denied
        throttle.Blocked: the network address `client` has begun too many of late.
    """
    policy.require(actor, Permission.APPLY)
    if client:
        throttle.attempt("citizenservices.draft", client, DRAFTS, now=now)
    service = visible_services(actor).filter(pk=service_id).first()
    if service is None or not service.is_published:
        raise ServiceNotFound
    ident = new_id()
    code = code_for("draft", ident)
    citizen = actor.kind is ActorKind.CITIZEN
    Draft.objects.create(
        id=ident,
        service=service,
        form_version_id=service.form_version_id,
        code_hash=digest_of(code),
        account=actor.id if citizen else None,
        created_at=now,
        changed_at=now,
        expires_at=now + LIFETIME,
    )
    audit.record(actor, "citizenservices.draft.begun", "citizenservices.draft", ident, after={"service": service.id})
    return DraftRef(ident, code)


@transaction.atomic
def save_step(
    actor: Actor,
    *,
    draft: DraftRef,
    step: int,
    values: Mapping[str, str],
    now: datetime,
    uploads: Mapping[str, Upload] | None = None,
    add: str = "",
    remove: str = "",
) -> StepResult:
    """Keep the answers of one page (Schritt speichern), right or wrong: nothing that was typed is lost.

    Args:
        values: path -> text as typed. A question of the page that is missing here is kept as it was; an empty text
            empties it.
        uploads: path -> file; a file that cannot be taken becomes a problem of its question.
        add: base of a repeated element to which one more entry is added.
        remove: path of an entry (or of a file) to be removed; those behind it move up.

    Raises:
        DraftInvalid: a value for a question that is not on the page, or far too much text. DraftNotFound, policy.Denied
    """
    policy.require(actor, Permission.APPLY)
    held = held_draft(actor, draft, now, lock=True)
    form = in_use(held.form_version_id, held.service)
    page = form.step(step)
    if page is None:
        raise DraftNotFound
    answers = dict(held.answers)
    _take_values(form, page, values, answers)
    problems = [_take_upload(held, form, page, path, upload, answers, now) for path, upload in (uploads or {}).items()]
    if add:
        _add_entry(form, page, add, answers)
    if remove:
        _remove_entry(held, form, page, remove, answers)
    if sum(map(len, answers.values())) > MAX_CHARACTERS:
        raise DraftInvalid({"": _("The answers are too long altogether. Please put long texts into a file.")})
    _keep(actor, held, answers, now, reached=max(held.reached, step))
    refused = [p for p in problems if p is not None]
    wrong = check(form.definition, answers, page)
    places = {p.path for p in refused}
    return StepResult([*refused, *(p for p in wrong if p.path not in places)])


@transaction.atomic
def add_attachment(
    actor: Actor, *, draft: DraftRef, path: str, filename: str, content: bytes | BinaryIO, now: datetime
) -> UUID:
    """Add a file to a draft (Anlage hinzufügen) as the answer at `path`; one that is there already is replaced. Returns
    its id.

    Raises:
        DraftInvalid: not a place for a file, too many files, or a file that is refused; with the reason.
        DraftNotFound, policy.Denied
    """
    policy.require(actor, Permission.APPLY)
    held = held_draft(actor, draft, now, lock=True)
    form = in_use(held.form_version_id, held.service)
    page = form.step_of(path)
    if page is None:
        raise DraftInvalid({path: _("This question does not take a file.")})
    answers = dict(held.answers)
    problem = _take_upload(held, form, page, path, Upload(filename, content), answers, now)
    if problem is not None:
        raise DraftInvalid({problem.path: problem.message})
    _keep(actor, held, answers, now)
    return UUID(answers[path])


@transaction.atomic
def remove_attachment(actor: Actor, *, draft: DraftRef, path: str, now: datetime) -> None:
    """Take a file out of a draft again (Anlage entfernen); nothing happens if there is none at `path`.

    Raises:
        DraftNotFound, policy.Denied
    """
    policy.require(actor, Permission.APPLY)
    held = held_draft(actor, draft, now, lock=True)
    form = in_use(held.form_version_id, held.service)
    page = form.step_of(path)
    answers = dict(held.answers)
    if page is not None:
        _remove_entry(held, form, page, path, answers)
    _keep(actor, held, answers, now)


@transaction.atomic
def claim_draft(actor: Actor, *, draft: DraftRef, now: datetime) -> None:
    """Put a draft begun as a guest into the account of the citizen who has signed in since (Entwurf übernehmen).

    Raises:
        DraftNotFound, policy.Denied: for a guest.
    """
    policy.require(actor, Permission.APPLY, when=actor.kind is ActorKind.CITIZEN)
    held = held_draft(actor, draft, now, lock=True)
    if held.account is None:
        held.account = actor.id
        held.save(update_fields=["account"])
        audit.record(actor, "citizenservices.draft.claimed", "citizenservices.draft", held.id)


@transaction.atomic
def discard_draft(actor: Actor, *, draft: DraftRef, now: datetime) -> None:
    """Throw a draft away with its files (Entwurf verwerfen).

    Raises:
        DraftNotFound, policy.Denied
    """
    policy.require(actor, Permission.APPLY)
    held = held_draft(actor, draft, now, lock=True)
    _delete(held)
    audit.record(actor, "citizenservices.draft.discarded", "citizenservices.draft", draft.id)


def delete_expired_drafts(actor: Actor, *, now: datetime, most: int = 500) -> int:
    """Delete the drafts whose time is over (data minimisation, Article 5 (1) (e) GDPR); returns how many.

    Raises:
        policy.Denied: for anybody but the system.
    """
    policy.require(actor, Permission.TIDY_UP)
    deleted = 0
    for ident in list(Draft.objects.filter(expires_at__lte=now).values_list("id", flat=True)[:most]):
        with transaction.atomic():
            found = Draft.objects.select_for_update(skip_locked=True).filter(pk=ident, expires_at__lte=now).first()
            if found is None:
                continue
            _delete(found)
            audit.record(actor, "citizenservices.draft.expired", "citizenservices.draft", ident)
            deleted += 1
    return deleted


def valid_email(text: str) -> str:
    """An e-mail address without spaces around, "" for none. Raises DraftInvalid."""
    address = text.strip()
    if not address:
        return ""
    try:
        validate_email(address)
    except ValidationError:
        raise DraftInvalid({"email": _("Please enter an e-mail address such as name@example.org.")}) from None
    if len(address) > 254:
        raise DraftInvalid({"email": _("Please enter an e-mail address such as name@example.org.")})
    return address


def _keep(actor: Actor, held: Draft, answers: dict[str, str], now: datetime, *, reached: int | None = None) -> None:
    changed = sorted(
        path for path in answers.keys() | held.answers.keys() if answers.get(path) != held.answers.get(path)
    )
    held.answers = {path: value for path, value in answers.items() if value}
    held.reached = reached if reached is not None else held.reached
    held.changed_at, held.expires_at = now, now + LIFETIME
    held.revision += 1
    held.save(update_fields=["answers", "reached", "changed_at", "expires_at", "revision"])
    # Which questions were answered, not what: a draft is the applicant's own until it is sent.
    audit.record(
        actor,
        "citizenservices.draft.saved",
        "citizenservices.draft",
        held.id,
        after={"revision": held.revision, "changed": len(changed)},
    )


def _take_values(form: FormInUse, page: Step, values: Mapping[str, str], answers: dict[str, str]) -> None:
    strange = [path for path in values if not page.holds(path) or form.definition.field_at(path) is None]
    if strange:
        raise DraftInvalid({strange[0][:200]: _("This question is not part of the page.")})
    for path, text in values.items():
        asked = form.definition.field_at(path)
        if asked is None or asked.is_file:
            continue  # a file is never named by the sender, only sent
        value = canonical(asked, text)
        if value:
            answers[path] = value
        else:
            answers.pop(path, None)


def _take_upload(
    held: Draft, form: FormInUse, page: Step, path: str, upload: Upload, answers: dict[str, str], now: datetime
) -> Problem | None:
    asked = form.definition.field_at(path)
    if asked is None or not asked.is_file or not page.holds(path):
        return Problem(path, _("This question does not take a file."))
    others = held.attachments.exclude(path=path)
    if others.count() >= MAX_FILES:
        return Problem(path, _("At most %(count)s files can be added.") % {"count": MAX_FILES})
    allowed = _allowed_types(asked)
    if not allowed:
        return Problem(path, _("The form asks for a type of file that we cannot take. Please send it by post."))
    try:
        stored = files.put(
            upload.content,
            filename=upload.filename,
            limit=min(asked.max_size or UPLOAD_LIMIT, 25_000_000),
            allow=allowed,
        )
    except files.Refused as refusal:
        return Problem(path, str(refusal.message))
    if sum(others.values_list("size", flat=True)) + stored.size > MAX_FILE_BYTES:
        return Problem(path, _("The files are too large altogether. At most 100 MB can be taken."))
    held.attachments.filter(path=path).delete()
    added = DraftAttachment.objects.create(
        id=new_id(),
        draft=held,
        path=path,
        content=stored,
        filename=files.clean_filename(upload.filename)[:255],
        size=stored.size,
        media_type=stored.media_type,
        added_at=now,
    )
    answers[path] = str(added.id)
    return None


def _allowed_types(asked: Field) -> frozenset[str]:
    """What a field takes of what the house takes from citizens; a form's `image/*` means the images among them."""
    ours = frozenset(UPLOADS)
    if not asked.media_types:
        return ours
    wanted = set()
    for media_type in asked.media_types:
        kind = media_type.removesuffix("*") if media_type.endswith("/*") else ""
        wanted |= {t for t in files.DOCUMENTS if t == media_type or (kind and t.startswith(kind))}
    return frozenset(wanted)


def _entry(form: FormInUse, page: Step, base: str) -> Field | Group | None:
    element = form.definition.find(base)
    return element if element is not None and page.holds(base) else None


def _add_entry(form: FormInUse, page: Step, base: str, answers: dict[str, str]) -> None:
    element = _entry(form, page, base)
    if element is None or base.count(".") % 2 or not element.cardinality.repeats:
        raise DraftInvalid({base[:200]: _("This question cannot be repeated.")})
    shown = entries_shown(element, base, answers)
    answers[f"{base}#"] = str(min(shown + 1, element.cardinality.limit))


def _remove_entry(held: Draft, form: FormInUse, page: Step, path: str, answers: dict[str, str]) -> None:
    element = _entry(form, page, path)
    if element is None or path.count(".") % 2 == 0:
        raise DraftInvalid({path[:200]: _("There is no such entry.")})
    base, _dot, number = path.rpartition(".")
    gone = int(number)
    shown = entries_shown(element, base, answers)
    moved: dict[str, str] = {}
    for key in [k for k in answers if k.startswith(f"{base}.")]:
        rest = key[len(base) + 1 :]
        index, dot, tail = rest.partition(".")
        at = int(index.rstrip("#")) if index.rstrip("#").isdecimal() else -1
        value = answers.pop(key)
        if at > gone:
            moved[f"{base}.{at - 1}{dot}{tail}"] = value
        elif at < gone:
            moved[key] = value
    answers.update(moved)
    if element.cardinality.repeats:
        answers[f"{base}#"] = str(max(shown - 1, max(element.cardinality.minimum, 1)))
    kept = {value: path for path, value in answers.items()}
    for attachment in list(held.attachments.filter(path__startswith=f"{base}.")):
        place = kept.get(str(attachment.id))
        if place is None:
            attachment.delete()
        elif place != attachment.path:
            held.attachments.filter(pk=attachment.id).update(path=f"~{attachment.id}")
            attachment.path = place
            attachment.save(update_fields=["path"])


def entries_shown(element: Field | Group, base: str, answers: Mapping[str, str]) -> int:
    """How many entries of a repeated element a page shows: those answered, those asked for, at least one."""
    numbers = Given(answers).numbers(base)
    asked = answers.get(f"{base}#", "")
    wanted = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 4 else 0
    least = max(element.cardinality.minimum, 1)
    return min(max(least, wanted, numbers[-1] + 1 if numbers else 0), element.cardinality.limit)


def _delete(held: Draft) -> None:
    contents = list(held.attachments.values_list("content_id", flat=True))
    held.attachments.all().delete()
    held.delete()
    for sha256 in set(contents):
        files.discard(sha256)
