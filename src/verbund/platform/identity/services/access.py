"""What people do with their own means to sign in: password, second factors, sessions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from verbund.platform import audit
from verbund.platform.identity import factors, passwords, policy, throttle
from verbund.platform.identity.actor import Actor, ActorKind
from verbund.platform.identity.local.models import CitizenAccount, Session
from verbund.platform.identity.models import Person, SecondFactor
from verbund.platform.identity.policies import Permission, own_id, own_sessions
from verbund.platform.identity.recognition import second_factor_required
from verbund.platform.tenancy import Conflict, Invalid, NotFound, current_body, new_id

from .signin import PER_ACCOUNT


class AccessInvalid(Invalid):
    """What was entered cannot be taken."""


class AccessConflict(Conflict):
    """The present state forbids the step."""


class AccessNotFound(NotFound):
    """No such factor or session of the actor's own."""


def change_own_password(actor: Actor, *, present: str, password: str, now: datetime) -> Person | CitizenAccount:
    """Change the password; every other session ends, in every body. Returns the account for `keep_session`.

    Raises:
        AccessInvalid: `present` wrong, `password` weak. throttle.Blocked. policy.Denied.
    """
    policy.require(actor, _own(actor))
    throttle.attempt("own.password", str(actor.id), PER_ACCOUNT, now=now)
    model = CitizenAccount if actor.kind is ActorKind.CITIZEN else Person
    account = model.objects.get(pk=own_id(actor))
    if not passwords.matches(present, account.password):
        raise AccessInvalid({"present": _("The present password is wrong.")})
    throttle.forget("own.password", str(actor.id))
    name = account.display_name if isinstance(account, Person) else account.name
    problem = passwords.problem(password, about=[account.email, name, *current_body().words()])
    if problem:
        raise AccessInvalid({"password": problem})
    with transaction.atomic():
        account.password = passwords.make(password)
        account.save(update_fields=["password"])
        kind = "person" if isinstance(account, Person) else "citizen"
        audit.record(actor, "identity.password_changed", kind, account.id)
    return account


def prove_own_password(actor: Actor, *, password: str, now: datetime) -> None:
    """Make sure that it is still the same person at the screen, before the means to sign in are changed.

    Raises:
        AccessInvalid: `password` wrong. throttle.Blocked. policy.Denied.
    """
    policy.require(actor, _own(actor))
    throttle.attempt("own.password", str(actor.id), PER_ACCOUNT, now=now)
    model = CitizenAccount if actor.kind is ActorKind.CITIZEN else Person
    if not passwords.matches(password, model.objects.get(pk=own_id(actor)).password):
        raise AccessInvalid({"password": _("The password is wrong.")})
    throttle.forget("own.password", str(actor.id))


def add_own_totp(actor: Actor, *, key: bytes, code: str, now: datetime) -> list[str]:
    """Set up an authenticator app. Returns fresh recovery codes with the first factor, else an empty list.

    Raises:
        AccessInvalid: the code does not belong to the key shown. policy.Denied.
    """
    policy.require(actor, Permission.MANAGE_OWN_ACCESS)
    with transaction.atomic():
        person = Person.objects.select_for_update().get(pk=own_id(actor))
        first = not factors.has_any(person.id)
        try:
            factor = factors.add_totp(person, key=key, code=code, name=_("Authenticator app"), now=now)
        except factors.WrongFactor:
            raise AccessInvalid(
                {
                    "code": _(
                        "The code is wrong. Check that the clock of your phone is right and enter the present code."
                    )
                }
            ) from None
        codes = factors.renew_recovery_codes(person) if first else []
        audit.record(actor, "identity.factor_added", "person", person.id, after={"kind": "totp", "factor": factor.id})
    return codes


