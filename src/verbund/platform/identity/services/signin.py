"""Signing in: password, second factor, OpenID Connect.

What is wrong is never said more exactly than a stranger may know.
"""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from verbund.platform import audit
from verbund.platform.identity import factors, passwords, policy, throttle
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.local.models import CitizenAccount
from verbund.platform.identity.models import Person, normal_email
from verbund.platform.identity.oidc import Identity
from verbund.platform.identity.policies import Permission
from verbund.platform.identity.recognition import citizen_actor, staff_actor
from verbund.platform.identity.throttle import Limit
from verbund.platform.tenancy import new_id

log = structlog.get_logger("verbund.sign_in")

PER_ACCOUNT: Final = Limit(count=5, window=timedelta(minutes=15), block=timedelta(minutes=1))
PER_ADDRESS: Final = Limit(count=50, window=timedelta(minutes=15), block=timedelta(minutes=1))
PER_FACTOR: Final = Limit(count=5, window=timedelta(minutes=15), block=timedelta(minutes=1))


class Refused(Exception):  # noqa: N818 - reads as the answer
    """The sign-in was refused; `message` is for the person who tried."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def staff_password_sign_in(actor: Actor, *, email: str, password: str, address: str, now: datetime) -> Person:
    """The person whose password this is, with an assignment in this body that is valid now. The first of two steps.

    Failures are counted per account and per network address, also for accounts that do not exist.

    Raises:
        throttle.Blocked: too many failures; nothing was checked.
        Refused: wrong, without saying what.
    """
    policy.require(actor, Permission.SIGN_IN)
    email = normal_email(email)
    last = _attempt("staff", email, address, now)
    person = Person.objects.filter(email=email).first()
    right = passwords.matches(password, person.password if person else "")
    if person is None or not right or not person.is_active:
        _failed(actor, "staff", email, last)
        raise Refused(_wrong_password())
    throttle.give_back("staff.address", throttle.network_of(address), PER_ADDRESS)
    throttle.forget("staff.account", email)
    if staff_actor(person.id, now=now) is None:
        raise Refused(
            _("Your access to this body is not valid at present. Please ask the administration of your body.")
        )
    return person


def prove_factor(
    actor: Actor,
    *,
    person_id: UUID,
    kind: str,
    now: datetime,
    code: str = "",
    host: str = "",
    state: dict[str, Any] | None = None,
    response: dict[str, Any] | None = None,
) -> None:
    """The second of two steps: `kind` is totp, recovery (both with `code`) or passkey (with `host`, `state`,
    `response`).

    Raises:
        throttle.Blocked: too many failures.
        Refused: not proved.
    """
    policy.require(actor, Permission.SIGN_IN)
    last = throttle.attempt("staff.factor", str(person_id), PER_FACTOR, now=now)
    try:
        if kind == "totp":
            factors.prove_totp(person_id, code, now=now)
        elif kind == "recovery":
            factors.prove_recovery_code(person_id, code, now=now)
        else:
            factors.prove_passkey(person_id, host=host, state=state or {}, response=response or {}, now=now)
    except factors.WrongFactor:
        log.warning("second factor refused", kind=kind, person=str(person_id))
        if last:
            audit.record(actor, "identity.locked", "person", person_id, after={"scope": "staff.factor"})
        if kind == "totp":
            raise Refused(
                _("The code is wrong or was already used. Wait for the next code of your app and enter that one.")
            ) from None
        if kind == "recovery":
            raise Refused(_("The recovery code is wrong or was already used.")) from None
        raise Refused(_("The passkey was not recognised. Please try again.")) from None
    throttle.forget("staff.factor", str(person_id))


def signed_in(actor: Actor, *, account: Person | CitizenAccount, factor: str, now: datetime) -> None:
    """Note that the sign-in is complete."""
    policy.require(actor, Permission.SIGN_IN)
    with transaction.atomic():
        if isinstance(account, Person):
            Person.objects.filter(pk=account.pk).update(last_login=now)
            own = staff_actor(account.id, now=now, request_id=actor.request_id)
        else:
            CitizenAccount.objects.filter(pk=account.pk).update(last_sign_in_at=now)
            own = citizen_actor(account, request_id=actor.request_id)
        kind = "person" if isinstance(account, Person) else "citizen"
        audit.record(own or actor, "identity.signed_in", kind, account.id, after={"factor": factor})


def citizen_password_sign_in(actor: Actor, *, email: str, password: str, address: str, now: datetime) -> CitizenAccount:
    """The citizen's account whose password this is.

    Raises:
        throttle.Blocked: too many failures.
        Refused: wrong, without saying what.
    """
    policy.require(actor, Permission.SIGN_IN)
    email = normal_email(email)
    last = _attempt("citizen", email, address, now)
    account = CitizenAccount.objects.filter(email=email).exclude(email="").first()
    right = passwords.matches(password, account.password if account else "")
    if account is None or not right or not account.may_sign_in():
        _failed(actor, "citizen", email, last)
        raise Refused(_wrong_password())
    throttle.give_back("citizen.address", throttle.network_of(address), PER_ADDRESS)
    throttle.forget("citizen.account", email)
    return account


def oidc_person(actor: Actor, *, identity: Identity, now: datetime) -> Person:
    """The person of a subject of the staff's identity provider.

    A first-comer is recognised by the confirmed e-mail address.

    Raises:
        Refused: nobody of this body, or no valid assignment.
    """
    policy.require(actor, Permission.SIGN_IN)
    person = Person.objects.filter(oidc_issuer=identity.issuer, oidc_subject=identity.subject).first()
    if person is None and identity.email and identity.email_verified:
        with transaction.atomic():
            person = (
                Person.objects.select_for_update().filter(email=normal_email(identity.email), oidc_subject="").first()
            )
            if person is not None:
                person.oidc_issuer, person.oidc_subject = identity.issuer, identity.subject
                person.save(update_fields=["oidc_issuer", "oidc_subject"])
                audit.record(actor, "identity.subject_linked", "person", person.id, after={"issuer": identity.issuer})
    if person is None or not person.is_active or staff_actor(person.id, now=now) is None:
        raise Refused(_("You have no access to this body. Please ask the administration of your body to assign you."))
    return person


def oidc_citizen(actor: Actor, *, identity: Identity, now: datetime) -> CitizenAccount:
    """The account of a subject of the citizens' identity provider; a new subject gets a new account.

    An account with a password and the same e-mail address stays a separate one: an address is no proof of identity.

    Raises:
        Refused: the account is closed.
    """
    policy.require(actor, Permission.SIGN_IN)
    with transaction.atomic():
        account = (
            CitizenAccount.objects.select_for_update()
            .filter(oidc_issuer=identity.issuer, oidc_subject=identity.subject)
            .first()
        )
        if account is None:
            email = normal_email(identity.email) if identity.email and identity.email_verified else ""
            if email and CitizenAccount.objects.filter(email=email).exists():
                email = ""
            account = CitizenAccount(
                id=new_id(),
                email=email,
                name=identity.name or _("Citizen"),
                state=CitizenAccount.State.ACTIVE,
                oidc_issuer=identity.issuer,
                oidc_subject=identity.subject,
                trust_level=identity.trust_level,
                created_at=now,
            )
            try:
                with transaction.atomic():
                    account.save(force_insert=True)
            except IntegrityError:
                raise Refused(_("Your sign-in was already being processed. Please sign in once more.")) from None
            audit.record(
                actor, "identity.citizen_registered", "citizen", account.id, after={"trust_level": identity.trust_level}
            )
        elif (account.name, account.trust_level) != (identity.name or account.name, identity.trust_level):
            before = {"trust_level": account.trust_level}
            account.name, account.trust_level = identity.name or account.name, identity.trust_level
            account.save(update_fields=["name", "trust_level"])
            audit.record(
                actor, "identity.citizen_changed", "citizen", account.id, before, {"trust_level": identity.trust_level}
            )
    if not account.may_sign_in():
        raise Refused(_("This account is closed."))
    return account


def _attempt(face: str, email: str, address: str, now: datetime) -> tuple[bool, bool]:
    """Count the attempt by account and by address; whether it is the last one for now of each."""
    network = throttle.network_of(address)
    throttle.check(f"{face}.address", network, now=now)  # whoever is locked by address does not count for the account
    by_account = throttle.attempt(f"{face}.account", email, PER_ACCOUNT, now=now)
    return by_account, throttle.attempt(f"{face}.address", network, PER_ADDRESS, now=now)


def _failed(actor: Actor, face: str, email: str, last: tuple[bool, bool]) -> None:
    log.warning("sign-in refused", face=face)
    by_account, by_address = last
    if by_account:
        audit.record(actor, "identity.locked", "account", face, after={"scope": "account", "account": _short(email)})
    if by_address:
        audit.record(actor, "identity.locked", "address", face, after={"scope": "address"})


def _short(email: str) -> str:
    """Enough of an address for the administration to recognise it.

    What was typed may be a password in the wrong field.
    """
    return email[:2] + "…" + email[email.find("@") :][:40] if "@" in email else "…"


def _wrong_password() -> str:
    return _("E-mail address or password is wrong.")
