"""Writes: the administrative board's rules, its meetings and their motions, and the minutes at the end."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.models import (
    Ballot,
    BoardMeeting,
    BoardRule,
    Choice,
    Fraction,
    Matter,
    MeetingForm,
    Motion,
    MotionResult,
    Weighing,
)
from verbund.modules.membership.policies import Permission
from verbund.modules.membership.queries.board import fraction_text, majority_of, quorum_of, rule_on
from verbund.platform import audit, files, printing
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, Invalid, NotFound, current_body, local_date, new_id

from .members import NotTheAlliance


class BadVote(Invalid):
    """What was entered about the board's votes cannot be taken."""


class VoteRefused(Conflict):
    """The rules of the board, or the state of the vote, forbid the step."""


@dataclass(frozen=True, slots=True)
class VotingRule:
    """VotingRule (Abstimmungsregel): how one kind of matter is decided; see `BoardRule`."""

    matter: str
    quorum: Fraction
    majority: Fraction
    weighing: str = Weighing.SEATS.value
    uniform: bool = True
    written_allowed: bool = False


@transaction.atomic
def set_board_rule(actor: Actor, *, rule: VotingRule, valid_from: date, source: str, now: datetime) -> None:
    """Set the rule (Abstimmungsregel) for a kind of matter from a day on; the one before ends the day before.

    Raises:
        policy.Denied, BadVote, VoteRefused (a rule from this day or later is set, or votes were cast from then on).
    """
    policy.require(actor, Permission.MANAGE_BOARD)
    errors: dict[str, str | Promise] = {}
    if rule.matter not in Matter.values or rule.weighing not in Weighing.values:
        errors["matter"] = _("Choose from the list.")
    for name, part in (("quorum", rule.quorum), ("majority", rule.majority)):
        if not (0 < part.den <= 1000 and 0 <= part.num <= part.den) or (part.over and part.num == part.den):
            errors[name] = _("Enter a fraction between 0 and 1 that can be reached.")
    if not source.strip():
        errors["source"] = _("Name the provision or the contract.")
    if errors:
        raise BadVote(errors)
    standing = BoardRule.objects.select_for_update().filter(matter=rule.matter)
    if standing.filter(valid_from__gte=valid_from).exists():
        raise VoteRefused(_("A value from this day on, or from a later one, is set already."))
    if Ballot.objects.filter(motion__matter=rule.matter, motion__meeting__held_on__gte=valid_from).exists():
        raise VoteRefused(_("Votes on or after this day were cast under the rule before. Let the new one begin later."))
    standing.filter(valid_until__isnull=True).update(valid_until=valid_from - timedelta(days=1))
    row = BoardRule.objects.create(
        id=new_id(),
        matter=rule.matter,
        weighing=rule.weighing,
        quorum_num=rule.quorum.num,
        quorum_den=rule.quorum.den,
        quorum_over=rule.quorum.over,
        majority_num=rule.majority.num,
        majority_den=rule.majority.den,
        majority_over=rule.majority.over,
        uniform=rule.uniform,
        written_allowed=rule.written_allowed,
        source=source.strip()[:300],
        valid_from=valid_from,
        recorded_at=now,
    )
    audit.record(
        actor,
        "membership.board.rule_set",
        "membership.boardrule",
        row.id,
        after={"matter": rule.matter, "valid_from": valid_from, "source": source},
    )


