"""Taking a body in that another installation has handed over.

What comes from elsewhere is data and stays data: the tables are made by our own migrations, the rows go in by COPY, the
archive's SQL is never run. Until the last transaction nobody can see the body; what a killed import leaves is a marked
schema that the next attempt clears away.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
from django.db import transaction
from psycopg import sql

from verbund.commands.installation import Unready
from verbund.commands.texts import _
from verbund.commands.verify import verify_body
from verbund.modules.membership import queries
from verbund.platform import audit
from verbund.platform.files.refusals import Refused
from verbund.platform.files.scanners import scanner
from verbund.platform.files.stores import ContentMissing, store
from verbund.platform.identity.actor import Actor
from verbund.platform.identity.models import Assignment, Person
from verbund.platform.tenancy import acting_for, new_id
from verbund.platform.tenancy.bodies import migrate_body
from verbund.platform.tenancy.middleware import forget_hosts
from verbund.platform.tenancy.models import Body, Host

from . import archive as parts
from .archive import Archive, Progress, Spoilt
from .exporting import anchors, migrations_of
from .facts import facts_of, people_of
from .removing import remove_contents, remove_schema
from .tables import BLANKED, LEFT_OUT, Table, tables_of

MARK: Final = "verbund body import "  # the comment on a schema that is being filled
# What Django's host validation takes, no more: it ends up in links.
_HOST: Final = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*\Z"
)


@dataclass(frozen=True, slots=True)
class Taken:
    """A body that was taken in."""

    schema_name: str
    slug: str
    name: str
    rows: int
    contents: int
    people: int
    known: int  # people this installation knew already
    again: bool  # the same archive was taken in before


def import_body(
    address: str,
    folder: Path,
    *,
    now: datetime,
    hosts: Sequence[str] = (),
    manifest_sha256: str = "",
    progress: Progress = lambda _text: None,
) -> Taken:
    """Take the body of an archive in, as the owner of the tables (`address`, and Django's own connection).

    Raises:
        Spoilt: the archive is not what its manifest says, or holds what no body can have.
        Unready: slug, schema or host are taken, the releases differ, the chains are broken.
    """
    archive = Archive(folder)
    if manifest_sha256 and manifest_sha256 != archive.manifest_sha256:
        raise Spoilt([_("manifest.json: its SHA-256 is not the one that was given")])
    archive.verify(progress)
    facts, people = facts_of(archive), people_of(archive)
    wanted = [host.lower() for host in hosts or facts["hosts"]]
    if known := _known(archive, facts):
        return known
    _refuse_taken(facts, wanted)
    schema = facts["schema_name"]
    _compare_migrations(address, archive)
    _compare_tables(address, archive)
    _begin(address, schema, archive)
    try:
        progress(_("tables"))
        migrate_body(schema)
        contents = _store_contents(archive, schema, progress)
        rows = _fill(address, archive, schema, progress)
        progress(_("chains"))
        _verify(address, schema, archive)
        known_people = _complete(archive, facts, people, wanted, now)
    except BaseException:
        if not Body.objects.filter(schema_name=schema).exists():
            remove_contents(schema)
            remove_schema(address, schema)
        raise
    finally:
        forget_hosts()
    _unmark(address, schema)
    return Taken(schema, facts["slug"], facts["name"], rows, contents, len(people["people"]), known_people, again=False)


def _known(archive: Archive, facts: Mapping[str, Any]) -> Taken | None:
    """The same archive taken in before, completely: then there is nothing left to do."""
    body = Body.objects.filter(id=facts["id"], schema_name=facts["schema_name"], slug=facts["slug"]).first()
    if body is None:
        return None
    with acting_for(body):
        from verbund.platform.audit.models import AuditEntry

        entries = AuditEntry.objects.filter(action="tenancy.body.imported", object_id=str(body.id))
        same = any(archive.manifest_sha256 in entry.changes for entry in entries)
    if not same:
        return None
    return Taken(body.schema_name, body.slug, body.name, 0, 0, 0, 0, again=True)


def _refuse_taken(facts: Mapping[str, Any], hosts: Sequence[str]) -> None:
    if not Body.objects.filter(is_alliance=True).exists():
        raise Unready(_("Make the alliance first: `verbund body add --kind alliance …`."))
    if not hosts:
        raise Unready(_("Give the host name under which the body is reached: --host NAME."))
    for host in hosts:
        if not _HOST.match(host):
            raise Unready(_("{host} is not a host name. Give another one with --host.").format(host=host[:80]))
    if Body.objects.filter(id=facts["id"]).exists():
        raise Unready(_("This body is here already."))
    for name in ("slug", "schema_name"):
        if Body.objects.filter(**{name: facts[name]}).exists():
            raise Unready(_("Another body here has the name {name}.").format(name=facts[name]))
    with acting_for(Body.objects.get(is_alliance=True)) as alliance:
        members = queries.list_members(Actor.system(alliance.schema_name, "verbund body import"))
    others = {member.slug for member in members if member.schema_name and member.schema_name != facts["schema_name"]}
    if facts["slug"] in others:
        raise Unready(_("Another body here has the name {name}.").format(name=facts["slug"]))
    if taken := Host.objects.filter(domain__in=hosts).first():
        raise Unready(
            _("{host} belongs to another body here. Give another host with --host.").format(host=taken.domain)
        )


def _compare_migrations(address: str, archive: Archive) -> None:
    alliance = Body.objects.get(is_alliance=True)
    with psycopg.connect(address) as connection:
        here = set(migrations_of(connection, alliance.schema_name))
    there = set(archive.manifest.migrations)
    if here == there:
        return
    missing, further = sorted(there - here), sorted(here - there)
    lines = [_("The archive was made by another release ({software}).").format(software=archive.manifest.software)]
    if missing:
        lines.append(_("Not known here: {names}.").format(names=_named(missing)))
    if further:
        lines.append(_("Not known there: {names}.").format(names=_named(further)))
    lines.append(_("Bring both installations to the same release, export again and import that."))
    raise Unready(" ".join(lines))


def _named(migrations: Sequence[tuple[str, str]]) -> str:
    names = ", ".join(f"{app}.{name}" for app, name in migrations[:5])
    return f"{names} …" if len(migrations) > 5 else names


def _begin(address: str, schema: str, archive: Archive) -> None:
    """A fresh, marked schema; one that a killed import has left goes first, any other is somebody's."""
    with psycopg.connect(address, autocommit=True) as connection:
        row = connection.execute(
            "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = %s", [schema]
        ).fetchone()
        if row is not None and not (row[0] or "").startswith(MARK):
            raise Unready(_("There is a schema {schema} in the database already.").format(schema=schema))
    if row is not None:
        remove_contents(schema)
        remove_schema(address, schema)
    with psycopg.connect(address) as connection:
        name = sql.Identifier(schema)
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(name))
        connection.execute(sql.SQL("REVOKE ALL ON SCHEMA {} FROM PUBLIC").format(name))
        connection.execute(
            sql.SQL("COMMENT ON SCHEMA {} IS {}").format(name, sql.Literal(MARK + archive.manifest_sha256))
        )


