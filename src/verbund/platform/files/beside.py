"""Writing contents beside a transaction that goes on meanwhile: a disk is waited for while the database works.

The transaction waits for it before it commits (`tenancy.transactions.before_commit`), so what is accepted is stored.
"""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

_THREADS: Final = 8
_Content = tuple[str, str]  # body and SHA-256
_under_way: Final[dict[_Content, "Future[None]"]] = {}
_threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="files")


def begin(content: _Content, write: Callable[[], None]) -> Callable[[], None]:
    """Begin to write; the answer waits for the end and raises what went wrong."""
    writing = _threads.submit(write)
    _under_way[content] = writing

    def end() -> None:
        try:
            writing.result()
        finally:
            if _under_way.get(content) is writing:
                del _under_way[content]

    return end


def finish(content: _Content) -> None:
    """Wait for the content if it is being written now.

    Raises:
        OSError: as the writing.
    """
    writing = _under_way.get(content)
    if writing is not None:
        writing.result()


def _begin_anew() -> None:
    """In a forked process: the threads are not there."""
    global _threads
    _under_way.clear()
    _threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="files")


os.register_at_fork(after_in_child=_begin_anew)