@transaction.atomic
def call_meeting(
    actor: Actor, *, held_on: date, form: str, now: datetime, place: str = "", idempotency_key: UUID | None = None
) -> UUID:
    """Call a meeting of the board (Sitzung), or begin a written procedure; `held_on` is its day, or its last one.

    The same `idempotency_key` again gives the meeting that is there already.

    Raises:
        policy.Denied, NotTheAlliance, BadVote.
    """
    policy.require(actor, Permission.MANAGE_BOARD)
    if not current_body().is_alliance:
        raise NotTheAlliance(_("Members are kept by the alliance only."))
    if form not in MeetingForm.values:
        raise BadVote({"form": _("Choose from the list.")})
    if form == MeetingForm.WRITTEN and held_on < local_date(now):
        raise BadVote({"held_on": _("The last day of a written procedure lies ahead.")})
    meeting = BoardMeeting(
        id=new_id(),
        held_on=held_on,
        form=form,
        place=" ".join(place.split())[:200],
        idempotency_key=idempotency_key,
        recorded_at=now,
    )
    try:
        with transaction.atomic():
            meeting.save(force_insert=True)
    except IntegrityError:
        return BoardMeeting.objects.get(idempotency_key=idempotency_key).id
    audit.record(
        actor, "membership.board.called", "membership.boardmeeting", meeting.id, after={"on": held_on, "form": form}
    )
    return meeting.id


@transaction.atomic
def table_motion(actor: Actor, *, meeting_id: UUID, title: str, text: str, matter: str, now: datetime) -> UUID:
    """Put a motion (Beschlussvorlage) on the agenda.

    Raises:
        policy.Denied, NotFound, BadVote, VoteRefused (closed, no rule, or no written procedure for such matters).
    """
    policy.require(actor, Permission.MANAGE_BOARD)
    meeting = open_meeting(meeting_id)
    errors: dict[str, str | Promise] = {}
    if not 2 <= len(title.strip()) <= 300:
        errors["title"] = _("Enter a title of 2 to 300 characters.")
    if not 2 <= len(text.strip()) <= 20_000:
        errors["text"] = _("Enter the text of the motion.")
    if matter not in Matter.values:
        errors["matter"] = _("Choose from the list.")
    if errors:
        raise BadVote(errors)
    if meeting.motions.filter(title=" ".join(title.split()), text=text.strip()).exists():
        raise VoteRefused(_("This motion is on the agenda already."))
    rule = required_rule(matter, meeting.held_on)
    if meeting.form == MeetingForm.WRITTEN and not rule.written_allowed:
        raise VoteRefused(_("Such matters are not decided in writing. Put the motion on the agenda of a meeting."))
    motion = Motion.objects.create(
        id=new_id(),
        meeting=meeting,
        number=meeting.motions.count() + 1,
        title=" ".join(title.split()),
        text=text.strip(),
        matter=matter,
        recorded_at=now,
    )
    audit.record(actor, "membership.board.motion_tabled", "membership.motion", motion.id, after={"title": motion.title})
    return motion.id


@transaction.atomic
def close_meeting(actor: Actor, *, meeting_id: UUID, now: datetime) -> int:
    """Close the meeting and write its minutes (Niederschrift) as PDF. Returns their number: 1, 2, 3 … without gaps.

    Raises:
        policy.Denied, NotFound, VoteRefused (closed already, votes still open, or another one is closed right now).
    """
    policy.require(actor, Permission.MANAGE_BOARD)
    meeting = open_meeting(meeting_id)
    motions = list(meeting.motions.select_related("result").order_by("number"))
    if not motions or any(not hasattr(m, "result") for m in motions):
        raise VoteRefused(_("Close the vote on every motion first; without a motion there are no minutes."))
    last = BoardMeeting.objects.exclude(minutes_number=None).order_by("-minutes_number").first()
    number = (last.minutes_number or 0) + 1 if last else 1
    stored = files.put(
        _minutes(meeting, motions, number), filename="niederschrift.pdf", allow=frozenset({"application/pdf"})
    )
    meeting.closed_at, meeting.minutes_number, meeting.minutes_sha256 = now, number, stored.sha256
    try:
        with transaction.atomic():
            meeting.save(update_fields=["closed_at", "minutes_number", "minutes_sha256"])
    except IntegrityError as error:
        raise VoteRefused(_("Another meeting was closed at the same moment. Try again.")) from error
    audit.record(
        actor,
        "membership.board.closed",
        "membership.boardmeeting",
        meeting.id,
        after={"minutes": number, "pdf": stored.sha256},
    )
    return number


