"""Prepared statements (vorbereitete Anweisungen) for services that send the same few statements all day."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import NotSupportedError
from django.utils.translation import gettext_lazy as _

from .context import connection
from .errors import Conflict


class OutdatedPlan(Conflict):
    """PostgreSQL: "cached plan must not change result type"."""


@contextmanager
def prepared_statements() -> Iterator[None]:
    """Within, PostgreSQL keeps what it has parsed and planned of each statement, on this connection.

    For writes and look-ups by key only: a plan that is kept does not look at the values, which lists and searches need.
    Nothing leaks between bodies: PostgreSQL parses a kept statement anew when the search_path has changed, and asks for
    the role's rights whenever it is executed.

    Raises:
        OutdatedPlan: a migration has changed the type of a column that a kept statement returns. The connection is
            given up, so that the next attempt finds a fresh one.
    """
    connection.ensure_connection()
    driver = connection.connection
    before, driver.prepare_threshold = driver.prepare_threshold, 1
    try:
        yield
    except NotSupportedError as error:
        driver.close()
        raise OutdatedPlan(_("The system was just updated. Nothing was saved; please do it once more.")) from error
    finally:
        driver.prepare_threshold = before
