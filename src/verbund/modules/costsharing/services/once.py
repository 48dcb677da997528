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
    row, new = _written(model, key, "id", key or new_id(), values)
    return row.pk, new


def write_once_beside(model: type[models.Model], key: UUID | None, **values: Any) -> tuple[int, bool]:
    """As `write_once`, for a table with running numbers, which keeps the key of the form in `form`."""
    row, new = _written(model, key, "form", key, values)
    return int(row.pk), new


def _written(
    model: type[models.Model], key: UUID | None, column: str, value: UUID | None, values: dict[str, Any]
) -> tuple[models.Model, bool]:
    """The row with `value` in `column`, written now or, if its form was sent before, there already."""
    rows = model._default_manager
    try:
        with transaction.atomic():
            return rows.create(**{column: value}, **values), True
    except IntegrityError:
        there = rows.filter(**{column: key}).first() if key else None
        if there is None:
            raise
        return there, False
