"""Citizens' accounts of the body: opened by e-mail, closed by the citizen."""

from datetime import datetime, timedelta
from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from verbund.platform import audit, events
from verbund.platform.identity import passwords, policy, throttle
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.events import LinkRequested
from verbund.platform.identity.local.models import CitizenAccount, Session, Token
from verbund.platform.identity.local.sessions import SessionStore
from verbund.platform.identity.models import normal_email, normal_name
from verbund.platform.identity.policies import Permission, own_id
from verbund.platform.identity.recognition import citizen_actor
from verbund.platform.tenancy import Invalid, current_body, local_date, new_id

from .links import CITIZEN_KNOWN, LinkInvalid, redeem, subject_of
from .signin import PER_ACCOUNT, PER_ADDRESS

DAYS_TO_THINK: Final = 14


class CitizenInvalid(Invalid):
    """What was entered cannot be taken."""


def register_citizen(actor: Actor, *, email: str, name: str, address: str, language: str, now: datetime) -> None:
    """Begin an account: the password is chosen by whoever opens the link, that is the owner of the mailbox.

    The answer is the same when the address already has an account; then the mail says so.

    Raises:
        CitizenInvalid: per field. throttle.Blocked: asked too often.
    """
    policy.require(actor, Permission.SIGN_IN)
    email, name = normal_email(email), normal_name(name)
    errors = {}
    try:
        validate_email(email)
    except ValidationError:
        errors["email"] = _("Enter an e-mail address such as name@example.org.")
    if not 2 <= len(name) <= 200:
        errors["name"] = _("Enter first and last name.")
    if errors:
        raise CitizenInvalid(errors)
    _count_link(email, address, now)
    with transaction.atomic():
        account, created = CitizenAccount.objects.get_or_create(
            email=email, defaults={"id": new_id(), "name": name, "created_at": now}
        )
        if created:
            audit.record(actor, "identity.citizen_registered", "citizen", account.id)
        waiting = account.state == CitizenAccount.State.UNVERIFIED
        events.publish(
            actor, LinkRequested(Token.Kind.CITIZEN_EMAIL.value if waiting else CITIZEN_KNOWN, account.id, language)
        )


def confirm_email(actor: Actor, *, secret: str, password: str, now: datetime) -> CitizenAccount:
    """Open the account with the link of the first e-mail and a password.

    Raises:
        LinkInvalid; CitizenInvalid: the password is too weak (the link stays valid).
    """
    return _set_password(actor, Token.Kind.CITIZEN_EMAIL, secret, password, now)


def request_citizen_password(actor: Actor, *, email: str, address: str, language: str, now: datetime) -> None:
    """Send a link for a new password, if there is such an account; the answer is the same if not.

    Raises:
        throttle.Blocked: asked too often.
    """
    policy.require(actor, Permission.SIGN_IN)
    email = normal_email(email)
    _count_link(email, address, now)
    with transaction.atomic():
        account = CitizenAccount.objects.filter(email=email).exclude(email="").first()
        if account is not None:
            waiting = account.state == CitizenAccount.State.UNVERIFIED
            kind = Token.Kind.CITIZEN_EMAIL if waiting else Token.Kind.CITIZEN_PASSWORD
            events.publish(actor, LinkRequested(kind.value, account.id, language))
            audit.record(actor, "identity.link_requested", "citizen", account.id, after={"kind": kind.value})


def set_citizen_password(actor: Actor, *, secret: str, password: str, now: datetime) -> CitizenAccount:
    """Set a new password with a link out of an e-mail; every session of the account ends.

    Raises:
        LinkInvalid; CitizenInvalid: the password is too weak (the link stays valid).
    """
    return _set_password(actor, Token.Kind.CITIZEN_PASSWORD, secret, password, now)


