"""Making bodies: schema, role, tables and rights, as the owner (`verbund body add`, later the accession procedure)."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management import call_command
from django.db import models, transaction
from psycopg import sql

from .context import connection
from .middleware import forget_hosts
from .models import Body, Host
from .roles import create_body_role, grant_app_rights, grant_rights


@contextmanager
def _without_content_types() -> Iterator[None]:
    """Migrate without the rows of content types and permissions that nobody here reads; they cost seconds per body."""
    from django.contrib.auth.management import create_permissions
    from django.contrib.contenttypes.management import create_contenttypes

    signal = models.signals.post_migrate
    signal.disconnect(create_contenttypes)
    signal.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")
    try:
        yield
    finally:
        signal.connect(create_contenttypes)
        signal.connect(create_permissions, dispatch_uid="django.contrib.auth.management.create_permissions")


def migrate_public(verbosity: int = 0) -> None:
    """Migrate `public` and give the login role its rights."""
    with _without_content_types():
        call_command("migrate_schemas", schema_name="public", interactive=False, verbosity=verbosity)
    connection.set_schema_to_public()
    grant_app_rights()


def migrate_body(schema_name: str, verbosity: int = 0) -> None:
    """Migrate one body's schema and give its role its rights."""
    with _without_content_types():
        call_command("migrate_schemas", schema_name=schema_name, interactive=False, verbosity=verbosity)
    connection.set_schema_to_public()
    create_body_role(schema_name)
    grant_rights(schema_name)


def migrate_all(verbosity: int = 0) -> Iterator[str]:
    """Migrate `public` and every body, one after the other; yields the name of each schema done."""
    migrate_public(verbosity)
    yield "public"
    for schema_name in Body.objects.order_by("schema_name").values_list("schema_name", flat=True):
        migrate_body(schema_name, verbosity)
        yield schema_name


def create_body(*, schema_name: str, slug: str, name: str, kind: str, hosts: Iterable[str], **facts: Any) -> Body:
    """Make a body ready: row, hosts, schema with all tables, database role and rights.

    A second call for the same schema name goes on where a first one was cut off.

    Raises:
        django.core.exceptions.ValidationError: for a name, key or colour that cannot be.
    """
    connection.set_schema_to_public()
    found: Body | None = Body.objects.filter(schema_name=schema_name).first()
    body = found or Body(schema_name=schema_name, slug=slug, name=name, kind=kind, **facts)
    if found is None:
        body.full_clean()
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema_name)))
        cursor.execute(sql.SQL("REVOKE ALL ON SCHEMA {} FROM PUBLIC").format(sql.Identifier(schema_name)))
    migrate_body(schema_name)
    # Known only now, when it can work: a running worker's clock and a curious browser meet a whole body or none.
    with transaction.atomic():
        if found is None:
            body.save(force_insert=True)
        for number, host in enumerate(hosts):
            Host.objects.get_or_create(domain=host.lower(), defaults={"tenant": body, "is_primary": number == 0})
    forget_hosts()
    return body


def set_rooms(schema_name: str, rooms: Iterable[str]) -> None:
    """Switch the rooms of a body; the database lets only the alliance's role do it (`verbund_set_rooms`)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT public.verbund_set_rooms(%s, %s)", [schema_name, list(rooms)])
    forget_hosts()
