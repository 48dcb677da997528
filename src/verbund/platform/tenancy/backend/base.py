"""A PostgreSQL backend that enters a body with both its search_path and its role, in one statement.

django-tenants sets the search_path; that alone is a convention. With the role, a query that names another body's
schema is refused by PostgreSQL. `set_config` is used because it is one statement also under the extended protocol
(`server_side_binding`).
"""

from typing import Any

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django_tenants.postgresql_backend import base as tenants
from django_tenants.utils import quote_schema_name

from verbund.platform.tenancy.context import PUBLIC

_ENTER = "SELECT set_config('search_path', %s, false), set_config('role', %s, false)"


class DatabaseWrapper(tenants.DatabaseWrapper):  # type: ignore[misc]  # django-tenants is untyped
    """The wrapper of `settings.DATABASES`; `BODY_ROLES` false is for the owner, who migrates in every schema under
    its own name."""

    _setting_search_path: bool
    search_path_set_schemas: Any

    def _handle_search_path(self, cursor: Any = None) -> None:
        if self._setting_search_path or self.search_path_set_schemas:
            return
        if not self.schema_name:
            raise ImproperlyConfigured("no schema is set on the connection")
        paths = self._get_cursor_search_paths()
        role = "none"
        if self.schema_name != PUBLIC and self.settings_dict.get("BODY_ROLES", True):
            role = f"body_{self.schema_name}"
        if self.connection.info.transaction_status == psycopg.pq.TransactionStatus.INERROR:
            # Nothing can be set in a failed transaction and nothing can be read either: the next statement fails too,
            # and the rollback that must follow makes us enter again.
            return
        self._setting_search_path = True
        own = self.connection.cursor() if cursor is None else cursor
        try:
            own.execute(_ENTER, [",".join(quote_schema_name(p) for p in paths), role])
            own.fetchall()
            self.search_path_set_schemas = paths
        finally:
            self._setting_search_path = False
            if cursor is None:
                own.close()
