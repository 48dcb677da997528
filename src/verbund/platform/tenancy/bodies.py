"""Making bodies: schema, role, tables and rights - as the owner (`verbund body add`), or as the alliance in a job
(accession).

`create_body` is the one way. What it does happens in the database function `verbund_found_body` in one transaction. The
owner may call it and the alliance's role, nobody else; web and worker never hold the owner's password.
"""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.utils.translation import gettext as _
from psycopg import sql

from . import blueprints
from .closing import ClosedRoom
from .context import connection
from .errors import Conflict
from .middleware import forget_hosts
from .models import Body
from .roles import create_body_role, grant_app_rights, grant_rights


class NotFoundable(Conflict):
    """The body cannot be founded now or under this name; `message` says what to do. Nothing was written."""


@dataclass(frozen=True, slots=True)
class Migrated:
    """One schema brought to this release: seconds, how many migrations, and what went wrong, if anything did."""

    schema_name: str
    seconds: float
    migrations: int
    error: str = ""


def migrate_public(verbosity: int = 0) -> None:
    """Migrate `public`, give the login role its rights, and make the blueprint of this release."""
    blueprints.run_migrations("public", verbosity)
    grant_app_rights()
    blueprints.prepare(verbosity)


def migrate_body(schema_name: str, verbosity: int = 0) -> None:
    """Run the migrations in one body's schema and give its role its rights."""
    blueprints.run_migrations(schema_name, verbosity)
    _give_rights(schema_name)


def migrate_bodies(schema_names: Iterable[str] | None = None) -> Iterator[Migrated]:
    """Bring bodies (all, if none are named) to this release; yields each when it is done.

    What is missing in a body is run by Django once and repeated from its recording in all bodies with the same gap,
    unless it looks at rows. Each body is a matter of its own: one that fails keeps what it had (each migration is a
    transaction), is yielded with its error, and the others go on. Called again, it goes on where it ended.
    """
    recordings: dict[frozenset[tuple[str, str]], blueprints.Recording] = {}
    if schema_names is None:
        schema_names = list(Body.objects.order_by("schema_name").values_list("schema_name", flat=True))
    for schema_name in schema_names:
        begun = time.monotonic()
        count, error = 0, ""
        try:
            count = _bring(schema_name, recordings)
        except Exception as failure:  # noqa: BLE001 - whatever one body's rows make of a migration, the others go on
            error = f"{type(failure).__name__}: {failure}".strip()
            connection.close()
            connection.set_schema_to_public()
        yield Migrated(schema_name, time.monotonic() - begun, count, error)


def _bring(schema_name: str, recordings: dict[frozenset[tuple[str, str]], blueprints.Recording]) -> int:
    applied = _applied(schema_name)
    missing = sorted(blueprints.all_migrations() - applied)
    if not missing:
        _give_rights(schema_name)
        return 0
    recording = recordings.get(applied)
    if recording is not None and _repeated(schema_name, recording):
        return len(missing)
    if applied and blueprints.repeatable(missing):
        recorded = blueprints.record_migrations(schema_name)
        if schema_name not in recorded.script:  # else it is not the same for every body
            recordings[applied] = recorded
    else:
        blueprints.run_migrations(schema_name)
    _give_rights(schema_name)
    return len(missing)


def _repeated(schema_name: str, recording: blueprints.Recording) -> bool:
    """Whether the recording could be repeated here; if not, nothing has changed, and Django shall run the
    migrations."""
    try:
        with transaction.atomic():
            blueprints.repeat(schema_name, recording)
            _give_rights(schema_name)
    except DatabaseError:
        connection.close()
        connection.set_schema_to_public()
        return False
    return True


