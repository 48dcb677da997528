"""Prepared statements (vorbereitete Anweisungen) for services that send the same few statements all day."""

from collections.abc import Iterator
from contextlib import contextmanager

from .context import connection


@contextmanager
def prepared_statements() -> Iterator[None]:
    """Within, PostgreSQL keeps what it has parsed and planned of each statement, on this connection.

    For writes and look-ups by key only: a plan that is kept does not look at the values, which lists and searches need.
    Nothing leaks between bodies: PostgreSQL parses a kept statement anew when the search_path has changed, and asks for
    the role's rights whenever it is executed.
    """
    connection.ensure_connection()
    driver = connection.connection
    before, driver.prepare_threshold = driver.prepare_threshold, 1
    try:
        yield
    finally:
        driver.prepare_threshold = before
