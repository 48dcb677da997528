"""What is sent twice happens once: the unique constraints on the keys of forms decide, also at the same moment."""

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from psycopg import errors

from verbund.platform.tenancy import Conflict

T = TypeVar("T")


class SentBefore(Conflict):
    """The form was sent before, and what it brought about is not there for this actor any more."""

    def __init__(self) -> None:
        super().__init__(_("This form was sent before. Load the page again if there is more to do."))


def once(key: UUID | None, constraint: str, act: Callable[[], T], known: Callable[[UUID], T | None]) -> T:
    """What `act` gives; if the same form has been sent before, what `known` finds of it, and nothing is written.

    Raises:
        SentBefore: there is nothing of it that the actor may see.
    """
    if key is None:
        return act()
    try:
        with transaction.atomic():
            return act()
    except IntegrityError as error:
        if (
            not isinstance(error.__cause__, errors.UniqueViolation)
            or error.__cause__.diag.constraint_name != constraint
        ):
            raise
    found = known(key)
    if found is None:
        raise SentBefore
    return found