def _minutes(meeting: BoardMeeting, motions: Iterable[Motion], number: int) -> bytes:
    with translation.override("de"):
        paragraphs: list[object] = [
            {
                "facts": [
                    [gettext("Form"), MeetingForm(meeting.form).label],
                    [gettext("Day"), f"{meeting.held_on:%d.%m.%Y}"],
                    [gettext("Place"), meeting.place or "–"],
                ]
            }
        ]
        for motion in motions:
            result = motion.result
            votes = motion.ballots.select_related("member").order_by("member__name", "person_name")
            out = motion.exclusions.select_related("member").order_by("member__name", "person_name")
            paragraphs += [
                {"heading": f"{motion.number}. {motion.title}"},
                motion.text,
                *_rule_lines(motion, meeting.held_on),
                {
                    "table": {
                        "columns": [
                            {"title": gettext("Carrier"), "wide": True},
                            {"title": gettext("Name")},
                            {"title": gettext("Vote")},
                        ],
                        "rows": [[b.member.name, b.person_name, str(Choice(b.choice).label)] for b in votes]
                        + [[e.member.name, e.person_name, gettext("excluded: %s") % e.reason] for e in out],
                    }
                },
                gettext("For: %(yes)s, against: %(no)s, abstentions: %(abstentions)s, of %(entitled)s votes.")
                % {
                    "yes": result.yes,
                    "no": result.no,
                    "abstentions": result.abstentions,
                    "entitled": result.entitled,
                },
                _verdict(result),
            ]
        data = {
            "subject": gettext("Minutes no. %(number)s of the administrative board") % {"number": number},
            "date": meeting.held_on,
            "paragraphs": paragraphs,
        }
    return printing.letter("printing/letter.typ", data)


def _rule_lines(motion: Motion, day: date) -> Iterable[str]:
    """By which rule it was decided, and how organs have bound the votes."""
    rule = rule_on(motion.matter, day)
    if rule is not None:
        yield gettext("%(matter)s. Quorum: %(quorum)s of the votes; majority: %(majority)s (%(source)s).") % {
            "matter": Matter(motion.matter).label,
            "quorum": fraction_text(quorum_of(rule)),
            "majority": fraction_text(majority_of(rule)),
            "source": rule.source,
        }
    for row in motion.instructions.select_related("member").order_by("member__name"):
        yield gettext("Instruction to %(member)s: %(choice)s (%(organ)s of %(day)s, %(resolution)s).") % {
            "member": row.member.name,
            "choice": Choice(row.choice).label,
            "organ": row.organ,
            "day": f"{row.decided_on:%d.%m.%Y}",
            "resolution": row.resolution or "–",
        }


def _verdict(result: MotionResult) -> str:
    if result.objected:
        return gettext("Not decided: somebody objected to the written procedure.")
    if not result.quorate:
        return gettext("Not decided: there was no quorum.")
    return gettext("The motion is carried.") if result.carried else gettext("The motion is rejected.")


def open_meeting(meeting_id: UUID) -> BoardMeeting:
    """The meeting, locked, as long as it is not closed.

    Raises:
        NotFound, VoteRefused.
    """
    meeting = BoardMeeting.objects.select_for_update().filter(id=meeting_id).first()
    if meeting is None:
        raise NotFound
    if meeting.closed_at is not None:
        raise VoteRefused(_("The meeting is closed, its minutes are written."))
    return meeting


def required_rule(matter: str, day: date) -> BoardRule:
    """The rule for such matters on a day.

    Raises:
        VoteRefused
    """
    rule = rule_on(matter, day)
    if rule is None:
        raise VoteRefused(_("No rule for such votes is set on this day. Set it first."))
    return rule
