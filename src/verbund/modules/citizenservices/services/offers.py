"""Configuring services and putting them on offer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from verbund.modules.citizenservices.models import FormVersion, OnlineService, ServiceState
from verbund.modules.citizenservices.models.offers import LetterTexts, RequiredAttachment
from verbund.modules.citizenservices.policies import Permission, visible_services
from verbund.modules.citizenservices.queries.catalogue import ServiceNotFound
from verbund.modules.citizenservices.queries.forms import FormNotFound, service_templates
from verbund.platform import audit
from verbund.platform.identity import policy
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import Conflict, Invalid, new_id

from .forms import import_form


class ServiceInvalid(Invalid):
    """The service cannot be kept or published like this."""


class ServiceMoved(Conflict):
    """Somebody else changed the service since it was read."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "Somebody else has changed this service in the meantime. "
                "Please look at the present state and repeat your change."
            )
        )


@dataclass(frozen=True, slots=True)
class ServiceConfiguration:
    """Everything that makes a form a service. Money in cents, times in calendar days, `retention_years` after the case
    is closed.
    """

    form_version_id: UUID
    title: str
    topic: str
    summary: str
    unit: str
    file_plan_position: str
    promised_days: int
    description: str = ""
    audience: str = ""
    needed: tuple[str, ...] = ()
    attachments: tuple[RequiredAttachment, ...] = ()
    search_words: tuple[str, ...] = ()
    fee_cents: int = 0
    fee_text: str = ""
    ledger: str = ""
    product: str = ""
    account: str = ""
    payment_days: int = 14
    retention_years: int = 10
    letters: LetterTexts = field(default_factory=LetterTexts)
    requires_sign_off: bool = False


@transaction.atomic
def configure_service(
    actor: Actor,
    *,
    configuration: ServiceConfiguration,
    now: datetime,
    service_id: UUID | None = None,
    expected_version: int | None = None,
    idempotency_key: UUID | None = None,
) -> UUID:
    """Create a service (Online-Dienst anlegen), or change the one named; returns its id.

    Drafts and applications keep the form version they began with. A new service takes the `idempotency_key` of its form
    as its id: the same key again makes no second one.

    Raises:
        ServiceInvalid: a message per field. ServiceNotFound, FormNotFound, ServiceMoved, policy.Denied
    """
    policy.require(actor, Permission.CONFIGURE_SERVICE)
    errors = _errors(configuration)
    if errors:
        raise ServiceInvalid(errors)
    if not FormVersion.objects.filter(pk=configuration.form_version_id).exists():
        raise FormNotFound
    before: dict[str, Any] | None = None
    if service_id is None:
        if idempotency_key is not None and OnlineService.objects.filter(pk=idempotency_key).exists():
            return idempotency_key
        service = OnlineService(
            id=idempotency_key or new_id(), slug=_free_slug(configuration.title), created_at=now, version=0
        )
    else:
        found = visible_services(actor).filter(pk=service_id).select_for_update().first()
        if found is None:
            raise ServiceNotFound
        if expected_version is not None and found.version != expected_version:
            raise ServiceMoved
        service, before = found, _facts(found)
    for name in (
        "title", "topic", "summary", "description", "audience", "unit", "file_plan_position", "promised_days",
        "fee_cents", "fee_text", "ledger", "product", "account", "payment_days", "retention_years", "requires_sign_off",
    ):  # fmt: skip
        value = getattr(configuration, name)
        setattr(service, name, value.strip() if isinstance(value, str) else value)
    service.form_version_id = configuration.form_version_id
    service.needed, service.search_words = list(configuration.needed), list(configuration.search_words)
    service.attachments, service.letters = list(configuration.attachments), configuration.letters
    service.changed_at = now
    service.version += 1
    if service.is_published:
        _check_publishable(service)
    try:
        with transaction.atomic():
            service.save(force_insert=service_id is None)
    except IntegrityError:
        if service_id is None and OnlineService.objects.filter(pk=service.id).exists():
            return service.id  # the other click was faster
        raise
    after = _facts(service)
    changed = after if before is None else {k: v for k, v in after.items() if before.get(k) != v}
    audit.record(
        actor,
        "citizenservices.service.configured",
        "citizenservices.service",
        service.id,
        before=None if before is None else {k: before[k] for k in changed},
        after=changed,
    )
    return service.id


@transaction.atomic
def offer_template(
    actor: Actor,
    *,
    template: str,
    now: datetime,
    changes: Mapping[str, Any] | None = None,
    idempotency_key: UUID | None = None,
) -> UUID:
    """Take over a service template of this release (Leistungsvorlage übernehmen): its form is imported, the service
    configured as a draft.

    `changes` replaces values of the template, such as unit, ledger or fee. Returns the id of the service; the same
    `idempotency_key` again that of the first.

    Raises:
        ServiceInvalid: also for an unknown template or value. policy.Denied
    """
    policy.require(actor, Permission.CONFIGURE_SERVICE)
    found = service_templates().get(template)
    if found is None:
        raise ServiceInvalid({"template": _("There is no template “%(name)s”.") % {"name": template}})
    report = import_form(actor, content=found.form, filename=found.filename, now=now)
    values: dict[str, Any] = {**found.values, **(changes or {})}
    for name in ("needed", "search_words", "attachments"):
        if name in values:
            values[name] = tuple(values[name])
    if "description" in values:
        values["description"] = str(values["description"]).strip()
    try:
        configuration = ServiceConfiguration(form_version_id=report.form_version_id, **values)
    except TypeError as error:
        raise ServiceInvalid({"": str(error)}) from None
    return configure_service(actor, configuration=configuration, now=now, idempotency_key=idempotency_key)


