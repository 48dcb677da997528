"""One-time links by e-mail: invitation, new password, confirmation of an address."""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from verbund.platform import audit
from verbund.platform.identity import policy, seal
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.local.models import CitizenAccount, Token
from verbund.platform.identity.models import Person
from verbund.platform.identity.policies import Permission
from verbund.platform.tenancy import Invalid, current_body, new_id
from verbund.platform.tenancy.models import Host

LIFETIMES: Final = {
    Token.Kind.INVITATION: timedelta(days=7),
    Token.Kind.STAFF_PASSWORD: timedelta(hours=1),
    Token.Kind.CITIZEN_EMAIL: timedelta(hours=48),
    Token.Kind.CITIZEN_PASSWORD: timedelta(hours=1),
}
CITIZEN_KNOWN: Final = "citizen_known"


class LinkInvalid(Invalid):
    """The link is unknown, used or too old."""

    def __init__(self) -> None:
        super().__init__(
            {
                "": gettext_lazy(
                    "This link is no longer valid. It works once and for a limited time. Please ask for a new one."
                )
            }
        )


def issue(kind: Token.Kind, subject: UUID, *, now: datetime) -> str:
    """A new secret for a link; earlier ones of the same kind end."""
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        Token.objects.filter(kind=kind, subject=subject, used_at=None).update(used_at=now)
        Token.objects.create(
            id=new_id(),
            kind=kind,
            subject=subject,
            digest=_digest(secret),
            created_at=now,
            expires_at=now + LIFETIMES[kind],
        )
    return secret


def subject_of(kind: Token.Kind, secret: str, *, now: datetime) -> UUID:
    """Whose link it is, without using it up.

    Raises:
        LinkInvalid: unknown, used or too old.
    """
    found = (
        Token.objects.filter(kind=kind, digest=_digest(secret), used_at=None, expires_at__gt=now)
        .values_list("subject", flat=True)
        .first()
    )
    if found is None:
        raise LinkInvalid
    return found


def redeem(kind: Token.Kind, secret: str, *, now: datetime) -> UUID:
    """Use the link up; two clicks at once count once.

    Raises:
        LinkInvalid: unknown, used or too old.
    """
    subject = subject_of(kind, secret, now=now)
    if not Token.objects.filter(kind=kind, digest=_digest(secret), used_at=None).update(used_at=now):
        raise LinkInvalid
    return subject


def send_link(actor: Actor, *, kind: str, subject: UUID, language: str, now: datetime) -> None:
    """Make a link and send it by e-mail; the secret is known to nobody else, not even to the queue.

    Nothing is sent when the account is gone or closed meanwhile.
    """
    policy.require(actor, Permission.SEND_LINKS)
    with transaction.atomic(), translation.override(language):
        if kind in (Token.Kind.INVITATION, Token.Kind.STAFF_PASSWORD):
            person = Person.objects.filter(pk=subject, is_active=True).first()
            if person is None:
                return
            to, name = person.email, person.display_name
        else:
            account = CitizenAccount.objects.filter(pk=subject).exclude(state=CitizenAccount.State.CLOSED).first()
            if account is None or not account.email:
                return
            to, name = account.email, account.name
        title, text = _wording(kind, name, "" if kind == CITIZEN_KNOWN else issue(Token.Kind(kind), subject, now=now))
        audit.record(actor, "identity.link_sent", "link", subject, after={"kind": kind})
        _send(to, title, text)


def send_reset_notice(actor: Actor, *, person_id: UUID, language: str, now: datetime) -> None:
    """Tell a person by e-mail that the administration has taken the second factors away."""
    policy.require(actor, Permission.SEND_LINKS)
    person = Person.objects.filter(pk=person_id).first()
    if person is None:
        return
    with transaction.atomic(), translation.override(language):
        audit.record(actor, "identity.reset_notice_sent", "person", person_id)
        _send(
            person.email,
            _("Your second factor was reset"),
            _(
                "Hello %(name)s,\n\nthe administration of %(body)s has removed your second factor. At your next "
                "sign-in you set up"
                " a new one.\n\nIf you did not ask for this, please call your administration at once."
            )
            % {"name": person.display_name, "body": current_body().name},
        )