def add_own_passkey(
    actor: Actor, *, host: str, state: Mapping[str, Any], response: Mapping[str, Any], name: str, now: datetime
) -> list[str]:
    """Store a passkey for this host. Returns fresh recovery codes with the first factor, else an empty list.

    Raises:
        AccessInvalid: the answer does not fit. AccessConflict: stored already. policy.Denied.
    """
    policy.require(actor, Permission.MANAGE_OWN_ACCESS)
    name = " ".join(name.split())[:100] or _("Passkey")
    with transaction.atomic():
        person = Person.objects.select_for_update().get(pk=own_id(actor))
        first = not factors.has_any(person.id)
        try:
            factor = factors.add_passkey(person, host=host, state=state, response=response, name=name, now=now)
        except factors.WrongFactor:
            raise AccessInvalid({"": _("The passkey could not be stored. Please try again.")}) from None
        except Conflict:
            raise AccessConflict(gettext_lazy("This passkey is already stored.")) from None
        codes = factors.renew_recovery_codes(person) if first else []
        audit.record(
            actor, "identity.factor_added", "person", person.id, after={"kind": "passkey", "factor": factor.id}
        )
    return codes


def remove_own_factor(actor: Actor, *, factor_id: UUID, now: datetime) -> None:
    """Remove one of one's own factors; the last one stays where a second factor is required.

    Raises:
        AccessNotFound, AccessConflict, policy.Denied.
    """
    policy.require(actor, Permission.MANAGE_OWN_ACCESS)
    with transaction.atomic():
        person = Person.objects.select_for_update().get(pk=own_id(actor))
        factor = SecondFactor.objects.filter(pk=factor_id, person=person).first()
        if factor is None:
            raise AccessNotFound
        if second_factor_required() and not SecondFactor.objects.filter(person=person).exclude(pk=factor_id).exists():
            raise AccessConflict(gettext_lazy("This is your last second factor. Set up another one first."))
        factor.delete()
        audit.record(actor, "identity.factor_removed", "person", person.id, {"kind": factor.kind, "name": factor.name})


def renew_own_recovery_codes(actor: Actor, *, now: datetime) -> list[str]:
    """Ten new recovery codes, shown once; the old ones end.

    Raises:
        policy.Denied.
    """
    policy.require(actor, Permission.MANAGE_OWN_ACCESS)
    with transaction.atomic():
        person = Person.objects.select_for_update().get(pk=own_id(actor))
        codes = factors.renew_recovery_codes(person)
        audit.record(actor, "identity.recovery_codes_renewed", "person", person.id)
    return codes


def revoke_session(actor: Actor, *, session_id: UUID, now: datetime) -> None:
    """End one of one's own sessions.

    Raises:
        AccessNotFound: none of one's own. policy.Denied.
    """
    policy.require(actor, _own(actor))
    with transaction.atomic():
        if not own_sessions(actor).filter(pk=session_id).delete()[0]:
            raise AccessNotFound
        audit.record(actor, "identity.session_revoked", "session", session_id)


def revoke_other_sessions(actor: Actor, *, keep: UUID | None, now: datetime) -> Person | CitizenAccount:
    """End all of one's own sessions but `keep`: here by deletion, in other bodies by the session epoch.

    Returns the account for `keep_session`.

    Raises:
        policy.Denied.
    """
    policy.require(actor, _own(actor))
    model = CitizenAccount if actor.kind is ActorKind.CITIZEN else Person
    with transaction.atomic():
        account = model.objects.select_for_update().get(pk=own_id(actor))
        account.session_epoch += 1
        account.save(update_fields=["session_epoch"])
        gone = Session.objects.filter(pk__in=own_sessions(actor).values("pk")).exclude(pk=keep or new_id()).delete()[0]
        kind = "person" if isinstance(account, Person) else "citizen"
        audit.record(actor, "identity.sessions_revoked", kind, account.id, after={"count": gone})
    return account


def _own(actor: Actor) -> Permission:
    return Permission.MANAGE_OWN_ACCOUNT if actor.kind is ActorKind.CITIZEN else Permission.MANAGE_OWN_ACCESS
