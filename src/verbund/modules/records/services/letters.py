"""Letters: issuing them, sending them, and keeping the proof."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from verbund.modules.records.events import LetterDelivered, LetterIssued
from verbund.modules.records.gateways.mail import Notice, mailer
from verbund.modules.records.models import Channel, DocumentKind, Letter, LetterState, TimelineKind
from verbund.modules.records.policies import Permission, visible_cases
from verbund.modules.records.queries.documents import DocumentNotFound
from verbund.platform import audit, events, files, printing
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, Invalid, current_body, local_date, new_id, prepared_statements, rows

from .cases import open_case_for_change
from .deemed import deemed_on
from .filing import Filing, NewDocument
from .reading import read_text
from .texts import check_title, one_line
from .timeline import add_to_timeline


class LetterInvalid(Invalid):
    """A letter cannot be issued like this."""


class LetterAlreadyDelivered(Conflict):
    """The letter has been delivered; its proof stands."""

    def __init__(self) -> None:
        super().__init__(_("This letter has been delivered already. Its proof of delivery cannot be changed."))


@dataclass(frozen=True, slots=True)
class Recipient:
    """Recipient (Empfänger) of a letter.

    `mailbox` names the mailbox in the portal in words of the process room ("" for none): if there is one, the letter
    goes there, and
    `email` gets a notice without content. Without a mailbox it is printed and goes to `address`, line by line.
    """

    name: str
    address: tuple[str, ...] = field(default=())
    email: str = ""
    mailbox: str = ""


@dataclass(frozen=True, slots=True)
class LetterRef:
    """LetterRef (Schreiben, wie es gefertigt wurde)."""

    id: UUID
    document_id: UUID
    sha256: str
    size: int


@prepared_statements()
@transaction.atomic
def issue_letter(
    actor: Actor,
    *,
    case_id: UUID,
    title: str,
    template: str,
    data: Mapping[str, Any],
    recipient: Recipient,
    now: datetime,
    kind: str = DocumentKind.DECISION,
    origin: str | None = None,
) -> LetterRef:
    """Issue a letter (Schreiben fertigen): set it as PDF/A, file it in the case, and tell of it, so that it is
    dispatched.

    `template` and `data` are those of `printing.letter`; `subject`, `date`, `recipient` and `reference` are filled
    in from the title, the clock, the recipient and the case where `data` does not name them.

    Raises:
        LetterInvalid: no title, a recipient who cannot be reached.
        printing.Failed: the template cannot be set with these data.
        CaseNotFound, CaseClosed, policy.Denied
    """
    policy.require(actor, Permission.ISSUE_LETTER)
    errors: dict[str, str] = {}
    title = check_title(title, errors)
    to = _checked(recipient, errors)
    if kind not in DocumentKind.values:
        errors["kind"] = _("Choose a kind of document.")
    if errors:
        raise LetterInvalid(errors)
    case = open_case_for_change(actor, case_id, origin=origin)
    values = {
        "subject": title,
        "date": local_date(now),
        "recipient": [to.name, *to.address],
        "reference": case.reference,
        **data,
    }
    pdf = printing.letter(template, values)
    filename = files.clean_filename(f"{case.reference} {title}.pdf".replace("/", "-"))
    stored = files.put(pdf, filename=filename)
    filing = Filing(case)
    document = filing.add(
        actor,
        NewDocument(title, kind, stored, filename, {"recipient": to.name}, visible_to_party=True),
        read_text(pdf, stored.media_type),
        now,
        told=TimelineKind.LETTER_ISSUED,
        values={"recipient": to.name},
    )
    letter = rows.new(
        Letter,
        id=new_id(),
        case_id=case.id,
        document_id=document.id,
        template=template,
        recipient=asdict(to),
        sha256=stored.sha256,
        issued_at=now,
    )
    case.save(update_fields=["documents"])
    filing.write([letter])
    events.publish(
        actor,
        LetterIssued(
            letter_id=letter.id,
            case_id=case.id,
            document_id=document.id,
            origin=case.origin,
            issued_at=now,
        ),
    )
    after = {"case": case.reference, "document": str(document.id), "sha256": stored.sha256, "template": template}
    issued = audit.Deed("records.letter.issued", "records.letter", letter.id, after=after)
    audit.record_many(actor, [*filing.deeds(), issued])
    return LetterRef(letter.id, document.id, stored.sha256, stored.size)


@transaction.atomic
def dispatch_letter(actor: Actor, *, letter_id: UUID, now: datetime) -> None:
    """Send a letter off (absenden), by the first way that is open: mailbox in the portal, else the print room.

    Into a mailbox it is delivered at once, with the time as proof; `send_notice` then tells by e-mail that something
    lies there. For the print room it is marked, and whoever posts it records the delivery. A second call changes
    nothing.

    Raises:
        DocumentNotFound, policy.Denied
    """
    policy.require(actor, Permission.DELIVER_LETTER)
    letter = _for_change(actor, letter_id)
    if letter.state != LetterState.ISSUED:
        return
    to = letter.recipient
    if to["mailbox"]:
        proof = {"mailbox": str(to["mailbox"]), "made_available_at": now.isoformat()}
        _deliver(actor, letter, Channel.PORTAL, proof, now)
        return
    letter.state, letter.channel = LetterState.AT_PRINT_ROOM, Channel.PRINT
    letter.save(update_fields=["state", "channel"])
    audit.record(
        actor, "records.letter.to_print_room", "records.letter", letter.id, after={"state": letter.state, "at": now}
    )


@transaction.atomic
def record_delivery(actor: Actor, *, letter_id: UUID, channel: str, proof: Mapping[str, str], now: datetime) -> None:
    """Record that a letter left the house (Absendevermerk), with its proof; `now` is when it was posted or made
    available.

    Raises:
        LetterInvalid: an unknown channel.
        LetterAlreadyDelivered, DocumentNotFound, policy.Denied
    """
    policy.require(actor, Permission.DELIVER_LETTER)
    if channel not in Channel.values:
        raise LetterInvalid({"channel": _("Choose how the letter was sent.")})
    letter = _for_change(actor, letter_id)
    if letter.state == LetterState.DELIVERED:
        raise LetterAlreadyDelivered
    _deliver(actor, letter, Channel(channel), {k: one_line(v) for k, v in proof.items()}, now)


@transaction.atomic
def send_notice(actor: Actor, *, letter_id: UUID, now: datetime) -> None:
    """Tell the recipient by e-mail that a letter lies in the mailbox (Benachrichtigung); the proof of delivery keeps
    that it was told.

    Nothing happens for letters by other ways, without an e-mail address, or told of already. What the mail server
    refuses is raised, so that the job is tried again.

    Raises:
        DocumentNotFound, policy.Denied
    """
    policy.require(actor, Permission.DELIVER_LETTER)
    letter = _for_change(actor, letter_id)
    if letter.channel != Channel.PORTAL or not letter.recipient["email"] or "notice_message_id" in letter.proof:
        return
    notice = _notice(letter)
    mailer().send(notice)
    told = {"notice_to": notice.to, "notice_at": now.isoformat(), "notice_message_id": notice.message_id}
    letter.proof = {**letter.proof, **told}
    letter.save(update_fields=["proof"])
    audit.record(actor, "records.letter.notice_sent", "records.letter", letter.id, after=told)


def _deliver(actor: Actor, letter: Letter, channel: Channel, proof: dict[str, str], now: datetime) -> None:
    letter.state, letter.channel, letter.delivered_at = LetterState.DELIVERED, channel, now
    letter.deemed_on = deemed_on(local_date(now))
    letter.proof = {"channel": str(channel), "sha256": letter.sha256, "at": now.isoformat(), **proof}
    letter.save(update_fields=["state", "channel", "delivered_at", "deemed_on", "proof"])
    title, name = letter.document.title, str(letter.recipient["name"])
    add_to_timeline(
        actor,
        letter.case,
        TimelineKind.LETTER_DELIVERED,
        now,
        values={
            "title": title,
            "recipient": name,
            "channel": str(channel),
            "deemed_on": letter.deemed_on.isoformat(),
        },
        visible_to_party=True,
    )
    events.publish(
        actor,
        LetterDelivered(
            letter_id=letter.id,
            case_id=letter.case_id,
            document_id=letter.document_id,
            origin=letter.case.origin,
            channel=str(channel),
            delivered_at=now,
            deemed_on=letter.deemed_on,
        ),
    )
    audit.record(
        actor,
        "records.letter.delivered",
        "records.letter",
        letter.id,
        after={"channel": str(channel), "delivered_at": now, "deemed_on": letter.deemed_on, "proof": letter.proof},
    )


def _notice(letter: Letter) -> Notice:
    body = current_body().name
    return Notice(
        to=str(letter.recipient["email"]),
        subject=_("%(body)s: a letter lies in your mailbox") % {"body": body},
        text=_(
            "Good day,\n\na letter from %(body)s lies in your mailbox in the portal. For the protection of your data it"
            " is not attached to this message. Please sign in to read it.\n\nReference: %(reference)s\n"
        )
        % {"body": body, "reference": letter.case.reference},
        message_id=f"<{letter.id}@{current_body().slug}.verbund>",
    )


def _checked(recipient: Recipient, errors: dict[str, str]) -> Recipient:
    name = one_line(recipient.name)
    address = tuple(line for line in map(one_line, recipient.address) if line)
    email = recipient.email.strip()
    if not name:
        errors["recipient"] = _("Name the recipient.")
    elif not recipient.mailbox and not address:
        errors["recipient"] = _("The letter has neither a mailbox nor an address to go to.")
    if email:
        try:
            validate_email(email)
        except ValidationError:
            errors["email"] = _("Check the recipient's e-mail address.")
    return Recipient(name, address, email, one_line(recipient.mailbox))


def _for_change(actor: Actor, letter_id: UUID) -> Letter:
    letter = (
        Letter.objects.filter(pk=letter_id, case__in=visible_cases(actor))
        .select_related("case", "document")
        .select_for_update(of=("self",))
        .first()
    )
    if letter is None:
        raise DocumentNotFound(letter_id)
    return letter
