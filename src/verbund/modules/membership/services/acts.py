"""The frame of every act in an accession: who may, from which state, on which day; and the history it leaves."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.models import RULES, Accession, AccessionState, Action, Leaving, ProcedureAct
from verbund.modules.membership.policies import Permission, visible_accessions
from verbund.platform import audit
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, Invalid, NotFound, local_date, new_id


class AccessionNotFound(NotFound):
    """There is no such accession that the actor may see."""


class StepRefused(Conflict):
    """The accession as it stands forbids the act; the message says why, and what is needed."""


class BadStep(Invalid):
    """What was entered for an act cannot be taken."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence (Nachweis): what an act rests on.

    `document` names the record or resolution; `legal_basis` replaces the usual provision; `date_known` is false when
    the day is assumed because no source names it, and then `note` says so.
    """

    document: str = ""
    reason: str = ""
    legal_basis: str = ""
    note: str = ""
    date_known: bool = True


NONE: Final = Evidence()


@dataclass(frozen=True, slots=True)
class Resolution:
    """Resolution (Beschluss): what an organ has decided, with its votes as far as they are known."""

    organ: str
    votes_for: int | None = None
    votes_against: int | None = None
    abstentions: int | None = None

    def require_sound(self) -> None:
        """Raises:
        BadStep: no organ, or votes that cannot be.
        """
        if not self.organ.strip():
            raise BadStep({"organ": _("Name the organ that has decided.")})
        if any(n is not None and not 0 <= n <= 999 for n in (self.votes_for, self.votes_against, self.abstentions)):
            raise BadStep({"votes_for": _("Enter the number of votes.")})

    def require_majority(self) -> None:
        """Raises:
        BadStep: no organ, or votes that cannot be. StepRefused: the votes are no majority.
        """
        self.require_sound()
        if self.votes_for is not None and self.votes_for <= (self.votes_against or 0):
            raise StepRefused(_("These votes are no majority: that is a refusal, not a consent."))

    def facts(self) -> dict[str, object]:
        """What is known of it, for the history."""
        return {key: value for key, value in asdict(self).items() if value is not None}


def begin(
    actor: Actor,
    accession_id: UUID,
    action: Action,
    *,
    on: date,
    now: datetime,
    permission: Permission = Permission.MANAGE_ACCESSIONS,
) -> Accession:
    """Lock the accession for `action`: two people acting at once are served one after the other.

    Raises:
        policy.Denied, AccessionNotFound, BadStep (a day in the future), StepRefused (not possible in its state).
    """
    policy.require(actor, permission)
    accession = (
        Accession.objects.select_for_update(of=("self",))
        .select_related("member")
        .filter(id=accession_id, id__in=visible_accessions(actor).values("id"))
        .first()
    )
    if accession is None:
        raise AccessionNotFound
    require_past(on, now)
    state = AccessionState(accession.state)
    if state not in RULES[action].sources:
        possible = ", ".join(str(a.label) for a in Action if a in RULES and state in RULES[a].sources)
        raise StepRefused(
            gettext("“%(step)s” is not possible at “%(state)s”. Possible now: %(possible)s.")
            % {"step": action.label, "state": state.label, "possible": possible or gettext("nothing, it is closed")}
        )
    return accession


def require_news(
    accession: Accession, action: Action, *, on: date, evidence: Evidence, details: Mapping[str, Any]
) -> None:
    """An act that may come again has to say something new (Doppelklick): not the day, the evidence and the details of
    the last act once more.

    Raises:
        StepRefused
    """
    last = accession.acts.order_by("-number").first()
    if last is None or (last.action, last.on, last.date_known) != (action.value, on, evidence.date_known):
        return
    told = (last.document, last.reason, last.note)
    wanted = {key: _plain(value) for key, value in details.items()}
    if told == (evidence.document, evidence.reason, evidence.note) and wanted.items() <= last.details.items():
        raise StepRefused(_("This was recorded just before, with the same content. It stands once."))


def require_past(on: date, now: datetime) -> None:
    """An act is recorded when it has happened.

    Raises:
        BadStep
    """
    if on > local_date(now):
        raise BadStep({"on": _("The day lies in the future. Record the act when it has happened.")})


def require_after(on: date, earlier: date | None, what: str) -> None:
    """Raises:
    StepRefused: `on` lies before what it builds on.
    """
    if earlier is not None and on < earlier:
        raise StepRefused(
            gettext("%(on)s lies before %(what)s (%(day)s). Check the date.")
            % {"on": f"{on:%d.%m.%Y}", "what": what, "day": f"{earlier:%d.%m.%Y}"}
        )


def finish(
    actor: Actor,
    accession: Accession,
    action: Action,
    *,
    on: date,
    now: datetime,
    evidence: Evidence,
    to: AccessionState | None = None,
    party: UUID | None = None,
    details: Mapping[str, Any] | None = None,
    fields: tuple[str, ...] = (),
) -> None:
    """Save the new state, leave the act in the history and the audit trail; the last line of an act."""
    rule = RULES.get(action)
    before = accession.state
    target = to or (rule.target if rule else None)
    if target is not None:
        accession.state = target.value
    accession.version += 1
    accession.save(update_fields=["state", "version", *fields])
    record_act(
        actor,
        action.value,
        accession=accession,
        on=on,
        now=now,
        evidence=evidence,
        legal_basis=rule.legal_basis if rule else "",
        party=party,
        details=details,
        state_after=accession.state,
    )
    audit.record(
        actor,
        f"membership.accession.{action.value}",
        "membership.accession",
        accession.id,
        before={"state": before},
        after={"state": accession.state, "on": on, "party": party, **(details or {})},
    )


def record_act(
    actor: Actor,
    action: str,
    *,
    on: date,
    now: datetime,
    evidence: Evidence,
    state_after: str,
    accession: Accession | None = None,
    leaving: Leaving | None = None,
    legal_basis: str = "",
    party: UUID | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """One row of the append-only history (Verfahrenshandlung)."""
    procedure = accession or leaving
    assert procedure is not None
    ProcedureAct.objects.create(
        id=new_id(),
        accession=accession,
        leaving=leaving,
        number=procedure.version,
        action=action,
        on=on,
        date_known=evidence.date_known,
        party_id=party,
        document=evidence.document,
        reason=evidence.reason,
        legal_basis=evidence.legal_basis or legal_basis,
        note=evidence.note,
        details={key: _plain(value) for key, value in (details or {}).items()},
        state_after=state_after,
        recorded_at=now,
        actor_id=actor.id,
        actor_name=actor.name,
    )


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID | date) else value
