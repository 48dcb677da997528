"""Erasing a body here (Löschung), with a certificate: only what somebody else holds, byte for byte, may go.

The archive is compared with what stands in the tables under a lock that lets nobody write, and the rows go in that same
transaction. What is left to do after it (stored files, role, the alliance's list, the certificate) may be repeated.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg import sql

from verbund.commands.installation import Unready
from verbund.commands.texts import _
from verbund.modules.membership import queries
from verbund.modules.membership import services as membership
from verbund.platform import printing
from verbund.platform.identity.actor import Actor
from verbund.platform.tenancy import BodyFacts, acting_for
from verbund.platform.tenancy.middleware import forget_hosts
from verbund.platform.tenancy.models import Body

from . import archive as parts
from .archive import Archive, Progress, Spoilt, as_json
from .exporting import SESSION, anchors
from .removing import remove_contents, remove_schema
from .tables import LEFT_OUT, selection, tables_of

FORMAT: Final = "verbund-erasure-1"
# Those who work for other bodies too stay, kept by the alliance; the others go with everything that lets them in.
_PEOPLE: Final = """
WITH home AS (SELECT id FROM public.identity_person WHERE home_body_id = %(body)s),
     stays AS (SELECT DISTINCT a.person_id AS id FROM public.identity_assignment a JOIN home ON home.id = a.person_id
                WHERE a.body_id <> %(body)s),
     moved AS (UPDATE public.identity_person SET home_body_id = %(alliance)s WHERE id IN (SELECT id FROM stays)
               RETURNING id),
     goes AS (SELECT id FROM home EXCEPT SELECT id FROM stays),
     factors AS (DELETE FROM public.identity_secondfactor WHERE person_id IN (SELECT id FROM goes)),
     codes AS (DELETE FROM public.identity_recoverycode WHERE person_id IN (SELECT id FROM goes))
SELECT ARRAY(SELECT id FROM goes), (SELECT count(*) FROM moved)
"""


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased, and where the certificate lies."""

    name: str
    certificate: Path
    sha256: str


def erase_body(
    address: str,
    folder: Path,
    *,
    manifest_sha256: str,
    certificates: Path,
    now: datetime,
    progress: Progress = lambda _text: None,
) -> Erased:
    """Erase the body whose archive lies in `folder`, and write the certificate (JSON and PDF) into `certificates`.

    Raises:
        Spoilt: the archive is not the one named, or damaged.
        Unready: the body has changed since the export, is the alliance, or was never here.
    """
    archive = Archive(folder)
    if archive.manifest_sha256 != manifest_sha256:
        raise Spoilt([_("manifest.json: its SHA-256 is not the one that was given")])
    archive.verify(progress)
    told = archive.manifest.body
    alliance = Body.objects.get(is_alliance=True)
    if UUID(told["id"]) == alliance.id or told["schema_name"] == alliance.schema_name:
        raise Unready(_("The alliance cannot be erased."))
    certificates.mkdir(parents=True, exist_ok=True)
    gone, kept = 0, 0
    body = Body.objects.filter(id=told["id"], schema_name=told["schema_name"]).first()
    if body is not None:
        progress(_("comparing"))
        gone, kept = _erase_rows(address, archive, body, alliance)
    elif not _was_here(alliance, told["schema_name"]):
        raise Unready(_("There is no body with the short name {slug}.").format(slug=told["slug"]))
    forget_hosts()
    remove_contents(told["schema_name"])
    remove_schema(address, told["schema_name"])
    values = _certificate(archive, now, gone, kept)
    target = certificates / f"{told['slug']}-{now.astimezone(UTC):%Y-%m-%d}-geloescht.json"
    content = as_json(values)
    target.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    with acting_for(alliance) as facts:
        target.with_suffix(".pdf").write_bytes(_paper(facts, values, sha256, now))
        actor = Actor.system(alliance.schema_name, "verbund body erase")
        membership.note_erasure(
            actor,
            schema_name=told["schema_name"],
            manifest_sha256=manifest_sha256,
            certificate_sha256=sha256,
            now=now,
        )
    return Erased(told["name"], target, sha256)


def _was_here(alliance: Body, schema: str) -> bool:
    """Whether an erasure of it was cut off: the alliance still has it in its list."""
    with acting_for(alliance):
        actor = Actor.system(alliance.schema_name, "verbund body erase")
        return any(member.schema_name == schema for member in queries.list_members(actor))