def request_deletion(actor: Actor, *, now: datetime) -> None:
    """Ask for the deletion of one's account (Art. 17 GDPR): it is closed after fourteen days,
    until then it can be taken back.

    Applications already made stay in the files of the body as long as the law says.

    Raises:
        policy.Denied.
    """
    policy.require(actor, Permission.MANAGE_OWN_ACCOUNT)
    with transaction.atomic():
        account = CitizenAccount.objects.select_for_update().get(pk=own_id(actor))
        if account.state != CitizenAccount.State.ACTIVE:
            return
        account.state = CitizenAccount.State.DELETION_REQUESTED
        account.delete_after = local_date(now) + timedelta(days=DAYS_TO_THINK)
        account.save(update_fields=["state", "delete_after"])
        audit.record(
            actor, "identity.deletion_requested", "citizen", account.id, after={"delete_after": account.delete_after}
        )


def withdraw_deletion(actor: Actor, *, now: datetime) -> None:
    """Take the wish for deletion back.

    Raises:
        policy.Denied.
    """
    policy.require(actor, Permission.MANAGE_OWN_ACCOUNT)
    with transaction.atomic():
        account = CitizenAccount.objects.select_for_update().get(pk=own_id(actor))
        if account.state != CitizenAccount.State.DELETION_REQUESTED:
            return
        account.state, account.delete_after = CitizenAccount.State.ACTIVE, None
        account.save(update_fields=["state", "delete_after"])
        audit.record(actor, "identity.deletion_withdrawn", "citizen", account.id)


def close_due_accounts(actor: Actor, *, now: datetime) -> int:
    """Empty the accounts whose fourteen days are over: name, address, password and subject go. Returns how many."""
    policy.require(actor, Permission.TIDY_UP)
    with transaction.atomic():
        due = CitizenAccount.objects.select_for_update().filter(
            state=CitizenAccount.State.DELETION_REQUESTED, delete_after__lt=local_date(now)
        )
        closed = 0
        for account in due:
            account.email = account.name = account.password = account.oidc_issuer = account.oidc_subject = ""
            account.trust_level = CitizenAccount.TrustLevel.NONE
            account.state, account.delete_after = CitizenAccount.State.CLOSED, None
            account.save()
            Session.objects.filter(kind=Session.Kind.CITIZEN, subject=account.id).delete()
            Token.objects.filter(subject=account.id).delete()
            audit.record(actor, "identity.citizen_closed", "citizen", account.id)
            closed += 1
    return closed


def tidy_up(actor: Actor, *, now: datetime) -> None:
    """Nightly: close due accounts; delete accounts never confirmed for thirty days, spent sessions,
    links and counters.
    """
    policy.require(actor, Permission.TIDY_UP)
    close_due_accounts(actor, now=now)
    with transaction.atomic():
        stale = CitizenAccount.objects.filter(
            state=CitizenAccount.State.UNVERIFIED, created_at__lt=now - timedelta(days=30)
        ).delete()[0]
        SessionStore.clear_expired()
        Token.objects.filter(expires_at__lt=now - timedelta(days=30)).delete()
        throttle.clear(now=now)
        audit.record(actor, "identity.tidied_up", "body", current_body().id, after={"unconfirmed_accounts": stale})


def _set_password(actor: Actor, kind: Token.Kind, secret: str, password: str, now: datetime) -> CitizenAccount:
    policy.require(actor, Permission.SIGN_IN)
    with transaction.atomic():
        subject = subject_of(kind, secret, now=now)
        account = (
            CitizenAccount.objects.select_for_update()
            .filter(pk=subject)
            .exclude(state=CitizenAccount.State.CLOSED)
            .first()
        )
        if account is None:
            raise LinkInvalid
        problem = passwords.problem(password, about=[account.email, account.name, *current_body().words()])
        if problem:
            raise CitizenInvalid({"password": problem})
        account.password = passwords.make(password)
        if account.state == CitizenAccount.State.UNVERIFIED:
            account.state = CitizenAccount.State.ACTIVE
        account.save(update_fields=["password", "state"])
        redeem(kind, secret, now=now)
        throttle.forget("citizen.account", account.email)
        audit.record(
            citizen_actor(account, request_id=actor.request_id), "identity.password_set", "citizen", account.id
        )
    return account


def _count_link(email: str, address: str, now: datetime) -> None:
    network = throttle.network_of(address)
    throttle.attempt("citizen.link", email, PER_ACCOUNT, now=now)
    throttle.attempt("citizen.link.address", network, PER_ADDRESS, now=now)