def _unmark(address: str, schema: str) -> None:
    with psycopg.connect(address) as connection:
        connection.execute(sql.SQL("COMMENT ON SCHEMA {} IS NULL").format(sql.Identifier(schema)))


def _store_contents(archive: Archive, schema: str, progress: Progress) -> int:
    """Put the stored contents into our store, scanned as if somebody had sent them."""
    keeper, scanning = store(), scanner()
    number = 0
    for path, entry in sorted(archive.manifest.entries.items()):
        if not path.startswith("contents/"):
            continue
        if number % 50 == 0:
            progress(_("file {number}").format(number=number + 1))
        with archive.open(path) as source, keeper.stage(schema) as staged:
            while piece := source.read():
                staged.write(piece)
            staged.flush()
            staged.seek(0)
            try:
                scanning.scan(staged)
            except Refused as refused:
                raise Unready(f"{path}: {refused.message}") from refused
            if source.digest.hexdigest() == entry.sha256:  # else leaving `archive.open` says so
                keeper.keep(schema, entry.sha256, staged)
        number += 1
    return number


def _fill(address: str, archive: Archive, schema: str, progress: Progress) -> int:
    """The rows of all tables, in one transaction; the laws of the tables hold again before it ends."""
    with psycopg.connect(address) as connection:
        connection.execute("SELECT set_config('datestyle', 'ISO, YMD', true), set_config('timezone', 'UTC', true)")
        every = tables_of(connection, schema)
        tables = {name: table for name, table in every.items() if name not in LEFT_OUT}
        places = [sql.Identifier(schema, name) for name in sorted(every) if name != "django_migrations"]
        for place in places:
            # Journal and append-only tables refuse what was seeded to be taken away, and rows in any other order than
            # they happened in. What they keep is looked at afterwards, by re-computing every chain.
            connection.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(place))
        connection.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(places)))
        total = 0
        for name, table in sorted(tables.items()):
            progress(name)
            total += _copy(connection, archive, schema, table)
        try:
            connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        except psycopg.IntegrityError as error:
            raise Spoilt([str(error.diag.message_primary or error)]) from error
        for place in places:
            connection.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(place))
        _same_contents(connection, archive, schema)
    return total