@transaction.atomic
def publish_service(actor: Actor, *, service_id: UUID, now: datetime) -> None:
    """Put a service on offer (veröffentlichen); publishing a published one changes nothing.

    Raises:
        ServiceInvalid: something is missing that its letters or its fee need. ServiceNotFound, policy.Denied
    """
    policy.require(actor, Permission.PUBLISH_SERVICE)
    service = _locked(actor, service_id)
    if service.is_published:
        return
    _check_publishable(service)
    _set_state(actor, service, ServiceState.PUBLISHED, now)


@transaction.atomic
def unpublish_service(actor: Actor, *, service_id: UUID, now: datetime) -> None:
    """Take a service off offer (zurückziehen); drafts cannot be sent any more, applications go on.

    Raises:
        ServiceNotFound, policy.Denied
    """
    policy.require(actor, Permission.PUBLISH_SERVICE)
    service = _locked(actor, service_id)
    if service.is_published:
        _set_state(actor, service, ServiceState.WITHDRAWN, now)


def _locked(actor: Actor, service_id: UUID) -> OnlineService:
    service = visible_services(actor).filter(pk=service_id).select_for_update().first()
    if service is None:
        raise ServiceNotFound
    return service


def _set_state(actor: Actor, service: OnlineService, state: ServiceState, now: datetime) -> None:
    before = service.state
    service.state = state
    if state == ServiceState.PUBLISHED:
        service.published_at = now
    service.changed_at = now
    service.version += 1
    service.save(update_fields=["state", "published_at", "changed_at", "version"])
    audit.record(
        actor,
        f"citizenservices.service.{state.value}",
        "citizenservices.service",
        service.id,
        before={"state": before},
        after={"state": service.state},
    )


def _errors(wanted: ServiceConfiguration) -> dict[str, str]:
    errors: dict[str, str] = {}
    for name, longest in (("title", 200), ("topic", 100), ("summary", 400), ("unit", 40), ("file_plan_position", 40)):
        value = getattr(wanted, name).strip()
        if not value:
            errors[name] = _("Please fill in this field.")
        elif len(value) > longest:
            errors[name] = _("Please enter at most %(limit)s characters.") % {"limit": longest}
    for name, longest in (("fee_text", 200), ("ledger", 40), ("product", 40), ("account", 40)):
        if len(getattr(wanted, name).strip()) > longest:
            errors[name] = _("Please enter at most %(limit)s characters.") % {"limit": longest}
    for name, least, most in (("promised_days", 1, 365), ("payment_days", 0, 365), ("retention_years", 0, 110)):
        if not least <= getattr(wanted, name) <= most:
            errors[name] = _("Please enter a number from %(least)s to %(most)s.") % {"least": least, "most": most}
    if not 0 <= wanted.fee_cents <= 100_000_000:
        errors["fee_cents"] = _("Please enter an amount from 0 to 1,000,000 euros.")
    elif wanted.fee_cents:
        for name in ("ledger", "product", "account"):
            if not getattr(wanted, name).strip():
                errors[name] = _("A fee needs ledger, product and account on which it is booked.")
    return errors


def _check_publishable(service: OnlineService) -> None:
    letters = service.letters
    missing = [
        name for name in ("subject_grant", "grant", "subject_refuse", "refuse", "remedy") if not letters.get(name)
    ]
    if missing:
        raise ServiceInvalid(
            {"letters": _("Texts of the decision are missing: %(names)s.") % {"names": ", ".join(missing)}}
        )


def _free_slug(title: str) -> str:
    umlauts = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})
    base = slugify(title.translate(umlauts))[:70] or "dienst"
    slug, number = base, 1
    while OnlineService.objects.filter(slug=slug).exists():
        number += 1
        slug = f"{base}-{number}"
    return slug


def _facts(service: OnlineService) -> dict[str, Any]:
    return {
        "title": service.title,
        "topic": service.topic,
        "summary": service.summary,
        "description": service.description,
        "audience": service.audience,
        "needed": service.needed,
        "attachments": service.attachments,
        "search_words": service.search_words,
        "form_version": service.form_version_id,
        "unit": service.unit,
        "file_plan_position": service.file_plan_position,
        "promised_days": service.promised_days,
        "fee_cents": service.fee_cents,
        "fee_text": service.fee_text,
        "ledger": service.ledger,
        "product": service.product,
        "account": service.account,
        "payment_days": service.payment_days,
        "retention_years": service.retention_years,
        "letters": service.letters,
        "requires_sign_off": service.requires_sign_off,
    }
