"""What a citizen has begun: the pages with the answers so far."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef

from verbund.modules.citizenservices.models import Draft, DraftAttachment, OnlineService
from verbund.modules.citizenservices.models.checking import Problem, check
from verbund.modules.citizenservices.models.codes import code_for, digest_of, looks_like_code
from verbund.modules.citizenservices.models.party import Applicant, applicant_of
from verbund.modules.citizenservices.models.summary import Section, sections
from verbund.modules.citizenservices.policies import Permission, visible_drafts
from verbund.platform.files import StoredFile
from verbund.platform.identity import policy, throttle
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import NotFound
from verbund.platform.tenancy.kept import KeptQuery, given

from .forms import FormInUse, in_use


class DraftNotFound(NotFound):
    """There is no such draft for this actor and code, or its time is over."""


@dataclass(frozen=True, slots=True)
class DraftRef:
    """A draft and the code that opens it."""

    id: UUID
    code: str


@dataclass(frozen=True, slots=True)
class Attached:
    """A file added to a draft; `id` is the answer at `path`."""

    id: UUID
    path: str
    filename: str
    size: int
    media_type: str


@dataclass(frozen=True, slots=True)
class DraftView:
    """A draft with its form: what a page of questions shows."""

    ref: DraftRef
    service_id: UUID
    service_slug: str
    service_title: str
    is_published: bool
    fee_cents: int
    fee_text: str
    form: FormInUse
    answers: dict[str, str]
    attachments: dict[str, Attached]
    reached: int
    email: str
    expires_at: datetime

    def problems(self, number: int | None = None) -> list[Problem]:
        """What is wrong, on all pages or on one."""
        step = self.form.step(number) if number is not None else None
        return check(self.form.definition, self.answers, step)

    def sections(self) -> list[Section]:
        """The answers as the applicant reads them before sending."""
        names = {str(a.id): a.filename for a in self.attachments.values()}
        return sections(self.form.definition, self.answers, names=names)

    def applicant(self) -> Applicant:
        return applicant_of(self.form.definition, self.answers)


@dataclass(frozen=True, slots=True)
class DraftRow:
    """A draft in the list of an account."""

    ref: DraftRef
    service_title: str
    changed_at: datetime
    expires_at: datetime


CODES = throttle.Limit(count=20, window=timedelta(minutes=15), block=timedelta(minutes=15))
"""How many wrong codes one network address may try."""


def draft(actor: Actor, *, draft: DraftRef, now: datetime) -> DraftView:
    """The draft with its form. Raises DraftNotFound, policy.Denied."""
    policy.require(actor, Permission.APPLY)
    return view_of(held_draft(actor, draft, now), draft.code)


def own_drafts(actor: Actor, *, now: datetime) -> list[DraftRow]:
    """The drafts of the actor's account, the latest first. Raises policy.Denied."""
    policy.require(actor, Permission.APPLY)
    rows = visible_drafts(actor).filter(expires_at__gt=now).order_by("-changed_at").select_related("service")[:50]
    return [
        DraftRow(
            DraftRef(d.id, code_for("draft", d.id, stored=d.code_hash)), d.service.title, d.changed_at, d.expires_at
        )
        for d in rows
    ]


def draft_by_code(actor: Actor, *, code: str, client: str, now: datetime) -> DraftRef:
    """The draft a code opens; wrong codes are counted against the network address `client`.

    Raises:
        DraftNotFound, throttle.Blocked, policy.Denied
    """
    policy.require(actor, Permission.APPLY)
    throttle.attempt("citizenservices.code", client, CODES, now=now)
    found = None
    if looks_like_code(code):
        found = Draft.objects.filter(code_hash=digest_of(code), expires_at__gt=now).values_list("id", flat=True).first()
    if found is None:
        raise DraftNotFound
    throttle.give_back("citizenservices.code", client, CODES)
    return DraftRef(found, code)


