"""What the writes of services and agreements share: their refusals, the check of a row, and its insertion."""

from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from verbund.modules.membership.models import AllianceService, ServiceAgreement, ServiceVersion
from verbund.modules.membership.services.members import NotTheAlliance
from verbund.platform.tenancy import Conflict, Invalid, current_body

Row = AllianceService | ServiceVersion | ServiceAgreement


class BadService(Invalid):
    """What was entered for a service or an agreement cannot be taken."""


class ServiceConflict(Conflict):
    """The catalogue as it stands forbids the step, or somebody else was quicker."""


class AgreementConflict(Conflict):
    """What is agreed already forbids the step, or somebody else was quicker."""


def in_alliance() -> None:
    """Services and agreements are kept by the alliance.

    Raises:
        NotTheAlliance.
    """
    if not current_body().is_alliance:
        raise NotTheAlliance(_("Members are kept by the alliance only."))


def spans_of(service: AllianceService) -> list[tuple[date, date | None]]:
    """The days on which the catalogue describes the service, in order."""
    return list(service.versions.order_by("valid_from").values_list("valid_from", "valid_until"))


def covered(spans: list[tuple[date, date | None]], since: date, until: date | None) -> bool:
    """Whether spans of days, in order and apart, hold every day from `since` to `until` (None: for ever)."""
    needed = since
    for first, last in spans:
        if first > needed:
            return False
        if last is None:
            return True
        if last >= needed:
            needed = last + timedelta(days=1)
        if until is not None and needed > until:
            return True
    return False


def check(*rows: Row) -> None:
    """Check what was entered for the rows.

    Raises:
        BadService (per field).
    """
    errors: dict[str, str] = {}
    for row in rows:
        try:
            row.full_clean(exclude=["service", "member"], validate_constraints=False, validate_unique=False)
        except ValidationError as error:
            errors |= {field: " ".join(messages) for field, messages in error.message_dict.items()}
    if errors:
        raise BadService(errors)


def insert(row: Row) -> None:
    """Insert a row; what a constraint refuses was written by somebody else at the same moment, or stands there.

    Raises:
        ServiceConflict, AgreementConflict.
    """
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        kind = AgreementConflict if isinstance(row, ServiceAgreement) else ServiceConflict
        raise kind(_("Another entry stands on some of these days. Look at the new state and decide again.")) from error
