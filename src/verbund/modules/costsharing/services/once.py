"""What is sent twice is written once: a row takes the key of its form, as its id or beside it, and a unique key
decides."""

from typing import Any
from uuid import UUID

from django.db import IntegrityError, models, transaction

from verbund.platform.tenancy import new_id


def write_once(model: type[models.Model], key: UUID | None, **values: Any) -> tuple[UUID, bool]:
    """Write a row under the key of its form (Doppelklick), and say whether it is new; without a key it always is.

    The same form at the same moment waits for the first one, and then finds its row.
    """
    try:
        with transaction.atomic():
            row = model._default_manager.create(id=key or new_id(), **values)
    except IntegrityError:
        if key is None or not model._default_manager.filter(pk=key).exists():
            raise
        return key, False
    return row.pk, True


def write_once_beside(model: type[models.Model], key: UUID | None, **values: Any) -> tuple[int, bool]:
    """As `write_once`, for a table with running numbers, which keeps the key of the form in `form`."""
    try:
        with transaction.atomic():
            row = model._default_manager.create(form=key, **values)
    except IntegrityError:
        there = model._default_manager.filter(form=key).first() if key else None
        if there is None:
            raise
        return int(there.pk), False
    return int(row.pk), True