def draft_file(actor: Actor, *, draft: DraftRef, attachment_id: UUID, now: datetime) -> tuple[StoredFile, str]:
    """Content and name of an attachment of a draft. Raises DraftNotFound, policy.Denied."""
    policy.require(actor, Permission.APPLY)
    found = (
        DraftAttachment.objects.filter(draft=held_draft(actor, draft, now), pk=attachment_id)
        .select_related("content")
        .first()
    )
    if found is None:
        raise DraftNotFound
    return found.content, found.filename


_DRAFT: Final = KeptQuery(
    lambda: Draft.objects.select_related("service").filter(pk=given("draft"), expires_at__gt=given("now"))
)
_DRAFT_TO_CHANGE: Final = KeptQuery(
    lambda: (
        Draft.objects.select_related("service")
        .annotate(has_attachments=Exists(DraftAttachment.objects.filter(draft=OuterRef("pk"))))
        .filter(pk=given("draft"), expires_at__gt=given("now"))
        .select_for_update(of=("self",))
    )
)
# What sending a draft asks of it and of its service, whose texts for the pages are long.
_TO_SEND: Final = (
    *("answers", "code_hash", "account", "form_version_id"),
    *(f"service__{name}" for name in ("title", "state", "unit", "file_plan_position", "promised_days", "attachments")),
)
_DRAFT_TO_SEND: Final = KeptQuery(
    lambda: (
        Draft.objects.select_related("service")
        .only(*_TO_SEND)
        .annotate(has_attachments=Exists(DraftAttachment.objects.filter(draft=OuterRef("pk"))))
        .filter(pk=given("draft"), expires_at__gt=given("now"))
        .select_for_update(of=("self",))
    )
)
_ATTACHMENTS: Final = KeptQuery(
    lambda: DraftAttachment.objects.select_related("content").filter(draft=given("draft")).order_by("path")
)


def draft_digest(ref: DraftRef) -> str:
    """By what an application knows the draft it was: whoever had the draft's code has sent it."""
    return hashlib.sha256(f"{ref.id}:{digest_of(ref.code)}".encode()).hexdigest()


def held_draft(actor: Actor, ref: DraftRef, now: datetime, *, lock: bool = False) -> Draft:
    """The draft, if the code opens it or it belongs to the actor's account. Raises DraftNotFound."""
    return _opened(actor, ref, (_DRAFT_TO_CHANGE if lock else _DRAFT).first(draft=ref.id, now=now))


def draft_to_send(actor: Actor, ref: DraftRef, now: datetime) -> Draft:
    """As `held_draft`, locked, with what sending it needs. Raises DraftNotFound."""
    return _opened(actor, ref, _DRAFT_TO_SEND.first(draft=ref.id, now=now))


def _opened(actor: Actor, ref: DraftRef, found: Draft | None) -> Draft:
    if found is None or not (found.code_hash == digest_of(ref.code) or found.account == _account(actor)):
        raise DraftNotFound
    return found


def held_attachments(held: Draft) -> list[DraftAttachment]:
    """The files of a draft with their contents, by the place they answer."""
    return _ATTACHMENTS.all(draft=held.id) if getattr(held, "has_attachments", True) else []


def _account(actor: Actor) -> UUID | bool | None:
    return actor.id if actor.kind.value == "citizen" and actor.id is not None else False


def view_of(found: Draft, code: str) -> DraftView:
    service: OnlineService = found.service
    return DraftView(
        ref=DraftRef(found.id, code),
        service_id=service.id,
        service_slug=service.slug,
        service_title=service.title,
        is_published=service.is_published,
        fee_cents=service.fee_cents,
        fee_text=service.fee_text,
        form=in_use(found.form_version_id, service),
        answers=dict(found.answers),
        attachments={a.path: Attached(a.id, a.path, a.filename, a.size, a.media_type) for a in held_attachments(found)},
        reached=found.reached,
        email=found.email,
        expires_at=found.expires_at,
    )