def _erase_rows(address: str, archive: Archive, body: Body, alliance: Body) -> tuple[int, int]:
    """Compare everything with the archive and drop it, in one transaction. How many people went, and how many stay."""
    schema = body.schema_name
    try:
        with psycopg.connect(address) as connection:
            connection.execute(SESSION)
            connection.execute("SET lock_timeout = '60s'")
            tables = tables_of(connection, schema)
            for name in sorted(tables):
                connection.execute(
                    sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(schema, name))
                )
            if faults := _differences(connection, archive, schema, tables):
                raise Unready(
                    _("The body has changed since the export ({tables}). Export it again.").format(
                        tables=", ".join(faults[:5])
                    )
                )
            row = connection.execute(_PEOPLE, {"body": body.id, "alliance": alliance.id}).fetchone()
            assert row is not None
            connection.execute("DELETE FROM public.identity_assignment WHERE body_id = %s", [body.id])
            connection.execute("DELETE FROM public.identity_person WHERE id = ANY(%s)", [row[0]])
            _erase_jobs(connection, schema)
            connection.execute("DELETE FROM public.tenancy_host WHERE tenant_id = %s", [body.id])
            connection.execute("DELETE FROM public.tenancy_body WHERE id = %s", [body.id])
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))
            return len(row[0]), int(row[1])
    except psycopg.errors.LockNotAvailable as error:
        raise Unready(_("The body is being worked with. Try again in a minute.")) from error


def _erase_jobs(connection: "psycopg.Connection[Any]", schema: str) -> None:
    """What the queue still holds of the body."""
    mine = sql.SQL("SELECT id FROM public.procrastinate_jobs WHERE {schema} IN (args ->> 'body', args ->> 'sender')")
    mine_of = mine.format(schema=sql.Literal(schema))
    for table, column in (
        ("procrastinate_periodic_defers", "job_id"),
        ("procrastinate_events", "job_id"),
        ("procrastinate_jobs", "id"),
    ):
        connection.execute(
            sql.SQL("DELETE FROM {table} WHERE {column} IN ({mine})").format(
                table=sql.Identifier("public", table), column=sql.Identifier(column), mine=mine_of
            )
        )


def _differences(
    connection: "psycopg.Connection[Any]", archive: Archive, schema: str, tables: dict[str, Any]
) -> list[str]:
    """The tables whose rows are not byte for byte those of the archive."""
    differing = []
    for name, table in sorted(tables.items()):
        if name in LEFT_OUT:
            continue
        digest = hashlib.sha256()
        query = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, HEADER true)").format(selection(schema, table))
        with connection.cursor() as cursor, cursor.copy(query) as rows:
            for piece in rows:
                digest.update(piece)
        entry = archive.manifest.entries.get(parts.data_path(name))
        if entry is None or entry.sha256 != digest.hexdigest():
            differing.append(name)
    if not differing and anchors(connection, schema) != archive.json(parts.ANCHORS):
        differing.append("anchors")
    return differing


def _certificate(archive: Archive, now: datetime, gone: int, kept: int) -> dict[str, Any]:
    manifest = archive.manifest
    contents = [entry for path, entry in manifest.entries.items() if path.startswith("contents/")]
    return {
        "format": FORMAT,
        "body": manifest.body,
        "erased_at": now.astimezone(UTC).isoformat(),
        "export": {
            "manifest_sha256": archive.manifest_sha256,
            "taken_at": manifest.taken_at,
            "software": manifest.software,
        },
        "tables": dict(sorted(manifest.tables.items())),
        "contents": {"number": len(contents), "bytes": sum(entry.size for entry in contents)},
        "people": {"erased": gone, "kept_for_other_bodies": kept},
        "not_covered": ["backups made before; they expire by their own rule", "logs of the machines"],
    }


def _paper(facts: BodyFacts, values: dict[str, Any], sha256: str, now: datetime) -> bytes:
    body, export = values["body"], values["export"]
    return printing.letter(
        "printing/letter.typ",
        {
            "subject": _("Certificate of erasure: {name}").format(name=body["name"]),
            "date": now,
            "paragraphs": [
                _(
                    "Everything that {name} had stored in Verbund was compared byte for byte with the archive that was"
                    " handed over, and then erased from the database and the file store of this installation."
                ).format(name=body["name"]),
                {
                    "facts": [
                        (_("Erased at (UTC)"), values["erased_at"]),
                        (_("State handed over (UTC)"), export["taken_at"]),
                        (_("SHA-256 of the archive's manifest"), export["manifest_sha256"]),
                        (_("SHA-256 of the certificate (JSON)"), sha256),
                        (_("Rows"), f"{sum(values['tables'].values())} / {len(values['tables'])}"),
                        (_("Stored files"), f"{values['contents']['number']} / {values['contents']['bytes']} B"),
                        (_("People erased"), str(values["people"]["erased"])),
                        (_("People kept who work for other bodies"), str(values["people"]["kept_for_other_bodies"])),
                    ]
                },
                _("Backups made before hold the data until they expire; they are not used for anything else."),
            ],
        },
        printing.Letterhead.of(facts),
    )
