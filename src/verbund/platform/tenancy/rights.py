"""Rights (Zugriffsrechte) of the bodies' roles in PostgreSQL, table by table: the one place where they stand.

A body's role may read and write the tables of its own schema; a model narrows that with `database_rights`:

    class Voucher(models.Model):
        database_rights = APPEND_ONLY

In `public` it has exactly what `PUBLIC_RIGHTS` lists, and nothing by inheritance or default.
"""

from typing import Final

FULL: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")
APPEND_ONLY: Final = ("SELECT", "INSERT")
READ_ONLY: Final = ("SELECT",)

# What every body's role may do in `public`. The login role holds the same, plus what the middleware and the worker need
# before a body is known (APP_RIGHTS).
PUBLIC_RIGHTS: Final[dict[str, tuple[str, ...]]] = {
    "tenancy_body": READ_ONLY,
    "tenancy_host": READ_ONLY,
    # Row level security (identity 0002) narrows these to the people of the body.
    "identity_person": ("SELECT", "UPDATE"),
    "identity_assignment": ("SELECT", "INSERT", "UPDATE"),
    "identity_secondfactor": FULL,
    "identity_recoverycode": FULL,
}

APP_RIGHTS: Final[dict[str, tuple[str, ...]]] = {
    "procrastinate_jobs": FULL,
    "procrastinate_events": FULL,
    "procrastinate_periodic_defers": FULL,
    "procrastinate_workers": FULL,
    "django_migrations": READ_ONLY,
}