def _applied(schema_name: str) -> frozenset[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(format('%%I.django_migrations', %s::text)) IS NOT NULL", [schema_name])
        if not cursor.fetchone()[0]:
            return frozenset()
        cursor.execute(sql.SQL("SELECT app, name FROM {}.django_migrations").format(sql.Identifier(schema_name)))
        return frozenset(cursor.fetchall())


def _give_rights(schema_name: str) -> None:
    create_body_role(schema_name)
    grant_rights(schema_name)


def create_body(*, schema_name: str, slug: str, name: str, kind: str, hosts: Iterable[str], **facts: Any) -> Body:
    """Found a body: schema with all tables, database role, rights, row and hosts, in the present transaction or in one
    of its own - all or nothing. The same schema name again adds what hosts are missing and changes nothing else.

    May be called by the owner of the tables, and in a job or request of the alliance (`acting_for(alliance)`), whose
    role the database lets found bodies; the caller asks the policy. `facts` are fields of `Body`. Takes about a second.

    Raises:
        django.core.exceptions.ValidationError: for a name, key or colour that cannot be, or is taken.
        NotFoundable: the installation is being updated, or the schema or a host is somebody else's.
        django.db.ProgrammingError: the connection is neither the owner's nor the alliance's ("permission denied").
    """
    wanted = [host.lower() for host in hosts]
    found: Body | None = Body.objects.filter(schema_name=schema_name).first()
    body = found or Body(schema_name=schema_name, slug=slug, name=name, kind=kind, **facts)
    if found is None:
        body.full_clean()
        if schema_name.startswith(("verbund_", "pg_")) or schema_name in {"public", "information_schema"}:
            raise ValidationError({"schema_name": [_("This name is reserved. Choose another one.")]})
        if _is_owner():
            _stand_in(schema_name)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT public.verbund_found_body(%s, %s::jsonb, %s::text[])",
                [blueprints.digest(), _as_json(body), wanted],
            )
    except DatabaseError as error:
        state = getattr(error.__cause__, "sqlstate", "") or ""
        if state == "VT001":
            raise NotFoundable(_("The installation is being updated. Try again in a few minutes.")) from error
        if state == "VT002":
            raise NotFoundable(_("A host name belongs to another body. Choose another one.")) from error
        if state == "23505":
            raise NotFoundable(_("A body of this name exists already. Choose another one.")) from error
        if state == "42P06":
            raise NotFoundable(_("A schema of this name exists already. Choose another one.")) from error
        raise
    forget_hosts()
    made: Body = Body.objects.get(schema_name=schema_name)
    return made


def _is_owner() -> bool:
    return not connection.settings_dict.get("BODY_ROLES", True)


def _stand_in(schema_name: str) -> None:
    """As the owner: where no blueprint can be made, or an older release has left a half-made schema, the migrations are
    run."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regnamespace(quote_ident(%s)) IS NOT NULL", [schema_name])
        there = bool(cursor.fetchone()[0])
        if not there and blueprints.prepare():
            return
        cursor.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema_name)))
        cursor.execute(sql.SQL("REVOKE ALL ON SCHEMA {} FROM PUBLIC").format(sql.Identifier(schema_name)))
    migrate_body(schema_name)


def _as_json(body: Body) -> str:
    values = {
        field.attname: getattr(body, field.attname)
        for field in Body._meta.concrete_fields
        if field.attname not in {"id", "created_at"}
    }
    return json.dumps({"id": str(body.id), **values})


def set_rooms(schema_name: str, rooms: Iterable[str]) -> None:
    """Switch the rooms of a body; the database lets only the alliance's role do it (`verbund_set_rooms`)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT public.verbund_set_rooms(%s, %s)", [schema_name, list(rooms)])
    forget_hosts()


def close_rooms(schema_name: str, closed: Mapping[str, ClosedRoom]) -> bool:
    """Make exactly these rooms of a body read-only, for its role in the database, too; whether anything changed.

    The database lets only the alliance's role do it, and its own rooms are never closed.

    Raises:
        NotFoundable: a room is to open again while the installation is being updated.
    """
    plain = json.dumps({room: facts.plain() for room, facts in closed.items()})
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT public.verbund_close_rooms(%s, %s, %s::jsonb)", [blueprints.digest(), schema_name, plain]
            )
            changed = bool(cursor.fetchone()[0])
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", "") == "VT001":
            raise NotFoundable(_("The installation is being updated. Try again in a few minutes.")) from error
        raise
    if changed:
        forget_hosts()
    return changed
