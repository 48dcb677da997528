"""Transactions (Transaktionen) over several services."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from django.db import transaction

from .prepared import prepared_statements

_P = ParamSpec("_P")
_Answer = TypeVar("_Answer")
_whole: Final[ContextVar[ExitStack | None]] = ContextVar("whole_transaction", default=None)


@contextmanager
def whole_transaction() -> Iterator[None]:
    """All or nothing of what is done within, the services of other rooms included: what fails in one of them fails all.

    Services that are `part_of_transaction` make no savepoint of their own there. Statements are prepared.
    """
    with prepared_statements(), transaction.atomic(), ExitStack() as ends:
        token = _whole.set(ends)
        try:
            yield
        finally:
            _whole.reset(token)


def in_whole_transaction() -> bool:
    """Whether what is done now is part of a whole transaction."""
    return _whole.get() is not None


def before_commit(end: Callable[[], object]) -> None:
    """Have the end of the whole transaction wait for `end`; what it raises lets the whole fail. Outside: at once."""
    ends = _whole.get()
    if ends is None:
        end()
    else:
        ends.callback(end)


def part_of_transaction(service: Callable[_P, _Answer]) -> Callable[_P, _Answer]:
    """As `transaction.atomic`; in a whole transaction without a savepoint, for nobody goes on there after a failure."""

    @wraps(service)
    def act(*args: _P.args, **kwargs: _P.kwargs) -> _Answer:
        with transaction.atomic(savepoint=not in_whole_transaction()):
            return service(*args, **kwargs)

    return act
