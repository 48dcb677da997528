"""Opening, assigning, sealing and closing cases."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from verbund.modules.records.events import CaseClosed as CaseClosedEvent
from verbund.modules.records.events import CaseOpened
from verbund.modules.records.models import (
    Case,
    CaseReader,
    CaseState,
    File,
    FilePlanPosition,
    TimelineKind,
)
from verbund.modules.records.models.fileplan import MAX_RETENTION_YEARS
from verbund.modules.records.policies import Permission, stands_for, visible_cases
from verbund.modules.records.queries.cases import CaseNotFound
from verbund.modules.records.queries.seen import seen_case
from verbund.platform import audit, events
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, Invalid, local_date, new_id, part_of_transaction, rows
from verbund.platform.tenancy.kept import KeptQuery, given

from .filing import DocumentRef, NewDocument, check_documents, prepare
from .indexing import case_entry, move_entries
from .numbering import SUBJECT_FILES, give_back_number, next_number
from .once import once
from .texts import LONGEST_NOTE, check_metadata, check_title, lines, one_line
from .timeline import add_to_timeline, timeline_entry


class CaseInvalid(Invalid):
    """A case cannot be opened or changed like this."""


class CaseClosed(Conflict):
    """The case is closed; nothing can be added to it."""

    def __init__(self) -> None:
        super().__init__(_("This case is closed. Open a new case if there is more to do."))


class CaseMoved(Conflict):
    """Somebody else has changed the case since it was read."""

    def __init__(self) -> None:
        super().__init__(_("Somebody else has changed this case in the meantime. Read it again and repeat your step."))


@dataclass(frozen=True, slots=True)
class CaseRef:
    """CaseRef (Geschäftszeichen): how a case is named, and the documents it was opened with."""

    id: UUID
    reference: str
    file_reference: str
    documents: tuple[DocumentRef, ...] = ()


@dataclass(frozen=True, slots=True)
class ClosedCase:
    """ClosedCase (geschlossener Vorgang): `retention_until` is its last day of retention."""

    id: UUID
    retention_until: date


def open_case(
    actor: Actor,
    *,
    title: str,
    position: str,
    unit: str,
    origin: str,
    party: str,
    now: datetime,
    file_title: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    promised_on: date | None = None,
    documents: Callable[["CaseRef"], Sequence[NewDocument]] | None = None,
    idempotency_key: UUID | None = None,
) -> CaseRef:
    """Open a case (Vorgang anlegen) at a position of the file plan and give it its reference, `<code>-<year>/<number>`.

    Args:
        position: code of the file plan position.
        unit: code of the organisational unit that works on it.
        origin: opaque text of the process that opens it; "" if a person does.
        party: the name of the person or body concerned; may be empty.
        file_title: the subject file to which the case belongs, opened if there is none of that title at the
        position; without it the
            case belongs to the position's collecting file of the year.
        promised_on: the day by which the party has been promised an answer.
        documents: the documents the case begins with, made once its reference is known; filed as by `file_document`.
        idempotency_key: of the form; the same key again gives the case that is there already.

    Raises:
        DocumentInvalid, files.Refused: a document cannot be filed.
        CaseInvalid: unknown or closed position, missing title or unit, metadata that do not fit the position's fields.
        SentBefore, policy.Denied
    """

    def act() -> CaseRef:
        return _open_case(
            actor,
            title=title,
            position=position,
            unit=unit,
            origin=origin,
            party=party,
            now=now,
            file_title=file_title,
            metadata=metadata,
            promised_on=promised_on,
            documents=documents,
            key=idempotency_key,
        )

    def known(key: UUID) -> CaseRef | None:
        case = visible_cases(actor, origin or None).filter(idempotency_key=key).select_related("file").first()
        return None if case is None else CaseRef(case.id, case.reference, case.file.reference)

    return once(idempotency_key, "case_opened_once_by_form", act, known)


@part_of_transaction
def _open_case(
    actor: Actor,
    *,
    title: str,
    position: str,
    unit: str,
    origin: str,
    party: str,
    now: datetime,
    file_title: str | None,
    metadata: Mapping[str, Any] | None,
    promised_on: date | None,
    documents: Callable[["CaseRef"], Sequence[NewDocument]] | None,
    key: UUID | None,
) -> CaseRef:
    policy.require(actor, Permission.OPEN_CASE, when=actor.is_staff or actor.is_system or bool(origin))
    if documents is not None:
        policy.require(actor, Permission.FILE_DOCUMENT)
    errors: dict[str, str] = {}
    title, unit = check_title(title, errors), one_line(unit)
    if not unit:
        errors["unit"] = _("Name the unit that works on the case.")
    year, file_title = local_date(now).year, one_line(file_title or "")[:300]
    # Nearly every case belongs to a collecting file that is there: one query gives it with its position.
    file = None if file_title else _COLLECTING_FILE.first(code=position, year=year)
    stands_at = _POSITION.first(code=position) if file is None else file.position
    if stands_at is None or not stands_at.takes_cases:
        errors["position"] = _("The file plan has no position %(code)s that takes cases.") % {"code": position}
        raise CaseInvalid(errors)
    values = check_metadata(metadata, stands_at.metadata_fields, errors)
    if errors:
        raise CaseInvalid(errors)

    file = file or _file(stands_at, year, file_title, now)
    number = next_number(stands_at.id, year)
    case = rows.new(
        Case,
        id=new_id(),
        file_id=file.id,
        position_id=stands_at.id,
        reference=f"{stands_at.code}-{year}/{number:04d}",
        year=year,
        number=number,
        title=title,
        origin=origin,
        unit=unit,
        party=one_line(party)[:300],
        opened_at=now,
        promised_on=promised_on,
        metadata=values,
        idempotency_key=key,
    )
    new = documents(CaseRef(case.id, case.reference, file.reference)) if documents is not None else []
    check_documents(new)
    # Made first: entries of the same moment stand in the order of their ids.
    opened = timeline_entry(
        actor, case, TimelineKind.OPENED, now, values={"reference": case.reference}, visible_to_party=True
    )
    filing = prepare(actor, case, new, now)
    filing.opened.append(case)
    filing.timeline.insert(0, opened)
    filing.entries.insert(0, case_entry(case, file_reference=file.reference))
    filing.write()
    events.publish(actor, CaseOpened(case_id=case.id, reference=case.reference, origin=origin, unit=unit))
    opening = audit.Deed(
        "records.case.opened",
        "records.case",
        case.id,
        after={"reference": case.reference, "title": title, "unit": unit, "origin": origin},
    )
    audit.record_many(actor, [opening, *filing.deeds()])
    return CaseRef(case.id, case.reference, file.reference, tuple(filing.refs()))


_POSITION: Final = KeptQuery(lambda: FilePlanPosition.objects.filter(code=given("code")))
_COLLECTING_FILE: Final = KeptQuery(
    lambda: File.objects.select_related("position").filter(position__code=given("code"), year=given("year"))
)


def _file(position: FilePlanPosition, year: int, title: str, now: datetime) -> File:
    """The collecting file of the year, or the subject file of that title; opened if it is the first time."""
    wanted: dict[str, Any] = {"title": title, "number__isnull": False} if title else {"year": year}
    found = File.objects.filter(position=position, **wanted).first()
    if found is not None:
        return found
    number = next_number(position.id, SUBJECT_FILES) if title else None
    if title:  # the counter's lock is held: whoever opened the same file first has committed by now
        found = File.objects.filter(position=position, **wanted).first()
        if found is not None:
            # The number just taken goes back with a decrement under the same lock, so that the files stay without gaps.
            give_back_number(position.id, SUBJECT_FILES)
            return found
    file = File(
        id=new_id(),
        position=position,
        reference=f"{position.code}/{number}" if title else f"{position.code}-{year}",
        title=title or f"{position.title} {year}"[:300],
        year=None if title else year,
        number=number,
        opened_at=now,
    )
    File.objects.bulk_create([file], ignore_conflicts=True)
    return File.objects.get(position=position, **wanted)


@transaction.atomic
def assign_case(
    actor: Actor,
    *,
    case_id: UUID,
    now: datetime,
    person: UUID | None,
    person_name: str = "",
    unit: str | None = None,
    expected_revision: int | None = None,
) -> None:
    """Assign a case (Vorgang zuweisen) to a person, or hand it to another unit; `person=None` gives it back to the
    unit.

    Raises:
        CaseNotFound, CaseClosed, CaseMoved, CaseInvalid, policy.Denied
    """
    policy.require(actor, Permission.ASSIGN_CASE)
    case = open_case_for_change(actor, case_id, expected_revision)
    before = {"assigned_to": case.assigned_to, "unit": case.unit}
    if person == case.assigned_to and (unit is None or one_line(unit) == case.unit):
        return  # it lies there already
    case.assigned_to, case.assigned_name = person, one_line(person_name)[:200]
    if unit is not None:
        case.unit = one_line(unit)
        if not case.unit:
            raise CaseInvalid({"unit": _("Name the unit that works on the case.")})
    case.revision += 1
    case.save(update_fields=["assigned_to", "assigned_name", "unit", "revision"])
    move_entries(case)
    add_to_timeline(actor, case, TimelineKind.ASSIGNED, now, values={"person": case.assigned_name, "unit": case.unit})
    audit.record(
        actor,
        "records.case.assigned",
        "records.case",
        case.id,
        before=before,
        after={"assigned_to": case.assigned_to, "unit": case.unit},
    )


@transaction.atomic
def promise(actor: Actor, *, case_id: UUID, promised_on: date | None, now: datetime) -> None:
    """Set the day by which an answer has been promised (Frist setzen).

    Raises:
        CaseNotFound, CaseClosed, policy.Denied
    """
    policy.require(actor, Permission.ASSIGN_CASE)
    case = open_case_for_change(actor, case_id)
    before = case.promised_on
    case.promised_on = promised_on
    case.revision += 1
    case.save(update_fields=["promised_on", "revision"])
    audit.record(
        actor,
        "records.case.promised",
        "records.case",
        case.id,
        before={"promised_on": before},
        after={"promised_on": promised_on},
    )


@transaction.atomic
def seal_case(actor: Actor, *, case_id: UUID, readers: Iterable[UUID], now: datetime) -> None:
    """Seal a case (Vorgang sperren): from now on it exists only for its assignee, for `readers`, and for the sealing
    person.

    Raises:
        CaseNotFound, policy.Denied
    """
    policy.require(actor, Permission.SEAL_CASE)
    case = case_for_change(actor, case_id)
    case.is_sealed = True
    case.revision += 1
    case.save(update_fields=["is_sealed", "revision"])
    people = sorted({*readers, *stands_for(actor)} - {case.assigned_to})
    CaseReader.objects.filter(case=case).delete()
    CaseReader.objects.bulk_create([CaseReader(case=case, person=p) for p in people])
    move_entries(case)
    add_to_timeline(actor, case, TimelineKind.SEALED, now)
    audit.record(actor, "records.case.sealed", "records.case", case.id, after={"readers": [str(p) for p in people]})


@transaction.atomic
def unseal_case(actor: Actor, *, case_id: UUID, now: datetime) -> None:
    """Take the seal off a case (Sperre aufheben).

    Raises:
        CaseNotFound, policy.Denied
    """
    policy.require(actor, Permission.SEAL_CASE)
    case = case_for_change(actor, case_id)
    case.is_sealed = False
    case.revision += 1
    case.save(update_fields=["is_sealed", "revision"])
    CaseReader.objects.filter(case=case).delete()
    move_entries(case)
    add_to_timeline(actor, case, TimelineKind.UNSEALED, now)
    audit.record(actor, "records.case.unsealed", "records.case", case.id)


def note(
    actor: Actor,
    *,
    case_id: UUID,
    text: str,
    now: datetime,
    visible_to_party: bool = False,
    origin: str | None = None,
    idempotency_key: UUID | None = None,
) -> None:
    """Write a note (Vermerk) into the timeline; it is kept for good. The same `idempotency_key` again writes nothing.

    Raises:
        CaseInvalid: an empty or overlong text.
        CaseNotFound, policy.Denied
    """

    def act() -> bool:
        _note(actor, case_id, text, now, visible_to_party, origin, idempotency_key)
        return True

    once(idempotency_key, "timeline_written_once_by_form", act, lambda _key: True)


@transaction.atomic
def _note(
    actor: Actor, case_id: UUID, text: str, now: datetime, visible_to_party: bool, origin: str | None, key: UUID | None
) -> None:
    policy.require(actor, Permission.FILE_DOCUMENT)
    tidy = lines(text)
    if not tidy:
        raise CaseInvalid({"text": _("Write something before you save the note.")})
    if len(tidy) > LONGEST_NOTE:
        raise CaseInvalid(
            {"text": _("Shorten the note to at most %(longest)d characters.") % {"longest": LONGEST_NOTE}}
        )
    case = visible_cases(actor, origin).filter(pk=case_id).first()
    if case is None:
        raise CaseNotFound(case_id)
    shown = visible_to_party or not (actor.is_staff or actor.is_system)
    entry = timeline_entry(actor, case, TimelineKind.NOTE, now, text=tidy, visible_to_party=shown)
    entry.idempotency_key = key
    entry.save(force_insert=True)
    audit.record(actor, "records.case.noted", "records.case", case.id, after={"entry": str(entry.id)})


@transaction.atomic
def close_case(
    actor: Actor, *, case_id: UUID, now: datetime, retention_years: int | None = None, origin: str | None = None
) -> ClosedCase:
    """Close a case (Vorgang schliessen): its retention period begins at the end of the year and lasts the years of
    its position.

    A longer or shorter period can be named. A case that is closed already stays as it is, and its date is returned.

    Raises:
        CaseInvalid: a period that cannot be.
        CaseNotFound, policy.Denied
    """
    policy.require(actor, Permission.CLOSE_CASE)
    case = case_for_change(actor, case_id, origin=origin)
    if case.retention_until is not None:
        return ClosedCase(case.id, case.retention_until)
    years = retention_years if retention_years is not None else case.position.retention_years
    if years is None or not 0 <= years <= MAX_RETENTION_YEARS:
        raise CaseInvalid(
            {"retention_years": _("Name a period of 0 to %(most)d years.") % {"most": MAX_RETENTION_YEARS}}
        )
    case.state = CaseState.CLOSED
    case.closed_at = now
    case.retention_until = retention_end(local_date(now), years)
    case.revision += 1
    case.save(update_fields=["state", "closed_at", "retention_until", "revision"])
    add_to_timeline(actor, case, TimelineKind.CLOSED, now, values={"retention_until": case.retention_until.isoformat()})
    events.publish(actor, CaseClosedEvent(case.id, case.reference, case.origin, case.retention_until))
    audit.record(
        actor,
        "records.case.closed",
        "records.case",
        case.id,
        before={"state": CaseState.OPEN.value},
        after={"state": CaseState.CLOSED.value, "retention_until": case.retention_until, "retention_years": years},
    )
    return ClosedCase(case.id, case.retention_until)


def retention_end(closed_on: date, years: int) -> date:
    """The last day of a retention period (Aufbewahrungsfrist): it begins with the end of the year in which the case
    was closed.
    """
    return date(closed_on.year + years, 12, 31)


def case_for_change(actor: Actor, case_id: UUID, *, origin: str | None = None) -> Case:
    """The case, its row locked until the transaction ends.

    Raises:
        CaseNotFound
    """
    case = seen_case(actor, case_id, origin, lock=True)
    if case is None:
        raise CaseNotFound(case_id)
    return case


def open_case_for_change(
    actor: Actor, case_id: UUID, expected_revision: int | None = None, *, origin: str | None = None
) -> Case:
    """As `case_for_change`, for a step that a closed case no longer takes.

    Raises:
        CaseNotFound, CaseClosed, CaseMoved
    """
    case = case_for_change(actor, case_id, origin=origin)
    if not case.is_open:
        raise CaseClosed
    if expected_revision is not None and case.revision != expected_revision:
        raise CaseMoved
    return case