def _compare_tables(address: str, archive: Archive) -> None:
    """The archive holds exactly the tables of a body of this release, with exactly their columns."""
    alliance = Body.objects.get(is_alliance=True)
    with psycopg.connect(address) as connection:
        every = tables_of(connection, alliance.schema_name)
    tables = {name: table for name, table in every.items() if name not in LEFT_OUT}
    _same_tables(archive, tables)
    faults = []
    for name, table in sorted(tables.items()):
        path = parts.data_path(name)
        wanted = (",".join(table.handed_over) + "\n").encode()
        if archive.beginning(path, len(wanted)) != wanted:
            faults.append(_("{path}: has other columns than the table").format(path=path))
    if faults:
        raise Spoilt(faults)


def _same_tables(archive: Archive, tables: Mapping[str, Table]) -> None:
    data = {path for path in archive.manifest.entries if path.startswith("data/")}
    faults = [
        _("{path}: there is no such table").format(path=path)
        for path in sorted(data - {parts.data_path(name) for name in tables})
    ]
    faults += [
        _("{path}: missing").format(path=parts.data_path(name))
        for name in sorted(tables)
        if parts.data_path(name) not in data or name not in archive.manifest.tables
    ]
    if faults:
        raise Spoilt(faults)


def _copy(connection: "psycopg.Connection[Any]", archive: Archive, schema: str, table: Table) -> int:
    """The rows of one table; the header must be exactly the columns of the table as it is here."""
    path = parts.data_path(table.name)
    columns = sql.SQL(", ").join(map(sql.Identifier, table.handed_over))
    target = sql.Identifier(schema, table.name)
    query = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, HEADER match, ENCODING 'UTF8')").format(target, columns)
    try:
        with archive.open(path) as source, connection.cursor() as cursor:
            with cursor.copy(query) as rows:
                while piece := source.read():
                    rows.write(piece)
            number = max(cursor.rowcount, 0)
    except (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.BadCopyFileFormat) as error:
        raise Spoilt([f"{path}: {error.diag.message_primary or error}"]) from error
    if number != archive.manifest.tables[table.name]:
        raise Spoilt([_("{path}: has another number of rows than the manifest says").format(path=path)])
    for name, column in BLANKED:
        if name == table.name:
            connection.execute(sql.SQL("UPDATE {} SET {} = ''").format(target, sql.Identifier(column)))
    for column in table.identities:
        connection.execute(
            sql.SQL(
                "SELECT setval(pg_get_serial_sequence({table}, {column}),"
                " greatest((SELECT coalesce(max({name}), 0) FROM {target}), 1),"
                " EXISTS (SELECT 1 FROM {target}))"
            ).format(
                table=sql.Literal(target.as_string(connection)),
                column=sql.Literal(column),
                name=sql.Identifier(column),
                target=target,
            )
        )
    return number


