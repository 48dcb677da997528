"""People and their assignments, as the administration of a body manages them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from verbund.platform import audit, events
from verbund.platform.identity import passwords, policy, seal, throttle
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.events import AccessReset, EmailChanged, LinkRequested
from verbund.platform.identity.local.models import OrgUnit, Token
from verbund.platform.identity.models import Assignment, Person, RecoveryCode, SecondFactor, normal_email, normal_name
from verbund.platform.identity.policies import Permission, may_reset_access, visible_people
from verbund.platform.identity.queries import PersonNotFound
from verbund.platform.identity.recognition import staff_actor
from verbund.platform.identity.roles import ALLIANCE_ROLES, Role
from verbund.platform.tenancy import Conflict, Invalid, current_body, new_id
from verbund.platform.tenancy.models import Body

from .links import LinkInvalid, issue, redeem, subject_of
from .signin import PER_ACCOUNT, PER_ADDRESS


class PersonInvalid(Invalid):
    """What was entered cannot be taken."""


class PersonConflict(Conflict):
    """The present state forbids the step."""


@dataclass(frozen=True, slots=True)
class PersonRef:
    """The answer to `create_person`; `known` when the person already worked for a body of the alliance."""

    id: UUID
    assignment_id: UUID
    known: bool


def create_person(
    actor: Actor,
    *,
    email: str,
    display_name: str,
    role: Role | str,
    unit: str = "",
    valid_from: datetime,
    valid_until: datetime | None = None,
    now: datetime,
    language: str = "de",
    invite: bool = True,
    trust_home: bool = False,
) -> PersonRef:
    """Give somebody access to the present body: the person, the first assignment, the invitation by e-mail.

    Somebody who already works for another body keeps name and password and is only assigned. The administration of that
    body goes on holding the means to sign in, so `trust_home` must say that the actor knows it.

    Raises:
        PersonInvalid: per field. PersonConflict: the person already has this assignment. policy.Denied.
    """
    policy.require(actor, Permission.MANAGE_PEOPLE)
    errors: dict[str, str] = {}
    email = normal_email(email)
    try:
        validate_email(email)
    except ValidationError:
        errors["email"] = _("Enter an e-mail address such as name@example.org.")
    display_name = normal_name(display_name)
    if not 2 <= len(display_name) <= 200:
        errors["display_name"] = _("Enter first and last name.")
    errors |= _assignment_errors(role, unit, valid_from, valid_until)
    if errors:
        raise PersonInvalid(errors)
    with transaction.atomic():
        wanted = new_id()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT public.identity_enlist(%s, %s, %s, %s, %s)",
                [wanted, email, display_name, current_body().id, now],
            )
            found: UUID = cursor.fetchone()[0]
        known = found != wanted
        if known:
            policy.require(actor, Permission.MANAGE_PEOPLE, when=found != actor.id)
        assignment = _assign(found, Role(role), unit, valid_from, valid_until, now)
        if known and not trust_home and not actor.is_system:
            _ask_for_trust(found)  # rolls the assignment back, which alone made the person visible here
        if not known:
            audit.record(
                actor, "identity.person_created", "person", found, after={"name": display_name, "email": email}
            )
            if invite:
                events.publish(actor, LinkRequested(Token.Kind.INVITATION.value, found, language))
        audit.record(actor, "identity.role_assigned", "person", found, after=_values(assignment))
    return PersonRef(found, assignment.id, known)


def _ask_for_trust(person_id: UUID) -> None:
    home = Body.objects.get(pk=Person.objects.values_list("home_body_id", flat=True).get(pk=person_id))
    if home.id != current_body().id:
        raise PersonInvalid(
            {
                "trust_home": _(
                    "This person is kept by %(home)s. The administration there can change the e-mail address, reset "
                    "the second factor and block the sign-in, and so reach what you entrust to the person here. "
                    "Confirm that you know the person and that this is right."
                )
                % {"home": home.name}
            }
        )


def assign_role(
    actor: Actor,
    *,
    person_id: UUID,
    role: Role | str,
    unit: str = "",
    valid_from: datetime,
    valid_until: datetime | None = None,
    now: datetime,
) -> UUID:
    """Give a person of the body a further role; nobody does so for themselves. Returns the assignment's id.

    Raises:
        PersonNotFound, PersonInvalid, PersonConflict (has it already), policy.Denied.
    """
    policy.require(actor, Permission.MANAGE_PEOPLE, when=person_id != actor.id)
    with transaction.atomic():
        person = _person(actor, person_id)
        errors = _assignment_errors(role, unit, valid_from, valid_until)
        if errors:
            raise PersonInvalid(errors)
        assignment = _assign(person.id, Role(role), unit, valid_from, valid_until, now)
        audit.record(actor, "identity.role_assigned", "person", person.id, after=_values(assignment))
    return assignment.id


def end_assignment(actor: Actor, *, assignment_id: UUID, now: datetime, at: datetime | None = None) -> None:
    """End an assignment now, or at a later moment; the last administrator of a body stays until there is another.

    Raises:
        PersonNotFound, PersonInvalid (`at` in the past), PersonConflict (over already, last administrator),
        policy.Denied.
    """
    policy.require(actor, Permission.MANAGE_PEOPLE)
    end = at or now
    with transaction.atomic():
        body = current_body().id
        row = Assignment.objects.select_for_update().filter(pk=assignment_id, body_id=body).first()
        if row is None:
            raise PersonNotFound
        if end < now:
            raise PersonInvalid({"at": _("The end lies in the past. Choose today or a later day.")})
        if row.valid_until is not None and row.valid_until <= now:
            raise PersonConflict(gettext_lazy("This assignment has already ended."))
        if row.role == Role.BODY_ADMIN and not actor.is_system:
            others = (
                Assignment.objects.select_for_update()
                .filter(body_id=body, role=Role.BODY_ADMIN, valid_until=None, person__is_active=True)
                .exclude(pk=row.pk)
            )
            if not others.exists():
                raise PersonConflict(
                    gettext_lazy(
                        "This is the last administrator of the body. Assign another one first, without an end date."
                    )
                )
        before = {"valid_until": row.valid_until}
        row.valid_until = max(end, row.valid_from)
        row.save(update_fields=["valid_until"])
        audit.record(
            actor,
            "identity.role_ended",
            "person",
            row.person_id,
            before,
            {**_values(row), "valid_until": row.valid_until},
        )


def change_person(
    actor: Actor, *, person_id: UUID, email: str, display_name: str, now: datetime, language: str = "de"
) -> None:
    """Correct name or e-mail address; only the home body does. Another address is told to the old one.

    Raises:
        PersonNotFound, PersonInvalid, policy.Denied.
    """
    policy.require(actor, Permission.MANAGE_PEOPLE)
    with transaction.atomic():
        person = _person(actor, person_id)
        policy.require(actor, Permission.MANAGE_PEOPLE, when=may_reset_access(actor, person))
        email, display_name = normal_email(email), normal_name(display_name)
        try:
            validate_email(email)
        except ValidationError:
            raise PersonInvalid({"email": _("Enter an e-mail address such as name@example.org.")}) from None
        if not 2 <= len(display_name) <= 200:
            raise PersonInvalid({"display_name": _("Enter first and last name.")})
        if email != person.email and _taken(email, person.id):
            raise PersonInvalid({"email": _("This e-mail address belongs to another person.")})
        before = {"name": person.display_name, "email": person.email}
        if email != person.email and person.email:
            sealed = seal.close(person.email.encode()).decode()
            events.publish(actor, EmailChanged(person.id, sealed, language))
        person.email, person.display_name = email, display_name
        person.save(update_fields=["email", "display_name"])
        audit.record(
            actor, "identity.person_changed", "person", person.id, before, {"name": display_name, "email": email}
        )


def deactivate_person(actor: Actor, *, person_id: UUID, active: bool = False, now: datetime) -> None:
    """Block a person's sign-in everywhere, at once (or unblock it with `active`); only the home body does.

    Raises:
        PersonNotFound, policy.Denied.
    """
    policy.require(actor, Permission.MANAGE_PEOPLE)
    with transaction.atomic():
        person = _person(actor, person_id)
        policy.require(actor, Permission.MANAGE_PEOPLE, when=may_reset_access(actor, person))
        if person.is_active == active:
            return
        person.is_active = active
        person.session_epoch += 1
        person.save(update_fields=["is_active", "session_epoch"])
        audit.record(
            actor,
            "identity.person_unblocked" if active else "identity.person_blocked",
            "person",
            person.id,
            {"is_active": not active},
            {"is_active": active},
        )


def invite_person(actor: Actor, *, person_id: UUID, now: datetime, language: str = "de") -> None:
    """Send the invitation once more; somebody who has a password gets a link for a new one instead.

    Raises:
        PersonNotFound, policy.Denied.
    """
    policy.require(actor, Permission.MANAGE_PEOPLE)
    with transaction.atomic():
        person = _person(actor, person_id)
        kind = Token.Kind.STAFF_PASSWORD if person.password else Token.Kind.INVITATION
        events.publish(actor, LinkRequested(kind.value, person.id, language))
        audit.record(actor, "identity.link_requested", "person", person.id, after={"kind": kind.value})


def invitation_secret(actor: Actor, *, person_id: UUID, now: datetime) -> str:
    """The secret of a fresh invitation, for the command line that sets up a body before there is a mail server.

    Raises:
        policy.Denied: for everybody but the system.
    """
    policy.require(actor, Permission.SEND_LINKS)
    with transaction.atomic():
        secret = issue(Token.Kind.INVITATION, person_id, now=now)
        audit.record(actor, "identity.link_requested", "person", person_id, after={"kind": "invitation"})
    return secret


def set_initial_password(actor: Actor, *, person_id: UUID, password: str, now: datetime) -> None:
    """Set a password without a link, for demonstrations set up by the command line.

    Raises:
        PersonInvalid: weak. PersonNotFound. policy.Denied: for everybody but the system.
    """
    policy.require(actor, Permission.SEND_LINKS)
    with transaction.atomic():
        person = Person.objects.select_for_update().filter(pk=person_id).first()
        if person is None:
            raise PersonNotFound
        _set_password(person, password)
        audit.record(actor, "identity.password_set", "person", person.id)


def request_staff_password(actor: Actor, *, email: str, address: str, language: str, now: datetime) -> None:
    """Send a link for a new password, if there is such a person; the answer is the same if not.

    Raises:
        throttle.Blocked: asked too often.
    """
    policy.require(actor, Permission.SIGN_IN)
    email = normal_email(email)
    network = throttle.network_of(address)
    throttle.attempt("staff.link", email, PER_ACCOUNT, now=now)
    throttle.attempt("staff.link.address", network, PER_ADDRESS, now=now)
    with transaction.atomic():
        person = Person.objects.filter(email=email, is_active=True).first()
        if person is not None and staff_actor(person.id, now=now) is not None:
            kind = Token.Kind.STAFF_PASSWORD if person.password else Token.Kind.INVITATION
            events.publish(actor, LinkRequested(kind.value, person.id, language))
            audit.record(actor, "identity.link_requested", "person", person.id, after={"kind": kind.value})


def set_staff_password(actor: Actor, *, kind: Token.Kind, secret: str, password: str, now: datetime) -> Person:
    """Set the password with a link out of an e-mail; every session of the person ends.

    Raises:
        LinkInvalid; PersonInvalid: the password is too weak (the link stays valid).
    """
    policy.require(actor, Permission.SIGN_IN)
    if kind not in (Token.Kind.INVITATION, Token.Kind.STAFF_PASSWORD):
        raise LinkInvalid
    with transaction.atomic():
        subject = subject_of(kind, secret, now=now)
        person = Person.objects.select_for_update().filter(pk=subject, is_active=True).first()
        if person is None:
            raise LinkInvalid
        _set_password(person, password)
        redeem(kind, secret, now=now)
        throttle.forget("staff.account", person.email)
        own = staff_actor(person.id, now=now, request_id=actor.request_id)
        audit.record(own or actor, "identity.password_set", "person", person.id)
    return person


def reset_second_factor(
    actor: Actor, *, person_id: UUID, witness_id: UUID, reason: str, now: datetime, language: str = "de"
) -> None:
    """Take a person's second factors and recovery codes away, because they are lost; every session ends.

    Four eyes: `witness_id` is another person of the body who has convinced themselves who is asking. The person is
    told by e-mail.

    Raises:
        PersonNotFound, PersonInvalid (witness, reason), policy.Denied (other home body, oneself).
    """
    policy.require(actor, Permission.MANAGE_PEOPLE)
    with transaction.atomic():
        person = _person(actor, person_id)
        policy.require(actor, Permission.MANAGE_PEOPLE, when=may_reset_access(actor, person))
        errors = {}
        reason = reason.strip()
        if len(reason) < 5:
            errors["reason"] = _("Write down why, and how you made sure who is asking.")
        witness = staff_actor(witness_id, now=now) if witness_id not in (actor.id, person.id) else None
        if witness is None:
            errors["witness"] = _(
                "Choose a colleague who has checked with you: neither yourself nor the person concerned."
            )
        if errors or witness is None:
            raise PersonInvalid(errors)
        gone = list(SecondFactor.objects.filter(person=person).values_list("kind", flat=True))
        SecondFactor.objects.filter(person=person).delete()
        RecoveryCode.objects.filter(person=person).delete()
        person.session_epoch += 1
        person.save(update_fields=["session_epoch"])
        events.publish(actor, AccessReset(person.id, language))
        audit.record(
            actor,
            "identity.second_factor_reset",
            "person",
            person.id,
            {"factors": gone},
            {"factors": [], "witness": witness_id, "witness_name": witness.name, "reason": reason},
        )


def _person(actor: Actor, person_id: UUID) -> Person:
    if not visible_people(actor).filter(pk=person_id).exists():
        raise PersonNotFound
    person = Person.objects.select_for_update().filter(pk=person_id).first()
    if person is None:
        raise PersonNotFound
    return person


def _assignment_errors(
    role: Role | str, unit: str, valid_from: datetime, valid_until: datetime | None
) -> dict[str, str]:
    errors: dict[str, str] = {}
    if role not in set(Role):
        errors["role"] = _("Choose a role from the list.")
    elif Role(role) in ALLIANCE_ROLES and not current_body().is_alliance:
        errors["role"] = _("This role exists in the alliance only.")
    if unit and not OrgUnit.objects.filter(pk=unit, is_active=True).exists():
        errors["unit"] = _("Choose a unit from the list.")
    if valid_until is not None and valid_until <= valid_from:
        errors["valid_until"] = _("The end must lie after the beginning.")
    return errors


def _assign(
    person_id: UUID, role: Role, unit: str, valid_from: datetime, valid_until: datetime | None, now: datetime
) -> Assignment:
    body = current_body().id
    same = Assignment.objects.select_for_update().filter(person_id=person_id, body_id=body, role=role, unit=unit)
    for row in same:
        starts_before_end = valid_until is None or row.valid_from < valid_until
        if starts_before_end and (row.valid_until is None or row.valid_until > valid_from):
            raise PersonConflict(gettext_lazy("The person already has this role in this unit at that time."))
    return Assignment.objects.create(
        id=new_id(),
        person_id=person_id,
        body_id=body,
        role=role.value,
        unit=unit,
        valid_from=valid_from,
        valid_until=valid_until,
        created_at=now,
    )


def _values(row: Assignment) -> dict[str, object]:
    return {"role": row.role, "unit": row.unit, "valid_from": row.valid_from, "valid_until": row.valid_until}


def _set_password(person: Person, password: str) -> None:
    problem = passwords.problem(password, about=[person.email, person.display_name, *current_body().words()])
    if problem:
        raise PersonInvalid({"password": problem})
    person.password = passwords.make(password)
    person.save(update_fields=["password"])


def _taken(email: str, person_id: UUID) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT public.identity_address_taken(%s, %s)", [email, person_id])
        return bool(cursor.fetchone()[0])
