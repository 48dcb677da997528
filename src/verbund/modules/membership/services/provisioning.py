"""Writes of provisioning: what a body is to have, the steps that bring it there, and the plan of taking it over.

Each step may be repeated without harm. The tenant is founded in a job of its own (`TenantWished`); what other rooms do
is asked for by `BodyPrepared` and answered by `RoomPrepared`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.events import BodyPrepared, FirstPerson, MemberProvisioned, RoomPrepared, TenantWished
from verbund.modules.membership.models import (
    Accession,
    Member,
    Provisioning,
    ProvisioningStep,
    ServiceAgreement,
    Step,
    StepState,
)
from verbund.modules.membership.policies import (
    Permission,
    visible_members,
    visible_provisionings,
)
from verbund.modules.membership.queries.provisioning import (
    ProvisioningNotFound,
    ProvisioningView,
    view_of,
)
from verbund.platform import audit, events
from verbund.platform.identity import policy
from verbund.platform.identity import services as identity
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.roles import ALLIANCE_ROLES, Role
from verbund.platform.tenancy import Conflict, Invalid, current_body, local_date, new_id
from verbund.platform.tenancy.bodies import create_body
from verbund.platform.tenancy.hosts import main_host, taken_hosts, taken_names

from .agreements import follow_one
from .members import MemberNotFound, NotTheAlliance

# What other rooms do, in waves: the next begins when all of the one before are done.
_WAVES: Final[tuple[tuple[Step, ...], ...]] = ((Step.PEOPLE, Step.FILE_PLAN, Step.CHART), (Step.SERVICES,))


_RESERVED: Final = frozenset({"public", "information_schema"})
_HOST: Final = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*\Z"
)


class BadProvisioning(Invalid):
    """What was entered for a body to be made ready cannot be taken."""


class NotCleared(Conflict):
    """Nothing is done for a candidate before legal acts may be executed (§ 77 (1) KV M-V, M2)."""


class ProvisioningConflict(Conflict):
    """The state of the provisioning forbids the step."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """Wishes (Ausstattung): what a body is to have when it begins. `ledger` empty means no books."""

    hosts: tuple[str, ...] = ()
    letterhead: Mapping[str, str] = field(default_factory=dict)
    accent_colour: str = "#1d4b8f"
    people: tuple[FirstPerson, ...] = ()
    ledger: str = "K1"
    templates: tuple[str, ...] = ()


@transaction.atomic
def plan_provisioning(actor: Actor, *, member_id: UUID, wishes: Wishes, now: datetime) -> ProvisioningView:
    """Plan what a member's body is to have (Bereitstellung planen); may be changed until it has begun.

    Raises:
        policy.Denied, NotTheAlliance, MemberNotFound, BadProvisioning (per field),
        ProvisioningConflict (it has begun, or the member has a tenant).
    """
    policy.require(actor, Permission.PROVISION)
    member = member_of(actor, member_id)
    row = _plan(member, wishes, now)
    audit.record(
        actor,
        "membership.provisioning.planned",
        "membership.member",
        member.id,
        after={"hosts": row.hosts, "ledger": row.ledger, "templates": row.templates, "people": len(row.people)},
    )
    return view_of(row)


def _plan(member: Member, wishes: Wishes, now: datetime) -> Provisioning:
    if member.schema_name:
        raise ProvisioningConflict(_("This body has been set up already."))
    row = Provisioning.objects.select_for_update().filter(member=member).first()
    if row is not None and row.started_at is not None:
        raise ProvisioningConflict(_("Making this body ready has begun: the plan cannot be changed any more."))
    hosts = [host.strip().lower() for host in wishes.hosts] or [_default_host(member.slug)]
    errors = _errors(wishes, hosts)
    if errors:
        raise BadProvisioning(errors)
    if row is None:
        row = Provisioning(id=new_id(), member=member, planned_at=now)
    row.schema_name = _schema_for(member.slug)
    if taken_names(row.schema_name, member.slug):
        raise ProvisioningConflict(_("Another body has this short name already. Enter the member under another one."))
    row.hosts = hosts
    row.letterhead = {str(key): str(value) for key, value in wishes.letterhead.items()}
    row.accent_colour = wishes.accent_colour
    row.people = [{"email": p.email, "name": p.name, "role": p.role} for p in wishes.people]
    row.ledger = wishes.ledger
    row.templates = list(wishes.templates)
    try:
        row.full_clean(validate_unique=False, exclude=["member", "people"])
    except ValidationError as error:
        raise BadProvisioning({name: " ".join(words) for name, words in error.message_dict.items()}) from error
    row.save()
    for position, step in enumerate(Step):
        ProvisioningStep.objects.get_or_create(
            provisioning=row, step=step, defaults={"id": new_id(), "position": position}
        )
    return row


def _schema_for(slug: str) -> str:
    """A schema named after the member that is nobody else's: not PostgreSQL's, and beginning with a letter."""
    name = slug.lower().replace("-", "_")[:40]
    if re.match(r"[a-z][a-z0-9_]+\Z", name) and not name.startswith("pg_") and name not in _RESERVED:
        return name
    return f"body_{name}"


def _default_host(slug: str) -> str:
    """The member's short name below the alliance's domain."""
    own = main_host(current_body().id)
    return f"{slug}.{own.partition('.')[2] or 'localhost'}"


def _errors(wishes: Wishes, hosts: Sequence[str]) -> dict[str, str | Promise]:
    errors: dict[str, str | Promise] = {}
    if wrong := [host for host in hosts if not _HOST.match(host)]:
        errors["hosts"] = _("%(host)s is not a host name.") % {"host": wrong[0][:80]}
    elif taken := taken_hosts(hosts):
        errors["hosts"] = _("Another body is reached under %(host)s.") % {"host": taken[0]}
    for person in wishes.people:
        try:
            validate_email(person.email)
        except ValidationError:
            errors["people"] = _("Enter an e-mail address such as name@example.org for everybody.")
        if person.role not in set(Role) - ALLIANCE_ROLES:
            errors["people"] = _("Choose a role that a body has for everybody.")
        if not 2 <= len(" ".join(person.name.split())) <= 200:
            errors["people"] = _("Enter first and last name of everybody.")
    if wishes.people and not any(person.role == Role.BODY_ADMIN for person in wishes.people):
        errors.setdefault("people", _("Name at least one person who is to administer the body."))
    return errors


@transaction.atomic
def provision(actor: Actor, *, member_id: UUID, now: datetime) -> ProvisioningView:
    """Make a member's body ready (Bereitstellung beginnen); asked again it goes on where it stands.

    Without a plan the body gets a tenant, the rooms agreed, a file plan and books.

    Raises:
        policy.Denied, NotTheAlliance, MemberNotFound, BadProvisioning,
        NotCleared (a candidate before its clearance, without an agreement as co-user).
    """
    policy.require(actor, Permission.PROVISION)
    member = member_of(actor, member_id)
    _require_clearance(member, local_date(now))
    row = Provisioning.objects.select_for_update().filter(member=member).first()
    if row is None:
        row = _plan(member, Wishes(), now)
    if row.ended_at is not None:
        return view_of(row)
    if row.started_at is None:
        row.started_at = now
        row.save(update_fields=["started_at"])
        audit.record(
            actor,
            "membership.provisioning.begun",
            "membership.member",
            member.id,
            after={"schema": row.schema_name, "hosts": row.hosts},
        )
    _go_on(actor, row, now, again=True)
    return view_of(row)


@transaction.atomic
def provision_new_carrier(actor: Actor, *, member_id: UUID, now: datetime) -> None:
    """Make the body of a new carrier ready; one that has its tenant already (a former co-user) keeps it.

    Raises: as `provision`.
    """
    policy.require(actor, Permission.PROVISION)
    if member_of(actor, member_id).schema_name:
        follow_one(actor, member_id=member_id, now=now)
    else:
        provision(actor, member_id=member_id, now=now)


def _require_clearance(member: Member, today: date) -> None:
    """M2: no access to data for a candidate before clearance; a co-user has an agreement of its own."""
    if member.schema_name:
        return
    cleared = Accession.objects.filter(member=member, cleared_on__lte=today)
    co_use = ServiceAgreement.objects.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gte=today), member=member, as_carrier=False
    )
    if not cleared.exists() and not co_use.exists():
        raise NotCleared(
            _("Nothing may be set up for this body yet: there is neither clearance nor an agreement as co-user.")
        )


@transaction.atomic
def retry_provisioning(actor: Actor, *, member_id: UUID, now: datetime) -> ProvisioningView:
    """Try the failed steps once more.

    Raises:
        policy.Denied, ProvisioningNotFound, ProvisioningConflict (nothing has failed).
    """
    policy.require(actor, Permission.PROVISION)
    row = _locked(actor, Q(member_id=member_id))
    if not row.steps.filter(state=StepState.FAILED).update(state=StepState.WAITING, reason="", ended_at=None):
        raise ProvisioningConflict(_("No step has failed."))
    audit.record(actor, "membership.provisioning.retried", "membership.member", row.member_id)
    _go_on(actor, row, now, again=True)
    return view_of(row)


@transaction.atomic
def make_tenant(actor: Actor, *, provisioning_id: UUID, now: datetime) -> None:
    """Found the member's tenant (Mandant): schema, tables, role, host and letterhead; takes about a second.

    What stands in the way is written down at the step; made twice it is made once.

    Raises:
        policy.Denied, ProvisioningNotFound.
    """
    policy.require(actor, Permission.PROVISION)
    row = _locked(actor, Q(id=provisioning_id))
    if row.steps.get(step=Step.TENANT).state != StepState.RUNNING:
        return
    member, problem = row.member, ""
    try:
        with transaction.atomic():
            create_body(
                schema_name=row.schema_name,
                slug=member.slug,
                name=member.name,
                kind=member.body_kind.value,
                hosts=row.hosts,
                ags=member.ags,
                ars=member.ars,
                accent_colour=row.accent_colour,
                letterhead=row.letterhead,
                rooms=[],
            )
    except ValidationError as error:
        problem = "; ".join(f"{name}: {' '.join(words)}" for name, words in error.message_dict.items())
    except Conflict as conflict:
        problem = str(conflict.message)
    _end(row, Step.TENANT, now, problem)
    if not problem:
        _go_on(actor, row, now)


@transaction.atomic
def note_part(actor: Actor, *, answer: RoomPrepared, now: datetime) -> None:
    """A room of the new body has done its part, or says what is wrong.

    Raises:
        policy.Denied, ProvisioningNotFound.
    """
    policy.require(actor, Permission.PROVISION)
    row = _locked(actor, Q(id=answer.provisioning_id, schema_name=answer.schema_name))
    _end(row, Step(answer.part), now, answer.problem)
    _go_on(actor, row, now)


def _go_on(actor: Actor, row: Provisioning, now: datetime, *, again: bool = False) -> None:
    """Do, or ask for, whatever can be done next; `again`: also what is under way."""
    states = {Step(step.step): step.state for step in row.steps.all()}
    done = {step for step, state in states.items() if state == StepState.DONE}
    if Step.TENANT not in done:
        if states[Step.TENANT] != StepState.FAILED:
            _begin(row, Step.TENANT, now)
            events.publish(actor, TenantWished(row.id))  # founded in a job of its own: nobody waits for it in a page
        return
    if Step.ROOMS not in done:
        _begin(row, Step.ROOMS, now)
        _register(actor, row, now)
        _end(row, Step.ROOMS, now)
    for wave in _WAVES:
        missing = [step for step in wave if step not in done]
        asked = [step for step in missing if states[step] != StepState.FAILED]
        for step in asked:
            _begin(row, step, now)
        # A part that is under way is asked for once more only by who asks for the whole: it does nothing twice, and an
        # answer may have been lost. An answer to another part is no reason: both would do it at the same time.
        for step in asked:
            if again or states[step] != StepState.RUNNING:
                _ask(actor, row, step)
        if missing:
            return
    if Step.READY not in done:
        _begin(row, Step.READY, now)
        _end(row, Step.READY, now)
        row.ended_at = now
        row.save(update_fields=["ended_at"])
        events.publish(actor, MemberProvisioned(row.member_id, row.schema_name))
        after = {"schema": row.schema_name}
        audit.record(actor, "membership.provisioning.ended", "membership.member", row.member_id, after=after)


def _register(actor: Actor, row: Provisioning, now: datetime) -> None:
    """Tie the member to its tenant and switch on what is agreed for today."""
    member = Member.objects.select_for_update().get(id=row.member_id)
    if member.schema_name != row.schema_name:
        member.schema_name = row.schema_name
        member.version += 1
        member.save(update_fields=["schema_name", "version"])
        audit.record(actor, "membership.tenant.made", "membership.member", member.id, after={"schema": row.schema_name})
    follow_one(actor, member_id=member.id, now=now)


def _ask(actor: Actor, row: Provisioning, step: Step) -> None:
    people = tuple(FirstPerson(p["email"], p["name"], p["role"]) for p in row.people) if step == Step.PEOPLE else ()
    wish = BodyPrepared(
        provisioning_id=row.id,
        alliance=actor.body,
        part=step.value,
        name=row.member.name,
        people=people,
        ledger=row.ledger if step in (Step.CHART, Step.SERVICES) else "",
        templates=tuple(row.templates) if step == Step.SERVICES else (),
    )
    events.publish(actor, wish, to_body=row.schema_name)


def _begin(row: Provisioning, step: Step, now: datetime) -> None:
    entry = row.steps.get(step=step)
    if entry.state in (StepState.WAITING, StepState.FAILED):
        entry.state, entry.started_at, entry.ended_at, entry.reason = StepState.RUNNING, now, None, ""
        entry.attempts += 1
        entry.save(update_fields=["state", "started_at", "ended_at", "reason", "attempts"])


def _end(row: Provisioning, step: Step, now: datetime, problem: str = "") -> None:
    entry = row.steps.get(step=step)
    if entry.state == StepState.DONE:
        return
    entry.state = StepState.FAILED if problem else StepState.DONE
    entry.started_at, entry.ended_at, entry.reason = entry.started_at or now, now, problem[:500]
    entry.save(update_fields=["state", "started_at", "ended_at", "reason"])


def _locked(actor: Actor, which: Q) -> Provisioning:
    row = visible_provisionings(actor).select_for_update(of=("self",)).select_related("member").filter(which).first()
    if row is None:
        raise ProvisioningNotFound
    return row


def member_of(actor: Actor, member_id: UUID) -> Member:
    """The member, locked.

    Raises:
        NotTheAlliance, MemberNotFound.
    """
    if not current_body().is_alliance:
        raise NotTheAlliance(_("Members are kept by the alliance only."))
    member = visible_members(actor).select_for_update().filter(id=member_id).first()
    if member is None:
        raise MemberNotFound
    return member


# --- in the new body's own tenant ------------------------------------------------------------------------------------


@transaction.atomic
def invite_first_people(actor: Actor, *, people: Iterable[FirstPerson], now: datetime) -> int:
    """Give the first people of the body their access and invite them by e-mail; those who have it are left alone.

    Returns how many are new.

    Raises:
        policy.Denied, identity.PersonInvalid.
    """
    policy.require(actor, Permission.PREPARE_BODY)
    new = 0
    for person in people:
        try:
            with transaction.atomic():
                identity.create_person(
                    actor, email=person.email, display_name=person.name, role=person.role, valid_from=now, now=now
                )
        except identity.PersonConflict:
            continue  # has it since an earlier attempt
        new += 1
    return new