def send_email_change_notice(
    actor: Actor, *, person_id: UUID, sealed_address: str, language: str, now: datetime
) -> None:
    """Tell a person at the old e-mail address that another one counts from now on; the new one is not named."""
    policy.require(actor, Permission.SEND_LINKS)
    person = Person.objects.filter(pk=person_id).first()
    if person is None:
        return
    with transaction.atomic(), translation.override(language):
        audit.record(actor, "identity.email_change_notice_sent", "person", person_id)
        _send(
            seal.open_(sealed_address.encode()).decode(),
            _("Your e-mail address was changed"),
            _(
                "Hello %(name)s,\n\nthe administration of %(body)s has entered another e-mail address for your access. "
                "From now on links for a new password go there, and no longer to this address.\n\n"
                "If you did not ask for this, please call your administration at once."
            )
            % {"name": person.display_name, "body": current_body().name},
        )


def _wording(kind: str, name: str, secret: str) -> tuple[str, str]:
    values = {"name": name, "body": current_body().name, "link": ""}
    if kind == Token.Kind.INVITATION:
        values["link"] = url_of("staff_invitation", secret)
        return _("Your access to %(body)s") % values, _(
            "Hello %(name)s,\n\nan access to the workspace of %(body)s was set up for you. Please choose your "
            "password here:\n\n"
            "%(link)s\n\nThe link works once and for seven days."
        ) % values
    if kind == Token.Kind.STAFF_PASSWORD:
        values["link"] = url_of("staff_password", secret)
        return _("New password for %(body)s") % values, _(
            "Hello %(name)s,\n\nyou can choose a new password for the workspace of %(body)s here:\n\n%(link)s\n\n"
            "The link works once and for one hour. If you did not ask for it, you need not do anything."
        ) % values
    if kind == Token.Kind.CITIZEN_EMAIL:
        # Without the name: whoever typed it need not be the owner of this mailbox, and must not write there through us.
        values["link"] = url_of("citizen_confirm", secret)
        return _("Confirm your e-mail address") % values, _(
            "Hello,\n\nplease confirm your e-mail address for your account with %(body)s and choose a "
            "password:\n\n"
            "%(link)s\n\nThe link works once and for two days. If you did not ask for an account, you need not "
            "do anything."
        ) % values
    if kind == Token.Kind.CITIZEN_PASSWORD:
        values["link"] = url_of("citizen_password", secret)
        return _("New password for %(body)s") % values, _(
            "Hello %(name)s,\n\nyou can choose a new password for your account with %(body)s here:\n\n%(link)s\n\n"
            "The link works once and for one hour. If you did not ask for it, you need not do anything."
        ) % values
    values["link"] = url_of("citizen_sign_in")
    return _("You already have an account") % values, _(
        "Hello %(name)s,\n\nsomebody tried to open an account with %(body)s for your e-mail address. You "
        "already have one. Sign in"
        " here, or choose a new password there:\n\n%(link)s\n\nIf it was not you, you need not do anything."
    ) % values


def url_of(name: str, secret: str = "") -> str:
    """The full address of a page on the body's first host (VERBUND_PUBLIC_PORT for a port that browsers must name)."""
    host = (
        Host.objects.filter(tenant_id=current_body().id)
        .order_by("-is_primary", "id")
        .values_list("domain", flat=True)
        .first()
    )
    scheme = "https" if getattr(settings, "SECURE", True) else "http"
    port = str(getattr(settings, "VERBUND_PUBLIC_PORT", "") or "")
    path = reverse(name, args=[secret] if secret else [])
    return f"{scheme}://{host}{':' + port if port else ''}{path}"


def _send(to: str, title: str, text: str) -> None:
    EmailMessage(subject=title, body=text + "\n\n" + current_body().name + "\n", to=[to]).send()


def _digest(secret: str) -> str:
    return sha256(b"verbund.link:" + secret.encode()).hexdigest()


def check_link(actor: Actor, *, kind: Token.Kind, secret: str, now: datetime) -> None:
    """Whether a link can still be used, before somebody thinks up a password for nothing.

    Raises:
        LinkInvalid: unknown, used or too old.
    """
    policy.require(actor, Permission.SIGN_IN)
    subject_of(kind, secret, now=now)
