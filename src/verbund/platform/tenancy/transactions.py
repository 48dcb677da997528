"""Transactions (Transaktionen) over several services."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from django.db import transaction

from .prepared import prepared_statements

_P = ParamSpec("_P")
_Answer = TypeVar("_Answer")
_whole: Final[ContextVar[bool]] = ContextVar("whole_transaction", default=False)


@contextmanager
def whole_transaction() -> Iterator[None]:
    """All or nothing of what is done within, the services of other rooms included: what fails in one of them fails all.

    Services that are `part_of_transaction` make no savepoint of their own there. Statements are prepared.
    """
    token = _whole.set(True)
    try:
        with prepared_statements(), transaction.atomic():
            yield
    finally:
        _whole.reset(token)


def part_of_transaction(service: Callable[_P, _Answer]) -> Callable[_P, _Answer]:
    """As `transaction.atomic`; in a whole transaction without a savepoint, for nobody goes on there after a failure."""

    @wraps(service)
    def act(*args: _P.args, **kwargs: _P.kwargs) -> _Answer:
        with transaction.atomic(savepoint=not _whole.get()):
            return service(*args, **kwargs)

    return act
