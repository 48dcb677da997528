"""The pool's reset: what a connection must lose before somebody else gets it."""

from typing import Any, Final

import psycopg

_CLEAN: Final = (
    "SELECT pg_advisory_unlock_all(), set_config('role', 'none', false), set_config('search_path', 'public', false)"
)


def clean(connection: "psycopg.Connection[Any]") -> None:
    """Reset of the pool: a connection that is given back keeps neither role nor path nor advisory lock of its last
    body."""
    connection.autocommit = True
    connection.execute(_CLEAN, prepare=True)