def _same_contents(connection: "psycopg.Connection[Any]", archive: Archive, schema: str) -> None:
    """Every row of a stored content has its file in the archive, and every file its row."""
    query = sql.SQL("SELECT sha256 FROM {}").format(sql.Identifier(schema, "files_storedfile"))
    rows = {parts.content_path(sha256) for (sha256,) in connection.execute(query).fetchall()}
    files = {path for path in archive.manifest.entries if path.startswith("contents/")}
    faults = [_("{path}: missing").format(path=path) for path in sorted(rows - files)]
    faults += [_("{path}: no row speaks of it").format(path=path) for path in sorted(files - rows)]
    if faults:
        raise Spoilt(faults)


def _verify(address: str, schema: str, archive: Archive) -> None:
    """Re-compute every chain of what stands in the tables now, and compare the ends with those of the archive."""
    keeper = store()

    def read(sha256: str) -> Any:
        try:
            return keeper.open(schema, sha256)
        except ContentMissing as missing:
            raise FileNotFoundError(sha256) from missing

    chains = verify_body(address, schema, read)
    faults = [
        f"{chain.name}: {broken.entry}: {broken.reason}" for chain in chains for broken in chain.broken[: parts.NAMED]
    ]
    with psycopg.connect(address) as connection:
        if not faults and anchors(connection, schema) != archive.json(parts.ANCHORS):
            faults.append(_("{path}: the ends of the chains are not those of the tables").format(path=parts.ANCHORS))
    if faults:
        raise Spoilt(faults)


def _complete(
    archive: Archive,
    facts: Mapping[str, Any],
    people: Mapping[str, list[dict[str, Any]]],
    hosts: Sequence[str],
    now: datetime,
) -> int:
    """Body, hosts, people and assignments in one transaction: from its end on the body is here. How many people were
    known."""
    with transaction.atomic():
        body = Body(**{key: value for key, value in facts.items() if key != "hosts"})
        body.save(force_insert=True)
        for number, host in enumerate(hosts):
            Host.objects.create(domain=host, tenant=body, is_primary=number == 0)
        changed = dict(_enlist(body, people["people"]))
        for row in people["assignments"]:
            person_id = changed.get(row["person_id"], row["person_id"])
            taken = Assignment.objects.filter(id=row["id"]).exists()
            Assignment.objects.create(
                **{**row, "id": new_id() if taken else row["id"], "person_id": person_id, "body": body}
            )
        with acting_for(body):
            _relink(body.schema_name, changed)
            audit.record(
                Actor.system(body.schema_name, "verbund body import"),
                "tenancy.body.imported",
                "tenancy.body",
                body.id,
                after={
                    "manifest": archive.manifest_sha256,
                    "taken_at": archive.manifest.taken_at,
                    "software": archive.manifest.software,
                    "people": {str(before): str(after) for before, after in changed.items()},
                },
            )
    return len(changed)


def _enlist(body: Body, people: Sequence[Mapping[str, Any]]) -> Iterator[tuple[UUID, UUID]]:
    """Make the people this installation does not know, without means to sign in. Yields (id in the archive, id here)
    where they differ."""
    for row in people:
        found = Person.objects.filter(email=row["email"]).first()
        if found is None:
            taken = Person.objects.filter(id=row["id"]).exists()
            found = Person.objects.create(
                **{**row, "id": new_id() if taken else row["id"]}, home_body=body, password=""
            )
        if found.id != row["id"]:
            yield row["id"], found.id


def _relink(schema: str, changed: Mapping[UUID, UUID]) -> None:
    """Write the ids that people have here wherever a row that may change names them. What is append-only stays: it says
    who it was, by name."""
    if not changed:
        return
    from django.db import connection, models

    from verbund.platform.tenancy.rights import FULL
    from verbund.platform.tenancy.roles import tenant_models

    before, after = list(changed), list(changed.values())
    with connection.cursor() as cursor:
        for model in tenant_models():
            if "UPDATE" not in getattr(model, "database_rights", FULL):
                continue
            for field in model._meta.concrete_fields:
                if not isinstance(field, models.UUIDField) or field.primary_key:
                    continue
                target, column = sql.Identifier(schema, model._meta.db_table), sql.Identifier(str(field.column))
                cursor.execute(
                    sql.SQL(
                        "UPDATE {target} SET {column} = n.after"
                        " FROM unnest(%s::uuid[], %s::uuid[]) AS n (before, after) WHERE {column} = n.before"
                    ).format(target=target, column=column),
                    [before, after],
                )
